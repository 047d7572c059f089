"""Choose the size and the number of channels for all images of a source, and explain the choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from pellucid.errors import DataError

__all__ = ["check_image", "check_memory", "chosen_channels", "chosen_size", "in_words"]

Size = tuple[int, int]  # height, width

LONGER_SIDE = 64
_BOTH = 0.2  # of the images
MAX_BYTES = 4_000_000_000
MAX_BYTES_AN_IMAGE = 2**31 - 1  # what Arrow can hold in a row


def in_words(size: Size) -> str:
    """Height × width.

    >>> in_words((400, 600))
    '400 × 600'
    """
    return f"{size[0]} × {size[1]}"


def chosen_size(
    sizes: Sequence[Size], asked: Size | None, longer_side: int = LONGER_SIDE
) -> tuple[Size, tuple[str, ...]]:
    """The size for all images, and notes that say why.

    Parameters
    ----------
    sizes
        Height and width of each image.
    asked
        The requested size. When None, the most common size (on a tie, the one closest to the median height and width),
        reduced to the longer side below if it has more pixels than its square. Where such images lie and stand, at
        least a fifth each, the size is square, so that neither are stretched much.
    longer_side
        The limit in pixels for a size that was not requested.

    >>> chosen_size([(400, 600)] * 2, None)[0], chosen_size([(400, 600)] * 2, None, 128)[0]
    ((43, 64), (85, 128))
    >>> chosen_size([(400, 600), (600, 400), (600, 400)], None)[0]
    (64, 64)
    >>> chosen_size([(30, 40), (30, 40), (8, 8)], None)[0]
    (30, 40)
    """
    counts = Counter(sizes)
    common = _most_common(counts)
    size = asked or _reduced(common, longer_side)
    square = asked is None and size != common and _lie_and_stand(sizes)
    if square:
        size = (longer_side, longer_side)
    n, n_common, n_same = len(sizes), counts[common], counts[size]
    if len(counts) == 1:
        first = f"all {n:,} images have" if n > 1 else "the image has"
        notes = [f"{first} {in_words(common)} pixels (height × width)"]
    else:
        by_area = sorted(counts, key=lambda s: (s[0] * s[1], s))
        notes = [
            f"the {n:,} images have {len(counts):,} sizes, from {in_words(by_area[0])} to {in_words(by_area[-1])} "
            f"pixels (height × width); {n_common:,} of them {'has' if n_common == 1 else 'have'} {in_words(common)}"
        ]
    if asked is None and size != common:
        notes.append(
            f"images were reduced from {in_words(common)} to {in_words(size)} pixels, which a network learns much "
            f"faster{' (square, since some images lie and some stand)' if square else ''}; image_size sets another size"
        )
    if n_same < n and (asked is not None or len(counts) > 1):
        stretched = any(_shape_differs(other, size) for other in counts)
        how = ", stretched where their shape differs (nothing is cut off)" if stretched else ""
        were = "was" if n - n_same == 1 else "were"
        notes.append(f"{n - n_same:,} of {n:,} images {were} resized to {in_words(size)} pixels{how}")
    return size, tuple(notes)


def _most_common(counts: Counter[Size]) -> Size:
    most = max(counts.values())
    first = [size for size, n in counts.items() if n == most]
    if len(first) == 1:
        return first[0]
    height, width = (median(size[axis] for size in first) for axis in (0, 1))
    return min(first, key=lambda size: (abs(size[0] - height) + abs(size[1] - width), size))


def _lie_and_stand(sizes: Sequence[Size]) -> bool:
    """Whether at least a fifth of the images are clearly wider than high, and at least a fifth higher than wide."""
    wide = sum(width > 1.1 * height for height, width in sizes)
    high = sum(height > 1.1 * width for height, width in sizes)
    return min(wide, high) >= _BOTH * len(sizes)


def _reduced(size: Size, longer_side: int) -> Size:
    height, width = size
    longer = max(size)
    if height * width <= longer_side**2:
        return size
    return max(1, round(height * longer_side / longer)), max(1, round(width * longer_side / longer))


def _shape_differs(one: Size, other: Size) -> bool:
    """Whether the shapes differ by more than rounding."""
    scale = max(other) / max(one)
    return any(abs(a * scale - b) > 1 for a, b in zip(one, other, strict=True))


def chosen_channels(n_colour: int, n: int, asked: int | None) -> tuple[int, str]:
    """1 (grey) or 3 (red, green, blue) channels, and a note that says why.

    >>> chosen_channels(0, 10, None)
    (1, 'read as grey (1 channel), like every image')
    """
    channels = asked or (3 if n_colour else 1)
    said = "read in colour (3 channels)" if channels == 3 else "read as grey (1 channel)"
    if n_colour not in (0, n):
        return channels, f"{said}; {n_colour:,} of {n:,} images {'is' if n_colour == 1 else 'are'} in colour"
    if (channels == 3) != bool(n_colour):
        return (
            channels,
            f"{said} because of image_channels, though every image is {'in colour' if n_colour else 'grey'}",
        )
    return channels, f"{said}, like every image"


def check_memory(n_images: int, size: Size, channels: int, source: str) -> None:
    """Refuse images that do not fit in memory, before any is decoded.

    Parameters
    ----------
    n_images
        The number of images.
    size
        Height and width.
    channels
        1 or 3.
    source
        The name of the source in messages.

    Raises
    ------
    DataError
        The images would take too much memory.
    """
    check_image(size, channels, source)
    an_image = size[0] * size[1] * channels
    if n_images * an_image > MAX_BYTES:
        raise DataError(
            f"{source} holds {n_images:,} images of {in_words(size)} pixels and {channels} channel"
            f"{'s' * (channels > 1)}, which makes {n_images * an_image / 1e9:,.1f} GB in memory; at most "
            f"{MAX_BYTES / 1e9:.0f} GB are read: set a smaller image_size"
        )


def check_image(size: Size, channels: int, source: str) -> None:
    """Refuse images of more values than a cell of a table can hold; raises `DataError`."""
    if size[0] * size[1] * channels > MAX_BYTES_AN_IMAGE:
        raise DataError(
            f"{source}: an image of {in_words(size)} pixels and {channels} channels has more than the "
            f"{MAX_BYTES_AN_IMAGE:,} values that a cell can hold: set a smaller image_size"
        )
