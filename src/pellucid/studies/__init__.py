"""The studies: small experiments about neural networks that anybody can run, look at and change.

`catalogue` lists them; each lives in the file of its name as a function ``study(story, **settings)`` that tells a
`Story` and returns its figures as a frozen dataclass. `run` does both from Python:

    >>> from pellucid.studies import run
    >>> story = run("neuron", pictures=False)
    >>> story.result.z
    0.25
"""

from pellucid.studies.catalogue import CATALOGUE, run

__all__ = ["CATALOGUE", "run"]
