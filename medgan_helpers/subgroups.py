"""Does the reader serve everybody alike? AUROC by sex, age and view, and the gap between two groups.

    table = subgroups.auroc_by_group(labels, scores, patients, frame.sex)
    subgroups.gap(table.loc["Female"], table.loc["Male"])

A mean over all patients hides whom a reader fails (Seyyed-Kalantari et al., Nature Medicine 2021). A small
group has a wide interval: that no gap is shown does not show that there is none.
"""

import numpy as np
import pandas as pd

from . import metrics

AGES = (0, 50, 70, 200)  # years: bounds of the age bands
LEAST = 5  # positives of each finding in a group; with fewer, nearly every bootstrap lacks one


def age_bands(ages):
    """Ages in years -> "0 to 49", "50 to 69", "70 and more"; "unknown" for 0 (CheXpert's) or nothing."""
    names = [f"0 to {AGES[1] - 1}", f"{AGES[1]} to {AGES[2] - 1}", f"{AGES[2]} and more"]
    ages = pd.to_numeric(pd.Series(np.asarray(ages)), errors="coerce").replace(0, np.nan)
    return pd.cut(ages, AGES, right=False, labels=names).astype(object).fillna("unknown").to_numpy()


def auroc_by_group(labels, scores, patients, groups, least=LEAST):
    """Mean AUROC of several findings in each group, with its 95 % patient-bootstrap interval.

    labels, scores: (N, F); patients, groups: (N,). Returns a DataFrame, one row a group: value, low, high, n
    (films), positives (of the finding that has fewest). With fewer than `least` positives or negatives of
    any finding the score is nan, and positives says why.
    """
    labels, scores, patients, groups = (np.asarray(part) for part in (labels, scores, patients, groups))
    rows = {}
    for group in sorted(set(groups)):
        here = groups == group
        positives, negatives = (int((labels[here] == value).sum(0).min()) for value in (1, 0))
        enough = min(positives, negatives) >= least
        score = [np.nan] * 3
        if enough:
            score = metrics.macro_auroc(labels[here], scores[here], patients[here])
        rows[group] = [*score, int(here.sum()), positives]
    table = pd.DataFrame(rows, index=["value", "low", "high", "n", "positives"]).T
    return table.astype({"n": int, "positives": int})


def gap(first, second):
    """Difference of two groups' scores with its 95 % interval: Estimate.

    first, second: anything with value, low and high. For groups of other patients the distances to the ends
    of their intervals add like the sides of a right angle (Zou & Donner, Statistics in Medicine 2008).
    Views may share patients; their interval is then somewhat too wide.
    """
    value = first.value - second.value
    low = value - np.hypot(first.value - first.low, second.high - second.value)
    high = value + np.hypot(first.high - first.value, second.value - second.low)
    return metrics.Estimate(float(value), float(low), float(high))
