"""A finished run: its model, its history and what was measured."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pellucid.diagnosis.finding import Finding
from pellucid.errors import ModelFileError, RunFolderError, StorageError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.verdict import Verdict
from pellucid.io.files import could_not, write_text
from pellucid.io.lock import locked
from pellucid.model.generating import LENGTH
from pellucid.model.model import Model
from pellucid.runs.diagnosis import doctor_of
from pellucid.runs.folder import RunFolder
from pellucid.training.history import Epoch, to_csv
from pellucid.training.signals import Snapshot

__all__ = ["Interrupted", "Run", "histories_to_csv", "load"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Run:
    """The result of training.

    Attributes
    ----------
    model
        The trained `Model`.
    history
        One entry per epoch; for an ensemble, of its first network.
    metrics
        The metrics on the held-out rows, each with its 95 % interval.
    summary
        The same and more, as in ``metrics.json``.
    path
        The run folder, if there is one.
    verdict
        Whether the network is worth it compared with simpler models; `None` if this was not requested.
    histories
        The history of every network of an ensemble, in order; for a single network, its own.
    findings, snapshots
        What the doctor found, the most serious first, and its snapshots of the first network.
    remarks
        Notes on the files that were written.
    """

    model: Model
    history: tuple[Epoch, ...]
    metrics: Mapping[str, Estimate]
    summary: Mapping[str, Any]
    path: Path | None = None
    verdict: Verdict | None = None
    histories: tuple[tuple[Epoch, ...], ...] = ()
    findings: tuple[Finding, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line with the first metric."""
        name, estimate = next(iter(self.metrics.items()))
        where = f" in {str(self.path)!r}" if self.path is not None else ""
        interval = "" if math.isnan(estimate.low) else f" ({estimate.low:.4f} – {estimate.high:.4f})"
        return f"<Run{where}: {self.model!r}, {name} {estimate.value:.4f}{interval}>"

    @property
    def looks(self) -> tuple[Snapshot, ...]:
        """The former name of ``snapshots``."""
        return self.snapshots

    def predict(
        self,
        data: object = None,
        *,
        keep: object = None,
        interval: float | None = None,
        strict: bool = False,
        fill_missing: bool = False,
    ) -> Any:
        """The answer for each row; see `Model.predict`.

        Parameters
        ----------
        data, keep, interval, strict, fill_missing
            As in `Model.predict`.
        """
        return self.model.predict(data, keep=keep, interval=interval, strict=strict, fill_missing=fill_missing)

    def forecast(
        self, data: object = None, *, steps: int | None = None, interval: float | None = None
    ) -> dict[str, Array]:
        """The next steps of the series; see `Model.forecast`."""
        return self.model.forecast(data, steps=steps, interval=interval)

    def predict_proba(self, data: object, *, strict: bool = False, fill_missing: bool = False) -> Array:
        """The probability of each class for each row; see `Model.predict_proba`."""
        return self.model.predict_proba(data, strict=strict, fill_missing=fill_missing)

    def generate(
        self,
        prompt: str = "",
        *,
        length: int = LENGTH,
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
    ) -> Iterator[str]:
        """How a text goes on, piece by piece; see `Model.generate`.

        Parameters
        ----------
        prompt, length, temperature, top_k, top_p, seed
            As in `Model.generate`.
        """
        return self.model.generate(prompt, length=length, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)

    def code(self, data: object) -> Array:
        """The output of the narrowest hidden layer for each row; see `Model.code`."""
        return self.model.code(data)

    def evaluate(self, data: object, *, strict: bool = False, fill_missing: bool = False) -> dict[str, Estimate]:
        """The metrics on other rows; see `Model.evaluate`."""
        return self.model.evaluate(data, strict=strict, fill_missing=fill_missing)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file (a name ending in ``.safetensors``), or a folder with the model and the history."""
        target = Path(path)
        if target.suffix == ".safetensors":
            self.model.save(target)
            return
        if target.exists() and not target.is_dir():
            raise RunFolderError(f"{str(target)!r} is a file: name a folder, or a file that ends in .safetensors")
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(could_not("write", target, error)) from error
        with locked(target):
            if any(target.iterdir()):
                raise RunFolderError(f"the folder {str(target)!r} is not empty: name another")
            folder = RunFolder(target)
            self.model.save(folder.file("model"))
            write_text(folder.file("history"), histories_to_csv(self.histories or (self.history,)))
            write_text(folder.file("metrics"), json.dumps(self.summary, indent=2) + "\n")

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """Open an existing run folder."""
        folder = RunFolder(path)
        model = Model.read(folder.path)
        summary = model.facts["metrics"]
        try:
            metrics = {name: Estimate.from_json(value) for name, value in summary.get("metrics", {}).items()}
            written = summary.get("verdict")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelFileError(f"the metrics in {folder.file('model')} are not Pellucid's ({error})") from error
        histories = _histories(folder)
        findings, snapshots = doctor_of(folder)
        return cls(
            model=model,
            history=histories[0],
            histories=histories,
            metrics=metrics,
            summary=summary,
            verdict=None if written is None else Verdict.from_json(written),
            findings=findings,
            snapshots=snapshots,
            path=folder.path,
        )


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM has ended a training; everything is saved, and nothing more should be started.

    Attributes
    ----------
    run
        The `Run`, with the best weights so far.

    A script can keep the result so far and end::

        try:
            run = pellucid.train("table.csv", "price")
        except pellucid.Interrupted as stopped:
            stopped.run.save("so-far.safetensors")
            raise
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        said = "interrupted; .run of this exception has the best weights so far"
        if run.path is not None:
            goes_on = run.summary["stopped_by"] == "interrupted" and RunFolder(run.path).has_table
            verb, does = ("resume", "goes on with") if goes_on else ("load", "opens")
            said += f"; pellucid.{verb}({str(run.path)!r}) {does} it"
        super().__init__(said)


def load(path: str | os.PathLike[str]) -> Run | Model:
    """Open a run folder as a `Run`, or a model file as a `Model`; both predict, and neither needs PyTorch.

    Raises
    ------
    ModelFileError
        The file is missing, damaged, altered, newer or hostile.
    """
    return Run.open(path) if Path(path).is_dir() else Model.read(path)


def histories_to_csv(histories: Sequence[Sequence[Epoch]]) -> str:
    """``history.csv``: one line per epoch, and for an ensemble a first column ``network``, counted from 1.

    >>> line = Epoch(epoch=1, learning_rate=0.1, train_loss=1, validation_loss=2, validation_score=0.5, seconds=0)
    >>> print(histories_to_csv([[line], [line]]).strip())
    network,epoch,learning_rate,train_loss,validation_loss,validation_score,seconds
    1,1,0.1,1,2,0.5,0
    2,1,0.1,1,2,0.5,0
    """
    if len(histories) == 1:
        return to_csv(histories[0])
    header = to_csv(()).strip()
    lines = [f"{k},{line}" for k, each in enumerate(histories, 1) for line in to_csv(each).splitlines()[1:]]
    return "\n".join([f"network,{header}", *lines]) + "\n"


def _histories(folder: RunFolder) -> tuple[tuple[Epoch, ...], ...]:
    """The history of every network; an empty one if there is no file."""
    found: dict[int, list[Epoch]] = {}
    try:
        with folder.file("history").open(encoding="utf-8", newline="") as stream:
            for line in csv.DictReader(stream):
                network, epoch = int(line.pop("network", 1)), int(line.pop("epoch"))
                numbers = {name: float(value) for name, value in line.items()}
                found.setdefault(network, []).append(Epoch(epoch=epoch, **numbers))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunFolderError(
            f"{folder.file('history')} is not a history of Pellucid ({error}): remove it; it is written again "
            f"{folder.by('train', '--resume')}"
        ) from error
    return tuple(tuple(found[network]) for network in sorted(found)) or ((),)
