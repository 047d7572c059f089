"""Parse YAML from a file that may be hostile: limited before it is built, and only the features that settings need.

YAML allows references within a text: 400 bytes of aliases can expand to a billion values. References, merges, duplicate
names, deep nesting and very long numbers are refused while the text is being read.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any

import yaml

from pellucid.errors import SettingError

__all__ = ["parse"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 8
MAX_VALUES = 100_000
MAX_SECONDS = 20.0
MAX_NUMBER = 64  # characters; the longest number that a setting can be has 24

_SCALAR = (yaml.ScalarEvent, yaml.AliasEvent)
_OPENS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSES = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


class _RefusedError(yaml.YAMLError):
    """What this module does not allow; the message is a part of a sentence, with its line where there is one."""

    def __init__(self, problem: str, mark: Any = None) -> None:
        super().__init__(problem)
        self.problem, self.problem_mark = problem, mark


def parse(raw: bytes, *, what: str) -> Any:
    r"""The value of a YAML text: mappings, lists, texts, numbers, truth values, dates and nothing else.

    Parameters
    ----------
    raw
        The text.
    what
        What it is, for the message: the path, quoted.

    Raises
    ------
    SettingError
        No YAML, or more than it may be: too large, too deep, too many values, too slow; an alias, an anchor, a merge,
        a tag, a name given twice, a number of more than 64 characters. It names the line where there is one.

    >>> parse(b"epochs: 5\nhidden: [8, 4]\n", what="'c.yaml'")
    {'epochs': 5, 'hidden': [8, 4]}
    """
    if len(raw) > MAX_BYTES:
        raise SettingError(f"{what} is larger than 1 MiB: is it a config file?")
    try:
        _check(raw)
        return _Loader(raw).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SettingError(f"{what} is not YAML that a config could be ({where}{problem[:300]})") from error
    except (RecursionError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise SettingError(f"{what} is not YAML that a config could be ({str(error)[:300]})") from error


def _check(raw: bytes) -> None:
    """Check the text event by event, without building any values."""
    ends, depth, values = time.monotonic() + MAX_SECONDS, 0, 0
    event: Any
    for event in yaml.parse(raw, Loader=yaml.SafeLoader):
        mark = event.start_mark
        if getattr(event, "anchor", None) is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            problem = f"an alias or anchor, {sign}{event.anchor[:40]}; write the value itself, or put quotes around it"
            raise _RefusedError(problem, mark)
        if getattr(event, "tag", None) is not None:
            raise _RefusedError(f"a tag, {event.tag[:60]}; leave it out", mark)
        if isinstance(event, _OPENS):
            depth += 1
            if depth > MAX_DEPTH:
                raise _RefusedError(f"nested more than {MAX_DEPTH} deep", mark)
        elif isinstance(event, _CLOSES):
            depth -= 1
        if isinstance(event, (*_SCALAR, *_OPENS)):
            values += 1
            if values > MAX_VALUES:
                raise _RefusedError(f"more than {MAX_VALUES:,} values", mark)
        if time.monotonic() > ends:
            raise _RefusedError(f"reading it takes more than {MAX_SECONDS:g} seconds", mark)


class _Loader(yaml.SafeLoader):
    """Refuses merges, duplicate names, and numbers that take long to compute."""

    def flatten_mapping(self, node: Any) -> None:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise _RefusedError("a merge, <<; write the lines themselves", key.start_mark)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in getattr(node, "value", ()):
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None:
                raise _RefusedError("a name that is no plain text", key.start_mark)
            if name in seen:
                raise _RefusedError(f"{name[:60]!r} is given twice; keep one of the lines", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep=deep)

    def construct_number(self, node: Any) -> Any:
        if len(node.value) > MAX_NUMBER:
            raise _RefusedError(f"a number of {len(node.value):,} characters", node.start_mark)
        is_whole = node.tag == "tag:yaml.org,2002:int"
        return self.construct_yaml_int(node) if is_whole else self.construct_yaml_float(node)


for _tag in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader.construct_number)
