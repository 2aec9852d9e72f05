"""The self-checks of chapter 6, classifier experiments; what a check is stands in `check`."""

import numpy as np

from .. import metrics
from .check import check


@check
def paired_bootstrap(function):
    """function(labels, a, b, rng) -> low, high of AUROC(a) - AUROC(b)."""
    rng = np.random.default_rng(0)
    labels = (rng.random(300) < 0.3).astype(float)
    base = rng.normal(size=300)
    a, b = base + 1.2 * labels, base + 0.9 * labels  # the same luck in both
    low, high = function(labels, a, b, np.random.default_rng(1))
    expected = metrics.auroc_difference(labels, a, b, np.arange(300))
    if low > high:
        return "low is above high"
    if high - low > 2 * (expected.high - expected.low):
        return "too wide: draw the same films for both readers, or their luck cannot cancel"
    if not (abs(low - expected.low) <= 0.02 and abs(high - expected.high) <= 0.02):
        return f"{low:.3f} to {high:.3f}; expected about {expected.low:.3f} to {expected.high:.3f}"


@check
def positives_needed(function):
    """function(auroc) -> the least number of positives that shows a difference of .03."""
    for area, expected in ((0.75, 719), (0.9, 372)):
        answer = function(area)
        if abs(answer - expected / 2) < 0.02 * expected:
            return "two AUROCs are compared: the variance of their difference is twice that of one"
        if not abs(answer - expected) <= 0.02 * expected:
            return f"at an AUROC of {area} you need {answer}, not about {expected}"


@check
def fair_comparison(answer):
    """answer: which of the sketches A, B, C is fair."""
    wrong = {
        "A": "in A one arm takes half as many steps again: equal epochs are not equal training",
        "C": "in C one arm was chosen on the test films",
    }
    return None if answer == "B" else wrong.get(answer, "answer with A, B or C, in quotes")
