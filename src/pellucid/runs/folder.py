"""The run folder: where a run keeps everything, and how it comes to its name.

::

    runs/iris-1/  config.yaml        every setting, resolved: `pellucid train -c` runs it again
                  log.txt            what was recognised, decided and measured, in order
                  checkpoints/       the state after the last saved epoch; `--resume` goes on from it
                  model.safetensors  the model file: the only part that needs to be shared
                  history.csv        a line an epoch
                  metrics.json       the outcome
                  predictions.csv    the answers for the rows that measured it, by number from 0
                  report.html        all of it on one page, to be read and passed on
                  doctor.json        what the doctor found, and the snapshots of the layers that it rests on

Only these files are written, replaced or removed, and only in a folder that holds a run or nothing; whatever else lies
beside them stays. Links in the folder are not followed. While a run is written, its folder is locked
(`pellucid.io.lock`).
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
_NETWORK = re.compile(r"network-\d+(-last)?\.safetensors")  # an ensemble's, in the folder of checkpoints

Begin = Callable[[str, str], "RunFolder"]  # from the name of the table and the text of config.yaml


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @classmethod
    @contextmanager
    def reserved(cls, out: str | os.PathLike[str] | None, *, overwrite: bool) -> Iterator[Begin]:
        """Make sure that a run may be written to ``out``, and keep others from it while the block runs.

        What is yielded makes the folder, with its ``config.yaml`` in it, both or neither. Without ``out`` it is
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
                raise RunFolderError(f"{str(path)!r} is a link to a place that is not there: name a folder for the run")
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
                raise RunFolderError(f"the folder {str(path)!r} was taken just now by another run: name another")
        except OSError as error:
            raise StorageError(could_not("write", path, error)) from error
        return cls(path)

    @staticmethod
    def _claim(path: Path, config: str, held: ExitStack) -> bool:
        """Make the folder aside, locked and with its config, and rename it; false if the name was taken meanwhile."""
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")
        aside.mkdir()
        with ExitStack() as lock:
            lock.enter_context(locked(aside))
            try:
                write_text(aside / CONFIG_FILE, config)
                aside.rename(path)  # fails if the name holds a folder with anything in it
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
        """Raise where a folder that is there may not become this run's."""
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
        """Put this run's config into a folder that is empty or holds a run, which then is one no more.

        The old model stays until the new one takes its name; what would mark this run as begun or finished goes.
        """
        folder = cls(path)
        folder.sweep()
        try:
            with atomic_writer(folder.file("config")) as stream:
                stream.write(config.encode())
                stream.flush()
                os.fsync(stream.fileno())  # before anything goes, for the disk may be full
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
        """Whether a run was begun here, whatever became of it, or one was saved."""
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
        """Of a finished run, the files that are not there any more; `resume` writes them again."""
        return tuple(
            FILES[what] for what in ("model", "history", "predictions", "doctor") if not self.file(what).exists()
        )

    @contextmanager
    def writing(self, *whats: str) -> Iterator[None]:
        """Keep other writers out while the block runs; ``whats`` are the `FILES` that it writes, all without any.

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
        """Raise where a file of the run, or its folder of checkpoints, is a link: what it points to is another's."""
        for name in [FILES[what] for what in whats] or [*FILES.values(), _CHECKPOINTS]:
            refuse_link(self.path / name)

    def command(self, name: str, *options: str) -> str:
        """What to type for this folder.

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
        """How something is done that needs the run's table: by a command, where that can work."""
        if self.has_table:
            return f"by: {self.command(name, *options)}"
        with suppress(PellucidError):
            if read_config(self.file("config"))[1] is not None:
                return "by training again: its table came through standard input"
        return "by training again: its table was in memory"

    def ready_for_checkpoints(self) -> None:
        """Make the folder that they go to."""
        try:
            self.checkpoint.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageError(could_not("write", self.checkpoint.parent, error)) from error

    def forget_networks(self) -> None:
        """Remove what an ensemble has kept among the checkpoints."""
        for file in self.checkpoint.parent.glob("network-*.safetensors"):
            if _NETWORK.fullmatch(file.name):
                file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a killed process was writing aside when it died."""
        sweep(self.path, _is_ours)
        if not self.checkpoint.parent.is_symlink():
            sweep(self.checkpoint.parent, lambda name: name == CHECKPOINT or _NETWORK.fullmatch(name) is not None)

    def log(self, lines: Sequence[str]) -> None:
        """Add lines to the log, each of them one line there, of visible characters."""
        file, text = self.file("log"), "".join(f"{one_line(line)}\n" for line in lines)
        try:
            refuse_link(file)
            if file.exists() and file.stat().st_nlink > 1:  # the same file elsewhere (`cp -l`) stays as it is
                write_text(file, file.read_text(encoding="utf-8", errors="replace") + text)
            else:
                with file.open("a", encoding="utf-8") as stream:
                    stream.write(text)
        except OSError as error:
            raise StorageError(could_not("write", file, error)) from error

    @classmethod
    def existing(cls, path: str | os.PathLike[str]) -> RunFolder:
        """The folder of a run that was begun.

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
    """Raise where a path of a run that is to be written is a symbolic link.

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
