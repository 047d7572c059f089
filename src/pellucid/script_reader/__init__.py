"""Script reading: finds mistakes in a PyTorch training script by reading it; only `tracing` runs one.

The rooms, from the bottom up: `source` turns a file into syntax trees; `values` describes what is known of a value;
`record` lists what happens; `reading` holds the state of a reading; `libraries` knows what PyTorch, NumPy, pandas and
scikit-learn do; `language` follows Python's statements and expressions; each function in `rules` finds one kind of
mistake in the record; `check` joins them, and `followed` says what was checked.
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
