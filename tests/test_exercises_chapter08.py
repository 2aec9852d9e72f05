"""Answers to the exercises of chapter 8."""

import answers
import numpy as np

from medgan_helpers.exercises import chapter08 as check


def grid(films, power=2):
    near, far = ((films[..., k:] - films[..., :-k]).abs().pow(power).mean() for k in (1, 2))
    return (near / (far + 1e-6)).item()


TELLING = (("darkest pixel", -0.1, -0.98),)
CASES = [
    (
        check.loss_slopes,
        lambda d: (d, 1 - d),
        lambda d: (1 / (1 - d), 1 / d),
        "slope of the sigmoid",
    ),
    (
        check.copies_share,
        lambda fake, held_out: (fake < np.quantile(held_out, 0.05)).mean(),
        lambda fake, held_out: (fake < np.median(held_out)).mean(),
        "5 % quantile",
    ),
    (check.grid_score, grid, lambda f: grid(f, power=1), "squared differences"),
    (check.grid_score, grid, lambda f: 1 / grid(f), "other way round"),
    (check.telling_number, TELLING, (("darkest pixel", -0.98, -0.98),), "tells nothing apart"),
    (check.telling_number, TELLING, ((1.0, 0.5, 0.2),), "begin with the number's name"),
    (check.telling_number, TELLING, (("x", float("nan"), 0.2),), "no value in one"),
]

test_answers = answers.table(CASES)
