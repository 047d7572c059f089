"""Findings about forecasts: one that only repeats the last value, and a future that a column gives away."""

from __future__ import annotations

from pellucid.diagnosis.evidence import Evidence
from pellucid.diagnosis.finding import Finding

__all__ = ["future_known", "repeats_last_value"]

_STILL = 0.35  # of the steps of the series
_NO_BETTER = 0.99  # of the error of the value before
_SAME = 0.999  # correlation of changes
_FEWEST = 10


def repeats_last_value(evidence: Evidence) -> Finding | None:
    """A forecast that hardly moves away from the last value."""
    e = evidence.forecast
    if e is None or e.count < _FEWEST or not e.moved < _STILL * e.stepped or e.error < _NO_BETTER * e.error_of_last:
        return None
    return Finding(
        name="repeats-the-last-value",
        finding="The forecast only repeats the last value.",
        evidence=(
            f"one step ahead it lies {e.moved:.3g} away from the value before on average, while the series itself "
            f"moves by {e.stepped:.3g}; its RMSE is {e.error:.4g}, that of the value before {e.error_of_last:.4g}"
        ),
        consequence="drawn over the series it looks right, one step late; it says nothing that persistence does not",
        fix="give the network what moves the series: a longer --window, the --season, columns known in advance "
        "(--known); if nothing does, as in a random walk, no forecast is better than the last value",
    )


def future_known(evidence: Evidence) -> Finding | None:
    """A column that holds the future of the series: the target itself, shifted."""
    e = evidence.forecast
    told = {} if e is None else {name: at for name, at in e.ahead.items() if abs(at[1]) >= _SAME}
    if e is None or not told:
        return None
    name, (shift, correlation) = max(told.items(), key=lambda item: abs(item[1][1]))
    when = "at the same step" if not shift else f"{shift} step{'s' * (shift > 1)} later"
    says = "is said to be known in advance" if name in e.known else "is a column beside it"
    return Finding(
        name="future-known",
        finding=f"Column {name!r} gives the future away.",
        evidence=f"it {says}, and its changes are those of the series {when} (correlation {correlation:.4f})",
        consequence="the figures are those of a network that is told the answer; with the true future they are lost",
        fix=f"leave {name!r} out, unless it really is known before the series is",
        change={"drop": tuple(told)},
    )
