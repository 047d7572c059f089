"""What tokens and steps add, in the terminal: every number is the explanation's own."""

from __future__ import annotations

import pytest

from pellucid.cli.explained_steps import coloured, show_sequence, show_sequences
from pellucid.inspection.explained_sequence import sequence_explained
from pellucid.inspection.explained_sequences import sequences_explained
from pellucid.numerals import numeral
from tests.sequence_models import model_of, rows_of


def test_a_text_is_coloured_and_its_tokens_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    found = sequence_explained(rows_of(model_of("transformer")))
    show_sequence(found)
    said = capsys.readouterr().out
    assert "the film was not very good" in said
    lines = [line.split() for line in said.splitlines()]
    for t, token in enumerate(found.shown.steps):
        line = next(line for line in lines if line[:2] == [str(t), token])
        assert line[2].lstrip("+−") == numeral(abs(found.by_step[t]), 3)
        assert line[3].lstrip("+−") == numeral(abs(found.occlusion[t]), 3)
        assert line[2].startswith("−") is bool(found.by_step[t] < 0)
    assert "each token covered by padding" in said
    spans = [span.style for span in coloured(found).spans]
    assert len(spans) == 6
    strongest = int(abs(found.by_step).argmax())
    assert "(230,126,34)" in str(spans[strongest]) or "(126,87,194)" in str(spans[strongest])


def test_a_series_is_listed_with_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    model = model_of("causal")
    found = sequence_explained(rows_of(model), rows_of(model, 20))
    show_sequence(found)
    said = capsys.readouterr().out
    assert "speed" in said
    assert numeral(float(found.shown.row[3, 1])) in said
    assert "covered by the mean of other series" in said
    assert "the mean of 20 of row 0" in said


def test_many_rows_are_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    texts = sequences_explained(rows_of(model_of("gru"), 4))
    show_sequences(texts)
    said = capsys.readouterr().out
    assert "speaks for it" in said
    for side in texts.strongest:
        for k in side:
            assert f"{numeral(abs(float(texts.means[k])), 3)}" in said
    series = sequences_explained(rows_of(model_of("lstm"), 4))
    show_sequences(series)
    said = capsys.readouterr().out
    assert "height" in said
    assert numeral(float(series.by_step[7, 0]), 3) in said
