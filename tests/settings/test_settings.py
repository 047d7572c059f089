"""Settings are said once: dataclass, config.yaml and command line agree."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pellucid.errors import SettingError, StorageError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.settings.config import read_config, write_config
from pellucid.settings.sections import SECTIONS
from pellucid.settings.settings import Settings, setting_names
from pellucid.training.engine import make_engine

AWKWARD = st.text(max_size=12).filter(lambda s: s.lower() not in ("none", "null", "auto"))


@hypothesis_settings(deadline=None, max_examples=100)
@given(
    target=AWKWARD,
    drop=st.lists(AWKWARD, max_size=3),
    hidden=st.lists(st.integers(1, 500), max_size=3),
    rate=st.floats(1e-8, 10),
    norm=st.booleans(),
    patience=st.none() | st.integers(1, 50),
)
def test_a_config_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, target: str, drop: list[str], hidden: list[int], rate: float,
    norm: bool, patience: int | None,
) -> None:  # fmt: skip
    wanted = Settings(
        target=target, drop=tuple(drop), hidden=tuple(hidden), learning_rate=rate, batch_norm=norm, patience=patience
    )
    path = tmp_path_factory.getbasetemp() / "config.yaml"
    path.write_text(write_config(wanted, "a: b # c.csv"), encoding="utf-8")
    read, data = read_config(path)
    assert Settings.of(read) == wanted
    assert data == "a: b # c.csv"


@pytest.mark.parametrize("name", ["numpy", "textbook"])
def test_the_textbook_may_be_asked_for_by_its_older_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"engine: {name}\n", encoding="utf-8")
    read, _ = read_config(path)
    settings = Settings.of(read)
    assert settings.engine == settings.to_json()["engine"] == "textbook"
    assert "\nengine: textbook" in write_config(settings, None)
    network = mlp(2, [3], 1)
    made = make_engine(name, network, Loss(name="mse"), Optimizer(), initialise(network, 0))
    assert made.name == "textbook"


def test_every_setting_has_a_section_a_line_and_a_sentence() -> None:
    text = write_config(Settings(), None)
    assert set(yaml.safe_load(text)) == {"data", *setting_names()}
    for each in fields(Settings):
        assert each.metadata["section"] in SECTIONS
        assert f"\n{each.name}: " in text
        assert each.metadata["help"] in text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"hidden": "64, 32"}, (64, 32)),
        ({"hidden": "none"}, ()),
        ({"hidden": 5}, (5,)),
        ({"hidden": []}, ()),
        ({"batch_norm": "yes"}, True),
        ({"patience": "none"}, None),
        ({"batch_size": "auto"}, None),
        ({"epochs": "12"}, 12),
        ({"epochs": 12.0}, 12),
        ({"learning_rate": "1e-3"}, 1e-3),
        ({"drop": "a"}, ("a",)),
        ({"target": 3}, "3"),
    ],
)
def test_values_are_read_as_people_write_them(written: dict[str, Any], read: Any) -> None:
    (name,) = written
    assert getattr(Settings(**written), name) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b\n", "must hold lines of the form"),
        ("epochs: [1, 2", "line 1|line 2"),
        ("epochs: !!python/object/apply:os.system ['true']", "is not YAML"),
        ("data: 3\n", "data in"),
        ("epochs: many\n", "epochs must be a whole number"),
        ("learning_rte: 1\n", "did you mean 'learning_rate'"),
        ("\x00", "is not YAML"),
        ("a: " + "[" * 5000, "is not YAML"),
        ("1: 2\n", "must hold lines of the form"),
    ],
)
def test_a_config_that_is_wrong(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(SettingError, match=words):
        Settings.of(read_config(path)[0])


def test_a_config_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        read_config(tmp_path / "nothing.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(SettingError, match="larger than 1 MiB"):
        read_config(tmp_path / "large.yaml")


def test_an_empty_config_is_all_defaults(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("# nothing\n")
    assert Settings.of(read_config(tmp_path / "c.yaml")[0]) == Settings()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_config_that_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="it is a pipe"):
        read_config(tmp_path / "pipe")
    with pytest.raises(StorageError, match="it is a device"):
        read_config("/dev/zero")
    with pytest.raises(StorageError, match="it is a folder"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": list(range(100_000))}, {"target": {"a": "b" * 100_000}}, {"engine": "x" * 100_000},
        {"learning_rate": 10**400}, {"image_channels": "²"}, {"missing": ["\udcff"]}, {"target": "\ud800"},
        {"hidden": {"a": 1}}, {"image_size": [[1] * 100_000, 2]}, {"seed": float("nan")}, {"test": float("inf")},
    ],
    ids=lambda wrong: next(iter(wrong)),
)  # fmt: skip
def test_a_wrong_value_is_refused_in_a_few_words(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError) as caught:
        Settings(**wrong)
    assert len(str(caught.value)) < 600
