"""The Radon transform and its inverses: what a CT scanner measures, and how a slice comes back from it.

    rays = radon(images, views=32)                           # (B, 1, N, N) -> (B, views, detectors)
    slices = filtered_back_projection(rays, size=64)         # and back, at once
    slices = penalised(rays, size=64, weight=0.35)           # and back, by the best fit

Each is one sparse matrix for the whole batch, kept from call to call.
"""

import math
import warnings
from functools import lru_cache

import numpy as np
import torch
from skimage.restoration import denoise_tv_chambolle

from .checks import door, number, tensor, whole
from .fista import fista

# Water at 60 keV, about the mean energy of a 120 kVp beam, in 1/mm (NIST XCOM: 0.2059 cm^2/g).
MU_WATER = 0.0206
# Grey value 1 of a CT slice in units of the attenuation of water: simulator.ct_slices shows -1000 to 400 HU.
CT_MAX = 1.4
CT_FIELD_MM = 340.0  # side of a slice of simulator.ct_slices
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


@door(size=whole(1, 4096))
def nepers(size):
    """Attenuation of grey value 1 over one pixel of a slice of `size` pixels a side."""
    return CT_MAX * MU_WATER * CT_FIELD_MM / size


@door(
    rays=tensor("B", "views", "detectors"), size=whole(1, 4096), weight=number(above=0),
    iterations=whole(1, 10_000),
)  # fmt: skip
def penalised(rays, size, weight, iterations=100):
    """Sinogram (B, views, detectors) -> slices (B, 1, size, size) in [0, 1], by the best fit:

        least sum over rays of w (A x - p)^2 / 2 + weight * TV(x),    w = exp(-nepers * p), its mean 1

    Penalised weighted least squares (Sauer & Bouman 1993): few photons come through much tissue, and what few
    photons say is noisy. Total variation as in Sidky & Pan 2008; FISTA (Beck & Teboulle 2009).
    """
    batch, views, detectors = rays.shape
    if detectors != detectors_of(size):
        raise ValueError(f"rays has {detectors} detectors: expected {detectors_of(size)} for size {size}")
    _affordable(size, views)
    forth, back = _both_ways(size, views, rays.device)
    measured = rays.flatten(1).T.float().contiguous()
    trust = torch.exp(-nepers(size) * measured.clamp_min(0))
    trust /= trust.mean(0)
    steep = _steepest(forth, back, trust)  # of the fit, for each slice: the step may not be longer

    def agree(x):
        return x - back @ (trust * (forth @ x - measured)) / steep

    def smooth(x):
        return _smooth(x, size, weight / steep)

    start = filtered_back_projection(rays, size).flatten(1).T.float().clamp(0, 1)
    x = fista(start, agree, smooth, iterations)
    return x.T.reshape(batch, 1, size, size).to(rays.dtype)


def _steepest(forth, back, trust, rounds=12):
    """The largest eigenvalue of A' W A for each slice (column of `trust`), by the power method."""
    vector = torch.ones(forth.shape[1], trust.shape[1], device=trust.device)
    for _ in range(rounds):
        vector = back @ (trust * (forth @ vector))
        size = vector.norm(dim=0)
        vector = vector / size
    return 1.05 * size  # the power method comes from below


def _smooth(columns, size, weights):
    slices = columns.T.reshape(-1, size, size).cpu().numpy()
    pairs = zip(slices, weights.tolist(), strict=True)
    smooth = np.stack([denoise_tv_chambolle(one, weight=weight, max_num_iter=15) for one, weight in pairs])
    return torch.from_numpy(smooth).to(columns).flatten(1).T.clamp(0, 1)


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
def _both_ways(size, views, device):
    """The Radon transform and its transpose as sparse matrices whose rows lie together: ten times as fast."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the format is "in beta state"
        forth = _projector(size, views, device)
        return forth.to_sparse_csr(), forth.t().coalesce().to_sparse_csr()


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
