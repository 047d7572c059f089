"""Strict JSON: what Python's parser lets through and a model file must not."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import ModelFileError
from pellucid.io import guarded_json
from pellucid.io.guarded_json import parse

TEXT = st.text(st.characters(codec="utf-8"))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def read(raw: bytes, *, max_depth: int = 20, max_values: int = 1_000) -> Any:
    return parse(raw, what="the note", max_depth=max_depth, max_values=max_values, remedy="write it again")


@given(value=PLAIN, ascii_only=st.booleans())
def test_plain_json_comes_back(value: Any, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert read(raw) == value
    assert read(raw + b" \n") == value


@given(raw=st.binary(max_size=40) | st.text(alphabet='[]{}",:\\0u19.eE-tfn ', max_size=30).map(str.encode))
def test_whatever_the_bytes_it_is_plain_json_or_our_error(raw: bytes) -> None:
    try:
        value = read(raw)
    except ModelFileError as error:
        if not (str(error).startswith("the note ") and str(error).endswith(": write it again")):
            raise
    else:
        assert json.dumps(value, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[1] x", "Extra data, character 4"),
        (b'{"a": 1, "b": 2, "a": 1}', "gives the field 'a' twice"),
        (b'[{"a": {"b": 1, "\\u0062": 2}}]', "gives the field 'b' twice"),
        (b"[NaN]", "holds NaN"),
        (b"[-Infinity]", "holds -Infinity"),
        (b"[1e999]", "holds the number 1e999"),
        (b"[1." + b"0" * 200 + b"]", "too long"),
        (b"[" + b"9" * 5_000 + b"]", "whole number of 5,000 digits"),
        (b'"\\ud800"', "lone surrogate"),
        (b'{"\\udc00": 1}', "lone surrogate"),
        (b'"\xed\xa0\x80"', "is not UTF-8 text (byte 1)"),
        (b'"\xff"', "is not UTF-8 text"),
        (b"\xef\xbb\xbf[]", "is not JSON"),
        (b"[" * 100_000, "nested 100,000 or more deep"),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "nested 21 or more deep"),
        (b"[" + b"0," * 1_000 + b"0]", "holds more than 1,000 values"),
        (b"\x00", "is not JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused(raw: bytes, said: str) -> None:
    limit = 1_000_000 if raw.startswith(b"[[") else 1_000
    with pytest.raises(ModelFileError) as caught:
        read(raw, max_values=limit)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


def test_brackets_inside_texts_do_not_count() -> None:
    value = {"a": "[[[[[[", 'b"\\': '\\"[[[[[', "c": ["\\", "]", "{{{{{{"]}
    assert read(json.dumps(value).encode(), max_depth=2, max_values=20) == value


@given(value=PLAIN, chunk=st.integers(1, 9))
def test_the_limits_are_exact_wherever_the_text_is_cut(value: Any, chunk: int) -> None:
    def depth(part: Any) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    raw = json.dumps(value).encode()
    deep = depth(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guarded_json, "CHUNK", chunk)
        assert read(raw, max_depth=deep) == value
        if deep:
            with pytest.raises(ModelFileError, match="nested"):
                read(raw, max_depth=deep - 1)


def test_minus_zero_is_no_whole_number() -> None:
    assert str(read(b"[-0, 0, -0.0]")) == "[-0.0, 0, -0.0]"


def test_pairs_of_surrogates_are_one_character() -> None:
    assert read(b'"\\ud83d\\ude00"') == "😀"


def test_the_depth_is_bounded_before_the_parser_could_use_up_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(ModelFileError, match="nested"):
        read(b"[" * 30)
    with pytest.raises(ModelFileError, match="values"):
        read(b"[" + b"[]," * 2_000)


@pytest.mark.parametrize("unit", [b"[", b"[]", b'""', b"\\", b'"', b'"\\', b",", b"{}", b"0", b"]"])
def test_memory_stays_a_small_multiple_of_the_text(unit: bytes) -> None:
    raw = unit * (2_000_000 // len(unit))
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError):
            read(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(raw)
