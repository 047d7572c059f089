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
                  doctor.json        what the doctor found, and the looks into the layers that it rests on
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pellucid.errors import RunFolderError, StorageError
from pellucid.files import could_not, sync_directory, write_text
from pellucid.training.checkpoint import CHECKPOINT
from pellucid.visible import one_line
from pellucid.workflow.config import CONFIG_FILE
from pellucid.workflow.model import MODEL_FILE

__all__ = ["FILES", "RunFolder"]

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


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, out: str | os.PathLike[str] | None, name: str, config: str, *, overwrite: bool) -> RunFolder:
        """Make a run's folder with its ``config.yaml`` in it, both or neither.

        Without ``out`` it is ``runs/<name>-<n>`` with the smallest free ``n``. A folder that holds anything is never
        touched without ``overwrite``; with it, only the files that a run writes are replaced.
        """
        try:
            if out is not None:
                return cls._create_named(Path(out), config, overwrite=overwrite)
            parent = Path("runs")
            parent.mkdir(exist_ok=True)
            number = 1
            while True:
                path = parent / f"{name}-{number}"
                if not path.exists() and cls._claim(path, config):
                    return cls(path)
                number += 1
        except OSError as error:
            raise StorageError(could_not("write", out or "runs", error)) from error

    @classmethod
    def _create_named(cls, path: Path, config: str, *, overwrite: bool) -> RunFolder:
        if path.exists() and not path.is_dir():
            raise RunFolderError(f"{str(path)!r} is a file: name a folder for the run")
        if path.is_dir() and any(path.iterdir()):
            if not overwrite:
                raise RunFolderError(
                    f"the folder {str(path)!r} is not empty: name another with out (--out), go on with it by --resume, "
                    "or replace its run with --overwrite"
                )
            folder = cls(path)
            # The old model stays until the new one takes its name; what would mark this run as begun or finished goes.
            write_text(folder.file("config"), config)
            for file in (folder.file("metrics"), folder.checkpoint, folder.file("log")):
                file.unlink(missing_ok=True)
            return folder
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            path.rmdir()
        if not cls._claim(path, config):
            raise RunFolderError(f"the folder {str(path)!r} was taken just now by another run: name another")
        return cls(path)

    @staticmethod
    def _claim(path: Path, config: str) -> bool:
        """Make the folder aside, complete with its config, and rename it; false if the name was taken meanwhile."""
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")
        aside.mkdir()
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
        return True

    def file(self, what: str) -> Path:
        """The path of one of `FILES`."""
        return self.path / FILES[what]

    @property
    def checkpoint(self) -> Path:
        """The path of the last checkpoint."""
        return self.path / "checkpoints" / CHECKPOINT

    @property
    def is_finished(self) -> bool:
        """Whether the outcome has been written; it is written last."""
        return self.file("metrics").exists()

    def ready_for_checkpoints(self) -> None:
        """Make the folder that they go to."""
        try:
            self.checkpoint.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageError(could_not("write", self.checkpoint.parent, error)) from error

    def sweep(self) -> None:
        """Remove what a killed process was writing aside when it died."""
        for part in (*self.path.glob(".*.part"), *self.checkpoint.parent.glob(".*.part")):
            with suppress(OSError):
                part.unlink()

    def log(self, lines: Sequence[str]) -> None:
        """Add lines to the log, each of them one line there, of visible characters."""
        try:
            with self.file("log").open("a", encoding="utf-8") as stream:
                stream.writelines(f"{one_line(line)}\n" for line in lines)
        except OSError as error:
            raise StorageError(could_not("write", self.file("log"), error)) from error

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
