"""Make a built site lighter: lighten.py SITE leaves out what its pages load and never show.

The theme loads all icons of Font Awesome on every page, 1.4 MB, and shows some twenty: those that no page
and no script names go. Pictures are packed anew, every pixel as it was. check.py weighs the pages afterwards.
"""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import command
from PIL import Image

ICONS = Path("_static") / "scripts" / "fontawesome.js"
# name:[width,height,[other names],"its letter","path"], as Font Awesome writes an icon, or ["path","path"]
ICON = re.compile(
    r'("?)([\w-]+)\1:\[\d+,\d+,(\[[^\[\]]*\]),"[0-9a-f]+",(?:"[^"]*"|\["[^"]*"(?:,"[^"]*")*\])\],?'
)
NAME = re.compile(r"\bfa-([a-z0-9-]+)")


def named(site):
    """The icons that pages and scripts name, among other words that begin with fa-."""
    files = [*site.rglob("*.html"), *site.glob("_static/**/*.js")]
    return {name for file in files if file != site / ICONS for name in NAME.findall(file.read_text())}


def without_icons(script, kept):
    """The script of Font Awesome with those icons only that are called, or also called, one of `kept`."""

    def judged(match):
        names = {match[2], *re.findall(r'"([\w-]+)"', match[3])}
        return match[0] if names & kept else ""

    return ICON.sub(judged, script)


def packed(png):
    """The same pixels in fewer bytes: no channel that says nothing, and the best that zlib can do."""
    picture = Image.open(io.BytesIO(png))
    if picture.mode == "RGBA" and picture.getextrema()[3] == (255, 255):
        picture = picture.convert("RGB")
    if picture.mode == "RGB" and len({channel.tobytes() for channel in picture.split()}) == 1:
        picture = picture.getchannel(0)
    smaller = io.BytesIO()
    picture.save(smaller, "png", optimize=True)
    return min(png, smaller.getvalue(), key=len)


def main(site):
    site = Path(site)
    if (site / ICONS).is_file():
        (site / ICONS).write_text(without_icons((site / ICONS).read_text(), named(site)))
    pictures = list(site.glob("_images/*.png"))
    with ThreadPoolExecutor() as side_by_side:
        for path, png in zip(
            pictures, side_by_side.map(lambda path: packed(path.read_bytes()), pictures), strict=True
        ):
            path.write_bytes(png)


if __name__ == "__main__":
    command.run(main, __doc__)
