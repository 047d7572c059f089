"""What is wrong with a run or a table, in words, with the command that fixes it and the result of that command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.diagnosis import Finding
from pellucid.errors import DivergenceError, RunFolderError, SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.preparation.grid import changed_command
from pellucid.preparation.prepare import settings_for
from pellucid.runs.folder import FILES, RunFolder
from pellucid.runs.plan import auto_rate
from pellucid.runs.run import Run
from pellucid.settings.config import is_there_again, read_config, trained_on
from pellucid.settings.settings import Settings
from pellucid.workflow.train import train

__all__ = ["Consultation", "Retry", "doctor"]


@dataclass(frozen=True, kw_only=True)
class Retry:
    """The result of training with a finding's change, beside the result before.

    ``before`` and ``after`` are the metrics on the test rows; ``None`` if training diverged. ``same_rows`` says
    whether both were measured on the same rows.
    """

    finding: Finding
    before: Mapping[str, Estimate] | None
    after: Mapping[str, Estimate] | None
    same_rows: bool
    left: tuple[str, ...]  # the names of what the doctor still finds


@dataclass(frozen=True, kw_only=True, eq=False)
class Consultation:
    """What the doctor found in a run.

    Attributes
    ----------
    title
        What was examined.
    findings
        The most serious first.
    metrics
        Of the run; ``None`` if it diverged.
    settings
        Those that it was trained with.
    source
        Where its table is, or the table itself.
    config
        The run's ``config.yaml``; ``None`` for a training that was not kept.
    """

    title: str
    findings: tuple[Finding, ...]
    metrics: Mapping[str, Estimate] | None
    settings: Settings
    source: object
    config: Path | None = None

    def command(self, finding: Finding) -> str | None:
        """The command that trains again with the finding's change; ``None`` if no setting helps."""
        if not finding.change:
            return None
        return changed_command(finding.change, self.source, self.settings, self.config)

    def retry(self, finding: Finding) -> Retry:
        """Train again with the finding's change; nothing is kept.

        Raises
        ------
        SettingError
            No setting helps, or the run's table was in memory.
        """
        if not finding.change:
            raise SettingError(f"no setting fixes {finding.name!r}: {finding.fix}")
        if self.source is None or (self.config is not None and not is_there_again(str(self.source))):
            raise SettingError(f"{trained_on(None if self.source is None else '-')}: train again with the table")
        given = Settings.of(self.settings.to_json(), finding.change).to_json()
        same_rows = not {"drop", "task"} & set(finding.change)
        try:
            again = train(self.source, **given)
        except DivergenceError:
            return Retry(finding=finding, before=self.metrics, after=None, same_rows=same_rows, left=("diverging",))
        return Retry(
            finding=finding,
            before=self.metrics,
            after=again.metrics,
            same_rows=same_rows,
            left=tuple(each.name for each in again.findings),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "title": self.title,
            "findings": [{**each.to_json(), "command": self.command(each)} for each in self.findings],
        }


def doctor(
    data: object, target: str | None = None, *, config: str | os.PathLike[str] | None = None, **settings: Any
) -> Consultation:
    """Say what is wrong with a run, or with a training on a table.

    Parameters
    ----------
    data
        A run folder, whose findings were written when it was trained; or a table, as `train` takes it: a network is
        then trained on it and not kept.
    target, config, settings
        As for `train`; not for a run folder, which has its own.

    Raises
    ------
    RunFolderError
        The run has not ended, or has lost what the doctor wrote.
    SettingError, DataError
        As for `train`.

    >>> found = doctor("iris", preset="quick", epochs=2, verdict=False)
    >>> found.findings[0].name, found.command(found.findings[0])
    ('stopped-too-early', 'pellucid train iris --preset quick --epochs 8 --no-verdict')
    """
    if isinstance(data, str | os.PathLike) and Path(data).is_dir() and (Path(data) / "config.yaml").exists():
        if target is not None or config is not None or settings:
            raise SettingError("a run has its own settings: leave them out, or give its table instead")
        return _of_run(data)
    from_file, file_data = ({}, None) if config is None else read_config(config)
    source = data if data is not None else file_data
    given = {**from_file, **settings, **({} if target is None else {"target": target})}
    try:
        run = train(source, **given)
    except DivergenceError as error:
        known = settings_for(source, given)
        return Consultation(
            title=_named(source), findings=(_diverged(str(error), known),), metrics=None, settings=known, source=source
        )
    return Consultation(
        title=_named(source),
        findings=run.findings,
        metrics=run.metrics,
        settings=settings_for(source, given),
        source=source,
    )


def _of_run(path: str | os.PathLike[str]) -> Consultation:
    folder = RunFolder.existing(path)
    written, source = read_config(folder.file("config"))
    if not folder.is_finished:
        raise RunFolderError(f"{os.fspath(path)!r} has not ended: continue it ({folder.command('train', '--resume')})")
    if not folder.file("doctor").exists():
        again = folder.by("train", "--resume")
        raise RunFolderError(f"{os.fspath(path)!r} has lost its {FILES['doctor']}: write it again {again}")
    run = Run.open(path)
    return Consultation(
        title=os.fspath(path),
        findings=run.findings,
        metrics=run.metrics,
        settings=Settings.of(written),
        source=source,
        config=folder.file("config"),
    )


def _diverged(message: str, settings: Settings) -> Finding:
    """Training ended in its first epoch, so the error is the only evidence."""
    rate = settings.learning_rate or auto_rate(settings.batch_size or 1)
    return Finding(
        name="diverging",
        finding=f"Training diverges at learning rate {rate:g}.",
        evidence=message,
        consequence="there is no network",
        fix=f"a learning rate of {rate / 10:g} and a limit on the gradient's norm",
        change={"learning_rate": float(f"{rate / 10:.2g}"), "clip_norm": 1.0},
    )


def _named(source: object) -> str:
    return os.fspath(source) if isinstance(source, str | os.PathLike) else "the table"
