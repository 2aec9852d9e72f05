"""Axial T1 slices of many heads, made from one: the MR examples.

    train = brain.slices(400, size=64, seed=0, part="train")     # (400, 1, 64, 64) in [0, 1]

The volume is an average of 152 people (assets/BRAIN.md). Every slice comes from another imagined head:
turned, scaled, warped, with its own grey and white matter contrast. Train, valid and test read different
slabs of the volume, so no voxel that a test slice shows was ever seen in training.
"""

from functools import lru_cache
from importlib import resources

import numpy as np
import torch
import torch.nn.functional as F

from ..checks import door, one_of, whole

FIELD_MM = 200.0  # side of a slice: a head's usual field of view is 200 to 240 mm
SLICES = (18, 68)  # from the cerebellum to below the crown, in slices of 2 mm
SLAB = 5  # slices a slab: 10 mm
PARTS = {"train": (0, 1, 3, 5, 6, 8), "valid": (2, 7), "test": (4, 9)}  # which of the ten slabs


@door(n=whole(1, 1_000_000), size=whole(16, 4096), part=one_of(*PARTS))
def slices(n, size=64, seed=0, part="train"):
    """n slices of n heads as a tensor (n, 1, size, size) in [0, 1]; top anterior, left the patient's right.

    part: "train", "valid" or "test": slabs of the volume that share no voxel. The same arguments give the
    same slices. Raises ValueError for another part or a size below 16.
    """
    rng = np.random.default_rng([seed, list(PARTS).index(part)])
    return torch.cat([_one_slice(size, rng, PARTS[part]) for _ in range(n)])


def _one_slice(size, rng, slabs):
    """One head, one slice: (1, 1, size, size)."""
    t1, spacing = volume()
    y, x = _head(size, rng)  # millimetres from the middle of the volume
    first = SLICES[0] + SLAB * rng.choice(slabs)
    # A slightly tilted and curved plane, kept between the first and last slice of its slab: interpolation
    # then reads no slice of another slab.
    plane = rng.uniform(0, SLAB - 1) + rng.normal(0, 0.01, 2) @ [x.ravel(), y.ravel()]
    z = first + plane.reshape(size, size).clip(0.01, SLAB - 1.01)  # .01: rounding
    middle = (np.array(t1.shape) - 1) / 2
    voxel = np.stack([x / spacing[2] + middle[2], y / spacing[1] + middle[1], z], -1)  # (size, size, 3)
    unit = 2 * voxel / (np.array(t1.shape[::-1]) - 1) - 1  # grid_sample counts from -1 to 1
    grid = torch.from_numpy(unit.astype(np.float32))[None, None]  # (1, 1, size, size, 3)
    sampled = F.grid_sample(t1[None, None], grid, align_corners=True)[:, :, 0]
    return _contrast(sampled, rng)


def _head(size, rng):
    """Where each pixel lies in the head, in mm: turned by 6 degrees, scaled by 5 %, warped by 4 mm (sd)."""
    axis = (np.arange(size) - (size - 1) / 2) * FIELD_MM / size
    y, x = np.meshgrid(axis, axis, indexing="ij")
    angle, (scale_y, scale_x) = np.radians(rng.normal(0, 6)), 1 + rng.normal(0, 0.05, 2)
    warp = torch.from_numpy(rng.normal(0, 4, (1, 2, 6, 6)))
    dy, dx = F.interpolate(warp, size=(size, size), mode="bicubic", align_corners=True)[0].numpy()
    turned_y = np.cos(angle) * y + np.sin(angle) * x
    turned_x = np.cos(angle) * x - np.sin(angle) * y
    return scale_y * turned_y + dy + rng.normal(0, 4), scale_x * turned_x + dx + rng.normal(0, 4)


def _contrast(images, rng):
    """Another sequence: a monotone curve through black, grey matter (.7 in the template) and white."""
    grey, gain = rng.uniform(0.55, 0.78), rng.uniform(0.85, 1.0)
    exponent = np.log(grey) / np.log(0.7)
    return (gain * images.clamp(0, 1) ** exponent).clamp(0, 1)


@lru_cache(maxsize=1)
def volume():
    """The T1 volume as a tensor (z, y, x) in [0, 1] and its spacing (z, y, x) in mm."""
    with resources.as_file(resources.files("medgan_helpers") / "assets" / "brain.npz") as path:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: run data_scripts/rebuild_brain.py, or reinstall")
        with np.load(path) as asset:
            t1 = torch.from_numpy(asset["t1"].astype(np.float32))
            return t1 / t1.max(), asset["spacing_mm"]
