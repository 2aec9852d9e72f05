"""How pages open, by figure and finding from the executed notebook, and what waits in a fold."""

import base64
import re
from pathlib import Path

import chapter_answers as answers
import front_page
import nbformat
import opening
import page_extension
import pandas as pd
import pytest
from docutils import nodes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from medgan_helpers import cam, metrics, paper_faults, paragraphs, training
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


def test_two_findings_become_one_sentence():
    assert (
        front_page.one_sentence(["It is so. More.", "On films it is not."]) == "It is so; on films it is not."
    )
    assert front_page.one_sentence(["It is so.", "Pix2Pix is."]) == "It is so; Pix2Pix is."


def test_the_readme_answers_the_same_three_questions_in_a_sentence_each():
    told = re.findall(
        r"^- \[(.+)\]\(notebooks/(\d\d).*?\) (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert tuple(number for _, number, _ in told) == front_page.ANSWERING
    for asks, number, sentence in told:
        (path,) = (ROOT / "notebooks").glob(f"{number}-*.ipynb")
        assert asks == front_page.question(nbformat.read(path, as_version=4))[1]
        assert front_page.one_sentence([sentence]) == sentence and not re.search(r"\d", sentence)
    repairs, looked = told[0][2], told[2][2]
    said = "\n".join(pd.read_csv(answers.TABLE).says)
    better = "better than the best conventional method"
    assert repairs.startswith(f"A U-Net repairs X-ray, CT and MR images {better},")
    assert f"A U-Net repairs {better} for X-ray, CT and MR, by" in said
    assert "a network with a discriminator more often leaves a patch of lung too bright" in repairs
    shares = re.search(r"Pix2Pix.* in (\d+) % .*healthy films, the U-Net in (\d+) %", said)
    assert int(shares[1]) > int(shares[2])
    assert looked == "For most findings the map of where the classifier looked follows the finding."
    follows, tested, of = re.search(
        r"For (\d+) of (?:the )?(\d+) findings(?: that could be tested, of (\d+),)? the map of where",
        said,
    ).groups()
    assert int(follows) > int(of or tested) / 2
    final, again = (
        verdicts.read(ROOT / "book" / "results" / name) for name in ("grid.csv", "grid_again.csv")
    )
    alone = verdicts.differences(pd.concat([again, final[final["arm"].isin(verdicts.ON_CPU)]]))
    judged = verdicts.differences(final, again=again)
    says = front_page.one_sentence([sentences.in_short(judged, alone)])
    says = re.sub(r" \([-+][\d.]+\)", "", says).partition(": ")[2].rstrip(".")  # without numbers
    assert told[1][2].rstrip(".").endswith(says), "the final table says something else by now"


def test_the_committed_answers_are_what_executed_chapters_said(tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "TABLE", tmp_path / "answers.csv")
    told = sentence("It does, by **1**.", finding=True)
    told["metadata"]["short"] = "It does."
    notebook, paths = chapter(told), [tmp_path / f"{number}-x.ipynb" for number in ("03", "04", "06", "07")]
    for profile in ("smoke", "class"):
        ran = {"parameters": {"PROFILE": profile}, "end_time": "2026-01-02T03:04:05"}
        notebook.metadata["papermill"] = ran
        for path in paths:
            nbformat.write(notebook, path)
        if profile == "smoke":
            with pytest.raises(ValueError, match="not run in the class profile"):
                answers.main(*paths)
    answers.main(*paths)
    table = pd.read_csv(answers.TABLE)
    assert list(table.chapter) == ["04-x", "06-x", "07-x"] and set(table.says) == {"It does."}
    assert set(table.run) == {"2026-01-02"}
    with pytest.raises(ValueError, match="expected chapters 04, 06, 07"):
        answers.main(*paths[:2])


def test_a_chapter_opens_with_the_short_form_of_its_finding():
    told = sentence("word", finding=True)
    told["metadata"]["short"] = "In short."
    notebook = chapter(figure("a film", False), told)
    opening.place(notebook)
    assert "figure.** In short." in notebook.cells[2].source and "word" not in notebook.cells[2].source


def told_in_short():
    """{chapter: what it opens with}, from numbers like those of a run."""
    few = metrics.Estimate(0.028, -0.012, 0.068)
    ledger = paper_faults.Ledger()
    for fault, (value, low, high) in {
        "names swapped": (0.25, 0.12, 0.39),
        "a leak": (0.05, -0.1, 0.2),
    }.items():
        ledger.rows[fault] = {"value": value, "low": low, "high": high}
    verdicts = pd.Series({"mode collapse": "one film", "checkerboard": "healthy"})
    leads = {
        name: {"lead": metrics.Estimate(0.6, low, 0.7), "chance": metrics.Estimate(0.3, 0.2, 0.4)}
        for name, low in (("Fracture", 0.5), ("Edema", -0.1))
    }
    return {
        "02": paragraphs.difference_in_short(few),
        "03": paragraphs.learnt_in_short({"thumbnails": (5550, 45, 23), "imagenet": (1465, 835, 4)}),
        "07": cam.pointed(leads),
        "08": training.curves_in_short(verdicts),
        "09": ledger.in_short(),
    }


SPOILS = {  # what each chapter asks to be predicted
    "02": "zero|shown that|[Hh]elped|hurt|0.028",  # does the AUROC gain?
    "03": "heart|lung|texture|grain|thumbnail|photograph",  # what does each ruler see?
    "07": "Fracture|Edema",  # for which finding is knowing the place enough?
    "08": "collapse|checkerboard",  # which failures do the curves miss?
    "09": "names|leak",  # which fault is the largest?
}


@pytest.mark.parametrize("chapter", SPOILS)
def test_an_opening_leaves_open_what_the_chapter_asks(chapter):
    says = told_in_short()[chapter]
    assert re.search(r"\d", says) and not re.search(SPOILS[chapter], says), says
    (path,) = (ROOT / "notebooks").glob(f"{chapter}-*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    assert all("short=" in cell.source for cell in cells if "finding=True" in cell.source)


def test_openings_in_short_say_what_was_measured():
    says = told_in_short()
    assert "±0.040" in says["02"] and "from 1465 to **835** (films of other patients: 4)" in says["03"]
    assert says["08"] == "The curves give 1 of 2 failing runs away; the others take eyes."
    counts = "Faults that are measured here: 2. Shown to move the AUROC: 1."
    assert says["09"] == counts
    assert training.curves_in_short(pd.Series({"a": "one film"})).endswith("give 1 of 1 failing runs away.")
    nothing = metrics.Estimate(*[float("nan")] * 3)
    assert "Nothing was measured" in paragraphs.difference_in_short(nothing)


def test_the_figure_that_opens_chapter_9_is_not_its_ledger():
    (path,) = (ROOT / "notebooks").glob("09-*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    (key,) = [cell.source for cell in cells if opening.TAG in cell.metadata.get("tags", [])]
    assert "film_rows" in key and "ledger" not in key


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
