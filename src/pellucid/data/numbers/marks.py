"""The marks around a number: currencies, ``%``, words such as ``k`` and ``Mio.``, units."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Mark", "factor_between", "mark_of"]

_CURRENCIES = {
    "$": "USD US$ dollar dollars",
    "€": "EUR euro euros",
    "£": "GBP pound pounds",
    "¥": "JPY yen",
    "₹": "INR Rs Rs.",
    "kr": "kr. SEK NOK DKK ISK",
    "CHF": "Fr. SFr. sFr. Fr",
    "zł": "PLN zl",
    "Kč": "CZK Kc",
    "Ft": "HUF",
    "₽": "RUB руб руб. р.",
    "₩": "KRW",
    "₺": "TRY TL",
    "₴": "UAH грн",
    "R$": "BRL",
    "CNY": "RMB 元",
    "₪": "ILS",
}
_CODES = "CAD AUD NZD MXN ZAR SGD HKD RON BGN THB C$ A$ CA$ AU$ NZ$ HK$ S$ AED SAR EGP ARS CLP COP PEN PHP IDR MYR VND"
_CURRENCY = {word: sign for sign, words in _CURRENCIES.items() for word in (sign, *words.split())}
_CURRENCY |= {code: code for code in _CODES.split()}

_SCALES = {
    3: "k K tsd tsd. Tsd Tsd. thousand",
    5: "lakh lakhs lac",
    6: "M MM mn Mn mio mio. Mio Mio. mil. million millions Million Millionen",
    7: "crore crores cr Cr",
    9: "B bn Bn bln mrd mrd. Mrd Mrd. billion billions Billion Milliarden",
    12: "T tn trn trillion trillions",
}
_SCALE = {word: power for power, words in _SCALES.items() for word in words.split()}

# Units of one kind, as multiples of the first; kinds with ambiguous words (KB, degrees) are left out.
_KINDS: tuple[dict[str, float], ...] = (
    {"g": 1.0, "µg": 1e-6, "mg": 1e-3, "kg": 1e3, "t": 1e6, "lb": 453.59237, "oz": 28.349523125},
    {"m": 1.0, "nm": 1e-9, "µm": 1e-6, "mm": 1e-3, "cm": 1e-2, "dm": 0.1, "km": 1e3, "in": 0.0254, "ft": 0.3048,
     "yd": 0.9144, "mi": 1609.344},
    {"l": 1.0, "µl": 1e-6, "ml": 1e-3, "cl": 1e-2, "dl": 0.1, "hl": 100.0},
    {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "day": 86_400.0, "week": 604_800.0},
    {"month": 1.0, "year": 12.0},
    {"W": 1.0, "mW": 1e-3, "kW": 1e3, "MW": 1e6},
    {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9},
    {"V": 1.0, "mV": 1e-3, "kV": 1e3},
    {"Pa": 1.0, "hPa": 100.0, "kPa": 1e3},
)  # fmt: skip
_SAME = {
    "kgs": "kg", "kilo": "kg", "kilos": "kg", "kilogram": "kg", "kilograms": "kg", "gram": "g", "grams": "g",
    "gr": "g", "lbs": "lb", "pound": "lb", "pounds": "lb", "ounce": "oz", "ounces": "oz", "ton": "t", "tons": "t",
    "tonne": "t", "tonnes": "t", "metre": "m", "metres": "m", "meter": "m", "meters": "m", "inch": "in",
    "inches": "in", "foot": "ft", "feet": "ft", "mile": "mi", "miles": "mi", "litre": "l", "litres": "l",
    "liter": "l", "liters": "l", "ltr": "l", "L": "l", "mL": "ml", "dL": "dl", "sec": "s", "secs": "s",
    "second": "s", "seconds": "s", "mins": "min", "minute": "min", "minutes": "min", "hr": "h", "hrs": "h",
    "hour": "h", "hours": "h", "days": "day", "d": "day", "wk": "week", "weeks": "week", "months": "month",
    "mo": "month", "mth": "month", "yr": "year", "yrs": "year", "years": "year", "Kg": "kg", "KG": "kg", "Km": "km",
    "KM": "km", "CM": "cm", "MM": "mm", "μg": "µg", "ug": "µg", "μm": "µm", "μl": "µl", "sqm": "m²", "m2": "m²",
    "qm": "m²", "m3": "m³", "sqft": "ft²", "ft2": "ft²", "°": "°", "st": "th", "nd": "th", "rd": "th",
}  # fmt: skip
_PRICE_ENDS = frozenset({",-", ".-", ",--", ".--", ",---", ".", ","})
_LETTERS = frozenset("kKMBT")  # scales of one letter, which may also be units: 270 K
_SQUARED = re.compile(r"(?<=m|t|n)[23]$")  # m2, ft3, in2
_LONGEST_WORD = 12


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The meaning of the marks around a number."""

    currency: str = ""
    scale: int = 0  # a power of ten
    percent: bool = False
    unit: str = ""
    above: bool = False  # a plus after the number: this much or more
    letter: str = ""  # the scale, if it is a single letter
    spaced: bool = False  # whether there is a space before it


@lru_cache(maxsize=4096)
def mark_of(before: str, behind: str) -> Mark | None:
    """The meaning of the texts before and after a number; None if they are not marks of a number.

    >>> mark_of("€", "Mio."), mark_of("", "kg").unit, mark_of("No", "")
    (Mark(currency='€', scale=6, percent=False, unit='', above=False, letter='', spaced=False), 'kg', None)
    >>> mark_of("", "O2"), mark_of("", "/2"), mark_of("", "½")  # the rest of a number, and no unit
    (None, None, None)
    """
    currency = ""
    if before:
        found = _currency(before.strip())
        if found is None:
            return None
        currency = found
    rest = behind.strip()
    above = rest.startswith("+") or rest.endswith("+")
    rest = rest.strip("+").strip()
    for sign in rest:
        if unicodedata.category(sign) == "Sc":  # also if attached to a word, as in k€
            currency, rest = _CURRENCY.get(sign, sign), rest.replace(sign, " ").strip()
            break
    if rest in _PRICE_ENDS:
        return Mark(currency=currency, above=above)
    scale, percent = 0, False
    unit: list[str] = []
    for word in rest.split():
        if (found := _currency(word)) is not None:
            currency = found
        elif word in ("%", "percent", "pct", "Prozent"):
            percent = True
        elif word in _SCALE and not unit:
            scale += _SCALE[word]
        else:
            unit.append(word)
    name = " ".join(unit)
    if name and (percent or len(unit) > 2 or not all(map(_is_unit_word, unit))):
        return None
    letter = rest if rest in _LETTERS and not currency else ""
    spaced = bool(letter) and behind[:1].isspace()
    unit_name = _plain_unit(name)
    return Mark(
        currency=currency, scale=scale, percent=percent, unit=unit_name, above=above, letter=letter, spaced=spaced
    )


def _is_unit_word(word: str) -> bool:
    """Whether a word looks like a unit (kg/m², °C, sq.m), not like the rest of a number (O2, /2, ^3, ½)."""
    bare = _SQUARED.sub("", word)
    known = all(sign.isalpha() or sign in "%‰°²³/·⋅.'′" for sign in bare)
    return known and len(word) <= _LONGEST_WORD and any(sign.isalpha() or sign in "%‰°'′" for sign in bare)


def _currency(word: str) -> str | None:
    if word in _CURRENCY:
        return _CURRENCY[word]
    return word if len(word) == 1 and unicodedata.category(word) == "Sc" else None


def _plain_unit(name: str) -> str:
    return _SAME.get(name, _SAME.get(name.lower(), name) if len(name) > 2 else name)


def factor_between(unit: str, other: str) -> float | None:
    """The factor that converts a number in ``unit`` to ``other``; None if it is not known for certain.

    >>> factor_between("kg", "g"), factor_between("kg", "cm")
    (1000.0, None)
    """
    if unit == other:
        return 1.0
    for kind in _KINDS:
        if unit in kind and other in kind:
            return kind[unit] / kind[other]
    return None
