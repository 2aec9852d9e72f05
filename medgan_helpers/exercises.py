"""The self-checks of the exercises: each says what is right, or what is wrong and how to look.

A check never raises for a wrong answer, so that *Run all* goes through with unsolved exercises; it prints
and returns True or False, and the solution cells assert that it is True.
"""

import functools

import numpy as np
import torch


class _Stop(Exception):
    """Ends a check from within the reader's function; the message is the problem."""


def check(find_problem):
    """Turn a function that returns what is wrong with its first argument, or None, into a self-check.

    That argument is the reader's answer, a value or a function; whatever it raises is explained.
    """

    @functools.wraps(find_problem)
    def run(answer, *given, **options):
        def ask(*arguments):
            try:
                value = answer(*arguments)
            except Exception as error:
                raise _Stop(f"your code stopped with {type(error).__name__}: {error}") from error
            return _answered(value)

        try:
            problem = find_problem(ask if callable(answer) else _answered(answer), *given, **options)
        except _Stop as stop:
            problem = stop
        except Exception as error:  # an answer of the wrong kind, which the check could not compare
            problem = f"your answer stopped the check with {type(error).__name__}: {error}"
        print("Right." if problem is None else f"Not yet: {problem}.")
        return problem is None

    return run


def _answered(answer):
    if answer is None or answer is ...:
        raise _Stop("replace the dots, then run this cell again")
    return answer


# In the checks below `not error < limit` rather than `error >= limit`: a nan must fail.

# 01 Data exploration


@check
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


@check
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


@check
def leaked_patients(answer, train, test):
    """answer: the patients that stand on both sides of a split."""
    answer, truth = set(answer), set(train.patient) & set(test.patient)
    if answer - truth:
        return f"{len(answer - truth)} of your patients stand on one side only"
    if truth - answer:
        return f"{len(truth - answer)} leaked patients are missing from your answer"


@check
def nested_regimen(function, frame):
    """function(frame, percent) -> rows of about percent % of the patients; smaller inside larger."""
    parts = {percent: function(frame, percent) for percent in (1, 10, 50, 100)}
    patients = {percent: set(part.patient) for percent, part in parts.items()}
    for small, large in ((1, 10), (10, 50), (50, 100)):
        lost = len(patients[small] - patients[large])
        if lost:
            return f"{lost} patients of the {small} % regimen are not in the {large} % regimen"
    whole = frame.patient.nunique()
    for percent, chosen in patients.items():
        if abs(len(chosen) / whole - percent / 100) > 0.005 + 1 / whole:
            return f"{percent} % holds {len(chosen)} of {whole} patients"
        if len(parts[percent]) != frame.patient.isin(chosen).sum():
            return f"{percent} %: a chosen patient must bring all of his or her films"


# 03 DCGAN


@check
def optimal_discriminator(function):
    """function(p, q) -> D*(x): the best discriminator between density p (data) and q (generator)."""
    p, q = torch.tensor([0.4, 0.1, 0.0, 0.3]), torch.tensor([0.4, 0.3, 0.2, 0.0])
    answer = torch.as_tensor(function(p, q))
    if not torch.allclose(answer[0], torch.tensor(0.5)):
        return f"where data and generator are equally dense D* must be 0.5, not {answer[0]:.2f}"
    if not torch.allclose(answer, torch.tensor([0.5, 0.25, 0.0, 1.0])):
        return "D* is the share of the data in all that is seen at x: p over p plus q"


@check
def resize_convolution(block, channels_in=8, channels_out=4):
    """block: a module (B, channels_in, h, w) -> (B, channels_out, 2h, 2w) that leaves no checkerboard."""
    with torch.no_grad():
        answer = block(torch.ones(1, channels_in, 8, 8))
    if answer.shape != (1, channels_out, 16, 16):
        return (f"8 x 8 with {channels_in} channels became {tuple(answer.shape[1:])}, "
                f"expected ({channels_out}, 16, 16)")  # fmt: skip
    if not answer[..., 4:-4, 4:-4].std(dim=(-2, -1)).max() <= 1e-5:
        return ("a flat input came out patterned: neighbouring pixels see different weights, as in a "
                "transposed convolution")  # fmt: skip


@check
def spherical_interpolation(function):
    """function(a, b, t) -> point at share t of the arc from a to b, vectors (d,)."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 100, generator=generator)
    b = b * a.norm() / b.norm()
    start, middle, end = (torch.as_tensor(function(a, b, t)) for t in (0.0, 0.5, 1.0))
    for t, place, point, expected in ((0, "start", start, a), (1, "end", end, b)):
        if not torch.allclose(point, expected, atol=1e-4):
            return f"at t = {t} the path must be at its {place}"
    length = middle.norm() / a.norm()
    if not abs(length - 1) < 1e-3:
        return (f"half way the vector has shrunk to {length:.2f} of its length: that is the straight line, "
                "which leaves the shell on which Gaussian noise lives")  # fmt: skip
    if not torch.allclose(middle, (a + b) * a.norm() / (a + b).norm(), atol=0.01):
        return "half way the point has the right length, but it must be as near to a as to b"


# 05 StarGAN


@check
def one_way_networks(function):
    """function(n) -> the number of one-way networks between n domains."""
    for n, expected in ((2, 2), (5, 20), (13, 156)):
        if function(n) != expected:
            return f"with {n} domains you count {function(n)}; with 2 there are 2 ways, there and back"


@check
def one_flip(function):
    """function(labels (B, domains) of 0 and 1, rng) -> the labels with one entry of each row flipped."""
    labels = torch.randint(0, 2, (200, 3), generator=torch.Generator().manual_seed(0)).float()
    flips = (function(labels.clone(), torch.Generator().manual_seed(1)) - labels).abs()
    if not (flips.sum(1) == 1).all():
        return f"rows have {flips.sum(1).min():.0f} to {flips.sum(1).max():.0f} flips; each needs exactly one"
    if not (flips.sum(0) > 40).all():
        return "every finding should have its turn"


# 08 When GANs fail


@check
def loss_slopes(function):
    """function(d) -> how steep log(1 - D(G(z))) and -log D(G(z)) are in D's logit, where D(G(z)) = d (n,)."""
    d = torch.tensor([0.01, 0.5, 0.9])
    answer = [torch.as_tensor(part).abs() for part in function(d)]
    if [part.shape for part in answer] != [d.shape, d.shape]:
        return f"expected two tensors, the steepness of each loss for each of {len(d)} values of d"
    for name, part, right in zip(("log(1 - d)", "-log d"), answer, (d, 1 - d), strict=True):
        if torch.allclose(part, right / (d * (1 - d)), atol=1e-3):
            return (f"that is the slope of {name} in d; the network's output is the logit l, with "
                    "d = sigmoid(l): multiply by the slope of the sigmoid, d (1 - d)")  # fmt: skip
        if not torch.allclose(part, right, atol=1e-3):
            return f"at d = 0.01 the steepness of {name} is {right[0]:.2f}, not {part[0]:.2f}"


@check
def copies_share(function):
    """function(fake, held_out) -> share of synthetic films nearer to a training film than all but 5 % of
    held-out real films; fake, held_out: (n,) distances to the nearest training film."""
    held_out, honest = np.linspace(1, 2, 500), np.linspace(1, 2, 1000)
    copied = np.concatenate([np.full(300, 0.1), np.full(700, 1.5)])
    for fake, right, kind in ((copied, 0.3, "30 % copies"), (honest, 0.05, "the held-out films' own spread")):
        answer = float(function(fake, held_out))
        if not 0 <= answer <= 1:
            return f"a share lies between 0 and 1, not at {answer:.2f}"
        if abs(answer - right) > 0.03:
            return (f"for distances with {kind} the share is {right:.2f}, not {answer:.2f}; "
                    "the limit is the 5 % quantile of held_out")  # fmt: skip
