"""The units of a network that continues texts, on a stretch of a text: coloured characters, gates, heads."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.prose import read_prose
from pellucid.data.tables import read_table
from pellucid.errors import DataError, RunFolderError
from pellucid.explanation.units import project
from pellucid.inspection.rows import RowsToInspect
from pellucid.inspection.units_found import Units
from pellucid.inspection.units_of_sequences import (
    last_outputs,
    layers_of_sequences,
    sequence_units,
    sequences_to_take,
)
from pellucid.model.model import Model
from pellucid.preprocessing.feature_arrays import Tokens
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.steps.tokens import TokenStep
from pellucid.runs.folder import RunFolder
from pellucid.settings.config import is_there_again, read_config, trained_on

__all__ = ["units_of_continued"]

Array = NDArray[Any]

_READ = 1 << 20  # characters


def units_of_continued(run: str | os.PathLike[str], model: Model, data: object = None, row: int | None = None) -> Units:
    """`units` of a model that continues texts, without earlier epochs.

    Parameters
    ----------
    run, model
        A run folder or a model file, and its model.
    data
        A text file; default: the last tenth of what the run was trained on.
    row
        Which stretch of the text is shown, from 0; each is as long as the network reads at once.

    Raises
    ------
    DataError
        The text cannot be read, or has no such stretch.
    RunFolderError
        No text is given, and the run's own cannot be read again.
    """
    (step,) = model.recipe.steps
    assert isinstance(step, TokenStep)
    text, name = _text(run, data)
    steps = model.network.shape[0]
    ids = np.asarray(step.tokenizer.encode(text))
    whole = max(1, len(ids) // steps)
    rows = np.zeros((whole, steps), np.int64)
    rows.ravel()[: min(len(ids), rows.size)] = ids[: rows.size]
    lengths = (rows != 0).sum(axis=1)
    if not len(ids):
        raise DataError(f"{name} has no text")
    if row is not None and row >= whole:
        raise DataError(
            f"row must be a whole number from 0 to {whole - 1:,}, got {row}: {name} has {whole:,} stretches"
        )
    stretches = RowsToInspect(
        model=model,
        table=read_table(pa.table({step.name: [""] * whole})),
        features=Features({step.name: Tokens(values=rows, lengths=lengths)}),
        truth=None,
        title=f"the {whole:,} stretches of {steps:,} tokens of {name}",
        numbers=np.arange(whole),
    )
    some = stretches.sample(sequences_to_take(model.network, 1))
    given = replace(stretches.take(np.array([row or 0])), title=f"stretch {row or 0:,} of {name}")
    sequence = sequence_units(model, [("as trained", model.parameters)], 0, some, given)
    inputs = rows[some.numbers]
    layers = layers_of_sequences(model, inputs, None, 1)
    return Units(
        title=f"{some.features.n:,} of {stretches.title}" if some is not stretches else stretches.title,
        layers=layers,
        groups=("all steps",),
        projections=(("as trained", project(last_outputs(model.network, model.parameters, inputs))),),
        target="",
        classes=(),
        values=None,
        weights=None,
        weight_units=(),
        sentences=(*(each.sentence for each in layers if each.layer.function != "identity"), *sequence.sentences),
        notes=(),
        sequence=sequence,
    )


def _text(run: str | os.PathLike[str], data: object) -> tuple[str, str]:
    """The text, and what it is called: of the run's own the last tenth."""
    if data is not None:
        if not isinstance(data, str | os.PathLike):
            raise DataError(f"the text must be a file, got {type(data).__name__}")
        return read_prose(data).text[:_READ], Path(data).name
    _, source = read_config(RunFolder.existing(run).file("config"))
    if source is None or not is_there_again(source):
        raise RunFolderError(f"{trained_on(source)}: name a text to look at")
    text = read_prose(source).text
    return text[-(len(text) // 10) :][:_READ], f"the last tenth of {Path(source).name}"
