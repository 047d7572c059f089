"""What somebody might use instead of Pellucid, each behind the same few functions, and the harness that times them.

| file | what it does |
|---|---|
| `job` | what all contestants are asked to do: network, rows, batch size, epochs |
| `contestant` | what each contestant must offer; one of the files below implements it for one library |
| `plain`, `loader`, `image_loader`, `sklearn_mlp`, `skorch_net` | the peers |
| `lightning_loop`, `keras_model`, `jax_scan` | further peers |
| `pellucid_engine`, `pellucid_kernel` | ours |
| `products` | nothing but the matrix products of a step: the limit |
| `mixed_pellucid`, `mixed_pandas` | from one row of mixed columns to probabilities |
| `entries` | the list of contestants |
| `limits` | the same number of threads for everybody |
| `worker`, `host` | one process a contestant, and the lines of JSON that it is spoken to with |
| `cold` | a fit in a process of its own, from start to exit |
| `data_sets` | the real tables as arrays, made once |
| `measure` | the rounds, interleaved |
| `summary`, `tables`, `losing`, `report` | from times to medians, ratios and Markdown |
"""
