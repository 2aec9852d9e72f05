"""Bring NIH ChestX-ray14 into the CheXpert layout.

FOLDER holds Data_Entry_2017_v2020.csv (or Data_Entry_2017.csv) and the unpacked images, in any subfolders
(images_001/images/00000001_000.png). With test_list.txt there too, NIH's own test patients go to valid.csv.
Some of the images_*.tar.gz are enough for a start: add --partial. With BBox_List_2017.csv there too, the
boxes that radiologists drew on some test films go to boxes.csv; chapter 7 scores its maps against them.

  python data_scripts/import_nih.py FOLDER TARGET

From the NIH Clinical Center, https://nihcc.app.box.com/v/ChestXray-NIHCC: free to use; name the NIH Clinical
Center and cite Wang et al., ChestX-ray8, CVPR 2017. Labels were mined from reports, as CheXpert's were.
"""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from lib import layout

from medgan_helpers import chexpert
from medgan_helpers.images import opened

COLUMNS = ["Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "View Position"]
BOX_COLUMNS = ["Image Index", "Finding Label", "x", "y", "width", "height"]  # NIH's own: "Bbox [x", ..., "h]"
BOX_NAMES = {"Infiltrate": "Infiltration"}  # where the box list differs from Data_Entry
SEX = ("Patient Sex", "Patient Gender")  # the 2020 and the 2017 file


def main():
    """Read the table, find the images, write the films."""
    options = command_line().parse_args()
    folder = Path(options.folder)
    table = read_table(folder)
    images = {path.name: path for path in sorted(folder.rglob("*.png"))}
    if options.partial:
        here = table["Image Index"].isin(images)
        print(f"{here.sum()} of {len(table)} films are here; the others are left out")
        table = table[here]
    held_out = test_images(folder)
    films, bad = [], {}
    for row, record in zip(table.index, table.to_dict("records"), strict=True):
        try:
            films.append(to_film(row, record, images, held_out))
        except (ValueError, OSError) as error:
            bad[row] = str(error)
    layout.settle(options.folder, bad, len(table), options.skip_bad)
    print("NIH's findings under CheXpert's names:")
    layout.print_mapping()
    layout.write(films, options.target, "nih", options, tables={"boxes.csv": read_boxes(folder, films)})


def command_line():
    parser = layout.arguments(__doc__)
    parser.add_argument("folder", help="the folder with Data_Entry_2017*.csv and the images")
    parser.add_argument("target", help="a new folder to write")
    parser.add_argument("--partial", action="store_true", help="leave out films that were not downloaded")
    return parser


def read_table(folder):
    """NIH's Data_Entry table as text; raises with the source of the data where it is missing or another."""
    tables = sorted(folder.glob("Data_Entry_2017*.csv"))
    if not tables:
        raise FileNotFoundError(f"no Data_Entry_2017*.csv in {folder}. {chexpert.SOURCES['nih']}")
    table = layout.read_csv(tables[-1])
    missing = [name for name in COLUMNS if name not in table]
    if missing or not set(SEX) & set(table):
        raise ValueError(f"{tables[-1]} lacks the columns {missing or SEX[0]}; is it NIH's Data_Entry file?")
    return table


def test_images(folder):
    """The file names of NIH's official test set, where test_list.txt is there."""
    path = folder / "test_list.txt"
    try:
        return set(path.read_text().split()) if path.is_file() else set()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no list of file names: {error}") from error


def read_boxes(folder, films):
    """NIH's boxes on the films, as `chexpert.read_boxes` reads them; an empty table where there are none.

    NIH gives pixels from the upper left corner; they become shares of the film's largest centred square.
    Raises ValueError that names the file and, where it can, the row.
    """
    path = folder / "BBox_List_2017.csv"
    if not path.is_file():
        return pd.DataFrame(columns=chexpert.BOX_COLUMNS)
    table = layout.read_csv(path).iloc[:, : len(BOX_COLUMNS)]
    if table.shape[1] < len(BOX_COLUMNS):
        raise ValueError(f"{path}: expected the columns {BOX_COLUMNS}, found {list(table)}")
    table = table.set_axis(BOX_COLUMNS, axis=1)
    pixels = table[BOX_COLUMNS[2:]].apply(pd.to_numeric, errors="coerce")
    good = np.isfinite(pixels).all(axis=1) & (pixels[["width", "height"]] > 0).all(axis=1)
    if not good.all():
        row = int(np.argmin(good))
        found = table.iloc[row][BOX_COLUMNS[2:]].to_dict()
        raise ValueError(f"{path}, row {row}: expected four numbers, width and height above 0, found {found}")
    names = table["Finding Label"].replace(BOX_NAMES)
    unknown = set(names) - set(layout.NIH_NAMES)
    if unknown:
        raise ValueError(f"{path}: unknown finding {min(unknown)!r}; NIH's are {', '.join(layout.NIH_NAMES)}")
    table = table.assign(finding=names.map(layout.NIH_NAMES), **pixels).dropna(subset="finding")
    sources = {Path(film.source).name: film for film in reversed(films)}  # of a repeated film the first stays
    rows = [
        (film.path, box["finding"], *in_square(film.source, box))
        for box in table.to_dict("records")
        if (film := sources.get(box["Image Index"])) and is_picture(film.source)
    ]
    print(f"{len(rows)} of NIH's {len(table)} boxes are on these films")
    return pd.DataFrame(rows, columns=chexpert.BOX_COLUMNS)


def is_picture(source):
    """Whether the file can be opened; one that cannot has no box, and layout.write says what is wrong."""
    try:
        opened(source).close()
    except Exception:  # decoders raise anything at all on broken files
        return False
    return True


def in_square(source, box):
    """x, y, width and height of a box in pixels of `source`, as shares of its largest centred square."""
    with opened(source) as film:
        side = min(film.size)
        left, top = (np.array(film.size) - side) // 2
    return [(box["x"] - left) / side, (box["y"] - top) / side, box["width"] / side, box["height"] / side]


def to_film(row, record, images, held_out):
    """One line of Data_Entry -> Film; raises on a line that cannot be read or a film that is not there."""
    name = record["Image Index"]
    if name not in images:
        raise FileNotFoundError(f"{name} is not below the folder (download its archive, or add --partial)")
    if not (record["Patient ID"].isdecimal() and record["Follow-up #"].isdecimal()):
        raise ValueError(f"{name}: Patient ID and Follow-up # must be whole numbers")
    age = re.fullmatch(r"(\d{1,3})Y?", record["Patient Age"].strip())  # "58" or "058Y"
    sex = next(record[column] for column in SEX if column in record)
    findings = [finding for finding in record["Finding Labels"].split("|") if finding != "No Finding"]
    return layout.Film(
        row=row,
        source=str(images[name]),
        patient=int(record["Patient ID"]),
        study=int(record["Follow-up #"]) + 1,
        pixels=partial(layout.grey, images[name]),
        labels=layout.nih_labels(findings),
        view=record["View Position"] if record["View Position"] in ("AP", "PA") else "",
        sex={"M": "Male", "F": "Female"}.get(sex, ""),
        age=int(age[1]) if age and int(age[1]) <= 130 else None,  # 2017's has typing errors such as 414
        part="valid" if name in held_out else "train",
    )


if __name__ == "__main__":
    layout.run(main)
