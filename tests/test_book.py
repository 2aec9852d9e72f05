"""The contract of the built book, and that each way of breaking it is noticed."""

import base64
import io
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
import check  # noqa: E402
import execute  # noqa: E402
import front_page  # noqa: E402
import scoreboard  # noqa: E402
import stage  # noqa: E402

from medgan_helpers.experiments import verdicts  # noqa: E402

COLAB = "https://colab.research.google.com/github"
GOOD = '<div class="cell_output"><img src="a.png" alt="Two films"></div>'


@pytest.mark.slow
def test_the_smoke_book_keeps_its_contract():
    site = ROOT / "build" / "smoke" / "html"
    assert site.is_dir(), "run `make book PROFILE=smoke` first"
    assert check.breaches(site) == []


# --- the checks themselves ----------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    """A site of one prose page and one chapter that keeps the contract; and its table of contents."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "a.png").touch()
    (tmp_path / "intro.html").write_text('<a href="notebooks/01-x.html">first</a>')
    (tmp_path / "notebooks" / "01-x.html").write_text(GOOD)
    (tmp_path / "_toc.yml").write_text(
        "root: intro\nparts: [{caption: Chapters, chapters: [file: notebooks/01-x]}]"
    )
    return tmp_path


def breaches(site):
    return check.breaches(site, site / "_toc.yml")


def test_a_good_site_passes(site):
    assert breaches(site) == []


def test_a_missing_page_is_noticed(site):
    (site / "notebooks" / "01-x.html").unlink()
    found = breaches(site)
    assert "notebooks/01-x.html: missing" in found and any("leads to" in line for line in found)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>no output</p>", "without outputs"),
        (GOOD + '<div class="cell_output"><div class="output traceback">E</div></div>', "failed cell"),
        ('<div class="cell_output"><img src="a.png"></div>', "no alt text"),
        ('<div class="cell_output"><img src="a.png" alt="  "></div>', "no alt text"),
        ('<div class="cell_output"><img src="a.png" alt="../_images/0af3.png"></div>', "no alt text"),
        (GOOD + '<script src="https://cdn.example.org/x.js"></script>', "from outside"),
        (GOOD + '<link rel="stylesheet" href="//fonts.example.org/x.css">', "from outside"),
        (GOOD + '<img alt="badge" src="https://example.org/badge.svg">', "from outside"),
        (GOOD + "<table><tr><th>a</th><th>&nbsp;</th></tr></table>", "1 heads of tables without words"),
        (GOOD + '<a href="nowhere.html">x</a>', "leads to nowhere.html"),
        (GOOD + f'<a href="{COLAB}/a/b/blob/main/no.ipynb">x</a>', "Colab link to no.ipynb"),
    ],
)
def test_a_broken_page_is_noticed(site, html, words):
    (site / "notebooks" / "01-x.html").write_text(html)
    found = breaches(site)
    assert len(found) == 1 and words in found[0]


def test_figures_that_share_an_alt_text_are_noticed(site):
    (site / "notebooks" / "b.png").touch()
    page, other = site / "notebooks" / "01-x.html", GOOD.replace("a.png", "b.png")
    page.write_text(GOOD + GOOD + other.replace("cell_output", "prose"))  # one figure, and a picture in prose
    assert breaches(site) == []
    page.write_text(GOOD + other)
    assert breaches(site) == ["notebooks/01-x.html: figures a.png, b.png share the alt text 'Two films'"]


def test_a_heavy_page_is_noticed(site):
    (site / "big.js").write_bytes(bytes(check.HEAVY * 10**6))
    (site / "intro.html").write_text('<script src="big.js?v=1"></script><script src="big.js"></script>')
    assert breaches(site) == ["intro.html: weighs 6.0 MB with all that it loads: at most 6"]


def test_an_outside_font_in_a_style_sheet_is_noticed(site):
    (site / "a.css").write_text('@import "https://fonts.example.org/a.css"; body{background:url(b.png)}')
    assert [line for line in breaches(site) if "fonts.example.org" in line]


def test_a_link_to_another_site_is_no_load(site):
    (site / "intro.html").write_text(
        '<a href="https://example.org">x</a><link rel="canonical" href="https://a.b">'
    )
    assert breaches(site) == []


# --- running and staging one notebook -----------------------------------------------------------


def run(folder, code, *parameters):
    """Execute a notebook of two cells, parameters and `code`, with the script that the Makefile calls."""
    cells = [new_code_cell("A = 1", metadata={"tags": ["parameters"]}), new_code_cell(code)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "x.ipynb")
    execute = ROOT / "book" / "scripts" / "execute.py"
    command = [sys.executable, execute, folder / "x.ipynb", folder / "out.ipynb"]
    return subprocess.run([*command, *parameters], capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.slow
def test_a_failing_cell_stops_the_build_with_its_traceback(tmp_path):
    done = run(tmp_path, "print('alive', A)\nraise KeyError('the lesion')", "A=2")
    assert done.returncode == 1
    assert "alive 2" in done.stdout and "KeyError: 'the lesion'" in done.stderr
    assert (tmp_path / "out.failed.ipynb").is_file()
    assert not (tmp_path / "out.ipynb").exists() and not (tmp_path / "out.running.ipynb").exists()


@pytest.mark.slow
def test_an_unknown_parameter_stops_the_build(tmp_path):
    done = run(tmp_path, "A", "PROFIL=smoke")
    assert done.returncode == 1 and "no parameter PROFIL" in done.stderr
    assert not list(tmp_path.glob("out*"))


def drawn_figure(alt, size=(900, 10)):
    png = io.BytesIO()
    Image.new("L", size).save(png, "png")
    data = {"image/png": base64.b64encode(png.getvalue()).decode()}
    return new_output("display_data", data, metadata={"image/png": {"alt": alt, "plot": alt == "MR"}})


@pytest.mark.slow
def test_each_figure_of_a_cell_keeps_its_own_alt_text(tmp_path):
    said = [new_output("stream", name="stdout", text=text) for text in ("one\n", "two\n", "three\n")]
    outputs = [
        said[0],
        drawn_figure("CT"),
        said[1],
        drawn_figure("MR", (700, 10)),
        said[2],
        drawn_figure("X"),
    ]
    cell = new_code_cell("draw()", outputs=outputs, metadata={"tags": ["solution", "hide-input"]})
    notebook = new_notebook(cells=[cell, new_code_cell("1")], metadata={"papermill": {"duration": 90.0}})
    nbformat.write(notebook, tmp_path / "01-x.ipynb")
    stage.stage(tmp_path / "01-x.ipynb", tmp_path / "page.ipynb")
    page = nbformat.read(tmp_path / "page.ipynb", as_version=4)
    nbformat.validate(page)
    *cells, last = page.cells
    assert [output for cell in cells for output in cell.outputs] == outputs and last.source == "1"
    images = [cell.metadata.mystnb.image for cell in cells]
    assert images == [
        {"alt": "CT", "classes": "wide"},
        {"alt": "MR", "classes": "plot"},
        {"alt": "X", "classes": "wide"},
    ]
    tags = [cell.metadata.tags for cell in cells]
    assert tags == [["solution", "hide-input"], *[["solution", "remove-input"]] * 2]
    assert all(cell.source for cell in cells)  # myst-nb leaves out a cell without source, outputs and all
    assert len({cell.id for cell in page.cells}) == 4


def test_staging_prepares_a_page(tmp_path):
    figure = drawn_figure("A film")
    bar = [new_output("stream", name="stderr", text=text) for text in ("\r 0%", "\r100%\n")]
    injected = new_code_cell("PROFILE = 'smoke'", metadata={"tags": ["injected-parameters"]})
    cells = [injected, new_code_cell("draw()", outputs=[figure]), new_code_cell("train()", outputs=bar)]
    notebook = new_notebook(cells=cells, metadata={"papermill": {"duration": 90.0}})
    nbformat.write(notebook, tmp_path / "01-x.ipynb")
    stage.stage(tmp_path / "01-x.ipynb", tmp_path / "page.ipynb")
    assert stage.minutes(notebook) == 1.5
    hidden, drawn, trained = nbformat.read(tmp_path / "page.ipynb", as_version=4).cells
    assert "remove-cell" in hidden.metadata.tags
    assert drawn.metadata.mystnb.image == {"alt": "A film", "classes": "wide"}
    assert [output.text for output in trained.outputs] == ["100%\n"]


def test_the_scoreboard_holds_every_recorded_score(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text(
        "name,value,low,high,n,unit,notebook\nauc/1/none/macro,.625,.6,.65,300,AUROC,06-x\ngap/1/none,.01,,,2,,06-x\n"
    )
    headlines, text = scoreboard.pages(path)
    assert "<code>auc</code>, 1 scores" in text and "<code>gap</code>, 1 scores" in text
    assert "[Gap between validation and training loss, 1 %?](notebooks/06-x.ipynb) |" in headlines
    assert "| – with StarGAN's films | 0.01 none |" in headlines, "recorded without GAN films alone"
    assert (
        "| auc/1/none/macro | 0.625 | 0.600 to 0.650 | larger | 300 | AUROC | [06](notebooks/06-x.ipynb) |"
        in text
    )
    assert scoreboard.pages(tmp_path / "none.csv")[1] == "No score was recorded.\n"


def test_headlines_compare_with_the_best_conventional_method():
    row = {"low": "", "high": "", "notebook": "04-x", "unit": "dB"}
    scores = {
        f"restore/ct/psnr/{name}": row | {"name": f"restore/ct/psnr/{name}", "value": value}
        for name, value in (("degraded", "40"), ("tv", "30"), ("sart", "31"), ("unet", "33"))
    }
    line = next(line for line in scoreboard.headlines(scores).splitlines() if "sparse CT" in line)
    assert "| – Pix2Pix; 33 U-Net | 31 the best conventional method |" in line
    assert line.startswith("| [How well is a sparse CT restored (PSNR, dB)?](notebooks/04-x.ipynb) ↑ |")
    lines = [line for line in scoreboard.headlines({}).splitlines() if " et al. " in line or " & " in line]
    assert len(lines) == len(scoreboard.read(scoreboard.HEADLINES))
    assert all("Bharti et al. 2024" in line or "Sundaram & Hulkund 2021" in line for line in lines)
    assert "may be Edema" in next(line for line in lines if "0.758" in line)


def test_headlines_that_answer_a_claim_come_first_and_the_others_are_folded():
    text = scoreboard.headlines({})
    first, fold = text.split("<details>")
    assert "not measured" not in first and "not tried" not in first and "see the rows above" not in first
    rows = [line for line in fold.splitlines() if line.startswith("| ")][2:]
    assert f"<summary>{len(rows)} questions" in fold
    assert all(any(words in line for words in scoreboard.NO_CLAIM) for line in rows)
    claims = [line for line in first.splitlines() if line.startswith("| ")][2:]
    assert first.strip().endswith("- *Pix2Pix:* X-ray and MR at 5 times the paper's adversarial weight.")
    assert len(claims) == 10, "the scoreboard opens with ten headline numbers"
    unit = {"low": "", "high": "", "notebook": "06-x", "unit": "AUROC, first look", "value": "1"}
    said = scoreboard.headlines({"auc/1/stargan/Lung Lesion": unit})
    assert "- *Lung Lesion from 1 % of the films (AUROC)?* first look." in said


def test_the_claims_about_the_final_grid_have_its_numbers_on_both_sides():
    named = [
        name.removeprefix("auc/1/")
        for row in scoreboard.read(scoreboard.HEADLINES)
        for name in ";".join((row["score"], row["beside"])).split(";")
        if name.startswith("auc/1/")
    ]
    assert len(named) >= 6
    assert {"none/Lung Lesion", "standard/rare"} <= {*named}, "like for like, and where the sign turns"
    arms = {name.split("/")[0] for name in named}
    grid = pd.read_csv(scoreboard.RESULTS / "grid.csv").query("percent == 1").assign(resamples=None)
    scores = verdicts.scores_to_record(grid[grid["arm"].isin(arms)], 1)  # intervals over seeds: quick
    for name in named:
        value, low, high = list(scores[name])[:3]
        assert low < value < high, name


def test_the_page_of_the_blinded_test_holds_the_form_of_the_run(tmp_path):
    assert "has not run" in stage.blinded_test(tmp_path / "form.html", tmp_path)
    (tmp_path / "form.html").write_text("<form>…</form>")
    assert stage.blinded_test(tmp_path / "form.html", tmp_path) == "```{raw} html\n<form>…</form>\n```\n"
    page = (ROOT / "book" / "would-you-be-fooled.md").read_text()
    assert "_fooled.md" in page and "_fooled_real.md" in page


def test_a_page_shows_progress_as_a_terminal_would():
    assert stage.screen("step 1\rstep 2\nend\n") == "step 2\nend\n"
    nested = "cells 0\n\rnetwork 1\x1b[A\n\rnetwork 2\x1b[A\rcells 1\n"  # a bar inside a bar
    assert stage.screen(nested) == "cells 1\nnetwork 2"


def test_a_progress_bar_keeps_what_fits_a_page():
    bar = "DenseNet: 100%|██████████| 120/120 [00:15<00:00,  7.72step/s, images_per_second=236, loss=0.334]"
    assert (
        stage.short_progress(f"{bar}\nend [a, b]\n")
        == "DenseNet: 100% 120/120 in 00:15, 7.72step/s\nend [a, b]\n"
    )
    begun = "cells:   0%|          | 0/8 [00:00<?, ?it/s]"
    assert stage.short_progress(begun) == "cells:   0% 0/8 in 00:00, ?it/s"
    cell = new_code_cell("fit()", outputs=[new_output("stream", name="stderr", text=bar)])
    stage.settle_progress(cell)
    assert cell.outputs[0].text == "DenseNet: 100% 120/120 in 00:15, 7.72step/s"


@pytest.mark.parametrize(("value", "said"), [("0.70512", "0.705"), ("23.31", "23.3"), ("2713.4", "2,713")])
def test_headlines_are_short(value, said):
    assert scoreboard.short(value) == said


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (".0634695", ".0543", ".0727", "0.063 (0.054 to 0.073)"),
        ("26.8686", "26.5384", "27.1748", "26.9 (26.5 to 27.2)"),
        ("-.010961", "-.022", ".001", "-0.011 (-0.022 to 0.001)"),
        ("2713.4", "2500", "2900", "2,713 (2,500 to 2,900)"),
        ("1", "1", "1", "1 (1 to 1)"),
        ("0.70512", "", "", "0.705"),
    ],
)
def test_a_score_has_the_digits_that_its_interval_allows(value, low, high, said):
    assert scoreboard.number({"value": value, "low": low, "high": high}) == said


def test_the_name_of_a_score_tells_which_way_is_better():
    names = ("restore/ct/psnr/unet", "restored_auc/x", "stargan/kid_made/Edema", "audit/leaky generator")
    assert [scoreboard.better(name) for name in names] == ["larger", "larger", "smaller", ""]


def test_the_front_page_says_which_studies_are_missing(tmp_path):
    assert all(what in front_page.unfinished(tmp_path) for what in front_page.STUDIES.values())
    cells = [f"none,{seed}" for seed in range(5)]
    (tmp_path / "grid.csv").write_text("\n".join(["arm,seed", *cells, "oracle,0"]))
    assert "final grid" in front_page.unfinished(tmp_path)  # one arm has too few seeds for a verdict
    (tmp_path / "grid.csv").write_text("\n".join(["arm,seed", *cells]))
    text = front_page.unfinished(tmp_path)
    some, more = ([f"{arm},{seed},{p}" for arm in front_page.ARMS for seed in range(5)] for p in (1, 10))
    (tmp_path / "grid.csv").write_text("\n".join(["arm,seed,percent", *some, *more]))
    assert "chapter 6 (50 and 100 % not run);" in front_page.unfinished(tmp_path)
    (tmp_path / "grid.csv").write_text("\n".join(["arm,seed,percent", *some, "none,0,10"]))
    assert "chapter 6 (10 % in part; 50 and 100 % not run);" in front_page.unfinished(tmp_path)
    others = [line for line in more if "oracle" not in line]  # every arm but one has all its seeds
    (tmp_path / "grid.csv").write_text("\n".join(["arm,seed,percent", *some, *others]))
    assert "chapter 6 (10 % in part; 50 and 100 % not run);" in front_page.unfinished(tmp_path)
    assert "final grid" not in text and "equal-cost" in text and "real films" in text
    for name in front_page.STUDIES:
        (tmp_path / name).write_text("model\nflow\n")
    assert "all have tables" in front_page.unfinished(tmp_path)


def test_the_front_page_has_a_card_for_each_chapter(tmp_path):
    (tmp_path / "images").mkdir()
    title = nbformat.v4.new_markdown_cell("# 3 · DCGAN\n\n**Can noise become a film?**")
    notebook = new_notebook(cells=[title, new_code_cell("draw()", outputs=[drawn_figure("A film")])])
    text = front_page.cards({"03-dcgan": notebook}, tmp_path)
    assert "3 · DCGAN" in text and "Can noise become a film?" in text and ":link: notebooks/03-dcgan" in text
    assert ":img-alt: From chapter 3 · DCGAN: A film" in text
    assert Image.open(tmp_path / "images" / "card-03-dcgan.png").width <= front_page.CARD[0]


def test_a_kernel_that_did_not_start_is_started_again():
    tries = []

    def work(fails, words):
        tries.append(words)
        if len(tries) <= fails:
            raise RuntimeError(words)
        return "done"

    died = "Kernel died before replying to kernel_info"
    assert execute.once_more_without_a_kernel(work, 2, words=died) == "done" and len(tries) == 3
    with pytest.raises(RuntimeError, match="out of memory"):
        execute.once_more_without_a_kernel(work, 9, words="out of memory")
    with pytest.raises(RuntimeError, match="Kernel died"):
        execute.once_more_without_a_kernel(work, 99, words=died)
    assert len(tries) == 3 + 1 + 3


def test_a_build_that_nobody_waits_for_leaves_the_site_as_it_is(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "page.md").write_text("of another build")
    command = [sys.executable, ROOT / "book" / "scripts" / "build_site.py", tmp_path, "x.ipynb"]
    gone = os.environ | {"ASKED_BY": "1"}
    done = subprocess.run(command, env=gone, capture_output=True, text=True)
    assert done.returncode == 1 and "whoever asked for this site is gone" in done.stderr
    assert (tmp_path / "pages" / "page.md").is_file() and not (tmp_path / "html").exists()
