"""Figures of numbers: points with intervals, lines over training steps, the 1-D game."""

import numpy as np

from .. import artifacts
from ..checks import door, named
from .paper import COLOURS, LINES, canvas, show


def intervals(estimates, unit, alt, reference=None, size=None):
    """Points with 95 % intervals, one line each: {name: (value, low, high)}, or a table with these columns.

    reference: {name: value}, dashed lines; size: inches, by default 8 wide and as high as the lines need.
    """
    table = artifacts.estimate_table(estimates)
    fig, axis = canvas(size=size or (8, 1.2 + 0.3 * len(table)))
    draw_intervals(axis, table, unit)
    for name, value in (reference or {}).items():
        axis.axvline(value, color="0.4", ls="--", lw=1)
        axis.text(value, len(table) - 0.45, f" {name}", color="0.3", fontsize=8)
    show(fig, alt)


def draw_intervals(axis, table, unit, marked=()):
    """Points with 95 % intervals on `axis`, a line per row of `table`: columns value, low, high.

    marked: names of rows to draw in orange. Returns the height of each line.
    """
    place = np.arange(len(table))[::-1]
    value, low, high = table[["value", "low", "high"]].to_numpy(float).T
    spread = np.clip([value - low, high - value], 0, None)  # few films: the value may lie outside
    spread = np.nan_to_num(spread)  # a value without an interval is a point
    marked = table.index.isin(marked)
    for rows, colour in ((~marked, COLOURS[0]), (marked, COLOURS[1])):
        axis.errorbar(value[rows], place[rows], xerr=spread[:, rows], fmt="o", color=colour, capsize=4)
    axis.set_yticks(place, table.index)
    axis.set_ylim(-0.6, len(table) - 0.2)
    axis.set_xlabel(unit)
    return place


@door(panels=named)
def curves(panels, alt, size=(10, 3.2), xlabel="step", ylabel="", share_y=False):
    """Lines over steps, one panel per entry: {title: {name: (steps, values)}}. xlabel: one, or a list."""
    if strangers := [title for title, lines in panels.items() if not hasattr(lines, "items")]:
        raise TypeError(f"panel {strangers[0]!r}: expected {{name: (steps, values)}}")
    pairs = {name: pair for lines in panels.values() for name, pair in lines.items()}
    if strangers := [name for name, pair in pairs.items() if not hasattr(pair, "__len__") or len(pair) != 2]:
        raise TypeError(f"line {strangers[0]!r}: expected (steps, values)")
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
