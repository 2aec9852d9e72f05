"""The bench of `paper_faults`: what its probes learn from, in parts that share no patient."""

from typing import NamedTuple

import numpy as np
import scipy

from .. import checks, metrics
from ..checks import door, having, numbers, shaped, table, told, whole

FEW = 2  # positives and negatives that every part of a bench must hold
SHARES = (0.25, 0.5, 0.7)  # of a bench's patients: where the regimen, the withheld and the test end


class Data(NamedTuple):
    """What the probes learn from: films, their features, one finding's labels, whose films they are."""

    films: np.ndarray  # (N, size, size) uint8
    x: np.ndarray  # (N, 512) float32
    labels: np.ndarray  # (N,) 0 or 1
    patients: np.ndarray  # (N,)


class Bench(NamedTuple):
    """Positions of four sets of films, no patient in two of them: the audited design, and a drawer."""

    train: np.ndarray  # the regimen
    withheld: np.ndarray  # training patients outside the regimen
    test: np.ndarray
    fresh: np.ndarray  # patients that no choice and no generator ever sees: what the test stands for


DATA = having("films", "x", "labels", "patients", kind="a Data")
BENCH = having("train", "fresh", kind="a Bench, as benches makes them")
RNG = having("integers", "permutation", kind="a generator, as np.random.default_rng(seed)")


def ROWS(name, value):
    """Positions of films, at least one."""
    shaped("n")(name, value)
    if len(value) == 0 or not str(value.dtype).startswith(("int", "bool")):
        raise ValueError(
            f"{name} is {told(value)} of {len(value)}, {value.dtype}: expected positions of films"
        )


def FILMS(name, value):
    """Films as they lie in a store, at least one."""
    checks.films()(name, value)
    if not isinstance(value, np.ndarray) or len(value) == 0:
        raise TypeError(
            f"{name} is {told(value)} of {len(value)}: expected an array (N, size, size), not empty"
        )


def LABELS(name, value):
    """One finding's labels, 0 or 1; nan, masked, where a function says so."""
    shaped("N")(name, value)
    numbers(0, 1)(name, value)


def KNOWN(name, value):
    """One finding's labels, 0 or 1, and none of them masked."""
    LABELS(name, value)
    numbers(known=True)(name, value)


def MANY(name, value):
    """Numbers, as a list or an array."""
    if np.ndim(value) == 0:
        raise TypeError(f"{name} is {told(value)}: expected several numbers")
    numbers()(name, value)


def FEATURES(name, value):
    """Features of films, without nan."""
    shaped("N", "features")(name, value)
    if len(value) == 0 or not np.isfinite(value).all():
        raise ValueError(f"{name} of {len(value)} films is empty or holds nan: expected what features gives")


MOST = 10**6  # films that a toy generator makes


@door(frame=table("patient"), labels=KNOWN, count=whole(1, 10_000))
def benches(frame, labels, count, seed=0):
    """[(Bench, rng)]: `count` independent benches, no patient in two of them, each split 25, 25, 20 and 30 %.

    What is measured on them may be averaged, and its interval is `over_benches`. A bench with fewer than FEW
    positives or negatives in a part is left out. Raises ValueError when fewer than two remain.
    """
    if len(labels) != len(frame):
        raise ValueError(f"{len(labels)} labels for {len(frame)} films: expected one each")
    rng = np.random.default_rng(seed)
    groups = np.array_split(rng.permutation(frame["patient"].unique()), count)
    made = []
    for number, patients in enumerate(groups):
        parts = np.split(patients, [round(share * len(patients)) for share in SHARES])
        bench = Bench(*(np.flatnonzero(frame["patient"].isin(part)) for part in parts))
        if all(min(labels[rows].sum(), (1 - labels[rows]).sum()) >= FEW for rows in bench):
            made.append((bench, np.random.default_rng([seed, number])))
    if len(made) < 2:
        found = f"{labels.sum():.0f} positives of {len(labels)} films"
        raise ValueError(f"{found} are too few for {count} benches: choose a commoner finding or more films")
    return made


@door(values=MANY)
def over_benches(values):
    """Mean of one value per bench, with its 95 % t interval: Estimate. nan: left out; fewer than two: nan.

    The benches share no patient, so that their values are independent.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return metrics.Estimate(*[np.nan] * 3)
    reach = scipy.stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return metrics.Estimate(float(values.mean()), float(values.mean() - reach), float(values.mean() + reach))
