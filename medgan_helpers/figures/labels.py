"""Figures of label tables: what the labels hold, how often, together with what."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .. import chexpert
from ..checks import door, numbers, text
from ..checks import table as table_of
from .basics import COLOURS, canvas, inches, show

LABELS = table_of(*chexpert.FINDINGS, numeric=True)

VALUES = {  # the four states of a CheXpert label, in drawing order
    "positive (1)": COLOURS[3],
    "uncertain (-1)": COLOURS[1],
    "negative (0)": COLOURS[0],
    "not mentioned (blank)": (0.85, 0.85, 0.85),
}


def _people(name, frame):
    table_of("view", "sex", "age")(name, frame)
    table_of("age", numeric=True)(name, frame)


@door(frame=_people)
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


@door(frame=LABELS)
def value_counts(frame):
    """Share of each label value by finding: DataFrame (14, 4), rows sorted by the share of positives."""
    values = frame[list(chexpert.FINDINGS)]
    parts = {
        "positive (1)": values.eq(1).mean(),
        "uncertain (-1)": values.eq(-1).mean(),
        "negative (0)": values.eq(0).mean(),
        "not mentioned (blank)": values.isna().mean(),
    }
    return pd.DataFrame(parts).sort_values("positive (1)")


@door(frame=LABELS)
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


def _numbers(name, value):
    """A DataFrame of numbers, at least one row and one column."""
    table_of()(name, value)
    if value.shape[1] == 0:
        raise ValueError(f"{name} has no columns: expected a DataFrame of numbers")
    numbers()(name, value)


@door(table=_numbers, unit=text, size=inches)
def bars(table, unit, alt, size=(9, 4.2)):
    """Grouped horizontal bars: one group a row of `table`, one colour a column."""
    if table.shape[1] > len(COLOURS):
        raise ValueError(f"table has {table.shape[1]} columns: expected at most {len(COLOURS)}, one a colour")
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


@door(table=_numbers, unit=text)
def heat_map(table, unit, alt):
    """A square table of numbers as colours with the numbers in the cells."""
    import seaborn as sns  # takes a second, and no other figure needs it

    fig, axis = canvas(size=(8.4, 6.6))
    sns.heatmap(table, ax=axis, cmap="cividis", annot=True, fmt=".0f", annot_kws={"size": 7},
                cbar_kws={"label": unit}, square=True)  # fmt: skip
    axis.tick_params(axis="x", rotation=60)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
    axis.set(xlabel="", ylabel="")
    show(fig, alt)
