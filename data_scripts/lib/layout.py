"""What the importers share: films of any kind into a folder in the CheXpert layout.

A finished folder holds one PNG a film, train.csv (and valid.csv), and sources.csv, which says where each film
came from. sources.csv is written first, then the films, then the tables, train.csv last: a killed import
goes on where it stopped, another import cannot mix with it, and a folder with a train.csv is complete.
"""

import argparse
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from pathlib import Path, PureWindowsPath

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from medgan_helpers import artifacts, chexpert, images

SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I", "F")  # PIL's names of grey films with more than 8 bits
PHOTOMETRIC = 262  # TIFF's tag; 0: WhiteIsZero
STRETCH = (0.5, 99.5)  # percentiles that become black and white; the extremes are markers and collimators
NIH_NAMES = {  # NIH's 14 names (ChestMNIST's in lower case) -> CheXpert's; None: CheXpert has no such finding
    "Atelectasis": "Atelectasis",
    "Cardiomegaly": "Cardiomegaly",
    "Effusion": "Pleural Effusion",
    "Infiltration": "Lung Opacity",
    "Mass": "Lung Lesion",
    "Nodule": "Lung Lesion",
    "Pneumonia": "Pneumonia",
    "Pneumothorax": "Pneumothorax",
    "Consolidation": "Consolidation",
    "Edema": "Edema",
    "Emphysema": None,
    "Fibrosis": None,
    "Pleural_Thickening": "Pleural Other",
    "Hernia": None,
}
OPACITIES = ("Edema", "Consolidation", "Pneumonia", "Lung Lesion", "Atelectasis")  # kinds of Lung Opacity


@dataclass(frozen=True)
class Film:
    """One film to import: where it goes, what is known about it, and how to get its pixels."""

    row: object  # its row in the source's own table, for messages
    source: str  # the file, or what stands for it
    patient: int
    study: int
    pixels: Callable  # () -> 8-bit grey PIL image; raises on a film that cannot be used
    labels: dict  # finding -> 1, 0, -1; others are blank
    view: str = ""  # "AP", "PA", "Lateral" or unknown
    sex: str = ""
    age: float | None = None
    part: str = "train"  # "train" or "valid": which table
    number: int = 1  # view number within the study

    @property
    def path(self):
        kind = "lateral" if self.view == "Lateral" else "frontal"
        return f"{self.part}/patient{self.patient:05d}/study{self.study}/view{self.number}_{kind}.png"

    def line(self):
        """Its line of the table, in CheXpert's columns."""
        lateral = self.view == "Lateral"
        facts = [self.path, self.sex or "Unknown", self.age, "Lateral" if lateral else "Frontal"]
        projection = None if lateral or not self.view else self.view
        return [*facts, projection, *(self.labels.get(finding) for finding in chexpert.FINDINGS)]


def arguments(description, side=True):
    """The command line parser with the options that every importer has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; write nothing")
    parser.add_argument("--skip-bad", action="store_true", help="leave bad rows and films out, listing them")
    if side:
        parser.add_argument(
            "--side",
            type=pixels,
            default=512,
            help="pixels of a film's shorter side, 8 at least; 0: as it is (default 512)",
        )
    return parser


def count(text):
    """A whole number, 0 or more, of a command line."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number, 0 or more")
    return int(text)


def pixels(text):
    """Pixels of a side on a command line: 0, or what the course can read."""
    if 0 < count(text) < 8:
        raise argparse.ArgumentTypeError(f"{text}: expected 8 pixels or more, or 0 for films as they are")
    return int(text)


def run(main):
    """Call main(); on a foreseeable error print its message alone and exit with status 1."""
    try:
        main()
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")


def settle(what, bad, total, skip_bad):
    """Stop if there are bad rows ({row: reason}); with skip_bad list them and go on."""
    if bad:
        chexpert.complain(f"{what}: {len(bad)} of {total} are bad", pd.Series(bad), skip_bad)


def read_csv(path):
    """A csv as text, blanks as ""; raises ValueError that names the file when it is no table."""
    return artifacts.read_csv(path, dtype=str, keep_default_na=False)


def write(films, target, dataset, options, tables=None):
    """Write the films and their tables into `target`. Nothing that is finished is overwritten.

    tables: further ones by file name, each with a column path; rows of films that are left out go too.
    """
    target = Path(target)
    films = _unique(films, options.skip_bad)
    summarise(films)
    if options.dry_run:
        print(f"Dry run: {len(films)} films would be written to {target}")
        return
    _claim(target, films)
    bad = _write_films(films, target, options.side)
    settle(f"films for {target}", bad, len(films), options.skip_bad)
    good = [film for film in films if film.row not in bad]
    if not any(film.part == "train" for film in good):
        raise ValueError("no usable film is left for train.csv")
    for name, table in (tables or {}).items():  # before train.csv, which says that all is there
        table = table[table["path"].isin([film.path for film in good])]
        if len(table):
            artifacts.write_csv(target / name, table)
    for part in ("valid", "train"):
        lines = [film.line() for film in good if film.part == part]
        if lines:
            artifacts.write_csv(target / f"{part}.csv", pd.DataFrame(lines, columns=chexpert.COLUMNS))
    print(f"{len(good)} films in {target}")
    say_next(dataset, target)


def say_next(dataset, folder):
    """The command that runs the course on the folder."""
    print(f"Next: make book DATASET={dataset} DATA_ROOT={shlex.quote(str(folder.resolve()))}")


def summarise(films):
    """Print what the films are: counts, patients, positives of each finding, and what is not labelled."""
    patients = len({film.patient for film in films})
    parts = Counter(film.part for film in films)
    print(f"{len(films)} films of {patients} patients ({dict(parts)})")
    for finding in chexpert.FINDINGS:
        given = [film.labels[finding] for film in films if film.labels.get(finding) is not None]
        text = f"{sum(label == 1 for label in given):6d} positive" if given else "not labelled"
        print(f"  {finding:28s}{text}")


def nih_labels(names):
    """NIH's findings of one film (an empty list: No Finding) -> CheXpert labels; raises on unknown names.

    NIH labels each film for all of its findings, so the mapped ones are 0 where absent; what it does not
    label stays blank. Lung Opacity is CheXpert's parent of several findings: any of them makes it 1.
    """
    known = {name.lower(): mapped for name, mapped in NIH_NAMES.items()} | {"pleural": "Pleural Other"}
    unknown = [name for name in names if name.lower() not in known]
    if unknown:
        raise ValueError(f"unknown finding {unknown[0]!r}; NIH's are {', '.join(NIH_NAMES)}")
    labels = {mapped: 0 for mapped in known.values() if mapped} | {"No Finding": int(not names)}
    labels |= {known[name.lower()]: 1 for name in names if known[name.lower()]}
    if any(labels[finding] == 1 for finding in OPACITIES):
        labels["Lung Opacity"] = 1
    return labels


def print_mapping():
    """Show which NIH name becomes which CheXpert name."""
    for name, mapped in NIH_NAMES.items():
        print(f"  {name:20s}-> {mapped or '(no such finding in CheXpert: left out)'}")
    missing = set(chexpert.FINDINGS) - set(NIH_NAMES.values()) - {"No Finding"}
    print(f"  not labelled by NIH, so blank: {', '.join(f for f in chexpert.FINDINGS if f in missing)}")


def inside(folder, name):
    """The path of the file `name` below `folder`; accepts backslashes, refuses ways out of the folder."""
    name = str(name).strip()
    windows = PureWindowsPath(name)  # takes both kinds of slash
    if not name or windows.drive or windows.root or ".." in windows.parts:
        raise ValueError(f"{name!r} is not a path below {folder}")
    path = Path(folder, *windows.parts)
    if not path.is_file():
        raise FileNotFoundError(f"{name} is not in {folder}")
    return path


def grey(path):
    """Any film file -> 8-bit grey PIL image: PNG or JPEG, 16-bit PNG or TIFF, DICOM.

    More than 8 bits are stretched between two percentiles; bone dark (MONOCHROME1, a TIFF's WhiteIsZero) is
    inverted.
    """
    path = Path(path)
    if _is_dicom(path):
        return _dicom(path)
    if path.stat().st_size:
        with images.opened(path) as film:
            if film.mode in SIXTEEN_BIT and getattr(film, "n_frames", 1) == 1:
                images.check_pixels(film.width, film.height)
                values = np.asarray(film, dtype=np.float32)
                tags = getattr(film, "tag_v2", {})  # of a TIFF; Pillow itself inverts one of 8 bits alone
                return stretch(-values if tags.get(PHOTOMETRIC) == 0 else values)
    return images.read_film(path)


def stretch(values, padding=None):
    """Grey values of any range -> 8-bit PIL image, the STRETCH percentiles to 0 and 255.

    padding: a mask of pixels that only fill up the rectangle; they have no say in the percentiles.
    """
    values = np.asarray(values, dtype=np.float32)
    if not np.isfinite(values).all():
        raise ValueError("pixels that are not numbers")
    shown = values if padding is None else values[~padding]
    if not shown.size:
        raise ValueError("every pixel is padding: not a film")
    low, high = np.percentile(shown, STRETCH)
    if high <= low:
        raise ValueError(f"every pixel has the value {low:g}: not a film")
    return Image.fromarray(np.clip((values - low) / (high - low) * 255, 0, 255).round().astype(np.uint8))


def _is_dicom(path):
    """DICOM files carry "DICM" after 128 bytes; the suffix decides for those that lack it."""
    if path.suffix.lower() in (".dcm", ".dicom"):
        return True
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def _dicom(path):
    try:
        import pydicom
        from pydicom.errors import InvalidDicomError
        from pydicom.pixels import apply_modality_lut, apply_voi_lut
    except ImportError as error:
        raise ImportError("reading DICOM needs pydicom: pip install 'pydicom>=3'") from error
    try:
        film = pydicom.dcmread(path)
    except InvalidDicomError as error:
        raise ValueError("is no DICOM file, whatever its name says: convert it, or rename it") from error
    if int(film.get("NumberOfFrames", 1)) > 1:
        raise ValueError(f"{film.NumberOfFrames} frames, expected one film")
    kind = film.get("PhotometricInterpretation")
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise ValueError(f"{kind} pixels, expected MONOCHROME1 or MONOCHROME2")
    if missing := [name for name in ("Rows", "Columns", "PixelData") if name not in film]:
        raise ValueError(f"no film: the DICOM file has no {missing[0]}")
    images.check_pixels(film.Columns, film.Rows)
    try:
        pixels = film.pixel_array
    except (ValueError, AttributeError, RuntimeError, NotImplementedError) as error:
        promised = f"{film.Columns} x {film.Rows} of {film.get('BitsAllocated')} bits"
        raise ValueError(f"the pixels are not those that the head promises, {promised}: {error}") from error
    values = apply_voi_lut(apply_modality_lut(pixels, film), film).astype(np.float32)
    grey = stretch(-values if kind == "MONOCHROME1" else values, _padding(film, pixels))
    if grey.getcolors(2):
        width = f", WindowWidth is {film.WindowWidth}" if "WindowWidth" in film else ""
        raise ValueError(f"two greys alone{width}: expected a film")
    return grey


def _padding(film, pixels):
    """Where a DICOM's pixels, as they are stored, have its PixelPaddingValue or reach from it to the
    PixelPaddingRangeLimit; None where it names no such value."""
    value = film.get("PixelPaddingValue")
    if value is None:
        return None
    limit = film.get("PixelPaddingRangeLimit")
    # In the pixels' own type: a signed value is often written as an unsigned one.
    ends = np.array([value, value if limit is None else limit], np.int64).astype(pixels.dtype)
    return (pixels >= ends.min()) & (pixels <= ends.max())


def _unique(films, skip_bad):
    """The films without repeated ones; raises if a patient is in both tables."""
    if not films:
        raise ValueError("no film to import")
    first, bad = {}, {}
    for film in films:
        before = first.get(film.source, first.get(film.path))
        if before is not None:
            bad[film.row] = f"{film.source}: the file, or the patient, study and view, of row {before} again"
        first |= {film.source: film.row, film.path: film.row}
    settle("rows", bad, len(films), skip_bad)
    held_out = {film.patient for film in films if film.part == "valid"}
    for film in films:
        if film.part == "train" and film.patient in held_out:
            raise ValueError(f"row {film.row} ({film.source}): its patient is in train and in valid")
    return [film for film in films if film.row not in bad]


def _at_their_place(sources):
    """The table with whole paths: a folder may be named in two ways."""
    return sources.assign(Source=[str(Path(source).resolve()) for source in sources["Source"]])


def _claim(target, films):
    """Begin or continue an import: refuse a finished folder, other things, and other films."""
    sources = pd.DataFrame([(film.path, film.source) for film in films], columns=["Path", "Source"])
    if target.is_file():
        raise FileExistsError(f"{target} is a file; choose another target")
    if (target / "train.csv").exists():
        raise FileExistsError(f"{target} already holds a finished data set; choose another target")
    if not (target / "sources.csv").exists():
        if target.exists() and not all(file.match(".*.partial*") for file in target.iterdir()):
            raise FileExistsError(f"{target} is not empty; choose another target")
        artifacts.write_csv(target / "sources.csv", sources)
    elif not _at_their_place(read_csv(target / "sources.csv")).equals(_at_their_place(sources.astype(str))):
        raise FileExistsError(f"{target} holds an unfinished import of other films; choose another target")


def _write_films(films, target, side):
    """Write the PNGs that are not there yet; returns {row: reason} of those that cannot be used."""

    def one(film):
        file = target / film.path
        if file.exists():
            return None
        try:
            picture = _shrink(film.pixels(), side)
        except ImportError:  # the machine lacks a package: not the film's fault
            raise
        except Exception as error:  # decoders raise anything at all on broken files
            return f"{film.source}: {error}"
        with artifacts.atomic(file) as temporary:
            picture.save(temporary)
        return None

    with ThreadPool(os.cpu_count()) as pool:
        reasons = list(tqdm(pool.imap(one, films), total=len(films), desc="importing", unit="film"))
    return {film.row: reason for film, reason in zip(films, reasons, strict=True) if reason}


def _shrink(picture, side):
    """Reduce the shorter side to `side` pixels, keeping the proportions; never enlarge."""
    factor = side / min(picture.size)
    if side <= 0 or factor >= 1:
        return picture
    return picture.resize([round(length * factor) for length in picture.size], Image.Resampling.BICUBIC)
