"""How a setting is declared: a field of a frozen dataclass that holds its section, its rule and its line of help."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from pellucid.settings.rules import Rule

__all__ = ["setting"]


def setting(
    default: Any, section: str, rule: Rule, help_: str, *flags: str, flag: bool = False, unset: str = ""
) -> Any:
    """A field of `Settings`.

    Parameters
    ----------
    default
        The value under the preset ``plain``.
    section
        One of `pellucid.settings.sections.SECTIONS`.
    rule
        Checks a value.
    help_
        One line, without a full stop.
    flags
        Further names of the option on the command line.
    flag
        Whether the option takes no value: ``--verdict``, ``--no-verdict``.
    unset
        What a value of ``None`` stands for, in a word or two.
    """
    metadata = {"section": section, "rule": rule, "help": help_, "flags": flags, "is_flag": flag, "unset": unset}
    return field(default=default, metadata=metadata)
