"""How pages open, by figure and finding from the executed notebook, and what waits in a fold."""

import base64
import re
from pathlib import Path

import front_page
import nbformat
import opening
import page_extension
import pytest
from docutils import nodes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from medgan_helpers.experiments import sentences, verdicts

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted(path for path in (ROOT / "notebooks").glob("*.ipynb"))


def figure(name, plot):
    data = {"image/png": base64.b64encode(name.encode()).decode(), "text/plain": name}
    return new_output("display_data", data, metadata={"image/png": {"alt": name, "plot": plot}})


def sentence(text, **marks):
    return new_output("display_data", {"text/markdown": text, "text/plain": "..."}, metadata=marks)


def chapter(*outputs, tags=(opening.TAG,)):
    first = new_markdown_cell("# 9 · Films\n\n[badge](x)\n\n**Are they *real*?**\n\n*You will*\n\n- look.")
    drawing = new_code_cell("figures.films(films)", metadata={"tags": list(tags)}, outputs=list(outputs))
    return new_notebook(cells=[first, drawing])


def test_a_page_opens_with_its_figure_and_its_finding():
    made = sentence("Twelve of **14**.", finding=True)
    notebook = chapter(figure("a curve", True), sentence("By the way."), figure("a film", False), made)
    opening.place(notebook)
    question, shown, rest, drawing = notebook.cells
    assert question.source.endswith("**Are they *real*?**")
    assert shown.metadata.tags == ["remove-input"]
    assert shown.outputs[0].metadata["image/png"]["alt"] == "The figure of this chapter. a film"
    assert shown.outputs[0].data == drawing.outputs[2].data
    assert drawing.outputs[2].metadata["image/png"]["alt"] == "a film", (
        "the figure in its place keeps its words"
    )
    assert rest.source == "**You will make this figure.** Twelve of **14**.\n\n*You will*\n\n- look."
    nbformat.validate(notebook)


def test_a_chapter_without_films_opens_with_its_plot():
    notebook = chapter(figure("first", True), figure("second", True))
    assert opening.key_figure(notebook) == notebook.cells[1].outputs[0]


def test_the_front_page_answers_with_what_the_chapters_found():
    found = {name: chapter(sentence(f"Chapter {name} says so.", finding=True)) for name in ("05-b", "06-c")}
    page = front_page.answer(found | {"07-d": chapter()})
    assert page.startswith("**[Are they *real*?](notebooks/06-c.ipynb)**\n\n<details>")
    assert "\n\nChapter 06-c says so.\n\n</details>" in page and "07-d" not in page
    told = sentence("At 1 %:\n\n- *one* +.03\n- *two* +.04", finding=True)
    told["metadata"]["short"] = "A little, by 0.8. Not more."
    page = front_page.answer({"06-c": chapter(told)})
    assert page.startswith("**[Are they *real*?](notebooks/06-c.ipynb)** A little, by 0.8.\n")
    assert page.index("<details>") < page.index("Not more.") < page.index("+.03")
    assert "\n\n- *one* +.03\n- *two* +.04\n" in page, "a list stays a list"


def test_an_answer_on_the_front_page_is_one_sentence():
    short = ["A U-Net repairs better, by 0.8 dB.", "On average nothing.", "Pix2Pix invents. A filter too."]
    assert front_page.one_sentence(short) == "A U-Net repairs better, by 0.8 dB; Pix2Pix invents."
    assert front_page.one_sentence(short[1:2]) == "On average nothing."


def test_the_readme_answers_the_same_three_questions_in_a_sentence_each():
    told = re.findall(
        r"^- \[(.+)\]\(notebooks/(\d\d).*?\) (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert tuple(number for _, number, _ in told) == front_page.ANSWERING
    for asks, number, sentence in told:
        (path,) = (ROOT / "notebooks").glob(f"{number}-*.ipynb")
        assert asks == front_page.question(nbformat.read(path, as_version=4))[1]
        assert front_page.one_sentence([sentence]) == sentence and not re.search(r"\d", sentence)
    final = verdicts.differences(verdicts.read(ROOT / "book" / "results" / "grid.csv"))
    says = front_page.one_sentence([sentences.in_short(final)]).partition(": ")[2]
    assert told[1][2].endswith(says), "the final table says something else by now"


def test_a_chapter_opens_with_the_short_form_of_a_long_finding():
    told = sentence("word " * (opening.LONG + 1), finding=True)
    told["metadata"]["short"] = "In short."
    notebook = chapter(figure("a film", False), told)
    opening.place(notebook)
    assert "figure.** In short." in notebook.cells[2].source and "word" not in notebook.cells[2].source


def test_a_finding_opens_a_page_out_of_its_fold_and_a_list_stays_a_list():
    fold = "<details><summary>The numbers</summary>\n\n- one\n- two\n\n</details>"
    notebook = chapter(figure("a film", False), sentence(fold, finding=True))
    opening.place(notebook)
    assert notebook.cells[2].source.startswith("**You will make this figure.**\n\n- one\n- two\n\n*You")


def test_a_page_without_a_key_figure_stays_as_it_is():
    notebook = chapter(figure("a film", False), tags=())
    opening.place(notebook)
    assert len(notebook.cells) == 2


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_marks_its_key_figure_and_its_finding(path):
    notebook = nbformat.read(path, as_version=4)
    marked = [cell for cell in notebook.cells if opening.TAG in cell.metadata.get("tags", [])]
    assert len(marked) == 1
    assert any(call in marked[0].source for call in ("figures.", "show_films("))
    assert any("finding=True" in cell.source for cell in notebook.cells)
    assert opening.QUESTION.search(notebook.cells[0].source)


# --- folds --------------------------------------------------------------------------------------


def section(title, *children):
    return nodes.section("", nodes.title("", title), *children)


def test_exercises_and_side_roads_wait_in_a_fold():
    mark = nodes.raw("", "<!-- folded -->", format="html")
    road = section("A side road", mark, nodes.paragraph("", "More."))
    exercises = section("Exercises", nodes.paragraph("", "Do."), section("1"), section("2"))
    lesson = section("The lesson", nodes.paragraph("", "Read."), nodes.comment("", "something else"))
    page_extension.fold_sections(None, section("Chapter", road, exercises, lesson))
    for folded, words in ((road, "Show this section"), (exercises, "Show the 2 exercises")):
        title, start, *_, end = folded.children
        assert isinstance(title, nodes.title), "the heading stays to be seen"
        assert start.astext() == f'<details class="fold"><summary>{words}</summary>'
        assert end.astext() == "</details>"
    assert len(lesson.children) == 3
