"""``python -m pellucid`` is ``pellucid``."""

from pellucid.cli.process import run

run()
