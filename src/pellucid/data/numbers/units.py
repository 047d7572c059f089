"""Currencies, per cent signs, words such as ``k`` and units in one column: whether they fit together, what they mean.

Legend: W distinct texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.numbers.distinct_texts import TextColumn, cells, short, were
from pellucid.data.numbers.marks import Mark, factor_between
from pellucid.data.numbers.spelling import PLAIN, Bools, Spelled
from pellucid.data.numbers.style import NumberStyle

__all__ = ["CODES", "MarksOfColumn"]

CODES = "codes"  # instead of a sentence: what looked like units are codes, as in 12A, 7B
_STRAYS = 0.01  # share of the cells that may have another suffix before the units count as different


@dataclass(kw_only=True)
class MarksOfColumn:
    """The marks around the numbers of one column, and how they change the numbers."""

    text: TextColumn
    spelled: Spelled
    there: Bools
    counts: NDArray[np.int64]
    style: NumberStyle | None
    force: bool
    notes: list[str] = field(default_factory=list)
    readable: Bools = field(init=False)
    marks: tuple[Mark, ...] = ()  # as spelled, with letters such as K settled

    def read(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NumberStyle, str]:
        """A power of ten and a factor for each text ``[W]``, the style, and why the column is not numeric, if so."""
        n = len(self.text.values)
        self.readable = np.ones(n, dtype=bool)
        power, factor = np.zeros(n, np.int64), np.ones(n)
        self.marks = self._letters_settled()
        scales = np.array([*(m.scale for m in self.marks), 0])
        power += np.where(self.there, scales[self.spelled.mark], 0)
        why = self._currencies()
        if not why:
            unit, why = self._units(power, factor)
        if why:
            return power, factor, NumberStyle(), "" if self.force else why
        scaled = bool(power.any())
        percent = self._percent(power)
        return power, factor, NumberStyle(unit=unit, percent=percent, scaled=scaled), ""

    def _having(self, what: str) -> dict[str, Bools]:
        """Each distinct word of this kind, sorted by its rows, and the texts that have it."""
        found: dict[str, Bools] = {}
        for i, mark in enumerate(self.marks):
            word = str(getattr(mark, what))
            at = self.there & (self.spelled.mark == i)
            if at.any():
                found[word] = found.get(word, np.zeros(len(at), bool)) | at
        return dict(sorted(found.items(), key=lambda item: -int(self.counts[item[1]].sum())))

    def _currencies(self) -> str:
        found = self._having("currency")
        found.pop("", None)
        return self._differing(found, "currencies") if len(found) > 1 else ""

    def _units(self, power: NDArray[np.int64], factor: NDArray[np.float64]) -> tuple[str, str]:
        found = self._having("unit")
        bare = found.pop("", None)
        if self.style is None and (why := self._only_case(found)):
            return "", why
        scaled = any(m.scale for m in self.marks) or (self.style is not None and self.style.scaled)
        if scaled and "m" in found and set(found) == {"m"}:  # 900k beside 1.2m: millions, not metres
            power += np.where(found.pop("m"), 6, 0)
        wanted = self.style.unit if self.style is not None else ""
        if not found:
            return wanted, ""
        target = wanted or next(iter(found))
        factors = {unit: factor_between(unit, target) for unit in found}
        if self.style is not None and not wanted:  # training had no unit, so this may be any
            factors, target = dict.fromkeys(found), ""
        if self.style is None:
            found = self._without_strays(found, factors)
        known = {unit: by for unit, by in factors.items() if by is not None and unit in found}
        if self.style is not None:
            self._unread([found[unit] for unit in found if unit not in known])
        elif not found:
            return "", ""
        elif len(known) < len(found) or (len(found) > 1 and bare is not None and bare.any()):
            return "", self._differing(found | ({} if bare is None else {"no unit": bare}), "units")
        elif bare is not None:
            self._say_bare(target, bare)
        for unit, by in known.items():
            factor[found[unit]] = by
        other = [unit for unit in known if unit != target]
        if other:
            shown = ", ".join(f"{unit!r} ({cells(int(self.counts[found[unit]].sum()))})" for unit in other[:4])
            self.notes.append(f"column {self.text.name!r}: numbers in {shown} were converted to {target!r}")
        return target, ""

    def _unread(self, those: list[Bools]) -> None:
        for at in those:
            self.readable &= ~at

    def _without_strays(self, found: dict[str, Bools], factors: Mapping[str, float | None]) -> dict[str, Bools]:
        """The units of enough cells; cells with any other suffix cannot be read."""
        n = {unit: int(self.counts[at].sum()) for unit, at in found.items()}
        n_all = int(self.counts[self.there].sum())
        alike = sum(n[unit] for unit, by in factors.items() if by is not None)
        strays = {unit for unit, by in factors.items() if by is None and n[unit] <= max(1, _STRAYS * n_all)}
        if 2 * alike < n_all:
            strays = set(found) if 2 * sum(n.values()) < n_all else set()
        self._unread([found[unit] for unit in strays])
        return {unit: at for unit, at in found.items() if unit not in strays}

    def _only_case(self, found: Mapping[str, Bools]) -> str:
        """The note on suffixes that differ only in case, such as ``5 m`` and ``5 M``."""
        alike: dict[str, list[str]] = {}  # by their small letters: of codes there may be one in each cell
        for suffix in sorted({*found, *(m.letter for m in self.marks if m.letter)}):
            alike.setdefault(suffix.lower(), []).append(suffix)
        for unit in found:
            for other in alike[unit.lower()]:
                if unit != other and factor_between(unit, other) is None:
                    return (
                        f"column {self.text.name!r} looks like numbers, but some end in {min(unit, other)!r} "
                        f"and some in {max(unit, other)!r}, which may mean different things, so it is text; write them "
                        f"in one way, or pass --numeric {self.text.name!r} to read the numbers as written"
                    )
        return ""

    def _letters_settled(self) -> tuple[Mark, ...]:
        """The marks, with letters such as ``K`` and ``M`` as scales or units, whichever they are in this column."""
        at = {i: m for i, m in enumerate(self.spelled.marks) if (self.there & (self.spelled.mark == i)).any()}
        letters = [m for m in at.values() if m.letter]
        others = [m for m in at.values() if not m.letter]
        style = self.style
        powers = {m.scale for m in letters}
        among_scales = bool(powers & {3, 6}) and len(powers) > 1
        scaled = among_scales or any(m.scale or m.currency for m in others)
        if style is None:
            scaled &= not any(len(m.unit) == 1 and m.unit.isupper() for m in others)  # codes: 5M, 7A
        else:
            scaled = style.scaled or (not style.unit and scaled)
        attached = {m.scale for m in letters if not m.spaced and m.scale in (3, 6)}
        bodies = self.spelled.body.filter(pa.array(self.there & np.isin(self.spelled.mark, [
            i for i, m in at.items() if m.letter and not m.spaced])))  # fmt: skip
        if len(bodies) and pc.any(pc.match_substring_regex(bodies, "[.,]")).as_py():  # 1.2B, not 1B
            attached |= {m.scale for m in letters if not m.spaced}

        def settled(mark: Mark) -> Mark:
            has_unit = style is not None and style.unit and not style.scaled  # then any letter is one, too
            is_unit = has_unit or not (scaled or mark.scale in attached)
            return replace(mark, unit=mark.letter, scale=0) if mark.letter and is_unit else mark

        return tuple(map(settled, self.spelled.marks))

    def _say_bare(self, unit: str, bare: Bools) -> None:
        n, first = int(self.counts[bare].sum()), self.text.values[int(np.argmax(bare))].as_py()
        self.notes.append(
            f"column {self.text.name!r}: {cells(n)} without a unit such as {short(first)!r} {were(n)} read as "
            f"{unit!r}, like the others"
        )

    def _differing(self, found: Mapping[str, Bools], what: str) -> str:
        shown = ", ".join(
            f"{repr(word) if word != 'no unit' else 'none'} in {cells(int(self.counts[at].sum()))}"
            for word, at in list(found.items())[:4]
        )
        if len(found) > 6 or any(len(word) == 1 and word.isupper() for word in found):
            return CODES  # codes such as 12A: no units at all
        return (
            f"column {self.text.name!r} looks like numbers in different {what} ({shown}), which cannot be compared, so "
            f"it is text; use only one, or pass --numeric {self.text.name!r} to read the numbers as written"
        )

    def _percent(self, power: NDArray[np.int64]) -> str:
        """The meaning of a % sign here: ``fraction`` divides by 100, ``percent`` ignores it; empty if there is none."""
        found = self._having("percent")
        signed, bare = found.get("True"), found.get("False")
        before = self.style.percent if self.style is not None else None
        if signed is None:
            if before == "percent" and bare is not None:
                self.notes.append(
                    f"column {self.text.name!r} has no % sign here, but it had one in training; its numbers were "
                    "read as per cent (12 as 12 %, 0.12 as 0.12 %)"
                )
            return ""
        kind = before or "percent"
        if before == "" or (before is None and bare is not None and self._hundredfold(signed, bare)):
            kind = "fraction"
        if kind == "fraction":
            power -= np.where(signed, 2, 0)
        if before == "" or (bare is not None and before != "fraction"):
            self._say_percent(signed, bare, kind)
        return kind if before is None else before

    def _hundredfold(self, signed: Bools, bare: Bools) -> bool:
        """Whether the numbers without a % sign are fractions, judged by the typical size of both."""
        bodies = pc.cast(pc.replace_substring(self.spelled.body, ",", "."), pa.string())
        sizes = []
        for at in (signed, bare):
            these = bodies.filter(pa.array(at & (np.asarray(pc.match_substring_regex(bodies, PLAIN)))))
            sizes.append(float(np.median(np.asarray(pc.cast(these, pa.float64())))) if len(these) else 0.0)
        return sizes[1] < sizes[0] / 10

    def _say_percent(self, signed: Bools, bare: Bools | None, kind: str) -> None:
        with_sign = self.text.values[int(np.argmax(signed))].as_py()
        n = int(self.counts[signed].sum())
        done = "divided by 100" if kind == "fraction" else "read without the sign"
        if bare is None or (self.style is not None and not self.style.percent):
            why = "since the training rows had none"
        else:
            why = f"since other cells have none, such as {short(self.text.values[int(np.argmax(bare))].as_py())!r}"
        self.notes.append(
            f"column {self.text.name!r}: {cells(n)} with a % sign such as {short(with_sign)!r} {were(n)} {done}, "
            f"{why}; write them all in one way if that is wrong"
        )
