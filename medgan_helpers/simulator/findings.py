"""Thirteen findings of CheXpert, drawn in 3-D into the thorax before it is projected.

Every finding is a function (body, severity, rng) that changes body.volume in place and nothing else: severity
runs from 0 (barely there) to 1 (gross). Sizes in mm, density relative to water. A change that would be
too faint to see is not made at all, so that a mask (the projection of every changed voxel) stays tight.

The three rare findings are larger and denser than in most patients: at 64 pixels they must survive a film.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import grid_sample

from .thorax import Thorax, splat

FAINT = 0.03  # of the way to solid: thinner haze than this is not drawn
FLUID, TISSUE, METAL = 1.02, 1.05, 11.0  # density; metal as it looks at 100 kV


@dataclass
class Body:
    """A patient's density (Z, Y, X), to be changed in place, in the thorax it came from."""

    thorax: Thorax
    volume: torch.Tensor
    supine: bool = False  # fluid lies behind the lung rather than below it

    @property
    def flat(self):
        return self.volume.view(-1)

    def lung(self, rng):
        """The left or the right lung, by chance."""
        return self.thorax.lungs["left" if rng.random() < 0.5 else "right"]

    def texture(self, lung, rng, fine=False):
        """Smooth noise (mean 0, variance 1) at the voxels of a lung, shifted by chance."""
        field = self.thorax.noise[(0 if fine else 2) + int(rng.integers(2))]
        shift = int(rng.integers(field.numel() // 2))  # the field comes twice, so that no index runs over
        return field[shift:].index_select(0, lung.index)

    def fill(self, lung, weight, density=FLUID):
        """Move the lung's voxels `weight` (0 to 1) of the way to a density; never make them thinner."""
        seen = torch.nonzero(weight > FAINT)[:, 0]  # index_select takes a third of the time of []
        index, share = (part.index_select(0, seen) for part in (lung.index, weight))
        before = self.flat.index_select(0, index)
        moved = before + share.clamp_(max=1) * (density - before).clamp_(min=0)
        self.flat.index_copy_(0, index, moved)


def draw(finding, body, severity, rng):
    """Draw one finding, by its CheXpert name, into the body."""
    DRAWN[finding](body, severity, rng)


def enlarged_cardiomediastinum(body, severity, rng):
    """Widen what lies between the lungs, above the heart most."""
    centre = np.array([45 + rng.uniform(-10, 10), 10, 2])  # z, y, x
    _swell(body, centre, radius=(62, 70, 46), by=(0.0, 0.10, 0.5 + 0.5 * severity))


def cardiomegaly(body, severity, rng):
    """Enlarge the heart around its centre, to the sides more than upwards."""
    size = 0.27 + 0.33 * severity
    centre = body.thorax.heart + np.array([0, 0, -6])
    _swell(body, centre, radius=(62, 62, 72), by=(0.5 * size, 0.6 * size, size))


def _swell(body, centre, radius, by):
    """Magnify the volume around a point by `by` (z, y, x), fading out over an ellipsoid of `radius` mm."""
    reach = 1.4  # radii; the displacement is (1 - (r / reach)^2)^2 there and nothing beyond
    box, axes = _box(body, centre, [reach * r for r in radius])
    away = [a - c for a, c in zip(axes, centre, strict=True)]
    r2 = sum((d / r) ** 2 for d, r in zip(away, radius, strict=True)) / reach**2
    fade = (1 - r2).clamp(min=0) ** 2
    half = body.thorax.extent / 2
    source = [(d * (1 - b * fade) + c) / h for d, b, c, h in zip(away, by, centre, half, strict=True)]
    z, y, x = torch.broadcast_tensors(*source)
    grid = torch.stack([x, y, -z], -1)[None]  # z falls from row to row
    moved = grid_sample(body.volume[None, None], grid, align_corners=False)[0, 0]
    view = body.volume[box]
    # Tissue that takes the place of lung, or the reverse.
    changed = ((moved - view).abs() > 0.12) & (fade > 0)
    view.copy_(torch.where(changed, moved, view))


def _box(body, centre, reach):
    """Slices of the volume around a point (mm z, y, x), and the places z, y, x of its voxels."""
    box, axes = [], []
    for axis, (places, c, r) in enumerate(zip(body.thorax.axes, centre, reach, strict=True)):
        inside = np.flatnonzero(np.abs(places - c) <= r)
        box.append(slice(inside[0], inside[-1] + 1) if len(inside) else slice(0, 0))
        shape = [-1 if k == axis else 1 for k in range(3)]
        axes.append(
            torch.tensor(places[box[-1]], dtype=torch.float32, device=body.volume.device).reshape(shape)
        )
    return tuple(box), axes


def _blob(body, lung, centre, radius, rng, rough=0.5):
    """1 well inside an ellipsoid (centre, radius: mm z, y, x) with a ragged rim, 0 well outside."""
    r2 = sum(
        ((place - c) / r) ** 2 for place, c, r in zip((lung.z, lung.y, lung.x), centre, radius, strict=True)
    )
    return ((1.15 - r2.sqrt() + 0.25 * rough * body.texture(lung, rng)) / 0.5).clamp(0, 1)


def _somewhere(lung, rng, low=0.0, high=1.0, depth=12.0):
    """A place in the lung (mm z, y, x) between two heights (0 base, 1 apex), `depth` mm under the pleura."""
    while True:
        at = int(rng.integers(len(lung.index)))
        if low < lung.height[at] < high and lung.pleura[at] > depth:
            return np.array([float(lung.z[at]), float(lung.y[at]), float(lung.x[at])])


def lung_opacity(body, severity, rng):
    """Haze of no particular kind in one place of a lung."""
    lung = body.lung(rng)
    radius = (26 + 26 * severity) * rng.uniform(0.75, 1.3, 3)
    blob = _blob(body, lung, _somewhere(lung, rng), radius, rng, rough=1.0)
    body.fill(lung, (0.3 + 0.35 * severity) * blob)


def lung_lesion(body, severity, rng):
    """One mass, or two or three smaller ones: rounded, dense, well defined, clear of spine and diaphragm."""
    count = 1 if rng.random() < 0.65 else int(rng.integers(2, 4))
    for _ in range(count):
        lung = body.lung(rng)
        radius = (14 + 12 * severity) * (1 if count == 1 else 0.7)
        while True:
            centre = _somewhere(lung, rng, 0.3, 0.92, depth=6)
            if abs(centre[2]) > 36:  # beside the spine's shadow
                break
        shape = _blob(body, lung, centre, radius * rng.uniform(0.9, 1.1, 3), rng, rough=0.4)
        body.fill(lung, shape**0.5, density=rng.uniform(1.6, 2.1))


def edema(body, severity, rng):
    """Fluid in both lungs, spreading from the hila, more below than above."""
    for lung in body.thorax.lungs.values():
        from_hilum = ((lung.z + 5) / 85) ** 2 + ((lung.x.abs() - 30) / 60) ** 2
        below = ((40 - lung.z) / 200).clamp(-0.2, 0.4)
        haze = (0.05 + 0.2 * severity) * (0.35 + torch.exp(-from_hilum) + below)
        body.fill(
            lung, haze * (1 + 0.35 * body.texture(lung, rng) + 0.25 * body.texture(lung, rng, fine=True))
        )


def consolidation(body, severity, rng):
    """Air replaced by fluid in most of one lobe, with patches of air left in it."""
    lung = body.lung(rng)
    centre = _somewhere(lung, rng, 0.08, 0.85, depth=14)
    member = lung.lobe == lung.lobe[int(rng.integers(len(lung.lobe)))]  # a lobe, the larger the likelier
    centre = [
        float(p[member].mean()) * 0.5 + 0.5 * c for p, c in zip((lung.z, lung.y, lung.x), centre, strict=True)
    ]
    radius = (34 + 34 * severity) * rng.uniform(0.8, 1.25, 3)
    blob = _blob(body, lung, centre, radius, rng) * member
    body.fill(lung, (0.5 + 0.4 * severity) * blob * (1 + 0.2 * body.texture(lung, rng, fine=True)))


def pneumonia(body, severity, rng):
    """Two or three patches of consolidation, ill defined, mostly low in the lungs."""
    for _ in range(int(rng.integers(2, 4))):
        lung = body.lung(rng)
        radius = (22 + 22 * severity) * rng.uniform(0.8, 1.3, 3)
        blob = _blob(body, lung, _somewhere(lung, rng, 0.05, 0.75), radius, rng, rough=1.2)
        body.fill(lung, (0.45 + 0.35 * severity) * blob * (1 + 0.3 * body.texture(lung, rng, fine=True)))


def atelectasis(body, severity, rng):
    """A lung base that has lost air: plates of collapse and, when severe, a raised diaphragm."""
    lung = body.lung(rng)
    tilt, across = rng.uniform(-0.35, 0.35), np.sign(float(lung.x.mean()))
    foot = lung.base + 60
    for plate in range(1 + int(rng.integers(1, 3))):
        height = foot + 20 * plate + rng.uniform(-8, 10) + tilt * (lung.x - 70 * across)
        thick = 5 + 7 * severity * rng.uniform(0.6, 1)
        inside = (1.2 - (lung.z - height).abs() / thick).clamp(0, 1) * (lung.pleura > 3)
        length = (1.3 - (lung.x - across * rng.uniform(50, 85)).abs() / (28 + 30 * severity)).clamp(0, 1)
        body.fill(lung, (0.55 + 0.4 * severity) * inside * length)
    floor = foot - 30 + 55 * severity - ((lung.x - 60 * across) / 14) ** 2 - (lung.y / 16) ** 2
    body.fill(lung, ((floor - lung.z) / 8).clamp(0, 1), TISSUE)


def pneumothorax(body, severity, rng):
    """Air between chest wall and lung, thickest over the apex; the lung's edge shows as a thin line."""
    lung = body.lung(rng)
    height = lung.height
    rim = (8 + 30 * severity) * (0.25 + 1.15 * height.clamp(0, 1) ** 1.5) + 1.5 * body.texture(lung, rng)
    depth = lung.wall + 0.5 * lung.pleura
    low = height > 0.35 - 0.3 * severity  # a small one stays above
    air = low & (lung.pleura > 0) & (depth < rim)
    edge = low & (depth >= rim) & (depth < rim + 5)
    body.flat[lung.index[air]] = 0.0
    body.flat[lung.index[edge]] += 0.45
    rest = ~air & (depth < 5 * rim)  # what is left of the lung holds less air
    squeezed = lung.index[rest]
    body.flat[squeezed] += (0.03 + 0.16 * severity) * (1 - body.flat[squeezed]).clamp(0, 1)


def pleural_effusion(body, severity, rng):
    """Fluid around the lung: a level that climbs the chest wall; behind the lung when the patient lies."""
    sides = ["left", "right"] if rng.random() < 0.45 else [("left", "right")[int(rng.integers(2))]]
    for side in sides:
        lung = body.thorax.lungs[side]
        amount = severity * rng.uniform(0.7, 1.1)
        veil = rng.uniform(0.3, 0.8) if body.supine else 0.0
        level = lung.base + 26 + 90 * amount * (1 - 0.5 * veil)
        level = level + 34 * torch.exp(-lung.wall / 14) + 3 * body.texture(lung, rng)
        body.fill(lung, ((level - lung.z) / 9 + 0.5).clamp(0, 1))
        if not veil:
            continue
        behind = ((-20 - lung.y) / 60).clamp(0, 1) * ((lung.apex - lung.z) / 120).clamp(0, 1)
        body.fill(lung, veil * (0.2 + 0.5 * amount) * behind)


def pleural_other(body, severity, rng):
    """Thickening along the side of the chest wall, or a few calcified plaques on it."""
    severity = 1.0 + 0.6 * severity
    if rng.random() < 0.6:
        lung = body.lung(rng)
        thick = 5 + 15 * severity
        lateral = (lung.x.abs() > 55) & (lung.y.abs() < 65)
        middle, half = lung.base + rng.uniform(60, 170), rng.uniform(45, 80)
        fade = (1.4 - (lung.z - middle).abs() / half).clamp(0, 1).sqrt()
        rim = thick * fade + 1.5 * body.texture(lung, rng)
        body.fill(
            lung, ((rim - lung.wall) / 4 + 0.5).clamp(0, 1) * lateral * (fade > 0), rng.uniform(1.05, 1.25)
        )
        return
    for _ in range(int(rng.integers(2, 4))):
        lung = body.lung(rng)
        fit = torch.nonzero((lung.wall < 8) & (lung.x.abs() > 45) & (lung.z > lung.base + 50))[:, 0]
        at = fit[int(rng.integers(len(fit)))]
        centre = [float(a[at]) for a in (lung.z, lung.y, lung.x)]
        blob = _blob(body, lung, centre, (9 + 9 * severity) * rng.uniform(0.8, 1.3, 3), rng)
        body.fill(lung, blob * (lung.wall < 14), rng.uniform(1.3, 1.7))


def fracture(body, severity, rng):
    """Two to four neighbouring ribs broken: callus around the break, blood under the pleura."""
    severity = 1.2 + 0.8 * severity
    side = ("left", "right")[int(rng.integers(2))]
    first, count = int(rng.integers(3, 8)), int(rng.integers(2, 5))
    place = rng.uniform(0.35, 0.7)  # of the way from spine to front: where ribs break
    for number in range(first, min(first + count, 10)):
        line = body.thorax.ribs[side, number]
        centre = line[int((place + rng.uniform(-0.05, 0.05)) * len(line))]
        callus, blood = rng.random(2) < 0.9
        if callus or not blood:
            _ball(body, centre, 5.5 + 4.5 * severity, 2.0)
        if blood:
            _haematoma(body, centre * [1, 0.9, 0.9], 9 + 9 * severity)


def _ball(body, centre, radius, density):
    """Add a soft-edged ball of extra density."""
    box, (z, y, x) = _box(body, centre, [radius * 1.5] * 3)
    r = ((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2).sqrt() / radius
    body.volume[box] += density * (1.5 - r).clamp(0, 1)


def _haematoma(body, centre, radius):
    """Fill the lung under a broken rib with blood."""
    box, (z, y, x) = _box(body, centre, [radius * 1.5] * 3)
    r = ((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2).sqrt() / radius
    view = body.volume[box]
    view += (1.5 - r).clamp(0, 1) * (TISSUE - view).clamp(min=0) * (view > 0.02)


def support_devices(body, severity, rng):
    """Tubes, lines, wires and pacemakers, more of them the graver the patient."""
    kinds = [_central_line, _tracheal_tube, _gastric_tube, _electrodes, _pacemaker]
    kinds = rng.choice(kinds, len(kinds), replace=False, p=[0.35, 0.2, 0.15, 0.2, 0.1])
    for kind in kinds[: 1 + int(rng.random() < severity) + int(rng.random() < severity / 2)]:
        kind(body, rng)


def _curve(knots):
    """A smooth curve (300, 3) through knots z, y, x in mm: a quadratic Lagrange blend, sampled densely."""
    knots = np.array(knots, dtype=float)
    at = np.linspace(0, len(knots) - 1, 300)
    whole = np.clip(np.round(at).astype(int), 1, len(knots) - 2)
    u = (at - whole)[:, None]
    a, b, c = knots[whole - 1], knots[whole], knots[whole + 1]
    rough = b + u * (c - a) / 2 + u**2 * (a - 2 * b + c) / 2
    width = 150 // len(knots)
    padded = np.pad(rough, ((width, width), (0, 0)), mode="edge")
    return np.stack([np.convolve(p, np.ones(2 * width + 1) / (2 * width + 1), "valid") for p in padded.T], 1)


def _wire(body, knots, radius, density):
    splat(body.volume, body.thorax.axes, _curve(knots), radius, density)


def _central_line(body, rng):
    side = rng.choice([-1, 1])
    tip = rng.uniform(-5, 30)
    entry = (
        [(125, 30, side * 55), (95, 38, side * 48)]
        if rng.random() < 0.5
        else [(66, 40, side * 120), (86, 45, side * 70)]
    )
    _wire(body, [*entry, (62, 30, 2), (45, 22, -22), (tip, 20, -26)], 1.6, 0.8 * METAL)


def _tracheal_tube(body, rng):
    end = rng.uniform(45, 80)
    for dx in (-4, 4):
        _wire(body, [(185, 0, dx), (140, 0, dx), (110, -4, dx), (end, -10, dx)], 0.8, METAL)


def _gastric_tube(body, rng):
    tip = (-130, 15, rng.uniform(40, 75))  # in the stomach
    _wire(
        body,
        [(185, -12, 0), (120, -18, 2), (40, -28, 4), (-40, -22, 10), (-95, -5, 34), tip],
        1.4, METAL * 0.8,
    )  # fmt: skip


def _pacemaker(body, rng):
    side = rng.choice([-1, 1], p=[0.15, 0.85])
    centre = np.array([rng.uniform(62, 78), 68, side * rng.uniform(88, 108)])
    box, (z, y, x) = _box(body, centre, (28, 8, 28))
    inside = (((z - centre[0]) / 22) ** 4 + ((x - centre[2]) / 24) ** 4 < 1) & ((y - centre[1]).abs() < 5)
    body.volume[box] += inside * METAL / 3
    path = [centre, (centre[0] + 14, 60, side * 60), (72, 45, side * 25), (45, 22, -20)]
    _wire(body, [*path, (0, 20, -30), (-45, 30, rng.uniform(0, 30))], 1.2, METAL)
    if rng.random() < 0.5:
        _wire(body, [*path, (12, 30, -36), (10, 38, -20)], 1.2, METAL)


def _electrodes(body, rng):
    for _ in range(int(rng.integers(2, 5))):
        x, z = rng.choice([-1, 1]) * rng.uniform(60, 125), rng.uniform(-90, 90)
        _ball(body, (z, 95, x), 3.5, METAL / 2)
        _wire(
            body,
            [(z, 95, x), (z - 25, 100, x * rng.uniform(0.5, 1.1)), (-150, 100, rng.uniform(-90, 90))],
            0.7,
            METAL,
        )


DRAWN = {
    "Enlarged Cardiomediastinum": enlarged_cardiomediastinum,
    "Cardiomegaly": cardiomegaly,
    "Edema": edema,
    "Lung Opacity": lung_opacity,
    "Consolidation": consolidation,
    "Pneumonia": pneumonia,
    "Atelectasis": atelectasis,
    "Lung Lesion": lung_lesion,
    "Pneumothorax": pneumothorax,
    "Pleural Effusion": pleural_effusion,
    "Pleural Other": pleural_other,
    "Fracture": fracture,
    "Support Devices": support_devices,
}  # in the order of drawing: what moves organs first, what lies on top last
