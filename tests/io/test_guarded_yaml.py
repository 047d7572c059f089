"""YAML of a stranger is bounded before anything is built of it."""

from __future__ import annotations

import pytest
import yaml

from pellucid.errors import SettingError
from pellucid.io.guarded_yaml import MAX_BYTES, MAX_DEPTH, MAX_VALUES, parse


def bomb(levels: int) -> bytes:
    """A few hundred bytes that stand for 10 to the power of ``levels`` values."""
    parts = ["&x0 [a,a,a,a,a,a,a,a,a,a]"]
    parts += [f"&x{i} [" + ",".join([f"*x{i - 1}"] * 10) + "]" for i in range(1, levels)]
    return f"epochs: [{','.join(parts)}]\n".encode()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (bomb(9), "line 1: an alias or anchor, &x0"),
        (b"a: &x 1\n", "alias or anchor"),
        (b"a: 1\nb: *x\n", r"line 2: an alias or anchor, \*x"),
        (b"<<: {epochs: 3}\n", "a merge, <<"),
        (b"a:\n  <<: {b: 1}\n", "a merge"),
        (b"epochs: 3\nseed: 1\nepochs: 4\n", "line 3: 'epochs' is given twice"),
        (b"a: {b: 1, b: 2}\n", "'b' is given twice"),
        (b"a: " + b"[" * (MAX_DEPTH + 1), f"nested more than {MAX_DEPTH} deep"),
        (b"a: " + b"{b: " * 100_000, "nested more than"),
        (b"- " * 300_000, "nested more than"),
        (b"a: [" + b"1," * (MAX_VALUES + 1) + b"]", f"more than {MAX_VALUES:,} values"),
        (b"a: " + b"9" * 5_000, "a number of 5,000 characters"),
        (b"a: 0x" + b"f" * 5_000, "a number of 5,002 characters"),
        (b"a: 1" + b":59" * 50_000, "a number of 150,001 characters"),
        (b"a: 1" + b":59" * 50_000 + b".5", "a number of 150,003 characters"),
        (b"a: !!python/object/apply:os.system ['true']\n", "a tag"),
        (b"a: !!set {b, c}\n", "a tag"),
        (b"? [a, b]\n: 1\n", "a name that is no plain text"),
        (b"a: 2001-13-45\n", "month must be"),
        (b"a: 1\n---\nb: 2\n", "another document"),
        (b"a: \xff\n", "is not YAML"),
        (b"a: \0\n", "is not YAML"),
        (b"#" * (MAX_BYTES + 1), "larger than 1 MiB"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_what_no_config_needs_is_refused_with_a_short_word(raw: bytes, words: str) -> None:
    with pytest.raises(SettingError, match=words) as caught:
        parse(raw, what="'c.yaml'")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"# nothing\n", b"a: 1\nb: [x, 2.5, true, null]\n", b"a: {b: {c: [1]}}\n", b"a: '*x & <<'\n", b"a: .nan\n",
        b"a: 2001-12-30\n", b"1: 2\n", "a: é\n".encode("utf-16"), b"a: |\n  two\n  lines\n", b"a: 1e-3\nb: 0x1f\n",
    ],
)  # fmt: skip
def test_all_else_is_what_the_safe_loader_makes_of_it(raw: bytes) -> None:
    assert repr(parse(raw, what="'c.yaml'")) == repr(yaml.safe_load(raw))


def test_a_long_list_of_names_is_read() -> None:
    names = [f"column_{i}" for i in range(5_000)]
    assert parse(f"drop: [{', '.join(names)}]".encode(), what="'c.yaml'") == {"drop": names}
