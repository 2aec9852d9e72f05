"""How well a classifier reads: AUROC and AUPRC with a patient bootstrap, differences of two classifiers, and
whether everybody is served alike (by sex, age and view).

A mean over all patients hides whom a classifier fails (Seyyed-Kalantari et al., Nature Medicine 2021). A
small group has a wide interval: that no gap is shown does not show that there is none.
"""

import numpy as np
import pandas as pd

from ..checks import beside, door, estimate, numbers, told, words
from ..checks import table as table_of
from .intervals import Estimate, interval, patient_weights

AGES = (0, 50, 70, 200)  # years: bounds of the age bands
OLDEST = 130  # years, as in `chexpert.read`
BESIDE = beside("labels", numbers())
LEAST_PER_GROUP = 5  # positives of each finding in a group; with fewer, nearly every bootstrap lacks one


def _ranked(labels, scores, patients):
    """Drop masked labels and sort by score. Returns labels, patients, the last index of each tied group."""
    if patients is None:
        raise TypeError("patients is None: expected one identity a film")
    labels, scores, patients = (np.atleast_1d(a) for a in (labels, scores, patients))
    if not len(labels) == len(scores) == len(patients):
        raise ValueError(
            f"expected one label, score and patient an image, found {len(labels)}, {len(scores)} and "
            f"{len(patients)}"
        )
    if labels.ndim != 1 or scores.ndim != 1:
        raise ValueError(f"expected one finding (N,), found labels {labels.shape} and scores {scores.shape}")
    if np.isnan(scores.astype(float)).any():
        raise ValueError(f"{np.isnan(scores.astype(float)).sum()} scores are nan: did the training diverge?")
    known = ~np.isnan(labels.astype(float))
    labels, scores, patients = labels[known].astype(float), scores[known], patients[known]
    if len(odd := labels[~np.isin(labels, (0, 1))]):
        if np.isin(scores, (0, 1)).all():
            raise ValueError(
                f"labels hold {odd[0]:.3g} and scores only 0 and 1: swapped? "
                "The order is labels, scores, patients"
            )
        raise ValueError("expected labels 0, 1 or nan (masked); resolve -1 with chexpert.labels first")
    if not 0 < labels.sum() < len(labels):
        raise ValueError(
            f"expected both classes, found {int(labels.sum())} positives among {len(labels)} labelled "
            "images: take more images or leave this finding out"
        )
    order = np.argsort(scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return labels[order], patients[order], ends


def _weighted_auroc(weights, labels, ends):
    """P(score of a positive > score of a negative) + P(equal) / 2 for each row of weights (R, N)."""
    positives = np.diff((weights * labels).cumsum(1)[:, ends], prepend=0, axis=1)  # a tied group each
    below = (weights * (1 - labels)).cumsum(1)[:, ends]
    negatives = np.diff(below, prepend=0, axis=1)
    with np.errstate(invalid="ignore"):
        wins = (positives * (below - negatives / 2)).sum(1)
        return wins / (positives.sum(1) * negatives.sum(1))


def _weighted_auprc(weights, labels, ends):
    """Average precision: precision at each threshold, weighted by the recall it adds."""
    weights, labels = weights[:, ::-1], labels[::-1]
    starts = len(labels) - 1 - np.append(-1, ends[:-1])[::-1] - 1  # ends of the tied groups, highest first
    hits = (weights * labels).cumsum(1)[:, starts]
    chosen = weights.cumsum(1)[:, starts]
    with np.errstate(invalid="ignore"):
        precision = hits / np.maximum(chosen, 1e-12)
        return (np.diff(hits, prepend=0, axis=1) * precision).sum(1) / hits[:, -1]


def _bootstrap(statistic, labels, scores, patients, seed):
    labels, patients, ends = _ranked(labels, scores, patients)
    value = statistic(np.ones((1, len(labels))), labels, ends)[0]
    return value, np.concatenate(
        [statistic(weights, labels, ends) for weights in patient_weights(patients, seed)]
    )


@door(labels=numbers(), scores=BESIDE, patients=beside("labels"))
def auroc(labels, scores, patients, seed=0):
    """Area under the ROC curve: the chance that a positive film scores above a negative one.

    labels: (N,) 0, 1 or nan (left out); scores: (N,); patients: (N,) identities.
    Returns Estimate(value, low, high): a 95 % interval from drawing whole patients with replacement, since
    films of one patient are not independent. Raises ValueError when one class is absent.
    """
    return interval(*_bootstrap(_weighted_auroc, labels, scores, patients, seed))


@door(labels=numbers(), scores=BESIDE, patients=beside("labels"))
def auprc(labels, scores, patients, seed=0):
    """Average precision, with the interval of `auroc`. Chance is the prevalence, not one half."""
    return interval(*_bootstrap(_weighted_auprc, labels, scores, patients, seed))


@door(labels=numbers(), scores=BESIDE, others=BESIDE, patients=beside("labels"))
def auroc_difference(labels, scores, others, patients, seed=0):
    """AUROC of `scores` minus AUROC of `others` on the same films, each resample drawing the same patients.

    The paired interval is narrower than the two intervals suggest, since both share the hard films.
    """
    labels, scores, others, patients = (np.asarray(a) for a in (labels, scores, others, patients))
    # One seed and one set of patients: both draw the same patients in each resample.
    value, resampled = _bootstrap(_weighted_auroc, labels, scores, patients, seed)
    other, other_resampled = _bootstrap(_weighted_auroc, labels, others, patients, seed)
    return interval(value - other, resampled - other_resampled)


@door(labels=numbers(), scores=BESIDE, others=BESIDE, patients=beside("labels"))
def macro_auroc(labels, scores, patients, others=None, seed=0):
    """Mean AUROC of several findings with its interval; with `others`, the mean difference scores - others.

    labels, scores, others: (N, F). Findings share patients, so each resample draws them once for all.
    """
    labels, scores, patients = np.asarray(labels), np.asarray(scores), np.asarray(patients)
    for table in (scores, labels if others is None else np.asarray(others)):
        if labels.ndim != 2 or table.shape != labels.shape or labels.shape[1] == 0:
            raise ValueError(f"expected labels and scores (N, F), found {labels.shape} and {table.shape}")
    columns = []
    for f in range(labels.shape[1]):
        value, resampled = _bootstrap(_weighted_auroc, labels[:, f], scores[:, f], patients, seed)
        if others is not None:
            other = _bootstrap(_weighted_auroc, labels[:, f], np.asarray(others)[:, f], patients, seed)
            value, resampled = value - other[0], resampled - other[1]
        columns.append((value, resampled))
    values, resamples = zip(*columns, strict=True)
    return interval(np.mean(values), np.mean(resamples, axis=0))


def age_bands(ages):
    """Ages in years -> "0 to 49", "50 to 69", "70 and more"; "unknown" for 0 (CheXpert's) or nothing.
    Raises ValueError for what is no age, or above OLDEST."""
    names = [f"0 to {AGES[1] - 1}", f"{AGES[1]} to {AGES[2] - 1}", f"{AGES[2]} and more"]
    if np.ndim(ages) != 1:
        raise TypeError(f"ages is {told(ages)}: expected one age a film (N,)")
    given = pd.Series(np.asarray(ages))
    ages = pd.to_numeric(given, errors="coerce")
    if (odd := given.notna() & ages.isna()).any():
        raise ValueError(f"ages hold {given[odd].iloc[0]!r}: expected years as numbers")
    if (odd := (ages < 0) | (ages > OLDEST)).any():
        raise ValueError(f"ages hold {ages[odd].iloc[0]:g}: expected years, 0 to {OLDEST}")
    ages = ages.replace(0, np.nan)
    return pd.cut(ages, AGES, right=False, labels=names).astype(object).fillna("unknown").to_numpy()


@door(labels=numbers(0, 1), scores=BESIDE, patients=beside("labels"), groups=beside("labels"))
def auroc_by_group(labels, scores, patients, groups):
    """Mean AUROC of several findings in each group, with its 95 % patient-bootstrap interval.

    labels, scores: (N, F); patients, groups: (N,), blank groups are "unknown". Returns a DataFrame, one row
    per group: value, low, high, n (films), positives (of the finding that has fewest). With fewer than
    LEAST_PER_GROUP positives or negatives of any finding the score is nan, and positives says why.
    """
    if groups is None or patients is None:
        raise TypeError("groups or patients is None: expected one of each a film")
    labels, scores, patients, groups = (np.asarray(part) for part in (labels, scores, patients, groups))
    if (blank := pd.isna(groups)).any():
        groups = np.where(blank, "unknown", groups.astype(object))
    if not patients.shape == groups.shape == labels.shape[:1]:
        shapes = labels.shape, patients.shape, groups.shape
        raise ValueError(f"labels, patients and groups are {shapes}: expected one of each a film")
    if labels.ndim != 2 or not labels.shape == scores.shape:
        raise ValueError(f"expected labels and scores (N, F), found {labels.shape} and {scores.shape}")
    rows = {}
    for group in sorted(set(groups), key=lambda group: (isinstance(group, str), group)):  # "unknown" last
        here = groups == group
        positives, negatives = (int((labels[here] == value).sum(0).min()) for value in (1, 0))
        enough = min(positives, negatives) >= LEAST_PER_GROUP
        score = [np.nan] * 3
        if enough:
            score = macro_auroc(labels[here], scores[here], patients[here])
        rows[group] = [*score, int(here.sum()), positives]
    table = pd.DataFrame(rows, index=["value", "low", "high", "n", "positives"]).T
    return table.astype({"n": int, "positives": int})


@door(first=estimate, second=estimate)
def gap(first, second):
    """Difference of two groups' scores with its 95 % interval: Estimate.

    first, second: anything with value, low and high. For groups of other patients the distances to the ends
    of their intervals add like the sides of a right angle (Zou & Donner, Statistics in Medicine 2008).
    Views may share patients; their interval is then somewhat too wide.
    """
    value = first.value - second.value
    low = value - np.hypot(first.value - first.low, second.high - second.value)
    high = value + np.hypot(first.high - first.value, second.value - second.low)
    return Estimate(float(value), float(low), float(high))


@door(kind=words, table=table_of("value", "low", "high"))
def gap_in_words(kind, table):
    """A sentence on the gap between the first and the last group of `auroc_by_group` that have a score."""
    scored = table.dropna()
    if len(scored) < 2:
        return f"{kind}: fewer than two groups have {LEAST_PER_GROUP} positives of each finding."
    value, low, high = gap(scored.iloc[0], scored.iloc[-1])
    shown = "a gap" if low > 0 or high < 0 else "no gap shown"
    groups = f"{scored.index[0]} minus {scored.index[-1]}"
    return f"{kind}, {groups}: {value:+.2f} ({low:+.2f} to {high:+.2f}), {shown}."
