"""Find the class and the part (training, test) of each image from its folders.

::

    photos/cat/1.png            a folder for each class
    photos/dog/lying/2.png      a class may have folders of its own
    photos/train/cat/1.png      or a training part and a test part,
    photos/test/cat/3.png       each with a folder for each class
    photos/train/1.png          or, where no labels are needed,
    photos/test/3.png           these parts alone

A folder that contains only one folder is skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pellucid.data.files.stores import SUFFIXES, Listing
from pellucid.data.notes import CellNote
from pellucid.errors import DataError, nearest

__all__ = ["WANTED", "Layout", "Part", "lay_out"]

WANTED = "training needs a folder for each class, such as photos/cat/1.png and photos/dog/2.png"

_ROLES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """The image files of one part, and the class of each if there are classes."""

    files: tuple[str, ...]
    labels: tuple[str, ...] | None

    def __post_init__(self) -> None:
        """Check that there is one label for each file."""
        assert self.labels is None or len(self.labels) == len(self.files)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A training part, perhaps a test part, and notes for the user."""

    train: Part
    test: Part | None
    notes: tuple[str, ...]


def lay_out(listing: Listing, source: str, *, expect_labels: bool) -> Layout:
    """Sort the files of a listing into parts and classes.

    Raises
    ------
    DataError
        There are no images, labels are required and there are no class folders, or the test part has a class that is
        not in the training part.

    >>> layout = lay_out(Listing(images=("cat/1.png", "dog/2.png")), "'photos'", expect_labels=True)
    >>> layout.train.labels, layout.test
    (('cat', 'dog'), None)
    """
    notes = _left_out(listing)
    if not listing.images:
        zips = [name for name in listing.others if name.lower().endswith(".zip")]
        if len(zips) > 1:
            seen = f"; it holds {_many(len(zips), 'zip archive')} ({_names(zips)}): give one of them"
        else:
            seen = f"; it holds {_many(len(listing.others), 'other file')}" if listing.others else ""
        raise DataError(f"{source} holds no images: they must end in {', '.join(SUFFIXES)}{seen}")
    base = _looked_through(listing.images)
    roles, more = _roles(listing.images, base)
    notes += more
    if roles:
        return _parts(listing, base, roles, source, notes, expect_labels=expect_labels)
    part, more = _one_part(listing, [base], source, expect_labels=expect_labels)
    return Layout(train=part, test=None, notes=(*notes, *more))


def _looked_through(images: Sequence[str]) -> str:
    """The folder to start in, below folders that contain only one folder with folders in it."""
    base = ""
    while True:
        names = {_first(path, base) for path in images}
        below = [path[len(base) :] for path in images]
        if len(names) > 1 or None in names or any(path.count("/") < 2 for path in below):
            return base
        base += f"{names.pop()}/"


def _first(path: str, base: str) -> str | None:
    """The folder of a file below ``base`` (empty, or ending in /); None if it is directly in ``base``."""
    head, slash, _ = path[len(base) :].partition("/")
    return head if slash else None


def _roles(images: Sequence[str], base: str) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Role → folders, if folders are parts rather than classes; and a note if that is doubtful.

    Folders with the names of parts are parts if one of them has class folders, or if there are no other folders.
    """
    roles: dict[str, list[str]] = {}
    others: list[str] = []
    for name in sorted({name for name in (_first(path, base) for path in images) if name is not None}):
        role = _ROLES.get(name.lower())
        if role is None:
            others.append(name)
        else:
            roles.setdefault(role, []).append(f"{base}{name}/")
    if len(roles) < 2:
        return {}, ()
    folders = [folder for each in roles.values() for folder in each]
    if not others or _have_classes(images, folders):
        return roles, ()
    return {}, (
        f"{_names(folders)} were read as classes, not as parts, because {_names(others)} "
        f"{'is' if len(others) == 1 else 'are'} next to them",
    )


def _have_classes(images: Sequence[str], folders: Sequence[str]) -> bool:
    return any(_first(path, folder) is not None for folder in folders for path in _within(images, folder))


def _within(images: Iterable[str], folder: str) -> list[str]:
    return [path for path in images if path.startswith(folder)]


def _parts(
    listing: Listing,
    base: str,
    roles: dict[str, list[str]],
    source: str,
    notes: Sequence[str],
    *,
    expect_labels: bool,
) -> Layout:
    said = list(notes)
    folders = [folder for role in roles.values() for folder in role]
    outside = [path for path in listing.images if not path.startswith(tuple(folders))]
    if outside:
        beside = f"{_many(len(outside), 'image')} outside the parts {_were(outside)} left out (first: {outside[0]!r})"
        said.append(CellNote(beside))
    if "train" not in roles and expect_labels:
        raise DataError(
            f"{source} has {_names(folders)} but no folder 'train'; {WANTED}, or those within train and test"
        )
    if expect_labels and not _have_classes(listing.images, folders):
        raise DataError(
            f"{source} has the parts {_names(folders)}, but no class folders within them; training needs a folder for "
            "each class, such as train/cat/1.png and train/dog/2.png; images without classes "
            "are only for the task reconstruction"
        )
    training, testing = list(roles.get("train", [])), list(roles.get("test", []))
    validation = roles.get("validation", [])
    if validation and testing:
        training += validation
        said.append(
            f"the validation part {_names(validation)} was added to the training part, since there is a test part"
        )
    elif validation and training:
        testing = validation
        said.append(f"the validation part {_names(validation)} is used as the test part, since there is no other")
    else:
        training += validation
    if not training:
        training, testing = testing, []
    train, more = _one_part(listing, training, source, expect_labels=expect_labels)
    said += more
    if not testing:
        return Layout(train=train, test=None, notes=tuple(said))
    if expect_labels and not _have_classes(listing.images, testing):
        said.append(
            f"the test part {_names(testing)} has no class folders, so it cannot be used for testing and was left out"
        )
        return Layout(train=train, test=None, notes=tuple(said))
    test, more = _one_part(listing, testing, source, expect_labels=expect_labels)
    said += [note for note in more if note not in said]
    if train.labels is not None and test.labels is not None:
        said += _compared(train.labels, test.labels, source, strict=expect_labels)
    return Layout(train=train, test=test, notes=tuple(said))


def _one_part(
    listing: Listing, folders: Sequence[str], source: str, *, expect_labels: bool
) -> tuple[Part, tuple[str, ...]]:
    """The files in these folders (each empty, or ending in /), labelled by the folder below."""
    pairs = [(path, _first(path, folder)) for folder in folders for path in _within(listing.images, folder)]
    loose = [path for path, label in pairs if label is None]
    classes = sorted({label for _, label in pairs if label is not None})
    notes: list[str] = []
    for folder in folders:
        below = {_first(f"{name}/", folder) for name in listing.folders if f"{name}/".startswith(folder)} - {None, ""}
        empty = sorted(str(name) for name in below - {label for _, label in pairs})
        if empty and classes:
            notes.append(f"{_many(len(empty), 'class folder')} without images {_were(empty)} left out: {_names(empty)}")
    if loose and (len(classes) < 2 or not expect_labels):
        if expect_labels:
            where = f"'{folders[0].rstrip('/')}' in {source}" if folders[0] else source
            but = f"only the folder {classes[0]!r}" if classes else "no folders"
            raise DataError(f"{where} holds {_many(len(loose), 'image')} and {but}; {WANTED}")
        if classes:
            notes.append("some images are outside the class folders, so no image got a label")
        return Part(files=tuple(path for path, _ in pairs), labels=None), tuple(notes)
    if loose:
        beside = f"{_many(len(loose), 'image')} outside the class folders {_were(loose)} left out (first: {loose[0]!r})"
        notes.append(CellNote(beside))
    kept = [(path, label) for path, label in pairs if label is not None]
    return Part(files=tuple(path for path, _ in kept), labels=tuple(label for _, label in kept)), tuple(notes)


def _compared(train: Sequence[str], test: Sequence[str], source: str, *, strict: bool) -> list[str]:
    known, met = sorted(set(train)), sorted(set(test))
    strange = [label for label in met if label not in set(known)]
    if strange and strict:
        raise DataError(
            f"{source}: the test part has the class {strange[0]!r}, which is not in the training part"
            f"{nearest(strange[0], known)}; both parts must have the same class folders"
        )
    absent = [label for label in known if label not in set(met)]
    return [f"the test part has no image of {_names(absent)}"] if absent and strict else []


def _left_out(listing: Listing) -> list[str]:
    if not listing.others:
        return []
    ends = Counter(_ending(name) for name in listing.others)
    shown = ", ".join(f"{n:,} {end}" for end, n in ends.most_common(4)) + (" …" if len(ends) > 4 else "")
    no_images = "file that is not an image was" if len(listing.others) == 1 else "files that are not images were"
    return [f"{len(listing.others):,} {no_images} left out: {shown}"]


def _ending(name: str) -> str:
    stem, dot, end = name.rpartition("/")[2].rpartition(".")
    return f".{end.lower()}" if dot and stem else "without ending"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name.rstrip("/").rpartition("/")[2]) for name in names[:6])
    return f"{shown} and {len(names) - 6:,} more" if len(names) > 6 else shown


def _many(n: int, word: str) -> str:
    return f"{n:,} {word}" + ("" if n == 1 else "s")


def _were(things: Sequence[str]) -> str:
    return "was" if len(things) == 1 else "were"
