"""What a built site sheds: icons that no page names, bytes of pictures, MathJax. Nothing that is seen."""

import io

import lighten
import numpy as np
import page_extension
import pytest
from PIL import Image

FONT = (
    'var p={moon:[384,512,[127769],"f186","M1 2z"],"back":[5,6,["arrow-alt"],"f359",["M3 4z","M5 6z"]],'
    'yelp:[384,512,[],"f1e9","M7 8z"]};draw("fas",p)'
)


@pytest.fixture
def site(tmp_path):
    """A site whose page shows a moon and an icon by its other name."""
    (tmp_path / "_static" / "scripts").mkdir(parents=True)
    (tmp_path / "_images").mkdir()
    (tmp_path / lighten.ICONS).write_text(FONT)
    (tmp_path / "a.html").write_text('<i class="fa-solid fa-moon"></i>')
    (tmp_path / "_static" / "b.js").write_text("icon('fa-arrow-alt')")
    return tmp_path


def test_icons_that_nothing_names_are_left_out(site):
    lighten.main(site)
    left = (site / lighten.ICONS).read_text()
    assert left == FONT.replace('yelp:[384,512,[],"f1e9","M7 8z"]', "")


def png(pixels, mode):
    stream = io.BytesIO()
    Image.fromarray(pixels, mode).save(stream, "png", compress_level=0)
    return stream.getvalue()


@pytest.mark.parametrize(("channels", "becomes"), [("opaque", "RGB"), ("grey", "L"), ("glass", "RGBA")])
def test_a_picture_keeps_every_pixel(site, channels, becomes):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    if channels != "glass":
        pixels[..., 3] = 255
    if channels == "grey":
        pixels[..., :3] = pixels[..., :1]
    file = site / "_images" / "film.png"
    file.write_bytes(png(pixels, "RGBA"))
    before = file.stat().st_size
    lighten.main(site)
    after = Image.open(file)
    assert after.mode == becomes and file.stat().st_size <= before
    assert np.array_equal(np.asarray(after.convert("RGBA")), pixels)


def test_a_picture_that_cannot_be_smaller_stays_as_it_is():
    once = lighten.packed(png(np.zeros((9, 9), np.uint8), "L"))
    assert lighten.packed(once) == once


@pytest.mark.parametrize(("body", "kept"), [('<span class="math">x</span>', 3), ("<p>none</p>", 1)])
def test_a_page_without_formulas_loads_no_mathjax(body, kept):
    scripts = ["course.js", "mathjax/tex-mml-chtml.js", "window.MathJax = {}"]
    context = {"body": body, "script_files": scripts}
    page_extension.drop_mathjax(context)
    assert len(context["script_files"]) == kept
