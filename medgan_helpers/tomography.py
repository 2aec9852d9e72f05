"""The Radon transform and its inverse: what a CT scanner measures, and how a slice comes back from it.

    rays = radon(images, views=32)                           # (B, 1, N, N) -> (B, views, detectors)
    slices = filtered_back_projection(rays, size=64)         # and back

Each is one sparse matrix for the whole batch, kept from call to call.
"""

import math
from functools import lru_cache

import torch

from .checks import door, tensor, whole

BYTES = 370  # a pixel and view, while a matrix is made: 1.09 GB for 128 px and 180 views
MOST_BYTES = 16e9  # more than most machines have to spare; the system would end the process


@door(images=tensor("B", "1", "N", "N"), views=whole(1, 10_000))
def radon(images, views):
    """Line integrals over `views` directions in [0, 180) degrees: (B, 1, N, N) -> (B, views, detectors).

    Radon transform, p(theta, t) = sum over s of f(t cos + s sin, -t sin + s cos), one sample a pixel and
    bilinear in between; detectors one pixel apart. Equal to skimage.transform.radon(circle=False), but as
    one sparse matrix for the whole batch.
    """
    size = _square(images)
    _affordable(size, views)
    rays = _projector(size, views, images.device) @ images.flatten(1).T.float().contiguous()
    return rays.T.reshape(len(images), views, detectors_of(size)).to(images.dtype)


@door(rays=tensor("B", "views", "detectors"), size=whole(1, 4096))
def filtered_back_projection(rays, size):
    """Sinogram (B, views, detectors) -> slices (B, 1, size, size): ramp filter, then back-projection.

    Equal to skimage.transform.iradon(circle=False, filter_name="ramp"). Source: Kak & Slaney, Principles of
    Computerized Tomographic Imaging (1988), ch. 3, with their band-limited ramp (eq. 61) against a bias.
    """
    batch, views, detectors = rays.shape
    if detectors != detectors_of(size):
        raise ValueError(f"rays has {detectors} detectors: expected {detectors_of(size)} for size {size}")
    _affordable(size, views)
    padded = max(64, 2 ** math.ceil(math.log2(2 * detectors)))
    filtered = torch.fft.ifft(torch.fft.fft(rays, padded) * _ramp(padded, rays.device)).real[..., :detectors]
    slices = _back_projector(size, views, rays.device) @ filtered.flatten(1).T.float().contiguous()
    return slices.T.reshape(batch, 1, size, size).to(rays.dtype) * math.pi / (2 * views)


def _square(images):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError(f"a CT slice is square, found {tuple(images.shape[-2:])}")
    return images.shape[-1]


def _affordable(size, views):
    """Refuse, before it is taken, more memory than there will be."""
    if (needed := BYTES * size**2 * views) > MOST_BYTES:
        raise ValueError(
            f"{size} px and {views} views need about {needed / 1e9:.0f} GB: take at most "
            f"{int(MOST_BYTES / BYTES / size**2)} views, or smaller slices"
        )


def detectors_of(size):
    """How many detectors see a slice of so many pixels a side."""
    return math.ceil(math.sqrt(2) * size)  # the diagonal: every pixel is seen from every side


def _ramp(padded, device):
    """|frequency|, from its impulse response: h(0) = 1/4, h(odd n) = -1 / (pi n)^2, h(even n) = 0."""
    n = torch.minimum(torch.arange(padded), padded - torch.arange(padded))
    impulse = torch.where(n % 2 == 1, -1 / (math.pi * n.clamp_min(1)) ** 2, 0.0)
    impulse[0] = 0.25
    return 2 * torch.fft.fft(impulse).real.to(device)


def _sparse(rows, columns, values, shape, device):
    entries = torch.stack([torch.cat(rows), torch.cat(columns)])
    values = torch.cat(values)
    return torch.sparse_coo_tensor(entries, values, shape, check_invariants=True).coalesce().to(device)


@lru_cache(maxsize=4)
def _projector(size, views, device):
    """The Radon transform as a sparse matrix (views * detectors, size * size)."""
    detectors = detectors_of(size)
    angle = torch.arange(views) * math.pi / views
    offset = torch.arange(detectors) - detectors // 2
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    t, s = offset[None, :, None], offset[None, None, :]
    x, y = cos * t + sin * s + size // 2, cos * s - sin * t + size // 2  # (views, detectors, samples)
    ray = torch.arange(views * detectors).view(views, detectors, 1).expand_as(x)
    rows, columns, values = [], [], []
    for dx in (0, 1):
        for dy in (0, 1):
            column, row = x.floor() + dx, y.floor() + dy
            weight = (1 - (x - column).abs()) * (1 - (y - row).abs())
            inside = (column >= 0) & (column < size) & (row >= 0) & (row < size) & (weight > 0)
            rows.append(ray[inside])
            columns.append((row * size + column)[inside].long())
            values.append(weight[inside])
    return _sparse(rows, columns, values, (views * detectors, size**2), device)


@lru_cache(maxsize=4)
def _back_projector(size, views, device):
    """Back-projection with linear interpolation as a sparse matrix (size * size, views * detectors)."""
    detectors = detectors_of(size)
    angle = torch.arange(views)[:, None, None] * math.pi / views
    offset = torch.arange(size) - size // 2
    t = offset[None, None, :] * angle.cos() - offset[None, :, None] * angle.sin() + detectors // 2
    pixel = torch.arange(size**2).view(1, size, size).expand_as(t)
    first = (torch.arange(views) * detectors)[:, None, None]
    rows, columns, values = [], [], []
    for step in (0, 1):
        bin_ = t.floor() + step
        weight = 1 - (t - bin_).abs()
        inside = (bin_ >= 0) & (bin_ < detectors)
        rows.append(pixel[inside])
        columns.append((first + bin_)[inside].long())
        values.append(weight[inside])
    return _sparse(rows, columns, values, (size**2, views * detectors), device)
