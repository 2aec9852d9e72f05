"""Predictions can be made: each question offers choices, every choice says what it teaches."""

import json
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROMPT = re.compile(r"\*(Predict|Before you (run|look|read))")
CHOICE = re.compile(r'<details class="choice"><summary>(.+?)</summary>\n\n(.+?)\n\n</details>', re.S)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_prediction_offers_choices_that_teach(path):
    cells = nbformat.read(path, as_version=4).cells
    asked = [cell.source for cell in cells if cell.cell_type == "markdown" and PROMPT.search(cell.source)]
    assert asked or not path.stem.startswith(("01", "02", "03", "04", "05", "06", "07", "08", "09", "10"))
    for source in asked:
        choices = CHOICE.findall(source)
        assert 2 <= len(choices) <= 4 and source.count("<details class") == len(choices), source[:200]
        assert len(set(choices)) == len(choices)
        assert all(len(says.split()) >= 5 for _, says in choices), source[:200]


def test_answers_are_no_pattern():
    """The first choice is not always the right one."""
    places = []
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text())["cells"]:
            says = [said for _, said in CHOICE.findall("".join(cell["source"]))]
            places += [number for number, said in enumerate(says) if said.startswith("Right")]
    assert len(places) > 20 and max(map(places.count, set(places))) < 0.67 * len(places)
