"""Fetch ChestMNIST+ (64, 128 or 224 px) through the package medmnist and bring it into the CheXpert layout.

  python data_scripts/fetch_chestmnist.py TARGET --size 64

Downloads chestmnist_<size>.npz to --cache unless it is there. Without a network, get the file from
https://zenodo.org/records/10519652 elsewhere and put it there. CC BY 4.0; cite Yang et al., MedMNIST v2,
Scientific Data 2023, and Wang et al., ChestX-ray8, CVPR 2017: the films are those of NIH ChestX-ray14.

MedMNIST does not say which films are of one patient: every film counts as a patient of its own, and the
course's own split of train.csv may therefore share patients. MedMNIST's test films go to valid.csv.
"""

import os
import tempfile
import zipfile
import zlib
from functools import partial
from pathlib import Path

import numpy as np
from lib import layout
from PIL import Image

from medgan_helpers import chexpert

FILMS = 112_120  # in ChestMNIST; a file that unpacks to many more is not it
PARTS = {"train": "train", "val": "train", "test": "valid"}  # MedMNIST's parts -> ours


def main():
    """Load the three parts, check their shapes, write the films."""
    options = command_line().parse_args()
    if options.dry_run and not npz(options).is_file():
        print(f"Dry run: would download {npz(options)} and write its {FILMS:,} films to {options.target}")
        print(chexpert.SOURCES["chestmnist"])
        return
    films = []
    for part in PARTS:
        films += to_films(part, load(part, options), len(films), options.size)
    print("MedMNIST's findings (NIH's, in lower case) under CheXpert's names:")
    layout.print_mapping()
    options.side = 0
    layout.write(films, options.target, "chestmnist", options)


def command_line():
    parser = layout.arguments(__doc__, side=False)
    parser.add_argument("target", help="a new folder to write")
    parser.add_argument("--size", type=int, default=64, choices=(64, 128, 224), help="pixels (default 64)")
    parser.add_argument("--cache", default="build/downloads", help="where the npz file lies or goes")
    return parser


def npz(options):
    if Path(options.cache).is_file():
        raise ValueError(f"--cache is {options.cache}, a file: name the folder in which the npz file lies")
    return Path(options.cache) / f"chestmnist_{options.size}.npz"


def load(part, options):
    """medmnist's data set of one part; raises with what to download and where to put it."""
    from medmnist import ChestMNIST

    file = npz(options)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        if not file.is_file():
            with tempfile.TemporaryDirectory(dir=file.parent) as half:  # a dropped connection leaves nothing
                ChestMNIST(split=part, root=half, size=options.size, download=True)
                os.replace(Path(half) / file.name, file)
        check_size(file, options.size)
        return ChestMNIST(split=part, root=str(file.parent), size=options.size)
    except RuntimeError as error:  # medmnist's word for every failed download
        hint = f"Get it elsewhere and put it into {file.parent}. {chexpert.SOURCES['chestmnist']}"
        raise OSError(f"could not download {file.name}. {hint}") from error
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{file} is broken ({error}): delete it and fetch it again") from error


def check_size(file, size):
    """Refuse a file that would unpack to far more than ChestMNIST's films and labels, before it does."""
    with zipfile.ZipFile(file) as packed:
        unpacked = sum(member.file_size for member in packed.infolist())
    if unpacked > 2 * FILMS * (size**2 + 14):
        raise ValueError(f"it would unpack to {unpacked / 1e9:.1f} GB, far more than ChestMNIST has")


def to_films(part, data, before, size):
    """One MedMNIST part -> Films, numbered on from `before`."""
    names = [data.info["label"][str(column)] for column in range(len(data.info["label"]))]
    grey = data.imgs.dtype == np.uint8 and data.imgs.shape[1:] == (size, size)
    if not grey or data.labels.shape != (len(data.imgs), len(names)):
        raise ValueError(
            f"{part}: {data.imgs.dtype} images {data.imgs.shape} and labels {data.labels.shape}, expected "
            f"uint8 images (N, {size}, {size}) and labels (N, {len(names)})"
        )
    if not np.isin(data.labels, (0, 1)).all():
        raise ValueError(f"{part}: labels other than 0 and 1")
    films = []
    for i, labels in enumerate(data.labels):
        found = [name for name, label in zip(names, labels, strict=True) if label]
        films.append(
            layout.Film(
                row=f"{part} {i}",
                source=f"chestmnist_{size}.npz {part} {i}",
                patient=before + i + 1,
                study=1,
                pixels=partial(Image.fromarray, data.imgs[i]),
                labels=layout.nih_labels(found),
                part=PARTS[part],
            )
        )
    return films


if __name__ == "__main__":
    layout.run(main)
