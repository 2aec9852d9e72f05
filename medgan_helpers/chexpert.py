"""The CheXpert layout: findings, views, uncertain and blank labels, patient splits, nested regimens.

A folder in this layout holds train.csv (and often valid.csv) and one file per film,
train/patient00001/study1/view1_frontal.jpg. The simulator and every importer write it; real CheXpert has it.
A label is 1 (positive), 0 (negative), -1 (uncertain) or blank (the report does not mention the finding).

Source: Irvin et al., CheXpert, AAAI 2019, https://arxiv.org/abs/1901.07031
"""

import hashlib
import importlib.util
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from . import artifacts
from .checks import door, number, numbers, switch, told, whole
from .checks import path as file_name

FINDINGS = [  # CheXpert's own column order; always look a finding up by name, never by position
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
]
RARE = ("Lung Lesion", "Pleural Other", "Fracture")  # 1.6 to 4.1 % of CheXpert's films

SEXES, VIEWS = ("Male", "Female", "Unknown"), ("AP", "PA", "LL", "RL")
COLUMNS = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *FINDINGS]
ROOTS = ("", "CheXpert-v1.0-small", "CheXpert-v1.0")  # where archives put train/ and valid/
LAYOUT = re.compile(  # path, patient, study; matched in full, so no csv can name a file outside its folder
    r"(?:CheXpert-v1\.0(?:-small)?/)?"
    r"((?:train|valid|test)/(patient\d+)/study(\d{1,9})/view\d+_\w+\.(?:jpg|jpeg|png))",
    re.ASCII,
)
UNCERTAIN = {"ones": 1.0, "zeros": 0.0, "ignore": np.nan}  # U-Ones, U-Zeros, U-Ignore of the paper
BLANK = {"zeros": 0.0, "ignore": np.nan}
SHOWN = 10  # bad rows listed in a message

SOURCES = {  # what a data set is, who gives it, on which terms, and what to type then
    "simulated": "The simulated films need no download: python data_scripts/simulate_chexpert.py --help",
    "chexpert": (
        "CheXpert: register at the Stanford AIMI Center (https://aimi.stanford.edu, shared datasets), accept "
        "its research use agreement and download CheXpert-v1.0 or the much smaller "
        "CheXpert-v1.0-small. Unpack it anywhere and check it: python data_scripts/prepare_chexpert.py FOLDER"
    ),
    "nih": (
        "NIH ChestX-ray14: download Data_Entry_2017_v2020.csv and images_*.tar.gz from the NIH Clinical "
        "Center (https://nihcc.app.box.com/v/ChestXray-NIHCC; free use, name the NIH Clinical Center and "
        "cite Wang et al., CVPR 2017), then: python data_scripts/import_nih.py FOLDER TARGET"
    ),
    "chestmnist": (
        "ChestMNIST+: MedMNIST at https://zenodo.org/records/10519652, file chestmnist_64.npz (or _128, "
        "_224), CC BY 4.0, no login, fetched by: python data_scripts/fetch_chestmnist.py TARGET"
    ),
    "folder": (
        "Your own films: a folder of PNG, JPEG or DICOM files and a csv with a row per film, then: "
        "python data_scripts/import_folder.py FOLDER CSV TARGET"
    ),
}


@door(skip_bad=switch)
def read(csv, root=None, views="frontal", skip_bad=False):
    """Read a label table in CheXpert's format, plain or gzipped.

    csv: the table; root: the folder of the films, given if they are to be looked for (see `find_root`);
    views: "frontal", "lateral" or "all", by the table's own Frontal/Lateral column;
    skip_bad: leave bad rows out with a warning that lists them, instead of refusing the table.

    Returns a DataFrame indexed by the row number in the file (0 is the first row after the header): path
    (relative to the root), patient, study, view ("AP", "PA", "Lateral", in CheXpert 17 times "LL" or "RL"),
    sex, age (years, 0: unknown, 90: 90 or more), and a float column a finding: 1, 0, -1 or nan.
    Raises FileNotFoundError or ValueError that names the file, the row and what was expected.
    """
    _check("views", views, ("frontal", "lateral", "all"))
    if not isinstance(csv, str | Path):
        raise TypeError(f"csv is {told(csv)}: expected the path of a label table")
    table = _load(Path(csv).expanduser())
    if table.empty:
        raise ValueError(f"{csv} has no rows: expected one per film")
    where = _split_paths(table["Path"])
    numbers = table[["Age", *FINDINGS]].apply(pd.to_numeric, errors="coerce").astype(float)
    frame = pd.DataFrame(
        {
            "path": where.path,
            "patient": where.patient,
            "study": pd.to_numeric(where.study),
            "view": table["AP/PA"].fillna(table["Frontal/Lateral"]),
            "sex": table["Sex"].fillna("Unknown"),
            "age": numbers["Age"],
        }
    ).join(numbers[FINDINGS])
    bad = _bad_rows(table, frame, root)
    if len(bad):
        complain(f"{csv}: {len(bad)} of {len(table)} rows are bad", bad, skip_bad)
    keep = ~table.index.isin(bad.index)
    if views != "all":
        keep &= (table["Frontal/Lateral"] == views.capitalize()).to_numpy()
    return frame[keep].astype({"path": str, "patient": str, "study": int})


@door(root=file_name)
def find_root(root):
    """The folder that holds train/ or valid/: `root` itself or the archive's own folder inside it."""
    candidates = [Path(root).expanduser() / name for name in ROOTS]
    return next((c for c in candidates if (c / "train").is_dir() or (c / "valid").is_dir()), candidates[0])


def label_table(views="all"):
    """CheXpert's whole training label table (223,414 rows, 64,540 patients), with the columns of `read`.

    The package torchxrayvision carries it; it is found by path, because importing that package takes seconds.
    """
    spec = importlib.util.find_spec("torchxrayvision")
    if spec is None:
        raise ModuleNotFoundError("the label table is part of torchxrayvision: pip install torchxrayvision")
    return read(Path(spec.origin).parent / "data" / "chexpert_train.csv.gz", views=views)


def unlabelled(frame):
    """The findings that no row of a whole set says anything about: unknown there, not absent."""
    check_frame(frame, FINDINGS)
    return [finding for finding in FINDINGS if frame[finding].isna().all()]


def labels(frame, uncertain="ones", blank="zeros", unlabelled=()):
    """Turn the 14 label columns into training targets; nan means masked: the loss leaves it out.

    uncertain: -1 becomes 1 ("ones"), 0 ("zeros") or nan ("ignore"): U-Ones, U-Zeros, U-Ignore in the paper.
    blank: becomes 0 ("zeros") or nan ("ignore").
    unlabelled: findings that become nan throughout, whatever `blank` says; see the function of that name.
    Returns a float32 DataFrame with the index of `frame`.
    """
    check_frame(frame, FINDINGS)
    if isinstance(unlabelled, str) or not hasattr(unlabelled, "__iter__"):
        raise TypeError(f"unlabelled is {told(unlabelled)}: expected a list of findings")
    if strangers := [finding for finding in unlabelled if finding not in FINDINGS]:
        raise ValueError(f"unknown finding {strangers[0]!r}: choose among {', '.join(FINDINGS)}")
    _check("uncertain", uncertain, UNCERTAIN)
    _check("blank", blank, BLANK)
    for finding in FINDINGS:
        strange = frame[finding][~frame[finding].isin([1, 0, -1]) & frame[finding].notna()]
        if len(strange):
            raise ValueError(f"{finding} is {strange.tolist()[0]!r} in a row: expected 1, 0, -1 or blank")
    given = frame[FINDINGS].astype("float32")
    targets = given.mask(given == -1, UNCERTAIN[uncertain]).mask(given.isna(), BLANK[blank])
    return targets.assign(**dict.fromkeys(unlabelled, np.float32("nan")))


@door()
def split(frame, fractions=(0.90, 0.05, 0.05), seed=0):
    """Split the rows into {"train", "valid", "test"}; all films of a patient land in one part.

    A film of a patient in both train and test would let a network score by recognising the patient.
    Patients are taken in the order of a hash of (seed, patient), the same in every process, until a part
    holds its fraction of the rows. Raises ValueError for fractions that do not sum to 1 or too few patients.
    """
    check_frame(frame, ["patient"])
    if not isinstance(fractions, tuple | list):
        raise TypeError(f"fractions is {told(fractions)}: expected three numbers, for train, valid and test")
    for share in fractions:
        number()("a share of fractions", share)
    if len(fractions) != 3 or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"fractions {fractions}: expected three, for train, valid and test, that sum to 1")
    rows = _rows_by_patient(frame, seed)
    if len(rows) < 3:
        raise ValueError(f"{len(rows)} patients are too few to split into train, valid and test")
    test = min(_patients_needed(rows, fractions[2] * len(frame)), len(rows) - 2)  # leave some for the others
    valid = min(test + _patients_needed(rows[test:], fractions[1] * len(frame)), len(rows) - 1)
    parts = {"train": rows.index[valid:], "valid": rows.index[test:valid], "test": rows.index[:test]}
    return {name: frame[frame.patient.isin(patients)] for name, patients in parts.items()}


@door(percent=number(0, 100, above=0))
def regimen(frame, percent, seed=0):
    """About `percent` of the rows, by whole patients: the low-data regimens of the augmentation experiments.

    Nested: the rows at 1 % are among those at 10 %, these at 50 %, these at 100 % (all rows).
    """
    check_frame(frame, ["patient"])
    rows = _rows_by_patient(frame, seed)
    chosen = rows.index[: _patients_needed(rows, percent / 100 * len(frame))]
    return frame[frame.patient.isin(chosen)]


def complain(summary, bad, skip_bad):
    """Raise ValueError with the first bad rows, or, if they are to be skipped, warn and list them all.

    bad: Series of reasons indexed by row. Shared by the label tables, the image store and the importers.
    """
    shown = bad if skip_bad else bad.iloc[:SHOWN]
    lines = [f"  row {row}: {reason}" for row, reason in shown.items()]
    if skip_bad:
        warnings.warn("\n".join([f"{summary}; skipped:", *lines]), stacklevel=3)
        return
    more = [f"  ... and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
    advice = "Correct them or leave them out: skip_bad=True, --skip-bad of a script, SKIP_BAD=1 for notebooks"
    raise ValueError("\n".join([f"{summary}:", *lines, *more, advice]))


def _load(csv):
    """Read the csv file and check that it is a table with CheXpert's columns."""
    if csv.is_dir():
        raise FileNotFoundError(f"{csv} is a folder: expected a label table in it, such as train.csv")
    if not csv.is_file():
        raise FileNotFoundError(f"no label table at {csv}. {SOURCES['chexpert']}")
    table = artifacts.read_csv(csv, low_memory=False)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise ValueError(f"{csv} lacks the columns {missing}; CheXpert's are {COLUMNS}")
    if twice := [name for name in COLUMNS if f"{name}.1" in table.columns]:  # pandas renames the second
        raise ValueError(f"{csv} has two columns {twice[0]!r}: leave one of them out")
    return table


def _split_paths(paths):
    """Path, patient and study of each row, all missing where the path is not in the layout."""
    found = [LAYOUT.fullmatch(str(path).replace("\\", "/")) for path in paths.to_numpy()]
    parts = [match.groups() if match else (None, None, None) for match in found]
    return pd.DataFrame(parts, index=paths.index, columns=["path", "patient", "study"])


def _bad_rows(table, frame, root):
    """What is wrong with which row: a Series of reasons, indexed by row number; the first reason counts."""
    reason = pd.Series(pd.NA, index=table.index, dtype="object")

    def note(wrong, text):
        wrong = wrong & reason.isna()
        reason[wrong] = table["Path"][wrong].astype("string").fillna("(blank)") + text

    note(frame.path.isna(), " is not like train/patient00001/study1/view1_frontal.jpg")
    first = frame.patient.groupby(frame.patient.str.replace("patient0*", "", regex=True)).transform("first")
    note(
        frame.patient.notna() & (frame.patient != first),
        ": an earlier row writes this patient's number otherwise",
    )
    note(frame.path.duplicated(), " stands in an earlier row too")
    note(~table["Frontal/Lateral"].isin(["Frontal", "Lateral"]), ": Frontal/Lateral is neither")
    note(~table["Sex"].isin([*SEXES, np.nan]), f": Sex is not {', '.join(SEXES)} or blank")
    note(~table["AP/PA"].isin([*VIEWS, np.nan]), f": AP/PA is not {', '.join(VIEWS)} or blank")
    note(table["Age"].notna() & ~frame.age.between(0, 130), ": Age is not in 0 to 130 years")
    for finding in FINDINGS:
        wrong = table[finding].notna() & ~frame[finding].isin([1, 0, -1])
        note(wrong, f": {finding} is not 1, 0, -1 or blank, but " + table[finding][wrong].astype(str))
    if root is not None:
        folder = find_root(root)
        exists = [isinstance(p, str) and (folder / p).is_file() for p in frame.path]
        note(~pd.Series(exists, table.index), f" is not in {folder}")
    return reason.dropna()


def _rows_by_patient(frame, seed):
    """Number of rows of each patient, patients in the order of a hash of (seed, patient)."""
    if frame["patient"].isna().any():
        raise ValueError(f"{frame['patient'].isna().sum()} rows have no patient: expected one in every row")
    rows = frame.groupby("patient", sort=False).size()
    order = sorted(rows.index, key=lambda patient: hashlib.sha256(f"{seed} {patient}".encode()).digest())
    return rows[order]


def _patients_needed(rows, quota):
    """How many patients, taken in order, hold at least `quota` rows."""
    return 0 if quota <= 0 else 1 + int(np.searchsorted(rows.cumsum()[:-1], quota - 1e-6))


def check_frame(frame, columns):
    """Refuse what is not a table of films with these columns."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"expected a DataFrame as chexpert.read returns it, got a {type(frame).__name__}")
    if lacking := [column for column in columns if column not in frame]:
        raise ValueError(f"the table lacks the column {lacking[0]!r}: expected one as chexpert.read returns")
    if twice := [column for column in columns if list(frame.columns).count(column) > 1]:
        raise ValueError(f"the table has two columns {twice[0]!r}: leave one of them out")


def _check(name, value, allowed):
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name}={told(value)}: choose one of {', '.join(map(repr, allowed))}")


# --- boxes that radiologists drew --------------------------------------------------------------------

FARTHEST = 10  # shares: a box may lie outside the centred square; pixels would be larger
BOX_COLUMNS = ["path", "finding", "x", "y", "width", "height"]  # of boxes.csv


@door(root=file_name)
def read_boxes(root):
    """The boxes of a data set, from boxes.csv in its folder, or None where there is none.

    One row per box: path (as in the table of the films), finding (CheXpert's name), x and y of the upper left
    corner, width and height. Lengths are shares of the side of the film's largest centred square, which is
    what `images.decode` keeps. Raises ValueError that names the file and the row.
    """
    file = find_root(root) / "boxes.csv"
    if not file.is_file():
        return None
    table = artifacts.read_csv(file)
    missing = [name for name in BOX_COLUMNS if name not in table]
    if missing:
        raise ValueError(f"{file} lacks the columns {missing}: expected {', '.join(BOX_COLUMNS)}")
    shares = table[BOX_COLUMNS[2:]].apply(pd.to_numeric, errors="coerce")
    good = shares.notna().all(axis=1) & (shares[["width", "height"]] > 0).all(axis=1)
    good &= ~table["path"].astype("string").fillna("").str.match(r"\s*$|/")
    good &= table["finding"].isin(FINDINGS) & (shares.abs() <= FARTHEST).all(axis=1)
    if not good.all():
        row = int(np.argmin(good))
        found = table.loc[row].to_dict()
        raise ValueError(f"{file}, row {row}: expected a finding and four shares of the side, found {found}")
    return table[BOX_COLUMNS].assign(**shares)


@door(size=whole(1, 4096))
def box_masks(boxes, paths, size):
    """Masks (len(paths), size, size) bool of films: every pixel whose centre lies in one of a film's boxes.

    boxes: rows of `read`, of one finding; paths: the films. A film without a box has an empty mask, as
    has one whose boxes lie outside the centred square.
    """
    check_frame(boxes, ["path", *BOX_COLUMNS[2:]])
    if isinstance(paths, str | pd.DataFrame) or not hasattr(paths, "__iter__"):
        raise TypeError(f"paths is a {type(paths).__name__}: expected a list of paths")
    paths, shares = [str(path) for path in paths], boxes[BOX_COLUMNS[2:]]
    numbers()("boxes", shares)
    if not (shares.abs() <= FARTHEST).all(axis=None) or (shares[["width", "height"]] <= 0).any(axis=None):
        raise ValueError(
            "boxes are blank or reach far out of the film: expected shares of its side, not pixels"
        )
    centre = (np.arange(size) + 0.5) / size
    inside = np.zeros((len(paths), size, size), bool)
    for path, part in boxes.groupby("path"):
        across = (centre >= part[["x"]].to_numpy()) & (centre < (part.x + part.width).to_numpy()[:, None])
        down = (centre >= part[["y"]].to_numpy()) & (centre < (part.y + part.height).to_numpy()[:, None])
        inside[np.asarray(paths) == path] = (down[:, :, None] & across[:, None, :]).any(0)
    return inside
