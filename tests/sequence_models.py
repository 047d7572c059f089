"""Small traced texts and series, with parameters that are all different, for the tests of what is shown of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.tables import Table, read_table
from pellucid.explanation.trace import trace_row
from pellucid.inspection.rows import RowsToInspect
from pellucid.inspection.sequences import SequenceRow
from pellucid.inspection.trace import Traced
from pellucid.model.model import Model
from pellucid.network import Network, rnn, transformer
from pellucid.network.task import Task
from pellucid.preprocessing.features import Features, Series, Tokens
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.preprocessing.steps.tokenizer import Tokenizer
from pellucid.preprocessing.steps.tokens import TokenStep

__all__ = ["NETWORKS", "WORDS", "model_of", "parameters_of", "rows_of", "text_step", "traced_sequence"]

Array = NDArray[Any]

WORDS = ("good", "bad", "not", "very", "film", "the", "was")
_TEXT = ("the", "film", "was", "not", "very", "good")
_LENGTH = 8

NETWORKS: dict[str, Network] = {
    "gru": rnn((_LENGTH,), (4,), 1, vocabulary=9, embedding=3),
    "lstm": rnn((_LENGTH, 2), (3,), 1, cell="lstm", bidirectional=True, pool="mean", hidden=(3,)),
    "rnn": rnn((_LENGTH,), (4, 3), 1, cell="rnn", vocabulary=9, embedding=3, pool="max"),
    "transformer": transformer((_LENGTH,), 6, 1, vocabulary=9, heads=2, depth=2, dropout=0.1),
    "causal": transformer((_LENGTH, 2), 4, 1, heads=2, depth=1, causal=True, pool="last"),
}


def text_step() -> TokenStep:
    """A column of texts in words."""
    return TokenStep(name="review", tokenizer=Tokenizer(units="words", vocabulary=WORDS), length=_LENGTH)


def parameters_of(network: Network, seed: int = 0) -> dict[str, Array]:
    """Numbers that are all different, so that none can be taken for another."""
    rng = np.random.default_rng(seed)
    return {p.name: rng.uniform(-0.9, 0.9, p.shape) for p in network.parameters()}


_TASK = Task.binary("label", ("neg", "pos"))


def model_of(kind: str, members: int = 1) -> Model:
    """A model of one of the `NETWORKS`, with random parameters."""
    network = NETWORKS[kind]
    series = SeriesStep(
        name="series", steps=8, channels=2, mean=(0.0, 0.0), deviation=(1.0, 1.0), scaling="none",
        channel_names=("speed", "height"),
    )  # fmt: skip
    step: Any = text_step() if network.dtype == "int64" else series
    first, *more = (parameters_of(network, seed) for seed in range(members))
    return Model(
        network=network,
        task=_TASK,
        recipe=Recipe(steps=(step,)),
        scaler=None,
        parameters=first,
        facts={},
        more=tuple(more),
    )


def rows_of(model: Model, n: int = 1) -> RowsToInspect:
    """One text, or series of which the first has six steps."""
    rng = np.random.default_rng(5)
    if model.network.dtype == "int64":
        ids = np.array([[*(2 + WORDS.index(word) for word in _TEXT), 0, 0]] * n)
        features = Features({"review": Tokens(values=ids, lengths=np.full(n, 6))})
    else:
        values, lengths = rng.normal(size=(n, 8, 2)), np.array([6, *[8] * (n - 1)])
        values[0, 6:] = 0
        features = Features({"series": Series(values=values, lengths=lengths)})
    return RowsToInspect(
        model=model, table=_table(n), features=features, truth=np.ones(n), title="row 0", numbers=np.arange(n)
    )


def _table(n: int) -> Table:
    return read_table(pa.table({"label": ["pos"] * n}))


def traced_sequence(kind: str, seed: int = 0, *, with_target: bool = True) -> Traced:
    """A row of six steps and two of padding through one of the `NETWORKS`."""
    network = NETWORKS[kind]
    parameters, step = parameters_of(network, seed), text_step()
    if network.dtype == "int64":
        row = np.array([*(2 + WORDS.index(word) for word in _TEXT), 0, 0])
        shown = SequenceRow(column="review", row=row, steps=_TEXT)
    else:
        row = np.random.default_rng(seed + 1).normal(size=network.shape)
        row[6:] = np.nan
        shown = SequenceRow(column="series", row=row, steps=tuple(map(str, range(6))), channels=("speed", "height"))
    task = _TASK
    target = np.array([[1.0]]) if with_target else None
    found = trace_row(network, parameters, row, loss=task.loss, target=target)
    share = float(1 / (1 + np.exp(-found.logits[0])))
    answer = {"neg": 1 - share, "pos": share}
    return Traced(
        title="row 0 of reviews.csv",
        model=Model(
            network=network, task=task, recipe=Recipe(steps=(step,)), scaler=None, parameters=parameters, facts={}
        ),
        cells=(),
        network=1,
        row=found,
        answer=answer,
        together=answer,
        truth="pos" if with_target else None,
        targets=target,
        sequence=shown,
    )
