"""Pellucid: neural networks you can see through.

    >>> import pellucid
    >>> run = pellucid.train("iris", hidden=(16,), epochs=40, learning_rate=0.01)
    >>> run.predict([{"sepal length (cm)": 5.1, "sepal width (cm)": 3.5,
    ...               "petal length (cm)": 1.4, "petal width (cm)": 0.2}]).tolist()
    ['setosa']

Everything heavy (PyTorch, PyArrow, scikit-learn) loads when it is first used, not here.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from pellucid.moved import Moved
from pellucid.version import __version__

if TYPE_CHECKING:
    from pellucid.errors import (
        DataError,
        DivergenceError,
        ModelFileError,
        NotKeptError,
        PellucidError,
        RunFolderError,
        SettingError,
        StorageError,
        UserError,
    )
    from pellucid.inspection.augmented import augmented
    from pellucid.inspection.boundary import boundary
    from pellucid.inspection.explained_columns import explain_columns
    from pellucid.inspection.explained_image import explain_image
    from pellucid.inspection.explained_row import explain_row
    from pellucid.inspection.explained_sequence import explain_sequence
    from pellucid.inspection.mistakes import mistakes
    from pellucid.inspection.trace import trace
    from pellucid.inspection.units import units
    from pellucid.lessons.reading import learn
    from pellucid.model.model import Model
    from pellucid.network import Activation, BatchNorm, Dense, Dropout, LayerNorm, Network, Residual, mlp
    from pellucid.network.optimizer import Optimizer
    from pellucid.network.task import Loss, Task
    from pellucid.reports.report import report
    from pellucid.runs.run import Interrupted, Run, load
    from pellucid.selection.compare import compare
    from pellucid.selection.cross_validate import cross_validate
    from pellucid.selection.lottery import lottery
    from pellucid.selection.range_test import lr_range_test
    from pellucid.selection.search import search
    from pellucid.settings.settings import Settings
    from pellucid.studies.catalogue import run as study
    from pellucid.workflow.check import check
    from pellucid.workflow.doctor import doctor
    from pellucid.workflow.train import resume, train

_HOMES = {
    "Activation": "network",
    "BatchNorm": "network",
    "DataError": "errors",
    "DataWarning": "errors",
    "Dense": "network",
    "DivergenceError": "errors",
    "Dropout": "network",
    "Interrupted": "runs.run",
    "LayerNorm": "network",
    "Loss": "network.task",
    "Model": "model.model",
    "ModelFileError": "errors",
    "NotKeptError": "errors",
    "Network": "network",
    "NeuralAutoencoder": "estimators",
    "NeuralClassifier": "estimators",
    "NeuralRegressor": "estimators",
    "Optimizer": "network.optimizer",
    "PellucidError": "errors",
    "PerceptronClassifier": "estimators",
    "Residual": "network",
    "Run": "runs.run",
    "RunFolderError": "errors",
    "SettingError": "errors",
    "Settings": "settings.settings",
    "StorageError": "errors",
    "Task": "network.task",
    "UserError": "errors",
    "augmented": "inspection.augmented",
    "boundary": "inspection.boundary",
    "check": "workflow.check",
    "compare": "selection.compare",
    "cross_validate": "selection.cross_validate",
    "doctor": "workflow.doctor",
    "explain_columns": "inspection.explained_columns",
    "explain_image": "inspection.explained_image",
    "explain_sequence": "inspection.explained_sequence",
    "explain_row": "inspection.explained_row",
    "learn": "lessons.reading",
    "load": "runs.run",
    "lottery": "selection.lottery",
    "lr_range_test": "selection.range_test",
    "mistakes": "inspection.mistakes",
    "mlp": "network",
    "report": "reports.report",
    "resume": "workflow.train",
    "search": "selection.search",
    "study": "studies.catalogue:run",
    "trace": "inspection.trace",
    "train": "workflow.train",
    "units": "inspection.units",
}

_RENAMED = {"overview": "explain_columns"}  # former name -> its name today

__all__ = [
    "Activation",
    "BatchNorm",
    "DataError",
    "DataWarning",
    "Dense",
    "DivergenceError",
    "Dropout",
    "Interrupted",
    "LayerNorm",
    "Loss",
    "Model",
    "ModelFileError",
    "Network",
    "NeuralAutoencoder",
    "NeuralClassifier",
    "NeuralRegressor",
    "NotKeptError",
    "Optimizer",
    "PellucidError",
    "PerceptronClassifier",
    "Residual",
    "Run",
    "RunFolderError",
    "SettingError",
    "Settings",
    "StorageError",
    "Task",
    "UserError",
    "__version__",
    "augmented",
    "boundary",
    "check",
    "compare",
    "cross_validate",
    "doctor",
    "explain_columns",
    "explain_image",
    "explain_row",
    "explain_sequence",
    "learn",
    "load",
    "lottery",
    "lr_range_test",
    "mistakes",
    "mlp",
    "report",
    "resume",
    "search",
    "study",
    "trace",
    "train",
    "units",
]


sys.meta_path.insert(0, Moved())


def __getattr__(name: str) -> Any:
    """Load a public name where it lives, on first use."""
    if name in _RENAMED:
        import warnings

        warnings.warn(f"pellucid.{name} is now called pellucid.{_RENAMED[name]}", DeprecationWarning, stacklevel=2)
        return __getattr__(_RENAMED[name])
    if name not in _HOMES:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}")
    module, _, other_name = _HOMES[name].partition(":")
    value = getattr(importlib.import_module(f"pellucid.{module}"), other_name or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
