"""Slides come from the executed notebook by rule: no code, no solution, predictions before their figures."""

import base64
import re

import nbformat
import paper
import pytest
import slides
from browser import Browser
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def figure(source, alt, said="", tags=()):
    data = {"image/png": DOT}
    outputs = [new_output("display_data", data, metadata={"image/png": {"alt": alt}})]
    outputs += [new_output("display_data", {"text/markdown": said})] if said else []
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


NOTEBOOK = new_notebook(
    cells=[
        new_markdown_cell("# 3 · DCGAN\n\n**Can noise become a film?**\n\n- train it;\n- read KID"),
        new_code_cell("import torch"),
        new_markdown_cell("## The game\n\nTwo networks play.\n\n$$a^2$$\n\n*Predict:* who wins?"),
        figure("figures.draw(secret_code)", "Two curves", "The expert ends at **.5**.", ["key-figure"]),
        new_markdown_cell("## Exercises\n\n### 1 · The best expert (5 minutes)\n\nWhich D?"),
        figure("# @title Solution 1", "A solved figure", tags=["solution"]),
        new_markdown_cell("## What goes wrong\n\n- Collapse.\n\n## Take-away\n\n- Measure."),
    ]
)


def test_the_slides_of_a_chapter_are_chosen_by_rule():
    found = slides.chapter(NOTEBOOK)
    words = [re.sub(r"<[^>]+>", " ", part.split('<div class="notes">')[0]) for part in found]
    expected = ["Can noise", "The game", "Predict", ".5", "The best expert", "Collapse", "Measure"]
    assert [want in said for want, said in zip(expected, words, strict=True)] == [True] * 7
    assert 'alt="Two curves"' in found[0], "the title shows the key figure"
    text = "".join(found)
    assert "secret_code" not in text and "import torch" not in text and "A solved figure" not in text
    assert 'alt="Two curves"' in text and 'alt="a^2"' in text and 'class="slide predict"' in text


def test_a_term_and_the_words_of_a_formula_stand_on_its_slide():
    text = "A **side** has pixels.\n\nStride $s$ turns a side of $n$ into\n\n$$n' = s n$$"
    [found] = slides.prose_slides("Sizes", text, opens=True)
    shown = found.split('<div class="notes">')[0]
    assert "<strong>side</strong>" in shown and "turns a side of" in shown and "display" in shown


def test_a_prediction_brings_its_choices_and_the_sentence_before():
    fold = '<details class="choice"><summary>{}</summary>\n\nBecause.\n\n</details>\n\n'
    text = "Films differ. Here are a, b and c. *Predict:* which of the three?\n\n"
    text += fold.format("only b") + fold.format("all")
    [found] = slides.prose_slides("Films", slides.clean(text), opens=False)
    assert "Here are a, b and c." in found and "Films differ" not in found and "Because" not in found
    assert found.count("<li>") == 2 and 'class="slide predict' in found


def test_a_diagram_is_shown_and_other_html_is_not():
    drawn = {"text/html": "<svg></svg>", "text/plain": "Diagram: gan"}
    table = {"text/html": "<table></table>", "text/plain": "a b"}
    cell = new_code_cell("x", outputs=[new_output("display_data", data) for data in (drawn, table)])
    [found] = slides.figure_slides("The game", cell)
    assert "<svg>" in found and "<table>" not in found


def test_a_formula_has_no_white_box():
    picture = base64.b64decode(re.search(r"base64,([^\"]+)", paper.formula("D(x)"))[1])
    assert b"fill: #ffffff" not in picture


@pytest.mark.slow
def test_slides_turn_with_the_keys_and_load_nothing(tmp_path):
    source = tmp_path / "03-dcgan.ipynb"
    nbformat.write(NOTEBOOK, source)
    slides.main(tmp_path, source)
    with Browser() as browser:
        page = browser.open((tmp_path / "03-dcgan.html").as_uri())
        press = "dispatchEvent(new KeyboardEvent('keydown', {key: '%s'}))"
        page.evaluate(press % "ArrowRight")
        page.evaluate(press % " ")
        assert page.evaluate("document.querySelector('.slide.now .foot').textContent") == "3 / 7"
        asked = [address for address in page.requests if not address.startswith("data:")]
        assert page.problems == [] and len(asked) == 1


def test_a_formula_that_cannot_be_drawn_stays_readable():
    assert paper.formula(r"\sqrt 2 \lVert x \rVert").startswith("<img")
    assert paper.formula(r"\begin{pmatrix} a \end{pmatrix}").startswith("<code>")
