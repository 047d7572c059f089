"""Convert text in any encoding to UTF-8.

UTF-8 and byte-order marks are certain. Other bytes are read as cp1252 (Western European Windows) if possible, with a
note that this is a guess and a word to check it by. If the text looks like another encoding, it is refused, and the
message shows a word in several encodings to choose from.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from pellucid.data.files.compression import buffer_of
from pellucid.data.notes import CellNote
from pellucid.errors import DataError, SettingError

__all__ = ["Decoded", "to_utf8"]

_PIECE = 1 << 20
_SAMPLE = 4 << 20  # bytes that a guess looks at
_SLOW = ("idna", "punycode")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_UNDEFINED = b"\x81\x8d\x8f\x90\x9d"  # bytes that stand for nothing in cp1252
_CONTROLS = re.compile(rb"[\0-\x08\x0e-\x19\x1c-\x1f\x7f]")
_WORD = re.compile(rb"[0-9A-Za-z'\x80-\xff-]*")
_LETTERS = 24  # bytes on either side of one that tells
_VALID = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = bytes(range(128, 256))
_RUNS = re.compile(rb"[\x80-\xff]{3,}")
_OTHERS = ("cp1250", "cp1251", "shift_jis", "gb18030", "euc_kr", "cp1253", "mac_roman", "cp850")


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Text in UTF-8 without a byte-order mark, its original encoding, and notes for the user."""

    content: pa.Buffer
    encoding: str
    notes: tuple[str, ...] = ()


def to_utf8(content: pa.Buffer, source: str, encoding: str | None) -> Decoded:
    """Decode the content.

    Raises
    ------
    DataError
        Bytes do not fit the encoding; the message gives the byte, its position and line.
    SettingError
        Python does not know the encoding.
    """
    head = content.slice(0, min(4, content.size)).to_pybytes()
    notes: tuple[str, ...] = ()
    if encoding is None:
        encoding = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if encoding is None and (wide := _without_mark(content)) is not None:
        encoding = wide
        notes = (f"the text looks like {wide} without a byte-order mark and was read as such; --encoding overrides it",)
    known = _known(encoding or "utf-8")
    if known in ("utf-8", "utf-8-sig", "ascii"):
        marked = head.startswith(codecs.BOM_UTF8)
        plain = content.slice(3) if marked else content
        bad = _first_bad_byte(plain)
        if bad is None:
            return Decoded(content=plain, encoding="utf-8 (with byte-order mark)" if marked else "utf-8", notes=notes)
        if encoding is None and not marked:
            view = memoryview(plain).cast("B")
            sample = bytes(view[max(bad[0] - _SAMPLE // 2, 0) :][:_SAMPLE])
            if _could_be_western(sample, bytes(view[-4:])):
                return _guessed(plain, source, sample)
        raise _not_utf8(plain, source, bad)
    return _decoded(content, source, encoding or known, known, notes)


def _known(encoding: str) -> str:
    """Python's name for a text encoding."""
    try:
        known = codecs.lookup(encoding).name
        "".encode(known)  # refuses what is not a text encoding, such as zlib, which could expand to anything
    except (LookupError, ValueError) as error:
        raise SettingError(f"encoding {encoding[:60]!r} is unknown; try utf-8, latin-1 or cp1252") from error
    if known in _SLOW:
        raise SettingError(f"encoding {encoding!r} is for internet names, not for tables; try utf-8 or latin-1")
    return known


def _decoded(content: pa.Buffer, source: str, encoding: str, known: str, notes: tuple[str, ...]) -> Decoded:
    try:
        text = codecs.decode(content.to_pybytes(), known)
    except ValueError as error:
        where = f"byte {error.start:,} does not fit" if isinstance(error, UnicodeDecodeError) else str(error)
        raise DataError(f"{source} is not written in {encoding}: {where}; try another --encoding") from error
    plain = buffer_of(text.removeprefix("\ufeff").encode("utf-8", errors="replace"))
    return Decoded(content=plain, encoding=known, notes=notes)


def _without_mark(content: pa.Buffer) -> str | None:
    """Recognise UTF-16 without a mark: every second byte is zero, as in nearly all tables."""
    head = content.slice(0, min(content.size, 4096)).to_pybytes()
    pairs = len(head) // 2
    if pairs < 4 or content.size % 2:
        return None
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > 0.7 * pairs and not even:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * pairs and not odd else None


# ── bytes that are no UTF-8 ───────────────────────────────────────────────────────────────────────────────────


def _first_bad_byte(content: pa.Buffer) -> tuple[int, int] | None:
    """Position and line of the first byte that is not UTF-8; decoded piece by piece, without copying the file."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view, line = memoryview(content).cast("B"), 1
    for start in range(0, len(view), _PIECE):
        piece = view[start : start + _PIECE]
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(piece, final=start + _PIECE >= len(view))
        except UnicodeDecodeError as error:
            line += bytes(piece[: max(error.start - held, 0)]).count(b"\n")
            return max(start + error.start - held, 0), line
        line += bytes(piece).count(b"\n")
    return None


def _not_utf8(content: pa.Buffer, source: str, bad: tuple[int, int]) -> DataError:
    at, line = bad
    byte = content.slice(at, 1).to_pybytes()[0]
    return DataError(
        f"{source} is not written in UTF-8: byte 0x{byte:02x} at position {at:,}, line {line:,}, "
        "does not fit; try --encoding latin-1 (or cp1252)"
    )


def _could_be_western(sample: bytes, end: bytes) -> bool:
    """Whether the bytes may be a text with one byte per letter, rather than damaged or truncated UTF-8."""
    if _CONTROLS.search(sample):
        return False
    valid, rest = len(_VALID.findall(sample)), _VALID.sub(b"", sample)
    broken = len(rest) - len(rest.translate(None, _HIGH))
    cut = re.search(rb"[\xc2-\xf4][\x80-\xbf]*\Z", end)
    is_cut = cut is not None and (valid > 0 or broken <= len(cut[0]))
    return broken > valid and not is_cut


def _guessed(content: pa.Buffer, source: str, sample: bytes) -> Decoded:
    """The content as cp1252, with a note that shows words to check."""
    raw, words = content.to_pybytes(), _words(sample)
    undefined = next((at for at in (raw.find(bytes([byte])) for byte in _UNDEFINED) if at >= 0), None)
    in_runs = sum(len(run) for run in _RUNS.findall(sample))
    if undefined is not None:
        around = _words(raw[max(undefined - _LETTERS, 0) : undefined + _LETTERS], 100)
        raise DataError(_choices(raw, source, next(word for word in around if raw[undefined] in word)))
    if 2 * in_runs > len(sample) - len(sample.translate(None, _HIGH)):
        raise DataError(_choices(raw, source, words[0]))
    shown = " and ".join(repr(word.decode("cp1252")) for word in words[:2])
    note = (
        f"{source} is not written in UTF-8; it was read as cp1252 (Western European), which is a guess: is {shown} "
        f"(line {_line_of(raw, words[0]):,}) right? If not, pass --encoding, such as cp1250, cp1251, shift_jis or "
        "gb18030"
    )
    plain = buffer_of(raw.decode("cp1252").encode("utf-8"))
    return Decoded(content=plain, encoding="cp1252, guessed", notes=(CellNote(note),))


def _words(sample: bytes, most: int = 2) -> list[bytes]:
    """The first distinct words with a letter beyond ASCII."""
    found: dict[bytes, None] = {}
    for hit in islice(re.finditer(rb"[\x80-\xff]", sample), 100):
        before = sample[max(hit.start() - _LETTERS, 0) : hit.start()][::-1]
        after = _WORD.match(sample, hit.start())
        head, tail = _WORD.match(before), b"" if after is None else after[0]
        found[(b"" if head is None else head[0][::-1]) + tail[:_LETTERS]] = None
        if len(found) == most:
            break
    return list(found)


def _line_of(raw: bytes, word: bytes) -> int:
    return raw.count(b"\n", 0, max(raw.find(word), 0)) + 1


def _choices(raw: bytes, source: str, word: bytes) -> str:
    """A word in several encodings, for the user to choose from."""
    readings: dict[str, str] = {}
    for encoding in _OTHERS:
        try:
            raw[:_SAMPLE].decode(encoding, errors="strict" if len(raw) <= _SAMPLE else "ignore")
            read = word.decode(encoding)
        except UnicodeDecodeError:
            continue
        if read.isprintable() and read not in readings.values():
            readings[encoding] = read
    shown = ", ".join(f"{name}: {read!r}" for name, read in readings.items())
    return (
        f"{source} is neither UTF-8 nor cp1252 (line {_line_of(raw, word):,}); pass the --encoding "
        f"that shows this word correctly: {shown or 'such as cp1250, cp1251, shift_jis or gb18030'}"
    )
