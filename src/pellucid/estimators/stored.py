"""Estimators in the model file: the same file that `pellucid.train` writes, with the estimator's parameters beside.

The residuals of rows held out, by which `NeuralRegressor.predict_interval` makes its intervals, are kept as at most 200
quantiles: each stands for those below it down to the next, so that intervals are never narrower than before saving.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.numbers.style import NumberStyle, flag_names, styles_from_json
from pellucid.data.origins import labels_of
from pellucid.errors import ModelFileError
from pellucid.estimators.labels import labels_to_json
from pellucid.estimators.settings import count_of_networks
from pellucid.model.model_file import MOST_COUNTED, MOST_RESIDUALS

if TYPE_CHECKING:
    from pellucid.model.model import Model

__all__ = ["load", "save"]

Array = NDArray[Any]

_LIBRARIES = ("numpy", "scikit-learn")
_KINDS = {
    "NeuralClassifier": ("binary", "multiclass"),
    "NeuralRegressor": ("regression",),
    "NeuralAutoencoder": ("reconstruction",),
}
_FIELDS = {"parameters", "names", "named", "by_table", "threshold"}


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write the model file of the fitted networks; what cannot stand in JSON (callbacks, generators) is left out."""
    from pellucid.model.model import Model

    facts = {
        "parameters": {name: value for name, value in _parameters(estimator).items() if _fits_json(value)},
        "names": list(estimator._names),
        "named": hasattr(estimator, "feature_names_in_"),
        "by_table": estimator._by_table,
        "threshold": getattr(estimator, "threshold_", None),
        "styles": {n: s.to_json() for n, s in getattr(estimator, "_styles", {}).items() if s is not None},
    }
    Model(
        network=estimator.network_,
        task=estimator.task_,
        recipe=estimator.recipe_,
        scaler=estimator._scaler,
        parameters=estimator.ensemble_[0],
        more=estimator.ensemble_[1:],
        facts={
            "residuals": _summary(estimator),
            "metrics": {},
            "libraries": {name: version(name) for name in _LIBRARIES},
            "settings": {},
            "schema": {"columns": [], "estimator": facts, **_type_of_classes(estimator)},
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
    from pellucid.model.model import Model

    model = Model.read(path)
    if model.task.kind not in _KINDS[cls.__name__]:
        right = next(name for name, kinds in _KINDS.items() if model.task.kind in kinds)
        raise ModelFileError(f"{os.fspath(path)!r} is a model for {model.task.question}: use {right}.load")
    facts = model.facts["schema"].get("estimator") if isinstance(model.facts["schema"], Mapping) else None
    if facts is None:
        names = [column.name for column in model.recipe.columns]
        facts = {"parameters": {}, "names": names, "named": True, "by_table": True, "threshold": 0.5}
        facts["styles"] = {n: s.to_json() for n, s in styles_from_json(model.facts["schema"]).items() if s is not None}
        flags = _flags(facts["styles"])
        facts["names"] = [name for name in names if name not in flags]
    if model.image is not None:
        raise ModelFileError(f"{os.fspath(path)!r} is a model of images: open it with pellucid.Model.read")
    if model.more and model.task.kind == "reconstruction":
        raise ModelFileError(
            f"{os.fspath(path)!r} holds {len(model.members):,} networks, each with a code of its own, and an "
            "autoencoder has one code: open it with pellucid.Model.read"
        )
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
    of_text = {c.name for c in model.recipe.columns if c.kind in ("categorical", "text", "date")}
    known_styles = {n: NumberStyle.from_json(s) for n, s in facts.get("styles", {}).items()}
    estimator._styles = {**dict.fromkeys(of_text - set(known_styles)), **known_styles}
    if model.task.is_classification:
        estimator.classes_ = _classes(model)
        estimator.threshold_ = 0.5 if facts["threshold"] is None else float(facts["threshold"])
    estimator.ensemble_ = tuple(dict(parameters) for parameters in model.members)
    estimator.parameters_ = estimator.ensemble_[0]
    if count_of_networks(estimator) != len(estimator.ensemble_):
        estimator.set_params(n_networks=len(estimator.ensemble_))
    if (residuals := model.facts.get("residuals")) is not None:
        estimator._unit, estimator.residuals_ = float(residuals["unit"]), _filled(residuals)
    estimator.history_, estimator._seed = (), 0
    return estimator


def _type_of_classes(estimator: Any) -> dict[str, Any]:
    classes = getattr(estimator, "classes_", None)
    stored = None if classes is None else labels_to_json(classes, estimator.task_.classes)
    return {} if stored is None else {"labels": stored}


def _classes(model: Model) -> Array:
    """The classes in the type that they were learned in; a file of before does not say it."""
    stored = model.facts["schema"].get("labels") if isinstance(model.facts["schema"], Mapping) else None
    if stored is not None:
        return labels_of(stored, model.task.classes)
    found = np.array(model.task.classes)
    same = found.tolist() == list(model.task.classes)  # unless they are of several types
    return found if same else np.array(model.task.classes, dtype=object)


def _check(facts: Any, model: Model, path: str | os.PathLike[str]) -> None:
    """Every field has the type that `load` takes for granted; the rest was checked by `Model.read`."""
    fine = (
        isinstance(facts, Mapping)
        and _FIELDS <= set(facts) <= _FIELDS | {"styles"}
        and isinstance(facts["parameters"], Mapping)
    )
    fine = fine and all(isinstance(name, str) and _fits_json(v) for name, v in facts["parameters"].items())
    fine = fine and isinstance(facts["names"], list) and all(isinstance(name, str) for name in facts["names"])
    fine = fine and isinstance(facts["named"], bool) and isinstance(facts["by_table"], bool)
    fine = fine and (facts["threshold"] is None or _is_share(facts["threshold"]))
    columns = [column.name for column in model.recipe.columns]
    # Of lists the columns of their places, of limits the flags beside them.
    whole = {name.rpartition("_")[0] for name in columns if name not in facts["names"]}
    fine = fine and isinstance(facts.get("styles", {}), Mapping)
    known = set(facts["names"])
    flags = _flags(facts.get("styles", {})) if fine else set()
    fine = fine and ({n for n in columns if n in known} | (whole - {""})) <= known | flags
    # An array's columns are encoded by their places, a table's by their names.
    numeric = all(column.kind in ("numeric", "piecewise", "both") for column in model.recipe.columns)
    fine = fine and (facts["by_table"] or (numeric and columns == facts["names"]))
    if not fine:
        raise ModelFileError(
            f"the estimator's part of {os.fspath(path)!r} is damaged; take another copy, or train again"
        )


def _flags(styles: Mapping[str, Any]) -> set[str]:
    """The columns that reading adds: which cells of another are limits such as ``<0.01``."""
    return {flag for name, style in styles.items() for flag in flag_names(name, NumberStyle.from_json(style))}


def _summary(estimator: Any) -> dict[str, Any] | None:
    """The residuals ``[N]`` as the model file keeps them: of m quantiles the k-th is the ⌈N · k / m⌉-th residual."""
    residuals = getattr(estimator, "residuals_", None)
    if residuals is None:
        return None
    count, kept = len(residuals), min(len(residuals), MOST_RESIDUALS)
    places = -(-count * np.arange(1, kept + 1) // kept) - 1
    return {
        "count": min(count, MOST_COUNTED),
        "unit": float(estimator._unit),
        "quantiles": [float(value) for value in residuals[places]],
    }


def _filled(residuals: Mapping[str, Any]) -> Array:
    """As many residuals as there were, each the next larger one that was kept."""
    quantiles, count = np.asarray(residuals["quantiles"], np.float64), residuals["count"]
    places = -(-np.arange(1, count + 1) * len(quantiles) // count) - 1
    filled: Array = quantiles[places]
    return filled


def _parameters(estimator: Any) -> dict[str, Any]:
    """Its parameters, a NumPy number as Python's own and a tuple as a list."""
    found = {}
    for name, value in estimator.get_params().items():
        plain = value.item() if isinstance(value, np.generic) else value
        found[name] = list(plain) if isinstance(plain, tuple) else plain
    return found


def _fits_json(value: object) -> bool:
    if isinstance(value, list):
        return all(type(each) is int for each in value)
    return value is None or (isinstance(value, bool | int | float | str) and not _is_infinite(value))


def _is_infinite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1
