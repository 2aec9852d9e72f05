"""Answers to the exercises of chapter 6."""

import answers
import numpy as np

from medgan_helpers import paper_faults
from medgan_helpers.exercises import chapter06 as check


def bootstrap(labels, a, b, rng, paired=True, quantiles=(0.025, 0.975)):
    values = []
    for _ in range(500):
        one = rng.integers(len(labels), size=len(labels))
        two = one if paired else rng.integers(len(labels), size=len(labels))
        values.append(paper_faults.area(labels[one], a[one]) - paper_faults.area(labels[two], b[two]))
    return np.quantile(values, quantiles)


def positives(area, times=2):
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    for p in range(2, 10_000):
        n = 10 * p
        variance = (area * (1 - area) + (p - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / (p * n)
        if 1.96 * np.sqrt(times * variance) < 0.03:
            return p


CURVE = {50: 0.6, 100: 0.62}
CASES = [
    (check.fair_comparison, "B", "A", "epochs"),
    (check.paired_bootstrap, bootstrap, lambda *x: bootstrap(*x, paired=False), "too wide"),
    (
        check.paired_bootstrap,
        bootstrap,
        lambda *x: bootstrap(*x, quantiles=(0.05, 0.95)),
        "which quantiles",
    ),
    (check.paired_bootstrap, bootstrap, lambda *x: (0.01, 0.08), "whatever the data are"),
    (
        check.paired_bootstrap,
        bootstrap,
        lambda labels, a, b, rng: rng.choice(10, 2, replace=False),
        "with replacement",
    ),
    (
        check.paired_bootstrap,
        bootstrap,
        lambda labels, a, b, rng: bootstrap(labels, a, b, np.random.default_rng(7)),
        "another rng gave the very same",
    ),
    (
        check.paired_bootstrap,
        bootstrap,
        lambda labels, a, b, rng: bootstrap(labels, a, b, np.random.default_rng()),
        "the same rng gave another",
    ),
    (check.score_by_amount, CURVE, {50: 0.6}, "no curve"),
    (check.score_by_amount, CURVE, {50: 60.0, 100: 0.62}, "no AUROC"),
    (check.score_by_amount, CURVE, {0.61: 50, 0.62: 100}, "no number of films"),
    (check.positives_needed, positives, lambda a: positives(a, times=1), "twice that of one"),
]

test_answers = answers.table(CASES)
