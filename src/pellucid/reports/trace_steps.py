"""The page of a traced text or series: the row unrolled, attention as maps, the arithmetic of what is chosen.

As on the page of a picture, every number is there once and one small script shows it; the page's policy allows that
script alone, by its hash, and no request.
"""

from __future__ import annotations

from pellucid.inspection.trace import Traced
from pellucid.reports.trace_maps import page_with_script, slopes_of_loss
from pellucid.reports.trace_steps_data import steps_data

__all__ = ["steps_html"]

_SCRIPTS = ("trace_steps_arithmetic.js", "trace_steps_view.js")
_HOW = (
    "Click a step of the row, a unit at a step, or in a head the step that looks and the one that is looked at; arrow "
    "keys move. The arithmetic opens beside; links lead to the numbers that it was computed from."
)


def steps_html(found: Traced, units: int) -> str:
    """The page as text.

    Parameters
    ----------
    found
        What `pellucid.trace` returned, of a network that reads its rows step by step.
    units
        How many terms of a sum are listed in the overview.
    """
    shown = found.sequence
    labels = shown.steps if shown is not None and shown.is_text else ()
    data = steps_data(found.row, found.steps, slopes_of_loss(found), labels)
    first, many, total = data["start"], data["steps"], data["total"]
    which = f"All {total:,} steps of the row are on this page."
    if many < total:
        why = "on which the loss depends most" if found.row.back is not None else "the last"
        which = (
            f"Of the row's {total:,} steps this page shows {many:,}, from step {first:,} to {first + many - 1:,}, {why}"
            "; sums over all steps count the others together."
        )
    units_left_out = " Of wide layers it shows the strongest units." if data["trimmed"] else ""
    key = '<span class="key strength">how much the loss depends on the step</span> ' if found.row.back else ""
    return page_with_script(
        found,
        units,
        data,
        scripts=_SCRIPTS,
        styles=("trace_steps.css",),
        before=f'<h2>The row</h2><p class="legend">{which}{units_left_out}</p><div id="row"></div>',
        legend=f'<span class="key plus">positive</span> <span class="key minus">negative</span> {key}'
        f'<span class="key chosen">chosen</span> <span class="key patch">what it is computed from</span> {_HOW}',
        unit="LAYER.UNIT,STEP",
    )
