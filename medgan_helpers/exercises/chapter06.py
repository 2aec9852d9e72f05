"""The self-checks of chapter 6, classifier experiments; what a check is stands in `check`."""

import numpy as np

from .. import metrics
from .check import check

CASES = 3  # data sets: over so many, the width of 500 resamples is known to a few per cent


class _Watched(np.random.Generator):
    """A generator that remembers whether it was asked to draw without putting back."""

    kept_out = False

    def choice(self, a, size=None, replace=True, *rest, **options):
        self.kept_out |= not replace
        return super().choice(a, size, replace, *rest, **options)

    def permutation(self, *given, **options):
        self.kept_out = True
        return super().permutation(*given, **options)


@check  # exercise 1
def fair_comparison(answer):
    """answer: which of the sketches A, B, C is fair."""
    wrong = {
        "A": "in A one arm takes half as many steps again: equal epochs are not equal training",
        "C": "in C one arm was chosen on the test films",
    }
    return None if answer == "B" else wrong.get(answer, "answer with A, B or C, in quotes")


@check  # exercise 2
def positives_needed(function):
    """function(auroc) -> the least number of positives that shows a difference of .03."""
    for area, expected in ((0.75, 719), (0.9, 372)):
        answer = function(area)
        if abs(answer - expected / 2) < 0.02 * expected:
            return "two AUROCs are compared: the variance of their difference is twice that of one"
        if not abs(answer - expected) <= 0.02 * expected:
            return f"at an AUROC of {area} you need {answer}, not about {expected}"


@check  # exercise 3
def paired_bootstrap(function):
    """function(labels, a, b, rng) -> low, high of AUROC(a) - AUROC(b), 95 %."""
    found, expected = [], []
    for case in range(CASES):
        rng = np.random.default_rng(case)
        labels = (rng.random(300) < 0.3).astype(float)
        base = rng.normal(size=300)
        a, b = base + 1.2 * labels, base + (0.9 - 0.2 * case) * labels  # the same luck in both
        watched = _Watched(np.random.PCG64(case))
        low, high = function(labels, a, b, watched)
        if watched.kept_out:
            return "draw with replacement: without it, every resample is the same set of patients"
        if low > high:
            return "low is above high"
        found.append((low, high))
        expected.append(metrics.auroc_difference(labels, a, b, np.arange(300))[1:])
    if problem := _wrong_intervals(np.array(found, float), np.array(expected)):
        return problem
    again, other = (function(labels, a, b, np.random.default_rng(seed)) for seed in (CASES - 1, CASES))
    if not np.array_equal(found[-1], again):
        return "the same rng gave another interval the second time: draw with rng and with nothing else"
    if np.array_equal(found[-1], other):
        return "another rng gave the very same interval: draw with the rng that you are given"


def _wrong_intervals(found, expected):
    """What is wrong with intervals (cases, 2), or None."""
    if np.ptp(found, axis=0).max() < 1e-6:
        return "the answer is the same whatever the data are"
    width = np.diff(found).mean() / np.diff(expected).mean()
    if width < 0.05:
        return "the interval has no width: draw with replacement"
    if width > 1.5:
        return "too wide: draw the same films for both classifiers, or their luck cannot cancel"
    if not 0.91 < width < 1.1:
        return f"the intervals have {width:.0%} of the width of 95 % intervals: which quantiles are yours"
    if np.abs(found - expected).max() > 0.02:
        worst = np.abs(found - expected).max(1).argmax()
        (low, high), (least, most) = found[worst], expected[worst]
        return f"{low:.3f} to {high:.3f}; expected about {least:.3f} to {most:.3f}"


@check  # exercise 4
def score_by_amount(answer):
    """answer: {films added for each finding: mean AUROC of the rare three}, of at least two amounts."""
    if len(answer) < 2:
        return "one point is no curve: run the arm with another value of extra, too"
    for extra, score in answer.items():
        if not (float(extra) >= 0 and float(extra) == int(extra)):
            return f"{extra} is no number of films: the amounts are the keys"
        if not 0 < float(score) < 1:
            return f"{score} is no AUROC, which lies between 0 and 1"
