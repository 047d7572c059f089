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

# Old place to new, without the "pellucid." before both.
# Whole packages; what lies below one goes with it.
PACKAGES = {
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
}

# By the package that a module was in, then by the one that it is in; ``old:new`` where its own name changed.
MODULES: dict[str, dict[str, str]] = {
    "cli": {
        "cli.commands": (
            "boundary check compare doctor doctor_script evaluate explain init inspect learn lottery lr "
            "mistakes predict report search study trace train units"
        ),
    },
    "data": {
        "data.columns": "called:names counts:amounts kinds lists scripts:undivided sentinels",
        "data.dates": "clocks zones",
        "data.dependence": "copies duplicates:row_hashes entities order:time_order",
        "data.files": ("archive:zip_archive hints opened:contents packed:compression reading:options standard_input"),
        "data.leaks": "products relations:sums rules",
        "data.numbers": (
            "decimal:decimal_sign number_columns:columns number_marks:marks number_style:style "
            "number_table:values number_units:units number_words:spelling sign_notes "
            "text_column:distinct_texts"
        ),
        "data.text_files": "delimited encodings layout lines naming:headers sniff:dialect swallowed",
        "data.typed_files": "database:sqlite measured:size stored:arrow_files",
        "data.workbooks": "cells:sheet compound:old_excel workbook workbook_reader:reader workbook_size:size",
    },
    "data.images": {
        "data.columns": "columns:images",
        "data.files": "store:stores",
        "data.images": "stored:array_files",
    },
    "explanation": {
        "explanation": "held:fixed_columns",
        "preprocessing": "cells:encoded_cells",
    },
    "explanation.script": {
        "script_reader.language": "calls expressions imports members reader:interpreter statements",
        "script_reader.libraries": "array_methods arrays functions methods modules shapes tables",
        "script_reader.reading": "assumed:duck_typing iteration siblings:own_files watch:observe",
        "script_reader.source": "bodies:syntax notebook:cells old_python parsing",
        "script_reader.values": "images kinds:torch_objects roles state",
    },
    "kernel": {
        "engines.kernel": "activations:compiled_activations dense:compiled_dense kept:code_cache plan:packing",
    },
    "lessons": {
        "lessons.topics": (
            "activations backpropagation forward_pass gradient_descent losses mlp optimisers perceptron regularisation"
        ),
    },
    "preprocessing": {
        "preprocessing.steps": "boolean both categorical dates image numeric piecewise text tree words",
    },
    "studies": {
        "studies.basics": "activations chain_rule derivatives gates losses_compared mistakes mistakes_caught neuron",
        "studies.images": "autoencoder image_answers image_sets mnist reconstruction shapes",
        "studies.tables": "circles iris mlp overfitting remedies xor",
    },
    "torch_engine": {
        "script_reader.tracing": "script_tracer:tracer",
    },
    "training": {
        "runs": "checkpoint",
    },
    "workflow": {
        "preprocessing": "new_dates",
        "data": "apart",
        "inspection": (
            "attribution:explained_row boundary film image_attribution:explained_image looking:rows "
            "mistakes overview:explained_columns slice trace units"
        ),
        "io": "guarded_yaml",
        "model": (
            "answering intervals known_rows measuring model new_rows odd_cells one_row "
            "predicting reading_rows remember seen"
        ),
        "preparation": "doubts edited fitted folds grid parts:members prepare reading sources weights",
        "reports": "report report_parts:parts trace_page:trace",
        "runs": (
            "diagnosis ensemble folder machine members other_task outcome output peer_inputs plan reads "
            "replay rows_of_run run spreadsheet target_transform verdict"
        ),
        "script_reader.tracing": "traced_script:trace",
        "selection": (
            "compare comparison cross_validate lottery lottery_runs range_test search search_result "
            "search_space search_study"
        ),
        "settings": "config presets rules settings",
    },
    "workflow.report_parts": {
        "reports.parts": "behaviour outcome summary told:report_input training",
    },
}

MOVED = PACKAGES | {
    f"{old}.{name}": f"{new}.{name_now or name}"
    for old, homes in MODULES.items()
    for new, names in homes.items()
    for name, _, name_now in (pair.partition(":") for pair in names.split())
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
