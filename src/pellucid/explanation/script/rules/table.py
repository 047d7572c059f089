"""Every rule, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pellucid.explanation.script.finding import ScriptFinding
from pellucid.explanation.script.record import Script
from pellucid.explanation.script.rules import data, loss, modes, steps

__all__ = ["RULES", "WITHOUT_TORCH"]

Rule = Callable[[Script], Iterator[ScriptFinding]]

RULES: tuple[Rule, ...] = (
    loss.activation_before_loss,
    loss.missing_activation,
    loss.column_against_row,
    loss.one_class,
    loss.target_type,
    steps.no_zero_grad,
    steps.no_backward,
    steps.no_step,
    steps.starved_step,
    steps.growing_graph,
    modes.no_eval,
    modes.no_no_grad,
    modes.not_training_again,
    modes.functional_dropout,
    modes.hidden_layers,
    data.chosen_by_test,
    data.fitted_on_all,
    data.refitted,
    data.unshuffled,
    data.split_by_position,
    data.devices,
    data.dropped_move,
)

WITHOUT_TORCH: tuple[Rule, ...] = (data.fitted_on_all, data.refitted)
