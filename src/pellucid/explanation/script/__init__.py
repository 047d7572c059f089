"""What is wrong with a PyTorch training script, found by reading it.

`source` makes a syntax tree of the text; `reader` follows it as it would run, with what is known of each value
(`values`) in the values' place, and records what happens (`record`); each function in ``rules``  is one
mistake. Nothing of a script is executed.
"""

from pellucid.explanation.script.check import check_script
from pellucid.explanation.script.finding import ScriptFinding
from pellucid.explanation.script.source import read_script

__all__ = ["ScriptFinding", "check_script", "read_script"]
