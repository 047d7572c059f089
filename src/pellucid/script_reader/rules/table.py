"""Every rule, in the order in which they are applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.rules import (
    data,
    loss,
    modes,
    names,
    network,
    rates,
    scores,
    sets,
    state,
    steps,
    targets,
    updates,
)

__all__ = ["RULES", "WITHOUT_TORCH"]

Rule = Callable[[Script], Iterator[ScriptFinding]]

RULES: tuple[Rule, ...] = (
    loss.activation_before_loss,
    loss.missing_activation,
    loss.column_against_row,
    loss.one_class,
    loss.softmax_of_one,
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
    names.not_called,
    names.volatile,
    names.index_of_a_number,
    names.misspelt_hook,
    names.loss_not_returned,
    names.no_super_init,
    rates.rate,
    rates.early_scheduler,
    rates.plateau,
    updates.others_parameters,
    updates.unchanged_part,
    updates.new_layers,
    updates.all_frozen,
    updates.cut_graph,
    updates.no_gradients,
    network.widths,
    network.stacked,
    network.made_in_forward,
    network.last_step,
    scores.argmax_axis,
    scores.thresholds,
    scores.averages,
    scores.test_each_epoch,
    sets.hand_made_batches,
    sets.framework_loader,
    sets.augmented_test,
    sets.train_as_test,
    sets.own_statistic,
    state.carried_state,
    targets.swapped,
    targets.class_numbers,
    targets.several_columns,
    targets.made_not_called,
)

WITHOUT_TORCH: tuple[Rule, ...] = (data.fitted_on_all, data.refitted)
