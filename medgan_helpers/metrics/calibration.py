"""Do probabilities mean what they say, and what does a threshold do? Reliability and operating points.

AUROC sees only the order of the scores. Whoever acts on a score needs two things more: that of the films
given 20 % about 20 % have the finding (calibration; Guo et al., ICML 2017), and a threshold whose
mistakes are known at the prevalence where it is used.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..checks import beside, door, number, numbers, whole
from .intervals import Estimate, proportion

BINS = 10  # of a reliability curve, with equally many films in each


class OperatingPoint(NamedTuple):
    """What a threshold does: each share with its Wilson 95 % interval."""

    threshold: float
    sensitivity: Estimate
    specificity: Estimate


@door(labels=numbers(), probabilities=beside("labels", numbers()), bins=whole())
def reliability(labels, probabilities, bins=BINS):
    """What was said and what was seen, in bins of equally many films, from the lowest probability up.

    labels: (N,) 0 or 1; probabilities: (N,) in [0, 1]. Returns a DataFrame, one row a bin: said (mean
    probability), seen (share with the finding), its Wilson interval low and high, n.
    """
    labels, probabilities = _pairs(labels, probabilities)
    if probabilities.min() < 0 or probabilities.max() > 1:
        raise ValueError("expected probabilities in [0, 1]; torch.sigmoid makes them of logits")
    rows = []
    for part in np.array_split(np.argsort(probabilities, kind="stable"), min(bins, len(labels))):
        seen = proportion(labels[part].sum(), len(part))
        rows.append([probabilities[part].mean(), *seen, len(part)])
    return pd.DataFrame(rows, columns=["said", "seen", "low", "high", "n"])


def calibration_error(labels, probabilities):
    """Expected calibration error: mean distance of what was said from what was seen, a film each."""
    table = reliability(labels, probabilities)
    return float(np.average((table.said - table.seen).abs(), weights=table.n))


@door(labels=numbers(), scores=beside("labels", numbers()), sensitivity=number(0, 1, above=0))
def threshold_for(labels, scores, sensitivity=0.9):
    """The highest threshold at which at least `sensitivity` of the positives score as high or higher.

    Choose it on films that are not the test. Raises ValueError without a positive.
    """
    labels, scores = _pairs(labels, scores)
    positives = np.sort(scores[labels == 1])[::-1]
    if not len(positives):
        raise ValueError("no film has the finding: a threshold for sensitivity needs some that do")
    return float(positives[int(np.ceil(sensitivity * len(positives))) - 1])


@door(labels=numbers(), scores=beside("labels", numbers()), threshold=number())
def operating_point(labels, scores, threshold):
    """Sensitivity and specificity of `scores` at `threshold`, on films that did not choose it."""
    labels, scores = _pairs(labels, scores)
    if len(set(labels)) < 2:
        raise ValueError(
            f"{int(labels.sum())} of {len(labels)} films have the finding: expected some with, some without"
        )
    called = scores >= threshold
    return OperatingPoint(
        float(threshold),
        proportion(called[labels == 1].sum(), (labels == 1).sum()),
        proportion((~called)[labels == 0].sum(), (labels == 0).sum()),
    )


@door(sensitivity=numbers(0, 1), specificity=numbers(0, 1), prevalence=numbers(0, 1))
def predictive_values(sensitivity, specificity, prevalence):
    """(positive, negative) predictive value at a prevalence, by Bayes' rule; numbers or arrays."""
    sensitivity, specificity = np.asarray(sensitivity, float), np.asarray(specificity, float)
    ill, well = np.asarray(prevalence, float), 1 - np.asarray(prevalence, float)
    called, passed = sensitivity * ill, specificity * well
    return called / (called + (1 - specificity) * well), passed / (passed + (1 - sensitivity) * ill)


def _pairs(labels, scores):
    """Labels and scores as arrays, checked; masked labels (nan) are left out."""
    labels, scores = np.asarray(labels, float), np.asarray(scores, float)
    if labels.ndim != 1 or labels.shape != scores.shape or not len(labels):
        raise ValueError(f"expected one label and one score per film, got {labels.shape} and {scores.shape}")
    known = ~np.isnan(labels)
    labels, scores = labels[known], scores[known]
    if not len(labels):
        raise ValueError("every label is masked (nan): leave this finding out")
    if not np.isin(labels, (0, 1)).all() or np.isnan(scores).any():
        raise ValueError("expected labels 0, 1 or nan (masked) and scores that are numbers")
    return labels, scores
