"""The parts of training that all engines share: batches, schedules, stopping, history, checkpoints, the loop.

There is no calculus in here. An `Engine` does the forward pass, the backward pass and the update; because the initial
weights, the batches and the dropout masks come from one place, whole runs of two engines can be compared.
"""
