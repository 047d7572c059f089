"""A search's study: Optuna's sampler and pruner, and the file or database that processes and machines can share.

The default storage is a journal: a file of JSON lines, to which processes append under a lock. Optuna's documentation
recommends it over SQLite for several writing processes. The URL of a database (``sqlite:///study.db``,
``postgresql://…``) works, too. Nothing is ever unpickled.

Optuna: Akiba, Sano, Yanase, Ohta & Koyama 2019, "Optuna: A Next-generation Hyperparameter Optimization Framework".
TPE: Bergstra, Bardenet, Bengio & Kégl 2011, "Algorithms for Hyper-Parameter Optimization".
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dependence.row_hashes import row_hashes
from pellucid.errors import PellucidError, SettingError, StorageError
from pellucid.preparation.folds import Folds
from pellucid.selection.search_space import Space, name_of_setting
from pellucid.settings.settings import Settings, setting_names

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Study", "identity_of", "is_journal", "need_optuna"]

_NAME = "pellucid"
_IDENTITY, _PROCESS, _MEASURED = "pellucid", "process", "measured"
_AT_RANDOM = 10  # trials at random before TPE starts; pruning starts after half as many
_LONGEST_LINE = 1 << 16
_FIRST = b'{"op_code":0'
# What may differ between machines.
_MACHINE = ("test_data", "engine", "products", "device", "threads", "verdict", "report", "rows")


def need_optuna() -> Any:
    """Import Optuna, an optional package, with logging reduced to errors.

    Raises
    ------
    SettingError
        It is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise SettingError("a search needs Optuna, which is not installed: pip install 'pellucid[search]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def identity_of(folds: Folds, space: Space, metric: str) -> dict[str, Any]:
    """What comparable trials have in common: rows, folds, metric, fixed settings and space.

    >>> from pellucid.preparation.folds import cut_folds
    >>> from pellucid.selection.search_space import space_for
    >>> cut = cut_folds("iris", Settings(target="species"), folds=3)
    >>> found = identity_of(cut, space_for(cut, "accuracy", []), "accuracy")
    >>> found["folds"], found["target"], len(found["rows"])
    (3, 'species', 64)
    """
    base = folds.base
    digest = hashlib.sha256()
    hashes = row_hashes(base.table, base.table.names)
    for split in folds.splits:
        for part in (split.train, split.validation, split.test):
            digest.update(np.sort(hashes[part]).tobytes())
    searched = {each.name for each in space.dimensions}
    told = {"target", "task", *_MACHINE, *searched}
    plain, fixed = Settings().to_json(), space.fixed.to_json()
    return {
        "rows": digest.hexdigest(),
        "target": base.settings.target,
        "task": base.task.kind,
        "folds": len(folds),
        "metric": metric,
        "settings": {n: fixed[n] for n in setting_names() if n not in told and fixed[n] != plain[n]},
        "space": space.to_json(),
    }


class Study:
    """The trials of a search, in a storage that processes can share.

    Parameters
    ----------
    where
        A file for the journal, or the URL of a database.
    identity
        What `identity_of` returns for this search; the study of another search is refused.
    space, higher_is_better, seed
        The search space, the direction of the score, and the seed of TPE. A proposal depends on the seed, the trial's
        number and the finished trials, so an interrupted search continues as if it had not been interrupted.

    Raises
    ------
    SettingError
        The study belongs to another table, target, space …, or Optuna is missing.
    StorageError
        The storage cannot be read or written.
    """

    def __init__(
        self, where: str, identity: Mapping[str, Any], space: Space, *, higher_is_better: bool, seed: int
    ) -> None:
        self._optuna = need_optuna()
        self.where, self.space, self._seed = where, space, seed
        with _as_storage_errors(where):
            self._study = self._open("maximize" if higher_is_better else "minimize")
            known = self._study.user_attrs.get(_IDENTITY)
            if known is None:
                self._study.set_user_attr(_IDENTITY, dict(identity))
                known = self._study.user_attrs.get(_IDENTITY)
        _check_identity(known, identity, where)

    def _open(self, direction: str) -> Any:
        """The study, created if missing; an existing one is only read, because it may belong to another search."""
        facts = {
            "study_name": _NAME,
            "storage": self._storage(),
            "sampler": self._sampler(0),
            # A trial whose mean over the folds so far is worse than that of half the trials ends there.
            "pruner": self._optuna.pruners.MedianPruner(n_startup_trials=_AT_RANDOM // 2),
        }
        try:
            return self._optuna.load_study(**facts)
        except KeyError:
            return self._optuna.create_study(**facts, direction=direction, load_if_exists=True)

    def ask(self) -> tuple[Any, dict[str, Any]]:
        """The next trial and its values."""
        with _as_storage_errors(self.where):
            self._fail_orphans()
            self._propose_default()
            trial = self._study.ask()
            trial.set_user_attr(_PROCESS, f"{socket.gethostname()}:{os.getpid()}")
            self._study.sampler = self._sampler(trial.number + 1)
            return trial, self.space.ask(trial)

    def prune(self, trial: Any, fold: int, mean: float) -> bool:
        """Report the mean over the folds so far; returns whether to end the trial early."""
        with _as_storage_errors(self.where):
            trial.report(mean, fold)
            return bool(trial.should_prune())

    def tell(self, trial: Any, state: str, score: float | None, facts: Mapping[str, Any]) -> None:
        """End a trial.

        Parameters
        ----------
        trial
            From `ask`.
        state
            ``complete`` with a score, ``pruned``, or ``fail`` if it was interrupted.
        score
            The mean over the folds; ``None`` unless complete.
        facts
            What is kept with the trial, as plain JSON values.
        """
        with _as_storage_errors(self.where):
            for name, value in facts.items():
                trial.set_user_attr(name, value)
            self._study.tell(trial, score, state=self._optuna.trial.TrialState[state.upper()])

    def trials(self) -> list[Any]:
        """All trials, of every process."""
        with _as_storage_errors(self.where):
            return list(self._study.get_trials(deepcopy=False))

    def begun(self) -> int:
        """How many trials are finished or running."""
        return sum(trial.state.name in ("COMPLETE", "PRUNED") or _is_at_work(trial) for trial in self.trials())

    def has_score(self) -> bool:
        """Whether at least one trial was scored on all folds."""
        return any(trial.state.name == "COMPLETE" for trial in self.trials())

    def count_measurement(self) -> int:
        """Record that the test rows were used; returns how often they were used before."""
        with _as_storage_errors(self.where):
            before = int(self._study.user_attrs.get(_MEASURED, 0))
            self._study.set_user_attr(_MEASURED, before + 1)
        return before

    def importances(self) -> dict[str, float]:
        """The importance of each dimension, largest first; empty with too few trials.

        By PED-ANOVA (Watanabe, Bansal & Hutter 2023), which compares the better trials with all trials.
        """
        if sum(trial.state.name == "COMPLETE" for trial in self.trials()) < 2 * _AT_RANDOM:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is marked as experimental
            evaluator = self._optuna.importance.PedAnovaImportanceEvaluator()
            try:
                found = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
            except (ValueError, RuntimeError):  # such as scores that are all equal
                return {}
        return {name: float(share) for name, share in found.items() if np.isfinite(share)}

    def _sampler(self, number: int) -> Any:
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Running trials of other processes count as bad ones, so that they are not proposed again.
            return self._optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=_AT_RANDOM, multivariate=False, constant_liar=True
            )

    def _storage(self) -> Any:
        if "://" in self.where:
            return self._optuna.storages.RDBStorage(self.where)
        journal = self._optuna.storages.journal
        lock = _JournalLock(Path(self.where), journal.JournalFileOpenLock(self.where))
        Path(self.where).parent.mkdir(parents=True, exist_ok=True)
        _check_journal(Path(self.where))
        _drop_torn_line(Path(self.where), lock)
        return self._optuna.storages.JournalStorage(journal.JournalFileBackend(self.where, lock_obj=lock))

    def _fail_orphans(self) -> None:
        """End trials whose process on this machine no longer exists, so that they do not count."""
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state.name == "RUNNING" and _is_gone(str(trial.user_attrs.get(_PROCESS, ""))):
                self._study.tell(trial.number, state=self._optuna.trial.TrialState.FAIL, skip_if_finished=True)

    def _propose_default(self) -> None:
        """Make the default setting the next trial, unless it is finished or running."""
        default, wanted = dict(self.space.default), ("COMPLETE", "PRUNED", "WAITING")
        for trial in self._study.get_trials(deepcopy=False):
            given = trial.system_attrs.get("fixed_params", trial.params)
            if (trial.state.name in wanted or _is_at_work(trial)) and given == default:
                return
        self._study.enqueue_trial(default)


class _JournalLock:
    """Lets one process at a time write a journal, by a lock on the file, which a killed process does not leave behind.

    Without such locks (on Windows, or some file systems) it uses ``other``, Optuna's lock file, which outlives its
    owner by half a minute.
    """

    def __init__(self, path: Path, other: Any) -> None:
        self._path, self._other, self._descriptor = path, other, -1

    def acquire(self) -> bool:
        """Wait for the lock."""
        if fcntl is not None:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError:
                os.close(descriptor)
            else:
                self._descriptor = descriptor
                return True
        return bool(self._other.acquire())

    def release(self) -> None:
        """Release the lock."""
        if self._descriptor < 0:
            self._other.release()
            return
        descriptor, self._descriptor = self._descriptor, -1
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _is_at_work(trial: Any) -> bool:
    """Whether a trial has a live process; not if that was killed before it recorded its name."""
    process = str(trial.user_attrs.get(_PROCESS, ""))
    return bool(trial.state.name == "RUNNING" and process and not _is_gone(process))


def _is_gone(process: str) -> bool:
    host, _, number = process.rpartition(":")
    if os.name != "posix" or host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def is_journal(path: Path) -> bool:
    """Whether a file is the journal of a study, even if its first line is incomplete."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        first = stream.readline(_LONGEST_LINE)
    if not first.endswith(b"\n"):
        return first.startswith(_FIRST[: len(first)])
    try:
        line = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(line, dict) and line.get("op_code") == 0


def _check_journal(path: Path) -> None:
    """Refuse a file that is not a journal: Optuna would append to it."""
    if path.exists() and not is_journal(path):
        raise StorageError(
            f"{str(path)!r} already exists and is not a study of pellucid search: choose another file (--storage)"
        )


def _drop_torn_line(path: Path, lock: Any) -> None:
    """Remove an incomplete last line, which a power cut can leave and which makes a journal unreadable."""
    if not path.exists() or not path.stat().st_size:
        return
    lock.acquire()
    try:
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)
    finally:
        lock.release()


@contextmanager
def _as_storage_errors(where: str) -> Iterator[None]:
    """Turn errors of Optuna or the database into a `StorageError`."""
    try:
        yield
    except (PellucidError, AssertionError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise StorageError(
            f"the study in {where!r} cannot be read or written ({reason}): check the disk, the path or the URL, and "
            "whether it is a study of pellucid search; finished trials are kept in it"
        ) from error


def _check_identity(known: Any, identity: Mapping[str, Any], where: str) -> None:
    """Refuse a study whose trials could not be compared with those of this search."""
    if known == dict(identity):
        return
    if not isinstance(known, dict) or set(known) != set(identity):
        raise SettingError(f"the study in {where!r} was not made by this version of pellucid search: use another --out")
    order = ("target", "task", "folds", "metric", "space", "settings", "rows")
    differs = next(name for name in order if known[name] != identity[name])
    if differs == "space":
        said = _spaces(known["space"], identity["space"])
    elif differs == "settings":
        said = _first_difference(known["settings"], identity["settings"])
    elif differs == "rows":
        said = "it has other rows, or splits them differently"
    else:
        said = f"it has {differs} {known[differs]!r}, not {identity[differs]!r}"
    raise SettingError(
        f"the study in {where!r} belongs to another search: {said}; use the same table and settings to continue it, "
        "or choose another place (--out, --storage)"
    )


def _spaces(known: Any, now: Any) -> str:
    """Which setting is searched in only one of the two."""
    names = [{name_of_setting(str(each.get("name"))) for each in space} for space in (known, now)]
    if only := sorted(names[0] - names[1]):
        return f"it searches {', '.join(only)}, fixed here"
    if only := sorted(names[1] - names[0]):
        return f"it does not search {', '.join(only)}, searched here"
    return "it searches other ranges"


def _first_difference(known: Any, now: Mapping[str, Any]) -> str:
    if not isinstance(known, dict):
        return "it has other settings"
    plain = Settings().to_json()
    names = (name for name in setting_names() if known.get(name, plain[name]) != now.get(name, plain[name]))
    name = next(names, None)
    if name is None:
        return "it has other settings"
    return f"it has {name} {known.get(name, plain[name])!r}, not {now.get(name, plain[name])!r}"
