"""Augmentation: training pictures that are changed a little, and differently in each epoch, while their labels stay.

A network that has seen a picture shifted, mirrored or a little darker depends less on where a thing stands and how it
is lit. Only training pictures are changed, never those that choose the best epoch or measure the result.

| file | what it does |
|---|---|
| `augmentation` | the frozen description: which changes, and how strong |
| `wording` | reads ``shift=3,flip`` as people write it |
| `pictures` | applies a description to the pictures of a batch |
| `moves` | changes of place: shift, flip, rotate, crop |
| `looks` | changes of value: colour, erase |

What is random depends on the seed, the epoch and the batch alone, as in `pellucid.training.batches`: a resumed run sees
the same pictures, in whatever order they are prepared.
"""

from pellucid.augmentation.augmentation import Augmentation

__all__ = ["Augmentation"]
