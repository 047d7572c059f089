"""Makes the pictures of the README by the studies that they come from: ``python docs/pictures/make.py``."""

from __future__ import annotations

from pathlib import Path

from pellucid.plots import canvas
from pellucid.studies import run

HERE = Path(__file__).parent
PICTURES = {
    "circles": ("boundaries", "seeds"),
    "convolution": ("window", "shifted"),
    "memory": ("accuracy",),
    "shapes": ("reconstructions-8",),
}


def main() -> None:
    """Run each study and keep its named pictures as PNG."""
    for study, names in PICTURES.items():
        pictures = {picture.name: picture.figure for picture in run(study).pictures}
        for name in names:
            (HERE / f"{study}-{name}.png").write_bytes(canvas.encode(pictures[name], "png"))


if __name__ == "__main__":
    main()
