"""``pellucid learn`` as a user types it: the list, a lesson, the questions and their marks, the exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid.lessons import PATH, ask
from pellucid.lessons.interview import interview
from pellucid.lessons.question import Question
from tests.running import Result, pellucid


def learn(*arguments: object, typed: str = "", code: int = 0) -> Result:
    return pellucid("learn", *arguments, cwd=Path(), typed=typed, columns=500, code=code)


def right(question: Question) -> str:
    """The answer as somebody would type it: a letter, or a number with a decimal comma."""
    shown = question.shown_answer()
    return shown[0] if question.choices else shown.replace(".", ",")


def wrong(question: Question) -> str:
    if question.choices:
        return next(choice for choice in question.choices if choice != question.answer)
    return str(float(question.answer) + 1000)


def test_the_list_names_every_lesson_and_where_to_begin() -> None:
    text = learn().stdout
    for place, name in enumerate(PATH, 1):
        assert f"{place:2}  {name} " in text
    assert "Start with: pellucid learn perceptron" in text
    facts = json.loads(learn("--json").stdout)
    assert list(facts) == list(PATH)


def test_reading_shows_text_tables_and_questions_without_their_answers() -> None:
    text = learn("backpropagation").stdout
    assert text.startswith(PATH["backpropagation"].title)
    for piece in (
        "2.92", "What was learned.", "Next: pellucid study chain-rule", "Questions",
        "Answer them: pellucid learn backpropagation --quiz", "Next lesson: pellucid learn regularisation",
    ):  # fmt: skip
        assert piece in text
    for place, question in enumerate(ask("backpropagation"), 1):
        assert f"{place}. {question.text}" in text
        assert question.why not in text
    assert "--quiz --seed 4" in learn("losses", "--seed", "4").stdout


def test_answers_are_shown_when_asked_for() -> None:
    text = learn("forward-pass", "--answers", "--seed", "5").stdout
    for question in ask("forward-pass", seed=5):
        assert question.text in text
        assert f"{question.shown_answer()}: {question.why}" in text
    assert "Answer them" not in text


def test_quiz_all_right() -> None:
    typed = "\n".join(right(question) for question in ask("losses", seed=2)) + "\n"
    text = learn("losses", "--quiz", "--seed", "2", typed=typed).stdout
    assert text.count("Right.") == 5
    assert "5 of 5 right\n" in text
    assert "Next lesson: pellucid learn gradient-descent" in text
    assert "Wrong:" not in text


def test_quiz_the_last_lesson_has_no_next() -> None:
    typed = "\n".join(right(question) for question in ask("optimisers")) + "\n"
    text = learn("optimisers", "--quiz", typed=typed).stdout
    assert "5 of 5 right" in text
    assert "The next lesson" not in text


def test_quiz_one_wrong_shows_the_answer_and_the_way() -> None:
    questions = ask("perceptron")
    typed = "\n".join([right(questions[0]), wrong(questions[1]), *map(right, questions[2:])]) + "\n"
    text = learn("perceptron", "--quiz", typed=typed).stdout
    assert text.count("Right.") == 4
    assert f"Wrong: {questions[1].shown_answer()}. {questions[1].why}" in text
    assert "4 of 5 right\n" in text
    assert "Again with other numbers: pellucid learn perceptron --quiz --seed 1" in text


def test_quiz_asks_again_for_what_it_cannot_read_and_an_empty_line_gives_up() -> None:
    questions = ask("perceptron")
    assert not questions[0].choices
    assert questions[1].choices
    typed = "\n".join(["perhaps", right(questions[0]), "z", "", right(questions[2]), *map(right, questions[3:])]) + "\n"
    text = learn("perceptron", "--quiz", typed=typed).stdout
    assert text.count("'perhaps' is not a number: type one, such as −0.5") == 1
    assert text.count("'z' is not one of the choices: type a letter from a to d") == 1
    assert f"The answer is {questions[1].shown_answer()}. {questions[1].why}" in text
    assert "4 of 5 right; 1 without an answer\n" in text


def test_quiz_gives_up_on_a_question_after_three_answers_of_the_wrong_kind() -> None:
    questions = ask("perceptron")
    typed = "\n".join(["a", "b", "c", "3", "s", "-", "q"]) + "\n"
    text = learn("perceptron", "--quiz", typed=typed).stdout
    assert f"The answer is {questions[0].shown_answer()}. {questions[0].why}" in text
    assert "'3' is not one of the choices" in text
    assert questions[1].why not in text
    assert "0 of 5 right; 1 without an answer; 1 skipped; 3 not asked" in text
    assert "Again with other numbers" in text


def test_quiz_and_interview_end_cleanly_with_bytes_that_are_no_text_and_without_input() -> None:
    for arguments in (("--quiz",), ("--interview",)):
        done = subprocess.run(
            [sys.executable, "-m", "pellucid", "learn", "losses", *arguments],
            input=b"\xff\xfe\n" * 5, capture_output=True, timeout=60, check=False,
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8:strict"},
        )  # fmt: skip
        assert done.returncode == 0
        assert done.stderr == b""


def test_interview_prints_everything_where_nobody_sits() -> None:
    text = " ".join(learn("losses", "--interview").stdout.split())
    for place, each in enumerate(interview("losses"), 1):
        assert f"{place}. {each.text}" in text
        assert each.answer in text
        assert all(f"• {point}" in text for point in each.points)
    assert "Enter" not in text
    assert "What was learned" not in text  # the lesson itself is not told again


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "shown"), [("\n\n\n\n\n", 5), ("\n\nq\n", 2), ("", 0), ("\n", 1)])
def test_interview_waits_for_the_reader(typed: str, shown: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("io.StringIO", Terminal)
    text = " ".join(learn("losses", "--interview", typed=typed).stdout.split())
    for place, each in enumerate(interview("losses")):
        assert (each.answer in text) == (place < shown)
        assert (each.text in text) == (place <= shown)
    assert (f"{shown} of 5 model answers shown" in text) == (shown < 5)


@pytest.mark.parametrize("option", ["--quiz", "--interview"])
def test_ctrl_c_says_how_far_it_went(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(prompt: str = "") -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("io.StringIO", Terminal)
    monkeypatch.setattr("builtins.input", stop)
    done = learn("losses", option, code=130)
    assert ("0 of 5 right; 5 not asked" if option == "--quiz" else "0 of 5 model answers shown") in done.stdout


def test_a_sheet_is_written_and_nothing_else_printed(tmp_path: Path) -> None:
    done = pellucid("learn", "losses", "--html", "sheet.html", "--seed", "3", cwd=tmp_path)
    assert done.stdout.startswith("The printable lesson losses is in sheet.html")
    assert done.stdout.count("\n") == 1
    text = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert "seed 3" in text
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.html"]
    (tmp_path / "mine.html").write_text("mine")
    done = pellucid("learn", "losses", "--html", "mine.html", "--quiz", cwd=tmp_path, code=2)
    assert "was not written by Pellucid" in done.stderr
    assert done.stdout == ""
    assert (tmp_path / "mine.html").read_text() == "mine"


def test_a_folder_holds_the_pictures_and_the_lesson_says_where_they_are(tmp_path: Path) -> None:
    done = pellucid("learn", "mlp", "--out", "kept", cwd=tmp_path, columns=500)
    assert "picture network.png: " in done.stdout
    assert "Text, answers and pictures are in kept" in done.stdout
    assert (tmp_path / "kept" / "network.png").read_bytes().startswith(b"\x89PNG")
    done = pellucid("learn", "mlp", "--out", "kept", cwd=tmp_path, code=2)
    assert "is not empty" in done.stderr
    assert "To get its pictures: pellucid learn mlp --out FOLDER" in learn("mlp", "--no-show").stdout


def test_quiz_ends_where_the_input_ends() -> None:
    question = ask("activations")[0]
    text = learn("activations", "--quiz", typed=right(question) + "\n").stdout
    assert "1 of 5 right; 4 not asked" in text
    assert "0 of 5 right; 5 not asked" in learn("activations", "--quiz").stdout


def test_json_is_one_object_with_text_questions_and_answers() -> None:
    facts = json.loads(learn("mlp", "--json", "--seed", "1").stdout)
    assert facts["lesson"] == "mlp"
    assert facts["title"] == PATH["mlp"].title
    assert "## Neurons side by side" in facts["text"]
    for fact, question in zip(facts["questions"], ask("mlp", seed=1), strict=True):
        assert fact["text"] == question.text
        assert fact["answer"] == question.answer
        assert tuple(fact["choices"]) == question.choices
        assert fact["why"] == question.why
    for fact, each in zip(facts["interview"], interview("mlp"), strict=True):
        assert fact == {"text": each.text, "answer": each.answer, "points": list(each.points)}
    assert facts["folder"] is None
    assert learn("mlp", "--json", "--interview", "--seed", "1").stdout == learn("mlp", "--json", "--seed", "1").stdout


def test_what_is_refused_exits_with_2_and_says_why() -> None:
    for arguments, said in (
        (("perceptrn",), "no lesson 'perceptrn'; did you mean 'perceptron'?"),
        (("losses", "--seed", "-1"), "seed must be a whole number of at least 0, got -1"),
        (("--quiz",), "name a lesson, such as"),
        (("losses", "--quiz", "--json"), "use only one of them"),
        (("losses", "--quiz", "--interview"), "use only one of them"),
        (("--interview",), "name a lesson, such as"),
        (("--html", "x.html"), "name a lesson, such as"),
        (("losses", "--html", "x.txt"), "give it a name that ends in .html"),
    ):
        done = learn(*arguments, code=2)
        assert said in done.stderr
        assert done.stdout == ""
