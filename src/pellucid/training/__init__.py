"""Engines in, outcomes out: batches, schedules, early stopping, the loop, and the driver that conducts every training.

There is no calculus in here: an `Engine` does the forward pass, the backward pass and the update. Nor is there any
table or file: rows come as arrays, and what is to be saved goes to a `Store`. Because the initial weights, the batches
and the dropout masks come from one place, whole runs of two engines can be compared.

| file | what it does |
|---|---|
| `driver` | trains networks from their initial weights to their outcomes: the only place that does |
| `ways` | alone, or as a stack; what a network learns from |
| `events` | what happens meanwhile, for every listener |
| `loop`, `stacked_loop` | the epochs of one network, and of a stack |
| `engine`, `rows`, `batches` | what the loop asks of an engine, where rows come from, in which order |
| `averaging` | an average of the weights of many steps, which is what is kept |
| `pictures`, `prefetch` | pictures that are augmented and encoded batch by batch, in a thread |
| `flip_probe` | whether pictures may be mirrored: found by a small network that has never seen one mirrored |
| `schedules`, `stopping`, `history`, `interrupt`, `divergence` | the parts of a loop |
| `signals`, `pace` | what the doctor reads: snapshots of the layers, and how a loss moves |
| `many`, `range_test`, `parity` | many networks on all rows; the learning-rate range test; engines compared |
"""
