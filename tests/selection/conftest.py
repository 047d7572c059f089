"""The people whom these tests train on; no run here is compared with other models."""

from tests.people import _no_verdict, people, people_csv  # noqa: F401
