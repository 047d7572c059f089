"""What is wrong with a PyTorch training script, found by reading it.

`source` and `notebook` take the code out of a file, `parsing` makes a syntax tree of it, `siblings` adds the files
that it imports; `reader` follows it as it would run, with what is known of each value
(`values`) in the values' place, and records what happens (`record`); each function in ``rules`` is one
mistake, and `followed` says what was seen. Nothing of a script is executed.
"""

from pellucid.script_reader.check import Examined, check_script, examine
from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.followed import Followed
from pellucid.script_reader.source.cells import read_source, source_of
from pellucid.script_reader.source.text import Source, looks_like_script, piped_script, read_script

__all__ = [
    "Examined",
    "Followed",
    "ScriptFinding",
    "Source",
    "check_script",
    "examine",
    "looks_like_script",
    "piped_script",
    "read_script",
    "read_source",
    "source_of",
]
