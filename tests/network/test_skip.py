"""A line beside a network: it can begin as any line."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.engines.textbook.forward import logits_of
from pellucid.errors import SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.skip import beside_a_line, started_from_line


@pytest.mark.parametrize("hidden", [(), (5,), (6, 4)])
def test_it_begins_as_the_line(hidden: tuple[int, ...]) -> None:
    network = beside_a_line(3, hidden, 1, dropout=0.2)
    drawn = initialise(network, 0)
    weights, x = np.array([2.0, -1.0, 0.5]), np.random.default_rng(0).normal(size=(7, 3))
    start = started_from_line(network, drawn, weights, 0.25)
    assert logits_of(network, start, x)[:, 0] == pytest.approx(x @ weights + 0.25)
    if hidden:  # and not by chance: what was drawn is something else
        assert not np.allclose(logits_of(network, drawn, x)[:, 0], x @ weights + 0.25)
        assert np.abs(start["0.0.weight"]).max() > 0


def test_another_network_cannot() -> None:
    network = mlp(3, (4,), 1)
    with pytest.raises(SettingError, match="ends in a line of its inputs"):
        started_from_line(network, initialise(network, 0), np.ones(3), 0.0)
