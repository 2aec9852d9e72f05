"""Slides come from the executed notebook by rule: no code, no solution, predictions before their figures."""

import base64
import re

import nbformat
import numpy as np
import paper
import pytest
import slide_results
import slide_tables
import slides
from browser import Browser
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def figure(source, alt, said="", tags=()):
    data = {"image/png": DOT}
    outputs = [new_output("display_data", data, metadata={"image/png": {"alt": alt}})]
    outputs += [new_output("display_data", {"text/markdown": said})] if said else []
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


TABLE = "<table><thead><tr><th></th><th>score</th></tr></thead><tbody>{}</tbody></table>"


def said(*texts):
    outputs = [new_output("display_data", {"text/markdown": text}) for text in texts]
    return new_code_cell("say(...)", outputs=outputs)


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
    found = [part.html() for part in found]
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
    shown = found.body
    assert "<strong>side</strong>" in shown and "turns a side of" in shown and "display" in shown


def test_a_prediction_brings_its_choices_and_the_sentence_before():
    fold = '<details class="choice"><summary>{}</summary>\n\nBecause.\n\n</details>\n\n'
    text = "Films differ. Here are a, b and c. *Predict:* which of the three?\n\n"
    text += fold.format("only b") + fold.format("all")
    [found] = slides.prose_slides("Films", slides.clean(text), opens=False)
    shown = found.body
    assert "Here are a, b and c." in shown and "Films differ" not in shown and "Because" not in shown
    assert shown.count("<li>") == 2 and 'class="slide predict' in found.html()


def test_a_diagram_and_a_table_are_shown_and_other_html_is_not():
    drawn = {"text/html": "<svg></svg>", "text/plain": "Diagram: gan"}
    table = {"text/html": TABLE.format("<tr><th>a_b</th><td>.5</td></tr>"), "text/plain": "a b"}
    other = {"text/html": "<video></video>", "text/plain": "film"}
    outputs = [new_output("display_data", data) for data in (drawn, table, other)]
    found = slide_results.result_slides("The game", new_code_cell("# @title Scores", outputs=outputs))
    assert ["<svg>" in found[0].body, "Scores" in found[1].body, ">.5<" in found[1].body] == [True] * 3
    assert len(found) == 2


def test_words_without_a_figure_have_slides_and_source_code_has_none():
    cell = said(
        "```python\nsecret = 1\n```",
        "<details><summary>The machinery</summary>\n\n```python\nsecret = 2\n```\n\n</details>",
        "**StarGAN** gains nothing.",
        "This has not been run yet: run it.",
    )
    [found] = slide_results.result_slides("The verdict", cell)
    assert "gains nothing" in found.html() and "secret" not in found.html() and "run yet" not in found.html()


def test_a_finding_is_shown_whole_on_as_many_slides_as_it_needs():
    long = " ".join(f"**Arm {number}: a gain.** {'Against none. ' * 60}".strip() for number in range(4))
    cell = said(long)
    cut = slide_results.result_slides("", cell)
    assert "The chapter goes on" in cut[-1].body and "Arm 3" not in cut[-1].body
    cell.outputs[0].metadata["finding"] = True
    whole = slide_results.result_slides("", cell)
    assert "Arm 3" in whole[-1].body and len(whole) == 4


def test_a_short_text_stands_with_its_figure_and_a_long_one_after_it():
    [found] = slide_results.result_slides("", figure("draw()", "A curve", "It rises."))
    assert "It rises." in found.body
    first, second = slide_results.result_slides("", figure("draw()", "A curve", "It rises. " * 40))
    assert "It rises." not in first.body and "It rises." in second.body


def test_a_long_table_goes_on_on_the_next_slide_with_its_head():
    rows = "".join(f"<tr><th>{number}</th><td>{number / 10}</td></tr>" for number in range(30))
    found = slide_tables.parts(TABLE.format(rows))
    assert len(found) == 2 and all("score" in part for part in found)
    assert "<th>0</th>" in found[0] and "<th>29</th>" in found[1]
    assert "4 more rows" in slide_tables.parts(TABLE.format(rows + rows[: rows.index("<tr><th>10<")]))[-1]


def test_a_cell_over_several_rows_is_repeated_so_that_the_table_can_go_on():
    rows = '<tr><th rowspan="2">space</th><th>a</th><td>1</td></tr><tr><th>b</th><td>2</td></tr>'
    [found] = slide_tables.parts(f"<table><tbody>{rows}</tbody></table>")
    assert found.count("<th>space</th>") == 2 and "rowspan" not in found


def test_a_prediction_is_shown_once_and_a_numbered_list_whole():
    text = "**CAM** weighs maps. *Predict: how do the two differ? And why?*"
    [found] = slides.prose_slides("CAM", text, opens=True)
    assert found.kind == "predict" and found.body.count("weighs maps") == 1
    [found] = slides.prose_slides(
        "Read", "Ask:\n\n1. **Which line** prints it? Look.\n2. **Whose** film?", True
    )
    assert found.body.count("<li>") == 2 and found.body.count("Which line") == 1


def test_a_prediction_that_no_slide_answers_is_not_asked():
    asks = [new_markdown_cell(f"## {name}\n\n*Predict:* will it {name}?") for name in ("rise", "fall", "end")]
    cells = [NOTEBOOK.cells[0], asks[0], new_code_cell("x"), asks[1], figure("draw()", "A fall"), asks[2]]
    text = "".join(part.body for part in slides.chapter(new_notebook(cells=cells)))
    assert ["will it rise" in text, "will it fall" in text, "will it end" in text] == [False, True, False]


def test_a_stray_sentence_stands_on_the_next_slide_or_is_left_out():
    cells = [
        NOTEBOOK.cells[0],
        new_markdown_cell("## One\n\nIt is said here alone, and nothing comes of it at all."),
    ]
    cells += [new_markdown_cell("## Two\n\nThis sentence leads to the figure, and is no slide of its own.")]
    cells += [figure("draw()", "A curve")]
    title, found = slides.chapter(new_notebook(cells=cells))
    assert "leads to the figure" in found.body and "A curve" in found.body
    assert "n shows notes" in title.body


@pytest.mark.parametrize("pixel", [1, 2, 3])
def test_the_size_of_a_films_pixel_is_read_from_its_figure(pixel):
    film = np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8)
    assert slide_results.film_pixel(Image.fromarray(film.repeat(pixel, 0).repeat(pixel, 1))) == pixel


@pytest.mark.slow
def test_films_have_whole_pixels_and_nothing_overflows(tmp_path):
    film = np.random.default_rng(0).integers(0, 255, (100, 150), np.uint8).repeat(2, 0).repeat(2, 1)
    Image.fromarray(film).save(tmp_path / "film.png")
    pixels = base64.b64encode((tmp_path / "film.png").read_bytes()).decode()
    films = figure("draw()", "Films", "Six films.")
    films.outputs[0].data["image/png"] = pixels
    rows = "".join(f"<tr><th>{'arm ' * 9}</th><td>{'+0.1 (+0.0 to +0.2) ' * 3}</td></tr>" for _ in range(12))
    table = new_output("display_data", {"text/html": TABLE.format(rows), "text/plain": "a"})
    cells = [NOTEBOOK.cells[0], films, new_code_cell("x", outputs=[table]), said("Words. " * 300)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "a.ipynb")
    slides.main(tmp_path, tmp_path / "a.ipynb")
    with Browser() as browser:
        page = browser.open((tmp_path / "a.html").as_uri(), 1280, 720)
        page.evaluate("show(1)")
        shown = page.evaluate("document.querySelector('.now .figure').getBoundingClientRect().width")
        assert shown >= 600 and shown % 150 == 0
        for number in range(page.evaluate("slides.length")):
            page.evaluate(f"show({number})")
            now = "document.querySelector('.now')"
            assert page.evaluate(f"{now}.scrollHeight <= {now}.clientHeight"), number
            assert page.evaluate(f"{now}.scrollWidth <= {now}.clientWidth"), number


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


def test_a_handout_of_ones_own_stays_and_what_has_not_run_is_refused(tmp_path):
    source, handout = tmp_path / "03-dcgan.ipynb", tmp_path / "slides" / "03-dcgan.html"
    nbformat.write(NOTEBOOK, source)
    for _ in range(2):  # the script's own slides are made anew
        slides.main(tmp_path / "slides", source)
    for mine in (handout.read_text() + "<p>my remark</p>", "<h1>my own handout</h1>"):
        handout.write_text(mine)
        with pytest.raises(FileExistsError, match=r"03-dcgan\.html is not as this script wrote it"):
            slides.main(tmp_path / "slides", source)
        assert handout.read_text() == mine
    cells = [new_markdown_cell("# 3"), new_code_cell("1")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "blank.ipynb")
    with pytest.raises(ValueError, match=r"blank\.ipynb has not been executed"):
        slides.main(tmp_path / "new", tmp_path / "blank.ipynb")
    assert not (tmp_path / "new").exists()
