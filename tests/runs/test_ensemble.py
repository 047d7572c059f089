"""Several networks whose answers are averaged: their rows, their answers, and that kills change nothing."""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, DivergenceError, ModelFileError, SettingError
from pellucid.preparation.members import members_of, prepare_run, rows_of
from pellucid.runs import checkpoint
from pellucid.runs import members as members_
from pellucid.runs.ensemble import ensemble_sentence, point_metrics
from pellucid.runs.events import RunTrained
from pellucid.runs.members import TrainedMembers
from pellucid.runs.plan import first_weights
from pellucid.settings.settings import Settings
from pellucid.training.events import EpochEnded, Event
from pellucid.workflow import train as train_

QUICK: dict[str, Any] = {"hidden": (8,), "epochs": 12, "learning_rate": 0.02}
LEAKY: dict[str, Any] = {"dropout": 0.2, "batch_norm": True, **QUICK}


class Listener:
    """Hears every epoch of every network; after ``limit`` epochs it leaves as a crash would."""

    def __init__(self, limit: int = 10**9) -> None:
        self.limit, self.heard, self.members = limit, list[tuple[int, int]](), list[TrainedMembers]()

    def __call__(self, event: Event) -> None:
        match event:
            case EpochEnded():
                self.heard.append((event.member, event.epoch.epoch))
                if len(self.heard) > self.limit:
                    raise InterruptedError
            case RunTrained():
                self.members.append(event.trained)
            case _:
                pass


def weights(run: pellucid.Run) -> list[dict[str, Any]]:
    return [dict(member) for member in run.model.members]


def same(a: pellucid.Run, b: pellucid.Run) -> bool:
    pairs = zip(weights(a), weights(b), strict=True)
    return all(one.keys() == two.keys() and all(np.array_equal(one[n], two[n]) for n in one) for one, two in pairs)


# ── what each network learns from ──


def test_network_k_is_the_one_that_its_seed_gives(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights, batches and dropout go by seed + k; the split by the seed itself."""
    run = pellucid.train(people, "buys", n_networks=3, engine="textbook", **LEAKY)
    single = pellucid.train(people, "buys", engine="textbook", **LEAKY)
    for name, array in single.model.parameters.items():
        np.testing.assert_array_equal(run.model.members[0][name], array)
    assert [each["seed"] for each in run.summary["ensemble"]["networks"]] == [0, 1, 2]
    starts = first_weights(prepare_run(people, Settings(target="buys", hidden=(8,))), 2)
    assert not np.array_equal(starts["0.weight"], first_weights(prepare_run(people, Settings(target="buys")), 1))
    assert len({array.tobytes() for array in (m["0.weight"] for m in run.model.members)}) == 3


@pytest.mark.parametrize("ensemble", ["seeds", "folds"])
def test_a_stack_comes_to_the_weights_of_one_after_another(
    ensemble: str, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**LEAKY, "n_networks": 4, "ensemble": ensemble, "precision": "float64", "engine": "fused", "test": 0.2}
    stacked = pellucid.train(people, "buys", **settings)
    assert stacked.summary["ensemble"]["seconds"]["stacked"]
    monkeypatch.setattr(members_, "worth_stacking", lambda *_: False)
    alone = pellucid.train(people, "buys", **settings)
    assert not alone.summary["ensemble"]["seconds"]["stacked"]
    for one, other in zip(weights(stacked), weights(alone), strict=True):
        for name, array in one.items():
            np.testing.assert_allclose(array, other[name], rtol=0, atol=1e-9, err_msg=name)


def test_folds_hold_every_row_once_and_never_a_test_row(people: Any) -> None:
    settings = Settings(target="buys", n_networks=4, ensemble="folds")
    prepared = prepare_run(people, settings)
    members = members_of(prepared)
    n = len(prepared.train)
    held = [member.validation_rows for member in members if member.validation_rows is not None]
    np.testing.assert_array_equal(np.sort(np.concatenate(held)), np.arange(n))
    target = prepared.target
    assert target is not None
    values = target.at(prepared.split.train)
    for member in members:
        assert member.train_rows is not None
        assert member.validation_rows is not None
        np.testing.assert_array_equal(
            np.sort(np.concatenate([member.train_rows, member.validation_rows])), np.arange(n)
        )
        assert abs(len(member.validation_rows) - n / 4) <= 2
        assert abs(values[member.validation_rows].mean() - values.mean()) < 0.03  # stratified
    single = pellucid.preparation.prepare.prepare(people, Settings(target="buys"))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(single.split.test, prepared.split.test)
    assert not np.isin(prepared.split.test, prepared.split.train).any()
    assert any("the preprocessing is fitted once" in note for note in prepared.notes)
    assert not any("no validation rows" in note for note in prepared.notes)
    assert prepared.settings.validation == settings.validation


def test_folds_keep_groups_whole(people: Any) -> None:
    table = {**people, "family": [f"f{i % 40}" for i in range(300)]}
    prepared = prepare_run(table, Settings(target="buys", group="family", n_networks=3, ensemble="folds"))
    family = np.array(table["family"])[prepared.split.train]
    for member in members_of(prepared):
        assert member.train_rows is not None
        assert member.validation_rows is not None
        assert not set(family[member.train_rows]) & set(family[member.validation_rows])


def test_each_network_of_folds_learns_from_other_rows(people: Any) -> None:
    run = pellucid.train(people, "buys", n_networks=2, ensemble="folds", engine="textbook", **QUICK)
    prepared = prepare_run(people, Settings(target="buys", n_networks=2, ensemble="folds", **QUICK))
    members = members_of(prepared)
    # The last line of the history is of the held rows: their loss by the weights of the last epoch, or of the best.
    for member, parameters, history in zip(members, run.model.members, run.histories, strict=True):
        assert member.validation_rows is not None
        _, validation = rows_of(prepared, member)
        inputs, target = validation.inputs, validation.targets[:, 0]
        alone = replace(run.model, parameters=parameters, more=())
        p = alone.answers_to(inputs)[:, 1]
        loss = -np.mean(np.log(np.where(target == 1, p, 1 - p)))
        assert loss == pytest.approx(min(epoch.validation_loss for epoch in history), rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"n_networks": 1}, SettingError, "needs n_networks from 2 to 100"),
        ({"n_networks": 101}, SettingError, "needs n_networks from 2 to 100, one for each fold, got 101"),
        ({"n_networks": 3, "time": "joined"}, SettingError, r"split is by time \('joined'\): use ensemble=seeds"),
        ({"n_networks": 60}, DataError, "240 rows are left outside the test part, and 60 folds need 300"),
        ({"n_networks": 9, "group": "job"}, DataError, "cannot be cut into 9 folds"),
    ],
)
def test_folds_that_cannot_be(
    settings: dict[str, Any], error: type[Exception], said: str, people: Any, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said):
        pellucid.train(people, "buys", ensemble="folds", out=tmp_path / "run", **QUICK, **settings)
    assert not (tmp_path / "run").exists()


def test_more_networks_than_a_file_holds(people: Any) -> None:
    with pytest.raises(SettingError, match=r"38 arrays each .* set n_networks to at most 263"):
        pellucid.train(people, "buys", n_networks=1000, hidden=(8, 8, 8, 8, 8, 8), batch_norm=True, epochs=1)


def test_rare_classes_are_named(people: Any) -> None:
    table = {**people, "buys": ["maybe" if i in (3, 9) else v for i, v in enumerate(people["buys"])]}
    run = prepare_run(table, Settings(target="buys", n_networks=4, ensemble="folds", drop=("spends",)))
    assert any("'maybe', so some folds hold none of it" in note for note in run.notes)


# ── what they answer ──


@pytest.mark.parametrize("target", ["buys", "spends", "job"])
def test_answers_are_the_mean_of_the_networks(target: str, people: Any, people_csv: Path, tmp_path: Path) -> None:
    run = pellucid.train(people_csv, target, n_networks=5, out=tmp_path / "run", **QUICK)
    model = run.model
    assert len(model.members) == 5
    inputs = model.inputs(model.table(people))
    each = model.answers_of_members(inputs)
    assert np.ptp(each, axis=0).max() > 1e-4
    np.testing.assert_allclose(model.answers_to(inputs), each.mean(axis=0), rtol=1e-12, atol=1e-15)
    for k, parameters in enumerate(model.members):
        alone = replace(model, parameters=parameters, more=())
        np.testing.assert_allclose(alone.answers_to(inputs), each[k], rtol=0, atol=0)
    if model.task.is_classification:
        np.testing.assert_allclose(model.predict_proba(people).sum(axis=1), 1, atol=1e-12)
        link = model.logits(inputs)
        p = 1 / (1 + np.exp(-link[:, 0])) if link.shape[1] == 1 else np.exp(link)
        wanted = model.answers_to(inputs)
        np.testing.assert_allclose(p, wanted[:, 1] if link.shape[1] == 1 else wanted, atol=1e-5)
    row = {name: values[5] for name, values in people.items()}
    np.testing.assert_array_equal(model.predict([row]), model.predict({n: [v] for n, v in row.items()}))
    opened = pellucid.load(tmp_path / "run")
    assert isinstance(opened, pellucid.Run)
    assert same(opened, run)
    assert opened.histories == run.histories
    assert opened.history == run.history == run.histories[0]
    np.testing.assert_array_equal(opened.predict(people), run.predict(people))
    assert [k for k, v in opened.evaluate(people).items()] == list(run.metrics)


def test_what_the_folder_says_of_an_ensemble(people_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run = pellucid.train(people_csv, "buys", n_networks=3, out=out, patience=3, **{**QUICK, "epochs": 60})
    lines = list(csv.DictReader((out / "history.csv").read_text().splitlines()))
    counts = [sum(line["network"] == str(k) for line in lines) for k in (1, 2, 3)]
    assert counts == [len(history) for history in run.histories]
    facts = json.loads((out / "metrics.json").read_text())
    ensemble = facts["ensemble"]
    assert [each["epochs"] for each in ensemble["networks"]] == counts
    assert ensemble["metrics"]["accuracy"]["together"] == facts["metrics"]["accuracy"]["value"]
    for name, numbers in ensemble["metrics"].items():
        each = [network["metrics"][name] for network in ensemble["networks"]]
        assert numbers["mean"] == pytest.approx(np.mean(each))
        assert sorted((numbers["best"], numbers["worst"])) == [min(each), max(each)]
    assert ensemble["metrics"]["log_loss"]["together"] <= ensemble["metrics"]["log_loss"]["mean"]  # Jensen
    assert ensemble["metrics"]["log_loss"]["best"] < ensemble["metrics"]["log_loss"]["worst"]
    assert ensemble["metrics"]["accuracy"]["best"] >= ensemble["metrics"]["accuracy"]["worst"]
    assert ensemble["seconds"]["all"] == pytest.approx(3 * ensemble["seconds"]["one"])
    assert "training took 3.0 times as long as one" in ensemble["sentence"]
    in_file = pellucid.Model.read(out).facts["metrics"]["ensemble"]
    assert "seconds" not in in_file
    assert {k: v for k, v in in_file.items() if k != "sentence"} == {
        k: v for k, v in ensemble.items() if k not in ("sentence", "seconds")
    }


def test_one_network_says_nothing_of_ensembles(people_csv: Path, tmp_path: Path) -> None:
    run = pellucid.train(people_csv, "buys", out=tmp_path / "run", **QUICK)
    assert "ensemble" not in run.summary
    assert (tmp_path / "run" / "history.csv").read_text().startswith("epoch,")
    assert [p.name for p in (tmp_path / "run" / "checkpoints").iterdir()] == ["last.safetensors"]


def test_the_metrics_of_the_ensemble_are_those_of_its_answers(people: Any) -> None:
    run = pellucid.train(people, "spends", drop="buys", n_networks=3, **QUICK)
    prepared = prepare_run(people, Settings(target="spends", drop="buys", n_networks=3, **QUICK))
    held = prepared.measured
    each = run.model.answers_of_members(held.inputs)
    found = run.summary["ensemble"]["metrics"]["rmse"]
    assert found["together"] == pytest.approx(np.sqrt(((each.mean(axis=0) - held.truth) ** 2).mean()))
    assert found["mean"] == pytest.approx(np.mean(np.sqrt(((each - held.truth) ** 2).mean(axis=1))))
    assert found["together"] <= found["mean"]
    assert point_metrics(prepared.task, held.truth, each[0])["rmse"] >= found["best"] - 1e-9


def test_the_sentence_of_numbers_that_are_not_defined() -> None:
    numbers = {"together": None, "mean": 12_345.6, "best": 0, "worst": 0}
    facts = {"n_networks": 2, "metric": "rmse", "metrics": {"rmse": numbers}}
    assert ensemble_sentence(facts) == "2 networks: RMSE not defined, one alone 12,346 on average."


def test_an_ensemble_of_autoencoders() -> None:
    run = pellucid.train(
        "iris", task="reconstruction", n_networks=2, hidden=(2,), epochs=5, learning_rate=0.02, engine="textbook"
    )
    assert run.summary["ensemble"]["metrics"]["mse"]["together"] > 0
    assert run.predict(pellucid_iris()).shape == (150, 4)
    with pytest.raises(SettingError, match="code of its own"):
        run.code(pellucid_iris())


def pellucid_iris() -> Any:
    from pellucid.data.builtin import load_builtin

    return load_builtin("iris")[0]


# ── divergence ──


def test_a_network_that_diverges_at_once_is_named(people: Any) -> None:
    hot = {**QUICK, "learning_rate": 1e6, "optimizer": "sgd", "hidden": (8, 8, 8), "activation": "identity"}
    with pytest.raises(DivergenceError, match=r"network 1 of 2 \(seed 0\)"):
        pellucid.train(people, "spends", n_networks=2, engine="torch", **hot)
    with pytest.raises(DivergenceError, match=r"network 1 of 5 \(seed 0\)"):
        pellucid.train(people, "spends", n_networks=5, engine="fused", **hot)


# ── going on ──


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the state after every epoch, however short."""
    monkeypatch.setattr(checkpoint.Checkpointer.__init__, "__defaults__", (0.0,))


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize("ensemble", ["seeds", "folds"])
@pytest.mark.parametrize(("engine", "n_networks", "limits"), [("textbook", 3, (7, 5, 14)), ("fused", 9, (7, 80))])
def test_a_crash_changes_nothing(
    engine: str, n_networks: int, limits: tuple[int, ...], ensemble: str, people_csv: Path, tmp_path: Path
) -> None:
    settings = {**LEAKY, "engine": engine, "n_networks": n_networks, "ensemble": ensemble, "patience": None}
    straight = pellucid.train(people_csv, "buys", out=tmp_path / "straight", **settings)
    broken = tmp_path / "broken"
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "buys", out=broken, listener=Listener(limits[0]), **settings)
    for epochs in limits[1:]:
        with pytest.raises(InterruptedError):
            pellucid.resume(broken, listener=Listener(epochs))
    last = Listener()
    resumed = pellucid.resume(broken, listener=last)
    assert same(resumed, straight)
    losses, others = ([[e.validation_loss for e in h] for h in run.histories] for run in (straight, resumed))
    assert losses == others
    assert {member for member, _ in last.heard} < set(range(n_networks))  # those that were finished are kept
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("straight", "broken")]
    assert files[0] == files[1]
    kept = {p.name for p in (broken / "checkpoints").iterdir()}
    assert kept == {f"network-{k}.safetensors" for k in range(1, n_networks + 1)}


@pytest.mark.usefixtures("every_epoch")
def test_a_kept_network_of_another_run_is_refused(people_csv: Path, tmp_path: Path) -> None:
    settings = {**QUICK, "n_networks": 2, "engine": "textbook"}
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "buys", out=tmp_path / "a", listener=Listener(15), **settings)
    people_csv.write_text(people_csv.read_text().replace("nurse", "clerk", 20))
    with pytest.raises(ModelFileError, match="has changed since"):
        pellucid.resume(tmp_path / "a")
    again = pellucid.train(people_csv, "buys", out=tmp_path / "a", overwrite=True, **settings)
    assert same(again, pellucid.train(people_csv, "buys", **settings))


@pytest.mark.usefixtures("every_epoch")
def test_a_kept_network_that_is_damaged_is_refused(people_csv: Path, tmp_path: Path) -> None:
    settings = {**QUICK, "n_networks": 2, "engine": "textbook"}
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "buys", out=tmp_path / "a", listener=Listener(15), **settings)
    kept = tmp_path / "a" / "checkpoints" / "network-1.safetensors"
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-3])
    with pytest.raises(ModelFileError):
        pellucid.resume(tmp_path / "a")
    from pellucid.io import safe_tensors

    safe_tensors.write(kept, {}, {"checkpoint": '{"format": 1, "fingerprint": 3}'})
    with pytest.raises(ModelFileError, match="belongs to other data"):
        pellucid.resume(tmp_path / "a")


def interrupt_after(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C after so many epochs of all networks."""
    count = [0]
    fit = train_.fit_members

    def counted(*args: Any, listener: Any, interrupted: Any, **more: Any) -> TrainedMembers:
        def listen(event: Event) -> None:
            count[0] += isinstance(event, EpochEnded)
            listener(event)

        return fit(*args, listener=listen, interrupted=lambda: count[0] >= epochs, **more)

    monkeypatch.setattr(train_, "fit_members", counted)


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize(
    ("engine", "n_networks", "epochs", "left"),
    [("textbook", 3, 30, 3), ("textbook", 3, 5, 1), ("textbook", 3, 1, 1), ("fused", 5, 20, 1), ("fused", 9, 70, 5)],
)
def test_ctrl_c_keeps_what_is_trained(
    engine: str, n_networks: int, epochs: int, left: int, people_csv: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings = {**QUICK, "n_networks": n_networks, "engine": engine, "patience": None}
    with monkeypatch.context() as patch:
        interrupt_after(epochs, patch)
        with pytest.raises(pellucid.Interrupted) as error:
            pellucid.train(people_csv, "buys", out=tmp_path / "a", **settings)
    stopped = error.value.run
    assert stopped.summary["stopped_by"] == "interrupted"
    assert len(stopped.model.members) == stopped.summary["ensemble"]["n_networks"] == left
    assert pellucid.load(tmp_path / "a").predict(people_csv).shape == (300,)
    resumed = pellucid.resume(tmp_path / "a")
    assert resumed.summary["stopped_by"] == "all epochs done"
    assert same(resumed, pellucid.train(people_csv, "buys", **settings))


def start(arguments: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pellucid", "train", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@pytest.mark.parametrize("n_networks", [pytest.param("3", marks=pytest.mark.slow), "9"])
def test_kills_at_random_moments(n_networks: str, people_csv: Path, tmp_path: Path) -> None:
    flags = ["--preset", "plain", "--hidden", "16,8", "--epochs", "90", "--dropout", "0.2", "--patience", "none"]
    flags += ["--quiet", "--no-verdict", "--no-report"]
    data = [str(people_csv), "--target", "buys", "--n-networks", n_networks, *flags]
    began = time.monotonic()
    output, _ = start([*data, "--out", str(tmp_path / "straight")]).communicate(timeout=120)
    assert (tmp_path / "straight" / "metrics.json").exists(), output.decode()
    whole = time.monotonic() - began
    generator, out = random.Random(1), tmp_path / "killed"
    for _ in range(3):
        process = start([str(out), "--resume"] if (out / "config.yaml").exists() else [*data, "--out", str(out)])
        time.sleep(generator.uniform(0.5 * whole, whole))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
    begun = (out / "config.yaml").exists()
    process = start([str(out), "--resume", "--quiet"] if begun else [*data, "--out", str(out)])
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output.decode()
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("straight", "killed")]
    assert files[0] == files[1]
    assert not list(out.rglob("*.part"))
