"""Live figures in pages: attach to a page the scripts that its figures need.

A page holds a figure as plain HTML, in a Markdown cell or in prose, with a still picture for where no script
runs (book/_assets/live/README.md). A notebook holds the picture itself, since Colab and a copied notebook
have no other file; a built page has it as a file.
"""

import base64
import io
import re
import shutil
from pathlib import Path

import live_data
from PIL import Image

ASSETS = Path(__file__).resolve().parents[1] / "_assets" / "live"
# What a figure's own script needs before it: data/<name>.js, which live_data.py writes.
DATA = {
    "walk": ("dcgan", "walk"),
    "repair": ("restorer", "repair"),
    "translate": ("painter", "translate"),
    "read": ("classifier", "read"),
    "game": (),
    "sample": ("flow",),
}
FIGURE = re.compile(r'<div class="live-figure"[^>]*data-figure="(\w+)"')
ALONE = """<!doctype html><html data-theme="light"><meta charset="utf-8"><title>{name}</title>
<link rel="icon" href="data:,"><body>{body}{tags}</body></html>"""
TO_THE_PAGE = re.compile(r"\[([^\]]+)\]\(https://[\w-]+\.github\.io/[\w.-]+/notebooks/[\w-]+\.html\)")
IN_THE_REPOSITORY = re.compile(r'(?<=src=")_assets/live/')
# A figure in a notebook: 1 its tag, 2 its name, 3 what the still shows, 4 the still.
IN_A_NOTEBOOK = re.compile(
    r'(<div class="live-figure"[^>]*data-figure="(\w+)"[^>]*>)\n\n!\[(.*?)\]\((.*?)\)\n\n</div>'
)


def figures(page):
    """The names of the figures in a page's text, each once. Raises ValueError for one that does not exist."""
    names = list(dict.fromkeys(FIGURE.findall(page)))
    if unknown := [name for name in names if name not in DATA]:
        raise ValueError(f"there is no live figure {unknown[0]!r}: choose among {', '.join(DATA)}")
    return names


def files(page):
    """The scripts of a page with live figures, in the order in which they run."""
    names = figures(page)
    needed = [f"data/{data}.js" for name in names for data in DATA[name]]
    return (
        ["layers.js", "page.js", *dict.fromkeys(needed), *(f"{name}.js" for name in names)] if names else []
    )


def scripts(page, static):
    """The tags to add to a page, "" for a page without live figures. static: the way to _static/live."""
    tags = [f'<script defer src="{static}/{file}"></script>' for file in files(page)]
    style = f'<link rel="stylesheet" href="{static}/live.css">'
    return "\n".join([style, *tags]) if tags else ""


def localise(text, static):
    """`text` with the stills where a built page has them, and without links to where the reader is."""
    page = rf'\1\n<img class="live-still" src="{static}/stills/\2.png" alt="\3">\n</div>'
    text = IN_THE_REPOSITORY.sub(f"{static}/", IN_A_NOTEBOOK.sub(page, text))
    return TO_THE_PAGE.sub(r"\1", text)


def still(name):
    """A figure's still as an address that holds the picture: every pixel, in half the bytes of the PNG."""
    webp = io.BytesIO()
    with Image.open(ASSETS / "stills" / f"{name}.png") as png:
        png.convert("RGB").save(webp, "WEBP", lossless=True, quality=100, method=6)
    return f"data:image/webp;base64,{base64.b64encode(webp.getvalue()).decode()}"


def with_stills(text):
    """`text` of a notebook with the stills of its figures as they are now."""
    return IN_A_NOTEBOOK.sub(lambda found: f"{found[1]}\n\n![{found[3]}]({still(found[2])})\n\n</div>", text)


def figure(name):
    """A figure as a page holds it, with one pixel as its still."""
    pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
    still = f'<img class="live-still" alt="A still of the figure" src="{pixel}">'
    return f'<div class="live-figure" data-figure="{name}">{still}</div>'


def write_alone(folder):
    """<folder>/<name>.html, a page with one figure, for each of DATA, and beside them what they load."""
    static = Path(folder) / "_static" / "live"
    shutil.copytree(ASSETS, static)
    live_data.write(static / "data")
    for name in DATA:
        body = figure(name)
        page = ALONE.format(name=name, body=body, tags=scripts(body, "_static/live"))
        (Path(folder) / f"{name}.html").write_text(page, encoding="utf-8")
