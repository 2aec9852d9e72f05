"""The self-checks of chapter 1, data exploration; what a check is stands in `check`."""

import numpy as np

from ..checks import told
from .check import check

# In the checks below `not error < limit` rather than `error >= limit`: a nan must fail.


@check  # exercise 1
def prevalence_interval(function):
    """function(positives, n) -> (low, high): a 95 % interval of a proportion (any usual method)."""
    for positives, n in ((50, 1000), (3, 200), (400, 800)):
        low, high = function(positives, n)
        share = positives / n
        if not low < share < high:
            return f"{positives} of {n} is {share:.3f}, which must lie between low and high"
        width = (high - low) / (2 * 1.96 * np.sqrt(share * (1 - share) / n))
        if not 0.85 < width < 1.2:
            return (f"for {positives} of {n} the interval is {width:.1f} times as wide as 1.96 standard "
                    "errors a side; the standard error of a share p is sqrt(p (1 - p) / n)")  # fmt: skip


@check  # exercise 2
def ignore_uncertain(function):
    """function(column) -> column with -1 masked (nan), blanks read as 0, everything else unchanged."""
    column = np.array([1.0, 0.0, -1.0, np.nan, 1.0])
    kept = column.copy()
    answer = np.asarray(function(column), float)
    if not np.array_equal(column, kept, equal_nan=True):
        return "your function changed its input; work on a copy"
    if answer.shape != column.shape:
        return f"a column of {len(column)} films came back with shape {answer.shape}"
    if not np.isnan(answer[2]):
        return f"the uncertain film came back as {answer[2]}, but it must be masked: nan"
    if answer[3] != 0:
        return f"the blank came back as {answer[3]}; not mentioned counts as absent here: 0"
    if not (answer[[0, 1, 4]] == [1, 0, 1]).all():
        return "a clear label (0 or 1) was changed"


@check  # exercise 3
def leaked_patients(answer, train, test):
    """answer: the patients that stand on both sides of a split."""
    if isinstance(answer, str) or not hasattr(answer, "__iter__") or hasattr(answer, "columns"):
        return f"expected a set of patients, found {told(answer)}; set(train.patient) makes one of a column"
    answer, truth = set(answer), set(train.patient) & set(test.patient)
    if answer - truth:
        return f"{len(answer - truth)} of your patients stand on one side only"
    if truth - answer:
        return f"{len(truth - answer)} leaked patients are missing from your answer"


@check  # exercise 4
def nested_regimen(function, frame):
    """function(frame, percent) -> rows of about percent % of the patients; smaller inside larger.

    Right in two ways: so many patients along one order, or those whose own hash falls below the percentage.
    """
    parts = {percent: function(frame, percent) for percent in (1, 10, 50, 100)}
    patients = {percent: set(part.patient) for percent, part in parts.items()}
    for small, large in ((1, 10), (10, 50), (50, 100)):
        lost = len(patients[small] - patients[large])
        if lost:
            return f"{lost} patients of the {small} % regimen are not in the {large} % regimen"
    whole = frame.patient.nunique()
    for percent, chosen in patients.items():
        if set(function(frame, percent).patient) != chosen:
            return f"asked twice, {percent} % gives other patients each time"
        share = percent / 100  # a hash of each patient meets the share by chance: four standard errors
        if abs(len(chosen) - share * whole) > 1 + 4 * np.sqrt(share * (1 - share) * whole):
            return f"{percent} % holds {len(chosen)} of {whole} patients"
        if len(parts[percent]) != frame.patient.isin(chosen).sum():
            return f"{percent} %: a chosen patient must bring all of his or her films"
