"""Plots of chapter 4: scans before and after, side by side at one scale. Same style as `figures`."""

import numpy as np

from .film import draw_film, films, name_row
from .lines import draw_intervals
from .paper import COLOURS, canvas, show

NETWORKS = ("unet", "pix2pix")  # drawn in orange beside the conventional methods
ERROR_LIMIT = 0.3  # grey values; all error maps of a figure share it, so that they can be compared


def gallery(pictures, alt, columns=6, inch=1.7):
    """Named pictures: {title: (h, w) array or tensor (1, h, w) in [0, 1]}."""
    films(np.stack([_plain(picture) for picture in pictures.values()]), list(pictures), columns, alt, inch)


def before_and_after(rows, alt):
    """Clean, degraded, restored, and the error of each restoration at the same scale.

    rows: {name: {"clean": image, "degraded": image, method: image, ...}}, images (1, h, w) in [0, 1].
    """
    count = max(len(row) for row in rows.values())
    columns = 2 * count - 1
    fig, axes = canvas(len(rows), columns, (columns * 1.55, len(rows) * 1.75), squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        clean = _plain(row["clean"])
        for axis, (title, image) in zip(line, row.items(), strict=False):
            draw_film(axis, _plain(image), title)
        for axis, (title, image) in zip(line[len(row) :], list(row.items())[1:], strict=False):
            error, limits = _plain(image) - clean, {"vmin": -ERROR_LIMIT, "vmax": ERROR_LIMIT}
            drawn = axis.imshow(error, cmap="RdBu", interpolation="nearest", **limits)
            axis.set_title(f"error of\n{title}", fontsize=9, loc="center", pad=7)
            axis.set_axis_off()
        name_row(line[0], name)
    fig.colorbar(drawn, ax=axes[:, -1], shrink=0.8, label="grey value too low / too high")
    show(fig, alt)


def method_scores(table, alt):
    """Points with intervals, one panel a measure: columns (measure, value | low | high)."""
    fig, axes = canvas(1, 2, (10, 0.5 + 0.27 * len(table)), sharey=True)
    for axis, unit in zip(axes, ("PSNR (dB)", "SSIM"), strict=True):
        draw_intervals(axis, table[unit], unit, [name for name in table.index if name.startswith(NETWORKS)])
    show(fig, alt)


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
