"""Numbers with their uncertainty: 95 % intervals by a patient bootstrap, Wilson intervals of shares."""

from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..checks import door, number, numbers, plain, told, whole

BOOTSTRAPS = 1000  # resamples of a 95 % interval; its ends then move by a few per cent of its width
QUANTILES = (0.025, 0.975)
LEAST_SEEDS = 5  # fewer hold too little of a seed's luck: see `experiments.verdicts.seeds_and_patients`


class Estimate(NamedTuple):
    """A number and its 95 % interval; f"{estimate:.2f}" writes "0.71 (0.65 to 0.77)"."""

    value: float
    low: float
    high: float

    def __format__(self, digits):
        value, low, high = (format(part, digits) for part in self)
        return f"{value} ({low} to {high})"


@door(seeds=whole(0))
def first_look(seeds):
    """What is said in place of a verdict where there are fewer than LEAST_SEEDS seeds."""
    return f"{seeds} seed{'s' if seeds != 1 else ''}: a first look, no verdict"


def _people(name, value):
    if np.ndim(value) != 1 or not len(value):
        raise TypeError(f"{name} is {told(value)}: expected one identity an image, at least one")


@door(patients=_people)
def patient_weights(patients, seed):
    """How often each image is drawn when patients are drawn with replacement: (BOOTSTRAPS, N) in chunks."""
    if blank := int(pd.isna(np.asarray(patients)).sum()):
        raise ValueError(f"{blank} of {len(patients)} patients are blank: expected one identity an image")
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    count = patient.max() + 1
    rng = np.random.default_rng(seed)
    rows = max(1, min(BOOTSTRAPS, 4_000_000 // len(patient)))  # about 32 MB a chunk
    for start in range(0, BOOTSTRAPS, rows):
        draws = rng.integers(count, size=(min(rows, BOOTSTRAPS - start), count))
        times = np.stack([np.bincount(row, minlength=count) for row in draws])
        yield times[:, patient].astype(float)


def _one(name, value):
    """A number; nan is one, as where nothing was measured."""
    if isinstance(value, bool) or not isinstance(plain(value), Real):
        raise TypeError(f"{name} is {told(value)}: expected numbers, one of them")


@door(value=_one, resampled=numbers())
def interval(value, resampled):
    """A value with the range that holds 95 % of its resamples: Estimate. nan: left out; nothing else: nan."""
    low, high = np.nanquantile(resampled, QUANTILES) if np.isfinite(resampled).any() else (np.nan, np.nan)
    return Estimate(float(value), float(low), float(high))


@door(values=numbers())
def mean_interval(values, patients=None, seed=0):
    """Mean of one value per image with its 95 % interval; whole patients are drawn with replacement.

    values: (N,), finite; patients: (N,) identities, by default every image is its own patient.
    """
    values = np.asarray(values, dtype=float)
    patients = np.arange(len(values)) if patients is None else patients
    if values.ndim != 1 or len(values) == 0 or np.shape(patients) != values.shape:
        raise ValueError(
            f"expected one value per image (N,) and as many patients, "
            f"found {values.shape} and {np.shape(patients)}"
        )
    if unknown := (~np.isfinite(values)).sum():
        raise ValueError(f"{unknown} of {len(values)} values are nan or infinite: find their cause")
    means = [weights @ values / weights.sum(1) for weights in patient_weights(patients, seed)]
    return interval(values.mean(), np.concatenate(means))


@door(hits=number(), n=whole(0))
def proportion(hits, n):
    """Share of hits with its Wilson 95 % interval (Wilson 1927), which also holds for 0 and n hits."""
    if not 0 <= hits <= n or n == 0 or hits != int(hits):
        raise ValueError(f"{hits} hits among {n}: expected whole numbers, at least 1 try, no more hits")
    from scipy.stats import binomtest  # takes half a second

    low, high = binomtest(int(hits), int(n)).proportion_ci(method="wilson")
    return Estimate(hits / n, float(low), float(high))
