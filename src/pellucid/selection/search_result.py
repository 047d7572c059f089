"""The result of a search: its trials, the best one, its metric on unseen rows, and the files."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.names import name_of_metric
from pellucid.io.files import write_text
from pellucid.preparation.grid import shown_setting
from pellucid.runs.spreadsheet import csv_text
from pellucid.selection.comparison import shown_number
from pellucid.selection.search_space import Space
from pellucid.settings.config import write_config
from pellucid.settings.settings import Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.runs.run import Run

__all__ = ["FILES", "OnTest", "Search", "Tried", "location", "tried"]

FILES = {"csv": "trials.csv", "json": "search.json", "best": "best.yaml", "figure": "search.png"}
_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One trial.

    Attributes
    ----------
    number
        From 0.
    state
        ``complete``, ``pruned`` (worse than half of the others after its first folds, or diverged), ``fail``
        (interrupted) or ``running``, perhaps in another process.
    score
        The mean over the finished folds; NaN without any.
    folds, seconds
        The score of each fold, and the total time.
    values, differs
        The settings that the search chose, and those of them that differ from the default.
    problem
        Why it diverged or could not be trained.
    is_default
        Whether it is the default setting.
    """

    number: int
    state: str
    score: float
    folds: tuple[float, ...]
    seconds: float
    values: Mapping[str, Any]
    differs: Mapping[str, Any]
    problem: str | None = None
    is_default: bool = False

    @property
    def label(self) -> str:
        """What differs from the default, in a few words.

        >>> facts = {"state": "complete", "score": 0.9, "folds": (0.9,), "seconds": 1.0, "values": {}}
        >>> Tried(number=3, differs={"hidden": (32,), "learning_rate": 0.00213}, **facts).label
        'hidden 32, learning rate 0.0021'
        """
        if self.is_default:
            return "none: this is the default"
        return ", ".join(f"{n.replace('_', ' ')} {shown_setting(n, _brief(v))}" for n, v in self.differs.items())


@dataclass(frozen=True, kw_only=True)
class OnTest:
    """The best and the default setting on the test rows, which were not used in the search.

    Attributes
    ----------
    best, default
        The metric of each, with its 95 % interval.
    better_by
        How much better the best is on the same rows, with its interval; `None` for metrics that cannot be compared
        row by row (all but ROC AUC, accuracy, RMSE).
    times_before
        How often this study was measured on these rows before.
    """

    n_rows: int
    best: Estimate
    default: Estimate
    better_by: Estimate | None
    times_before: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """The result of `pellucid.search`.

    Attributes
    ----------
    trials
        All trials of the study, by number, including those of other processes.
    settings
        All settings of the best trial.
    on_test, run
        The best setting on the test rows, and its trained run; `None` without test rows or after an interruption.
    command
        The command that trains the best setting.
    importances
        The importance of each dimension for the scores; empty with few trials.
    storage, path
        Where the study is stored, and the folder of the files.
    """

    trials: tuple[Tried, ...]
    metric: str
    higher_is_better: bool
    settings: Settings
    command: str
    storage: str
    path: Path
    how: str
    data: str | None = None
    on_test: OnTest | None = None
    run: Run | None = None
    importances: Mapping[str, float]
    stopped_by: str = "the trials are done"
    notes: tuple[str, ...] = ()

    @property
    def ranked(self) -> tuple[Tried, ...]:
        """The trials scored on all folds, best first."""
        sign = -1.0 if self.higher_is_better else 1.0
        complete = (trial for trial in self.trials if trial.state == "complete")
        return tuple(sorted(complete, key=lambda trial: (sign * trial.score, trial.number)))

    @property
    def best(self) -> Tried:
        """The trial with the best mean over the folds."""
        return self.ranked[0]

    @property
    def default(self) -> Tried | None:
        """The trial of the default setting, if it is complete."""
        return next((trial for trial in self.ranked if trial.is_default), None)

    def counts(self) -> dict[str, int]:
        """The number of trials in each state."""
        states = [trial.state for trial in self.trials]
        return {state: states.count(state) for state in dict.fromkeys(states)}

    def sentences(self) -> list[str]:
        """What was found, and how far to trust it."""
        name, n = name_of_metric(self.metric), len(self.ranked)
        said = [f"{self.how}. Best of {n:,} trials by the folds: {name} {shown_number(self.best.score)}"]
        if self.default is not None:
            said[0] += f"; the default setting: {shown_number(self.default.score)}"
        said[0] += ". The best of many trials is partly lucky, so this number is too optimistic."
        if self.on_test is not None:
            said += self._on_test(self.on_test, name)
        return said

    def _on_test(self, test: OnTest, name: str) -> list[str]:
        said = (
            f"On the {test.n_rows:,} test rows, which no trial used: {name} {_with_interval(test.best)}; "
            f"the default setting {_with_interval(test.default)}."
        )
        found = [said]
        if self.default is not None and self.best.number == self.default.number:
            found.append("The default setting is the best one found.")
        elif test.better_by is not None:
            by = test.better_by
            verdict = "a tie: the default setting is enough"
            if math.isnan(by.low):
                verdict = "and there are too few test rows to tell whether this is chance"
            if by.low > 0:
                verdict = "the search was worth it"
            if by.high < 0:
                verdict = "the default setting is better: the search overfitted its folds"
            found.append(f"The difference is {_with_interval(by)}, {verdict}.")
        if test.times_before:
            times = "once" if test.times_before == 1 else f"{test.times_before:,} times"
            found.append(f"This study was measured on these rows {times} before, so they are no longer fully unseen.")
        return found

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings and cells of the ten best trials, as text."""
        rows = [[str(t.number), shown_number(t.score), f"{t.seconds:.1f}", t.label] for t in self.ranked[:_SHOWN]]
        return ["trial", name_of_metric(self.metric), "seconds", "differences from the default"], rows

    def figure(self) -> Figure:
        """The score of each trial, the best so far, and the importance of each dimension."""
        from pellucid.plots.search import search_history

        done = [trial for trial in self.trials if trial.state in ("complete", "pruned")]
        return search_history(
            [trial.number for trial in done],
            [trial.score for trial in done],
            [trial.state == "pruned" for trial in done],
            higher_is_better=self.higher_is_better,
            default=None if self.default is None else self.default.score,
            importances=self.importances,
            metric=name_of_metric(self.metric),
        )

    def to_csv(self) -> str:
        """A line for each trial, by number."""
        names = list(dict.fromkeys(name for trial in self.trials for name in trial.values))
        n_folds = max(len(trial.folds) for trial in self.trials)
        lines: list[Sequence[object]] = []
        folds = [f"fold_{k + 1}" for k in range(n_folds)]
        lines.append(["trial", "state", self.metric, *folds, "seconds", *names, "problem"])
        for trial in self.trials:
            scores = [*map(_cell, trial.folds), *[""] * (n_folds - len(trial.folds))]
            values = (shown_setting(n, trial.values[n]) if n in trial.values else "" for n in names)
            lines.append([
                trial.number, trial.state, _cell(trial.score), *scores, f"{trial.seconds:.3f}", *values,
                trial.problem or "",
            ])  # fmt: skip
        return csv_text(lines)

    def to_json(self) -> dict[str, Any]:
        """Everything except the trials and the network, as JSON values."""
        test = self.on_test
        return {
            "data": self.data,
            "metric": self.metric,
            "higher_is_better": self.higher_is_better,
            "folds": self.how,
            "trials": self.counts(),
            "stopped_by": self.stopped_by,
            "best_trial": self.best.number,
            "score": self.best.score,
            "score_of_the_default": None if self.default is None else self.default.score,
            "test": None
            if test is None
            else {
                "rows": test.n_rows,
                "best": test.best.to_json(),
                "default": test.default.to_json(),
                "better_by": None if test.better_by is None else test.better_by.to_json(),
                "times_before": test.times_before,
            },
            "settings": self.settings.to_json(),
            "importances": dict(self.importances),
            "command": self.command,
            "storage": self.storage,
            "sentences": self.sentences(),
            "notes": list(self.notes),
        }

    def save(self) -> None:
        """Write the trials, the best setting and the figure into the folder, each file atomically."""
        from pellucid.plots.canvas import save

        self.save_table()
        save(self.figure(), self.path / FILES["figure"])

    def save_table(self) -> None:
        """Write everything except the figure."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
        write_text(self.path / FILES["json"], text + "\n")  # first: it says what the folder is
        write_text(self.path / FILES["csv"], self.to_csv())
        heading = "the best setting of a search: pellucid train -c best.yaml"
        write_text(self.path / FILES["best"], write_config(self.settings, self.data, heading=heading))


def tried(trials: Sequence[Any], space: Space) -> tuple[Tried, ...]:
    """The trials of a study as `Tried`; ``space`` gives the meaning of their numbers."""
    return tuple(_tried(trial, space) for trial in trials if trial.state.name != "WAITING")


def _tried(trial: Any, space: Space) -> Tried:
    facts = trial.user_attrs
    whole = trial.state.name in ("COMPLETE", "PRUNED")  # of others, some numbers may not have been proposed yet
    folds = tuple(float(score) for score in facts.get("folds", ()))
    score = sum(folds) / len(folds) if folds else math.nan
    values = space.changed(trial.params) if whole else {}
    return Tried(
        number=trial.number,
        state=trial.state.name.lower(),
        score=score if trial.state.name != "COMPLETE" else float(trial.value),
        folds=folds,
        seconds=float(facts.get("seconds", 0.0)),
        values=values,
        differs={name: value for name, value in values.items() if value != getattr(space.fixed, name)},
        problem=facts.get("problem"),
        is_default=trial.params == dict(space.default),
    )


def location(source: object) -> str | None:
    """A path or a built-in name as text; `None` for rows in memory."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else None


def _with_interval(found: Estimate) -> str:
    if math.isnan(found.low):
        return shown_number(found.value)
    return f"{shown_number(found.value)} ({shown_number(found.low)} – {shown_number(found.high)})"


def _brief(value: Any) -> Any:
    return f"{value:.2g}" if isinstance(value, float) else value


def _cell(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""
