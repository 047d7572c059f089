"""Every lesson and its questions: complete, told from figures, marked rightly, and solved a second time."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.lessons import PATH, ask, read
from pellucid.lessons.question import Question
from pellucid.lessons.reading import Reading
from pellucid.lessons.topics.cnn import HORIZONTAL, SEVEN, _convolved
from pellucid.studies.catalogue import CATALOGUE
from pellucid.studies.story import Heading, Paragraph, Table
from tests.lessons.solutions import SOLUTIONS, agrees

BUILT = list(PATH)
SEEDS = range(10)


@cache
def told(name: str) -> Reading:
    return read(name)


@cache
def asked(name: str, seed: int) -> tuple[Question, ...]:
    return ask(name, seed=seed)


def off_by(question: Question) -> float:
    return 1.0 if question.digits is None else 1.02 * 10**-question.digits


def differing(name: str, questions: tuple[Question, ...]) -> list[int]:
    """The places of the questions whose answer is not the one found from their text."""
    return [
        place
        for place, (question, solve) in enumerate(zip(questions, SOLUTIONS[name], strict=True))
        if not agrees(question.answer, solve(question))
    ]


# ── the text ──


def test_twelve_lessons_are_built_in_order() -> None:
    assert BUILT == [
        "perceptron", "mlp", "activations", "forward-pass", "losses", "gradient-descent", "backpropagation",
        "regularisation", "optimisers", "cnn", "rnn", "attention",
    ]  # fmt: skip


@pytest.mark.parametrize("name", BUILT)
def test_a_lesson_is_short_and_shows_figures(name: str) -> None:
    blocks = told(name).story.blocks
    words = sum(len(block.text.split()) for block in blocks if isinstance(block, Paragraph))
    tables = [block for block in blocks if isinstance(block, Table)]
    assert 250 <= words <= 450
    assert 2 <= len(tables) <= 4
    assert all(table.rows and any(re.search(r"\d", cell) for row in table.rows for cell in row) for table in tables)
    assert len([block for block in blocks if isinstance(block, Heading)]) >= 2
    learned, following = blocks[-2:]
    assert isinstance(learned, Paragraph)
    assert learned.role == "learned"
    assert isinstance(following, Paragraph)
    assert following.role == "next"
    study = following.text.removeprefix("pellucid study ")
    assert study in CATALOGUE


@pytest.mark.parametrize("name", BUILT)
def test_no_figure_is_missing(name: str) -> None:
    text = told(name).story.to_markdown()
    assert not re.search(r"\b(nan|inf|none|array|np\.)\b", text, re.IGNORECASE), text
    assert not re.search(r"(?<![\w.→])-\d", text), "a minus sign is −"
    for mark in "{}":
        assert mark not in text


def test_a_lesson_tells_its_listener_and_shows_its_name() -> None:
    heard: list[Any] = []
    reading = read("losses", listener=heard.append)
    assert heard == reading.story.blocks
    assert repr(reading).startswith("<Lesson 'losses': 5 questions, 5 for an interview; ")


# ── the figures of the text, found in other ways ──


def table(name: str, title: str) -> Table:
    (found,) = [b for b in told(name).story.blocks if isinstance(b, Table) and b.title.startswith(title)]
    return found


def test_perceptron_learns_all_gates_but_xor() -> None:
    outcomes = {row[0]: row[-1] for row in table("perceptron", "Mistakes").rows}
    assert outcomes == {"AND": "yes", "OR": "yes", "NAND": "yes", "NOR": "yes", "XOR": "no"}


def test_mlp_answers_xor_and_collapses_without_a_bend() -> None:
    assert [row[5] for row in table("mlp", "h₁").rows] == ["0", "1", "1", "0"]
    for row in table("mlp", "No activation").rows:
        assert row[2] == row[3]
        assert row[4] == "0.5"  # the plane of least squares through XOR


def test_chain_rule_of_the_scope() -> None:
    values = [row[-1] for row in table("backpropagation", "y = w").rows]
    assert values == ["7.00", "4.00", "4.00", "2.00", "8.00", "4.00", "2.92"]


def test_factors_of_the_chain_multiply_to_the_slope() -> None:
    for row in table("backpropagation", "x = ").rows:
        *factors, product = (float(cell.replace("−", "-")) for cell in row[1:])
        assert np.prod(factors) == pytest.approx(product, rel=2e-3)


def test_learning_rates_crawl_arrive_and_run_away() -> None:
    """(w − 4)²: each step multiplies the distance by 1 − 2η."""
    for row in table("gradient-descent", "The same valley").rows:
        rate, last = (float(row[i].replace("−", "-")) for i in (0, 4))
        assert last == pytest.approx(4 - 4 * (1 - 2 * rate) ** 10, rel=1e-3, abs=0.006)
    assert [row[-1] for row in table("gradient-descent", "The same valley").rows] == [
        "crawls", "on its way", "arrives", "swings, but arrives", "runs away",
    ]  # fmt: skip


def test_regularisation_narrows_the_gap() -> None:
    gaps = {row[0]: float(row[3]) for row in table("regularisation", "Means").rows}
    assert gaps["nothing"] > 15
    assert gaps["early stopping"] < gaps["nothing"]


def test_momentum_and_adam_leave_gradient_descent_behind_in_the_valley() -> None:
    last = {row[0]: float(row[-1]) for row in table("optimisers", "Loss from").rows}
    assert max(last, key=lambda name: last[name]) == "gradient descent"


def test_what_a_filter_finds_and_how_large_its_map_is() -> None:
    """Sums from the products as they are written; the sides by the formula; 160 parameters instead of millions."""
    for row in table("cnn", "Four places").rows:
        products = re.findall(r"\(?(−?\d+)\)?·(\d+)", row[1])
        assert sum(float(w.replace("−", "-")) * float(x) for w, x in products) == float(row[2].replace("−", "-"))
    assert [row[2] for row in table("cnn", "The map of").rows] == ["26", "28", "14", "14"]
    assert table("cnn", "A small network").rows[0][1:3] == ("16 × 28 × 28", "160")
    assert [row[3] for row in table("cnn", "A small network").rows][:4] == ["3 × 3", "4 × 4", "4 × 4", "8 × 8"]
    found = _convolved(SEVEN, HORIZONTAL)
    assert (found[0] == found.max(axis=0)).all()
    assert (found[2] == found.min(axis=0)).all()
    said = told("cnn").story.to_markdown()
    assert "160 parameters, where a dense layer with as many outputs would have 9,847,040" in said  # 785 · 12,544
    assert "a picture moved by one pixel gives a map moved by one pixel" in said


# ── the questions ──


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BUILT)
def test_five_questions_with_an_answer_that_is_marked_right(name: str, seed: int) -> None:
    questions = asked(name, seed)
    assert len(questions) == 5
    for question in questions:
        assert question.why.endswith((".", ")"))
        assert not re.search(r"\b(nan|inf|none|array|np\.)\b", question.text + question.why, re.IGNORECASE)
        assert not re.search(r"(?<![\w.→])-\d", question.text + question.why + "".join(question.choices))
        assert question.mark(str(question.answer))
        assert question.mark(question.shown_answer() if not question.choices else question.shown_answer()[0])
        if question.choices:
            assert 3 <= len(question.choices) <= 5
            assert len(set(question.choices)) == len(question.choices)
            marked = [question.mark(chr(ord("a") + i)) for i in range(len(question.choices))]
            assert sum(marked) == 1
        else:
            assert isinstance(question.answer, float)
            for wrong in (question.answer + off_by(question), question.answer - off_by(question), question.answer + 7):
                assert not question.mark(repr(wrong))
            assert not question.mark(str(-question.answer)) or abs(question.answer) < off_by(question)


@pytest.mark.parametrize("name", BUILT)
def test_both_kinds_of_question_and_other_numbers_with_another_seed(name: str) -> None:
    every = [asked(name, seed) for seed in SEEDS]
    assert {bool(question.choices) for question in every[0]} == {True, False}
    for place in range(5):
        variants = {(questions[place].text, frozenset(questions[place].choices)) for questions in every}
        assert len(variants) >= 3, every[0][place].text
        if every[0][place].choices:
            where = {q[place].choices.index(str(q[place].answer)) for q in every}
            assert len(where) >= 3, "the right choice stands nearly always in the same place"
    again = ask(name, seed=3)
    assert [(q.text, q.answer, q.choices) for q in again] == [(q.text, q.answer, q.choices) for q in every[3]]


@pytest.mark.parametrize("name", BUILT)
def test_answers_agree_with_solutions_from_the_text_alone(name: str) -> None:
    for seed in (*range(100), 123_456_789):
        assert differing(name, asked(name, seed)) == [], seed


@pytest.mark.parametrize("name", BUILT)
def test_a_changed_answer_is_caught(name: str) -> None:
    questions = asked(name, 0)
    for place, question in enumerate(questions):
        if question.choices:
            wrong: Any = next(choice for choice in question.choices if choice != question.answer)
        else:
            wrong = float(question.answer) + 0.5 * off_by(question)
        planted = tuple(replace(q, answer=wrong) if i == place else q for i, q in enumerate(questions))
        assert differing(name, planted) == [place], question.text


def _one_more(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments, **named: function(*arguments, **named) + 1


def _too_far(update: Callable[..., Any]) -> Callable[..., Any]:
    return lambda rule, w, g, memory, rate, t: update(rule, w, g, memory, 1.05 * rate, t)


def _uphill(update: Callable[..., Any]) -> Callable[..., Any]:
    return lambda rule, w, g, memory, rate, t: update(rule, w, -g, memory, rate, t)


@pytest.mark.parametrize(
    ("name", "rule", "mistake"),
    [
        ("optimisers", "update", _too_far), ("optimisers", "update", _uphill),
        ("regularisation", "update", _too_far), ("gradient-descent", "update", _too_far),
        ("activations", "softmax", _one_more), ("forward-pass", "sigmoid", lambda f: lambda z: 1 - f(z)),
        ("gradient-descent", "n_batches", _one_more), ("cnn", "_convolved", _one_more),
        ("attention", "softmax", _one_more), ("rnn", "_states", _one_more), ("rnn", "_slopes", _one_more),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_shows_in_the_answers(
    name: str, rule: str, mistake: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers come from the rules: with a wrong rule, the answers are wrong too, and the solutions tell."""
    lesson = importlib.import_module(PATH[name].module)
    monkeypatch.setattr(lesson, rule, mistake(getattr(lesson, rule)))
    assert differing(name, ask(name, seed=0))


# ── what is refused ──


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(SettingError, match="no lesson 'optimizers'; did you mean 'optimisers'"):
        read("optimizers")
    for seed in (-1, 0.5, "0", True):
        with pytest.raises(SettingError, match="seed must be a whole number of at least 0"):
            ask("losses", seed=seed)  # type: ignore[arg-type]
