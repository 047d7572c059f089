"""Saving the story of a study or a lesson: its folder appears under its name only when it is complete."""

from __future__ import annotations

import errno
import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import RunFolderError, StorageError
from pellucid.io.files import could_not, sync_directory, write_text
from pellucid.io.lock import locked
from pellucid.studies.catalogue import CATALOGUE
from pellucid.studies.story import Story, plain

__all__ = ["check_free", "keep", "keep_folder"]


def keep(story: Story, name: str, settings: Mapping[str, Any], out: str | os.PathLike[str] | None = None) -> Path:
    """Write ``story.md``, ``results.json``, ``settings.json`` and every picture (PNG and SVG), all or nothing.

    Parameters
    ----------
    story
        What a study told.
    name
        The study's name in the catalogue.
    settings
        The settings it ran with; written to ``settings.json``.
    out
        The folder to create, or an empty one; by default ``runs/<name>-<n>`` with the smallest free ``n``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunFolderError
        ``out`` is a file, or a folder that is not empty.
    StorageError
        The folder could not be written: the disk is full, a permission is missing ….
    """
    if out is not None:
        check_free(out)

    def write(folder: Path) -> None:
        story.save(folder, title=story.title or CATALOGUE[name].title)
        chosen = {"study": name, "settings": plain(settings)}
        write_text(folder / "settings.json", json.dumps(chosen, indent=2, ensure_ascii=False) + "\n")

    return keep_folder(write, name, out)


def keep_folder(write: Callable[[Path], None], name: str, out: str | os.PathLike[str] | None = None) -> Path:
    """Let ``write`` fill a temporary folder, which then gets its final name; parameters and errors as in `keep`."""
    # Links and '.' are resolved, so that the temporary folder lies beside the final one, or inside it if that exists.
    home = Path(out).resolve() if out is not None else None
    parent = Path("runs").resolve() if home is None else home if home.is_dir() else home.parent
    aside = parent / f".{name}.{uuid.uuid4().hex[:12]}.part"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        write(aside)
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        if isinstance(error, OSError):
            raise StorageError(could_not("write", out or parent, error)) from error
        raise
    try:
        path = _take_name(aside, parent, name, home)
        sync_directory(path.parent)
    except OSError as error:
        raise StorageError(f"{could_not('write', out or parent, error)}; everything is kept in {aside}") from error
    return Path(out) if out is not None else Path("runs") / path.name


def check_free(out: str | os.PathLike[str]) -> None:
    """Raise, before any work is done, if a study could not be saved to ``out``."""
    path = Path(out)
    if path.exists() and not path.is_dir():
        raise RunFolderError(f"{str(path)!r} is a file: name a folder")
    if path.is_dir() and any(path.iterdir()):
        raise RunFolderError(f"the folder {str(path)!r} is not empty: name another with out (--out)")
    there = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
    if not there.is_dir():
        raise RunFolderError(f"{str(path)!r} cannot be a folder, because {str(there)!r} is a file: name another")
    if not os.access(there, os.W_OK | os.X_OK):
        raise StorageError(
            f"could not write {str(path)!r}: no permission to write in {str(there)!r}; name another folder"
        )


def _take_name(aside: Path, parent: Path, name: str, home: Path | None) -> Path:
    if home is not None and home == parent:  # an empty folder that was there: it may be where the user stands
        with locked(home, wait=True):
            if any(not each.name.startswith(f".{name}.") for each in home.iterdir()):
                raise OSError(errno.ENOTEMPTY, "something else was kept there meanwhile")
            for file in aside.iterdir():
                file.rename(home / file.name)
            aside.rmdir()
        return home
    if home is not None:
        aside.rename(home)
        return home
    number = 1
    while True:
        path = parent / f"{name}-{number}"
        if not os.path.lexists(path):
            try:
                aside.rename(path)  # fails if another study took the name meanwhile and put something into it
                return path
            except OSError:
                if not path.exists():
                    raise
        number += 1
