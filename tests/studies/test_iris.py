"""Iris: the data and the figures of the scope, and a comparison that says what it cannot tell."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats  # type: ignore[import-untyped]
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from pellucid.errors import SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.studies import run
from pellucid.studies.learning import Line
from pellucid.studies.story import Story, Table, plain
from pellucid.studies.tables.iris import COMPARED, Iris, _tell_losses


@pytest.fixture(scope="module")
def default() -> Story:
    """The default settings, but for a few seeds of the comparison."""
    return run("iris", seeds=4)


def test_the_small_network_is_plain_pytorchs(default: Story) -> None:
    """scikit-learn's data, split and scaler, and the loop that a tutorial writes, end at the same losses."""
    x, y = load_iris(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=42)
    scaler = StandardScaler().fit(x_train)
    inputs, asked = (torch.tensor(scaler.transform(part), dtype=torch.float32) for part in (x_train, x_test))
    truth, wanted = torch.tensor(y_train), torch.tensor(y_test)
    model = torch.nn.Sequential(torch.nn.Linear(4, 10), torch.nn.ReLU(), torch.nn.Linear(10, 3))
    first = initialise(mlp(4, [10], 3), 42, scheme="uniform")
    model.load_state_dict({name: torch.tensor(array) for name, array in first.items()})
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(1000):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), truth).backward()
        optimizer.step()
    result: Iris = default.result
    np.testing.assert_array_equal(result.truth, y_test)
    with torch.no_grad():
        for part, x_part, y_part in (("train", inputs, truth), ("test", asked, wanted)):
            loss = float(torch.nn.functional.cross_entropy(model(x_part), y_part))
            assert result.first.lines[-1].losses[part] == pytest.approx(loss, rel=0.01)
        np.testing.assert_array_equal(result.first.answers, model(asked).argmax(1))


def test_the_figures(default: Story) -> None:
    result: Iris = default.result
    assert result.classes == ("setosa", "versicolor", "virginica")
    assert len(result.truth) == 30
    for shown in (result.first, result.improved):
        assert shown.accuracy.value >= 28 / 30
        assert shown.accuracy.low < shown.accuracy.value <= shown.accuracy.high <= 1
        assert np.trace(shown.confusion) == round(30 * shown.accuracy.value) == (shown.answers == result.truth).sum()
    assert result.first.lines[0].epoch == 0
    assert result.first.lines[-1].epoch == 1000
    assert result.first.lines[-1].losses["train"] < 0.06


def test_activations_are_compared_on_the_same_splits(default: Story) -> None:
    found = default.result.activations
    assert set(found) == set(COMPARED)
    assert next(iter(found)) == "relu"
    leads = {name: c.accuracies - found["relu"].accuracies for name, c in found.items()}
    name, lead = next((name, lead) for name, lead in leads.items() if np.ptp(lead) > 1e-9)
    estimate = found[name].over_first
    assert estimate.value == pytest.approx(lead.mean())
    reach = stats.t.ppf(0.975, 3) * lead.std(ddof=1) * math.sqrt(1 / 4 + 30 / 120)
    assert estimate.high - estimate.value == pytest.approx(reach)
    assert all(c.mean.value > 0.85 and not c.mean.low < 0 and not c.mean.high > 1 for c in found.values())
    assert all(len(c.accuracies) == 4 for c in found.values())


def test_the_linear_model_is_sklearns_logistic_regression_or_near(default: Story) -> None:
    """Without an activation the network is a linear model: as good as scikit-learn's on the same splits."""
    from sklearn.linear_model import LogisticRegression

    x, y = load_iris(return_X_y=True)
    peers = []
    for seed in range(4):
        x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=seed)
        scaler = StandardScaler().fit(x_train)
        peer = LogisticRegression(C=100, max_iter=2000).fit(scaler.transform(x_train), y_train)
        peers.append(peer.score(scaler.transform(x_test), y_test))
    np.testing.assert_allclose(default.result.activations["identity"].accuracies, peers, atol=0.07)


def test_the_story(default: Story) -> None:
    text = default.to_markdown()
    names = [picture.name for picture in default.pictures]
    assert names == ["network", "loss", "confusion", "activations", "leads"]
    for picture in default.pictures:
        axes = [axis for axis in picture.figure.axes if axis.get_label() != "<colorbar>" and axis.axison]
        assert all(axis.get_title() and axis.get_xlabel() for axis in axes), picture.name
    (first_ten,) = [b for b in default.blocks if isinstance(b, Table) and b.title == "The first ten test rows"]
    result: Iris = default.result
    assert len(first_ten.rows) == 10
    # scikit-learn's own rows, by number.
    _, theirs = train_test_split(np.arange(150), test_size=0.2, random_state=42)
    for i, (number, actual, predicted, mark) in enumerate(first_ten.rows):
        assert number == str(theirs[i])
        assert actual == result.classes[result.truth[i]]
        assert predicted == result.classes[result.first.answers[i]]
        assert (mark == "") == (actual == predicted)
    assert f"Test accuracy: {100 * result.first.accuracy.value:.1f} %" in text
    assert "Dense 4 → 16, relu, Dropout 0.3, Dense 16 → 8, relu, Dropout 0.3, Dense 8 → 3" in text
    for epoch in range(0, 1000, 100):
        assert f"| {epoch} |" in text
    assert default.blocks[-2].role == "learned"  # type: ignore[union-attr]
    assert default.blocks[-1].text == "pellucid study overfitting"  # type: ignore[union-attr]
    json.dumps(plain(result), allow_nan=False)


def test_wrong_answers_are_marked() -> None:
    story = run("iris", pictures=False, epochs=3, seeds=2)
    (first_ten,) = [b for b in story.blocks if isinstance(b, Table) and b.title == "The first ten test rows"]
    wrong = sum(actual != predicted for _, actual, predicted, _ in first_ten.rows)
    assert wrong > 0
    assert sum("wrong" in mark for *_, mark in first_ten.rows) == wrong
    assert f"{wrong} of them are wrong" in story.to_markdown() or wrong == 1


def test_both_networks_are_compared_on_the_same_rows(default: Story) -> None:
    result: Iris = default.result
    small, improved = (shown.answers == result.truth for shown in (result.first, result.improved))
    only = int((improved & ~small).sum()), int((small & ~improved).sum())
    assert (result.paired.first, result.paired.second) == only
    assert result.paired.p == (stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0)
    assert "overlap" not in default.to_markdown()


def test_no_lead_is_claimed_from_few_splits() -> None:
    """One flower in each of two splits, the same difference twice, is no difference."""
    story = run("iris", pictures=False, lr=0.3, epochs=300, activation="tanh", seeds=2)
    found = story.result.activations
    assert any(np.ptp(c.accuracies - found["tanh"].accuracies) < 1e-9 for n, c in found.items() if n != "tanh")
    learned = story.blocks[-2].text  # type: ignore[union-attr]
    assert "From only 2 splits no difference is claimed" in learned
    assert "did better" not in learned
    assert "did worse" not in learned


def _line(epoch: int, train: float, test: float) -> Line:
    return Line(epoch=epoch, losses={"train": train, "test": test}, scores={"train": 1.0, "test": 1.0})


@pytest.mark.parametrize(("train", "falls"), [(0.1, True), (0.5, False)])
def test_the_train_loss_is_looked_at_before_it_is_said_to_fall(default: Story, train: float, falls: bool) -> None:
    story = Story()
    lines = (_line(0, 1.0, 1.0), _line(1, 0.3, 0.4), _line(2, train, 0.9))
    _tell_losses(story, replace(default.result.first, lines=lines), 2)
    assert ("went on falling" in story.to_markdown()) == falls
    assert ("did not fall further" in story.to_markdown()) != falls


def test_settings_change_the_outcome() -> None:
    def losses(**settings: object) -> tuple[float, float]:
        result: Iris = run("iris", pictures=False, **{"epochs": 10, "seeds": 2, **settings}).result  # type: ignore[arg-type]
        return result.first.lines[-1].losses["train"], result.improved.lines[-1].losses["train"]

    usual = losses()
    for changed in ({"hidden": (5,)}, {"dropout": 0.0}, {"lr": 0.1}, {"seed": 1}, {"activation": "tanh"}):
        assert losses(**changed)[1] != usual[1], changed
    assert losses(seed=1)[0] != usual[0]


def test_an_activation_of_ones_own_is_compared_too() -> None:
    story = run("iris", pictures=False, epochs=10, seeds=2, activation="mish")
    assert list(story.result.activations) == ["mish", *COMPARED]
    assert "lead over mish" in story.to_markdown()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"hidden": ()}, "hidden"),
        ({"hidden": (16, -8)}, "hidden"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": -0.1}, "dropout"),
        ({"activation": "tan"}, "did you mean 'tanh'"),
        ({"lr": 0.0}, "learning_rate"),
        ({"epochs": 0}, "epochs"),
        ({"seeds": 1}, "seeds must be at least 2"),
        ({"seed": -1}, "seed"),
        ({"device": "gpu"}, "device 'gpu'"),
    ],
)
def test_wrong_settings_are_said(setting: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        run("iris", pictures=False, **setting)
