"""Plots of notebooks 06 and 07: arms and their intervals, maps over films, hit rates against chance."""

import matplotlib.pyplot as plt
import numpy as np

from .. import cam
from ..checks import door, each, every, listed, shaped, text
from ..checks import table as table_of
from .basics import AXIS, COLOURS, canvas, inches, show
from .film import draw_film, grey
from .lightbox import lightbox
from .lines import draw_intervals

MAP_COLOURS = "viridis"  # even in brightness and readable with any colour vision, unlike the rainbow


@door(rows=each(shaped("n", "h", "w")), masks=shaped("n", "H", "W"), titles=every(text))
def overlays(films, rows, masks=None, titles=None, alt="Films with maps over them"):
    """A row of films, then one row of maps over the same films per entry of `rows`: {name: maps (n, h, w)}.

    Maps are scaled film by film from their median to their maximum and are the more transparent the lower:
    the film stays readable. masks (n, H, W): outlined where the finding truly is.
    """
    films = grey(films)
    size, count = films.shape[-1], len(films)
    marked = {} if masks is None else {"masks": masks}
    if odd := [(name, len(maps)) for name, maps in (rows | marked).items() if len(maps) != count]:
        raise ValueError(f"{odd[0][0]}: {odd[0][1]} maps for {count} films: expected one each")
    fig, axes = lightbox(["film", *rows], size, count, {0: titles or []})
    for k in range(count):
        draw_film(axes[0, k], films[k])
        for axis, maps in zip(axes[1:, k], rows.values(), strict=True):
            draw_film(axis, films[k])
            draw_map(axis, cam.upsample(maps[k : k + 1], size)[0].numpy())
        for axis in axes[1:, k]:  # not on the film: the reader should look for it first
            if masks is not None and masks[k].any():
                axis.contour(masks[k], levels=[0.5], colors=[COLOURS[1]], linewidths=1.2)
    show(fig, alt)


@door(axis=AXIS, values=shaped("h", "w"))
def draw_map(axis, values):
    low, high = np.median(values), values.max()
    strength = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    colours = plt.get_cmap(MAP_COLOURS)(strength)
    colours[..., 3] = 0.65 * strength
    axis.imshow(colours, interpolation="nearest", aspect="auto")


@door(table=table_of("value", "low", "high", "chance", numeric=True), unit=text, size=inches)
def against_chance(table, unit, alt, size=(8, 3.6)):
    """Values with intervals beside what chance would give: columns value, low, high, chance."""
    fig, axis = canvas(size=size)
    place = draw_intervals(axis, table, unit)
    (chance,) = axis.plot(table["chance"], place, "|", color=COLOURS[3], ms=14, mew=2.5)
    above = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 2}  # off the data
    axis.legend([axis.containers[0], chance], ["measured", "chance"], **above, frameon=False, fontsize=9)
    show(fig, alt)


@door(table=table_of("arm", "seed"), columns=listed)
def arms(table, columns, alt):
    """One panel per column of scores, one line per arm: mean over seeds as a point, each seed as a tick.

    table: rows of the grid with the columns "arm", "seed" and `columns`; the mean of "none" is a line.
    """
    table_of(*columns, numeric=True)("table", table)
    names = list(dict.fromkeys(table["arm"]))
    if "none" not in names or not len(columns):
        found = f"{len(columns)} columns of the arms {', '.join(map(str, names))}"
        raise ValueError(f"columns, table: {found}; expected columns, and the arm none to compare with")
    place = {arm: len(names) - 1 - k for k, arm in enumerate(names)}
    fig, axes = canvas(1, len(columns), (10, 3.4), sharey=True, squeeze=False)
    for axis, column in zip(axes[0], columns, strict=True):
        mean = table.groupby("arm")[column].mean()
        axis.plot(table[column], table["arm"].map(place), "|", color="0.55", ms=9, mew=1.5)
        for arm in names:
            axis.plot(mean[arm], place[arm], "o", color=COLOURS[0] if arm != "none" else COLOURS[3])
        axis.axvline(mean["none"], color=COLOURS[3], lw=0.8, ls="--")
        axis.set_title(column)
        axis.set_xlabel("AUROC")
    axes[0, 0].set_yticks(list(place.values()), names)
    axes[0, 0].set_ylim(-0.6, len(names) - 0.4)
    show(fig, alt)
