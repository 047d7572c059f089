"""A run as the doctor sees it: everything that was recorded, and samples of its rows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.diagnosis.evidence import Columns, Evidence, Peer, SampleRows, SharedRows
from pellucid.diagnosis.finding import Finding
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.errors import RunFolderError
from pellucid.evaluation.verdict import Verdict
from pellucid.model.model import Model
from pellucid.network.task import Task
from pellucid.preparation.image_evidence import file_evidence
from pellucid.preparation.prepare import Prepared
from pellucid.preprocessing.features import Features
from pellucid.runs.folder import RunFolder
from pellucid.runs.sequence_evidence import sequence_evidence
from pellucid.training.history import Epoch
from pellucid.training.loop import Rows
from pellucid.training.pictures import made_smaller
from pellucid.training.signals import Snapshot

__all__ = ["doctor_of", "evidence_of", "findings_to_json", "small_inputs"]

Array = NDArray[Any]

_SAMPLE, _FEWEST = 2_000, 200  # rows
_CELLS = 2_000_000
_SIDE = 64  # larger pictures are made smaller for the sample, a few at a time
_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class _Known:
    """Rows of one or more parts, of which a sample is taken."""

    features: tuple[Features, ...]
    truth: Array
    answers: Array
    numbers: Array
    picture: tuple[int, int, int] | None = None

    def __len__(self) -> int:
        return len(self.truth)

    def flat(self) -> Array:
        """``[n, F]``: the inputs of all rows."""
        parts = [each.flat for each in self.features]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def some(self, places: Array) -> SampleRows:
        """The rows at these places, in ascending order."""
        taken, start = [], 0
        for each in self.features:
            mine = places[(places >= start) & (places < start + each.n)] - start
            taken.append(small_inputs(each.take(mine), self.picture))
            start += each.n
        return SampleRows(
            inputs=np.concatenate(taken),
            truth=self.truth[places],
            answers=self.answers[places],
            numbers=self.numbers[places],
        )


def evidence_of(
    prepared: Prepared,
    model: Model,
    history: Sequence[Epoch],
    reason: str,
    snapshots: Sequence[Snapshot],
    answers: Array,
    verdict: Verdict | None,
) -> Evidence:
    """What is known of a run when it has ended.

    Parameters
    ----------
    prepared
        What the run was prepared from.
    model
        The trained model.
    history
        The epochs of its first network.
    reason
        Why training ended (`pellucid.training.loop.Reason`).
    snapshots
        What was recorded of the layers of its first network.
    answers
        The model's answers on the measured rows.
    verdict
        The comparison with simpler models; ``None`` where it was not asked for.
    """
    task, held = prepared.task, prepared.measured
    picture = model.image.shape if model.image is not None and len(model.recipe.steps) == 1 else None
    small = None if picture is None else made_smaller(np.empty((0, *picture), np.float32), _SIDE).shape[1:]
    width = len(prepared.recipe.feature_names) if small is None else math.prod(small)
    train_truth = _truth(prepared, prepared.split.train)
    counts = np.bincount(train_truth, minlength=len(task.classes)).tolist() if task.is_classification else []
    few = _spread(len(prepared.train), width)
    learned = prepared.train.features.take(few)
    truth = np.zeros(len(held.rows)) if prepared.target is None else held.truth  # else the inputs themselves
    measured = _Known(features=(held.features,), truth=truth, answers=answers, numbers=held.rows, picture=picture)
    if held.name == "training":
        measured = _Known(
            features=(held.features.take(few[:0]),),
            truth=truth[:0],
            answers=answers[:0],
            numbers=few[:0],
            picture=picture,
        )
    unseen = measured
    if held.name == "test" and len(prepared.split.validation):
        chosen_by = prepared.validation
        unseen = _Known(
            features=(held.features, chosen_by.features),
            truth=np.concatenate([truth, _truth(prepared, prepared.split.validation)]),
            answers=np.concatenate([answers, model.answers_to(chosen_by.inputs)]),
            # These rows may belong to another table than the test rows: then their numbers would be misleading.
            numbers=np.concatenate([held.rows, np.full(len(chosen_by), -1)])
            if held.source is not prepared.table
            else np.concatenate([held.rows, prepared.split.validation]),
            picture=picture,
        )
    pictures = len(prepared.network.shape) > 1  # of which only a sample is encoded
    return Evidence(
        settings=prepared.settings.to_json(),
        kind=task.kind,
        classes=tuple(str(c) for c in task.classes),
        target=task.target,
        n_train=len(prepared.train),
        n_validation=prepared.n_choosing,
        n_parameters=prepared.network.n_trainable,
        n_classes_train=counts,
        history=history,
        reason=reason,
        snapshots=snapshots,
        base_loss=_base_loss(task, prepared.train.rows, prepared.validation.rows),
        train=SampleRows(
            inputs=small_inputs(learned, picture),
            truth=train_truth[few],
            answers=model.answers_to(learned) if task.is_classification else np.zeros(len(few)),
            numbers=prepared.split.train[few],
            every=None if pictures else prepared.train.features.flat,
        ),
        measured=measured.some(_spread(len(measured), width)),
        unseen=replace(unseen.some(_spread(len(unseen), width)), every=None if pictures else unseen.flat()),
        columns=Columns(
            read=prepared.recipe.places if small is None else dict.fromkeys(prepared.recipe.places, slice(0, width)),
            constant=[c.name for c in prepared.schema.columns if c.kind == "constant"],
        ),
        network=prepared.network,
        picture=small,
        augmentation={} if prepared.train.augmentation is None else prepared.train.augmentation.given,
        shared=tuple(
            SharedRows(kind=doubt.kind, fact=doubt.fact, column=doubt.column, change=_allowed(doubt.change, prepared))
            for doubt in prepared.doubts
        ),
        files=file_evidence(prepared),
        sequence=sequence_evidence(prepared, model.parameters),
        peers=()
        if verdict is None
        else tuple(
            Peer(name=p.name, value=p.value, difference=p.difference, low=p.low, high=p.high) for p in verdict.peers
        ),
    )


def findings_to_json(findings: Sequence[Finding], snapshots: Sequence[Snapshot]) -> str:
    """``doctor.json``."""
    facts = {"findings": [each.to_json() for each in findings], "looks": [snapshot.to_json() for snapshot in snapshots]}
    return json.dumps(facts, indent=2, allow_nan=False) + "\n"


def doctor_of(folder: RunFolder) -> tuple[tuple[Finding, ...], tuple[Snapshot, ...]]:
    """The doctor's findings and snapshots of a run, from its folder; both empty if there is no such file.

    Raises
    ------
    RunFolderError
        The file is not the doctor's.
    """
    file = folder.file("doctor")
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
        findings = tuple(Finding.from_json(each) for each in written["findings"])
        return findings, tuple(Snapshot.from_json(each) for each in written["looks"])
    except FileNotFoundError:
        return (), ()
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RunFolderError(
            f"{file} is not what the doctor wrote ({error}): remove it; it is written again "
            f"{folder.by('train', '--resume')}"
        ) from error


def _allowed(change: Mapping[str, Any], prepared: Prepared) -> dict[str, Any]:
    """The change with what else it needs: networks that choose by folds would look ahead in time."""
    return {**change, "ensemble": "seeds"} if "time" in change and prepared.settings.ensemble == "folds" else {**change}


def _truth(prepared: Prepared, rows: Array) -> Array:
    if prepared.target is None:
        return np.zeros(len(rows))
    truth: Array = prepared.target.at(rows)
    return truth


def small_inputs(features: Features, picture: tuple[int, int, int] | None) -> Array:
    """The inputs ``[n, F]`` of rows; of large pictures, the means of blocks of pixels.

    Parameters
    ----------
    features
        Of the rows.
    picture
        Height, width and channels, where a row is a picture and nothing else.
    """
    if picture is None or max(picture) <= _SIDE:
        return features.flat
    blocks = (features.take(slice(i, i + _AT_ONCE)).flat for i in range(0, max(1, features.n), _AT_ONCE))
    small = [made_smaller(block.reshape(len(block), *picture), _SIDE) for block in blocks]
    return np.concatenate([block.reshape(len(block), math.prod(block.shape[1:])) for block in small])


def _spread(n: int, features: int) -> Array:
    """Evenly spread row numbers out of n: at most 2,000, fewer for wide tables and images."""
    most = min(n, _SAMPLE, max(_FEWEST, _CELLS // max(features, 1)))
    return np.linspace(0, n - 1, most).astype(np.int64) if n else np.zeros(0, np.int64)


def _base_loss(task: Task, train: Rows, validation: Rows) -> float:
    """The loss of the validation rows if every row gets the constant answer that is best for the training rows."""
    targets, weights = train.targets, train.weights
    if task.loss.name == "cross_entropy":
        shares = np.bincount(targets, weights=weights, minlength=task.outputs) / train.mass()
        constant = np.log(np.maximum(shares, 1e-9))[np.newaxis]
    elif task.loss.name == "bce":
        share = np.clip(np.average(targets, axis=0, weights=weights), 1e-9, 1 - 1e-9)
        constant = np.log(share / (1 - share))[np.newaxis]
    else:
        constant = np.average(targets, axis=0, weights=weights)[np.newaxis]
        if task.loss.name == "mae":
            constant = np.median(targets, axis=0)[np.newaxis]
    logits = np.repeat(constant.astype(np.float64), len(validation), axis=0)
    return loss_and_gradient(task.loss, logits, validation.targets, validation.weights).value
