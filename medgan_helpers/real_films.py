"""1,194 real chest films of 961 patients that the package carries: no login, no download.

    root = real_films.unpack()             # a folder in the CheXpert layout: train.csv, boxes.csv, train/...
    frame = chexpert.read(root / "train.csv", root)

`session.real_films(size)` is the door that the chapters use: table, pixels and patient-disjoint parts.
The films come from NIH ChestX-ray14, reduced to 256 x 256 px and otherwise unchanged; card.json says on which
terms, and what the sample is not. Teaching material: not for diagnosis, and nobody may be identified.

Source: Wang et al., ChestX-ray8, CVPR 2017; data provider: the NIH Clinical Center,
https://nihcc.app.box.com/v/ChestXray-NIHCC
"""

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

from . import artifacts, chexpert
from .checks import door
from .checks import path as path_of

ASSET = artifacts.ASSETS / "real_films"
FILMS, TABLE, BOXES, CARD = "films.zip", "films.csv", "boxes.csv", "card.json"
SIDE = 256  # pixels of a shipped film
REPAIR = (
    "Install the package anew, or rebuild the films from NIH's originals: "
    "python data_scripts/rebuild_real_films.py"
)


@door(asset=path_of)
def card(asset=ASSET):
    """What the films are: source, licence, the three duties, counts, hashes; a dict.

    Raises FileNotFoundError or ValueError, in words, for a card that is missing or no card.
    """
    path = Path(asset) / CARD
    if not path.is_file():
        raise FileNotFoundError(f"the real films are incomplete: no {CARD} in {asset}. {REPAIR}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("sha256"), dict):
        raise ValueError(f"{path} is not the card of the real films. {REPAIR}")
    return content


def check(asset=ASSET):
    """Return {file name: bytes} of the asset's three files, each with the hash that the card gives.

    Raises FileNotFoundError for a missing file and ValueError for an altered one; both name it.
    """
    expected, content = card(asset)["sha256"], {}
    for name in (FILMS, TABLE, BOXES):
        path = Path(asset) / name
        if not path.is_file():
            raise FileNotFoundError(f"the real films are incomplete: no {name} in {asset}. {REPAIR}")
        content[name] = path.read_bytes()
        found = hashlib.sha256(content[name]).hexdigest()
        if found != expected.get(name):
            raise ValueError(
                f"{path} was altered: its SHA-256 begins with {found[:12]}, the card says "
                f"{expected.get(name, 'nothing')[:12]}. {REPAIR}"
            )
    return content


def table(asset=ASSET):
    """The rows as NIH gives them beside CheXpert's columns: a DataFrame, one row per film.

    CheXpert's columns (see `chexpert.COLUMNS`; a finding that NIH does not label is blank), then NIH's own,
    and the film's "sha256".
    """
    return pd.read_csv(io.BytesIO(check(asset)[TABLE]))


def unpack(asset=ASSET):
    """The films as a folder in the CheXpert layout, made once below build/<profile>/data; returns its path.

    The folder appears under its final name when it is whole, so a killed run leaves nothing half-made.
    """
    content = check(asset)
    name = f"real-films-{hashlib.sha256(content[TABLE] + content[FILMS]).hexdigest()[:8]}"
    target = artifacts.folder("data") / name
    if target.is_dir():
        return target
    temporary = Path(tempfile.mkdtemp(prefix=".real-films-", dir=target.parent))
    try:
        _write(content, temporary)
        temporary.chmod(0o755)  # mkdtemp makes a private folder
        os.rename(temporary, target)
    except OSError:
        if not target.is_dir():  # else another process was first, with the same bytes
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _write(content, folder):
    """Write the films of {file name: bytes} and their two tables into `folder`."""
    rows = pd.read_csv(io.BytesIO(content[TABLE]))
    with zipfile.ZipFile(io.BytesIO(content[FILMS])) as films:
        for path, index in zip(rows["Path"], rows["Image Index"], strict=True):
            file = folder / path
            if folder.resolve() not in file.resolve().parents:
                raise ValueError(f"{path!r} in {TABLE} leads out of its folder. {REPAIR}")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(films.read(Path(index).with_suffix(".jpg").name))
    artifacts.write_csv(folder / "train.csv", rows[chexpert.COLUMNS])
    (folder / "boxes.csv").write_bytes(content[BOXES])
