"""CT and MR slices of many imagined patients, cut from slabs of one volume that lie apart.

    train = slabs.ct(400, size=64, seed=0, part="train")     # (400, 1, 64, 64) in [0, 1]
    test = slabs.mr(64, size=64, seed=0, part="test")

There is one CT and one head; every patient is a warp of them. So the parts read different slabs, with a gap
that no interpolation reads from both sides: what a test slice shows was never seen in training. The
simulator's files stay as they are (films are kept by a hash of them); this module asks its functions.
"""

import numpy as np
import torch
import torch.nn.functional as F

from .checks import door, one_of, whole
from .simulator import brain, projection, thorax

# Heights in the CT, in mm. Between two slabs lie two voxels, which have 6 mm each at 64 px.
CT = {
    "train": ((-75, -51), (-2, 22), (71, 95)),
    "valid": ((34.5, 58.5),),
    "test": ((-38.5, -14.5),),
}
MR = {"train": (0, 1, 3, 4, 6), "valid": (2,), "test": (5, 7)}  # which of eight slabs of the head
MR_PITCH = 6  # slices of 2 mm from one slab to the next
MR_READ = 4  # slices of a slab that are read; the other two belong to nobody
SLICES_PER_PATIENT = 4  # of CT


@door(n=whole(1, 1_000_000), size=whole(24, 512), part=one_of(*CT))
def ct(n, size=64, seed=0, part="train"):
    """n axial slices, SLICES_PER_PATIENT of a patient, as simulator.ct_slices: (n, 1, size, size)."""
    anatomy = thorax.load(size, "z")
    return torch.stack([_ct_slice(anatomy, size, seed, number, CT[part]) for number in range(n)])


def _ct_slice(anatomy, size, seed, number, slabs):
    patient = number // SLICES_PER_PATIENT
    sex = ("Male", "Female")[patient % 2]
    person = projection.draw_patient(np.random.default_rng([seed, 1, patient]), sex, 60)
    rng = np.random.default_rng([seed, 6, number])
    low, high = slabs[rng.integers(len(slabs))]
    edge = 340 * ((np.arange(size) + 0.5) / size - 0.5)  # mm
    points = np.meshgrid([rng.uniform(low, high)], -edge, edge, indexing="ij")
    z, y, x = projection._bend(points, anatomy, person)
    half = anatomy.extent / 2
    grid = np.stack([x / half[2], y / half[1], -np.clip(z, low, high) / half[0]], -1)[None]
    volume = anatomy.density[int(person.variant * thorax.VARIANTS)]
    density = projection.through(volume, torch.tensor(grid, dtype=torch.float32))
    return (density / 1.4).clamp(0, 1)[None]  # 0 is -1000 HU, 1 is 400 HU


@door(n=whole(1, 1_000_000), size=whole(16, 4096), part=one_of(*MR))
def mr(n, size=64, seed=0, part="train"):
    """n slices of n heads, as simulator.brain makes them: (n, 1, size, size) in [0, 1]."""
    rng = np.random.default_rng([seed, list(MR).index(part)])
    return torch.cat([_mr_slice(size, rng, MR[part]) for _ in range(n)])


def _mr_slice(size, rng, slabs):
    t1, spacing = brain.volume()
    y, x = brain._head(size, rng)  # mm from the middle of the volume
    first = brain.SLICES[0] + MR_PITCH * rng.choice(slabs)
    plane = rng.uniform(0, MR_READ - 1) + rng.normal(0, 0.01, 2) @ [x.ravel(), y.ravel()]
    z = first + plane.reshape(size, size).clip(0.01, MR_READ - 1.01)  # .01: rounding
    middle = (np.array(t1.shape) - 1) / 2
    voxel = np.stack([x / spacing[2] + middle[2], y / spacing[1] + middle[1], z], -1)
    unit = 2 * voxel / (np.array(t1.shape[::-1]) - 1) - 1  # grid_sample counts from -1 to 1
    grid = torch.from_numpy(unit.astype(np.float32))[None, None]
    return brain._contrast(F.grid_sample(t1[None, None], grid, align_corners=True)[:, :, 0], rng)
