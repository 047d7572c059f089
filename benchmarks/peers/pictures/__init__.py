"""Contestants that learn pictures: the same convolutional network, the same batches, the same update rule for all.

| file | what it is |
|---|---|
| `job` | the network, the pictures and the batch size |
| `entries` | everybody who takes part |
| `ours` | Pellucid's engines, and the textbook for predictions |
| `plain` | PyTorch by hand: tensors in memory, channels-last, compiled, bfloat16 |
| `loader` | PyTorch as tutorials feed it: a Dataset of pictures in a DataLoader |
| `keras_net`, `jax_net`, `lightning_net` | the other libraries |
| `convolutions` | the convolutions alone: the limit |
| `tables` | the section of IMAGES.md |
"""
