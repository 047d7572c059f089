"""What all pictures share: colours that can be told apart, files that are the same twice, windows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import StorageError
from pellucid.plots import canvas

# Viénot, Brettel & Mollon 1999: linear RGB as seen without the long or the middle cones.
SEEN_BY = {
    "protanope": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deuteranope": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
}


def luminance_and_colour(hexadecimal: str, seen: np.ndarray) -> np.ndarray:
    rgb = np.array([int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(np.clip(seen @ linear, 0, 1))


@pytest.mark.parametrize("person", SEEN_BY)
def test_the_first_colours_can_be_told_apart_by_colour_blind_people(person: str) -> None:
    colours = [luminance_and_colour(c, np.array(SEEN_BY[person])) for c in canvas.COLOURS[:7]]
    for i, one in enumerate(colours):
        for other in colours[:i]:
            assert np.abs(one - other).max() > 0.05
    good, bad = (luminance_and_colour(c, np.array(SEEN_BY[person])) for c in (canvas.GOOD, canvas.BAD))
    assert np.abs(good - bad).max() > 0.2


def drawn() -> canvas.Figure:  # type: ignore[name-defined]
    figure, (axes,) = canvas.panels(title="a line")
    axes.plot([0, 1], [1, 0])
    return figure


def test_the_same_figure_gives_the_same_files(tmp_path: Path) -> None:
    one, two = (canvas.save(drawn(), tmp_path / name) for name in ("one", "two"))
    assert [p.name for p in one] == ["one.png", "one.svg"]
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert one[0].read_bytes().startswith(b"\x89PNG")
    assert ">a line<" in one[1].read_text(encoding="utf-8")  # text stays text in SVG


def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        canvas.save(drawn(), tmp_path / "missing" / "picture")
    assert not list(tmp_path.iterdir())


def test_panels_are_in_reading_order() -> None:
    figure, axes = canvas.panels(2, 3)
    assert len(axes) == 6
    assert [a.get_subplotspec().colspan.start for a in axes] == [0, 1, 2, 0, 1, 2]
    assert tuple(figure.get_size_inches()) == pytest.approx((3 * 4.6, 2 * 3.6))


def test_a_display_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for name in ("CI", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not canvas.has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert canvas.has_display()
    monkeypatch.setenv("CI", "true")
    assert not canvas.has_display()
    monkeypatch.delenv("CI")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert not canvas.has_display()


BACKEND = """
from matplotlib.backend_bases import FigureCanvasBase, FigureManagerBase, _Backend
from matplotlib._pylab_helpers import Gcf

class FigureManager(FigureManagerBase):
    @classmethod
    def pyplot_show(cls, *, block=None):
        print("windows:", [m.canvas.figure.get_suptitle() for m in Gcf.get_all_fig_managers()])

class FigureCanvas(FigureCanvasBase):
    manager_class = FigureManager
"""


def test_windows_are_opened_where_a_backend_has_them(tmp_path: Path) -> None:
    (tmp_path / "recording_backend.py").write_text(BACKEND)
    code = (
        "from pellucid.plots import canvas\n"
        "figures = [canvas.panels(title=t)[0] for t in ('one', 'two')]\n"
        "print(canvas.show(figures))"
    )
    seen = {}
    for backend in ("module://recording_backend", "agg"):
        environment = {
            **os.environ,
            "MPLBACKEND": backend,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
        }
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        seen[backend] = done.stdout.split("\n")[:-1]
    assert seen["module://recording_backend"] == ["windows: ['one', 'two']", "True"]
    assert seen["agg"] == ["False"]
