"""The setup cell of every notebook: which profile, which data, which machine, how many minutes.

session.start("03-dcgan", PROFILE, DATASET, DATA_ROOT, SEED)
films = session.films()            # the simulated set, or the reader's own, through one door
"""

import csv
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from . import artifacts, chexpert, images, profiles, simulator
from . import real_films as shipped
from .checks import door, having, path, switch, told, torch_seed, whole, words

DATASETS = {
    "simulated": "chest films simulated from one real CT: not patients, not for diagnosis",
    "chexpert": "CheXpert in its own folder layout",
    "nih": "real films of NIH ChestX-ray14: those that the package carries, or, with DATA_ROOT, all of them",
    "chestmnist": "ChestMNIST, brought into the layout by data_scripts/fetch_chestmnist.py",
    "folder": "your own films, brought into the layout by data_scripts/import_folder.py",
}
REAL_FRACTIONS = (0.70, 0.15, 0.15)  # of the shipped real films: with 5 % the test part would hold 60
LINE = 90  # letters: a page of 1280 pixels cuts a printed line of more than about 110
HELD_OUT = 40  # fewer films than this measure nothing: a metric such as KID wants at least 32
SWITCH = dict.fromkeys(("1", "true", "yes"), True) | dict.fromkeys(("", "0", "false", "no"), False)
MINUTES = artifacts.ASSETS / "minutes.csv"  # `make minutes` writes it from executed notebooks


@dataclass(frozen=True)
class Session:
    """What one run of a notebook was started with."""

    notebook: str
    profile: profiles.Profile
    dataset: str
    data_root: Path | None
    seed: int
    device: torch.device
    shipped: bool = False  # the real films that the package carries, not a folder of the reader's


@dataclass(frozen=True)
class DataSet:
    """A data set ready to use: its table, its pixels, its patient-disjoint parts."""

    frame: pd.DataFrame  # one row per film: path, patient, study, view, sex, age and the 14 findings
    store: images.ImageStore  # uint8 pixels; store.subset(part) for a part of the frame
    splits: dict  # {"train", "valid", "test"}: frames, no patient in two of them
    simulated: bool  # True: twins and masks exist
    unlabelled: tuple = ()  # findings that the set does not label: unknown, so never counted as negative

    def labels(self, frame=None, uncertain="ones", blank="zeros"):
        """`chexpert.labels` of rows of this set (default: all); what the set does not label is masked."""
        return chexpert.labels(self.frame if frame is None else frame, uncertain, blank, self.unlabelled)


_current = None


@door(notebook=words, seed=torch_seed)
def start(notebook, profile="", dataset="", data_root="", seed=0):
    """Begin a notebook: choose profile and data set, say what will run and how long it takes.

    An empty string means the environment variable (MEDGAN_PROFILE, DATASET, DATA_ROOT), else the default.
    Raises ValueError for an unknown profile or data set, FileNotFoundError for a missing data folder.
    """
    global _current
    profile = profiles.get(profile)
    if dataset is not None and not isinstance(dataset, str):
        raise TypeError(f"dataset is {told(dataset)}: expected one of {', '.join(DATASETS)}")
    dataset = (dataset or os.environ.get("DATASET") or "simulated").lower()
    if dataset not in DATASETS:
        raise ValueError(f"unknown data set {dataset!r}: choose one of {', '.join(DATASETS)}")
    if data_root:
        path("data_root", data_root)
    data_root = data_root or os.environ.get("DATA_ROOT")
    carried = dataset == "nih" and not data_root
    artifacts.activate(profile.name, dataset, notebook)
    root = shipped.unpack() if carried else _data_root(dataset, data_root)
    pd.set_option("display.max_colwidth", None)  # tables of sentences are not cut
    torch.manual_seed(seed)  # a safety net: everything in the course draws from generators of its own
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    _current = Session(notebook, profile, dataset, root, seed, device, carried)
    print(f"Profile {profile.name}: {profile.note}.")
    _print(f"Data: {DATASETS[dataset]}; seed {seed}.")
    print(f"Machine: {machine(device)}; {_minutes(notebook, profile.name, device)}.")
    return _current


def _data_root(dataset, data_root):
    if dataset == "simulated":
        if data_root:
            raise ValueError(
                f"DATA_ROOT is {str(data_root)!r}, but DATASET is simulated, which reads no folder: name the "
                "data set, as DATASET=folder, or leave DATA_ROOT out"
            )
        return None
    if not data_root:
        raise ValueError(
            f"DATASET={dataset} needs DATA_ROOT, the folder that holds train.csv. {chexpert.SOURCES[dataset]}"
        )
    root = Path(data_root).expanduser()
    if root.is_file():
        raise ValueError(f"DATA_ROOT is {str(root)!r}, a file: expected the folder that holds train.csv")
    if not root.exists():
        raise FileNotFoundError(f"{root} does not exist. {chexpert.SOURCES[dataset]}")
    return root


@door(device=having("type", "index", kind="a torch.device"))
def machine(device):
    """The processor in words, and how to get a faster one on Colab."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    hint = ", for a GPU: Runtime > Change runtime type" if "COLAB_RELEASE_TAG" in os.environ else ""
    return f"{os.cpu_count()} CPU cores, no GPU{hint}"


def _minutes(notebook, profile, device):
    """The measured minutes of this notebook in this profile on the machine that built the book."""
    if device.type == "cuda" or not MINUTES.exists():
        return "not timed on this kind of machine"
    with open(MINUTES, newline="") as file:
        for row in csv.DictReader(file):
            if row["notebook"] == notebook and row["profile"] == profile:
                return f"about {float(row['minutes']):.1f} minutes (measured on {row['machine']})"
    return "not timed yet"


def current():
    """The Session that `start` began. Raises RuntimeError before that."""
    if _current is None:
        raise RuntimeError("no notebook has been started: call session.start(...) first")
    return _current


@door(count=whole(), simulated=switch)
def films(count=None, simulated=False):
    """The data set of this notebook: simulated on first use, shipped (real films), or read from DATA_ROOT.

    count: about so many films (default: the profile's number), by whole patients. simulated: the simulated
    set whatever DATASET says, for what needs every finding labelled and patients on demand.
    Every film is resized to the profile's size once and kept in a memory map (images.ImageStore).
    Of a set that is not simulated, it says which findings are not labelled and what else is missing.
    """
    here = current()
    root, size = here.data_root, here.profile.image_size
    simulated = simulated or here.dataset == "simulated"
    if not simulated and here.shipped:
        chosen = real_films(size, count or here.profile.films)
        _say_what_lacks(chosen.frame, chosen.unlabelled)
        return chosen
    if simulated:
        folder = artifacts.folder("data") / f"simulated-{size}px-seed{here.seed}-{simulator.version()}"
        root = simulator.write(folder, images=here.profile.films, size=size, seed=here.seed).parent
    frame = _table(root, "train.csv")
    unlabelled = tuple(chexpert.unlabelled(frame))
    count = count or here.profile.films
    if count < len(frame):
        frame = chexpert.regimen(frame, 100 * count / len(frame), here.seed)
    store = images.ImageStore(frame, root, size, _skip_bad())
    splits = chexpert.split(store.frame, _fractions(len(store)), here.seed)
    if not simulated:
        _say_what_lacks(store.frame, unlabelled)
    return DataSet(store.frame, store, splits, simulated, unlabelled)


@door(size=whole(8, shipped.SIDE), count=whole())
def real_films(size=64, count=None):
    """The real films that the package carries, whatever DATASET says: 1,194 of 961 patients (NIH).

    size: pixels a side, 8 to 256 (as they are shipped); count: about so many, by whole patients, out of
    each part alike (default: all). What NIH does not label is nan in the table, named in `unlabelled`, and
    masked by `labels()`: unknown, not absent. The parts are the same in every run, whatever its seed, so that
    no film that a shipped network has learnt from is ever a test film. Not for diagnosis.
    Raises FileNotFoundError or ValueError if the films are missing or altered.
    """
    root = shipped.unpack()
    frame = chexpert.read(root / "train.csv", root)
    store = images.ImageStore(frame, root, size)
    splits = chexpert.split(frame, REAL_FRACTIONS, seed=0)
    if count and count < len(frame):
        percent = 100 * count / len(frame)
        splits = {name: chexpert.regimen(part, percent, seed=0) for name, part in splits.items()}
        frame = pd.concat(splits.values()).sort_index()
    return DataSet(frame, store.subset(frame), splits, False, tuple(chexpert.unlabelled(frame)))


def _print(text):
    """Print a sentence in lines that a page does not cut."""
    print(textwrap.fill(text, LINE, break_on_hyphens=False))


def _say_what_lacks(frame, unlabelled):
    """Say, in a set that is not simulated, what is there and what the chapters have to do without."""
    _print(
        f"{len(frame):,} films of {frame.patient.nunique():,} patients, without twins and masks: what needs "
        "these is shown on simulated films, or left out, and says so."
    )
    if unlabelled:
        _print(f"Not labelled in these data, and masked, never counted as absent: {', '.join(unlabelled)}.")
    none = [f for f in chexpert.FINDINGS if f not in unlabelled and not (frame[f] == 1).any()]
    if none:
        _print(f"Labelled, but without a single positive film here: {', '.join(none)}.")


def _fractions(count):
    """90/5/5, but at least HELD_OUT films each in validation and test, up to a quarter of a tiny set."""
    share = min(0.25, max(0.05, HELD_OUT / count))
    return (1 - 2 * share, share, share)


def official_test():
    """The set's own held-out films (valid.csv) or None; in CheXpert three radiologists read them."""
    here = current()
    if here.dataset == "simulated" or not (chexpert.find_root(here.data_root) / "valid.csv").is_file():
        return None
    frame = _table(here.data_root, "valid.csv")
    return images.ImageStore(frame, here.data_root, here.profile.image_size, _skip_bad())


def _table(root, name):
    path = chexpert.find_root(root) / name
    if not path.is_file():
        missing = f"{root} holds no {name}: missing or half-written"
        raise FileNotFoundError(f"{missing}. {chexpert.SOURCES[current().dataset]}")
    return chexpert.read(path, path.parent, skip_bad=_skip_bad())


def _skip_bad():
    """The reader's explicit choice, in the environment, to go on without bad rows and films: SKIP_BAD=1."""
    choice = os.environ.get("SKIP_BAD", "")
    if choice.lower() not in SWITCH:
        raise ValueError(f"SKIP_BAD is {choice!r}: expected 1, true or yes, or else 0, false or no")
    return SWITCH[choice.lower()]
