"""What a small network should see of a film: exposure makes films differ more than findings do.

The narrow classifier and the critic of a small StarGAN look at films through `LocalContrast`.
"""

import math
from functools import lru_cache

import torch
from torch import nn


class LocalContrast(nn.Module):
    """Three fixed views of a film: as it is, locally normalised, and its fine detail. No parameters.

    (B, 1, H, W) in [-1, 1] -> (B, 3, H, W). A small network would need many steps to learn such filters.
    Blur widths are given for 64 px and grow with the film.
    """

    def forward(self, film):
        known = torch.is_tensor(film) and film.ndim == 4 and film.shape[1] == 1 and min(film.shape[2:]) > 1
        if not known or not film.is_floating_point():
            found = f"{film.dtype} {tuple(film.shape)}" if torch.is_tensor(film) else type(film).__name__
            raise TypeError(f"films are {found}: expected floats (B, 1, H, W)")
        film = 2 * film  # to about unit variance
        coarse, fine = (self._blur(film, sigma * film.shape[-1] / 64) for sigma in (5.0, 2.0))
        detail = film - coarse
        variance = self._blur(detail.square(), 5.0 * film.shape[-1] / 64)
        spread = variance.clamp_min(1e-12).sqrt()  # no infinite slope where a film is flat
        views = [film, detail / (spread + 0.15), (film - fine) / 0.15]
        return torch.cat(views, 1).clamp(-4, 4)

    @staticmethod
    def _blur(film, sigma):
        with torch.autocast(film.device.type, enabled=False):  # differences of nearly equal greys follow
            down, across = (_gaussian(n, sigma, film.device) for n in film.shape[-2:])
            return down @ film.float() @ across.T


@lru_cache(maxsize=16)
def _gaussian(n, sigma, device):
    """(n, n): Gaussian blur of n pixels, reflected at the ends; a product is faster than a wide filter."""
    reach = math.ceil(2.5 * sigma)
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    at = torch.arange(n)[:, None] + offsets
    at = (at % (2 * n - 2)).abs()
    at = torch.where(at >= n, 2 * n - 2 - at, at)
    matrix = torch.zeros(n, n).scatter_add_(1, at, (weights / weights.sum()).expand(n, -1))
    return matrix.to(device)
