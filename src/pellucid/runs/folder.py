"""The run folder: where a run keeps everything, and how it gets its name.

::

    runs/iris-1/  config.yaml        every setting, resolved: `pellucid train -c` runs it again
                  log.txt            what was recognised, decided and measured, in order
                  checkpoints/       the state after the last saved epoch; `--resume` continues from it
                  model.safetensors  the model file: the only part that needs to be shared
                  history.csv        one line per epoch
                  metrics.json       the outcome
                  predictions.csv    the answers for the rows that measured it, numbered from 0
                  report.html        everything on one page, to read and to share
                  doctor.json        what the doctor found, and the snapshots of the layers behind it

Only these files are written, replaced or removed, and only in a folder that holds a run or nothing; other files stay.
Links in the folder are not followed. While a run is written, its folder is locked (`pellucid.io.lock`).
"""

from __future__ import annotations

import os
import re
import shlex
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pellucid.errors import PellucidError, RunFolderError, StorageError
from pellucid.io.files import atomic_writer, could_not, is_aside, sweep, sync_directory, write_text
from pellucid.io.lock import locked
from pellucid.model.model import MODEL_FILE, Model
from pellucid.runs.checkpoint import CHECKPOINT
from pellucid.settings.config import CONFIG_FILE, RUN_HEADING, is_there_again, read_config
from pellucid.settings.settings import Settings
from pellucid.visible import one_line

__all__ = ["FILES", "RunFolder", "refuse_link"]

FILES = {
    "config": CONFIG_FILE,
    "log": "log.txt",
    "model": MODEL_FILE,
    "history": "history.csv",
    "metrics": "metrics.json",
    "predictions": "predictions.csv",
    "doctor": "doctor.json",
    "report": "report.html",
}
_CHECKPOINTS = "checkpoints"
_is_ours = frozenset(FILES.values()).__contains__
_NETWORK = re.compile(r"network-\d+(-last)?\.safetensors")  # an ensemble's, in the checkpoints folder

Begin = Callable[[str, str], "RunFolder"]  # from the name of the table and the text of config.yaml


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @classmethod
    @contextmanager
    def reserved(cls, out: str | os.PathLike[str] | None, *, overwrite: bool) -> Iterator[Begin]:
        """Make sure that a run may be written to ``out``, and lock it while the block runs.

        The yielded function makes the folder with its ``config.yaml``, both or neither. Without ``out`` it is
        ``runs/<name>-<n>`` with the smallest free ``n``.

        Raises
        ------
        RunFolderError
            ``out`` is a file, holds something and ``overwrite`` is not given, holds something that is no run, or is
            being written by another process.
        """
        with ExitStack() as held:
            if out is None:
                yield lambda name, config: cls._numbered(name, config, held)
                return
            path = Path(out)
            if path.is_dir():
                held.enter_context(locked(path))
                cls._check_replaceable(path, overwrite=overwrite)
                yield lambda name, config: cls._begun_anew(path, config)
                return
            if path.exists():
                raise RunFolderError(f"{str(path)!r} is a file: name a folder for the run")
            if path.is_symlink():
                raise RunFolderError(f"{str(path)!r} is a broken link: name a folder for the run")
            yield lambda name, config: cls._named(path, config, held)

    @classmethod
    def _numbered(cls, name: str, config: str, held: ExitStack) -> RunFolder:
        parent, number = Path("runs"), 1
        try:
            parent.mkdir(exist_ok=True)
            while True:
                path = parent / f"{name}-{number}"
                if not os.path.lexists(path) and cls._claim(path, config, held):
                    return cls(path)
                number += 1
        except OSError as error:
            raise StorageError(could_not("write", parent, error)) from error

    @classmethod
    def _named(cls, path: Path, config: str, held: ExitStack) -> RunFolder:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not cls._claim(path, config, held):
                raise RunFolderError(f"the folder {str(path)!r} has just been taken by another run: name another")
        except OSError as error:
            raise StorageError(could_not("write", path, error)) from error
        return cls(path)

    @staticmethod
    def _claim(path: Path, config: str, held: ExitStack) -> bool:
        """Make the folder under a temporary name, locked, with its config; rename it; false if the name is taken."""
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")
        aside.mkdir()
        with ExitStack() as lock:
            lock.enter_context(locked(aside))
            try:
                write_text(aside / CONFIG_FILE, config)
                aside.rename(path)  # fails if there is a non-empty folder of that name
                sync_directory(path.parent)
            except OSError:
                with suppress(OSError):
                    (aside / CONFIG_FILE).unlink()
                    aside.rmdir()
                if path.is_dir():
                    return False
                raise
            held.push(lock.pop_all())
        return True

    @classmethod
    def _check_replaceable(cls, path: Path, *, overwrite: bool) -> None:
        """Raise if an existing folder may not become this run's."""
        try:
            if all(is_aside(each.name, _is_ours) for each in path.iterdir()):
                return
        except OSError as error:
            raise StorageError(could_not("read", path, error)) from error
        folder = cls(path)
        if not folder.is_run:
            raise RunFolderError(
                f"the folder {str(path)!r} is not empty and holds no run of Pellucid, so nothing in it is replaced: "
                "name another with out (--out)"
            )
        if not overwrite:
            raise RunFolderError(
                f"the folder {str(path)!r} is not empty: name another with out (--out), go on with it by --resume, "
                "or replace its run with --overwrite"
            )
        folder.refuse_links()

    @classmethod
    def _begun_anew(cls, path: Path, config: str) -> RunFolder:
        """Put this run's config into a folder that is empty or holds an old run, which then no longer counts as a run.

        The old model stays until the new one replaces it; files that would mark this run as begun or finished are
        removed.
        """
        folder = cls(path)
        folder.sweep()
        try:
            with atomic_writer(folder.file("config")) as stream:
                stream.write(config.encode())
                stream.flush()
                os.fsync(stream.fileno())  # before anything is removed: the disk may be full
                for file in (folder.file("metrics"), folder.checkpoint, folder.file("log")):
                    file.unlink(missing_ok=True)
                folder.forget_networks()
        except OSError as error:
            raise StorageError(could_not("write", path, error)) from error
        return folder

    def file(self, what: str) -> Path:
        """The path of one of `FILES`."""
        return self.path / FILES[what]

    @property
    def checkpoint(self) -> Path:
        """The path of the last checkpoint."""
        return self.path / _CHECKPOINTS / CHECKPOINT

    @property
    def is_run(self) -> bool:
        """Whether a run was begun here, finished or not, or one was saved."""
        config = self.file("config")
        if not config.is_file():
            return self._was_saved
        try:
            settings, _ = read_config(config)
            Settings.of(settings)
            with config.open(encoding="utf-8") as stream:
                return stream.readline().strip() == f"# {RUN_HEADING}"
        except (PellucidError, OSError, ValueError):
            return False

    @property
    def _was_saved(self) -> bool:
        """Whether this is what `pellucid.Run.save` writes: model, history and metrics, and no other file of a run."""
        if any(os.path.lexists(self.file(what)) for what in ("config", "log", "predictions", "doctor", "report")):
            return False
        try:
            return Model.read(self.path) is not None
        except PellucidError:
            return False

    @property
    def is_finished(self) -> bool:
        """Whether the outcome has been written; it is written last."""
        return self.file("metrics").exists()

    @property
    def lost(self) -> tuple[str, ...]:
        """The missing files of a finished run; `resume` writes them again."""
        return tuple(
            FILES[what] for what in ("model", "history", "predictions", "doctor") if not self.file(what).exists()
        )

    @contextmanager
    def writing(self, *whats: str) -> Iterator[None]:
        """Lock the folder while the block runs; ``whats`` are the `FILES` that it writes; if empty, all of them.

        Raises
        ------
        RunFolderError
            Another process is writing here, or a file is a link.
        """
        with locked(self.path):
            self.refuse_links(*whats)
            self.sweep()
            yield

    def refuse_links(self, *whats: str) -> None:
        """Raise if a file of the run, or its checkpoints folder, is a link: it may point to someone else's file."""
        for name in [FILES[what] for what in whats] or [*FILES.values(), _CHECKPOINTS]:
            refuse_link(self.path / name)

    def command(self, name: str, *options: str) -> str:
        """The command to type for this folder.

        >>> RunFolder("my run").command("train", "--resume")
        "pellucid train 'my run' --resume"
        """
        return shlex.join(["pellucid", name, str(self.path), *options])

    @property
    def has_table(self) -> bool:
        """Whether the run's table can be read again; one in memory cannot."""
        try:
            return is_there_again(read_config(self.file("config"))[1])
        except PellucidError:
            return False

    def by(self, name: str, *options: str) -> str:
        """How to do something that needs the run's table: with a command, if that can work."""
        if self.has_table:
            return f"by: {self.command(name, *options)}"
        with suppress(PellucidError):
            if read_config(self.file("config"))[1] is not None:
                return "by training again: its table came through standard input"
        return "by training again: its table was in memory"

    def ready_for_checkpoints(self) -> None:
        """Make the folder for them."""
        try:
            self.checkpoint.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageError(could_not("write", self.checkpoint.parent, error)) from error

    def forget_networks(self) -> None:
        """Remove an ensemble's files among the checkpoints."""
        for file in self.checkpoint.parent.glob("network-*.safetensors"):
            if _NETWORK.fullmatch(file.name):
                file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the temporary files of a killed process."""
        sweep(self.path, _is_ours)
        if not self.checkpoint.parent.is_symlink():
            sweep(self.checkpoint.parent, lambda name: name == CHECKPOINT or _NETWORK.fullmatch(name) is not None)

    def log(self, lines: Sequence[str]) -> None:
        """Add lines to the log, each as one line of visible characters."""
        file, text = self.file("log"), "".join(f"{one_line(line)}\n" for line in lines)
        try:
            refuse_link(file)
            if file.exists() and file.stat().st_nlink > 1:  # a hard link to it elsewhere (`cp -l`) stays unchanged
                write_text(file, file.read_text(encoding="utf-8", errors="replace") + text)
            else:
                with file.open("a", encoding="utf-8") as stream:
                    stream.write(text)
        except OSError as error:
            raise StorageError(could_not("write", file, error)) from error

    @classmethod
    def existing(cls, path: str | os.PathLike[str]) -> RunFolder:
        """The folder of an existing run.

        Raises
        ------
        RunFolderError
            There is no run in it.
        """
        folder = cls(path)
        if not folder.path.is_dir():
            raise RunFolderError(f"there is no run folder {os.fspath(path)!r}: check the path")
        if not folder.file("config").is_file():
            raise RunFolderError(f"{os.fspath(path)!r} is not a run folder: it holds no {CONFIG_FILE}")
        return folder


def refuse_link(path: Path) -> None:
    """Raise if a path that a run would write is a symbolic link.

    Raises
    ------
    RunFolderError
        It is one.
    """
    if path.is_symlink():
        raise RunFolderError(
            f"{str(path)!r} is a link, and nothing is written or removed through links: remove the link, or name "
            "another folder"
        )
