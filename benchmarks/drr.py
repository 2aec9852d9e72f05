"""Line integrals through the simulator's thorax, ours and those of diffdrr's renderers, for `table.py`.

The same volume, the same source, as many pixels. diffdrr is no dependency of the course: its renderers need
torch alone, `python -m pip install --no-deps diffdrr` brings them. Ours also bends the rays into a patient.
"""

import numpy as np
import torch

from medgan_helpers.simulator import projection, rows, thorax

SIZE = 64
POINTS = 2  # samples per plane of voxels in diffdrr's trilinear renderer; by default it takes 500


def ours():
    """() -> (SIZE, SIZE) mm of water: a film's rays, and the integrals along them."""
    table = rows.draw_rows(1, 0)
    anatomy = thorax.load(SIZE, "y")
    patient = projection.draw_patient(np.random.default_rng(0), table["sex"].iloc[0], 60)
    exposure = projection.draw_exposure(np.random.default_rng(0), "PA")

    def integrals():
        lattice = projection.lattice(anatomy, patient, exposure)
        (rays,) = projection.rays(lattice, anatomy, exposure.view, SIZE)
        return projection.project(anatomy.density[0], rays)

    return integrals


def theirs():
    """{renderer: () -> (1, 1, pixels)} of diffdrr, or nothing where it is not installed."""
    try:
        from diffdrr.renderers import Siddon, Trilinear
    except ImportError:
        return {}
    anatomy = thorax.load(SIZE, "y")
    volume, spacing = anatomy.density[0], torch.tensor(anatomy.spacing, dtype=torch.float32)
    middle = (torch.tensor(volume.shape) - 1) / 2
    depth = spacing[1] * volume.shape[1] / 2
    edge = projection.FILM_MM * ((torch.arange(SIZE) + 0.5) / SIZE - 0.5)
    down, across = torch.meshgrid(edge, edge, indexing="ij")
    # Through the patient's mid-plane, on to its far side: places (z, y, x) in mm, then in voxels
    source = torch.tensor([0.0, -projection.SOURCE_MM["PA"], 0.0])
    plane = torch.stack([down, torch.zeros_like(down), across], -1).flatten(0, 1)
    target = source + (plane - source) * (1 + depth / projection.SOURCE_MM["PA"])
    start, end = (source / spacing + middle)[None, None], (target / spacing + middle)[None]
    length = (target - source).norm(dim=-1)[None, None]
    return {
        "Siddon": lambda: Siddon()(volume, start, end, length),
        "trilinear": lambda: Trilinear()(volume, start, end, length, n_points=POINTS * volume.shape[1]),
    }
