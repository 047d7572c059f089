"""A table of your own, from Python: train, look at the outcome, save the model, and predict with it."""

import tempfile
import warnings
from pathlib import Path

import numpy as np

import pellucid

# A table is a dict of columns here; a pandas or polars frame, or the path of a file, works as well.
generator = np.random.default_rng(0)
age = generator.integers(18, 80, 500)
job = generator.choice(["nurse", "clerk", "smith"], 500)
likes = generator.random(500) < 1 / (1 + np.exp(-(age - 45) / 5 - 2.0 * (job == "nurse")))
table = {"age": age, "job": job, "likes": np.where(likes, "yes", "no")}

run = pellucid.train(table, target="likes", hidden=(16,), learning_rate=0.01)
accuracy, baseline = run.metrics["accuracy"], run.summary["baseline"]["accuracy"]["value"]
print(f"accuracy {accuracy.value:.3f} (95 % {accuracy.low:.3f} to {accuracy.high:.3f}); baseline {baseline:.3f}")
assert accuracy.value > 0.8

with tempfile.TemporaryDirectory() as folder:
    run.save(Path(folder) / "likes.safetensors")
    model = pellucid.load(Path(folder) / "likes.safetensors")
    warnings.simplefilter("default", pellucid.DataWarning)  # no pirate in the training rows: a warning says so
    newcomers = [{"age": 25, "job": "clerk"}, {"age": 70, "job": "pirate"}]
    print(model.predict(newcomers), model.predict_proba(newcomers).round(3))
