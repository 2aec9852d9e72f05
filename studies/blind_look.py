"""Does somebody who knows no film's label name what the robust StarGAN drew? Sheets, and their answers.

    python studies/blind_look.py draw build/blind                 # the sheets, 24 films each, numbered
    python studies/blind_look.py note answers.csv --reader "a radiologist, 12 years of chest films"

Films of the shipped network's findings, made and true, and healthy films, in random order; every film is of
another simulated patient, upright (PA). The reader is told the network's findings and how a radiologist sees
them, not how many there are of each, and writes a csv with the columns film and finding (or none).
`note` adds one row per film to book/results/blind_look.csv: reader, network (the first digits of its hash),
film, kind (made, true, healthy), finding, answer. Chapter 5 counts. Readings of a network that is no longer
shipped are left out. An earlier deck, in which a patient stood on several films, is not counted.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageDraw

from medgan_helpers import artifacts, images, stargan_robust, training
from medgan_helpers import stargan_trial as trial

OUT = Path(__file__).resolve().parents[1] / "book" / "results" / "blind_look.csv"
EACH, HEALTHY, SEED, SIZE = 10, 16, 9300, 64  # films of a finding made, and as many true; healthy ones
COLUMNS = ["reader", "network", "film", "kind", "finding", "answer"]
ENLARGED, ACROSS, DOWN, HEAD, GAP = 4, 6, 4, 20, 6  # of a sheet; pixels


def deck():
    """The films in the order of their numbers: (n, 64, 64) uint8, and a table of kind and finding."""
    network = training.load(stargan_robust.RobustStarGAN, artifacts.ASSETS / "stargan_robust")
    findings = trial.shipped_card()["findings"]
    films, rows = [], []

    def add(batch, kind, finding):
        films.append(images.grey_films(batch))
        rows.extend({"kind": kind, "finding": finding} for _ in batch)

    for number, finding in enumerate(findings):
        own, other = (trial.twins(finding, EACH, SIZE, SEED + 2 * number + k, views=("PA",)) for k in (0, 1))
        add(network.translate(own.healthy, trial.wish(finding, findings, EACH), SEED), "made", finding)
        add(other.ill, "true", finding)
    add(trial.twins(findings[0], HEALTHY, SIZE, SEED + 99, views=("PA",)).healthy, "healthy", "none")
    order = np.random.default_rng(SEED).permutation(len(rows))
    return np.concatenate(films)[order], pd.DataFrame(rows).iloc[order].reset_index(drop=True)


def draw(folder):
    """Write the sheets; nothing in them or in their names tells what a film is."""
    folder.mkdir(parents=True, exist_ok=True)
    films, side = deck()[0], SIZE * ENLARGED
    for first in range(0, len(films), ACROSS * DOWN):
        size = (ACROSS * (side + GAP), DOWN * (side + HEAD))
        sheet = Image.new("L", size, 24)
        for place, film in enumerate(films[first : first + ACROSS * DOWN]):
            x, y = place % ACROSS * (side + GAP), place // ACROSS * (side + HEAD)
            sheet.paste(Image.fromarray(film).resize((side, side), Image.Resampling.BICUBIC), (x, y + HEAD))
            ImageDraw.Draw(sheet).text((x + 4, y + 4), f"film {first + place + 1}", fill=255)
        with artifacts.atomic(folder / f"sheet-{first // (ACROSS * DOWN) + 1}.png") as temporary:
            sheet.save(temporary, "png")
    print(f"{len(films)} films are in {folder}")


def note(answers, reader):
    """Add a reader's answers to the table; raises ValueError where a film lacks one, or a name is unknown."""
    given = artifacts.read_csv(answers, keep_default_na=False)  # None is an answer, no blank
    if lacking := {"film", "finding"} - {*given}:
        raise ValueError(f"{answers} has no column {min(lacking)!r}: expected film and finding, with commas")
    key = deck()[1]
    known = {*key["finding"]}
    if sorted(given["film"]) != list(range(1, len(key) + 1)):
        raise ValueError(f"{answers}: expected the films 1 to {len(key)}, once each")
    given["finding"] = given["finding"].replace("None", "none")
    if strangers := {*given["finding"]} - known:
        raise ValueError(f"{answers}: {strangers.pop()!r} is none of {', '.join(sorted(known))}")
    said = given.sort_values("film")["finding"].to_numpy()
    rows = key.assign(film=key.index + 1, reader=reader, answer=said)
    rows["network"] = trial.shipped_card()["sha256"][:12]
    before = pd.read_csv(OUT) if OUT.exists() else rows[:0]
    before = before[before["network"] == rows["network"][0]]
    if reader in {*before["reader"]}:
        raise ValueError(f"{OUT} holds answers of {reader!r} already: remove them first")
    table = pd.concat([before, rows])[COLUMNS]
    artifacts.write_csv(OUT, table)
    print(trial.blind_look(table))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("draw", "note"))
    parser.add_argument("path", type=Path, help="the folder of the sheets, or the csv of the answers")
    parser.add_argument("--reader", help="who looked, in words; needed by note")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.what == "draw":
        if options.path.exists() and not options.path.is_dir():
            parser.error(f"{options.path} is a file: expected a folder for the sheets")
        draw(options.path)
    elif not options.reader or not options.path.is_file():
        parser.error("note needs --reader, and the csv of the answers")
    else:
        try:
            note(options.path, options.reader)
        except ValueError as error:
            parser.error(str(error))


if __name__ == "__main__":
    main()
