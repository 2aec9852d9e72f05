"""Figures of numbers: points with intervals, lines over training steps, the 1-D game."""

import numpy as np

from .. import artifacts
from ..checks import door, each, listed, number, numbers, shaped, switch, text, told
from ..checks import table as table_of
from .basics import AXIS, COLOURS, LINES, canvas, inches, show

TABLE = table_of("value", "low", "high", numeric=True)


@door(unit=text, reference=each(number()), size=inches)
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


@door(axis=AXIS, table=TABLE, unit=text, marked=listed)
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


def _panel(title, lines):
    """Lines of one panel: {name: (steps, values)}."""
    if not hasattr(lines, "items"):
        raise TypeError(f"panel {title!r}: expected {{name: (steps, values)}}")
    if not 1 <= len(lines) <= len(COLOURS):
        raise ValueError(f"panel {title!r} has {len(lines)} lines: expected 1 to {len(COLOURS)}")
    for name, pair in lines.items():
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise TypeError(f"line {name!r}: expected (steps, values)")
        for one in pair:
            numbers()(f"line {name!r}", one)
        if np.shape(pair[0]) != np.shape(pair[1]):
            raise ValueError(
                f"line {name!r}: {np.size(pair[0])} steps and {np.size(pair[1])} values, expected as many"
            )


@door(panels=each(_panel), size=inches, ylabel=text, share_y=switch)
def curves(panels, alt, size=(10, 3.2), xlabel="step", ylabel="", share_y=False):
    """Lines over steps, one panel per entry: {title: {name: (steps, values)}}. xlabel: one, or a list."""
    xlabels = [xlabel] * len(panels) if isinstance(xlabel, str) else xlabel
    listed("xlabel", xlabels)
    if len(xlabels) != len(panels):
        raise ValueError(
            f"xlabel is {xlabel!r}: expected one for all, or one for each of {len(panels)} panels"
        )
    fig, axes = canvas(1, len(panels), size, squeeze=False, sharey=share_y)
    for axis, (title, lines), label in zip(axes[0], panels.items(), xlabels, strict=True):
        for k, (name, (steps, values)) in enumerate(lines.items()):
            axis.plot(steps, values, color=COLOURS[k], lw=1.6, label=name, ls=LINES[k % 4])
        axis.set_title(title)
        axis.set_xlabel(label)
        axis.legend(frameon=False, fontsize=8)
    axes[0, 0].set_ylabel(ylabel)
    show(fig, alt)


def _moments(name, value):
    """Several (step, generated samples, D on the grid)."""
    listed(name, value)
    for one in value:
        if not isinstance(one, tuple | list) or len(one) != 3:
            raise TypeError(f"{name} holds {told(one)}: expected (step, samples, D on the grid)")
        for part in one[1:]:
            shaped("n")(name, part)
    if len(value) == 0:
        raise ValueError(f"{name} is empty: expected at least one moment")


@door(grid=shaped("g"), real=shaped("g"), snapshots=_moments)
def toy_game(grid, real, snapshots, alt):
    """The 1-D game: density of the data, of the generator, and D(x), at several moments.

    grid: (g,) positions; real: (g,) density; snapshots: list of (step, generated samples, D on the grid).
    """
    if (found := {len(part) for part in (grid, real, *(belief for *_, belief in snapshots))}) != {len(grid)}:
        raise ValueError(f"grid, real and D have lengths {sorted(found)}: expected {len(grid)} of each")
    fig, axes = canvas(1, len(snapshots), (2.6 * len(snapshots), 2.5), sharey=True, squeeze=False)
    axes = axes[0]
    for axis, (step, samples, belief) in zip(axes, snapshots, strict=True):
        axis.fill_between(grid, real, color="0.8", label="data")
        axis.hist(samples, bins=grid[::4], density=True, histtype="step", color=COLOURS[1], lw=1.6,
                  label="generator")  # fmt: skip
        axis.plot(grid, belief, color=COLOURS[0], lw=1.6, ls="--", label="D(x)")
        axis.axhline(0.5, color="0.6", lw=0.6)
        axis.set_title(f"step {step}", fontsize=9)
    axes[0].legend(frameon=False, fontsize=7, loc="upper left")
    show(fig, alt)
