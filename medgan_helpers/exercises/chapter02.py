"""The self-checks of chapter 2, classical augmentation; what a check is stands in `check`."""

import numpy as np
import torch

from .. import augmentation
from .check import check


@check  # exercise 1
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


@check  # exercise 2
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


@check  # exercise 3
def mixup(function):
    """function(films, labels, share) -> mixed films, mixed labels."""
    films = torch.arange(3.0).reshape(3, 1, 1, 1).expand(3, 1, 4, 4)
    mixed, targets = function(films, torch.eye(3), torch.tensor([1.0, 0.5, 0.25]))
    pixel = mixed[:, 0, 0, 0]
    if not torch.allclose(pixel, torch.tensor([0.0, 1.5, 0.5])):
        return f"films 0, 1, 2 with shares 1, 1/2, 1/4 became {pixel.tolist()}, not 0, 1.5, 0.5"
    if not torch.allclose(targets[2], torch.tensor([0.75, 0.0, 0.25])):
        return "the labels must be mixed with the same partner and the same share as the films"


@check  # exercise 4
def hidden_share(function):
    """function(masks (n, H, W), top, left, side) -> the share of each mask's area inside a square, (n,)."""
    masks = np.zeros((3, 16, 16), bool)
    masks[0, 2:6, 2:6], masks[1, 2:6, 4:8], masks[2, 10:14, 10:14] = True, True, True
    answer = np.asarray(function(masks, 2, 2, 4), dtype=float)
    if answer.shape != (3,):
        return f"3 masks gave an answer of shape {answer.shape}; one share a mask is (3,)"
    if np.allclose(answer, [16, 8, 0]):
        return "those are areas in pixels; divide each by the area of its own mask"
    if not np.allclose(answer, [1, 0.5, 0]):
        return f"masks wholly, half and not inside the square gave {answer.tolist()}, not 1, 0.5 and 0"
