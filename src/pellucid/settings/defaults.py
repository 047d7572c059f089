"""The default of each setting: one for all runs, or one for each preset."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from pellucid.settings.presets import PRESETS, usual_preset
from pellucid.settings.settings import Settings

__all__ = ["default_in_words", "values_by_preset"]


def values_by_preset(name: str) -> dict[str, Any]:
    """The value of a setting under each preset.

    >>> values_by_preset("n_networks")
    {'best': 4, 'quick': 1, 'pictures': 1, 'series': 4, 'sequences': 1, 'forecasts': 4, 'plain': 1}
    """
    plain = _field(name).default
    return {preset: values.get(name, plain) for preset, values in PRESETS.items()}


def default_in_words(name: str) -> str:
    """What a run uses if a setting is not given, in words; empty if it then does without.

    >>> default_in_words("seed"), default_in_words("batch_size"), default_in_words("target")
    ('0', 'auto', '')
    >>> default_in_words("n_networks")
    'by preset: best 4, quick 1, pictures 1, series 4, sequences 1, forecasts 4, plain 1'
    """
    if name == "preset":
        tables, images, series = usual_preset("table"), usual_preset("pictures"), usual_preset("series")
        sequences, forecasts, others = (
            usual_preset("sequence"),
            usual_preset("forecast"),
            usual_preset("reconstruction"),
        )
        return (
            f"{tables} for tables, {images} for images, {series} for series, {sequences} for recurrent networks, "
            f"{forecasts} for forecasts, {others} for autoencoders"
        )
    values = values_by_preset(name)
    if len(set(values.values())) > 1:
        return "by preset: " + ", ".join(f"{preset} {_in_words(name, value)}" for preset, value in values.items())
    return _in_words(name, _field(name).default)


def _in_words(name: str, value: object) -> str:
    if value is None:
        return str(_field(name).metadata["unset"])
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _field(name: str) -> Field[Any]:
    found = next(each for each in fields(Settings) if each.name == name)
    assert found.default is not MISSING
    return found
