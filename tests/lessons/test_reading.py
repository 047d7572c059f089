"""Lessons from Python: pictures, text, notebook, quiz and folder."""

from __future__ import annotations

import builtins
import re
from pathlib import Path

import pytest

import pellucid
from pellucid.errors import RunFolderError, SettingError
from pellucid.lessons import PATH
from pellucid.lessons.quiz import Score
from pellucid.lessons.reading import Reading
from pellucid.plots.canvas import encode

BUILT = list(PATH)


@pytest.fixture(scope="module")
def lessons() -> dict[str, Reading]:
    return {name: pellucid.learn(name) for name in BUILT}


@pytest.mark.parametrize("name", BUILT)
def test_each_lesson_draws_its_network_and_says_what_is_to_be_seen(name: str, lessons: dict[str, Reading]) -> None:
    pictures = lessons[name].story.pictures
    expected = {
        "activations": "chain",
        "perceptron": "neuron",
        "gradient-descent": "neuron",
        "cnn": "window",
        "attention": "weights",
        "rnn": "slopes",
    }
    assert expected.get(name, "network") in [picture.name for picture in pictures]
    assert len({picture.name for picture in pictures}) == len(pictures)
    for picture in pictures:
        assert picture.caption.endswith(".")
        assert len(picture.caption.split()) >= 6
        svg = encode(picture.figure, "svg").decode()
        words = re.sub(r"<[^>]+>", " ", svg[svg.index("<svg") :])
        assert "$" not in words
        assert "nan" not in words


def test_pictures_show_the_numbers_of_the_lesson(lessons: dict[str, Reading]) -> None:
    def words(name: str, picture: str) -> list[str]:
        (figure,) = [each.figure for each in lessons[name].story.pictures if each.name == picture]
        return [text.get_text() for text in figure.axes[0].texts]

    assert {"w = 2", "w = 1", "answer"} <= set(words("perceptron", "neuron"))
    assert {"logit 1", "2.75", "logit 2", "1.5", "w = −2"} <= set(words("forward-pass", "network"))
    assert {"∂L/∂w = −0.2311", "loss L"} <= set(words("backpropagation", "network"))
    assert "∂L/∂w = −8" in words("gradient-descent", "neuron")
    assert "∂L/∂output = −0.1192" in words("losses", "network")


def test_words_on_the_lines_do_not_cover_each_other(lessons: dict[str, Reading]) -> None:
    for name in ("forward-pass", "mlp", "backpropagation"):
        (figure,) = [each.figure for each in lessons[name].story.pictures if each.name == "network"]
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in figure.axes[0].texts if "=" in text.get_text()]
        for i, box in enumerate(boxes):
            for other in boxes[:i]:
                assert not (box.overlaps(other) and min(box.y1, other.y1) - max(box.y0, other.y0) > 1), name


def test_without_pictures_the_text_is_the_same(lessons: dict[str, Reading]) -> None:
    plain = pellucid.learn("mlp", pictures=False)
    assert plain.story.pictures == ()
    drawn = [block for block in lessons["mlp"].story.blocks if block not in lessons["mlp"].story.pictures]
    assert plain.story.blocks == drawn


def test_a_lesson_asks_nothing_unless_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(prompt: str = "") -> str:
        raise AssertionError("asked")

    monkeypatch.setattr(builtins, "input", refuse)
    lesson = pellucid.learn("losses", pictures=False)
    for shown in (repr(lesson), str(lesson), lesson._repr_html_(), lesson.to_markdown(answers=True)):
        assert shown
    assert "\n" not in repr(lesson)


def test_a_quiz_in_python(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lesson = pellucid.learn("losses", pictures=False)
    typed = iter([question.shown_answer() for question in lesson.questions])
    assert lesson.quiz(read=lambda prompt: next(typed)) == Score(right=5)
    assert capsys.readouterr().out.endswith("5 of 5 right\n")
    monkeypatch.setattr(builtins, "input", lambda prompt: "q")
    pellucid.learn("losses", pictures=False, quiz=True)
    assert capsys.readouterr().out.endswith("0 of 5 right; 5 not asked\n")


def test_text_holds_answers_only_where_asked_for() -> None:
    lesson = pellucid.learn("mlp", seed=4, pictures=False)
    for question in lesson.questions:
        assert question.text in str(lesson)
        assert question.why not in str(lesson)
        assert question.why in lesson.to_markdown(answers=True)
    html = lesson._repr_html_()
    assert html.count("<details>") == html.count("</details>") == 10


def test_a_folder_holds_text_and_pictures(tmp_path: Path, lessons: dict[str, Reading]) -> None:
    folder = lessons["mlp"].save(tmp_path / "mlp")
    assert {path.name for path in folder.iterdir()} == {
        "lesson.md", "network.png", "network.svg", "hidden.png", "hidden.svg",
    }  # fmt: skip
    text = (folder / "lesson.md").read_text(encoding="utf-8")
    assert "](network.png)" in text
    assert lessons["mlp"].interview[0].answer in text
    with pytest.raises(RunFolderError, match="is not empty"):
        lessons["mlp"].save(folder)


def test_the_list_and_what_is_refused() -> None:
    assert list(pellucid.learn()) == BUILT
    with pytest.raises(SettingError, match="did you mean 'losses'"):
        pellucid.learn("loses")
    with pytest.raises(SettingError, match="seed must be a whole number"):
        pellucid.learn("losses", seed=-1)
