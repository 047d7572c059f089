"""Do two engines agree on a run's own network and the user's own rows?"""

from __future__ import annotations

import os
from math import prod

import numpy as np

from pellucid.data.target import encode_target
from pellucid.errors import DataError, RunFolderError
from pellucid.model.model import Model
from pellucid.network import Network
from pellucid.preparation.continuing import prepare_text
from pellucid.preparation.prepare import open_table
from pellucid.preparation.rows import training_rows
from pellucid.preprocessing.features import rows_for
from pellucid.runs.folder import RunFolder
from pellucid.runs.plan import auto_batch_size, auto_rate, optimizer_of
from pellucid.settings.config import is_there_again, read_config, trained_on
from pellucid.settings.settings import Settings
from pellucid.training.engine import unsupported
from pellucid.training.loop import Rows
from pellucid.training.parity import INTERPRETERS, Parity, compare

__all__ = ["check"]

_MAX_ROWS = 4096
_MAX_VALUES = 1 << 24  # in the maps of all pictures together: the textbook needs a second for them
_STEPS, _STEPS_ON_PICTURES = 200, 20


def check(run: str | os.PathLike[str], data: object = None, *, n_steps: int | None = None) -> Parity:
    """Compare the textbook with PyTorch, and with the fused engine where it can compute the network, in float64.

    All start from the run's trained weights.

    Parameters
    ----------
    run
        A run folder, or a model file if ``data`` is given.
    data
        Rows with the target, or pictures; by default what the run was trained on. Up to 4,096 rows are used; of
        pictures, texts and series as many as the textbook answers in about a second.
    n_steps
        Updates, with the run's own optimizer and learning rate, before the weights are compared; by default 200, for
        pictures, texts and series 20.

    Raises
    ------
    RunFolderError
        No rows are given, and the run's own table cannot be read again.
    DataError
        The rows cannot be read, or none of them has a target.
    """
    model = Model.read(run)
    settings = Settings.of(model.facts["settings"])
    if data is None:
        folder = RunFolder.existing(run)
        _, data = read_config(folder.file("config"))
        if not is_there_again(data):
            raise RunFolderError(f"{trained_on(data)}: give the rows to check with")
    if model.task.kind == "continuation":
        windows = prepare_text(data, settings).measured
        few = np.random.default_rng(settings.seed).permutation(len(windows))[: _most(model.network)]
        return _compared(model, settings, windows.take(few), n_steps)
    prepares = model.image is not None or model.forecaster is not None
    table = model.table(data, test_part_only=False) if prepares else open_table(data, settings)[0]
    values, keep = None, np.arange(table.n_rows)
    if model.task.kind != "reconstruction":
        values, keep, _ = encode_target(table, model.task.target, model.task.kind, model.task.classes)
    if not len(keep):
        raise DataError(f"no row has a target in column {model.task.target!r}")
    network = model.network
    chosen = np.random.default_rng(settings.seed).permutation(len(keep))[: _most(network)]
    inputs = rows_for(network.shape, model.recipe.transform(table.take(keep[chosen]), dtype=np.float64))
    rows = training_rows(model.task, model.scaler, inputs, None if values is None else values[chosen])
    return _compared(model, settings, rows, n_steps)


def _compared(model: Model, settings: Settings, rows: Rows, n_steps: int | None) -> Parity:
    """The engines beside each other on the rows, from the run's own weights."""
    network = model.network
    return compare(
        network,
        model.task.loss,
        optimizer_of(settings),
        model.parameters,
        rows,
        learning_rate=settings.learning_rate or auto_rate(len(rows)),
        batch_size=settings.batch_size or auto_batch_size(len(rows)),
        seed=settings.seed,
        n_steps=n_steps or (_STEPS if network.on_columns else _STEPS_ON_PICTURES),
        engines=tuple(name for name in INTERPRETERS if unsupported(name, network, "cpu") is None),
    )


def _most(network: Network) -> int:
    """How many rows are compared."""
    return _MAX_ROWS if network.on_columns else max(2, min(_MAX_ROWS, _MAX_VALUES // _values_of(network)))


def _values_of(network: Network) -> int:
    """How many numbers one row becomes, all layers together."""
    return sum(map(prod, (network.shape, *network.shapes()))) + network.between
