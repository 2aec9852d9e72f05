"""The self-checks of the exercises: each says what is right, or what is wrong and how to look.

A check never raises for a wrong answer, so that *Run all* goes through with unsolved exercises; it prints
and returns True or False, and the solution cells assert that it is True.
"""

import numpy as np
import torch

NOT_WRITTEN = "not written yet: replace the dots, then run this cell again"


def _verdict(problem):
    print(f"Not yet: {problem}." if problem else "Right.")
    return not problem


def _try(function, *arguments):
    """The answer of the reader's function, and what is wrong with it if it raised or returned nothing."""
    try:
        answer = function(*arguments)
    except Exception as error:  # the reader's code: any error is an answer to explain, not to pass on
        return None, f"your function stopped with {type(error).__name__}: {error}"
    return answer, NOT_WRITTEN if answer is None or answer is ... else None


# 01 Data exploration


def prevalence_interval(function):
    """function(positives, n) -> (low, high): a 95 % interval of a proportion (any usual method)."""
    for positives, n in ((50, 1000), (3, 200), (400, 800)):
        answer, problem = _try(function, positives, n)
        if problem:
            return _verdict(problem)
        low, high = answer
        share, error = positives / n, np.sqrt(positives / n * (1 - positives / n) / n)
        if not low < share < high:
            return _verdict(f"{positives} of {n} is {share:.3f}, which must lie between low and high")
        width = (high - low) / (2 * 1.96 * error)
        if not 0.85 < width < 1.2:
            return _verdict(
                f"for {positives} of {n} the interval is {width:.1f} times as wide as 1.96 standard errors a "
                "side; the standard error of a share p is sqrt(p (1 - p) / n)"
            )
    return _verdict(None)


def ignore_uncertain(function):
    """function(column) -> column with -1 masked (nan), blanks read as 0, everything else unchanged."""
    column = np.array([1.0, 0.0, -1.0, np.nan, 1.0])
    kept = column.copy()
    answer, problem = _try(function, column)
    if problem:
        return _verdict(problem)
    answer = np.asarray(answer, float)
    if not np.array_equal(column, kept, equal_nan=True):
        return _verdict("your function changed its input; work on a copy")
    if not np.isnan(answer[2]):
        return _verdict(f"the uncertain film came back as {answer[2]}, but it must be masked: nan")
    if answer[3] != 0:
        return _verdict(f"the blank came back as {answer[3]}; not mentioned counts as absent here: 0")
    if not (answer[[0, 1, 4]] == [1, 0, 1]).all():
        return _verdict("a clear label (0 or 1) was changed")
    return _verdict(None)


def leaked_patients(answer, train, test):
    """answer: the patients that stand on both sides of a split."""
    if answer is None or answer is ...:
        return _verdict(NOT_WRITTEN)
    truth = set(train.patient) & set(test.patient)
    answer = set(answer)
    if answer - truth:
        return _verdict(f"{len(answer - truth)} of your patients stand on one side only")
    if truth - answer:
        return _verdict(f"{len(truth - answer)} leaked patients are missing from your answer")
    return _verdict(None)


def nested_regimen(function, frame):
    """function(frame, percent) -> rows of about percent % of the patients; smaller inside larger."""
    parts = {}
    for percent in (1, 10, 50, 100):
        parts[percent], problem = _try(function, frame, percent)
        if problem:
            return _verdict(problem)
    patients = {percent: set(part.patient) for percent, part in parts.items()}
    for small, large in ((1, 10), (10, 50), (50, 100)):
        if not patients[small] <= patients[large]:
            lost = len(patients[small] - patients[large])
            return _verdict(f"{lost} patients of the {small} % regimen are not in the {large} % regimen")
    whole = set(frame.patient)
    for percent, chosen in patients.items():
        if abs(len(chosen) / len(whole) - percent / 100) > 0.005 + 1 / len(whole):
            return _verdict(f"{percent} % holds {len(chosen)} of {len(whole)} patients")
        if len(parts[percent]) != frame.patient.isin(chosen).sum():
            return _verdict(f"{percent} %: a chosen patient must bring all of his or her films")
    return _verdict(None)


# 03 DCGAN


def optimal_discriminator(function):
    """function(p, q) -> D*(x): the best discriminator between density p (data) and q (generator)."""
    p, q = torch.tensor([0.4, 0.1, 0.0, 0.3]), torch.tensor([0.4, 0.3, 0.2, 0.0])
    answer, problem = _try(function, p, q)
    if problem:
        return _verdict(problem)
    answer = torch.as_tensor(answer)
    if not torch.allclose(answer[0], torch.tensor(0.5)):
        return _verdict(f"where data and generator are equally dense D* must be 0.5, not {answer[0]:.2f}")
    if not torch.allclose(answer, torch.tensor([0.5, 0.25, 0.0, 1.0])):
        return _verdict("D* is the share of the data in all that is seen at x: p over p plus q")
    return _verdict(None)


def resize_convolution(block, channels_in=8, channels_out=4):
    """block: a module (B, channels_in, h, w) -> (B, channels_out, 2h, 2w) that leaves no checkerboard."""
    if block is None or block is ...:
        return _verdict(NOT_WRITTEN)
    flat = torch.ones(1, channels_in, 8, 8)
    try:
        with torch.no_grad():
            answer = block(flat)
    except Exception as error:
        return _verdict(f"your block stopped with {type(error).__name__}: {error}")
    if answer.shape != (1, channels_out, 16, 16):
        return _verdict(f"8 x 8 with {channels_in} channels became {tuple(answer.shape[1:])}, "
                        f"expected ({channels_out}, 16, 16)")  # fmt: skip
    if answer[..., 4:-4, 4:-4].std(dim=(-2, -1)).max() > 1e-5:
        return _verdict("a flat input came out patterned: neighbouring pixels see different weights, as in a "
                        "transposed convolution")  # fmt: skip
    return _verdict(None)


def spherical_interpolation(function):
    """function(a, b, t) -> point at share t of the arc from a to b, vectors (d,)."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 100, generator=generator)
    b = b * a.norm() / b.norm()
    for t, expected in ((0.0, a), (1.0, b)):
        answer, problem = _try(function, a, b, t)
        if problem:
            return _verdict(problem)
        if not torch.allclose(torch.as_tensor(answer), expected, atol=1e-4):
            return _verdict(f"at t = {t:.0f} the path must be at its {'start' if t == 0 else 'end'}")
    middle = function(a, b, 0.5)
    if (middle.norm() / a.norm() - 1).abs() > 1e-3:
        return _verdict(
            f"half way the vector has shrunk to {middle.norm() / a.norm():.2f} of its length: that is the "
            "straight line, which leaves the shell on which Gaussian noise lives"
        )
    return _verdict(None)


# 08 When GANs fail


def loss_slopes(function):
    """function(d) -> how steep log(1 - D(G(z))) and -log D(G(z)) are in D's logit, where D(G(z)) = d (n,)."""
    d = torch.tensor([0.01, 0.5, 0.9])
    answer, problem = _try(function, d)
    if problem:
        return _verdict(problem)
    if len(answer) != 2 or any(torch.as_tensor(part).shape != d.shape for part in answer):
        return _verdict(f"expected two tensors, the steepness of each loss for each of {len(d)} values of d")
    for name, part, right in zip(("log(1 - d)", "-log d"), answer, (d, 1 - d), strict=True):
        if torch.allclose(part.abs(), right / (d * (1 - d)), atol=1e-3):
            return _verdict(f"that is the slope of {name} in d; the network's output is the logit l, with "
                            "d = sigmoid(l): multiply by the slope of the sigmoid, d (1 - d)")  # fmt: skip
        if not torch.allclose(part.abs(), right, atol=1e-3):
            return _verdict(f"at d = 0.01 the steepness of {name} is {right[0]:.2f}, not {part[0].abs():.2f}")
    return _verdict(None)


def copies_share(function):
    """function(fake, held_out) -> share of synthetic films nearer to a training film than all but 5 % of
    held-out real films; fake, held_out: (n,) distances to the nearest training film."""
    held_out, honest = np.linspace(1, 2, 500), np.linspace(1, 2, 1000)
    copied = np.concatenate([np.full(300, 0.1), np.full(700, 1.5)])
    for fake, right, kind in ((copied, 0.3, "30 % copies"), (honest, 0.05, "the held-out films' own spread")):
        answer, problem = _try(function, fake, held_out)
        if problem:
            return _verdict(problem)
        if not 0 <= float(answer) <= 1:
            return _verdict(f"a share lies between 0 and 1, not at {float(answer):.2f}")
        if abs(float(answer) - right) > 0.03:
            return _verdict(f"for distances with {kind} the share is {right:.2f}, not {float(answer):.2f}; "
                            "the limit is the 5 % quantile of held_out")  # fmt: skip
    return _verdict(None)
