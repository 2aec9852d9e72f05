"""Draw book/results/growth.csv, which `make bench` writes, on a log-log plot: growth_plot.py FILE.svg."""

import command
import matplotlib.pyplot as plt
import pandas as pd
from scoreboard import RESULTS

POINTS = RESULTS / "growth.csv"
INK = "#808080"  # legible on white paper and on dark
PANELS = (("films", "films"), ("pixels", "pixels of a film"), ("processes", "processes"))
LINES = ("o-", "s--", "^:")


def draw(path):
    """Write the plot as SVG, its ground transparent; a dotted line: in proportion, or shared without loss."""
    table = pd.read_csv(POINTS)
    with plt.rc_context({"text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK,
                         "xtick.color": INK, "ytick.color": INK, "svg.hashsalt": "medgan"}):  # fmt: skip
        figure, axes = plt.subplots(1, len(PANELS), figsize=(10, 3.4), layout="constrained")
        for axis, (kind, label) in zip(axes, PANELS, strict=True):
            panel(axis, table[table.what.str.startswith(kind)], -1 if kind == "processes" else 1)
            axis.set_xlabel(label)
        axes[0].set_ylabel("seconds")
        figure.savefig(path, transparent=True, metadata={"Date": None})
        plt.close(figure)


def panel(axis, table, ideal):
    for style, (what, points) in zip(LINES, table.groupby("what", sort=False), strict=False):
        axis.loglog(points.amount, points.seconds, style, label=what)
        first = points.iloc[0]
        axis.loglog(points.amount, first.seconds * (points.amount / first.amount) ** ideal, ":", color=INK)
    ticks = sorted(set(table.amount))
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.minorticks_off()
    axis.legend(frameon=False)


def alternative():
    """What the plot shows, in words."""
    parts = []
    for what, points in pd.read_csv(POINTS).groupby("what", sort=False):
        told = (f"{point.seconds:.3g} s for {point.amount:,}" for point in points.itertuples())
        parts.append(f"{what}: {', '.join(told)}")
    return "Seconds over amounts, both axes logarithmic. " + "; ".join(parts) + "."


if __name__ == "__main__":
    command.run(draw, __doc__)
