"""How fast films are read, against torchxrayvision's own loader on the same JPEG files.

    python benchmarks/jpegs.py                 # 600 films of CheXpert-small's size, about a minute
    python benchmarks/jpegs.py --root FOLDER   # on a folder in the CheXpert layout instead

Baseline: CheX_Dataset + XRayCenterCrop + XRayResizer(64), one film after the other, as documented there.
Ours: the first pass of ImageStore (decode once), then an epoch of its batches; also the whole label table,
and the memory that a store of a million films takes (Linux only).
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torchxrayvision as xrv
from PIL import Image

from medgan_helpers import artifacts, chexpert, images

SIZE, BATCH = 64, 64
SHAPE = (320, 390)  # pixels of a film in CheXpert-v1.0-small
EPOCHS = 20  # of the store; one is too short to time
MANY = 1_000_000  # films of the store whose memory is measured


def main():
    """Time both loaders on the same files and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", help="a folder in the CheXpert layout; default: films of noise")
    parser.add_argument("--films", type=int, default=600)
    options = parser.parse_args()
    if not 1 <= options.films <= MANY:
        parser.error(f"--films {options.films}: expected 1 to {MANY}")
    if options.root:
        try:
            chexpert.read(chexpert.find_root(options.root) / "train.csv")
        except (OSError, ValueError) as error:
            parser.error(f"--root {options.root}: {error}")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MEDGAN_CACHE"] = str(Path(scratch) / "cache")
        root = chexpert.find_root(options.root) if options.root else noise_films(Path(scratch), options.films)
        frame = chexpert.read(root / "train.csv", root=root)
        frame = frame[frame.view.isin(["AP", "PA"])][: options.films]
        theirs = time_theirs(root, len(frame))
        first, store = time_first_pass(frame, root)
        epoch = time_epochs(store)
        memory = memory_of_many(Path(scratch))
    start = time.perf_counter()
    table = chexpert.label_table()
    seconds = time.perf_counter() - start
    print(f"\n{len(frame)} JPEG films to {SIZE} px, {os.cpu_count()} cores")
    print(f"{'':44s}{'films/s':>10s}{'ratio':>8s}")
    for name, speed in (
        ("torchxrayvision CheX_Dataset + XRayResizer", theirs),
        ("ImageStore, first pass", first),
        ("ImageStore, batches afterwards", epoch),
    ):
        print(f"{name:44s}{speed:10,.0f}{speed / theirs:8.1f}")
    print(f"label table of {len(table):,} rows: {seconds:.2f} s")
    print(f"store of {MANY:,} films: {MANY * SIZE**2 / 1e9:.1f} GB on disk, {memory / 1e6:.0f} MB of memory")


def noise_films(root, count):
    """Films with the size and the JPEG weight of CheXpert's small version; pixels are smooth noise."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(count):
        path = f"train/patient{i + 1:05d}/study1/view1_frontal.jpg"
        coarse = Image.fromarray(rng.integers(0, 256, (12, 14), dtype=np.uint8))
        film = np.asarray(coarse.resize(SHAPE[::-1], Image.Resampling.BICUBIC), dtype=float)
        film = np.clip(film + rng.normal(0, 4, SHAPE), 0, 255).astype(np.uint8)
        (root / path).parent.mkdir(parents=True)
        Image.fromarray(film).save(root / path, quality=90)
        rows.append([path, "Female", 50, "Frontal", "AP", *[float(i % 2)] * len(chexpert.FINDINGS)])
    artifacts.write_csv(root / "train.csv", pd.DataFrame(rows, columns=chexpert.COLUMNS))
    return root


def time_theirs(root, count):
    """Films/s of torchxrayvision's data set with its own crop and resize."""
    steps = [xrv.datasets.XRayCenterCrop(), xrv.datasets.XRayResizer(SIZE)]

    def transform(film):
        for step in steps:
            film = step(film)
        return film

    data = xrv.datasets.CheX_Dataset(
        imgpath=str(root), csvpath=str(root / "train.csv"), views=["PA", "AP"], unique_patients=False,
        transform=transform,
    )  # fmt: skip
    data[0]  # imports and warm-up
    start = time.perf_counter()
    for i in range(count):
        data[i]
    return count / (time.perf_counter() - start)


def time_first_pass(frame, root):
    start = time.perf_counter()
    store = images.ImageStore(frame, root, SIZE)
    return len(store) / (time.perf_counter() - start), store


def time_epochs(store):
    """Films/s of shuffled float batches with labels."""
    batches = store.batches(BATCH)
    next(batches)
    steps = max(1, EPOCHS * len(store) // BATCH)
    start = time.perf_counter()
    for _ in range(steps):
        next(batches)
    return steps * BATCH / (time.perf_counter() - start)


def memory_of_many(scratch):
    """Bytes that a store of MANY films and its batches add to the table; the map is empty: sparse on disk."""
    frame = pd.DataFrame({"path": [f"train/patient{i:07d}/study1/view1_frontal.jpg" for i in range(MANY)]})
    dose = pd.DataFrame({"dose": np.zeros(MANY, np.float32)})
    film_map = np.memmap(scratch / "many.u8", np.uint8, "w+", shape=(MANY, SIZE, SIZE))
    before = own_memory()
    with mock.patch.object(images, "_open_cache", lambda *_: (film_map, {})):
        store = images.ImageStore(frame, scratch, SIZE)
    batches = store.batches(BATCH, labels=dose)
    for _ in range(200):
        next(batches)
    return own_memory() - before


def own_memory():
    """Bytes of this process that are not pages of files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


if __name__ == "__main__":
    main()
