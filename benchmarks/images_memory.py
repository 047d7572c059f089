"""How much memory a training on many large pictures takes: writes a part of IMAGES.md.

    python benchmarks/images_memory.py [--pictures 20000] [--side 256] [--work FOLDER]

Pictures of four classes are drawn, kept as JPEG files and trained on once with a small network, peers, doctor and
report included. What is measured is the memory that the process itself holds (``RssAnon`` of Linux), every tenth of a
second: the pages of the cache on disk, which the system may drop at any time, do not count. Linux only.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

import pellucid

PAGE = Path(__file__).resolve().parent / "IMAGES.md"
BEGIN, END = "<!-- memory: begin -->", "<!-- memory: end -->"


def main() -> None:
    """Draw, train, watch, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.work) as work:
        photos = drawn(Path(work) / "photos", asked.pictures, asked.side)
        peak, ended = [0], threading.Event()
        watcher = threading.Thread(target=watch, args=(peak, ended))
        watcher.start()
        began = time.perf_counter()
        pellucid.train(
            photos,
            image_size=(asked.side, asked.side),
            channels=(4, 8),
            epochs=1,
            batch_size=32,
            out=Path(work) / "run",
        )
        ended.set()
        watcher.join()
    said(asked.pictures, asked.side, peak[0] / 1024**2, time.perf_counter() - began)


def drawn(folder: Path, n: int, side: int) -> Path:
    """Four classes of 8 × 8 blotches, each picture a little other than its class."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 255, (4, 8, 8, 3))
    for kind in range(4):
        (folder / f"class{kind}").mkdir(parents=True)
    for i in range(n):
        blotches = np.clip(kinds[i % 4] + rng.integers(-60, 60, (8, 8, 3)), 0, 255).astype(np.uint8)
        large = Image.fromarray(blotches).resize((side, side), Image.Resampling.NEAREST)
        large.save(folder / f"class{i % 4}" / f"{i}.jpg", quality=60)
    return folder


def watch(peak: list[int], ended: threading.Event) -> None:
    """Keep the most kilobytes that the process has held."""
    while not ended.wait(0.1):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                peak[0] = max(peak[0], int(line.split()[1]))


def said(pictures: int, side: int, gib: float, seconds: float) -> None:
    """Put the sentence into the page."""
    text = PAGE.read_text(encoding="utf-8")
    told = (
        f"## How much memory it takes\n\n{pictures:,} JPEG files of {side} × {side}, one epoch of a small network, "
        f"peers, doctor and report: at most **{gib:.1f} GiB** (`benchmarks/images_memory.py`; "
        f"{seconds / 60:.0f} minutes)."
    )
    block = f"{BEGIN}\n{told}\n{END}"
    if BEGIN in text:
        text = text[: text.index(BEGIN)] + block + text[text.index(END) + len(END) :]
    else:
        text = text.rstrip() + "\n\n" + block + "\n"
    PAGE.write_text(text, encoding="utf-8")
    print(told)


if __name__ == "__main__":
    main()
