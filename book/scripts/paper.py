"""Markdown as a page of its own: one HTML file that needs no network, with formulas drawn as pictures."""

import base64
import io
import re
from html import escape

from markdown_it import MarkdownIt
from matplotlib import mathtext, rc_context
from mdit_py_plugins.dollarmath import dollarmath_plugin

# What mathtext writes otherwise than TeX does.
SPELT = (
    (r"\\[lr]Vert", r"\\Vert"),
    (r"\\big\b", ""),
    (r"\\sqrt (\w)", r"\\sqrt{\1}"),
    (r"\\frac(\w)(\w)", r"\\frac{\1}{\2}"),
    (r"\\underbrace\{(.+)\}_\{.+?\}", r"\1"),
    (r"\s+", " "),
)


def formula(tex, display=False):
    """An image element of a formula, its TeX as the alt text; what mathtext cannot draw stays TeX."""
    spelt = tex.strip()
    for pattern, written in SPELT:
        spelt = re.sub(pattern, written, spelt)
    picture = io.BytesIO()
    try:
        with rc_context({"savefig.facecolor": "none"}):  # no white box on a coloured page
            mathtext.math_to_image(f"${spelt}$", picture, format="svg")
    except ValueError:
        return f"<code>{escape(tex)}</code>"
    # mathtext measures in points of a 10-point font: the letters of the page may be larger
    width = float(re.search(rb'width="([\d.]+)pt"', picture.getvalue())[1]) / 10
    data = base64.b64encode(picture.getvalue()).decode()
    kind = "display" if display else "inline"
    address = f"data:image/svg+xml;base64,{data}"
    return f'<img class="math {kind}" style="width: {width:.2f}em" alt="{escape(tex)}" src="{address}">'


def html(markdown):
    """Markdown (with $formulas$, tables and HTML) as HTML."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.use(dollarmath_plugin, renderer=lambda tex, options: formula(tex, options["display_mode"]))
    return reader.render(markdown)


def page(title, body, style="", script=""):
    """A whole HTML file."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{style}</style>'
    width = '<meta name="viewport" content="width=device-width">'
    code = f"<script>{script}</script>" if script else ""
    return f'<!DOCTYPE html><html lang="en"><head>{head}{width}</head><body>{body}{code}</body></html>\n'
