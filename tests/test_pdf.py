"""The book on paper: pages become sheets, links lead inside, the contents have the right numbers."""

import shutil
import subprocess
from pathlib import Path

import pdf
import pytest
import yaml
from browser import Browser

PAGE = (
    '<html><body><article class="bd-article"><section id="{id}"><h1>{title}<a class="headerlink">#</a></h1>'
)
CODE = '<details class="hide above-input"><pre># @title Draw it\nsecret = 1</pre></details>'
LINE = "x" * 100
TOC = {"root": "a", "parts": [{"caption": "Part", "chapters": [{"file": "in/b"}]}]}


@pytest.fixture
def site(tmp_path):
    (tmp_path / "in").mkdir()
    first = f'{PAGE.format(id="one", title="First")}<p>See <a href="in/b.html#x">there</a>.</p>{CODE}'
    second = (
        f'{PAGE.format(id="two", title="Second")}<p id="x"><a href="../a.html">Back</a></p><pre>{LINE}</pre>'
    )
    (tmp_path / "a.html").write_text(first + "<details><summary>Hint</summary>Think.</details>")
    (tmp_path / "in" / "b.html").write_text(second + '<img src="../p.png" alt="a plot">')
    (tmp_path / "toc.yml").write_text(yaml.safe_dump(TOC))
    return tmp_path


def test_links_lead_inside_and_folded_code_is_named(site):
    text = pdf.one_page(site, TOC, "Book", {"in-b": 4})
    assert 'href="#in-b--x"' in text and 'href="#a"' in text and 'id="in-b--x"' in text
    assert "Code, folded: Draw it" in text and "secret" not in text
    assert "<details open" in text and 'src="p.png"' in text and "headerlink" not in text
    assert '<a href="#in-b">Second</a><span>4</span>' in text
    assert "Nothing here is for diagnosis" in text.partition('class="contents"')[0]


def test_a_blind_test_is_one_pair_and_an_address(site):
    pair = '<fieldset><div class="pair"><label><input type="radio"><img src="p.png"></label></div></fieldset>'
    page = site / "a.html"
    page.write_text(page.read_text() + f'<form class="turing">{pair * 24}<button>Next</button></form>')
    text = pdf.one_page(site, TOC, "Book", {})
    body = text.partition("</head>")[2]
    assert body.count('class="pair"') == 1 and "<input" not in body and "Next" not in body
    assert "One of 24 pairs" in body and 'href="https://' in body and "/a.html" in body


@pytest.mark.slow
def test_answers_are_not_torn_apart_and_a_heading_stays_with_its_figure(site):
    answers = "".join(f'<li id="answer{number}">Yes.</li>' for number in range(6))
    fold = f'<details class="quiz-answers"><summary>Answers</summary><ol>{answers}</ol></details>'
    filler = '<div style="height: {}mm"></div>'
    shown = '<div style="height: 60mm; break-inside: avoid">F</div>'
    cell = f'<div class="cell"><p class="folded">Code</p>{shown}</div>'
    text = PAGE.format(id="one", title="First") + filler.format(225) + fold + filler.format(180)
    (site / "a.html").write_text(
        f'{text}<h2 id="late">Late</h2><p id="say">Look.</p>{cell}<p id="end">End.</p>'
    )
    links = [*(f"answer{number}" for number in range(6)), "late", "end"]
    listed = "".join(f'<a href="a.html#{name}">.</a>' for name in links)
    (site / "in" / "b.html").write_text(
        PAGE.format(id="two", title="Second") + listed.replace("a.html", "../a.html")
    )
    pdf.main(site, site / "book.pdf", site / "toc.yml")
    places = pdf.sheets_of((site / "book.pdf").read_bytes())
    assert places["a--answer0"] == places["a--answer5"]
    assert places["a--late"] == places["a--end"]


@pytest.mark.slow
def test_two_pages_come_out_as_two_sheets_after_the_contents(site):
    target = site / "book.pdf"
    pdf.main(site, target, site / "toc.yml")
    places = pdf.sheets_of(target.read_bytes())
    assert (places["a"], places["in-b"], places["in-b--x"]) == (3, 4, 4)
    assert not (site / "_whole-book.html").exists()
    if shutil.which("pdftotext"):
        command = ["pdftotext", "-layout", str(target), "-"]
        sheets = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\f")
        assert [line.split() for line in sheets[1].splitlines() if "First" in line] == [["First", "3"]]
        assert "Think." in sheets[2] and LINE in sheets[3]


ASSETS = Path(__file__).resolve().parents[1] / "book" / "_assets"
STYLED = """<html data-theme="dark"><head><link rel="stylesheet" href="{assets}/course.css">
<style>html {{ --pst-color-text-base: #ced6dd }} body {{ color: var(--pst-color-text-base); margin: 0 }}
pre {{ padding: 16px; font: 16px monospace }} .gold {{ color: gold }}</style>
<script>const DOCUMENTATION_OPTIONS = {{}};</script><script src="{assets}/course.js"></script></head>
<body><div class="bd-main"><main class="bd-content" style="max-width: 800px">
<details class="fold"><summary>Show the 5 exercises</summary><p id="exercise">Replace the dots.</p></details>
<div class="cell_output"><div class="highlight"><pre><span class="gold">{line}</span></pre></div></div>
<table id="wide"><tr>{cells}</tr></table>
<div class="cell_output" id="films"><img width="617" height="50" src="p.png"></div>
</main></div></body></html>"""


@pytest.fixture
def styled(tmp_path):
    """A page with the course's style and script, in the dark theme, open in a browser."""
    cells = "<td>comparison</td>" * 12
    (tmp_path / "page.html").write_text(STYLED.format(assets=ASSETS.as_uri(), line="x" * 110, cells=cells))
    with Browser() as browser:
        yield browser.open((tmp_path / "page.html").as_uri(), 1280)


@pytest.mark.slow
def test_a_dark_page_is_dark_ink_on_paper_and_nothing_is_cut(styled):
    styled.call("Emulation.setEmulatedMedia", {"media": "print"})
    styled.show(720)
    styled.call("Emulation.setEmulatedMedia", {"media": "print"})
    colour = "getComputedStyle(document.querySelector('{}')).color"
    assert (
        styled.evaluate(colour.format(".gold")) == styled.evaluate(colour.format("body")) == "rgb(20, 24, 30)"
    )
    wide = "document.querySelector('{}').getBoundingClientRect().right"
    assert styled.evaluate(wide.format("#films img")) <= 720
    assert styled.evaluate("getComputedStyle(document.querySelector('#wide')).display") == "table"


@pytest.mark.slow
def test_exercises_are_open_on_paper_and_closed_again(styled):
    shown = "document.querySelector('details.fold').open"
    assert not styled.evaluate(shown)
    styled.evaluate("dispatchEvent(new Event('beforeprint')), 0")
    assert styled.evaluate(shown)
    styled.evaluate("dispatchEvent(new Event('afterprint')), 0")
    assert not styled.evaluate(shown)


@pytest.mark.slow
def test_what_scrolls_says_so_and_source_of_110_letters_does_not_scroll(styled):
    hint = "getComputedStyle(document.querySelector('{}'), '::before').content"
    assert styled.evaluate("(({scrollWidth: a, clientWidth: b}) => a <= b)(document.querySelector('pre'))")
    assert styled.evaluate(hint.format("#films")) == "none"
    styled.show(390)
    styled.wait("document.querySelector('#films').tabIndex === 0", 10)
    for what in ("#films", "#wide"):
        assert "scroll sideways" in styled.evaluate(hint.format(what))
