"""The main job from end to end: what the command line and Python both call.

| file | what it does |
|---|---|
| `settings`, `config` | every setting, said once; ``config.yaml`` |
| `prepare` | from a table to the numbers that training sees |
| `train` | train, and resume what was stopped |
| `outcome` | measure the best weights and write everything |
| `folder`, `output` | the run folder; tables written out |
| `model`, `run` | what comes out: predicting, evaluating, opening again |
| `check` | do two engines agree on this run? |
"""
