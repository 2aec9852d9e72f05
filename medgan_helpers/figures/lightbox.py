"""The light box: films on dark ground, as a radiologist looks at them, in either theme of a page.

A film's pixel is always a whole number of the picture's pixels, and nothing is drawn at its edge.
"""

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from ..checks import door, each, every, listed, text, whole
from .basics import DPI

PAGE = 800  # pixels: how wide the text of a page is on a laptop
SMALLEST, LARGEST = 96, 160  # pixels of a film's side: enough to see a rib, and no more than needed
GAP, LINE, LETTER = 3, 17, 6.6  # pixels: between films, of a line of text, of a letter
HAIR = 1e-3  # pixels: a sheet is cut, and a film enlarged, to the next whole pixel
SCALE = 90  # pixels: room for a scale at the right
INK, GROUND = "#e8e8e8", "#1d2026"
STYLE = {
    "figure.facecolor": GROUND,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@door(side=whole())
def fitting(side):
    """How many films of `side` pixels stand beside each other on a page, each large enough to be read."""
    return max(1, (PAGE - GAP) // (magnified(side, PAGE) + GAP))


@door(side=whole(), columns=whole())
def magnified(side, columns):
    """The side in the picture, a multiple of `side`: the largest at which `columns` films fit on a page."""
    room = min(LARGEST, (PAGE - GAP) // columns - GAP)
    return side * max(room // side, -(-SMALLEST // side))


def wrapped(titles, side):
    """Films' titles in lines that are no wider than a film, and how many lines the longest has."""
    fits = [
        "\n".join("\n".join(textwrap.wrap(line, int(side / LETTER))) for line in title.split("\n"))
        for title in titles
    ]
    return fits, max((title.count("\n") + bool(title) for title in fits), default=0)


@door(names=listed, side=whole(), columns=whole(1, PAGE), titles=each(every(text)), right=whole(0))
def lightbox(names, side, columns, titles=None, right=0):
    """A figure and its axes (rows, columns) for square films of `side` pixels.

    names: of the rows, written above them ("": none); titles: {row: one per film}; right: pixels left free.
    """
    size, rows = magnified(side, columns), len(names)
    above = [wrapped((titles or {}).get(row, []), size) for row in range(rows)]
    heads = [2 * GAP + LINE * (lines + bool(name)) for name, (_, lines) in zip(names, above, strict=True)]
    wide, high = columns * (size + GAP) + GAP + right + HAIR, sum(heads) + rows * size + GAP + HAIR
    with plt.rc_context(STYLE):
        fig = plt.figure(figsize=(wide / DPI, high / DPI), dpi=DPI)
        axes = np.empty((rows, columns), object)
        for row, column in np.ndindex(rows, columns):
            x, y = GAP + column * (size + GAP), high - HAIR - sum(heads[: row + 1]) - (row + 1) * size
            place = np.array([x, y, size - HAIR, size - HAIR]) / [wide, high, wide, high]
            axes[row, column] = fig.add_axes(place)
            axes[row, column].set_axis_off()
    for line, name, (fits, lines) in zip(axes, names, above, strict=True):
        for axis, title in zip(line, fits, strict=False):
            axis.set_title(title, fontsize=8, loc="center", pad=3)
        line[0].annotate(name, (0, 1), (0, LINE * lines + 4), "axes fraction", "offset pixels",
                         color=INK, fontsize=9, weight="bold", va="bottom")  # fmt: skip
    return fig, axes


def draw_scale(fig, axis, drawn, label):
    """The scale of colours of `drawn`, right of `axis`."""
    x, y, wide, high = axis.get_position().bounds
    pixel = 1 / fig.bbox.width
    place = [x + wide + 2 * GAP * pixel, y, 10 * pixel, high]
    with plt.rc_context(STYLE):
        bar = fig.colorbar(drawn, cax=fig.add_axes(place))
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)
