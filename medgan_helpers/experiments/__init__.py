"""Does augmentation help? A cell is one experiment (`cell`), made of films (`films`) and what its arm adds
(`arms`), run once (`trial`), kept (`results`), in a grid of many (`grid`), judged (`verdicts`), told
(`sentences`) and brought to its end (`conclusion`). Three of the arms run on films of your own (`own`). The
shipped real films have an experiment of their own, in five folds by patient: its cells (`real_cells`), and
what they say (`real_results`)."""

from .cell import ARMS, KEY, Cell, cells, name
from .grid import run
from .results import difference, kept_classifier, kept_films, test_scores

__all__ = [
    "ARMS",
    "KEY",
    "Cell",
    "cells",
    "difference",
    "kept_classifier",
    "kept_films",
    "name",
    "run",
    "test_scores",
]
