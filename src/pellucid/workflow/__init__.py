"""The jobs that a command and a call from Python start, from end to end.

| file | what it does |
|---|---|
| `train` | from a table to a trained, measured and saved network; continue one that was stopped |
| `check` | do two engines agree on a run's own network and the user's rows? |
| `doctor` | the findings on a run or a table, and a training that tries a fix |
"""
