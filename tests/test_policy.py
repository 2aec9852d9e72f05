"""The site works under a strict Content-Security-Policy: no inline script of ours, no eval."""

import contextlib
import functools
import http.server
import threading
from pathlib import Path

import browser
import numpy as np
import policy
import pytest
from bs4 import BeautifulSoup

from medgan_helpers import reader_study

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "build" / "smoke" / "html"


def test_a_script_of_a_form_moves_into_a_file(tmp_path):
    html = (
        '<form></form><script>\nscore();\n</script><script src="a.js"></script><script type="x/y">{}</script>'
    )
    moved = policy.outsource(html, tmp_path / "inline", "../_static/inline")
    (file,) = (tmp_path / "inline").iterdir()
    assert file.read_text() == "\nscore();\n"
    assert moved == html.replace(
        "<script>\nscore();\n", f'<script defer src="../_static/inline/{file.name}">'
    )
    assert policy.inline_scripts(moved) == []


def test_the_policy_allows_what_stands_in_pages_by_its_hash_alone():
    said = policy.policy(["<script>a = 1</script>", "<script>a = 1</script><script type='x'></script>"])
    assert said.count("'sha256-") == 1 and "unsafe-eval" not in said
    scripts = next(rule for rule in said.split("; ") if rule.startswith("script-src"))
    assert "unsafe-inline" not in scripts and "*" not in said and "http" not in said


@contextlib.contextmanager
def served(folder, rules):
    """The address of a server that gives a folder, every file under these rules."""

    class Strict(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def end_headers(self):
            self.send_header("Content-Security-Policy", rules)
            super().end_headers()

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Strict, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    with browser.Browser() as running:
        yield running


def refusals(page):
    """What the policy refused; the theme's own handlers in attributes are known (book/instructors.md)."""
    return [
        text for text in page.problems if "Content Security Policy" in text and "event handler" not in text
    ]


@pytest.mark.slow
def test_no_page_holds_a_script_of_ours():
    theirs = ("DOCUMENTATION_OPTIONS", "document.documentElement.dataset", "let toggle", "var togglebutton",
              "kernelName", "window.MathJax", "// Activate the search")  # fmt: skip
    assert SITE.is_dir(), "run `make book PROFILE=smoke` first"
    for file in SITE.rglob("*.html"):
        codes = policy.inline_scripts(file.read_text())
        assert [code[:80] for code in codes if not code.strip().startswith(theirs)] == [], file.name
        page = BeautifulSoup(file.read_text(), "html.parser")
        handlers = [
            tag.name for tag in page.select(".bd-article *") if any(key.startswith("on") for key in tag.attrs)
        ]
        assert handlers == [], file.name


@pytest.mark.slow
def test_a_live_figure_and_a_quiz_work_under_the_policy(chromium):
    assert SITE.is_dir(), "run `make book PROFILE=smoke` first"
    rules = policy.policy(file.read_text() for file in SITE.rglob("*.html"))
    with served(SITE, rules) as address:
        page = chromium.open(f"{address}/notebooks/03-dcgan.html")
        page.wait("document.querySelector('.live-figure').dataset.ready === 'true'")
        page.evaluate("document.querySelector('.quiz-question input[data-right=true]').click()")
        page.wait("document.querySelector('.quiz-feedback').textContent.startsWith('✓')")
        assert refusals(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("moved", [True, False])
def test_the_blinded_test_works_once_its_script_is_a_file(chromium, tmp_path, moved):
    films = np.random.default_rng(0).integers(0, 256, (8, 32, 32), dtype=np.uint8)
    form = reader_study.form(reader_study.make({"a": (films[:4], films[4:])}, pairs=4))
    if moved:
        form = policy.outsource(form, tmp_path / "inline", "inline")
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset='utf-8'><body>{form}</body>")
    hidden = "Array.from(document.querySelectorAll('.question')).filter((pair) => pair.hidden).length"
    with served(tmp_path, policy.policy([])) as address:
        page = chromium.open(f"{address}/page.html")
        if moved:
            page.wait(f"{hidden} === 3")
        assert page.evaluate(hidden) == (3 if moved else 0)
        assert bool(refusals(page)) != moved, "an inline script is refused"
