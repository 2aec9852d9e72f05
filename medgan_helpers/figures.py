"""Every plot of the course: colour-blind-safe, with words for readers who cannot see it.

Each function draws one figure and shows it with `show`, which attaches the alternative text to the
picture itself; Jupyter keeps it with the output and the book hands it to the browser. Films are drawn in
plain grey on their full range and never smoothed: a pixel on the page is a pixel of the film.
"""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from IPython.display import display

from . import chexpert

COLOURS = sns.color_palette("colorblind")  # Okabe-Ito-like: distinguishable with any colour vision
VALUES = {  # the four states of a CheXpert label, in drawing order
    "positive (1)": COLOURS[3],
    "uncertain (-1)": COLOURS[1],
    "negative (0)": COLOURS[0],
    "not mentioned (blank)": (0.85, 0.85, 0.85),
}
LINES = ("-", "--", ":", "-.")
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.facecolor": "white",  # opaque, so that dark mode finds black ink on white paper
    "figure.constrained_layout.use": True,
}


def show(fig, alt):
    """Display `fig` as a PNG that carries `alt`, the sentence a screen reader says instead."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=110)
    plt.close(fig)
    png = base64.b64encode(buffer.getvalue()).decode()
    display({"image/png": png, "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})


def canvas(rows=1, columns=1, size=(8, 4), **options):
    """A figure and its axes in the course's style; `size` in inches."""
    with plt.rc_context(STYLE):
        return plt.subplots(rows, columns, figsize=size, **options)


def grey(images):
    """Films as (n, h, w) float arrays in [0, 1]: from uint8, or from tensors (n, 1, h, w) in [-1, 1]."""
    if isinstance(images, torch.Tensor):
        images = (images.detach().float().cpu().numpy() + 1) / 2
    images = np.asarray(images)
    images = images / 255 if images.dtype == np.uint8 else images
    return np.clip(images.reshape(-1, *images.shape[-2:]), 0, 1)


def draw_film(axis, image, title=""):
    """One film (h, w) in [0, 1] on `axis`, without ticks."""
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set_title(title, fontsize=9, loc="center", pad=7)  # points: clear of the film below
    axis.set_axis_off()


def films(images, titles=None, columns=8, alt="Chest films", inch=1.25):
    """A wall of films, `columns` a row."""
    images = grey(images)
    titles = [""] * len(images) if titles is None else list(titles)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    lines = max(title.count("\n") + bool(title) for title in titles)
    size = columns * inch, rows * (inch + 0.16 * lines + 0.1 * bool(lines))
    # "compressed" knows that films stay square; the usual layout lets the paper's edge cut the titles.
    fig, axes = canvas(rows, columns, size, squeeze=False, layout="compressed")
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        draw_film(axis, image, title)
    show(fig, alt)


def film_rows(rows, alt, inch=1.25, titles=None):
    """Rows of films, each with a name at its left: {name: images}. titles: {name: one a film}, above them."""
    rows, titles = {name: grey(images) for name, images in rows.items()}, titles or {}
    columns, height = max(map(len, rows.values())), inch + 0.3 * bool(titles)
    fig, axes = canvas(len(rows), columns, (columns * inch + 1.3, len(rows) * height), squeeze=False)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for axis in line:
            axis.set_axis_off()
        for axis, image, title in zip(line, images, titles.get(name, [""] * len(images)), strict=False):
            draw_film(axis, image, title)
        name_row(line[0], name)
    show(fig, alt)


def name_row(axis, name):
    """Write a row's name at the left of its first film."""
    axis.text(-0.1, 0.5, name, transform=axis.transAxes, ha="right", va="center", fontsize=9)


def twins(rows, alt):
    """Films beside their finding-free twins: what differs, and the outline of the mask.

    rows: {finding: (film, twin, mask)}, film and twin as in `grey`, mask (h, w) bool.
    """
    fig, axes = canvas(len(rows), 4, (9.8, 2.2 * len(rows) + 0.2), squeeze=False)
    for line, (finding, (film, twin, mask)) in zip(axes, rows.items(), strict=True):
        film, twin = grey(film)[0], grey(twin)[0]
        draw_film(line[0], film, f"with {finding}")
        draw_film(line[1], twin, "its twin without")
        _draw_difference(fig, line[2], film - twin)
        draw_film(line[3], film, "where it is (mask)")
        if mask.any():
            line[3].contour(mask, levels=[0.5], colors=[COLOURS[1]], linewidths=1.5)
    show(fig, alt)


def _draw_difference(fig, axis, difference):
    """A signed difference in a diverging map, symmetric about 0, with its scale."""
    reach = max(float(np.abs(difference).max()), 1e-3)
    picture = axis.imshow(difference, cmap="PuOr_r", vmin=-reach, vmax=reach, interpolation="nearest")
    axis.set_title("film minus twin", fontsize=9, loc="center")
    axis.set_axis_off()
    fig.colorbar(picture, ax=axis, shrink=0.7, label="grey value, 0 to 1")


def overview(frame, alt="Views, sex and age of the films"):
    """Views, sex and age of a table of films."""
    fig, axes = canvas(1, 3, (10, 2.8), width_ratios=[1, 1, 2])
    for axis, column, title in ((axes[0], "view", "view"), (axes[1], "sex", "sex")):
        counts = frame[column].value_counts().iloc[:4]
        axis.bar(counts.index.astype(str), counts.to_numpy(), color=COLOURS[0])
        axis.set_title(f"films by {title}")
    ages = frame.loc[frame.age > 0, "age"]
    axes[2].hist(ages, bins=np.arange(0, 95, 5), color=COLOURS[0], edgecolor="white")
    axes[2].set_title("films by age in years")
    show(fig, alt)


def value_counts(frame):
    """Share of each label value by finding: DataFrame (14, 4), rows sorted by the share of positives."""
    values = frame[list(chexpert.FINDINGS)]
    parts = {
        "positive (1)": values.eq(1).mean(),
        "uncertain (-1)": values.eq(-1).mean(),
        "negative (0)": values.eq(0).mean(),
        "not mentioned (blank)": values.isna().mean(),
    }
    import pandas as pd

    return pd.DataFrame(parts).sort_values("positive (1)")


def label_values(frame, alt):
    """What the 14 labels hold: positive, uncertain, negative, blank, as shares of the films."""
    shares = value_counts(frame) * 100
    fig, axis = canvas(size=(9, 4.6))
    left = np.zeros(len(shares))
    for name, colour in VALUES.items():
        axis.barh(shares.index, shares[name], left=left, color=colour, label=name, edgecolor="white", lw=0.4)
        left += shares[name].to_numpy()
    axis.set_xlabel("% of the films")
    axis.set_xlim(0, 100)
    axis.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False, fontsize=9)
    show(fig, alt)


def bars(table, unit, alt, size=(9, 4.2)):
    """Grouped horizontal bars: one group a row of `table`, one colour a column."""
    fig, axis = canvas(size=size)
    place, thick = np.arange(len(table))[::-1], 0.8 / table.shape[1]
    for k, column in enumerate(table):
        axis.barh(place - (k - (table.shape[1] - 1) / 2) * thick, table[column], thick,
                  color=COLOURS[k], label=column)  # fmt: skip
    axis.set_yticks(place, table.index)
    axis.set_xlabel(unit)
    if table.shape[1] > 1:
        axis.legend(frameon=False)
    show(fig, alt)


def heat_map(table, unit, alt):
    """A square table of numbers as colours with the numbers in the cells."""
    fig, axis = canvas(size=(8.4, 6.6))
    sns.heatmap(table, ax=axis, cmap="cividis", annot=True, fmt=".0f", annot_kws={"size": 7},
                cbar_kws={"label": unit}, square=True)  # fmt: skip
    axis.tick_params(axis="x", rotation=60)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
    axis.set(xlabel="", ylabel="")
    show(fig, alt)


def intervals(table, unit, alt, reference=None, size=(8, 2.4)):
    """Points with 95 % intervals: columns value, low, high; one line a row. `reference`: {name: value}."""
    fig, axis = canvas(size=size)
    draw_intervals(axis, table, unit)
    for name, value in (reference or {}).items():
        axis.axvline(value, color="0.4", ls="--", lw=1)
        axis.text(value, len(table) - 0.45, f" {name}", color="0.3", fontsize=8)
    show(fig, alt)


def draw_intervals(axis, table, unit, marked=()):
    """Points with 95 % intervals on `axis`, a line a row of `table`: columns value, low, high.

    marked: names of rows to draw in orange. Returns the height of each line.
    """
    place = np.arange(len(table))[::-1]
    value, low, high = table[["value", "low", "high"]].to_numpy(float).T
    spread = np.clip([value - low, high - value], 0, None)  # few films: the value may lie outside
    marked = table.index.isin(marked)
    for rows, colour in ((~marked, COLOURS[0]), (marked, COLOURS[1])):
        axis.errorbar(value[rows], place[rows], xerr=spread[:, rows], fmt="o", color=colour, capsize=4)
    axis.set_yticks(place, table.index)
    axis.set_ylim(-0.6, len(table) - 0.2)
    axis.set_xlabel(unit)
    return place


def curves(panels, alt, size=(10, 3.2), xlabel="step", ylabel="", share_y=False):
    """Lines over steps, one panel an entry: {title: {name: (steps, values)}}. xlabel: one, or one a panel."""
    fig, axes = canvas(1, len(panels), size, squeeze=False, sharey=share_y)
    xlabels = [xlabel] * len(panels) if isinstance(xlabel, str) else xlabel
    for axis, (title, lines), label in zip(axes[0], panels.items(), xlabels, strict=True):
        for k, (name, (steps, values)) in enumerate(lines.items()):
            axis.plot(steps, values, color=COLOURS[k], lw=1.6, label=name, ls=LINES[k % 4])
        axis.set_title(title)
        axis.set_xlabel(label)
        axis.legend(frameon=False, fontsize=8)
    axes[0, 0].set_ylabel(ylabel)
    show(fig, alt)


def toy_game(grid, real, snapshots, alt):
    """The 1-D game: density of the data, of the generator, and D(x), at several moments.

    grid: (g,) positions; real: (g,) density; snapshots: list of (step, generated samples, D on the grid).
    """
    fig, axes = canvas(1, len(snapshots), (2.6 * len(snapshots), 2.5), sharey=True)
    for axis, (step, samples, belief) in zip(axes, snapshots, strict=True):
        axis.fill_between(grid, real, color="0.8", label="data")
        axis.hist(samples, bins=grid[::4], density=True, histtype="step", color=COLOURS[1], lw=1.6,
                  label="generator")  # fmt: skip
        axis.plot(grid, belief, color=COLOURS[0], lw=1.6, ls="--", label="D(x)")
        axis.axhline(0.5, color="0.6", lw=0.6)
        axis.set_title(f"step {step}", fontsize=9)
    axes[0].legend(frameon=False, fontsize=7, loc="upper left")
    show(fig, alt)


def neighbours(samples, nearest, alt, labels=("synthetic", "nearest\ntraining film")):
    """Synthetic films above their nearest training films."""
    film_rows(dict(zip(labels, (samples, nearest), strict=True)), alt)
