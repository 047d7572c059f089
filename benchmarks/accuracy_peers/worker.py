"""One fit in a process of its own: ``python -m accuracy_peers.worker JOB``; the last line printed is what it came to.

Reading, splitting and importing are not timed; the preprocessing of a contestant is. A fit of a few rows goes before,
as some libraries import much of themselves in their first fit.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from accuracy_peers.contestants import contestant
from accuracy_peers.scores import all_classes, scores
from accuracy_peers.splits import Split, split

__all__ = ["answers_file", "measure", "truth_file"]

_WARM_UP = 100  # rows


def answers_file(folder: Path, table: str, seed: int, who: str) -> Path:
    """Where the answers for the test rows are kept."""
    return folder / f"{table}-{seed}-{who.replace(' ', '_')}.npz"


def truth_file(folder: Path, table: str, seed: int) -> Path:
    """Where the test rows' targets and groups are kept."""
    return folder / f"{table}-{seed}.npz"


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Fit, answer and measure; ``job`` has table, seed, contestant, data and answers (folders)."""
    who = contestant(job["contestant"])
    part = split(job["table"], Path(job["data"]), job["seed"])
    classes = part.task != "regression"
    with contextlib.suppress(Exception):  # so few rows may lack a class; nothing is taken from this fit
        who.make(classes, job["seed"]).fit(part.x_train[:_WARM_UP], part.y_train[:_WARM_UP])
    model = who.make(classes, job["seed"])
    began, began_cpu = time.perf_counter(), time.process_time()
    model.fit(part.x_train, part.y_train)
    fitted, fitted_cpu = time.perf_counter(), time.process_time()
    answers = _answers(model, part)
    ended, ended_cpu = time.perf_counter(), time.process_time()
    found = scores(part.task, part.y_test, answers)
    _keep(Path(job["answers"]), job, part, answers)
    return {
        **found,
        "fit_wall_s": round(fitted - began, 3),
        "fit_cpu_s": round(fitted_cpu - began_cpu, 3),
        "predict_wall_s": round(ended - fitted, 4),
        "predict_cpu_s": round(ended_cpu - fitted_cpu, 4),
        "train_rows": len(part.x_train),
        "test_rows": len(part.x_test),
        "columns": part.x_train.shape[1],
        "versions": _versions(who.needs),
    }


def _answers(model: Any, part: Split) -> Any:
    if part.task == "regression":
        return np.asarray(model.predict(part.x_test), dtype=np.float64).ravel()
    return all_classes(model.predict_proba(part.x_test), model.classes_, part.n_classes)


def _keep(folder: Path, job: dict[str, Any], part: Split, answers: Any) -> None:
    """The answers in half the digits: they serve only the paired test."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = {"truth": part.y_test} | ({} if part.groups_test is None else {"groups": part.groups_test})
    np.savez_compressed(truth_file(folder, job["table"], job["seed"]), **truth)
    kept = answers_file(folder, job["table"], job["seed"], job["contestant"])
    np.savez_compressed(kept, answers=answers.astype(np.float32))


def _versions(package: str) -> dict[str, str]:
    """The contestant's version; of Pellucid also which source it was, as its version moves seldom."""
    if package != "pellucid":
        return {package: version("xgboost-cpu" if package == "xgboost" and not _has(package) else package)}
    import pellucid

    source = hashlib.sha256()
    folder = Path(pellucid.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        source.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return {"pellucid": f"{pellucid.__version__}+{source.hexdigest()[:8]}"}


def _has(package: str) -> bool:
    try:
        version(package)
    except ModuleNotFoundError:
        return False
    return True


def main() -> None:
    """Print the outcome, whatever happens, as the last line."""
    warnings.simplefilter("ignore")  # on convergence, mostly: defaults are defaults
    job = json.loads(sys.argv[1])
    try:
        if "torch" in sys.modules or contestant(job["contestant"]).needs in ("pellucid", "pytabkit"):
            import torch

            torch.set_num_threads(1)
        outcome = {"status": "ok", **measure(job)}
    except Exception as error:
        outcome = {"status": f"failed: {type(error).__name__}: {str(error)[:200]}"}
    print("\n" + json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
