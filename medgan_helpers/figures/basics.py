"""What every figure has: a canvas, the colours, and words for readers who cannot see it (`show`).

`show` attaches the alternative text to the picture itself; Jupyter keeps it with the output and the book
hands it to the browser.
"""

import base64
import io

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.colors import to_rgb

from ..checks import door, having, number, pair, whole

# Distinguishable with any colour vision: the palette "colorblind" of seaborn, which takes long to import.
COLOURS = [to_rgb(f"#{code}") for code in (
    "0173B2", "DE8F05", "029E73", "D55E00", "CC78BC", "CA9161", "FBAFE4", "949494", "ECE133", "56B4E9",
)]  # fmt: skip
DPI = 110  # pixels an inch
LINES = ("-", "--", ":", "-.")
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.facecolor": "white",  # opaque, so that dark mode finds black ink on white paper
    "figure.constrained_layout.use": True,
}


@door(fig=having("savefig", "axes", kind="a figure, as figures.canvas makes it"))
def show(fig, alt):
    """Display `fig` as a PNG that carries `alt`, the sentence a screen reader says instead."""
    if not isinstance(alt, str) or not alt.strip():
        plt.close(fig)
        raise ValueError("a figure needs words for readers who cannot see it: alt='what the figure shows'")
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=DPI)
    plt.close(fig)
    png = base64.b64encode(buffer.getvalue()).decode()
    # The pages' dark theme turns the paper of plots dark; a figure with pictures in it must stay as it is.
    told = {"alt": alt, "plot": not any(axis.images for axis in fig.axes)}
    display({"image/png": png, "text/plain": alt}, raw=True, metadata={"image/png": told})


def inches(name, value):
    """Width and height of a figure."""
    pair(name, value)
    for side in value:
        number(most=100, above=0)(name, side)


AXIS = having("errorbar", "imshow", kind="an axis, as figures.canvas makes it")


@door(rows=whole(1, 50), columns=whole(1, 50), size=inches)
def canvas(rows=1, columns=1, size=(8, 4), **options):
    """A figure and its axes in the course's style; `size` in inches."""
    with plt.rc_context(STYLE):
        return plt.subplots(rows, columns, figsize=size, **options)
