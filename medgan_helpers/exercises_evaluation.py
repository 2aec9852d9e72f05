"""The self-checks of notebooks 02, 06 and 07; what a check is stands in `exercises`."""

import numpy as np
import torch

from . import augmentation, metrics
from .exercises import check

# 02 Classical augmentation


@check
def rotation(function):
    """function(films, degrees) -> films turned anticlockwise."""
    films = torch.zeros(2, 1, 33, 33)
    films[:, :, 4:13, 14:19] = 1  # a bar above the centre
    for degrees in (90, 30):
        answer = function(films, degrees)
        if answer.shape != films.shape:
            return f"films {tuple(films.shape)} became {tuple(answer.shape)}; the shape stays"
        if torch.allclose(answer, augmentation.rotate(films, -degrees), atol=1e-3):
            return "it turns clockwise; the matrix says where a pixel comes from, not where it goes"
        if not torch.allclose(answer, augmentation.rotate(films, degrees), atol=1e-3):
            return f"a bar above the centre is not where a turn by {degrees} degrees brings it"


@check
def largest_shift(function):
    """function(masks) -> the largest shift (film widths) at which 90 % of the masks keep half their area."""
    masks = np.zeros((20, 64, 64), bool)
    masks[:19, 20:30, 30:40] = True  # nineteen about the middle leave at .45 ...
    masks[19, 20:30, 54:64] = True  # ... one at the right edge leaves at once
    answer = function(masks)
    if answer < 0.4:
        return f"{answer:.2f}: one mask of twenty is gone, the others keep half; that is allowed"
    if not answer <= 0.475:
        return f"{answer:.2f}: by then all of the masks have lost more than half"


@check
def mixup(function):
    """function(films, labels, share) -> mixed films, mixed labels."""
    films = torch.arange(3.0).reshape(3, 1, 1, 1).expand(3, 1, 4, 4)
    mixed, targets = function(films, torch.eye(3), torch.tensor([1.0, 0.5, 0.25]))
    pixel = mixed[:, 0, 0, 0]
    if not torch.allclose(pixel, torch.tensor([0.0, 1.5, 0.5])):
        return f"films 0, 1, 2 with shares 1, 1/2, 1/4 became {pixel.tolist()}, not 0, 1.5, 0.5"
    if not torch.allclose(targets[2], torch.tensor([0.75, 0.0, 0.25])):
        return "the labels must be mixed with the same partner and the same share as the films"


# 07 CAM interpretation


@check
def activation_map(function):
    """function(features (C, h, w) before the ReLU, weights (C,)) -> the class activation map (h, w)."""
    features = torch.tensor([[[1.0, -2.0]], [[3.0, 4.0]]])  # (2, 1, 2)
    answer = torch.as_tensor(function(features, torch.tensor([2.0, -1.0])))
    if answer.shape != (1, 2):
        return f"features (2, 1, 2) gave {tuple(answer.shape)}, expected one map (1, 2)"
    if torch.allclose(answer, torch.tensor([[-1.0, -8.0]])):
        return "the ReLU is missing: negative features must not count"
    if torch.allclose(answer, torch.tensor([[0.0, 0.0]])):
        return "the ReLU comes before the weights, not after: some evidence speaks against it"
    if not torch.allclose(answer, torch.tensor([[-1.0, -4.0]])):
        return f"features 1, -2 and 3, 4 with weights 2 and -1 gave {answer.tolist()}"


@check
def pointing(function):
    """function(maps, masks) -> hits, chance."""
    maps = torch.rand(50, 8, 8, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(50, 8, 8, dtype=torch.bool)
    masks[:, 2:6, 2:6] = True
    maps[:20, 3, 3] = 2
    maps[20:, 0, 0] = 2
    hits, chance = function(maps, masks)
    if hits != 20:
        return f"20 of the 50 maps peak inside their mask, you counted {hits}"
    if not abs(chance - 0.25) <= 1e-6:
        return f"chance is {chance:.3f}; the masks cover a quarter of each film"


@check
def kappa(function):
    """function(first, second) -> Cohen's kappa of two arrays of 0 and 1."""
    first = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    near = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0])
    for second, expected in ((first, 1.0), (near, 7 / 12), (1 - first, -12 / 13)):
        answer = function(first, second)
        if not abs(answer - expected) <= 1e-6:
            pair = f"{second.tolist()} against {first.tolist()}"
            return f"for {pair} kappa is {expected:.3f}, not {answer:.3f}"


# 06 Classifier experiments


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
