"""What training has in common whatever computes it: batches, schedules, stopping, history, checkpoints, the loop.

There is no calculus in here. An `Engine` does the forward pass, the backward pass and the update; because the first
weights, the batches and the dropout masks come from one place, whole runs of two engines can be compared.
"""
