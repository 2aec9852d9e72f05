"""Doors: a bad argument ends here in one sentence, before anything is computed.

    @door(n=whole(1), part=one_of("train", "valid", "test"))
    def slices(n, size=64, seed=0, part="train"): ...

A rule is a function (name, value) that raises TypeError or ValueError: what came, what was expected. An
argument that is its own default passes, None where that is the default; a `seed` is always checked.

`values` has the door and the rules for single values, `arrays` those for arrays, tensors and tables.
"""

from .arrays import *  # noqa: F403  each rule is public, and called by the name of this folder
from .values import *  # noqa: F403
