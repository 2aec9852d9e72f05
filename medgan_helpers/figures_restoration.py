"""Plots of chapter 4: scans before and after, side by side at one scale. Same style as `figures`."""

import numpy as np

from .figures import COLOURS, canvas, grey, show

ERROR_LIMIT = 0.3  # grey values; all error maps of a figure share it, so that they can be compared


def gallery(pictures, alt, columns=6, inch=1.7):
    """Named pictures: {title: (h, w) array or tensor (1, h, w) in [0, 1]}."""
    rows = -(-len(pictures) // columns)
    fig, axes = canvas(rows, columns, (columns * inch, rows * (inch + 0.25)), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (title, picture) in zip(axes.flat, pictures.items(), strict=False):
        _unit(axis, picture, title)
    show(fig, alt)


def before_and_after(rows, alt, inch=1.55):
    """Clean, degraded, restored, and the error of each restoration at the same scale.

    rows: {name: {"clean": image, "degraded": image, method: image, ...}}, images (1, h, w) in [0, 1].
    """
    count = max(len(row) for row in rows.values())
    columns = 2 * count - 1
    fig, axes = canvas(len(rows), columns, (columns * inch, len(rows) * (inch + 0.2)), squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        clean = _plain(row["clean"])
        for axis, (title, image) in zip(line, row.items(), strict=False):
            _unit(axis, image, title)
        for axis, (title, image) in zip(line[len(row) :], list(row.items())[1:], strict=False):
            error, limits = _plain(image) - clean, {"vmin": -ERROR_LIMIT, "vmax": ERROR_LIMIT}
            drawn = axis.imshow(error, cmap="RdBu", interpolation="nearest", **limits)
            axis.set_title(f"error of\n{title}", fontsize=8, loc="center")
            axis.set_axis_off()
        line[0].text(-0.1, 0.5, name, transform=line[0].transAxes, ha="right", va="center", fontsize=10)
    fig.colorbar(drawn, ax=axes[:, -1], shrink=0.8, label="grey value too low / too high")
    show(fig, alt)


def method_scores(table, alt, units=("PSNR (dB)", "SSIM")):
    """Points with intervals, one panel a measure: columns (measure, value | low | high)."""
    fig, axes = canvas(1, len(units), (10, 0.5 + 0.27 * len(table)), sharey=True)
    place = np.arange(len(table))[::-1]
    for axis, unit in zip(axes, units, strict=True):
        part = table[unit]
        for y, (name, row) in zip(place, part.iterrows(), strict=True):
            colour = COLOURS[1] if name.startswith("pix2pix") else COLOURS[0]
            spread = [[row.value - row.low], [row.high - row.value]]
            axis.errorbar(row.value, y, xerr=spread, fmt="o", color=colour, capsize=3)
        axis.set_xlabel(unit)
    axes[0].set_yticks(place, table.index)
    show(fig, alt)


def trade_off(points, alt, axes_names=("distortion: mean squared error x 1000", "unlikeness: KID x 1000")):
    """Methods in the plane of distortion and perception, {name: (x, y)}; nearer 0 is better in both."""
    fig, axis = canvas(size=(6, 3.6))
    for k, (name, (x, y)) in enumerate(points.items()):
        axis.scatter(x, y, color=COLOURS[k % len(COLOURS)], s=50, marker="osD^vP*X"[k % 8], zorder=3)
        axis.annotate(name, (x, y), xytext=(6, 4), textcoords="offset points", fontsize=9)
    axis.set_xlabel(axes_names[0])
    axis.set_ylabel(axes_names[1])
    axis.margins(0.15)
    show(fig, alt)


def _plain(image):
    return np.asarray(image.detach().cpu() if hasattr(image, "detach") else image, float).squeeze()


def _unit(axis, image, title):
    axis.imshow(grey(_plain(image)[None])[0], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set_title(title, fontsize=8, loc="center")
    axis.set_axis_off()
