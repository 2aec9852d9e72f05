"""Answers to the exercises of chapter 5."""

import answers
import numpy as np
import torch

from medgan_helpers import stargan
from medgan_helpers.exercises import chapter05 as check

GIVEN = (torch.full((2, 1, 8, 8), -0.01), answers.Brightness(), "Fracture")


def bribe(levels):
    return (GIVEN[0] + levels / 127.5, *GIVEN)


def fixed_flip(labels, rng):
    return stargan.flip_one(labels, torch.Generator().manual_seed(7))


def caught(change):
    return np.flatnonzero(change >= 0.1 * change.max())[-1] + 1


CASES = [
    (check.one_way_networks, lambda n: n * (n - 1), lambda n: n * (n - 1) // 2, "there and back"),
    (check.one_flip, stargan.flip_one, lambda labels, rng: 1 - labels, "exactly one"),
    (check.one_flip, stargan.flip_one, fixed_flip, "another rng chose the very same"),
    (
        check.one_flip,
        stargan.flip_one,
        lambda labels, rng: stargan.flip_one(labels, torch.default_generator),
        "the same rng chose other findings",
    ),
    (check.collapse_caught, caught, lambda c: np.flatnonzero(c < 0.1 * c.max())[0], "has to stay small"),
    (check.collapse_caught, caught, lambda c: len(c) - 1, "it is row 3"),
    (check.cheap_bribe, bribe(3), bribe(4), "4.0 grey levels"),
    (check.cheap_bribe, bribe(3), bribe(1), "sees the finding above 0"),
    (check.cheap_bribe, bribe(3), (GIVEN[0][:1], *GIVEN), "the films are (2, 1, 8, 8), yours (1, 1, 8, 8)"),
]

test_answers = answers.table(CASES)
