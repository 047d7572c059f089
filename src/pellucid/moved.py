"""Modules that have moved: an old name still imports, with a warning that gives the new one.

The finder stands before all others: Python would else find a module below an old package by the package's path, and
load it a second time.
"""

from __future__ import annotations

import importlib
import importlib.util  # not importlib.abc, which loads much that `import pellucid` has no use for
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

__all__ = ["MOVED", "Moved", "home_of"]

# Old place to new, without the "pellucid." before both; what lies below a package goes with it.
MOVED = {
    "scratch": "engines.textbook",
    "torch_engine": "engines.torch_engine",
    "torch_engine.device": "engines.device",
    "torch_engine.fastest": "engines.fastest",
    "torch_engine.fused": "engines.fused",
    "kernel": "engines.kernel",
    "task": "network.task",
    "optimizer": "network.optimizer",
    "shapes": "network.shapes",
    "initialise": "network.initialise",
    "files": "io.files",
    "guarded_json": "io.guarded_json",
    "safe_tensors": "io.safe_tensors",
    "lock": "io.lock",
    "artefact": "model",
    "artefact.model_file": "model.model_file",
    "artefact.report": "reports",
    "explanation.doctor": "diagnosis",
    "explanation.script": "script_reader",
    **{
        f"workflow.{name}": f"{room}.{name}"
        for room, names in {
            "settings": "config presets rules settings",
            "data": "apart",
            "preparation": "doubts edited fitted folds grid prepare sources weights",
            "model": "answering intervals known_rows model new_rows odd_cells one_row predicting reading_rows seen",
            "runs": "ensemble folder outcome output replay run spreadsheet target_transform verdict",
            "inspection": "attribution boundary film image_attribution mistakes slice trace units",
            "reports": "report",
            "selection": "compare comparison cross_validate lottery range_test search search_space",
        }.items()
        for name in names.split()
    },
    **{
        f"data.{old}": f"data.{room}.{name or old}"
        for room, names in {
            "dates": "clocks zones",
            "numbers": "decimal:decimal_sign number_columns:columns number_marks:marks number_style:style "
            "number_table:values number_units:units number_words:spelling sign_notes text_column:distinct_texts",
            "columns": "called:names counts:amounts images.columns:images kinds lists scripts:undivided sentinels",
            "files": "archive:zip_archive hints images.store:stores opened:contents packed:compression reading:options "
            "standard_input",
            "text_files": "delimited encodings layout lines naming:headers sniff:dialect swallowed",
            "typed_files": "database:sqlite measured:size stored:arrow_files",
            "workbooks": "cells:sheet compound:old_excel workbook workbook_reader:reader workbook_size:size",
            "images": "images.stored:array_files",
            "leaks": "products relations:sums rules",
            "dependence": "copies duplicates:row_hashes entities order:time_order",
        }.items()
        for old, _, name in (pair.partition(":") for pair in names.split())
    },
}


def home_of(name: str) -> str | None:
    """Where a module lives today, by its old name; ``None`` if it has not moved.

    >>> home_of("pellucid.scratch.forward")
    'pellucid.engines.textbook.forward'
    """
    package, _, below = name.partition(".")
    if package != "pellucid":
        return None
    parts = below.split(".")
    for n in range(len(parts), 0, -1):
        if (new := MOVED.get(".".join(parts[:n]))) is not None:
            return ".".join([package, new, *parts[n:]])
    return None


class Moved:
    """Finds a module under its old name and gives the one that took its place."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """The spec of a module that has moved, else ``None``."""
        new = home_of(fullname)
        there = None if new is None else importlib.util.find_spec(new)
        if there is None:
            return None
        loader: Any = self  # by its methods
        spec = ModuleSpec(fullname, loader, is_package=there.submodule_search_locations is not None)
        spec.loader_state = new
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module at its new place, the same object."""
        import warnings

        warnings.warn(f"{spec.name} has moved: import {spec.loader_state} instead", DeprecationWarning, stacklevel=2)
        module = importlib.import_module(spec.loader_state)
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has run already; only its own spec is put back, which the import replaced."""
        module.__spec__ = self._own

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of a module that is run by ``python -m``."""
        code: CodeType | None = _of_its_loader("get_code", fullname)
        return code

    def get_source(self, fullname: str) -> str | None:
        """Its source."""
        source: str | None = _of_its_loader("get_source", fullname)
        return source


def _of_its_loader(question: str, fullname: str) -> Any:
    spec = importlib.util.find_spec(home_of(fullname) or fullname)
    return None if spec is None else getattr(spec.loader, question)(spec.name)
