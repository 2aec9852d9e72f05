"""DiffAugment (Zhao et al., NeurIPS 2020): the discriminator sees every film, real or synthetic, augmented.

With few films a discriminator learns them by heart. Augmenting only the real ones would teach the generator
to draw augmented films; augmenting both, differentiably, does not. No flips: the heart is on the left.
"""

import torch
import torch.nn.functional as F

from .checks import door, generator, number
from .checks import images as films

SHIFT = 1 / 8  # of the side, as in the paper
CUTOUT = 1 / 2  # of the side, as in the paper
REACH = 3  # pixels on either side of a blur's filter


@door(x=films, rng=generator)
def diff_augment(x, rng):
    """Brightness, contrast, shift and cutout of images x (B, C, H, W), drawn for each from `rng`."""
    return cutout(shift(contrast(brightness(x, rng), rng), rng), rng)


@door(x=films, rng=generator)
def brightness(x, rng):
    return x + _uniform(x, rng) - 0.5


@door(x=films, rng=generator)
def contrast(x, rng):
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (_uniform(x, rng) + 0.5)


@door(x=films, rng=generator)
def shift(x, rng):
    """Move by up to SHIFT of the side; what comes in is grey (0)."""
    count, _, height, width = x.shape
    reach = round(height * SHIFT)
    dy, dx = torch.randint(0, 2 * reach + 1, (2, count, 1), generator=rng, device=x.device)
    rows = torch.arange(height, device=x.device) + dy  # (B, H)
    columns = torch.arange(width, device=x.device) + dx  # (B, W)
    film = torch.arange(count, device=x.device)[:, None, None]
    padded = F.pad(x, [reach] * 4).permute(0, 2, 3, 1)  # (B, H + 2 reach, W + 2 reach, C)
    return padded[film, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


@door(x=films, rng=generator)
def cutout(x, rng):
    """Grey out (0) one square of CUTOUT of the side, anywhere, also half outside."""
    count, _, height, width = x.shape
    side = round(height * CUTOUT)
    top, left = torch.randint(
        -side // 2, height - side // 2 + 1, (2, count, 1), generator=rng, device=x.device
    )
    row, column = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    inside_rows = (row >= top) & (row < top + side)  # (B, H)
    inside_columns = (column >= left) & (column < left + side)  # (B, W)
    return x * ~(inside_rows[:, None, :, None] & inside_columns[:, None, None, :])


@door(films=films, sigma=number(above=0))
def blur(films, sigma):
    """Gaussian blur of films (B, C, H, W), sigma in pixels, edges repeated."""
    offsets = torch.arange(-REACH, REACH + 1, device=films.device)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2).to(films.dtype)
    weights = (weights / weights.sum()).expand(films.shape[1], 1, 1, -1)
    films = F.pad(films, [REACH] * 4, mode="replicate")
    films = F.conv2d(films, weights, groups=films.shape[1])
    return F.conv2d(films, weights.transpose(2, 3), groups=films.shape[1])


def _uniform(x, rng):
    return torch.rand((len(x), 1, 1, 1), generator=rng, device=x.device)
