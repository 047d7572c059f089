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
from typing import TYPE_CHECKING, Any

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
    from pellucid.lessons.path import learn
    from pellucid.network import Activation, BatchNorm, Dense, Dropout, Network, mlp
    from pellucid.optimizer import Optimizer
    from pellucid.studies.catalogue import run as study
    from pellucid.task import Loss, Task
    from pellucid.workflow.attribution import explain_row
    from pellucid.workflow.boundary import boundary
    from pellucid.workflow.check import check
    from pellucid.workflow.compare import compare
    from pellucid.workflow.cross_validate import cross_validate
    from pellucid.workflow.doctor import doctor
    from pellucid.workflow.image_attribution import explain_image
    from pellucid.workflow.lottery import lottery
    from pellucid.workflow.mistakes import mistakes
    from pellucid.workflow.model import Model
    from pellucid.workflow.overview import overview
    from pellucid.workflow.range_test import lr_range_test
    from pellucid.workflow.report import report
    from pellucid.workflow.run import Interrupted, Run, load
    from pellucid.workflow.search import search
    from pellucid.workflow.settings import Settings
    from pellucid.workflow.trace import trace
    from pellucid.workflow.train import resume, train
    from pellucid.workflow.units import units

_HOMES = {
    "Activation": "network",
    "BatchNorm": "network",
    "DataError": "errors",
    "DataWarning": "errors",
    "Dense": "network",
    "DivergenceError": "errors",
    "Dropout": "network",
    "Interrupted": "workflow.run",
    "Loss": "task",
    "Model": "workflow.model",
    "ModelFileError": "errors",
    "NotKeptError": "errors",
    "Network": "network",
    "NeuralAutoencoder": "estimators",
    "NeuralClassifier": "estimators",
    "NeuralRegressor": "estimators",
    "Optimizer": "optimizer",
    "PellucidError": "errors",
    "PerceptronClassifier": "estimators",
    "Run": "workflow.run",
    "RunFolderError": "errors",
    "SettingError": "errors",
    "Settings": "workflow.settings",
    "StorageError": "errors",
    "Task": "task",
    "UserError": "errors",
    "boundary": "workflow.boundary",
    "check": "workflow.check",
    "compare": "workflow.compare",
    "cross_validate": "workflow.cross_validate",
    "doctor": "workflow.doctor",
    "explain_image": "workflow.image_attribution",
    "explain_row": "workflow.attribution",
    "learn": "lessons.path",
    "load": "workflow.run",
    "lottery": "workflow.lottery",
    "lr_range_test": "workflow.range_test",
    "mistakes": "workflow.mistakes",
    "mlp": "network",
    "overview": "workflow.overview",
    "report": "workflow.report",
    "resume": "workflow.train",
    "search": "workflow.search",
    "study": "studies.catalogue:run",
    "trace": "workflow.trace",
    "train": "workflow.train",
    "units": "workflow.units",
}

__all__ = [
    "Activation",
    "BatchNorm",
    "DataError",
    "DataWarning",
    "Dense",
    "DivergenceError",
    "Dropout",
    "Interrupted",
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
    "Run",
    "RunFolderError",
    "SettingError",
    "Settings",
    "StorageError",
    "Task",
    "UserError",
    "__version__",
    "boundary",
    "check",
    "compare",
    "cross_validate",
    "doctor",
    "explain_image",
    "explain_row",
    "learn",
    "load",
    "lottery",
    "lr_range_test",
    "mistakes",
    "mlp",
    "overview",
    "report",
    "resume",
    "search",
    "study",
    "trace",
    "train",
    "units",
]


def __getattr__(name: str) -> Any:
    """Load a public name where it lives, on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}")
    module, _, other_name = _HOMES[name].partition(":")
    value = getattr(importlib.import_module(f"pellucid.{module}"), other_name or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
