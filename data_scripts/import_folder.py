"""Bring your own films (PNG, JPEG, TIFF or DICOM, 8 or 16 bit) and a csv into the CheXpert layout.

The csv has a row per film with the columns
  file      the film, relative to FOLDER (also called path, image or filename)
  patient   any text; films of one patient are kept on one side of every split
and, where known, sex, age, view (AP, PA or Lateral), study (a whole number), split (train or valid) and a
column a finding under CheXpert's names: 1 positive, 0 negative, -1 uncertain, blank not known.
Column names may be in any case; --rename gives your names theirs.

  python data_scripts/import_folder.py films films/labels.csv build/own --rename Effusion="Pleural Effusion"

The films must be free of names: what is burnt into the pixels is NOT removed. DICOM headers are not kept.
"""

import argparse
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from lib import layout

from medgan_helpers import chexpert

SYNONYMS = {
    "file": ("file", "path", "image", "filename"),
    "patient": ("patient",),
    "sex": ("sex", "gender"),
    "age": ("age",),
    "view": ("view", "ap/pa"),
    "lateral": ("frontal/lateral",),  # CheXpert's own second column of views
    "study": ("study",),
    "split": ("split",),
}
VIEWS = {"ap": "AP", "pa": "PA", "lateral": "Lateral", "l": "Lateral", "ll": "Lateral", "rl": "Lateral"}
SEXES = {"m": "Male", "male": "Male", "f": "Female", "female": "Female"}
SEXES |= dict.fromkeys(("", "u", "unknown", "o", "other", "d", "x"), "")


def main():
    """Read the command line and the csv, check every row, write the films."""
    options = command_line().parse_args()
    table = read_table(options)
    films, bad = [], {}
    numbers = patient_numbers(table, options)
    for row, record in enumerate(table.to_dict("records")):
        try:
            films.append(to_film(row, record, numbers[row], options.folder))
        except (ValueError, OSError) as error:
            bad[row] = str(error)
    layout.settle(options.csv, bad, len(table), options.skip_bad)
    layout.write(number_views(films), options.target, "folder", options)


def command_line():
    parser = layout.arguments(__doc__)
    parser.add_argument("folder", help="the folder of the films")
    parser.add_argument("csv", help="the table, a row per film")
    parser.add_argument("target", help="a new folder to write")
    parser.add_argument(
        "--rename", nargs="+", action="extend", default=[], metavar="YOURS=THEIRS",
        help="your column=the expected one",
    )  # fmt: skip
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--one-patient-a-file", action="store_true", help="no patient is known: every film its own (see book)"
    )
    who.add_argument(
        "--patient-pattern", metavar="REGEX", type=pattern, help="what in a file's path is the patient"
    )
    return parser


def pattern(text):
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error


def read_table(options):
    """The csv with the expected column names; raises ValueError where the required ones are missing."""
    if not Path(options.folder).is_dir():
        raise FileNotFoundError(f"no folder of films at {options.folder}. {chexpert.SOURCES['folder']}")
    if not Path(options.csv).is_file():
        raise FileNotFoundError(f"no table at {options.csv}: write one with a row per film, see --help")
    table = layout.read_csv(options.csv)
    expected = {name.lower(): name for name in chexpert.FINDINGS}
    expected |= {synonym: name for name, synonyms in SYNONYMS.items() for synonym in synonyms}
    renamed = renames(options, list(table.columns), expected)
    names = [renamed.get(name, name) for name in table.columns]
    for name, theirs in zip(table.columns, names, strict=True):
        second = f"{name}.1"  # what pandas calls it
        if theirs.strip().lower() in expected and second in table.columns and second not in renamed:
            raise ValueError(f"{options.csv} has two columns {name!r}: leave one of them out")
    table.columns = [expected.get(name.strip().lower(), name) for name in names]
    if table.columns.duplicated().any():
        twice = table.columns[table.columns.duplicated()][0]
        raise ValueError(f"{options.csv} has two columns for {twice!r}")
    if "file" not in table:
        raise ValueError(f"{options.csv} has no column 'file', only {names}; --rename YOURS=file")
    if not set(table.columns) & set(chexpert.FINDINGS):
        raise ValueError(f"{options.csv} has none of {chexpert.FINDINGS}, only {names}; see --rename")
    return table


def renames(options, columns, expected):
    """{your column: the expected one} of --rename; raises ValueError on a pair that would do nothing."""
    pairs = {}
    for pair in options.rename:
        yours, equals, theirs = pair.partition("=")
        if not equals:
            raise ValueError(f'--rename {pair!r}: expected YOURS=THEIRS, as in Effusion="Pleural Effusion"')
        if yours not in columns:
            raise ValueError(f"--rename {pair!r}: {options.csv} has no column {yours!r}, only {columns}")
        if theirs.strip().lower() not in expected:
            raise ValueError(
                f"--rename {pair!r}: {theirs!r} is no column of the course ({options.csv}); choose one of "
                + ", ".join([*SYNONYMS, *chexpert.FINDINGS])
            )
        pairs[yours] = theirs
    return pairs


ALONE = "Every film counts as a patient of its own: if that is untrue, scores will look too good"


def patient_numbers(table, options):
    """A number per patient, by the sorted names, the same on every run."""
    if options.one_patient_a_file:
        print(ALONE)
        return list(range(1, len(table) + 1))
    if options.patient_pattern:
        found = [options.patient_pattern.search(file) for file in table["file"]]
        if None in found:
            raise ValueError(f"--patient-pattern finds no patient in {table['file'][found.index(None)]!r}")
        names = [match.group() for match in found]
        if "" in names:
            raise ValueError(f"--patient-pattern finds an empty text in {table['file'][names.index('')]!r}")
    elif "patient" in table:
        names = list(table["patient"].str.strip())
    else:
        raise ValueError(
            f"{options.csv} has no column 'patient': a patient's films must not be in both train and test. "
            "Add the column, or choose --patient-pattern REGEX or --one-patient-a-file"
        )
    if len(set(names)) == len(names):
        print(ALONE)
    number = {name: n for n, name in enumerate(sorted(set(names)), start=1)}
    return [number[name] if name else None for name in names]


def to_film(row, record, patient, folder):
    """Check one row of the table; raises ValueError or OSError that says what is wrong with it."""
    if patient is None:
        raise ValueError(f"{record['file']}: the patient is blank")
    path = layout.inside(folder, record["file"])
    given = {name: record.get(name, "").strip() for name in SYNONYMS}
    if given["sex"].lower() not in SEXES:
        raise ValueError(f"{record['file']}: sex {given['sex']!r}, expected M, F, unknown or blank")
    view = VIEWS.get(given["view"].lower(), "")
    if given["view"] and not view:
        raise ValueError(f"{record['file']}: view {given['view']!r}, expected AP, PA or Lateral")
    if given["lateral"].lower() not in ("", "frontal", "lateral"):
        raise ValueError(
            f"{record['file']}: Frontal/Lateral {given['lateral']!r}, expected Frontal, Lateral or blank"
        )
    return layout.Film(
        row=row,
        source=str(path),
        patient=patient,
        study=int(number(given["study"], "study", 1, 99999, whole=True) or 1),
        pixels=partial(layout.grey, path),
        labels={finding: label(record.get(finding, ""), finding) for finding in chexpert.FINDINGS},
        view="Lateral" if given["lateral"].lower() == "lateral" else view,
        sex=SEXES[given["sex"].lower()],
        age=number(given["age"], "age", 0, 130),
        part=part(given["split"]),
    )


def number(text, name, low, high, whole=False):
    """A number in its range, or None for a blank."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high or (whole and value % 1):
        kind = "a whole number, " if whole else ""
        raise ValueError(f"{name} {text!r}, expected {kind}{low} to {high} or blank")
    return value


def label(text, finding):
    value = number(text.strip(), finding, -1, 1)
    if value not in (1, 0, -1, None):
        raise ValueError(f"{finding} {text!r}, expected 1, 0, -1 or blank")
    return value


def part(text):
    parts = {"": "train", "train": "train", "valid": "valid", "val": "valid", "test": "valid"}
    if text.lower() not in parts:
        raise ValueError(f"split {text!r}, expected train or valid")
    return parts[text.lower()]


def number_views(films):
    """Films of one study become view1, view2, ... in the table's order."""
    seen, numbered = {}, []
    for film in films:
        study = (film.part, film.patient, film.study)
        seen[study] = seen.get(study, 0) + 1
        numbered.append(replace(film, number=seen[study]))
    return numbered


if __name__ == "__main__":
    layout.run(main)
