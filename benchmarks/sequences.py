"""How fast networks of texts and series are trained, beside plain PyTorch loops: a section of SEQUENCES.md.

    python benchmarks/sequences.py [--quick] [--threads 2] [--rounds 7] [--seconds 0.6] [--only text series]

All contestants live in one process and take turns; a ratio is the median of the ratios of the rounds.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from peers.host import BENCHMARKS
from peers.limits import all_cores
from peers.machine import described
from peers.pictures.tables import put
from pellucid.network import Network, rnn, transformer
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.rows import Rows
from pellucid.training.sources import source_of

Array = NDArray[Any]
CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}
VOCABULARY, CHARACTERS = 5_000, 66


@dataclass(frozen=True, kw_only=True)
class Job:
    """A network and its rows; ``shortest`` below ``steps``: rows of several lengths; ``each``: logits at each step."""

    kind: str  # gru, lstm, rnn or transformer
    steps: int
    width: int
    batch: int
    vocabulary: int = 0  # 0: a series of one channel
    shortest: int = 0
    depth: int = 1
    each: bool = False
    rows: int = 512

    @property
    def outputs(self) -> int:
        """Logits."""
        return self.vocabulary if self.each else 2

    def data(self) -> tuple[Array, Array, Array]:
        """Inputs, targets and lengths."""
        generator = np.random.default_rng(0)
        lengths = generator.integers(self.shortest or self.steps, self.steps + 1, self.rows)
        if not self.vocabulary:
            x = generator.standard_normal((self.rows, self.steps, 1), np.float32)
            return x, generator.integers(0, 2, self.rows), lengths
        x = generator.integers(1, self.vocabulary, (self.rows, self.steps + 1))
        if self.each:
            return x[:, :-1], x[:, 1:], lengths
        x = x[:, :-1].copy()
        x[np.arange(self.steps) >= lengths[:, np.newaxis]] = 0
        return x, generator.integers(0, 2, self.rows), lengths

    def network(self) -> Network:
        """The description."""
        pool = "none" if self.each else "last"
        vocabulary = self.vocabulary or None
        shape = (self.steps,) if self.vocabulary else (self.steps, 1)
        if self.kind == "transformer":
            return transformer(
                shape, self.width, self.outputs, depth=self.depth, vocabulary=vocabulary, causal=self.each,
                pool="none" if self.each else "mean", positions="learned",
            )  # fmt: skip
        return rnn(shape, (self.width,), self.outputs, cell=self.kind, vocabulary=vocabulary, pool=pool)


JOBS = {
    "text": Job(kind="gru", steps=150, shortest=50, width=64, batch=64, vocabulary=VOCABULARY),
    "text, LSTM": Job(kind="lstm", steps=150, shortest=50, width=64, batch=64, vocabulary=VOCABULARY),
    "series": Job(kind="lstm", steps=96, width=64, batch=32),
    "series, GRU": Job(kind="gru", steps=96, width=64, batch=32),
    "series, RNN": Job(kind="rnn", steps=96, width=64, batch=32),
    "transformer": Job(kind="transformer", steps=64, width=64, batch=64, depth=2, vocabulary=VOCABULARY),
    "transformer, lengths": Job(
        kind="transformer", steps=64, shortest=16, width=64, batch=64, depth=2, vocabulary=VOCABULARY
    ),
    "characters": Job(kind="gru", steps=128, width=256, batch=64, vocabulary=CHARACTERS, each=True),
    "characters, transformer": Job(
        kind="transformer", steps=128, width=128, batch=64, depth=4, vocabulary=CHARACTERS, each=True
    ),
}


class PlainRecurrent(nn.Module):
    """As a tutorial writes it: embedding, recurrent layer, linear head."""

    def __init__(self, job: Job, *, packed: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(job.vocabulary, 32, padding_idx=0) if job.vocabulary else None
        self.layer = CELLS[job.kind](32 if job.vocabulary else 1, job.width, batch_first=True)
        self.head, self.job, self.packed = nn.Linear(job.width, job.outputs), job, packed

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Logits of the last step that counts, or of each."""
        x = x if self.embedding is None else self.embedding(x)
        if self.packed:
            _, last = self.layer(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
            return self.head((last[0] if isinstance(last, tuple) else last)[-1])
        states = self.layer(x)[0]
        return self.head(states if self.job.each else states[torch.arange(len(x)), lengths - 1])


class PlainTransformer(nn.Module):
    """``nn.TransformerEncoder``, normalised before each part, with learned positions."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.embedding = nn.Embedding(job.vocabulary, job.width, padding_idx=0)
        self.positions = nn.Parameter(torch.randn(job.steps, job.width) * 0.02)
        block = nn.TransformerEncoderLayer(
            job.width, 4, 4 * job.width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        norm = nn.LayerNorm(job.width)
        self.encoder = nn.TransformerEncoder(block, job.depth, norm, enable_nested_tensor=False)
        self.head, self.job = nn.Linear(job.width, job.outputs), job
        self.future = nn.Transformer.generate_square_subsequent_mask(job.steps)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Logits of the mean over the steps that count, or of each step."""
        h = self.embedding(x) + self.positions[: x.shape[1]]
        if self.job.each:
            return self.head(self.encoder(h, mask=self.future, is_causal=True))
        if not self.job.shortest:
            return self.head(self.encoder(h).mean(dim=1))
        padding = x == 0
        h = self.encoder(h, src_key_padding_mask=padding).masked_fill(padding[:, :, None], 0)
        return self.head(h.sum(dim=1) / lengths[:, None])


def plain(job: Job, module: nn.Module) -> Iterator[int]:
    """The usual loop with tensors in memory, each batch cut to its longest row; yields the rows of each step."""
    x, y, lengths = (torch.from_numpy(each) for each in job.data())
    optimizer = torch.optim.Adam(module.parameters(), 1e-3)
    while True:
        for rows in torch.randperm(job.rows).split(job.batch):
            longest = int(lengths[rows].max())
            z = module(x[rows, :longest], lengths[rows])
            loss = nn.functional.cross_entropy(z.flatten(0, -2), y[rows].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
            yield len(rows)


def ours(job: Job) -> Iterator[int]:
    """The engine and the batches that a training takes; yields the rows of each step."""
    x, y, _ = job.data()
    network = job.network()
    loss = Loss(name="cross_entropy")
    engine = make_engine("auto", network, loss, Optimizer(name="adam"), initialise(network, 0), device="cpu")
    source = source_of(Rows(inputs=x, targets=y), network)
    source.load(engine)
    for epoch in itertools.count():
        for rows in source.batches(job.batch, 0, epoch):
            engine.step(rows, [], 1e-3)
            yield len(rows)


def contestants(job: Job) -> dict[str, Callable[[], Iterator[int]]]:
    """Ours first."""
    made: dict[str, Callable[[], Iterator[int]]] = {"ours": lambda: ours(job)}
    if job.kind == "transformer":
        return {**made, "plain": lambda: plain(job, PlainTransformer(job))}
    if job.shortest:
        made["plain, packed"] = lambda: plain(job, PlainRecurrent(job, packed=True))
    return {**made, "plain": lambda: plain(job, PlainRecurrent(job, packed=False))}


def measure(job: Job, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Milliseconds a step of each contestant, round by round; each takes about so many seconds a round."""
    running, steps = dict[str, Iterator[int]](), dict[str, int]()
    for name, make in contestants(job).items():
        running[name] = make()
        next(running[name])
        began = time.perf_counter()
        next(running[name])
        steps[name] = max(1, round(seconds / (time.perf_counter() - began)))
        if job.shortest and seconds:  # a batch of long rows takes longer than others: whole epochs
            epoch = job.rows // job.batch
            steps[name] = -(-steps[name] // epoch) * epoch
    times: dict[str, list[float]] = {name: [] for name in running}
    for turn in range(rounds):
        for name in list(running)[:: 1 if turn % 2 else -1]:
            began = time.perf_counter()
            rows = sum(next(running[name]) for _ in range(steps[name]))
            times[name].append((time.perf_counter() - began) / rows * job.batch * 1e3)
    return times


def line(name: str, job: Job, times: dict[str, list[float]]) -> str:
    """A line of the table."""

    def usual(who: str) -> str:
        return f"{np.median(times[who]):.1f}" if who in times else ""

    def ratio(who: str) -> str:
        if who not in times:
            return ""
        ratios = np.array(times[who]) / np.array(times["ours"])
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        return f"**{middle:.2f}** ({low:.2f}–{high:.2f})"

    lengths = f"{job.shortest} to {job.steps}" if job.shortest else f"{job.steps}"
    depth = f" × {job.depth}" if job.kind == "transformer" else ""
    cells = (name, f"{job.kind} {job.width}{depth}", lengths, f"{job.batch}", usual("ours"), usual("plain"),
             ratio("plain"), usual("plain, packed"), ratio("plain, packed"))  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure and write."""
    given = arguments()
    torch.set_num_threads(given.threads)
    lines = [described(given.threads), "", _how(given), ""]
    lines += ["| rows | network | steps | batch | ours, ms | plain, ms | times as fast | packed, ms | times as fast |",
              "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name in given.only:
        times = measure(JOBS[name], given.rounds, given.seconds)
        lines.append(line(name, JOBS[name], times))
        print(lines[-1], flush=True)
    if not given.out.exists():
        given.out.write_text("# Sequences\n", encoding="utf-8")
    threads = f"{given.threads} thread{'s' * (given.threads > 1)}"
    put(given.out, f"How fast a training step is, on {threads}", lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=all_cores(), help="for everybody; else one a core")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.6, help="of a round of one contestant")
    parser.add_argument("--only", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--quick", action="store_true", help="one step each: does everything run?")
    parser.add_argument("--out", type=Path, default=BENCHMARKS / "SEQUENCES.md")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.seconds = 1, 0.0
    return given


def _how(given: argparse.Namespace) -> str:
    quick = "**A smoke run (`--quick`): the figures mean little.** " if given.quick else ""
    return (
        f"{quick}`benchmarks/sequences.py`: contestants in one process, taking turns, {given.rounds} rounds; medians, "
        "and of the ratios the middle half in brackets. A step is forward, backward and Adam on a batch, in float32; "
        "the rows are random. The plain loop has its tensors in memory and cuts each batch to its longest row; packed "
        "means `pack_padded_sequence`. Ours also puts rows of about one length together, as its trainings do; rows of "
        "several lengths are timed over whole epochs. Characters have logits at each step."
    )


if __name__ == "__main__":
    main()
