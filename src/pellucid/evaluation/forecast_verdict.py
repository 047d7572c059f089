"""Which model to use for a forecast: one sentence on the network beside simpler ones, on the same forecasts.

| peer | what it forecasts |
|---|---|
| persistence | the last value |
| seasonal persistence | the value of the season before |
| linear autoregression | a line through the last values, for each step ahead |
| linear model | the line over its inputs from which the network began to learn |
"""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.evaluation.verdict import LINEAR, NETWORK, Peer, Verdict
from pellucid.numerals import numeral

__all__ = ["AUTOREGRESSION", "LINE", "PERSISTENCE", "SEASONAL", "judge_forecast"]

PERSISTENCE, SEASONAL, AUTOREGRESSION, LINE = "persistence", "seasonal persistence", "linear autoregression", LINEAR
_MATTERS = 0.05  # of the peer's RMSE


def judge_forecast(value: float, rows: int, peers: Sequence[Peer], notes: Sequence[str] = ()) -> Verdict:
    """Say which model to use, the simplest peer first.

    A better peer is recommended; a peer that ties is enough where the network cannot be better by a twentieth of its
    RMSE; a network that is better than all is worth it.

    Parameters
    ----------
    value
        The network's RMSE over all steps ahead.
    rows
        How many forecasts were compared.
    peers
        The simpler models, the simplest first.
    notes
        What one has to know to read the verdict.

    >>> peer = Peer(name="persistence", value=4.0, difference=1.0, low=0.5, high=1.5, rows=90)
    >>> judge_forecast(3.0, 40, [peer]).sentence
    'The network is worth it: its RMSE of 3 is smaller by 1 (95 % 0.5 to 1.5) than that of persistence, the best other.'
    """
    winner, sentence = _judged(value, peers)
    return Verdict(
        sentence=sentence, winner=winner, metric="rmse", value=value, rows=rows, peers=tuple(peers), notes=tuple(notes)
    )


def _judged(value: float, peers: Sequence[Peer]) -> tuple[str | None, str]:
    better = min((peer for peer in peers if peer.outcome == "peer"), key=lambda peer: peer.value, default=None)
    if better is not None:
        return better.name, (
            f"Use {spoken(better.name)}: its RMSE of {numeral(better.value, 4)} is smaller than the network's "
            f"{numeral(value, 4)} by {_amount(-better.difference, -better.high, -better.low)}."
        )
    tied = next((peer for peer in peers if peer.outcome == "tie"), None)  # the simplest
    if tied is not None:
        said = (
            f"A tie with {spoken(tied.name)} (RMSE {numeral(tied.value, 4)}, the network {numeral(value, 4)}; 95 % of "
            f"the difference {numeral(tied.low, 3)} to {numeral(tied.high, 3)})"
        )
        if tied.high <= _MATTERS * tied.value:
            return tied.name, f"{said}: the simpler model is enough."
        return None, f"{said}: there are too few forecasts to tell them apart; use the simpler one, or test on more."
    best = min(peers, key=lambda peer: peer.value, default=None)
    if best is None:
        return None, "The network could be compared with nothing else."
    return NETWORK, (
        f"The network is worth it: its RMSE of {numeral(value, 4)} is smaller by "
        f"{_amount(best.difference, best.low, best.high)} than that of {spoken(best.name)}, the best other."
    )


def spoken(name: str) -> str:
    """A peer's name within a sentence.

    >>> spoken("linear model"), spoken("persistence")
    ('the linear model', 'persistence')
    """
    return f"the {name}" if name == LINE else name


def _amount(value: float, low: float, high: float) -> str:
    return f"{numeral(value, 3)} (95 % {numeral(low, 3)} to {numeral(high, 3)})"
