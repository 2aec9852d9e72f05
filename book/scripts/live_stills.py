"""Draw the stills of the live figures, for paper and for where no script runs: live_stills.py [NAME...]

Each is a picture of the figure itself, taken in Chromium: book/_assets/live/stills/<name>.png, and in the
notebooks that hold the figure. Run it again when a network or a figure has changed.
"""

import json
import shutil
import tempfile
from pathlib import Path

import command
import live_data
import live_pages
from browser import Browser
from export_live import BOOK

LIVE = BOOK / "_assets" / "live"
NOTEBOOKS = BOOK.parent / "notebooks"
WIDTH = 800  # of the page, as an article is wide
# The setting that a still shows, where the first one says little.
SHOWN = {"walk": "#walk.first=2&walk.second=-1", "game": "#game.step=1500", "sample": "#sample.share=8"}
READY = "document.querySelector('.live-figure').dataset.ready === 'true'"
SETTLED = "!document.querySelector('.live-figure').dataset.busy"


def page(name, more=""):
    """A page that holds one figure and nothing else."""
    body = f'<div class="live-figure" data-figure="{name}" {more}></div>'
    style = "<style>body { font-family: sans-serif; background: white }</style>"
    tags = live_pages.scripts(body, "live")
    return f'<!doctype html><meta charset="utf-8"><title>{name}</title>{style}<body>{body}{tags}</body>'


def into_notebooks():
    """Put the stills into the notebooks that hold their figures."""
    for path in NOTEBOOKS.glob("*.ipynb"):
        notebook = json.loads(path.read_text())
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = live_pages.with_stills("".join(cell["source"])).splitlines(keepends=True)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def main(*names):
    if strangers := [name for name in names if name not in live_pages.DATA]:
        raise ValueError(f"no live figure {strangers[0]!r}: choose among {', '.join(live_pages.DATA)}")
    (LIVE / "stills").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        folder = Path(folder)
        shutil.copytree(LIVE, folder / "live")
        live_data.write(folder / "live" / "data")
        for name in names or live_pages.DATA:
            (folder / f"{name}.html").write_text(page(name))
            shown = browser.open((folder / f"{name}.html").as_uri() + SHOWN.get(name, ""), WIDTH)
            shown.wait(READY)
            shown.wait(SETTLED)
            shown.screenshot(LIVE / "stills" / f"{name}.png", ".live-canvases")
    into_notebooks()


if __name__ == "__main__":
    command.run(main, __doc__)
