"""The self-checks of notebooks 02, 06 and 07; what a check is stands in `exercises`."""

import numpy as np
import torch

from . import augmentation
from .exercises import _try, _verdict

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
