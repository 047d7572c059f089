"""Estimators in the model file: the same file that `pellucid.train` writes, with the estimator's parameters beside."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import ModelFileError, SettingError

if TYPE_CHECKING:
    from pellucid.workflow.model import Model

__all__ = ["load", "save"]

_LIBRARIES = ("numpy", "scikit-learn")
_KINDS = {
    "NeuralClassifier": ("binary", "multiclass"),
    "NeuralRegressor": ("regression",),
    "NeuralAutoencoder": ("reconstruction",),
}
_FIELDS = {"parameters", "names", "named", "by_table", "threshold"}


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write the model file of a fitted network; what cannot stand in JSON (callbacks, generators) is left out.

    Raises
    ------
    SettingError
        There is more than one network.
    """
    from pellucid.workflow.model import Model

    if len(estimator.ensemble_) > 1:
        raise SettingError(
            f"a model file holds one network, this estimator has {len(estimator.ensemble_)}: fit with n_networks=1 "
            "or pickle the estimator where you trust whoever reads it"
        )
    facts = {
        "parameters": {name: value for name, value in _parameters(estimator).items() if _is_plain(value)},
        "names": list(estimator._names),
        "named": hasattr(estimator, "feature_names_in_"),
        "by_table": estimator._by_table,
        "threshold": getattr(estimator, "threshold_", None),
    }
    Model(
        network=estimator.network_,
        task=estimator.task_,
        recipe=estimator.recipe_,
        scaler=estimator._scaler,
        parameters=estimator.parameters_,
        facts={
            "metrics": {},
            "libraries": {name: version(name) for name in _LIBRARIES},
            "settings": {},
            "schema": {"columns": [], "estimator": facts},
        },
    ).save(path)


def load(cls: type, path: str | os.PathLike[str]) -> Any:
    """An estimator of this class from a model file.

    A file that `pellucid.train` wrote has no parameters of an estimator: it then reads frames with the columns that
    it was trained on.

    Raises
    ------
    ModelFileError
        The file is damaged, or answers another kind of question than this class does.
    """
    from pellucid.workflow.model import Model

    model = Model.read(path)
    if model.task.kind not in _KINDS[cls.__name__]:
        right = next(name for name, kinds in _KINDS.items() if model.task.kind in kinds)
        raise ModelFileError(f"{os.fspath(path)!r} is a model for {model.task.question}: use {right}.load")
    facts = model.facts["schema"].get("estimator") if isinstance(model.facts["schema"], Mapping) else None
    if facts is None:
        names = [column.name for column in model.recipe.columns]
        facts = {"parameters": {}, "names": names, "named": True, "by_table": True, "threshold": 0.5}
    if model.image is not None:
        raise ModelFileError(f"{os.fspath(path)!r} is a model of images: open it with pellucid.Model.read")
    _check(facts, model, path)
    estimator = cls()
    known = set(estimator.get_params()) - {"callbacks"}
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in facts["parameters"].items() if name in known}
    estimator.set_params(**given)
    estimator.n_features_in_ = len(facts["names"])
    if facts["named"]:
        estimator.feature_names_in_ = np.array(facts["names"], dtype=object)
    estimator._names, estimator._by_table = tuple(facts["names"]), facts["by_table"]
    estimator.network_, estimator.task_, estimator.recipe_ = model.network, model.task, model.recipe
    estimator._scaler, estimator.notes_ = model.scaler, ()
    if model.task.is_classification:
        estimator.classes_ = np.array(model.task.classes)
        if estimator.classes_.tolist() != list(model.task.classes):  # of several types
            estimator.classes_ = np.array(model.task.classes, dtype=object)
        estimator.threshold_ = 0.5 if facts["threshold"] is None else float(facts["threshold"])
    estimator.parameters_ = dict(model.parameters)
    estimator.ensemble_ = (estimator.parameters_,)
    estimator.history_, estimator._seed = (), 0
    return estimator


def _check(facts: Any, model: Model, path: str | os.PathLike[str]) -> None:
    """Every field has the type that `load` takes for granted; the rest was checked by `Model.read`."""
    fine = isinstance(facts, Mapping) and set(facts) == _FIELDS and isinstance(facts["parameters"], Mapping)
    fine = fine and all(isinstance(name, str) and _is_plain(v) for name, v in facts["parameters"].items())
    fine = fine and isinstance(facts["names"], list) and all(isinstance(name, str) for name in facts["names"])
    fine = fine and isinstance(facts["named"], bool) and isinstance(facts["by_table"], bool)
    fine = fine and (facts["threshold"] is None or _is_share(facts["threshold"]))
    columns = [column.name for column in model.recipe.columns]
    fine = fine and set(columns) <= set(facts["names"])
    # An array's columns are encoded by their places, a table's by their names.
    numeric = all(column.kind == "numeric" for column in model.recipe.columns)
    fine = fine and (facts["by_table"] or (numeric and columns == facts["names"]))
    if not fine:
        raise ModelFileError(
            f"the estimator's part of {os.fspath(path)!r} is damaged; take another copy, or train again"
        )


def _parameters(estimator: Any) -> dict[str, Any]:
    """Its parameters, a NumPy number as Python's own and a tuple as a list."""
    found = {}
    for name, value in estimator.get_params().items():
        plain = value.item() if isinstance(value, np.generic) else value
        found[name] = list(plain) if isinstance(plain, tuple) else plain
    return found


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(type(each) is int for each in value)
    return value is None or (isinstance(value, bool | int | float | str) and not _is_infinite(value))


def _is_infinite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1
