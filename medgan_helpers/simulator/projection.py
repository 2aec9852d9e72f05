"""From a thorax to a film: a patient's anatomy, a pose, rays, and what the detector and its display do.

The patient is not the CT but a warp of it: rays are bent through the CT instead of bending the CT, which
costs one interpolation a film. All that depends on neighbouring pixels (scatter, local contrast) is computed
from the finding-free body, so that a finding changes the film only where it casts its shadow.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch.nn.functional import grid_sample

from .thorax import FILM_MM

MU = 0.019  # per mm of water, for the beam of a chest film (about 110 kV, 60 keV on average)
LATTICE = (9, 13, 13)  # points (depth, rows, columns) at which rays are bent; cubic interpolation between
DEPTH_MM, LATERAL_DEPTH_MM = 270, 380  # length of the rays through the patient
SOURCE_MM = {"PA": 1650, "AP": 900, "Lateral": 1650}  # from the source to the middle of the patient
SCATTER_MM = 45  # smoothing of the finding-free film that scatter and local contrast are taken from
LOW = 16  # pixels of that film
GLYPHS = {
    "L": ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),
    "R": ("11110", "10001", "10001", "11110", "10100", "10010", "10001"),
}


@dataclass(frozen=True)
class Patient:
    """What stays the same from study to study. Lengths in mm."""

    variant: float  # 0 to 1: which anatomy of the bank
    scale: np.ndarray  # (3,) z, y, x relative to the CT
    waves: np.ndarray  # (n, 7) wave vector z, y, x per mm, phase, amplitude z, y, x
    heart: float  # enlargement of the heart, about 0
    fat: float  # thickness added under the skin
    breast: tuple  # (x, z, radius, thickness), thickness 0 for none
    arm: tuple  # (x of its middle at the shoulder, radius, spread: mm outwards per mm down)


@dataclass(frozen=True)
class Exposure:
    """What changes from film to film: pose, beam, detector, display."""

    view: str  # "AP", "PA" or "Lateral"
    angles: np.ndarray  # (3,) degrees around z (rotation), y (tilt of the film), x (lordosis)
    shift: np.ndarray  # (3,) mm z, y, x
    field: float  # mm, width of the film
    diaphragm: float  # mm that it stands higher than in the CT
    level: float  # display: attenuation shown as mid-grey, relative to the film's own middle
    window: float  # display: attenuation from dark to bright
    local: float  # display: how much of the slow changes is taken out, 0 to 1
    scatter: float  # scattered over primary radiation, at the film's middle
    noise: float  # of attenuation, at the film's middle
    edges: np.ndarray  # (4,) collimated share of the width at top, bottom, left, right
    marker: tuple  # (letter, row, column, height), shares of the width


def draw_patient(rng, sex, age):
    """A patient's anatomy by chance, with what sex and age make likely."""
    female = sex == "Female"
    small = 0.93 if female else 1.0
    fat = max(0.0, rng.normal(8, 10) + (6 if 35 < age < 75 else 0))
    scale = small * rng.normal([1.0, 1.0, 1.0], [0.05, 0.06, 0.05]) * [1, 1 + fat / 250, 1]
    waves = []
    for low, high, amplitude in [(180, 320, 3.6)] * 4 + [(90, 170, 1.7)] * 6 + [(60, 90, 0.7)] * 6:
        direction = rng.standard_normal(3)
        vector = 2 * np.pi * direction / np.linalg.norm(direction) / rng.uniform(low, high)
        waves.append([*vector, rng.uniform(0, 2 * np.pi), *(amplitude * rng.standard_normal(3))])
    heart = rng.normal(0.02 + 0.0015 * (age - 50), 0.07)
    breast = (rng.uniform(62, 85), rng.uniform(-95, -55), rng.uniform(48, 72), rng.uniform(8, 38) * female)
    arm = (rng.uniform(168, 195), rng.uniform(38, 50) * small, rng.uniform(-0.05, 0.3))
    return Patient(rng.random(), scale, np.array(waves), heart, fat, breast, arm)


def draw_exposure(rng, view, view_all=None):
    """Pose, beam and display by chance; portable AP films are worse in every respect."""
    portable = view == "AP"
    spread = 1.6 if portable else 1.0
    letter = "L" if rng.random() < 0.7 else "R"
    column = rng.uniform(0.86, 0.93) if letter == "L" else rng.uniform(0.04, 0.1)
    return Exposure(
        view=view,
        angles=spread * rng.normal(0, [3.0, 1.8, 3.0]),
        shift=spread * rng.normal([0, 0, 0], [5, 0.1, 4]) + [-8, 0, 0],
        field=FILM_MM * rng.uniform(0.98, 1.16) * (1.0 if view != "Lateral" else 1.06),
        diaphragm=rng.normal(14 if portable else 2, 8),
        level=rng.normal(0.0, 0.16),
        window=rng.uniform(0.75, 1.25) * (1.3 if view == "Lateral" else 1.0),
        local=rng.uniform(0.25, 0.6),
        scatter=rng.uniform(0.25, 0.6) * (1.3 if portable else 0.9),
        noise=rng.uniform(0.004, 0.012) * spread,
        edges=np.where(rng.random(4) < 0.18, rng.uniform(0.01, 0.06, 4), 0.0),
        marker=(letter, rng.uniform(0.04, 0.16), column, rng.uniform(0.03, 0.05)),
    )


def lattice(thorax, patient, exposure):
    """Where a film's lattice points lie in the CT: (3, *LATTICE), x, y, z from -1 to 1 for grid_sample."""
    length = LATERAL_DEPTH_MM if exposure.view == "Lateral" else DEPTH_MM
    t, v, u = np.meshgrid(
        length * (np.linspace(0, 1, LATTICE[0]) - 0.5),
        exposure.field * (0.5 - np.linspace(0, 1, LATTICE[1])),
        exposure.field * (np.linspace(0, 1, LATTICE[2]) - 0.5),
        indexing="ij",
    )
    points = _bend(_place(t, v, u, exposure), thorax, patient, exposure)
    half = thorax.extent / 2
    places = np.stack([points[2] / half[2], points[1] / half[1], -points[0] / half[0]])
    return torch.tensor(places, dtype=torch.float32, device=thorax.labels.device)


def rays(lattice, view, size, depth):
    """The rays between the lattice points: (1, depth, size, size, 3) for grid_sample, and mm a sample."""
    grid = lattice
    for axis, n in ((3, size), (2, size), (1, depth)):
        weights = _cubic(LATTICE[axis - 1], n).to(grid.device)
        grid = torch.movedim(torch.movedim(grid, axis, -1) @ weights, -1, axis)
    return grid.permute(1, 2, 3, 0)[None], (LATERAL_DEPTH_MM if view == "Lateral" else DEPTH_MM) / depth


def _place(t, v, u, exposure):
    """Film coordinates (depth, up, right; mm) to the patient's z, y, x in mm, through the beam's cone."""
    distance = SOURCE_MM[exposure.view]
    if exposure.view == "AP":
        spread = (distance - t) / distance  # the source is in front
        points = [v * spread, t, u * spread]
    elif exposure.view == "PA":
        spread = (distance + t) / distance
        points = [v * spread, t, u * spread]
    else:  # left side on the detector, source on the right, the patient looks to the left of the film
        spread = (distance + t) / distance
        points = [v * spread, -u * spread, t]
    around_z, around_y, around_x = np.deg2rad(exposure.angles)
    z, y, x = (p - s for p, s in zip(points, -exposure.shift, strict=True))
    y, x = _turn(y, x, around_z)
    z, x = _turn(z, x, around_y)
    z, y = _turn(z, y, around_x)
    return z, y, x


def _turn(a, b, angle):
    return np.cos(angle) * a - np.sin(angle) * b, np.sin(angle) * a + np.cos(angle) * b


def _bend(points, thorax, patient, exposure):
    """The patient's millimetres to the CT's: habitus, waves, heart and diaphragm."""
    p = np.stack(points) / patient.scale.reshape(3, 1, 1, 1)
    z, y, x = p
    outside = np.sqrt((x / 150) ** 2 + (y / 105) ** 2)  # about 1 at the ribs
    p = p * np.stack([np.ones_like(z), *[1 - patient.fat / 140 * np.clip(outside - 0.55, 0, 0.8)] * 2])
    phase = np.einsum("nk,k...->n...", patient.waves[:, :3], p) + patient.waves[:, 3, None, None, None]
    p = p + np.einsum("nk,n...->k...", patient.waves[:, 4:], np.sin(phase))
    centre = thorax.heart.reshape(3, 1, 1, 1)
    near = np.exp(-(((p - centre) / 55) ** 2).sum(0) / 2)
    p = p - patient.heart * near * (p - centre) * np.array([0.5, 0.8, 1.0]).reshape(3, 1, 1, 1)
    p[0] -= exposure.diaphragm * np.exp(-(((p[0] + 70) / 65) ** 2) / 2)
    p[0] = np.maximum(p[0], 3 - thorax.extent[0] / 2)  # below the scan the abdomen goes on as it was
    return p


def axial_plane(thorax, patient, size, rng):
    """A grid for `project` (one sample deep) through a patient's chest at a height by chance, 340 mm wide."""
    width, z = 340, rng.uniform(-75, 95)
    edge = width * ((np.arange(size) + 0.5) / size - 0.5)
    points = np.meshgrid([z], -edge, edge, indexing="ij")
    level = Exposure("PA", np.zeros(3), np.zeros(3), width, 0.0, *[0.0] * 5, np.zeros(4), ())
    z, y, x = _bend(points, thorax, patient, level)
    half = thorax.extent / 2
    grid = np.stack([x / half[2], y / half[1], -z / half[0]], -1)[None]
    return torch.tensor(grid, dtype=torch.float32, device=thorax.labels.device)


@lru_cache(maxsize=16)
def _cubic(n, m):
    """(n, m) weights of Catmull-Rom interpolation from n lattice points to the centres of m cells."""
    at = (np.arange(m) + 0.5) / m * (n - 1)
    weights = np.zeros((n, m), dtype=np.float32)
    left = np.clip(np.floor(at).astype(int), 0, n - 2)
    u = at - left
    parts = (
        -u / 2 + u**2 - u**3 / 2,
        1 - 2.5 * u**2 + 1.5 * u**3,
        u / 2 + 2 * u**2 - 1.5 * u**3,
        (u**3 - u**2) / 2,
    )
    for k, part in zip(range(-1, 3), parts, strict=True):
        np.add.at(weights, (np.clip(left + k, 0, n - 1), np.arange(m)), part)
    return torch.from_numpy(weights)


def project(volume, grid, step):
    """Line integrals, mm of water: a volume (Z, Y, X) or (C, Z, Y, X) along the rays -> ([C,] size, size)."""
    batch = volume[(None,) * (5 - volume.ndim)]
    sampled = grid_sample(batch, grid, align_corners=False)[0]  # (C, depth, size, size)
    return sampled.sum(1)[0 if volume.ndim == 3 else slice(None)] * step


def surroundings(volume, lattice, patient, exposure):
    """The finding-free film as seen from afar: (1, 1, 16, 16) mm of water, for scatter and local contrast."""
    grid, step = rays(lattice, exposure.view, LOW, 20)
    return (project(volume, grid, step) + _added(patient, exposure, LOW, volume.device))[None, None]


def _added(patient, exposure, size, device):
    """Breasts, and the arms that the CT has not got beside the body, as mm of water (size, size)."""
    x, z, radius, thick = patient.breast
    edge = exposure.field * (torch.arange(size, device=device) + 0.5) / size - exposure.field / 2
    u, v = edge[None, :], -edge[:, None]
    shadow = 0.0
    for centre in (-x, x) if exposure.view != "Lateral" else (-95,):
        r2 = ((u - centre) / radius) ** 2 + ((v - z) / radius) ** 2 * torch.where(v < z, 1.3, 0.35)
        shadow = shadow + thick * (1 - r2).clamp(min=0)  # thins out upwards, has a fold below
    return shadow if exposure.view == "Lateral" else shadow + _arms(patient, u, v)


def _arms(patient, u, v):
    """Two cylinders of muscle with a bone inside, hanging from the shoulders."""
    middle, radius, spread = patient.arm
    off = (u.abs() - middle - spread * (60 - v)).abs()  # mm from the arm's axis
    below = ((85 - v) / 30).clamp(0, 1)  # the shoulder itself is in the CT
    muscle = (radius**2 - off**2).clamp(min=0).sqrt()
    bone = (13**2 - off**2).clamp(min=0).sqrt() - 0.7 * (8**2 - off**2).clamp(min=0).sqrt()  # hollow
    return below * (1.6 * muscle + 1.5 * bone)


def film(water, far, patient, exposure, noise):
    """Develop line integrals (size, size) in mm of water into a film, uint8.

    far: from `surroundings`; noise: (size, size) standard normal. Beer-Lambert with scatter, noise that grows
    where few quanta arrive, a display that takes out part of the slow changes, an S-shaped curve.
    """
    size = water.shape[-1]
    attenuation = MU * (water + _added(patient, exposure, size, water.device))
    smooth = _smooth(MU * far, exposure)
    slow = torch.nn.functional.interpolate(smooth, (size, size), mode="bicubic", align_corners=False)[0, 0]
    middle = smooth[..., 3:13, 3:13].mean()
    glow = exposure.scatter * torch.exp(-0.5 * (slow - middle))
    seen = -torch.log(torch.exp(middle - attenuation) + glow)  # relative to the film's middle
    seen = seen + exposure.noise * noise * torch.exp(seen.clamp(-2, 1.5) / 2)
    slow_seen = -torch.log(torch.exp(middle - slow) + glow)
    value = (seen - exposure.local * slow_seen * 0.8 - exposure.level + 0.50) / (1.0 * exposure.window)
    grey = 255 * torch.sigmoid(1.5 * value)
    grey = grey * _collimation(exposure, size, water.device)
    _mark(grey, exposure)
    return grey.clamp(0, 255).round().to(torch.uint8)


def _smooth(far, exposure):
    """Gaussian blur of the 16-pixel film by SCATTER_MM."""
    sigma = SCATTER_MM / exposure.field * LOW
    x = torch.arange(LOW, device=far.device)
    kernel = torch.exp(-((x[:, None] - x[None]) ** 2) / (2 * sigma**2))
    kernel = kernel / kernel.sum(1, keepdim=True)
    return kernel @ far @ kernel.T


def _collimation(exposure, size, device):
    """1 in the beam, .04 where the collimator's leaves stood in it."""
    at = (torch.arange(size, device=device) + 0.5) / size
    top, bottom, left, right = (float(e) if e > 0 else -1.0 for e in exposure.edges)
    rows = ((at - top) * size).clamp(0, 1) * ((1 - bottom - at) * size).clamp(0, 1)
    columns = ((at - left) * size).clamp(0, 1) * ((1 - right - at) * size).clamp(0, 1)
    return 0.04 + 0.96 * rows[:, None] * columns[None]


def _mark(grey, exposure):
    """Print the side marker, an L or R of lead, onto the film."""
    letter, row, column, height = exposure.marker
    size = grey.shape[-1]
    glyph = torch.tensor([[float(c) for c in line] for line in GLYPHS[letter]], device=grey.device)[
        None, None
    ]
    tall = max(5, round(height * size))
    drawn = torch.nn.functional.interpolate(glyph, (tall, max(3, round(tall * 5 / 7))), mode="area")[0, 0]
    top, left = round(row * size), min(round(column * size), size - drawn.shape[1])
    patch = grey[top : top + drawn.shape[0], left : left + drawn.shape[1]]
    patch += drawn[: patch.shape[0], : patch.shape[1]] * (235 - patch).clamp(min=0)
