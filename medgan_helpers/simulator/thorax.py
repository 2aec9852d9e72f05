"""The thorax that every simulated film is made of: one CT, its organs, and where findings can sit.

Density is relative to water (air 0, water 1, bone above). Millimetres are measured from the centre of the
volume: x to the patient's left, y to the front, z up. Volumes are stored (z from the top, y, x).

Source: patient LIDC-IDRI-0001 with a TotalSegmentator-style label map, see assets/THORAX.md.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import torch
from scipy import ndimage

from ..checks import door, one_of, whole

LOBES = {"left": (10, 11), "right": (12, 13, 14)}  # upper to lower; label numbers of TotalSegmentator
HEART, AORTA, PULMONARY_VEIN, TRACHEA, SPINE, VESSELS = 51, 52, 53, 16, 201, 202
RIBS = {"left": range(92, 104), "right": range(104, 116)}  # ribs 1 to 12
STERNUM = 116
FILM_MM = 285  # width of a film in the patient's mid-plane: the lungs fill it
DEEP = 1.8  # voxels may be longer along the rays, which are summed anyway
VARIANTS = 6  # lung textures and shoulder girdles a patient is drawn from
CORNERS = np.array(list(np.ndindex(2, 2, 2)))  # of a voxel's neighbourhood
RIB_GAIN = 2.0  # ribs are blurred by 2 mm voxels; give their contrast back


@dataclass(frozen=True)
class Lung:
    """The voxels of one lung: flat index, place in mm, depth under chest wall and pleura in mm."""

    index: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    z: torch.Tensor
    lobe: torch.Tensor  # label number
    wall: torch.Tensor  # distance to the chest wall
    pleura: torch.Tensor  # distance to the lung's own surface
    height: torch.Tensor  # 0 at the base, 1 at the apex
    base: float  # z of the costophrenic angle
    apex: float


@dataclass(frozen=True)
class Thorax:
    """The CT at the resolution of a film size, with everything that the findings look up."""

    density: torch.Tensor  # (VARIANTS, Z, Y, X)
    labels: torch.Tensor  # (Z, Y, X) uint8
    spacing: np.ndarray  # mm of a voxel (z, y, x)
    axes: tuple  # mm of the voxel centres along z, y, x
    lungs: dict  # side -> Lung
    ribs: dict  # (side, number) -> (n, 3) points z, y, x in mm along the rib's middle, back to front
    noise: torch.Tensor  # (4, 2 x voxels) smooth fields of mean 0 and variance 1, each twice over
    heart: np.ndarray  # centre, mm z, y, x

    @property
    def shape(self):
        return tuple(self.labels.shape)

    @property
    def extent(self):
        """Size of the volume in mm, z, y, x."""
        return self.spacing * self.shape


@door(size=whole(1, 4096), along=one_of("x", "y", "z"))
@lru_cache(maxsize=4)
def load(size, along="y", device="cpu"):
    """The thorax as finely as a film of `size` pixels needs it, coarser `along` the rays ("z", "y", "x")."""
    codes, labels, cavity, spacing = _asset()
    across = float(np.clip(0.75 * FILM_MM / size, 2.2, 3.4))
    wanted = np.array([across * (DEEP if axis == along else 1) for axis in "zyx"])
    shape = [round(n * s / max(w, s)) for n, s, w in zip(codes.shape, spacing, wanted, strict=True)]
    extent = spacing * codes.shape
    density = _reduce(torch.from_numpy(codes), shape)
    picked = [((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(shape, labels.shape, strict=True)]
    labels, cavity = labels[np.ix_(*picked)], cavity[np.ix_(*picked)]
    spacing = extent / shape
    axes = tuple(s * (np.arange(n) - (n - 1) / 2) for n, s in zip(shape, spacing, strict=True))
    axes = (-axes[0], axes[1], axes[2])  # z falls from row to row
    lungs = {side: _lung(labels, cavity, spacing, axes, LOBES[side], device) for side in LOBES}
    heart = np.array([axes[k][i.mean().astype(int)] for k, i in enumerate(np.nonzero(labels == HEART))])
    rng = np.random.default_rng(0)  # the variants are part of the thorax, not of any patient
    noise = torch.from_numpy(np.stack([_smooth_noise(rng, shape, spacing, mm) for mm in (7, 7, 18, 18)]))
    lung = np.isin(labels, [*LOBES["left"], *LOBES["right"]])
    free = np.clip(
        ndimage.distance_transform_edt(lung, spacing)[lung] / 20, 0, 1
    )  # the pleura stays in place
    variants = torch.stack([_variant(density, lung, free, axes, rng) for _ in range(VARIANTS)])
    return Thorax(
        variants.to(device), torch.from_numpy(labels).to(device), spacing, axes, lungs, _ribs(labels, axes),
        noise.flatten(1).repeat(1, 2).to(device), heart,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _asset():
    """Density with ribs brought out, labels, thoracic cavity and spacing, as stored in the package."""
    with resources.files("medgan_helpers").joinpath("assets/thorax.npz").open("rb") as file:
        data = dict(np.load(file))
    hu = np.interp(data["codes"], data["code_points"], data["hu_points"])
    density = (hu / 1000 + 1).astype(np.float32)
    labels = data["labels"]
    rib = np.isin(labels, [*RIBS["left"], *RIBS["right"]])
    density[rib] = 1 + RIB_GAIN * (density[rib] - 1)
    cavity = np.unpackbits(data["cavity"], count=labels.size).reshape(labels.shape).astype(bool)
    return density, labels, cavity, np.array(data["spacing"])


def _reduce(volume, shape):
    """Average a volume down to `shape` voxels over the same millimetres."""
    return torch.nn.functional.adaptive_avg_pool3d(volume[None, None], shape)[0, 0]


def _lung(labels, cavity, spacing, axes, lobes, device):
    inside = np.isin(labels, lobes)
    index = np.flatnonzero(inside)
    places = [axes[k][i] for k, i in enumerate(np.nonzero(inside))]
    wall = ndimage.distance_transform_edt(np.pad(cavity, 1), spacing)[1:-1, 1:-1, 1:-1][inside]
    pleura = ndimage.distance_transform_edt(inside, spacing)[inside]
    z, y, x, wall, pleura = (
        torch.tensor(a, dtype=torch.float32, device=device) for a in (*places, wall, pleura)
    )
    lobe = torch.from_numpy(labels.ravel()[index]).to(device)
    base, apex = (float(q) for q in np.quantile(places[0], (0.002, 0.998)))
    place = torch.from_numpy(index).to(device)
    return Lung(place, x, y, z, lobe, wall, pleura, (z - base) / (apex - base), base, apex)


def _ribs(labels, axes):
    """Points along the middle of every rib: the mean of its voxels in each 6 mm of its way to the front."""
    ribs = {}
    for side, numbers in RIBS.items():
        for number, label in enumerate(numbers, 1):
            z, y, x = (axes[k][i] for k, i in enumerate(np.nonzero(labels == label)))
            if len(z) < 20:
                continue
            angle = np.arctan2(np.abs(x), -(y - np.mean(axes[1])))  # around the chest, 0 at the spine
            edges = np.linspace(angle.min(), angle.max(), 1 + max(4, int(np.ptp(y) // 6)))
            bins = np.digitize(angle, edges)
            ribs[side, number] = np.array(
                [[a[bins == b].mean() for a in (z, y, x)] for b in np.unique(bins) if (bins == b).sum() > 2]
            )
    return ribs


def _smooth_noise(rng, shape, spacing, millimetres):
    """A periodic Gaussian random field with a correlation length in mm, mean 0, variance 1."""
    white = np.fft.rfftn(rng.standard_normal(shape).astype(np.float32))
    for axis, (n, s) in enumerate(zip(shape, spacing, strict=True)):
        frequency = np.fft.rfftfreq(n, s) if axis == 2 else np.fft.fftfreq(n, s)
        decay = np.exp(-2 * (np.pi * millimetres * frequency) ** 2)
        white *= decay.reshape([-1 if k == axis else 1 for k in range(3)])
    field = np.fft.irfftn(white, shape)
    return ((field - field.mean()) / field.std()).astype(np.float32)


def _variant(density, lung, free, axes, rng):
    """One anatomy of the bank: vessels warped inside the lungs, and clavicles that fit lowered arms."""
    volume = density.clone()
    spacing = np.array([abs(a[1] - a[0]) for a in axes])
    voxels = np.array(np.nonzero(lung))
    places = np.stack([axes[k][voxels[k]] for k in range(3)])
    shift = np.zeros_like(places)
    for k in range(3):
        for _ in range(5):
            wave = rng.standard_normal(3) / rng.uniform(12, 30)
            shift[k] += rng.uniform(2, 5) * np.sin(wave @ places + rng.uniform(0, 6.3))
    source = voxels + shift * free / spacing[:, None]
    moved = ndimage.map_coordinates(density.numpy(), source, order=1, mode="nearest")
    volume[torch.from_numpy(lung)] = torch.from_numpy(moved)
    for side in (-1, 1):
        _clavicle(volume, axes, side, rng)
    return volume


def _clavicle(volume, axes, side, rng):
    """Draw a clavicle: an S-shaped tube of 6 mm radius from the breast bone to the shoulder."""
    t = np.linspace(0, 1, 160)
    x = side * (22 + 135 * t)
    y = 62 - 62 * t + 14 * np.sin(2 * np.pi * t)
    z = rng.uniform(62, 76) + rng.uniform(10, 34) * t + rng.uniform(4, 10) * np.sin(np.pi * t)
    splat(volume, axes, np.stack([z, y, x], 1), 6.0, 0.9, rng)


def splat(volume, axes, points, radius, density, rng=None):
    """Add a tube around `points` (n, 3: z, y, x in mm): `density` of extra water along a chord through it.

    Each point spreads its share over the eight voxels around it, so that a wire thinner than a voxel
    keeps its mass and its place.
    """
    rng = rng or np.random.default_rng(0)
    spacing = np.array([abs(a[1] - a[0]) for a in axes])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    length = steps.sum()
    mass = density * np.pi * radius**2 * length / np.prod(spacing)  # in voxels full of water
    copies = max(1, int(np.ceil(4 * length * max(radius, 1) ** 2 / len(points) / spacing.min() ** 2)))
    cloud = np.repeat(points, copies, 0)
    cloud = cloud + radius / 2 * rng.standard_normal(cloud.shape).clip(-2, 2)
    weight = mass / len(cloud)
    start = np.array([axes[0][0], axes[1][0], axes[2][0]])
    place = ((cloud - start) / (spacing * [-1, 1, 1])).astype(np.float32)
    low = np.floor(place)
    inside = ((low >= 0) & (low < np.array(volume.shape) - 1)).all(1)
    low, fraction = low[inside].astype(int), (place - low)[inside]
    strides = np.array(volume.stride())
    where = (low @ strides)[:, None] + CORNERS @ strides  # (points, 8)
    near, far = 1 - fraction[:, None], fraction[:, None]
    share = np.where(CORNERS, far, near)
    share = share[..., 0] * share[..., 1] * share[..., 2] * weight
    where, share = (torch.from_numpy(a.ravel()).to(volume.device) for a in (where, share.astype(np.float32)))
    volume.view(-1).index_add_(0, where, share)
