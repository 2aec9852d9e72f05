"""Answers to the exercises of chapter 5."""

import answers

from medgan_helpers import stargan
from medgan_helpers.exercises import chapter05 as check

CASES = [
    (check.one_way_networks, lambda n: n * (n - 1), lambda n: n * (n - 1) // 2, "there and back"),
    (check.one_flip, stargan.flip_one, lambda labels, rng: 1 - labels, "exactly one"),
]

test_answers = answers.table(CASES)
