"""Readers of one line for the blinded test of `reader_study`: a rule, a coin, and how many pairs it takes."""

import numpy as np

from .. import metrics
from ..checks import door, function, having, number, numbers, shaped

SIDES = ("left", "right")
TEST = having("truth", "sources", "key", kind="a test, as reader_study.make gives it")


def _film(name, film):
    shaped("H", "W")(name, film)
    numbers()(name, film)


@door(film=_film)
def detail(film):
    """How much a film (size, size) changes from pixel to pixel."""
    film = np.asarray(film, float)
    return np.abs(np.diff(film, axis=0)).mean() + np.abs(np.diff(film, axis=1)).mean()


@door(test=TEST, measure=function)
def by_rule(test, measure):
    """Answers of a rule of one line: synthetic is the film whose `measure`, film -> number, is smaller."""
    number()("what measure returns", measure(test.films[0, 0]))
    return [SIDES[int(measure(right) < measure(left))] for left, right in test.films]


@door(test=TEST)
def by_coin(test, seed=0):
    """Answers of a reader who tosses a coin."""
    return np.array(SIDES)[np.random.default_rng(seed).integers(2, size=len(test))].tolist()


@door(share=number(most=1, above=0.51))
def pairs_needed(share):
    """How many pairs until an *observed* `share` of synthetic films found (over .51) just clears one half.

    A reader with this *true* share clears one half about every second time: take more.
    """
    return next(n for n in range(5, 10_000, 5) if metrics.proportion(round(share * n), n).low > 0.5)
