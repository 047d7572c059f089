"""How a mistake is planted in the textbook, and what a case of `tests.parity.kinds` is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import strategies as st

from pellucid.engines.textbook.layers import RULES
from pellucid.network import Activation, Layer, Network

Plant = Callable[[pytest.MonkeyPatch], None]
Change = Callable[[Callable[..., Any]], Callable[..., Any]]

TANH = Activation(function="tanh")
EPS = 0.01  # large enough for central differences beside a row or a column of nearly equal numbers


@dataclass(frozen=True, kw_only=True)
class Case:
    """A kind under test: a network in which each of ``mistakes`` must be noticed, and small random ones.

    ``networks`` are others, for mistakes that the first would not show.
    """

    network: Network
    random: st.SearchStrategy[Network]
    mistakes: dict[str, Plant]
    networks: Mapping[str, Network] = field(default_factory=dict)


def forward_rule(kind: type[Layer], change: Change) -> Plant:
    """Plant a change of the textbook's forward rule."""
    return lambda patch: patch.setitem(RULES, kind, replace(RULES[kind], forward=change(RULES[kind].forward)))


def backward_rule(kind: type[Layer], change: Change) -> Plant:
    """Plant a change of the textbook's backward rule."""
    return lambda patch: patch.setitem(RULES, kind, replace(RULES[kind], backward=change(RULES[kind].backward)))


def changed(**by: Callable[..., Any]) -> Change:
    """Change fields of what a rule gives: each function is handed what it gave, and the rule's own arguments."""

    def change(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(*arguments: Any) -> Any:
            given = right(*arguments)
            return given._replace(**{name: function(given, *arguments) for name, function in by.items()})

        return wrong

    return change


def without(name: str) -> Change:
    """The gradient of one parameter is 0."""
    return changed(parameters=lambda given, *_: {n: g * (n != name) for n, g in given.parameters.items()})
