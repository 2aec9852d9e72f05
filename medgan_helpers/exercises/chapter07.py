"""The self-checks of chapter 7, CAM interpretation; what a check is stands in `check`."""

import numpy as np
import torch

from .check import check


@check  # exercise 1
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


@check  # exercise 2
def pointing(function):
    """function(maps, masks) -> the number of hits, the share that a random pixel would hit."""
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


@check  # exercise 3
def kappa(function):
    """function(first, second) -> Cohen's kappa of two arrays of 0 and 1."""
    first = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    near = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0])
    for second, expected in ((first, 1.0), (near, 7 / 12), (1 - first, -12 / 13)):
        answer = function(first, second)
        if not abs(answer - expected) <= 1e-6:
            pair = f"{second.tolist()} against {first.tolist()}"
            return f"for {pair} kappa is {expected:.3f}, not {answer:.3f}"


@check  # exercise 4
def shuffled_chance(function):
    """function(maps, masks) -> share of hits of each map in the masks of the other films, in the mean."""
    masks = torch.zeros(10, 8, 8, dtype=torch.bool)
    masks[:6, 0, 0] = masks[6:, 7, 7] = True  # two places: six films and four
    maps = masks.float() + 0.1 * torch.rand(10, 8, 8, generator=torch.Generator().manual_seed(0))
    answer = function(maps, masks)
    right = (6 * 5 + 4 * 3) / 90
    if abs(answer - 1) <= 1e-6:
        return "that is the share of hits in each film's own mask; the own mask must be left out"
    if abs(answer - 0.52) <= 1e-6:
        return "the mean over all masks includes the film's own; leave out the diagonal"
    if abs(answer - 1 / 64) <= 1e-6:
        return "that is the area of the masks, the chance of a random pixel"
    if not abs(answer - right) <= 1e-6:
        return f"with six lesions in one place and four in another it is {right:.3f}, not {answer:.3f}"


@check  # exercise 5
def cover(function):
    """function(films (n, 1, h, w), mask (h, w) bool) -> the films, in their own grey where mask is."""
    films = torch.rand(3, 1, 4, 6, generator=torch.Generator().manual_seed(0))
    films += torch.arange(3.0).reshape(3, 1, 1, 1)
    given, mask = films.clone(), torch.zeros(4, 6, dtype=torch.bool)
    mask[:2, 1:4] = True
    answer = torch.as_tensor(function(given, mask))
    if not torch.equal(given, films):
        return "your function changed its input; work on a copy"
    if answer.shape != films.shape:
        return f"films {tuple(films.shape)} came back as {tuple(answer.shape)}"
    if not torch.equal(answer[..., ~mask], films[..., ~mask]):
        return "pixels that are not covered have changed"
    patch, own = answer[..., mask], films[..., ~mask].mean(-1, keepdim=True)
    if (patch == 0).all():
        return "a black patch is a mark of its own: give it the film's own grey"
    if not torch.allclose(patch, own.expand_as(patch)):
        greys = [round(grey, 2) for grey in own.flatten().tolist()]
        return f"the patches should have the means of their films' other pixels, {greys}"
