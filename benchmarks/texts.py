"""Free text columns, ten folds, by default settings, beside a linear model on the same words.

    python benchmarks/texts.py --data ../shared/data sms reviews
    python benchmarks/texts.py --report

Each fold trains `pellucid.train` with nothing set but the target and the file of rows, and asks for the rows held out;
what was fitted saw the other nine folds only. Beside it stand logistic regressions (scikit-learn's, C = 10 and 100): on
the network's own inputs, and on all words and pairs of words that two training texts hold. Folds are drawn at random
and stratified, as others draw them: of messages that were sent twice one may be learned from and the other asked.
One line a fold is added to ``texts.jsonl``; a fold that is there is not run again.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
LINES, REPORT = HERE / "texts.jsonl", HERE / "TEXTS.md"
FOLDS, SEED = 10, 1


def sms(folder: Path) -> pd.DataFrame:
    """5,572 messages with their length and number of punctuation marks; ``label`` is ham or spam."""
    with gzip.open(folder / "sms_spam" / "smsspamcollection.tsv.gz") as file:
        return pd.read_csv(io.BytesIO(file.read()), sep="\t")


def reviews(folder: Path) -> pd.DataFrame:
    """2,000 reviews of films as a table with two columns: a text, and the folder that it lay in."""
    rows = []
    with tarfile.open(folder / "movie_review_polarity" / "review_polarity.tar.gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            path = Path(member.name)
            if path.suffix == ".txt" and path.parent.name in ("pos", "neg"):
                file = archive.extractfile(member)
                assert file is not None
                rows.append((file.read().decode("utf-8", "replace"), path.parent.name))
    return pd.DataFrame(rows, columns=["review", "label"])


SETS = {"sms": (sms, "message"), "reviews": (reviews, "review")}


def run_fold(name: str, folder: Path, fold: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Train on nine folds, answer the tenth."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    import pellucid

    make, text = SETS[name]
    frame = make(folder)
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(frame, frame["label"])
    learned, asked = list(parts)[fold]
    train, test = frame.iloc[learned].reset_index(drop=True), frame.iloc[asked].reset_index(drop=True)
    truth = test["label"].to_numpy()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        run = pellucid.train(train, "label", test=0.0, verdict=False, report=False, out=f"{scratch}/run", **settings)
        seconds = time.perf_counter() - began
        answers = run.model.predict(test.drop(columns="label"))
        inputs, wanted = (run.model.inputs(run.model.table(part)) for part in (train, test))
    found = {"network": float(np.mean(np.asarray(answers) == truth))}
    whole = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\w+")
    every = whole.fit_transform(train[text]), whole.transform(test[text])
    for strength in (10, 100):
        model = LogisticRegression(C=strength, max_iter=2000)
        for what, (x, z) in {"same inputs": (inputs, wanted), "all words": every}.items():
            said = model.fit(x, train["label"]).predict(z)
            found[f"linear, {what}, C = {strength}"] = float(np.mean(said == truth))
    return {"set": name, "fold": fold, "seconds": round(seconds, 1), "accuracy": found}


def report() -> str:
    """The means over the folds that are there."""
    lines = [json.loads(line) for line in LINES.read_text("utf-8").splitlines()]
    out = [
        "# Free text, by default settings",
        "",
        "Made by `benchmarks/texts.py`; the accuracy of rows held out, the mean over the folds and, in brackets, its",
        "standard error. Each fold is trained with nothing set but the target. A set with fewer than ten folds is not",
        "finished: run the script again, it goes on.",
        "",
    ]
    for name in SETS:
        own = [line for line in lines if line["set"] == name]
        if not own:
            continue
        seconds = np.median([line["seconds"] for line in own])
        out += [
            f"## {name}: {len(own)} folds of {FOLDS}, {seconds:.0f} s a training (median)",
            "",
            "| model | accuracy |",
        ]
        out += ["|---|---|"]
        for model in own[0]["accuracy"]:
            values = np.array([line["accuracy"][model] for line in own])
            error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
            out.append(f"| {model} | {values.mean():.4f} ({error:.4f}) |")
        out.append("")
    return "\n".join(out)


def main() -> None:
    """Run the folds that are missing, or write the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*", choices=[*SETS, []])
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    done = set()
    if LINES.exists():
        done = {(line["set"], line["fold"]) for line in map(json.loads, LINES.read_text("utf-8").splitlines())}
    for fold in range(FOLDS):
        for name in given.sets:
            if (name, fold) not in done:
                line = run_fold(name, given.data, fold, {"threads": 1})
                with LINES.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                print(line, flush=True)
    if given.report:
        REPORT.write_text(report(), encoding="utf-8")


if __name__ == "__main__":
    main()
