"""The self-checks of notebooks 02, 06 and 07; what a check is stands in `exercises`."""

import numpy as np
import torch

from . import augmentation, metrics
from .exercises import NOT_WRITTEN, _try, _verdict

# 02 Classical augmentation


def rotation(function):
    """function(films, degrees) -> films turned anticlockwise."""
    films = torch.zeros(2, 1, 33, 33)
    films[:, :, 4:13, 14:19] = 1  # a bar above the centre
    for degrees in (90, 30):
        answer, problem = _try(function, films, degrees)
        if problem:
            return _verdict(problem)
        if answer.shape != films.shape:
            return _verdict(f"films {tuple(films.shape)} became {tuple(answer.shape)}; the shape stays")
        if torch.allclose(answer, augmentation.rotate(films, -degrees), atol=1e-3):
            return _verdict("it turns clockwise; the matrix says where a pixel comes from, not where it goes")
        if not torch.allclose(answer, augmentation.rotate(films, degrees), atol=1e-3):
            return _verdict(f"a bar above the centre is not where a turn by {degrees} degrees brings it")
    return _verdict(None)


def largest_shift(function):
    """function(masks) -> the largest shift (film widths) at which 90 % of the masks keep half their area."""
    masks = np.zeros((20, 64, 64), bool)
    masks[:19, 20:30, 30:40] = True  # nineteen about the middle leave at .45 ...
    masks[19, 20:30, 54:64] = True  # ... one at the right edge leaves at once
    answer, problem = _try(function, masks)
    if problem:
        return _verdict(problem)
    if answer < 0.4:
        return _verdict(f"{answer:.2f}: one mask of twenty is gone, the others keep half; that is allowed")
    if answer > 0.475:
        return _verdict(f"{answer:.2f}: by then all of the masks have lost more than half")
    return _verdict(None)


def mixup(function):
    """function(films, labels, share) -> mixed films, mixed labels."""
    films = torch.arange(3.0).reshape(3, 1, 1, 1).expand(3, 1, 4, 4)
    labels, share = torch.eye(3), torch.tensor([1.0, 0.5, 0.25])
    answer, problem = _try(function, films, labels, share)
    if problem:
        return _verdict(problem)
    mixed, targets = answer
    if not torch.allclose(mixed[:, 0, 0, 0], torch.tensor([0.0, 1.5, 0.5])):
        found = mixed[:, 0, 0, 0].tolist()
        return _verdict(f"films 0, 1, 2 with shares 1, 1/2, 1/4 became {found}, not 0, 1.5, 0.5")
    if not torch.allclose(targets[2], torch.tensor([0.75, 0.0, 0.25])):
        return _verdict("the labels must be mixed with the same partner and the same share as the films")
    return _verdict(None)


# 07 CAM interpretation


def activation_map(function):
    """function(features (C, h, w) before the ReLU, weights (C,)) -> the class activation map (h, w)."""
    features = torch.tensor([[[1.0, -2.0]], [[3.0, 4.0]]])  # (2, 1, 2)
    answer, problem = _try(function, features, torch.tensor([2.0, -1.0]))
    if problem:
        return _verdict(problem)
    answer = torch.as_tensor(answer)
    if answer.shape != (1, 2):
        return _verdict(f"features (2, 1, 2) gave {tuple(answer.shape)}, expected one map (1, 2)")
    if torch.allclose(answer, torch.tensor([[-1.0, -8.0]])):
        return _verdict("the ReLU is missing: negative features must not count")
    if torch.allclose(answer, torch.tensor([[0.0, 0.0]])):
        return _verdict("the ReLU comes before the weights, not after: some evidence speaks against it")
    if not torch.allclose(answer, torch.tensor([[-1.0, -4.0]])):
        return _verdict(f"features 1, -2 and 3, 4 with weights 2 and -1 gave {answer.tolist()}")
    return _verdict(None)


def pointing(function):
    """function(maps, masks) -> hits, chance."""
    maps = torch.rand(50, 8, 8, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(50, 8, 8, dtype=torch.bool)
    masks[:, 2:6, 2:6] = True
    maps[:20, 3, 3] = 2
    maps[20:, 0, 0] = 2
    answer, problem = _try(function, maps, masks)
    if problem:
        return _verdict(problem)
    hits, chance = answer
    if hits != 20:
        return _verdict(f"20 of the 50 maps peak inside their mask, you counted {hits}")
    if abs(chance - 0.25) > 1e-6:
        return _verdict(f"chance is {chance:.3f}; the masks cover a quarter of each film")
    return _verdict(None)


def kappa(function):
    """function(first, second) -> Cohen's kappa of two arrays of 0 and 1."""
    first = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    near = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0])
    for second, expected in ((first, 1.0), (near, 7 / 12), (1 - first, -12 / 13)):
        answer, problem = _try(function, first, second)
        if problem:
            return _verdict(problem)
        if abs(answer - expected) > 1e-6:
            pair = f"{second.tolist()} against {first.tolist()}"
            return _verdict(f"for {pair} kappa is {expected:.3f}, not {answer:.3f}")
    return _verdict(None)


# 06 Classifier experiments


def paired_bootstrap(function):
    """function(labels, a, b, rng) -> low, high of AUROC(a) - AUROC(b)."""
    rng = np.random.default_rng(0)
    labels = (rng.random(300) < 0.3).astype(float)
    base = rng.normal(size=300)
    a, b = base + 1.2 * labels, base + 0.9 * labels  # the same luck in both
    answer, problem = _try(function, labels, a, b, np.random.default_rng(1))
    if problem:
        return _verdict(problem)
    low, high = answer
    expected = metrics.auroc_difference(labels, a, b, np.arange(300))
    if low > high:
        return _verdict("low is above high")
    if high - low > 2 * (expected.high - expected.low):
        return _verdict("too wide: draw the same films for both readers, or their luck cannot cancel")
    if abs(low - expected.low) > 0.02 or abs(high - expected.high) > 0.02:
        return _verdict(f"{low:.3f} to {high:.3f}; expected about {expected.low:.3f} to {expected.high:.3f}")
    return _verdict(None)


def positives_needed(function):
    """function(auroc) -> the least number of positives that shows a difference of .03."""
    for area, expected in ((0.75, 719), (0.9, 372)):
        answer, problem = _try(function, area)
        if problem:
            return _verdict(problem)
        if abs(answer - expected / 2) < 0.02 * expected:
            return _verdict("two AUROCs are compared: the variance of their difference is twice that of one")
        if abs(answer - expected) > 0.02 * expected:
            return _verdict(f"at an AUROC of {area} you need {answer}, not about {expected}")
    return _verdict(None)


def fair_comparison(answer):
    """answer: which of the sketches A, B, C is fair."""
    if answer is ...:
        return _verdict(NOT_WRITTEN)
    wrong = {
        "A": "in A one arm takes half as many steps again: equal epochs are not equal training",
        "C": "in C one arm was chosen on the test films",
    }
    return _verdict(wrong.get(answer, None if answer == "B" else "answer with A, B or C, in quotes"))
