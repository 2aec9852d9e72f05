"""Boxes that radiologists drew around findings, where a data set has them (NIH ChestX-ray14 on some films).

    drawn = boxes.read(root)                                   # a table, or None
    outlines = boxes.masks(drawn[drawn.finding == "Lung Lesion"], films.frame.path, 64)
"""

import numpy as np
import pandas as pd

from . import chexpert

COLUMNS = ["path", "finding", "x", "y", "width", "height"]  # of boxes.csv


def read(root):
    """The boxes of a data set, from boxes.csv in its folder, or None where there is none.

    One row a box: path (as in the table of the films), finding (CheXpert's name), x and y of the upper left
    corner, width and height. Lengths are shares of the side of the film's largest centred square, which is
    what `images.decode` keeps. Raises ValueError that names the file and the row.
    """
    file = chexpert.find_root(root) / "boxes.csv"
    if not file.is_file():
        return None
    table = pd.read_csv(file)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise ValueError(f"{file} lacks the columns {missing}: expected {', '.join(COLUMNS)}")
    shares = table[COLUMNS[2:]].apply(pd.to_numeric, errors="coerce")
    good = shares.notna().all(axis=1) & (shares[["width", "height"]] > 0).all(axis=1)
    good &= table["finding"].isin(chexpert.FINDINGS)
    if not good.all():
        row = int(np.argmin(good))
        found = table.loc[row].to_dict()
        raise ValueError(f"{file}, row {row}: expected a finding and four numbers, found {found}")
    return table[COLUMNS].assign(**shares)


def masks(boxes, paths, size):
    """Masks (len(paths), size, size) bool of films: every pixel whose centre lies in one of a film's boxes.

    boxes: rows of `read`, of one finding; paths: the films. A film without a box has an empty mask, as
    has one whose boxes lie outside the centred square.
    """
    centre = (np.arange(size) + 0.5) / size
    inside = np.zeros((len(paths), size, size), bool)
    for path, part in boxes.groupby("path"):
        across = (centre >= part[["x"]].to_numpy()) & (centre < (part.x + part.width).to_numpy()[:, None])
        down = (centre >= part[["y"]].to_numpy()) & (centre < (part.y + part.height).to_numpy()[:, None])
        inside[np.asarray(paths) == path] = (down[:, :, None] & across[:, None, :]).any(0)
    return inside
