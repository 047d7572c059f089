"""The seed lottery: one setting trained many times, with other initial weights and, separately, with other splits."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, NotKeptError, RunFolderError, SettingError, StorageError
from pellucid.evaluation.baselines import dummy_answers
from pellucid.evaluation.lottery import Draw, Draws, sentence_on_luck
from pellucid.evaluation.names import HIGHER_IS_BETTER, name_of_metric
from pellucid.evaluation.reconstruction import mean_answer
from pellucid.io.files import could_not, is_aside, sweep, write_text
from pellucid.io.lock import locked
from pellucid.model.answering import answers_of
from pellucid.preparation.division import split_of
from pellucid.preparation.folds import with_split
from pellucid.preparation.grid import train_command
from pellucid.preparation.prepare import Prepared, prepare, settings_for
from pellucid.runs.decided import decided
from pellucid.runs.ensemble import point_metrics
from pellucid.runs.reads import check_output
from pellucid.runs.spreadsheet import csv_text
from pellucid.selection.cross_validate import metric_for
from pellucid.selection.lottery_runs import Job, most_in_memory, train_jobs
from pellucid.settings.config import is_there_again, read_config, trained_on
from pellucid.settings.settings import Settings
from pellucid.training.events import Listener, counting, ignore
from pellucid.training.loop import Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Lottery", "lottery"]

Array = NDArray[Any]

FILES = ("lottery.csv", "lottery.json", "lottery.png", "lottery.svg")
REMEDY = 10  # number of networks in the recommended ensemble
_FEWEST, _MOST = 5, 1000
_OF_THE_MACHINE = (
    "engine",
    "products",
    "threads",
)  # a run records what was chosen on its machine; here it is chosen again


@dataclass(frozen=True, kw_only=True, eq=False)
class Lottery:
    """The result of a lottery.

    Attributes
    ----------
    metric
        Such as ``accuracy``, on the test rows.
    seeds, splits
        The runs with other initial weights, batches and dropout on one split, and those with other splits and one seed
        for the rest; ``splits`` is `None` where the rows cannot be split again.
    ensemble_of_all
        The metric of the mean answer of all networks of ``seeds`` that did not diverge.
    ensembles
        The same for each ten of them in turn: what ten networks averaged score.
    command
        What trains such an ensemble.
    settings
        All settings of a run.
    notes
        Sentences for the user.
    """

    metric: str
    seeds: Draws
    splits: Draws | None
    ensemble_of_all: float
    ensembles: tuple[float, ...]
    command: str
    settings: Settings
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """One line."""
        splits = "" if self.splits is None else f", ±{self.splits.spread:.4f} by split"
        return f"<Lottery: {self.metric} {self.seeds.median:.4f} ±{self.seeds.spread:.4f} by seed{splits}>"

    @property
    def spoken(self) -> str:
        """The metric's name in a sentence."""
        return name_of_metric(self.metric)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The spread, the failures and the remedy, one sentence each."""
        drawn = {"seeds": self.seeds} | ({} if self.splits is None else {"splits": self.splits})
        failed = (
            f"{draws.n_failed:,} of {len(draws):,} {name} (95 %: {draws.share_failed.low:.0%} to "
            f"{draws.share_failed.high:.0%})"
            for name, draws in drawn.items()
        )
        return (
            sentence_on_luck(self.spoken, self.seeds, self.splits),
            f"Failed (diverged, or no better than the dummy): {', '.join(failed)}.",
            self._remedy(),
        )

    def _remedy(self) -> str:
        if not math.isfinite(self.ensemble_of_all):
            return "No network gave answers that can be averaged: lower the learning rate (--lr)."
        alone = f"a single network {self.seeds.mean:.4f}"
        if not self.ensembles:
            return f"All networks averaged: {self.spoken} {self.ensemble_of_all:.4f}, {alone} on average."
        low, high = min(self.ensembles), max(self.ensembles)
        span = f" ({low:.4f} to {high:.4f} for {len(self.ensembles)} such tens)" if len(self.ensembles) > 1 else ""
        return (
            f"The remedy is to average: {REMEDY} of these networks together have {self.spoken} "
            f"{np.mean(self.ensembles):.4f}{span}, {alone} on average."
        )

    def figure(self) -> Figure:
        """A dot for each run, one strip for the seeds and one for the splits."""
        from pellucid.plots.lottery import lottery_strips

        strips = {"another seed": self.seeds} | ({} if self.splits is None else {"another split": self.splits})
        marks = {f"{REMEDY} averaged": float(np.mean(self.ensembles))} if self.ensembles else {}
        return lottery_strips(strips, metric=self.spoken, marks=marks)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return {
            "metric": self.metric,
            "higher_is_better": self.seeds.higher_is_better,
            "seeds": self.seeds.to_json(),
            "splits": None if self.splits is None else self.splits.to_json(),
            "ensemble_of_all": self.ensemble_of_all if math.isfinite(self.ensemble_of_all) else None,
            f"ensembles_of_{REMEDY}": list(self.ensembles),
            "command": self.command,
            "sentences": list(self.sentences),
            "notes": list(self.notes),
            "settings": self.settings.to_json(),
        }

    def to_csv(self) -> str:
        """One line per run: what was varied, its seed, the metric, the dummy's metric, whether it failed, epochs."""
        lines: list[Sequence[object]] = []
        lines.append(["drawn", "seed", self.metric, "dummy", "failed", "epochs", "best_epoch", "problem"])
        for drawn, draws in (("seed", self.seeds), ("split", self.splits)):
            if draws is not None:
                for run, failed in zip(draws.runs, draws.failed.tolist(), strict=True):
                    value = run.value if math.isfinite(run.value) else ""
                    row = [drawn, run.seed, value, run.dummy, failed, run.epochs, run.best_epoch, run.problem or ""]
                    lines.append(row)
        return csv_text(lines)

    def save(self, out: str | os.PathLike[str]) -> Path:
        """Write ``lottery.csv``, ``lottery.json`` and the picture (PNG and SVG) to a new or empty folder.

        A folder where an earlier attempt was interrupted is overwritten.
        """
        from pellucid.plots.canvas import save

        folder = _free(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(could_not("write", folder, error)) from error
        sweep(folder, FILES.__contains__)
        # Written first, because it identifies the folder: an incomplete one is written again.
        write_text(folder / "lottery.json", json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n")
        write_text(folder / "lottery.csv", self.to_csv())
        save(self.figure(), folder / "lottery")
        return folder


def lottery(
    data: object,
    target: str | None = None,
    *,
    seeds: int = 50,
    metric: str | None = None,
    config: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    listener: Listener = ignore,
    **settings: Any,
) -> Lottery:
    """Train one setting many times and see how much of its metric is luck.

    First the split is fixed to that of `pellucid.train`, and networks are trained with the seeds ``seed``, ``seed +
    1``, … for initial weights, batches and dropout. Then these are fixed, and the rows are split again as many times;
    preprocessing is fitted to each split. A run fails if it diverged or if its metric is not better than that of the
    dummy (the classes' shares or the mean of the training and validation rows) on the test rows.

    Parameters
    ----------
    data
        As of `pellucid.train`; or the folder of a run, whose table and settings are then taken.
    target, config, settings
        As of `pellucid.train`; they override those of a run folder. ``n_networks`` is always 1.
    seeds
        How many runs of each kind, 5 or more.
    metric
        One of `pellucid.selection.cross_validate.METRICS`; else ROC AUC for two classes, accuracy for more, RMSE for
        numbers.
    out
        A new or empty folder for the runs as CSV, the numbers as JSON, and the picture.
    listener
        Called with each event of the trainings, and after each training with a
        `pellucid.training.events.Progress` in ``"seed"`` or ``"split"``.

    Raises
    ------
    SettingError
        A setting cannot be used, ``seeds`` is too small, or there are no test rows.
    DataError
        The table cannot be used.

    >>> found = lottery("iris", seeds=6, hidden=(8,), epochs=20, learning_rate=0.02)
    >>> found.metric, len(found.seeds), found.seeds.n_failed
    ('accuracy', 6, 0)
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int) or not _FEWEST <= seeds <= _MOST:
        raise SettingError(f"seeds must be a whole number from {_FEWEST} to {_MOST:,}, got {seeds!r}; 50 is usual")
    if out is not None:
        _free(out)
        check_output(out, data=[data, config], names=FILES)
    given = dict(settings) if target is None else {**settings, "target": target}
    source, asked = _source_and_settings(data, config, given)
    with ExitStack() as held:
        if out is not None:
            check_output(out, data=[source, asked.test_data], names=FILES)
            _take(out, held)
        found = _drawn(source, asked, seeds, metric, listener)
        if out is not None:
            try:
                found.save(out)
            except StorageError as error:
                raise NotKeptError(f"{error}; the lottery itself is complete", found) from error
    return found


def _drawn(source: object, asked: Settings, seeds: int, metric: str | None, listener: Listener) -> Lottery:
    """All runs, and their result."""
    single = replace(asked, n_networks=1, ensemble="seeds", verdict=False)
    base = prepare(source, single)
    if base.measured.name != "test":
        raise SettingError("the lottery measures on test rows, and there are none: set --test above 0")
    name = metric_for(base.task, metric)
    base = decided(base)
    jobs = [Job(prepared=base, seed=base.settings.seed + k) for k in range(seeds)]
    outcomes = train_jobs(jobs, counting(listener, "seed", of=seeds))
    by_seed = _draws(jobs, [job.seed for job in jobs], outcomes, name)
    answers = [_answers(base, outcome) for outcome in outcomes if outcome.problem is None]
    of_all, tens = _ensembles(base, [each for each in answers if np.isfinite(each).all()], name)

    notes = [] if asked.n_networks == 1 else ["one network was trained in each run, not an ensemble"]
    why_not = _why_not_split(base)
    by_split = None
    if why_not is None:
        by_split = _over_splits(base, seeds, name, listener)
    else:
        notes.append(f"only seeds were varied, not splits: {why_not}")
    return Lottery(
        metric=name,
        seeds=by_seed,
        splits=by_split,
        ensemble_of_all=of_all,
        ensembles=tens,
        command=train_command(source, replace(asked, n_networks=REMEDY)),
        settings=base.settings,
        notes=tuple(notes),
    )


def _take(out: str | os.PathLike[str], held: ExitStack) -> None:
    """Create the folder and lock it; it is removed again if nothing is written to it."""
    path = Path(out)
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        pass
    except OSError as error:
        raise StorageError(could_not("write", path, error)) from error
    else:
        held.callback(_remove_if_empty, path)
    held.enter_context(locked(path))
    _free(path)  # another lottery may have ended in it meanwhile


def _remove_if_empty(path: Path) -> None:
    with suppress(OSError):
        path.rmdir()


def _free(out: str | os.PathLike[str]) -> Path:
    path = Path(out)
    if path.exists() and not path.is_dir():
        raise RunFolderError(f"{str(path)!r} is a file: name a folder for the lottery")
    if path.is_dir():
        there = {each.name for each in path.iterdir() if not is_aside(each.name, FILES.__contains__)}
        if there and not (there < set(FILES) and _is_lottery(path)):
            raise RunFolderError(f"the folder {str(path)!r} is not empty: name another with out (--out)")
    return path


def _is_lottery(path: Path) -> bool:
    try:
        facts = json.loads((path / "lottery.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(facts, dict) and {"metric", "seeds", "splits"} <= set(facts)


def _source_and_settings(
    data: object, config: str | os.PathLike[str] | None, given: Mapping[str, Any]
) -> tuple[object, Settings]:
    """The rows and the settings: those of a run folder, overridden by what is given."""
    from_file, source = ({}, None) if config is None else read_config(config)
    if isinstance(data, str | os.PathLike) and (Path(data) / "config.yaml").is_file():
        from_run, source_of_run = read_config(Path(data) / "config.yaml")
        if source_of_run is None or not is_there_again(source_of_run):
            raise RunFolderError(f"{os.fspath(data)!r}: {trained_on(source_of_run)}: give the table itself")
        free = {name: value for name, value in from_run.items() if name not in _OF_THE_MACHINE}
        return source_of_run, Settings.of(free, from_file, given)
    if isinstance(data, str | os.PathLike) and Path(data).suffix == ".safetensors":
        raise SettingError(
            f"{os.fspath(data)!r} is a model file, which holds no rows: give its run folder or the table"
        )
    rows = data if data is not None else source
    if rows is None:
        raise SettingError("which table? Give data: a path, a built-in name (see 'pellucid data'), or a frame")
    return rows, settings_for(rows, from_file, given)


def _why_not_split(base: Prepared) -> str | None:
    if base.schema.time is not None:
        return f"a split by time ({base.schema.time!r}) has no chance in it"
    if not len(base.split.test):
        return "the test rows are given, and not drawn from the table"
    return None


def _over_splits(base: Prepared, splits: int, metric: str, listener: Listener) -> Draws:
    """Runs with other splits, a few at a time: all together would hold the rows of a large table many times over."""
    at_once = most_in_memory(base)
    runs: list[Draw] = []
    for start in range(0, splits, at_once):
        numbers = [base.settings.seed + k for k in range(start, min(splits, start + at_once))]
        jobs = [Job(prepared=_split_anew(base, number), seed=base.settings.seed) for number in numbers]
        outcomes = train_jobs(jobs, counting(listener, "split", of=splits, before=start))
        runs += _draws(jobs, numbers, outcomes, metric).runs
    return Draws(runs=tuple(runs), higher_is_better=metric in HIGHER_IS_BETTER)


def _split_anew(base: Prepared, seed: int) -> Prepared:
    settings = replace(base.settings, seed=seed)
    split = split_of(base.table, base.schema, base.target, settings, test=settings.test)
    try:
        return with_split(base, split)
    except DataError as error:
        raise DataError(f"split {seed}: {error}") from error


def _answers(prepared: Prepared, outcome: Outcome) -> Array:
    inputs = prepared.measured.inputs
    with np.errstate(over="ignore", invalid="ignore"):  # finite weights may be so large that answers are not finite
        return answers_of(prepared.network, prepared.task, prepared.scaler, outcome.parameters, inputs)


def _draws(jobs: Sequence[Job], numbers: Sequence[int], outcomes: Sequence[Outcome], metric: str) -> Draws:
    dummies: dict[int, float] = {}
    runs = []
    for job, number, outcome in zip(jobs, numbers, outcomes, strict=True):
        prepared, value = job.prepared, math.nan
        if id(prepared) not in dummies:
            dummies[id(prepared)] = _score(prepared, _dummy(prepared), metric)
        if outcome.problem is None:
            value = _score(prepared, _answers(prepared, outcome), metric)
        runs.append(
            Draw(
                seed=number,
                value=value,
                dummy=dummies[id(prepared)],
                epochs=len(outcome.history),
                best_epoch=outcome.best_epoch,
                problem=outcome.problem,
            )
        )
    return Draws(runs=tuple(runs), higher_is_better=metric in HIGHER_IS_BETTER)


def _score(prepared: Prepared, answers: Array, metric: str) -> float:
    if not np.isfinite(answers).all():
        return math.nan
    return point_metrics(prepared.task, prepared.measured.truth, answers)[metric]


def _dummy(prepared: Prepared) -> Array:
    count = len(prepared.measured.truth)
    if prepared.target is None:
        return mean_answer(prepared.train.inputs, count)
    learned = np.concatenate([prepared.split.train, prepared.split.validation])  # like the dummy in a run's metrics
    return dummy_answers(prepared.target.at(learned), count, len(prepared.task.classes))


def _ensembles(prepared: Prepared, answers: Sequence[Array], metric: str) -> tuple[float, tuple[float, ...]]:
    """The metric of all networks averaged, and of each ten in turn."""
    if not answers:
        return math.nan, ()
    each = np.stack(answers)
    tens = (each[i : i + REMEDY].mean(axis=0) for i in range(0, len(each) - REMEDY + 1, REMEDY))
    return _score(prepared, each.mean(axis=0), metric), tuple(_score(prepared, ten, metric) for ten in tens)
