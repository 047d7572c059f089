"""Is the network worth it? One sentence on how it compares with simpler models on the same held-out rows.

Each simpler model (peer) is compared with the network on the same rows (`paired`). An interval that contains 0 is a
tie; whether the simpler model is then enough depends on how large a difference the interval still allows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from pellucid.errors import ModelFileError
from pellucid.evaluation.paired import METRICS, Headline
from pellucid.numerals import numeral

__all__ = [
    "BOOSTING", "CONVOLVED", "DENSE", "DUMMY", "EDGES", "FOREST", "LINEAR", "NEAREST", "NEIGHBOURS", "NETWORK",
    "OF_PICTURES", "OF_SERIES", "OF_TABLES", "OF_TEXTS", "WARPED", "WORDS", "Peer", "Verdict", "judge",
    "no_verdict", "spoken",
]  # fmt: skip

NETWORK, DUMMY, LINEAR = "network", "dummy", "linear model"
FOREST, BOOSTING = "random forest", "gradient boosting"
NEIGHBOURS, EDGES = "k-nearest-neighbour model", "linear model on edges"
DENSE = "fully connected network"
WORDS, CONVOLVED = "linear model on words", "linear model on random convolutions"
NEAREST, WARPED = "nearest-neighbour model", "nearest-neighbour model with time warping"
OF_TABLES = (LINEAR, FOREST, BOOSTING)  # the simplest first
OF_PICTURES = (LINEAR, NEIGHBOURS, EDGES, DENSE)
OF_TEXTS, OF_SERIES = (WORDS,), (NEAREST, WARPED, CONVOLVED)
_MOST_TEXT = 10_000
_REAL_GAIN = 0.25  # a share of all that there is to gain
_MATTERS = 0.02  # of ROC AUC or accuracy
_MATTERS_OF_RMSE = 0.05  # of the peer's


_DOUBTED = "But all these figures may be too good"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A simpler model compared with the network.

    Parameters
    ----------
    name
        ``dummy`` (ignores all columns), or one of `OF_TABLES`, `OF_PICTURES`, `OF_TEXTS` or `OF_SERIES`.
    value
        Its metric on the held-out rows.
    difference, low, high
        How much better the network is, in the metric's unit, with the 95 % interval; below 0 the peer is better.
        NaN (``null`` in JSON) if it is not defined.
    rows
        The number of its training rows.
    seconds
        The time to train it and predict; ``None`` from a model file, which holds nothing that differs between two
        equal runs.
    """

    name: str
    value: float
    difference: float
    low: float
    high: float
    rows: int
    seconds: float | None = None

    @property
    def outcome(self) -> Literal["network", "peer", "tie"]:
        """Which of the two is better, as far as the rows show it.

        >>> Peer(name="dummy", value=0.5, difference=0.3, low=0.1, high=0.5, rows=9).outcome
        'network'
        """
        if self.low > 0:
            return "network"
        return "peer" if self.high < 0 else "tie"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the network is worth it.

    Parameters
    ----------
    sentence
        The verdict in words; without a comparison, why there is none.
    winner
        ``network``, the name of a peer, or ``None`` for a tie or no comparison.
    metric
        ``roc_auc``, ``accuracy`` or ``rmse`` (in the target's unit); ``None`` without a comparison.
    value
        The network's value.
    rows
        The number of held-out rows.
    peers
        The simpler models, the simplest first.
    notes
        What one has to know to read the verdict: a peer that was left out or saw fewer rows.
    """

    sentence: str
    winner: str | None = None
    metric: str | None = None
    value: float | None = None
    rows: int = 0
    peers: tuple[Peer, ...] = ()
    notes: tuple[str, ...] = ()

    def without_times(self) -> Verdict:
        """The same without the seconds, which differ from run to run."""
        return replace(self, peers=tuple(replace(peer, seconds=None) for peer in self.peers))

    def doubted(self, reasons: Sequence[str]) -> Verdict:
        """The verdict with a remark on why all its figures may be too good."""
        return replace(self, sentence=f"{self.sentence} {_DOUBTED}: {'; '.join(reasons)}.")

    def after(self, told: Sequence[str]) -> str:
        """The sentence for a place that already shows the notes ``told`` on why the figures may be too good.

        >>> Verdict(sentence="It is worth it.").doubted(["a copy of each row"]).after(["there are copies"])
        'It is worth it. But all these figures may be too good (see above).'
        """
        sentence = self.sentence
        for note in told:
            sentence = sentence.replace(f"{note[:1].upper()}{note[1:]}. ", "See the warning above. ")
        start, found, _ = sentence.partition(f"{_DOUBTED}: ")
        return f"{start}{_DOUBTED} (see above)." if told and found else sentence

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain JSON values.

        >>> Verdict.from_json(no_verdict("there are no test rows").to_json()).sentence
        'No verdict: there are no test rows.'
        """
        value = asdict(self)
        value["notes"] = list(self.notes)
        value["peers"] = [{k: _finite(v) for k, v in asdict(peer).items()} for peer in self.peers]
        return value

    @classmethod
    def from_json(cls, value: object) -> Verdict:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = _fields(value, cls)
        peers, notes = v["peers"], v["notes"]
        if not isinstance(peers, list) or not isinstance(notes, list):
            raise _bad("peers and notes must be lists")
        return cls(
            sentence=_text(v["sentence"]),
            winner=None if v["winner"] is None else _text(v["winner"]),
            metric=None if v["metric"] is None else _text(v["metric"]),
            value=None if v["value"] is None else _number(v["value"]),
            rows=_whole(v["rows"]),
            peers=tuple(_peer(peer) for peer in peers),
            notes=tuple(_text(note) for note in notes),
        )


def no_verdict(why: str) -> Verdict:
    """A verdict that only says why there is none."""
    return Verdict(sentence=f"No verdict: {why}.")


# The sentence -------------------------------------------------------------------------------------------


def judge(
    metric: Headline,
    value: float,
    rows: int,
    peers: Sequence[Peer],
    notes: Sequence[str] = (),
    *,
    suspect: str | None = None,
    expected: Sequence[str] = OF_TABLES,
) -> Verdict:
    """Say which model to use.

    The rules, in this order: a network that is no better than the dummy has learned nothing, unless there are so few
    rows that it may still be a quarter of the way to perfection; a model with almost no error is questioned before it
    is recommended; a better peer is recommended; if the linear model (of tables, pictures or
    words) ties, it is enough if the interval excludes a
    relevant advantage of the network (0.02 of an area or an accuracy, a twentieth of the RMSE), and otherwise there
    are too few rows; if another peer ties, it is a tie; only a network that is better than all peers, each trained on
    all rows, is worth it.

    Parameters
    ----------
    metric, value
        The metric and the network's value.
    rows
        The number of held-out rows.
    peers
        The simpler models, compared with the network.
    notes
        What one has to know to read the verdict.
    suspect
        The question from `suspect.question`, if a model has almost no error.
    expected
        The names of the models that should have been compared, besides the dummy.

    >>> peer = Peer(name="dummy", value=0.5, difference=0.01, low=-0.02, high=0.04, rows=9)
    >>> judge("roc_auc", 0.51, 90, [peer]).winner
    'dummy'
    """
    winner, sentence = _judged(metric, value, rows, {peer.name: peer for peer in peers}, suspect, expected)
    return Verdict(
        sentence=sentence,
        winner=winner,
        metric=metric,
        value=value,
        rows=rows,
        peers=tuple(peers),
        notes=tuple(notes),
    )


def _judged(
    metric: Headline,
    value: float,
    rows: int,
    peers: dict[str, Peer],
    suspect: str | None,
    expected: Sequence[str],
) -> tuple[str | None, str]:
    dummy = peers.pop(DUMMY)
    name = METRICS[metric]
    better = sorted((p for p in peers.values() if p.outcome == "peer"), key=lambda p: p.difference)
    if dummy.outcome != "network":
        return _nothing_learned(value, rows, name, dummy, better)
    if suspect is not None:
        return None, f"{suspect}."
    if better:
        return _better(name, better)
    weak = _not_at_full_strength(peers, dummy.rows, expected)
    tied = next((p for p in peers.values() if p.outcome == "tie"), None)  # the simplest
    if tied is not None:
        return _tie(value, rows, name, tied, weak)
    return _best_of_all(value, name, dummy, peers, weak)


def _better(name: str, better: Sequence[Peer]) -> tuple[str | None, str]:
    best, *rest = better
    others = "".join(f"; {spoken(p.name)} is better, too, by {_advantage(p, name)}" for p in rest)
    return best.name, _capital(
        f"{spoken(best.name)} is better by {_advantage(best, name)}{others}: {_use(best)}, or train the network with "
        "other settings before you rely on it."
    )


def _use(peer: Peer) -> str:
    if peer.name == WORDS:
        return "use it, or a network on the same words (--network mlp)"
    return "use it (--network mlp)" if peer.name == DENSE else "use it"


def _best_of_all(
    value: float, name: str, dummy: Peer, peers: dict[str, Peer], weak: str | None
) -> tuple[str | None, str]:
    closest = min(peers.values(), key=lambda p: p.difference, default=None)
    if closest is None:
        return None, (
            f"The network is better by {_margin(dummy, name)} than a constant prediction; it could be "
            "compared with nothing else."
        )
    if weak is not None:
        return None, (
            f"Whether the network is worth it is open: {weak}, and may be as good with all that the network had "
            f"({name} {_rounded(value)}; {spoken(closest.name)} {_rounded(closest.value)})."
        )
    margin = f"is better by {_margin(closest, name)} than {spoken(closest.name)}"
    return NETWORK, f"The network is worth it: it {margin}, the best of the others."


def _not_at_full_strength(peers: dict[str, Peer], rows: int, expected: Sequence[str]) -> str | None:
    """Why being better than these peers means little."""
    weak = [f"{spoken(name)} was left out" for name in expected if name not in peers]
    weak += [f"{spoken(p.name)} saw only {p.rows:,} of {rows:,} rows" for p in peers.values() if p.rows < rows]
    return " and ".join(weak) or None


def _nothing_learned(value: float, rows: int, name: str, dummy: Peer, better: Sequence[Peer]) -> tuple[str | None, str]:
    if dummy.outcome == "tie" and not dummy.high <= _REAL_GAIN * _most_gain(name, dummy):  # nor without an interval
        return None, (
            f"{rows:,} rows are too few to tell: the network ({name} {_rounded(value)}) may be much better than a "
            f"constant prediction ({_rounded(dummy.value)}), or no better ({_difference(dummy)}); test on more."
        )
    much = "worse than" if dummy.outcome == "peer" else "no better than"
    said = (
        f"Nothing was learned: on {rows:,} rows the network ({name} {_rounded(value)}) is {much} a constant "
        f"prediction ({_rounded(dummy.value)}; {_difference(dummy)})"
    )
    # What is better than the network here must also be better than the dummy to be worth a word.
    if not better or better[0].high >= dummy.difference:
        return DUMMY, f"{said}."
    best = better[0]
    return best.name, f"{said}, but {spoken(best.name)} is better by {_advantage(best, name)}: {_use(best)}."


def _most_gain(name: str, dummy: Peer) -> float:
    """How much better than the dummy a perfect network would be."""
    return dummy.value if name == METRICS["rmse"] else 1 - dummy.value


def _tie(value: float, rows: int, name: str, peer: Peer, weak: str | None) -> tuple[str | None, str]:
    values = f"{name} {_rounded(peer.value)}, the network {_rounded(value)}"
    said = f"A tie with {spoken(peer.name)} ({values}; {_difference(peer)})"
    if peer.name not in (LINEAR, WORDS):
        return None, f"{said}: {rows:,} rows do not tell which is better, so choose by other reasons."
    matters = _MATTERS_OF_RMSE * peer.value if name == METRICS["rmse"] else _MATTERS
    if not peer.high <= matters:  # NaN is not, either
        return None, (
            f"{said}: {rows:,} rows are too few to tell them apart, for the network may still be better by more than "
            f"{_rounded(matters)}. Test on more rows before you choose."
        )
    if weak is not None:
        return peer.name, f"{said}: the simpler model does as well; but {weak}, and may be better than both."
    return peer.name, f"{said}: the simpler model is enough."


def spoken(name: str) -> str:
    """A model's name within a sentence.

    >>> spoken("linear model"), spoken("gradient boosting")
    ('the linear model', 'gradient boosting')
    """
    return name if name in (BOOSTING, DUMMY) else f"the {name}"


def _advantage(peer: Peer, name: str) -> str:
    """How much better a peer is than the network."""
    return f"{_rounded(-peer.difference)} {name} (95 % {_rounded(-peer.high)} to {_rounded(-peer.low)})"


def _margin(peer: Peer, name: str) -> str:
    """How much better the network is than a peer."""
    return f"{_rounded(peer.difference)} {name} (95 % {_rounded(peer.low)} to {_rounded(peer.high)})"


def _difference(peer: Peer) -> str:
    if math.isnan(peer.low):
        return "the interval of the difference is not defined"
    return f"95 % of the difference {_rounded(peer.low)} to {_rounded(peer.high)}"


def _rounded(number: float) -> str:
    """Three decimals, or three digits of what is small, or four of what is large.

    >>> _rounded(0.0214), _rounded(-0.00012345), _rounded(184.621), _rounded(51234.6)
    ('0.021', '−0.000123', '184.6', '51,235')
    """
    if 0 < abs(number) < 0.001:
        return numeral(number, 3)
    return f"{number:.3f}".replace("-", "−") if abs(number) < 10 else numeral(number)


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


# Reading it back ----------------------------------------------------------------------------------------


def _peer(value: object) -> Peer:
    v = _fields(value, Peer)
    return Peer(
        name=_text(v["name"]),
        rows=_whole(v["rows"]),
        seconds=None if v["seconds"] is None else _number(v["seconds"]),
        **{name: _number(v[name]) for name in ("value", "difference", "low", "high")},
    )


def _fields(value: object, kind: type) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    if not isinstance(value, dict) or set(value) != names:
        raise _bad(f"it must have exactly the fields {sorted(names)}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise _bad(f"a text of at most {_MOST_TEXT:,} characters is wanted, not {type(value).__name__}")
    return value


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise _bad(f"a whole number is wanted, not {type(value).__name__}")
    return value


def _number(value: object) -> float:
    """A number; ``null`` stands for NaN."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e308:
        raise _bad(f"a number is wanted, not {type(value).__name__}")
    return float(value)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _bad(fault: str) -> ModelFileError:
    return ModelFileError(f"the stored verdict is not Pellucid's ({fault}): use an intact copy of the model file")
