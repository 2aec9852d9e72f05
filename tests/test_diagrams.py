"""Diagrams: the committed files are what the script draws, each is described, none leaves its plane."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import diagrams
import pytest

from medgan_helpers import display, experiments

ROOT = Path(__file__).resolve().parents[1]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", diagrams.DIAGRAMS)
def test_a_diagram_is_what_the_script_draws(name):
    text = diagrams.DIAGRAMS[name]().svg(name)
    assert (diagrams.TARGET / f"{name}.svg").read_text() == text, "run book/scripts/diagrams.py"
    root = ET.fromstring(text)
    ids = root.get("aria-labelledby").split()
    said = {part.get("id"): part.text for part in root if part.tag in (f"{SVG}title", f"{SVG}desc")}
    assert root.get("role") == "img" and list(said) == ids
    assert len(said[ids[1]]) > 80, "the words say what the picture says"
    width, height = int(root.get("width")), int(root.get("height"))
    for box in root.iter(f"{SVG}rect"):
        x, y, w, h = (float(box.get(key)) for key in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height


def test_every_diagram_is_shown_somewhere():
    cells = [json.loads(path.read_text())["cells"] for path in (ROOT / "notebooks").glob("*.ipynb")]
    code = "\n".join("".join(cell["source"]) for part in cells for cell in part)
    prose = "\n".join(path.read_text() for path in (ROOT / "book").glob("*.md"))
    shown = set(re.findall(r'\bdiagram\("([\w-]+)"\)', code)) | set(
        re.findall(r"_diagrams/([\w-]+)\.", prose)
    )
    assert shown == set(diagrams.DIAGRAMS)


def test_the_diagram_of_the_arms_has_every_arm_in_order():
    assert list(diagrams.arms().boxes) == list(experiments.ARMS)
    assert all(f"{arm}:" in diagrams.arms().words for arm in experiments.ARMS)


def test_a_diagram_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="no diagram 'gam': choose among arms"):
        display.diagram("gam")
