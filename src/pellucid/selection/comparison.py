"""The result of a comparison of settings: the ranking, the ties, the cost, and its files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.fold_interval import mean_over_folds
from pellucid.evaluation.names import name_of_metric
from pellucid.io.files import write_bytes, write_text
from pellucid.numerals import numerals
from pellucid.preparation.grid import shown_setting
from pellucid.runs.spreadsheet import csv_text
from pellucid.selection.cross_validate import FoldScores
from pellucid.settings.config import write_config
from pellucid.settings.settings import Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.runs.run import Run

__all__ = ["FILES", "Compared", "Comparison", "Measured", "ranked", "shown_number"]

FILES = {"csv": "comparison.csv", "json": "comparison.json", "figure": "figure.png", "best": "best.yaml"}
_MOST_DRAWN = 40
_MANY = 4  # with more settings than this, one of them may well be called worse by chance


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One combination of settings.

    Parameters
    ----------
    values
        The values of the settings that vary.
    settings
        All settings, as given.
    scores
        The scores of the folds.
    behind
        How much worse than the best on the same folds, with its 95 % interval: positive is worse. None for the best
        itself, and for settings that diverged.
    is_best, is_tied
        Best by the mean; tied with the best: the interval of ``behind`` contains 0.
    """

    values: Mapping[str, Any]
    settings: Settings
    scores: FoldScores
    behind: Estimate | None = None
    is_best: bool = False
    is_tied: bool = False

    @property
    def label(self) -> str:
        """The values in a few words.

        >>> from pellucid.selection.cross_validate import cross_validate
        >>> found = cross_validate("iris", {"hidden": (), "epochs": 2, "engine": "textbook"}, folds=2)
        >>> Compared(values={"hidden": (), "batch_norm": True}, settings=found.settings, scores=found).label
        'hidden none, batch_norm yes'
        """
        return ", ".join(f"{name} {shown_setting(name, value)}" for name, value in self.values.items())


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The best setting on the test rows, which are in no fold."""

    value: Estimate
    n_rows: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The result of `pellucid.compare`.

    Parameters
    ----------
    rows
        Best first, those that diverged last.
    how, n_rows
        How the folds were made, and how many rows they hold in total.
    wanted
        How many combinations were requested; after an interruption there are fewer rows.
    measured, run
        The best setting trained once more on all rows outside the test part, as `command` does; None if there are no
        test rows, or after an interruption.
    command
        The command that trains the best setting.
    data
        The location of the table, if it was not in memory.
    notes, notes_on_rows
        Notes on the comparison, and on the table and its folds.
    is_interrupted
        Whether Ctrl-C ended it.
    path
        The folder of its files, if they are kept.
    """

    rows: tuple[Compared, ...]
    how: str
    n_rows: int
    wanted: int
    command: str
    data: str | None = None
    measured: Measured | None = None
    run: Run | None = None
    notes: tuple[str, ...] = ()
    notes_on_rows: tuple[str, ...] = ()
    is_interrupted: bool = False
    path: Path | None = None

    @property
    def best(self) -> Compared:
        """The best by the mean over the folds."""
        return self.rows[0]

    @property
    def cheapest(self) -> Compared:
        """The fastest of the best setting and those tied with it."""
        among = [self.best, *(row for row in self.rows if row.is_tied)]
        return min(among, key=lambda row: row.scores.seconds)

    @property
    def is_complete(self) -> bool:
        """Whether every combination was scored."""
        return len(self.rows) == self.wanted

    @property
    def metric(self) -> str:
        """Such as ``roc_auc``."""
        return self.best.scores.metric

    def sentences(self) -> list[str]:
        """What the table says, and how to read it."""
        return [*self._of_intervals(), *self._of_ties(), *self._of_many(), *self._of_the_test_part()]

    def figure(self) -> Figure:
        """The scores with intervals, and how far each is behind the best; see `pellucid.plots.comparison`."""
        from pellucid.plots.comparison import settings_compared

        drawn = [row for row in self.rows if not row.scores.diverged][:_MOST_DRAWN]
        return settings_compared(
            [" · ".join(shown_setting(n, v) for n, v in row.values.items()) for row in drawn],
            [row.scores.scores for row in drawn],
            [row.scores.interval for row in drawn],
            [row.behind for row in drawn],
            heading=" · ".join(name.replace("_", " ") for name in self.best.values),
            metric=name_of_metric(self.metric),
        )

    def to_json(self) -> dict[str, Any]:
        """Everything except the trained network, as JSON values."""
        return {
            "data": self.data,
            "metric": self.metric,
            "higher_is_better": self.best.scores.higher_is_better,
            "folds": self.how,
            "n_rows": self.n_rows,
            "combinations": self.wanted,
            "is_complete": self.is_complete,
            "rows": [_row_to_json(row) for row in self.rows],
            "cheapest_of_the_tied": self.rows.index(self.cheapest),
            "test": None if self.measured is None else {"rows": self.measured.n_rows, **self.measured.value.to_json()},
            "settings_of_the_best": self.best.settings.to_json(),
            "command": self.command,
            "sentences": self.sentences(),
            "notes": [*self.notes_on_rows, *self.notes],
        }

    def to_csv(self) -> str:
        """A line for each combination, best first; missing numbers are empty cells."""
        n_folds = max(row.scores.n_folds for row in self.rows)
        lines: list[Sequence[object]] = []
        lines.append([
            *self.best.values, self.metric, "low", "high", "behind", "behind_low", "behind_high", "tied", "seconds",
            "parameters", *(f"fold_{k + 1}" for k in range(n_folds)), "problem",
        ])  # fmt: skip
        for row in self.rows:
            scores, behind = row.scores, row.behind
            folds = [*scores.scores, *[math.nan] * (n_folds - len(scores.scores))]
            numbers = [*_ends(scores.interval), *_ends(behind)]
            lines.append([
                *(shown_setting(name, value) for name, value in row.values.items()),
                *map(_cell, numbers), "yes" if row.is_tied else "", f"{scores.seconds:.3f}", scores.n_parameters,
                *map(_cell, folds), scores.problem or "",
            ])  # fmt: skip
        return csv_text(lines)

    def to_markdown(self) -> str:
        """The table, the sentences and the command."""
        headings, rows = self.table()
        lines = [f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
        lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
        return "\n".join([*lines, "", *(f"- {s}" for s in self.sentences()), "", "```sh", self.command, "```", ""])

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings and cells as text, best first."""
        interval = "95 % interval"
        headings = [*self.best.values, name_of_metric(self.metric), interval, "behind", interval, "", "seconds"]
        return headings, [_cells(row) for row in self.rows]

    def save(self, folder: Path) -> None:
        """Write table, figure and ``best.yaml`` to an existing folder, each file atomically."""
        self.save_table(folder)
        if not self.best.scores.diverged:
            from pellucid.plots.canvas import encode

            write_bytes(folder / FILES["figure"], encode(self.figure(), "png"))
            heading = "the best setting of a comparison: pellucid train -c best.yaml"
            write_text(folder / FILES["best"], write_config(self.best.settings, self._location(), heading=heading))

    def save_table(self, folder: Path) -> None:
        """Write only the table, as CSV and JSON."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
        write_text(folder / FILES["json"], text + "\n")  # first: it says what the folder is
        write_text(folder / FILES["csv"], self.to_csv())

    def _location(self) -> str | None:
        """An absolute path, so that ``best.yaml`` works from any folder."""
        if self.data is None or not Path(self.data).exists():
            return self.data
        return str(Path(self.data).absolute())

    # ── sentences ──

    def _of_intervals(self) -> list[str]:
        if self.best.scores.diverged:
            return ["Every combination diverged: lower the learning rate (--lr)."]
        return [
            f"{self.how}, {self.n_rows:,} rows. Intervals are Student's t over the folds, widened because the folds "
            "share most training rows (Nadeau & Bengio 2003); 'behind' compares with the best fold by fold."
        ]

    def _of_ties(self) -> list[str]:
        finished = [row for row in self.rows if not row.scores.diverged]
        tied = sum(row.is_tied for row in finished)
        if len(finished) < 2:
            return []
        others = len(finished) - 1
        if not tied:
            return [f"The best is better than {'the other' if others == 1 else f'each of the {others} others'}."]
        some = f"all {others} others" if tied == others else f"{tied} of the {others} others"
        which = "the other one" if others == 1 else some
        said = f"The best and {which} are tied: {self.best.scores.n_folds} folds cannot separate them."
        cheapest = self.cheapest
        seconds = self.best.scores.seconds
        if cheapest.is_best:
            return [f"{said} None of them was faster than the best."]
        return [
            f"{said} The fastest of them took {cheapest.scores.seconds:.1f} s instead of {seconds:.1f} s: "
            f"{cheapest.label}."
        ]

    def _of_many(self) -> list[str]:
        behind = [row for row in self.rows if row.behind is not None]
        if len(behind) < _MANY or all(row.is_tied for row in behind):
            return []
        return [
            "Each 'behind' is a separate test: a setting as good as the best is called worse in 2 to 4 of 100 "
            f"comparisons, so among {len(behind)} settings one is more easily called worse by chance."
        ]

    def _of_the_test_part(self) -> list[str]:
        if self.measured is None:
            return []
        value, name = self.measured.value, name_of_metric(self.metric)
        interval = "" if math.isnan(value.low) else f" ({shown_number(value.low)} to {shown_number(value.high)})"
        said = (
            f"Trained once with the command below and measured on the {self.measured.n_rows:,} test rows, which are in "
            f"no fold: {name} {shown_number(value.value)}{interval}."
        )
        if len(self.rows) == 1:
            return [said]
        return [
            f"{said} Report this figure: the {shown_number(self.best.scores.mean)} of the folds is the best of "
            f"{len(self.rows)}, and therefore partly luck."
        ]


def ranked(rows: Sequence[Compared]) -> tuple[Compared, ...]:
    """The rows in order, each compared with the best fold by fold; of equal means, the faster one is first."""
    complete = [row for row in rows if row.scores.is_complete]
    if not complete:
        return tuple(rows)
    sign = 1.0 if complete[0].scores.higher_is_better else -1.0
    order = sorted(complete, key=lambda row: (-sign * row.scores.mean, row.scores.seconds))
    best = order[0]
    found = [replace(best, is_best=True)]
    for row in order[1:]:
        difference = sign * (np.array(best.scores.scores) - np.array(row.scores.scores))
        behind = mean_over_folds(difference, size_ratio=best.scores.size_ratio)
        found.append(replace(row, behind=behind, is_tied=math.isnan(behind.low) or behind.low <= 0))
    return (*found, *(row for row in rows if not row.scores.is_complete))


def shown_number(value: float) -> str:
    """Four decimals, fewer for large numbers; a dash for NaN.

    >>> shown_number(0.123456), shown_number(12345.678), shown_number(math.nan)
    ('0.1235', '12,346', '—')
    """
    return numerals([value])[0]


def _cells(row: Compared) -> list[str]:
    scores, behind = row.scores, row.behind
    cells = [shown_setting(name, value) for name, value in row.values.items()]
    seconds = f"{scores.seconds:.1f}"
    if scores.diverged:
        return [*cells, "diverged", "", "", "", "", seconds]
    cells += [shown_number(scores.mean), _between(scores.interval)]
    if behind is None:
        return [*cells, "", "", "best" if row.is_best else "", seconds]
    return [*cells, shown_number(behind.value), _between(behind), "tie" if row.is_tied else "", seconds]


def _between(found: Estimate) -> str:
    return "—" if math.isnan(found.low) else " – ".join(numerals([found.low, found.high]))


def _ends(found: Estimate | None) -> tuple[float, float, float]:
    return (math.nan,) * 3 if found is None else (found.value, found.low, found.high)


def _cell(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""


def _row_to_json(row: Compared) -> dict[str, Any]:
    scores = row.scores
    return {
        "values": {name: list(v) if isinstance(v, tuple) else v for name, v in row.values.items()},
        "mean": scores.interval.to_json(),
        "behind": None if row.behind is None else row.behind.to_json(),
        "is_best": row.is_best,
        "is_tied": row.is_tied,
        "folds": [score if math.isfinite(score) else None for score in scores.scores],
        "best_epochs": list(scores.best_epochs),
        "seconds": scores.seconds,
        "parameters": scores.n_parameters,
        "problem": scores.problem,
    }
