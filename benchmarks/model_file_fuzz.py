"""Read 100,000 mutated model files: each is refused with `ModelFileError`, or holds what its bytes say.

Half of the mutations know nothing of the format (flipped bits, cuts, splices); the others edit one part of it and
make the checksum right again, so that the checks of the single fields are met rather than the checksum.

What counts as a failure:

- any exception but `ModelFileError`, and any refusal that takes longer than a second;
- contents that are not those of the original, where the checksum was not made right again;
- contents that are not valid, or not those that the ``safetensors`` and ``json`` packages find in the file;
- memory: at its peak more than 8 MiB beyond 40 times the size of the file, or more than 1 GiB of address space
  (what a claimed size would ask for);
- an event of Python's audit hooks for compiling, executing, importing, unpickling or starting a process.

Run it with ``python benchmarks/model_file_fuzz.py``; it writes ``benchmarks/MODEL_FILE_FUZZ.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from model_file_mutations import BLIND, SEALED, Mutation, originals
from pellucid.errors import ModelFileError
from pellucid.model.model_file import ModelContents, read_model
from pellucid.network import Parameter

SLOW = 1.0  # seconds
FORBIDDEN = ("compile", "exec", "import", "marshal.loads", "pickle.find_class", "subprocess.Popen", "os.system")
RESULTS = Path(__file__).with_name("MODEL_FILE_FUZZ.md")


@dataclass
class Tally:
    """What became of the files of one kind."""

    files: int = 0
    unchanged: int = 0
    other: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


def fault(raw: bytes, contents: ModelContents) -> str | None:
    """Say what is wrong with loaded contents, or nothing."""
    rebuilt = {
        "network": contents.network.to_json(),
        "task": contents.task.to_json(),
        **{name: getattr(contents, name) for name in ("recipe", "target_scaler", "metrics", "libraries", "settings")},
        "schema": contents.schema,
    }
    length = int.from_bytes(raw[:8], "little")
    document = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"]["pellucid"])
    if document["format_version"] > 1:
        rebuilt |= {"n_networks": len(contents.members), "residuals": contents.residuals}
    if {name: document[name] for name in rebuilt} != rebuilt or len(document) != len(rebuilt) + 2:
        return "the contents are not those of the file's description"
    try:
        arrays = safetensors.numpy.load(raw)
    except safetensors.SafetensorError as error:
        return f"a file that the safetensors package refuses: {error}"
    needed, read = contents.network.parameters(), contents.parameters
    if document["format_version"] > 1:
        needed = tuple(replace(p, name=f"{k}.{p.name}") for k in range(len(contents.members)) for p in needed)
        read = flat(contents)
    if not set(arrays) == set(read) == {parameter.name for parameter in needed}:
        return "not the arrays of the file, or not those of the network"
    wrong = [parameter.name for parameter in needed if not is_valid(parameter, read, arrays)]
    if wrong:
        return f"an array {wrong[0]} that is not valid or not the file's"
    if contents.network.outputs != contents.task.outputs:
        return "a network that does not fit its task"
    return None


def flat(contents: ModelContents) -> dict[str, Any]:
    """The arrays under the names that format 2 gives them."""
    return {f"{k}.{name}": array for k, each in enumerate(contents.members) for name, array in each.items()}


def is_valid(parameter: Parameter, arrays: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether an array is the one that the ``safetensors`` package finds, and what the network needs."""
    array, other = arrays[parameter.name], theirs[parameter.name]
    is_theirs = array.tobytes() == other.tobytes() and array.dtype == other.dtype
    fits = array.shape == parameter.shape and (parameter.dtype == "int64") == (array.dtype == np.int64)
    return bool(is_theirs and fits and np.isfinite(array).all())


def same(one: ModelContents, two: ModelContents) -> bool:
    """Whether two models are equal in every field and bit."""
    fields = ("network", "task", "recipe", "target_scaler", "metrics", "libraries", "settings", "schema")
    fields += ("residuals",)
    bits = [{name: (a.dtype, a.shape, a.tobytes()) for name, a in flat(model).items()} for model in (one, two)]
    return bits[0] == bits[1] and all(getattr(one, name) == getattr(two, name) for name in fields)


def stage(message: str) -> str:
    """Which check refused the file."""
    if "does not match its checksum" in message or "has no checksum" in message:
        return "checksum"
    inside = "In a model file that means" in message or "the description in" in message
    late = ("the network needs", "holds a NaN", "must hold", "the model lacks", "the model holds", "mix float32")
    late += ("must be a plain value", "must be an object", "be short texts", "outputs, the", "negative", "characters")
    late += ("n_networks must", "arrays are described", "residuals must", "network 1", "network 2", "network 3")
    if inside or any(words in message for words in late):
        return "contents"
    return "layout"


@contextmanager
def no_more_memory(extra: int) -> Iterator[None]:
    """Let the process have ``extra`` bytes of address space beyond what it has now."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def forget_peak() -> None:
    """Let Linux measure the peak of this process's memory anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """The most memory that this process has held since `forget_peak`."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def watch_events() -> list[str]:
    """Collect forbidden events from now on; the list is theirs, empty it to go on."""
    events: list[str] = []
    sys.addaudithook(lambda event, _: events.append(event) if event in FORBIDDEN else None)
    return events


def read_one(path: Path, size: int, events: list[str]) -> tuple[ModelContents | None, str, str | None, float]:
    """Read a file: the contents or the refusal, what was wrong with how it was read, and the seconds it took."""
    contents, refusal, how = None, "", None
    forget_peak()
    held = peak_bytes()
    events.clear()
    began = time.perf_counter()
    try:
        contents = read_model(path)
    except ModelFileError as error:
        refusal = str(error)
    except Exception as error:
        how = f"{type(error).__name__}: {str(error)[:100]}"
    took = time.perf_counter() - began
    grown = peak_bytes() - held
    if took > SLOW:
        how = f"took {took:.2f} s"
    if grown > (8 << 20) + 40 * size:
        how = f"took {grown >> 20} MiB for a file of {size:,} bytes"
    if events:
        how = f"caused {events[0]}"
    return contents, refusal, how, took


def campaign(
    files: int, seed: int, folder: Path, kinds: Sequence[Mutation] = (*BLIND, *SEALED)
) -> tuple[dict[str, Tally], list[str]]:
    """Mutate and read ``files`` files; the tally of each kind, and what failed (kind, number, how)."""
    bases, events = originals(folder), watch_events()
    tallies, failures = {kind.__name__: Tally() for kind in kinds}, []
    path = folder / "mutated.safetensors"
    read_model(folder / "original")  # what a first time needs is not counted
    with no_more_memory(1 << 30):
        for number in range(files):
            rng = random.Random(f"{seed} {number}")
            kind, original = kinds[number % len(kinds)], rng.choice(bases)
            raw, tally = kind(rng, original), tallies[kind.__name__]
            path.write_bytes(raw)
            contents, refusal, how, took = read_one(path, len(raw), events)
            tally.files += 1
            tally.slowest = max(tally.slowest, took)
            if refusal:
                tally.refused[stage(refusal)] += 1
            elif contents is not None:
                is_same = same(contents, original.contents)
                tally.unchanged += is_same
                tally.other += not is_same
                if not is_same and kind in BLIND:
                    how = "other contents than the original's, past the checksum"
                how = how or fault(raw, contents)
            if how is not None:
                failures.append(f"{kind.__name__}, file {number}: {how}")
    return tallies, failures


def report(tallies: dict[str, Tally], failures: list[str], seed: int, seconds: float) -> str:
    """The results as Markdown."""
    total = sum(t.files for t in tallies.values())
    refused = sum(sum(t.refused.values()) for t in tallies.values())
    valid = sum(t.unchanged + t.other for t in tallies.values())
    slowest = max(t.slowest for t in tallies.values())
    lines = [
        "# Mutated model files",
        "",
        f"{total:,} mutated model files were read: {refused:,} were refused with `ModelFileError`, {valid:,} held "
        f"valid contents, **{len(failures):,} failed** (another exception, contents that are not the file's, more than "
        "a second, memory on the file's word, anything executed). "
        f"The slowest took {slowest * 1000:.0f} ms.",
        "",
        "`python benchmarks/model_file_fuzz.py` makes this page; its docstring says what counts as a failure. In the "
        "second group the checksum was made right again after the edit, so that the checks of the fields decide; "
        "*other* are files whose edit leaves a valid model (another metric, another weight).",
        "",
        "| mutation | files | refused by the layout | by the checksum | by the contents | valid: as the original "
        "| other | slowest (ms) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for group, kinds in (("without a new checksum", BLIND), ("with a new checksum", SEALED)):
        lines.append(f"| **{group}** | | | | | | | |")
        for kind in kinds:
            if (t := tallies.get(kind.__name__)) is not None:
                stages = " | ".join(f"{t.refused[name]:,}" for name in ("layout", "checksum", "contents"))
                lines.append(
                    f"| {kind.__name__.replace('_', ' ')} | {t.files:,} | {stages} | {t.unchanged:,} | {t.other:,} "
                    f"| {t.slowest * 1000:.0f} |"
                )
    machine = f"{platform.machine()}, {os.cpu_count()} cores (one used), {platform.system()}"
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    lines += ["", f"Seed {seed}; {seconds:,.0f} s; {machine}; {versions}."]
    if failures:
        lines += ["", "## Failures", "", *(f"- {failure}" for failure in failures[:100])]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the campaign and write the page; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20_260)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        tallies, failures = campaign(given.files, given.seed, Path(folder))
    text = report(tallies, failures, given.seed, time.perf_counter() - began)
    given.out.write_text(text, encoding="utf-8")
    print(text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
