"""Plots of chapter 4: scans before and after, side by side at one scale. Same style as `figures`."""

import numpy as np

from ..checks import door, each, holding, numbers, table, told, whole
from .basics import COLOURS, canvas, show
from .film import circle, draw_film, films
from .lightbox import SCALE, draw_scale, lightbox
from .lines import draw_intervals

NETWORKS = ("unet", "pix2pix")  # drawn in orange beside the conventional methods
CIRCLE = 0.1  # radius of a circle, of a picture's side
ERROR_LIMIT = 0.3  # grey values; all error maps of a figure share it, so that they can be compared


def _same(pictures):
    """Refuse {name: picture} that are no pictures (h, w), or not all of one size."""
    for name, picture in pictures.items():
        numbers()(name, picture.detach().cpu() if hasattr(picture, "detach") else picture)
        if _plain(picture).ndim != 2:
            raise ValueError(f"{name} is {told(picture)}: expected a picture (h, w) or (1, h, w)")
    if len(found := {_plain(picture).shape for picture in pictures.values()}) > 1:
        raise ValueError(f"{', '.join(map(str, pictures))} are {sorted(found)}: expected one size")


def _restored(name, row):
    holding("clean", "degraded")(name, row)
    _same(row)


def _pictures(name, value):
    holding()(name, value)
    _same(value)


@door(pictures=_pictures, columns=whole())
def gallery(pictures, alt, columns=6):
    """Named pictures: {title: (h, w) array or tensor (1, h, w) in [0, 1]}."""
    films(np.stack([_plain(picture) for picture in pictures.values()]), list(pictures), columns, alt)


@door(rows=each(_restored), circles=each(numbers(known=True)))
def before_and_after(rows, alt, circles=None):
    """Clean, degraded, restored; below each but the first its error, all errors at the same scale.

    rows: {name: {"clean": image, "degraded": image, method: image, ...}}, images (1, h, w) in [0, 1].
    circles: {name: (row, column)}, the place of which a row speaks.
    """
    count, side = max(map(len, rows.values())), max(row["clean"].shape[-1] for row in rows.values())
    names = [name for row in rows for name in (row, "")]
    heads = {2 * k: list(row) for k, row in enumerate(rows.values())}
    heads |= {
        2 * k + 1: ["", *(f"error of {title}" for title in list(row)[1:])]
        for k, row in enumerate(rows.values())
    }
    fig, axes = lightbox(names, side, count, heads, right=SCALE)
    for line, errors, (name, row) in zip(axes[::2], axes[1::2], rows.items(), strict=True):
        clean = _plain(row["clean"])
        for axis in [*line[: len(row)], *errors[1 : len(row)]] if name in (circles or {}) else []:
            circle(axis, circles[name], side * CIRCLE)
        for axis, below, image in zip(line, errors, map(_plain, row.values()), strict=False):
            draw_film(axis, image)
            if below is not errors[0]:
                drawn = below.imshow(image - clean, "RdBu", vmin=-ERROR_LIMIT, vmax=ERROR_LIMIT,
                                     interpolation="nearest", aspect="auto")  # fmt: skip
        draw_scale(fig, errors[-1], drawn, "too low / too high")
    show(fig, alt)


@door(table=table("PSNR (dB)", "SSIM"))
def method_scores(table, alt):
    """Points with intervals, one panel a measure: columns (measure, value | low | high)."""
    fig, axes = canvas(1, 2, (10, 0.5 + 0.27 * len(table)), sharey=True)
    for axis, unit in zip(axes, ("PSNR (dB)", "SSIM"), strict=True):
        draw_intervals(axis, table[unit], unit, [name for name in table.index if name.startswith(NETWORKS)])
    show(fig, alt)


def _point(name, value):
    if np.shape(value) not in ((2,), (4,)):
        raise TypeError(f"{name}: expected (x, y) or (x, y, low, high)")
    numbers()(name, value)


@door(points=each(_point))
def trade_off(points, alt):
    """Methods in the plane of distortion and perception, {name: (x, y) or (x, y, low, high)}, low to high the
    interval of y; nearer 0 is better in both. With intervals y starts at 0: differences in proportion."""
    fig, axis = canvas(size=(6, 3.6))
    for k, (name, (x, y, *interval)) in enumerate(points.items()):
        low, high = interval or (y, y)
        marker = {"color": COLOURS[k % len(COLOURS)], "fmt": "osD^vP*X"[k % 8], "ms": 7}
        axis.errorbar(x, y, yerr=[[max(0, y - low)], [max(0, high - y)]], capsize=3, **marker)
        axis.annotate(name, (x, y), xytext=(8, 4), textcoords="offset points", fontsize=9)
    axis.set(xlabel="distortion: mean squared error x 1000", ylabel="unlikeness: KID x 1000")
    axis.margins(0.15)
    if lows := [point[2] for point in points.values() if len(point) == 4]:
        axis.set_ylim(bottom=min(0, *lows))
    show(fig, alt)


def _plain(image):
    return np.asarray(image.detach().cpu() if hasattr(image, "detach") else image, float).squeeze()
