"""From a thorax to a film: a patient's anatomy, a pose, rays, and what the detector and its display do.

The patient is not the CT but a warp of it: rays are bent through the CT instead of bending the CT, which
costs one interpolation a film; what they gather is summed over the planes of voxels that they cross (Joseph
1982). All that depends on neighbouring pixels (scatter, local contrast) is computed
from the finding-free body, so that a finding changes the film only where it casts its shadow.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch.nn.functional import grid_sample

from ..checks import door, number, one_of
from .thorax import FILM_MM

MU = 0.019  # per mm of water, for the beam of a chest film (about 110 kV, 60 keV on average)
LATTICE = (9, 13, 13)  # points (depth, rows, columns) at which rays are bent; cubic interpolation between
DEPTH_MM, LATERAL_DEPTH_MM = 270, 380  # length of the rays through the patient
SOURCE_MM = {"PA": 1650, "AP": 900, "Lateral": 1650}  # from the source to the middle of the patient
SCATTER_MM = 45  # smoothing of the finding-free film that scatter and local contrast are taken from
LOW = 16  # pixels of that film
WAVES = [(180, 320, 3.6), (90, 170, 1.7), (60, 90, 0.7)]  # mm: shortest, longest, how far they bend
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


@door(sex=one_of("Male", "Female"), age=number(0, 130))
def draw_patient(rng, sex, age):
    """A patient's anatomy by chance, with what sex and age make likely."""
    female = sex == "Female"
    small = 0.93 if female else 1.0
    fat = max(0.0, rng.normal(8, 10) + (6 if 35 < age < 75 else 0))
    scale = small * rng.normal([1.0, 1.0, 1.0], [0.05, 0.06, 0.05]) * [1, 1 + fat / 250, 1]
    low, high, amplitude = np.repeat(WAVES, [4, 6, 6], 0).T[:, :, None]
    direction = rng.standard_normal((16, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    vectors = 2 * np.pi * direction / rng.uniform(low, high)
    bends = amplitude * rng.standard_normal((16, 3))
    waves = np.hstack([vectors, rng.uniform(0, 2 * np.pi, (16, 1)), bends]).astype(np.float32)
    heart = rng.normal(0.02 + 0.0015 * (age - 50), 0.07)
    breast = (rng.uniform(62, 85), rng.uniform(-95, -55), rng.uniform(48, 72), rng.uniform(8, 38) * female)
    arm = (rng.uniform(168, 195), rng.uniform(38, 50) * small, rng.uniform(-0.05, 0.3))
    return Patient(rng.random(), scale, waves, heart, fat, breast, arm)


@door(view=one_of("AP", "PA", "Lateral"))
def draw_exposure(rng, view):
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
    points = _bend(_place(t, v, u, exposure), thorax, patient, exposure.diaphragm)
    half = thorax.extent / 2
    places = np.stack([points[2] / half[2], points[1] / half[1], -points[0] / half[0]])
    return torch.tensor(places, dtype=torch.float32, device=thorax.labels.device)


@dataclass(frozen=True)
class Rays:
    """Where the rays of a film cross every plane of voxels that lies across them."""

    axis: int  # of the volume, along which the planes follow one another: 1 (y) frontal, 2 (x) lateral
    places: torch.Tensor  # (planes, size, size, 2) within the plane, -1 to 1, for grid_sample
    length: torch.Tensor  # (planes, size, size) mm that a ray spends in the plane


def rays(lattice, thorax, view, *sizes):
    """The rays of a film of so many pixels through the volume, from those bent at the lattice points.

    One `Rays` for each size.
    """
    lateral = view == "Lateral"
    axis, along, within = (2, 0, [1, 2]) if lateral else (1, 1, [0, 2])
    fine = 4 * LATTICE[0]
    bent = (cubic(LATTICE[0], fine).to(lattice.device).T @ lattice.flatten(2)).movedim(1, 2)
    step = (LATERAL_DEPTH_MM if lateral else DEPTH_MM) / fine
    crossed = _crossings(bent[along], bent[within], thorax.shape[axis], step)
    crossed = crossed.movedim(2, 1).unflatten(2, LATTICE[1:])  # (3, planes, rows, columns)
    found = []
    for size in sizes:
        down, across = (cubic(n, size).to(lattice.device) for n in LATTICE[1:])
        grid = down.T @ (crossed @ across)  # (3, planes, size, size)
        found.append(Rays(axis, grid[:2].permute(1, 2, 3, 0), grid[2]))
    return found


def _crossings(depth, within, planes, step):
    """Where rays, known at points `step` mm apart, cross evenly spaced planes, and mm from plane to plane.

    depth (rays, points) rises along a ray from -1 to 1, the planes' own coordinate; within (2, rays, points).
    Returns (3, rays, planes): the two places, and the length, 0 where a ray does not get to a plane.
    """
    at = (torch.arange(planes, device=depth.device) + 0.5) / planes * 2 - 1
    at = at.expand(len(depth), -1).contiguous()
    after = torch.searchsorted(depth.contiguous(), at).clamp(1, depth.shape[1] - 1)
    start, end = depth.gather(1, after - 1), depth.gather(1, after)
    rise = (end - start).clamp(min=1e-3)
    share = (at - start) / rise
    after = after.expand(2, -1, -1)
    places = torch.lerp(within.gather(2, after - 1), within.gather(2, after), share)
    cell = 2 / planes
    first, last = 1.5 * depth[:, :1] - depth[:, 1:2] / 2, 1.5 * depth[:, -1:] - depth[:, -2:-1] / 2
    reached = ((at - first) / cell + 0.5).clamp(0, 1) * ((last - at) / cell + 0.5).clamp(0, 1)
    length = step * cell / rise * reached
    return torch.cat([places, length[None]])


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


def _bend(points, thorax, patient, diaphragm=0.0):
    """The patient's millimetres to the CT's: habitus, waves, heart, and a diaphragm so much higher."""
    p = np.stack(points).astype(np.float32) / patient.scale.reshape(3, 1, 1, 1).astype(np.float32)
    z, y, x = p
    outside = np.sqrt((x / 150) ** 2 + (y / 105) ** 2)  # about 1 at the ribs
    p = p * np.stack([np.ones_like(z), *[1 - patient.fat / 140 * np.clip(outside - 0.55, 0, 0.8)] * 2])
    phase = patient.waves[:, :3] @ p.reshape(3, -1) + patient.waves[:, 3:4]
    p = p + (patient.waves[:, 4:].T @ np.sin(phase)).reshape(p.shape)
    centre = thorax.heart.reshape(3, 1, 1, 1).astype(np.float32)
    near = np.exp(-(((p - centre) / 55) ** 2).sum(0) / 2)
    p = p - patient.heart * near * (p - centre) * np.array([0.5, 0.8, 1.0]).reshape(3, 1, 1, 1)
    p[0] -= diaphragm * np.exp(-(((p[0] + 70) / 65) ** 2) / 2)
    p[0] = np.maximum(p[0], 3 - thorax.extent[0] / 2)  # below the scan the abdomen goes on as it was
    return p


def axial_plane(thorax, patient, size, rng):
    """A grid for grid_sample (1, 1, size, size, 3) through a chest, 340 mm wide, at a height by chance."""
    width, z = 340, rng.uniform(-75, 95)
    edge = width * ((np.arange(size) + 0.5) / size - 0.5)
    points = np.meshgrid([z], -edge, edge, indexing="ij")
    z, y, x = _bend(points, thorax, patient)
    half = thorax.extent / 2
    grid = np.stack([x / half[2], y / half[1], -z / half[0]], -1)[None]
    return torch.tensor(grid, dtype=torch.float32, device=thorax.labels.device)


def through(volume, grid):
    """What the volume (Z, Y, X) holds at the points of a plane: (size, size)."""
    return grid_sample(volume[None, None], grid, align_corners=False)[0, 0, 0]


@lru_cache(maxsize=16)
def cubic(n, m):
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


def project(volume, rays):
    """Line integrals, mm of water: a volume (Z, Y, X) along the rays -> (size, size). Joseph's method."""
    planes = volume.movedim(rays.axis, 0)[:, None]
    crossed = grid_sample(planes, rays.places, align_corners=False)[:, 0]  # (planes, size, size)
    return (crossed * rays.length).sum(0)


def surroundings(volume, rays, beside):
    """The finding-free film as seen from afar: (1, 1, 16, 16) mm of water, for scatter and local contrast.

    rays: LOW pixels wide; beside: from `beside_the_scan`, at the film's own size.
    """
    beside = torch.nn.functional.interpolate(beside[None, None], (LOW, LOW), mode="area")
    return project(volume, rays) + beside


def beside_the_scan(patient, exposure, size, device):
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


def film(water, far, exposure, noise):
    """Develop line integrals (size, size) in mm of water, of all that is in the beam, into a film, uint8.

    far: from `surroundings`; noise: (size, size) standard normal. Beer-Lambert with scatter, noise that grows
    where few quanta arrive, a display that takes out part of the slow changes, an S-shaped curve.
    """
    size = water.shape[-1]
    attenuation = MU * water
    smooth = _smooth(MU * far, exposure)
    slow = torch.nn.functional.interpolate(smooth, (size, size), mode="bicubic", align_corners=False)[0, 0]
    middle = smooth[..., 3:13, 3:13].mean()
    glow = exposure.scatter * torch.exp(-0.5 * (slow - middle))
    seen = -torch.log(torch.exp(middle - attenuation) + glow)  # relative to the film's middle
    seen = seen + exposure.noise * noise * torch.exp(seen.clamp(-2, 1.5) / 2)
    slow_seen = -torch.log(torch.exp(middle - slow) + glow)
    value = (seen - exposure.local * slow_seen * 0.8 - exposure.level + 0.50) / exposure.window
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
    tall = max(5, round(height * size))
    drawn = _glyph(letter, tall).to(grey.device)
    top, left = round(row * size), min(round(column * size), size - drawn.shape[1])
    patch = grey[top : top + drawn.shape[0], left : left + drawn.shape[1]]
    patch += drawn[: patch.shape[0], : patch.shape[1]] * (235 - patch).clamp(min=0)


@lru_cache(maxsize=64)
def _glyph(letter, tall):
    """A letter of lead, `tall` pixels high: 1 where it is."""
    glyph = torch.tensor([[float(c) for c in line] for line in GLYPHS[letter]])
    shape = (tall, max(3, round(tall * 5 / 7)))
    return torch.nn.functional.interpolate(glyph[None, None], shape, mode="area")[0, 0]
