"""The book on paper: pages become sheets, links lead inside, the contents have the right numbers."""

import shutil
import subprocess

import pdf
import pytest
import yaml

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
