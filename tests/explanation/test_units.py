"""Hidden units: dead and saturated ones that were planted, histograms that add up, PCA against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from pellucid.engines.textbook.forward import forward
from pellucid.explanation.units import activations, hidden_layers, project, statistics
from pellucid.network import Dense, Network, autoencoder, mlp
from pellucid.network.initialise import initialise

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(300, 4))


def planted(function: str) -> tuple[Network, dict[str, np.ndarray]]:
    """Two hidden layers; in the first, units 1 and 4 are pushed far to the left, in the second unit 0 to the right."""
    network = mlp(4, [6, 3], 2, activation=function)
    weights = initialise(network, 0)
    weights["0.bias"][[1, 4]] = -100.0
    weights["2.weight"] = np.abs(weights["2.weight"])
    weights["2.bias"][0] = 1000.0
    return network, weights


@pytest.mark.parametrize("function", ["relu", "gelu", "silu", "mish", "softplus"])
def test_planted_dead_units_are_found(function: str) -> None:
    first, second = statistics(*planted(function), ROWS)
    assert np.flatnonzero(first.dead).tolist() == [1, 4]
    assert not first.saturated.any()
    assert not second.dead[0]
    assert "2 of 6 units (33%) are dead" in first.sentence
    if function == "relu":
        assert first.zeros > 1 / 3


def test_a_unit_that_one_row_moves_is_not_dead() -> None:
    network, weights = planted("relu")
    rows = np.vstack([ROWS, 1e4 * np.sign(weights["0.weight"][1])])
    assert not statistics(network, weights, rows)[0].dead[1]


@pytest.mark.parametrize("function", ["tanh", "sigmoid"])
def test_planted_saturated_units_are_found(function: str) -> None:
    first, second = statistics(*planted(function), ROWS)
    assert np.flatnonzero(first.saturated).tolist() == [1, 4]
    assert second.saturated.tolist() == [True, False, False]
    assert not first.dead.any()
    assert "saturated" in first.sentence


def test_saturated_means_more_than_95_percent_of_the_rows() -> None:
    network = mlp(1, [1], 1, activation="sigmoid")
    weights = {"0.weight": np.array([[1.0]]), "0.bias": np.zeros(1), "2.weight": np.ones((1, 1)), "2.bias": np.zeros(1)}
    far, near = np.full((96, 1), 9.0), np.zeros((4, 1))
    assert statistics(network, weights, np.vstack([far, near]))[0].saturated.tolist() == [True]
    assert statistics(network, weights, np.vstack([far[:95], near, near[:1]]))[0].saturated.tolist() == [False]


@pytest.mark.parametrize("function", ["identity", "leaky_relu", "elu", "selu"])
def test_others_neither_die_nor_saturate(function: str) -> None:
    for found in statistics(*planted(function), ROWS):
        assert not found.dead.any()
        assert not found.saturated.any()


def test_histograms_hold_every_output_of_every_group() -> None:
    network, weights = planted("tanh")
    groups = np.where(ROWS[:, 0] > 0, 1, 0)
    groups[:7] = -1
    for found in statistics(network, weights, ROWS, groups, 2):
        counted = np.bincount(groups[groups >= 0]) * found.layer.units
        assert found.counts.sum(axis=1).tolist() == counted.tolist()


def test_outputs_are_those_after_the_activation_and_of_a_linear_waist_its_own() -> None:
    network = mlp(4, [5], 2, activation="tanh", batch_norm=True, dropout=0.5)
    weights = initialise(network, 1)
    (layer,) = hidden_layers(network)
    trace = forward(network, weights, ROWS)
    np.testing.assert_array_equal(activations(network, weights, ROWS, layer), trace.steps[-2].outputs)
    assert (layer.units, layer.function) == (5, "tanh")
    waist = hidden_layers(autoencoder(4, [3, 2, 3]))[1]
    assert (waist.units, waist.function) == (2, "identity")
    assert hidden_layers(Network(inputs=2, layers=(Dense(inputs=2, outputs=1),))) == ()


def test_components_are_those_of_scikit_learn() -> None:
    values = ROWS @ RNG.normal(size=(4, 7)) + 5
    found = project(values)
    theirs = PCA(n_components=2).fit(values)
    np.testing.assert_allclose(found.shares, theirs.explained_variance_ratio_, rtol=1e-10)
    places = theirs.transform(values)
    signs = np.sign((places * found.places).sum(axis=0))
    np.testing.assert_allclose(found.places * signs, places, atol=1e-9)


def test_signs_follow_the_moment_before() -> None:
    values = ROWS @ np.diag([5.0, 3.0, 1.0, 1.0])
    before = project(values)
    turned = project(-values + 0.01 * RNG.normal(size=values.shape), like=before)
    assert ((turned.places * before.places).sum(axis=0) > 0).all()


@pytest.mark.parametrize("values", [np.arange(5.0)[:, None], np.ones((4, 3)), np.ones((1, 2))])
def test_components_of_next_to_nothing(values: np.ndarray) -> None:
    found = project(values)
    assert found.places.shape == (len(values), 2)
    assert np.isfinite(found.places).all()
    assert found.shares[1] == 0
