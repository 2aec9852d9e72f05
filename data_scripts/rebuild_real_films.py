"""Rebuild the real films that the package carries (medgan_helpers/assets/real_films) from NIH's originals.

FOLDER holds the original PNGs of NIH ChestX-ray14, in any subfolders (images_001/images/00000001_000.png).
Only the films in the asset's own table are needed; the others are not touched, and missing ones are listed.
A film is reduced from 1024 to 256 px with Lanczos and saved as JPEG of quality 88, without a crop or a
change of grey. A JPEG of that size under the film's name is taken as it is, byte for byte.

  python data_scripts/rebuild_real_films.py FOLDER build/real_films

From the NIH Clinical Center, https://nihcc.app.box.com/v/ChestXray-NIHCC: free to use; name the NIH Clinical
Center and cite Wang et al., ChestX-ray8, CVPR 2017. Labels were mined from reports.
"""

import argparse
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from lib import layout
from PIL import Image

from medgan_helpers import artifacts, chexpert, images, real_films

SIDE, QUALITY, ORIGINAL = real_films.SIDE, 88, 1024  # px of a shipped film, its JPEG quality, px of NIH's
NIH_COLUMNS = [
    "Image Index",
    "Finding Labels",
    "Patient ID",
    "Patient Age",
    "Patient Gender",
    "View Position",
]
BOX_COLUMNS = ["Image Index", "Finding Label", "x", "y", "w", "h"]  # in pixels of the original
BOX_NAMES = {"Infiltrate": "Infiltration"}  # where the box list differs from Data_Entry
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: the same films give the same bytes
SHOWN = 10  # missing films named in a message


def main():
    options = command_line().parse_args()
    rows = read_rows(options.labels)
    drawn = read_boxes(options.boxes, rows)
    content = gather(options.folder, rows["Image Index"])
    compare(rows, content, real_films.ASSET)
    write(options.target, rows, drawn, content)


def command_line():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("folder", type=Path, help="the folder of the original PNGs")
    parser.add_argument(
        "target", type=Path, help="the folder to write films.zip, the tables and the card into"
    )
    own = real_films.ASSET
    parser.add_argument("--labels", type=Path, default=own / real_films.TABLE,
                        help="NIH's rows of the films wanted, a csv (default: the asset's)")  # fmt: skip
    parser.add_argument("--boxes", type=Path, default=own / "nih_boxes.csv",
                        help="NIH's boxes in pixels of the originals (default: the asset's)")  # fmt: skip
    return parser


# ---------------------------------------------------------------- tables
def read_rows(path):
    """NIH's rows with CheXpert's columns added; raises ValueError naming the file and the film at fault."""
    if not path.is_file():
        raise FileNotFoundError(f"no table of labels at {path}. {chexpert.SOURCES['nih']}")
    table = layout.read_csv(path)
    missing = [name for name in NIH_COLUMNS if name not in table]
    if missing:
        raise ValueError(f"{path} lacks the columns {missing}: expected NIH's {', '.join(NIH_COLUMNS)}")
    try:
        films = [to_line(record) for record in table.to_dict("records")]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    lines = pd.DataFrame(films, columns=chexpert.COLUMNS)
    repeated = lines["Path"].duplicated()
    if repeated.any():
        raise ValueError(f"{path}: {table['Image Index'][repeated].iloc[0]} stands in it twice")
    return pd.concat([lines, table[NIH_COLUMNS]], axis=1).sort_values("Path", ignore_index=True)


def to_line(record):
    """One of NIH's rows -> the film's values in CheXpert's columns. The name holds patient and study."""
    name = record["Image Index"]
    number, underscore, study = Path(name).stem.partition("_")
    if not (underscore and number.isdigit() and study.isdigit() and record["Patient ID"] == str(int(number))):
        raise ValueError(
            f"{name!r} is no image index of patient {record['Patient ID']!r}, as 00000061_012.png"
        )
    findings = [finding for finding in record["Finding Labels"].split("|") if finding != "No Finding"]
    try:
        labels = layout.nih_labels(findings)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    age, view = record["Patient Age"], record["View Position"]
    if not age.isdigit():
        raise ValueError(f"{name}: Patient Age is {age!r}, expected whole years")
    if view not in ("AP", "PA"):
        raise ValueError(f"{name}: View Position is {view!r}, expected AP or PA")
    path = f"train/patient{int(number):05d}/study{int(study) + 1}/view1_frontal.jpg"
    sex = {"M": "Male", "F": "Female"}.get(record["Patient Gender"], "Unknown")
    values = [labels.get(finding) for finding in chexpert.FINDINGS]
    return [path, sex, int(age), "Frontal", view, *values]


def read_boxes(path, rows):
    """NIH's boxes on these films, in shares of the film, as `chexpert.read_boxes` expects them."""
    if not path.is_file():
        raise FileNotFoundError(f"no table of boxes at {path}. {chexpert.SOURCES['nih']}")
    table = layout.read_csv(path).iloc[:, : len(BOX_COLUMNS)].set_axis(BOX_COLUMNS, axis=1)
    names = table["Finding Label"].replace(BOX_NAMES)
    unknown = set(names) - set(layout.NIH_NAMES)
    if unknown:
        raise ValueError(f"{path}: unknown finding {min(unknown)!r}; NIH's are {', '.join(layout.NIH_NAMES)}")
    paths = rows.set_index("Image Index")["Path"]
    pixels = table[["x", "y", "w", "h"]].apply(pd.to_numeric, errors="coerce")
    bad = pixels.isna().any(axis=1)
    if bad.any():
        found = table[["x", "y", "w", "h"]].loc[bad.idxmax()].to_dict()
        raise ValueError(f"{path}, row {bad.idxmax()}: expected four numbers, found {found}")
    shares = pixels / ORIGINAL
    shares.columns = ["x", "y", "width", "height"]
    drawn = shares.assign(path=table["Image Index"].map(paths), finding=names.map(layout.NIH_NAMES))
    return drawn.dropna(subset=["path", "finding"])[chexpert.BOX_COLUMNS].round(5)


# ---------------------------------------------------------------- films
def gather(folder, wanted):
    """{image index: JPEG bytes} of the films wanted; raises FileNotFoundError that lists the missing ones."""
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder of films at {folder}. {chexpert.SOURCES['nih']}")
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".png", ".jpg"):
            found.setdefault(path.stem, path)
    missing = [name for name in wanted if Path(name).stem not in found]
    if missing:
        shown = ", ".join(missing[:SHOWN]) + (" ..." if len(missing) > SHOWN else "")
        raise FileNotFoundError(
            f"{len(missing)} of the {len(wanted)} originals are not below {folder}: {shown}. "
            f"{chexpert.SOURCES['nih']}"
        )
    return {name: reduced(found[Path(name).stem]) for name in wanted}


def reduced(path):
    """The bytes of one film at SIDE px; a JPEG of that size stays as it is."""
    try:
        film = images.read_film(path)
    except Exception as error:  # decoders raise anything at all on broken files
        raise ValueError(f"{path} cannot be used: {error}") from error
    if film.size == (SIDE, SIDE) and path.suffix == ".jpg":
        return path.read_bytes()
    if film.size != (ORIGINAL, ORIGINAL):
        raise ValueError(
            f"{path} is {film.width} x {film.height} px: NIH's originals are {ORIGINAL} x {ORIGINAL}"
        )
    buffer = io.BytesIO()
    film.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def write(target, rows, drawn, content):
    """Write the asset: films.zip (not compressed again), the two tables, and the card with their hashes."""
    hashes = [hashlib.sha256(content[name]).hexdigest() for name in rows["Image Index"]]
    artifacts.write_csv(target / real_films.TABLE, rows.assign(sha256=hashes))
    artifacts.write_csv(target / real_films.BOXES, drawn)
    with artifacts.atomic(target / real_films.FILMS) as temporary, zipfile.ZipFile(temporary, "w") as file:
        for name in rows["Image Index"]:
            file.writestr(zipfile.ZipInfo(f"{Path(name).stem}.jpg", EPOCH), content[name])
    files = (real_films.FILMS, real_films.TABLE, real_films.BOXES)
    artifacts.write_json(target / real_films.CARD, describe(rows, drawn, target, files))
    print(f"{len(rows)} films of {rows['Patient ID'].nunique()} patients in {target}")


def describe(rows, drawn, target, files):
    """The card: what the films are, on which terms, what they are not."""
    names = rows["Finding Labels"].str.split("|").explode()
    return CARD | {
        "films": len(rows),
        "patients": int(rows["Patient ID"].nunique()),
        "films_with_label": {name: int(count) for name, count in names.value_counts().items()},
        "boxes": drawn["finding"].value_counts().to_dict(),
        "not_labelled": [f for f in chexpert.FINDINGS if rows[f].isna().all()],
        "sha256": {name: hashlib.sha256((target / name).read_bytes()).hexdigest() for name in files},
    }


CARD = {
    "name": "Real chest films of NIH ChestX-ray14, 256 px, for teaching",
    "provider": "NIH Clinical Center, https://nihcc.app.box.com/v/ChestXray-NIHCC",
    "licence": "The provider puts no restrictions on the use of the NIH chest x-ray images.",
    "duties": [
        "link the download site, https://nihcc.app.box.com/v/ChestXray-NIHCC",
        "cite Wang X, Peng Y, Lu L, Lu Z, Bagheri M, Summers RM. ChestX-ray8: hospital-scale chest X-ray "
        "database and benchmarks on weakly-supervised classification and localization of common thorax "
        "diseases. CVPR 2017",
        "acknowledge the NIH Clinical Center as the data provider",
    ],
    "made": f"{ORIGINAL} px PNGs reduced to {SIDE} px with Lanczos, 8-bit JPEG of quality {QUALITY}; no "
    "crop, no change of grey; python data_scripts/rebuild_real_films.py rebuilds them",
    "not_a_random_sample": "Films with pneumonia and films without a finding were picked on purpose by the "
    "collections they come from; prevalences here are those of no clinic.",
    "labels": "Mined from the reports by a program; the provider estimates that more than 90 % are right. "
    "Effusion is called Pleural Effusion here, Nodule or Mass is Lung Lesion, Pleural_Thickening is Pleural "
    "Other; Infiltration and every kind of opacity count as Lung Opacity. What NIH does not label is blank: "
    "unknown, not absent.",
    "use": "teaching; not for diagnosis; no attempt may be made to identify a patient",
}


def compare(rows, content, asset):
    """Say how many films have the very bytes of the asset in the package, and how far the others are off."""
    if not (asset / real_films.FILMS).is_file():
        return
    known = dict(real_films.table(asset)[["Image Index", "sha256"]].to_numpy())
    other = [n for n in rows["Image Index"] if hashlib.sha256(content[n]).hexdigest() != known.get(n)]
    print(f"{len(rows) - len(other)} of {len(rows)} films have the bytes of those in the package")
    shared = [name for name in other if name in known]
    if shared:
        with zipfile.ZipFile(asset / real_films.FILMS) as file:
            apart = [apart_by(content[n], file.read(f"{Path(n).stem}.jpg")) for n in shared]
        print(f"the others differ by {max(apart):.2f} grey levels of 255 at most, in the mean of a film")


def apart_by(first, second):
    """Mean absolute difference of two JPEGs in grey levels: JPEG encoders differ by less than one."""
    pair = [np.asarray(Image.open(io.BytesIO(data)), dtype=float) for data in (first, second)]
    return float(np.abs(pair[0] - pair[1]).mean())


if __name__ == "__main__":
    layout.run(main)
