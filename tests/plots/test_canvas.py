"""What all pictures share: colours that can be told apart, files that are the same twice, windows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import StorageError
from pellucid.plots import canvas
from pellucid.plots.animation import animation

# Machado, Oliveira & Fernandes 2009, of the whole strength: linear RGB as seen without one kind of cones.
SEEN_BY = {
    "most": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "protanope": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranope": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanope": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
)


def cielab(hexadecimal: str, person: str) -> np.ndarray:
    """A colour as a person sees it, in CIELAB, where a distance of about 2 is just seen."""
    rgb = np.array([int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.array(SEEN_BY[person]) @ linear, 0, 1) / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("person", SEEN_BY)
def test_ten_colours_can_be_told_apart_by_everybody(person: str) -> None:
    seen = [cielab(colour, person) for colour in canvas.COLOURS]
    assert len(seen) == 10
    apart = [np.linalg.norm(one - other) for i, one in enumerate(seen) for other in seen[:i]]
    assert min(apart) > 15
    assert np.linalg.norm(cielab(canvas.GOOD, person) - cielab(canvas.BAD, person)) > 40


def test_ten_classes_have_markers_of_their_own() -> None:
    assert len(set(canvas.MARKERS)) >= len(canvas.COLOURS)


def tick_texts(values: list[float], *, log: bool = False) -> list[str]:
    figure, (axes,) = canvas.panels()
    axes.plot(values, values)
    if log:
        axes.set_xscale("log")
    canvas.encode(figure, "png")
    return [label.get_text() for label in axes.get_xticklabels()]


def test_numbers_at_ticks_are_whole_and_zero_has_no_sign() -> None:
    assert "400,000" in tick_texts([0, 1_000_000])
    assert "1 × 10⁻⁶" in tick_texts([0, 2e-6])
    assert not [text for text in tick_texts([1990, 2010]) if "," in text]  # years
    for values in ([-1, 1], [-3e-7, 3e-7], [-2e6, 2e6]):
        texts = tick_texts([float(value) for value in values])
        assert sum(text.strip("0.") == "" for text in texts) == 1
        assert not [text for text in texts if re.search("e[+-]|-", text)]
    figure, (axes,) = canvas.panels()
    axes.plot([1e8, 1e8 + 4], [0, 1])
    canvas.encode(figure, "png")
    assert axes.xaxis.get_offset_text().get_text() == ""
    assert "100,000,002" in [label.get_text() for label in axes.get_xticklabels()]


def test_no_formula_is_left_raw_in_a_picture_or_a_film() -> None:
    figure, (axes,) = canvas.panels()
    axes.plot([1, 1000], [1, 1000])
    axes.set(xscale="log", xlabel="$user$")
    for draw in (lambda: canvas.encode(figure, "png"), lambda: animation([figure], "gif")):
        draw()
        assert all(text.get_parse_math() for text in axes.get_xticklabels() if text.get_text())  # 10² with its power
        assert not axes.xaxis.label.get_parse_math()  # the user's own


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
