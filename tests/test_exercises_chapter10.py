"""Answers to the exercises of chapter 10."""

import answers

from medgan_helpers.exercises import chapter10 as check


def euler(velocity, x, steps):
    for number in range(steps):
        x = x + velocity(x, number / steps) / steps
    return x


def straightness(points):
    legs = (points[:, 1:] - points[:, :-1]).flatten(2).norm(dim=2).sum(1)
    return (points[:, -1] - points[:, 0]).flatten(1).norm(dim=1) / legs


CASES = [
    (
        check.both_ends,
        lambda x, v, t: (x - t * v, x + (1 - t) * v),
        lambda x, v, t: (x - v, x + v),
        "back to the noise",
    ),
    (check.euler, euler, lambda v, x, steps: x + v(x, 0.0), "must go 0.75"),
    (check.straightness, straightness, lambda points: 1 / straightness(points), "upside down"),
    (
        check.break_even,
        lambda slow, fast: 1000 * (fast[0] - slow[0]) / (slow[1] - fast[1]),
        lambda slow, fast: (fast[0] - slow[0]) / (slow[1] - fast[1]),
        "are mixed",
    ),
]

test_answers = answers.table(CASES)
