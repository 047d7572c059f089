"""Output is never written over what is read: the table, images, the config file, the run, the script."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pellucid.data.given import is_builtin
from pellucid.errors import PellucidError, SettingError
from pellucid.runs.folder import FILES, RunFolder
from pellucid.settings.config import read_config

__all__ = ["check_output"]

_PICTURES = (".png", ".gif")


def check_output(
    out: str | os.PathLike[str],
    *,
    run: object = None,
    data: Iterable[object] | object = None,
    names: Iterable[str] | None = None,
    own: str | None = None,
) -> None:
    """Raise before any work is done where writing ``out`` would replace or change what is read.

    Two names of one file are the same file: other spellings, symbolic links, hard links.

    Parameters
    ----------
    out
        The file that is written, or the folder.
    run
        A run folder or a model file that is read; of a run folder, its table counts as well.
    data
        What else is read, one or several: tables, folders of images, config files. What is no path (a frame, ``None``,
        the name of a built-in set) counts as nothing.
    names
        The files that are written into the folder ``out``; ``None`` where ``out`` is itself a file.
    own
        One of `FILES` that the command may replace in the run.

    Raises
    ------
    SettingError
        Names what would be replaced.

    >>> check_output("answers.csv", data="iris")
    """
    target = Path(out)
    written = [target] if names is None else [target / name for name in names]
    several = data if isinstance(data, list | tuple) else [data]
    given = [*_files_of_run(run, own), *(each for each in several if not is_builtin(each))]
    for read in (Path(each) for each in given if isinstance(each, str | os.PathLike) and os.fspath(each)):
        if not _exists(read):
            continue
        for each in written:
            if _exists(each) and _is_read(each, read):
                raise SettingError(
                    f"the output {str(each)!r} is read by this command ({str(read)!r}): writing would replace it; name "
                    "another output"
                )
            if each.suffix.lower() in _PICTURES and read.is_dir() and _is_inside(each, read):
                raise SettingError(
                    f"the picture {str(each)!r} would lie among the images that are read ({str(read)!r}) and be taken "
                    "for one of them: name another place"
                )


def _files_of_run(run: object, own: str | None) -> Iterator[object]:
    """The files that are a run's own, and its table."""
    if not isinstance(run, str | os.PathLike):
        return
    if not Path(run).is_dir():
        yield run
        return
    folder = RunFolder(run)
    yield from (folder.file(what) for what in FILES if what != own)
    with suppress(OSError):
        yield from folder.checkpoint.parent.iterdir()
    with suppress(PellucidError, OSError):
        settings, source = read_config(folder.file("config"))
        yield from (each for each in (source, settings.get("test_data")) if not is_builtin(each))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _is_read(written: Path, read: Path) -> bool:
    """Whether a file that is there is the one that is read, or one of the folder that is read."""
    there = written.stat()
    if not read.is_dir():
        return os.path.samestat(there, read.stat())
    if written.is_dir():
        return False
    for folder, _, files in os.walk(read):
        for name in files:
            with suppress(OSError):
                if os.path.samestat(there, Path(folder, name).stat()):
                    return True
    return False


def _is_inside(target: Path, folder: Path) -> bool:
    return Path(os.path.realpath(target)).is_relative_to(os.path.realpath(folder))
