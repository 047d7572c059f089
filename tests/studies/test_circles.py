"""Two circles: the figures of the scope, and sentences that stay true when the settings change."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles

from pellucid.errors import PellucidError, SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.studies import run
from pellucid.studies.story import Paragraph, Story, plain
from pellucid.studies.tables.circles import Circles


@pytest.fixture(scope="module")
def default() -> Story:
    return run("circles")


def test_the_headline(default: Story) -> None:
    """The linear network stays at chance, the one with ReLU learns the ring; both on 100 test points."""
    result: Circles = default.result
    assert result.linear.test <= 0.5
    assert result.linear.lines[-1].losses["train"] == pytest.approx(np.log(2), abs=0.005)
    assert result.bent.train >= 0.95
    assert result.bent.test >= 0.93
    assert result.linear.confusion.sum() == result.bent.confusion.sum() == 100
    assert np.trace(result.bent.confusion) / 100 == pytest.approx(result.bent.test)
    assert result.majority == 0.55
    assert result.linear.test == pytest.approx(0.38, abs=0.02)  # the tutorials' figures
    assert result.linear.confusion[1, 0] == pytest.approx(55, abs=2)
    assert [line.epoch for line in result.bent.lines] == list(range(151))


def test_the_honest_figure(default: Story) -> None:
    """About 51 of 100 seeds reach 0.90 and about 20 stay below 0.65: within two standard errors (10 and 8 seeds)."""
    result: Circles = default.result
    assert len(result.bent.accuracies) == len(result.linear.accuracies) == 100
    assert 0.41 <= result.bent.good.value <= 0.61
    assert 0.12 <= result.bent.poor.value <= 0.28
    assert result.linear.good.value == 0
    assert result.linear.poor.value == 1
    assert result.bent.good.low < result.bent.good.value < result.bent.good.high
    assert result.below == np.mean(result.bent.accuracies < result.bent.test)


def test_the_shown_seed_is_one_of_the_hundred(default: Story) -> None:
    """Trained alone by the loop and side by side with all others, seed 42 answers alike."""
    assert default.result.bent.accuracies[42] == pytest.approx(default.result.bent.test, abs=0.011)
    assert default.result.linear.accuracies[42] == pytest.approx(default.result.linear.test, abs=0.011)


def test_the_loop_is_plain_pytorchs(default: Story) -> None:
    """Data, losses and accuracies are those of the loop that a tutorial writes."""
    x, y = make_circles(500, noise=0.1, factor=0.5, random_state=42)
    x_train, x_test, y_train, y_test = (
        torch.tensor(part, dtype=torch.float32) for part in (x[:400], x[400:], y[:400], y[400:])
    )
    for activation, trained in ((torch.nn.ReLU, default.result.bent), (torch.nn.Identity, default.result.linear)):
        model = torch.nn.Sequential(
            torch.nn.Linear(2, 5), activation(), torch.nn.Linear(5, 2), activation(), torch.nn.Linear(2, 1)
        )
        first = initialise(mlp(2, [5, 2], 1), 42, scheme="uniform")
        model.load_state_dict({name: torch.tensor(array) for name, array in first.items()})
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        loss_function = torch.nn.BCEWithLogitsLoss()
        for _ in range(150):
            optimizer.zero_grad()
            loss_function(model(x_train).squeeze(1), y_train).backward()
            optimizer.step()
        with torch.no_grad():
            z = model(x_test).squeeze(1)
            assert float(loss_function(z, y_test)) == pytest.approx(trained.lines[-1].losses["test"], abs=2e-4)
            right = float(((z > 0) == (y_test > 0.5)).float().mean())
        assert right == pytest.approx(trained.test, abs=0.011)


def test_the_story(default: Story) -> None:
    text = default.to_markdown()
    result: Circles = default.result
    assert [picture.name for picture in default.pictures] == ["data", "loss", "confusion", "boundaries", "seeds"]
    for picture in default.pictures:
        axes = [axis for axis in picture.figure.axes if axis.get_label() != "<colorbar>"]
        assert all(axis.get_title() and axis.get_ylabel() for axis in axes), picture.name
        assert axes[-1].get_xlabel()
    for epoch in (0, 50, 100, 150):
        assert f"| {epoch} |" in text
    assert f"did better than {100 * result.below:.0f} % of these seeds" in text
    assert default.blocks[-2].role == "learned"  # type: ignore[union-attr]
    assert f"{round(100 * result.bent.good.value)} of 100 seeds reach 0.90" in default.blocks[-2].text  # type: ignore[union-attr]
    assert default.blocks[-1] == Paragraph(text="pellucid study circles --hidden 32,32", role="next")
    json.dumps(plain(result), allow_nan=False)


def test_a_wide_network_does_not_depend_on_its_seed() -> None:
    story = run("circles", pictures=False, hidden=(32, 32), seeds=10)
    result: Circles = story.result
    assert result.bent.good.value == 1
    learned = story.blocks[-2].text  # type: ignore[union-attr]
    assert "all 10 seeds tried reach 0.90" in learned
    # Wilson's low end of 10 of 10: 1 / (1 + 1.96² / 10); it does not show that first weights matter little.
    assert f"at least {100 / (1 + 1.96**2 / 10):.0f} % of all seeds" in learned
    assert "matter little" not in learned
    assert "2 → 32 → 32 → 1" in story.to_markdown()


def test_why_the_linear_network_is_below_a_coin(default: Story) -> None:
    """What the story says of it holds for scikit-learn's logistic regression, which has no seed."""
    from sklearn.linear_model import LogisticRegression

    x, y = make_circles(500, noise=0.1, factor=0.5, random_state=42)
    x_train, x_test, y_train, y_test = x[:400], x[400:], y[:400], y[400:]
    peer = LogisticRegression(C=1e6).fit(x_train, y_train)
    given, answers = peer.predict_proba(x_train)[:, 1], peer.predict(x_test)
    linear = default.result.linear
    assert (linear.train, linear.test) == pytest.approx((peer.score(x_train, y_train), peer.score(x_test, y_test)))
    np.testing.assert_allclose(linear.accuracies, linear.test, atol=0.021)  # two test points
    assert linear.reach == pytest.approx((given.min(), given.max()), abs=0.005)
    text = default.to_markdown()
    outer = answers == 0
    assert (
        f"It answers outer ring for {outer.sum()} of the 100 test points and is right on {(y_test[outer] == 0).sum()}"
        in text
    )
    assert f"of the 400 training points {(y_train == 0).sum()} lie on the outer ring, which is the majority" in text
    assert f"of the 100 test points only {(y_test == 0).sum()} do, the minority" in text
    assert "All 100 seeds of the linear network end at 0.3" in text
    assert "not bad luck" in text
    assert "chance" not in text.partition("Which answers were wrong")[2].partition("## ")[0]


def test_one_seed_more_says_little() -> None:
    story = run("circles", pictures=False, seed=3, seeds=1)
    text = story.to_markdown()
    assert "once each, from seed 0" in text
    assert "the one seed tried" in text
    for wrong in ("1 seeds", "1 times", "matter little", "lucky ones", "ordinary one", "All 1"):
        assert wrong not in text, wrong


def test_an_unlucky_seed_is_called_so() -> None:
    """The seed that did worst of thirty, shown: the sentences follow the figures."""
    accuracies = run("circles", pictures=False, seeds=30, epochs=100).result.bent.accuracies
    worst = int(np.argmin(accuracies))
    story = run("circles", pictures=False, seeds=30, epochs=100, seed=worst)
    assert story.result.bent.test < 0.65
    assert "it is one of the unlucky ones" in story.to_markdown()
    assert "lucky ones, not a typical one" in story.to_markdown()


def test_settings_change_the_outcome() -> None:
    base = {"pictures": False, "seeds": 3, "epochs": 20}
    usual = run("circles", **base).result.bent.lines[-1].losses["train"]  # type: ignore[arg-type]
    for changed in ({"lr": 0.1}, {"seed": 1}, {"activation": "tanh"}, {"hidden": (8,)}, {"epochs": 30}):
        other = run("circles", **{**base, **changed}).result.bent.lines[-1].losses["train"]  # type: ignore[arg-type]
        assert other != usual, changed


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"hidden": ()}, "hidden"),
        ({"hidden": (5, 0)}, "hidden"),
        ({"hidden": 5}, "hidden"),
        ({"activation": "rleu"}, "did you mean 'relu'"),
        ({"activation": "identity"}, "the linear network itself"),
        ({"lr": 0.0}, "learning_rate"),
        ({"epochs": 0}, "epochs"),
        ({"seeds": 0}, "seeds"),
        ({"seed": -1}, "seed"),
        ({"device": "gpu"}, "device 'gpu'"),
    ],
)
def test_wrong_settings_are_said(setting: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        run("circles", pictures=False, **setting)


def test_a_learning_rate_that_runs_away_is_said() -> None:
    with pytest.raises(PellucidError, match="learning rate"):
        run("circles", pictures=False, lr=1e30, seeds=2)
