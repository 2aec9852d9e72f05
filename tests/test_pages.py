"""Every built page in a real browser, from a disc: light and dark, on a desk and on a phone.

axe-core looks for what keeps people out (https://github.com/dequelabs/axe-core); the rest is ours: no error
in the console, nothing asked of another computer, no page that scrolls sideways, headings in order, films
untouched by the dark theme, a search that works without network.
"""

import itertools
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import browser
import check
import numpy as np
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "build" / "smoke" / "html"
PAGES = [*check.toc_pages(yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())), "search"]
DESK, PHONE = 1280, 390
TALL = 2000  # of a window that holds every figure whole
VARIANTS = {
    "desk": (DESK, False),
    "desk, dark": (DESK, True),
    "phone": (PHONE, False),
    "phone, dark": (PHONE, True),
}
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
# Thousands of coloured words of code: their contrast is looked at on one page, it is the same on all.
CODE, PAGE_WITH_CODE = "div.highlight", "how-to-use"
RUN_AXE = """axe.run({include: [['body']], exclude: %s},
  {resultTypes: ['violations'], preload: false, %s}).then((found) =>
  found.violations.filter(({impact}) => impact === 'serious' || impact === 'critical').map(
    ({id, nodes}) => `${id} (${nodes.length}): ${nodes[0].html.slice(0, 160)}`))"""
ALL, COLOURS = "", "runOnly: ['color-contrast']"  # a theme changes colours, a width all but colours
ALL_BUT_COLOURS = "rules: {'color-contrast': {enabled: false}}"
RULES = {"desk": ALL, "desk, dark": COLOURS, "phone": ALL_BUT_COLOURS, "phone, dark": COLOURS}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
HEADINGS = (
    "Array.from(document.querySelectorAll('main :is(h1, h2, h3, h4, h5, h6)'))"
    ".filter((title) => title.checkVisibility()).map((title) => Number(title.tagName[1]))"
)
EMPTY_ICONS = (  # book/scripts/lighten.py has thrown away those that no page names
    "Array.from(document.querySelectorAll('svg.svg-inline--fa')).filter((icon) =>"
    " !icon.querySelector('path[d]') || icon.querySelector('.missing')).map((icon) => icon.dataset.icon)"
)
REVEAL = "document.querySelectorAll('.show-result').forEach((button) => button.click())"
# Films as chapters and prose show them. The front page's cards are no such figures: they are buttons to a
# chapter, scaled to the width of a card. The blinded test shows its films in frames of its own.
FILMS = ".cell_output img:not(.plot), figure > img"
FIGURES = (
    f"Array.from(document.querySelectorAll('{FILMS}'))"
    """.map((image) => {
  const [box, style] = [image.getBoundingClientRect(), getComputedStyle(image)];
  return [box.width, box.height, style.padding, style.filter, style.opacity, style.mixBlendMode];})"""
)

OPEN = "document.querySelectorAll('article details').forEach((fold) => { fold.open = true; })"
SIZES = (
    f"Array.from(document.querySelectorAll('{FILMS}'))"
    """.map((image) =>
  [image.width, image.naturalWidth, image.closest('.cell_output, figure').clientWidth])"""
)
# Of 800 pixels, with every result shown; they were 46 and 42 once.
SCREENS = {"05-stargan": 35, "07-cam-interpretation": 24}

pytestmark = pytest.mark.slow  # a browser draws every page four times


@pytest.fixture(scope="module")
def chromium():
    assert SITE.is_dir(), "run `make book PROFILE=smoke` first"
    with browser.Browser() as running:
        yield running


@pytest.fixture(params=PAGES)
def page(request, chromium):
    """One page, its name in `page.name`; closed when its tests are done."""
    page = chromium.open((SITE / f"{request.param}.html").as_uri())
    page.name = request.param
    page.evaluate(REVEAL)
    yield page
    page.close()


def dress(page, width, dark):
    """Give the page a width and a theme, and wait until it wears it."""
    page.show(width=width, dark=dark)
    page.wait(f"document.documentElement.dataset.theme === '{'dark' if dark else 'light'}'", 20)


def serious(page, rules):
    """What axe-core calls serious or critical on the page as it is shown now."""
    return page.evaluate(RUN_AXE % ([] if page.name == PAGE_WITH_CODE else [[CODE]], rules))


def weight(page):
    """The bytes of all files that the page has asked for: itself, pictures, scripts, styles, fonts."""
    files = {unquote(urlsplit(address).path) for address in page.requests if address.startswith("file:")}
    return sum(Path(file).stat().st_size for file in files)


def test_a_page_is_for_everybody(page):
    page.evaluate(f"{AXE};0")
    found, figures = [], {}
    for variant, (width, dark) in VARIANTS.items():
        dress(page, width, dark)
        found += [f"{variant}: {line}" for line in serious(page, RULES[variant])]
        if (more := page.evaluate(SIDEWAYS)) > 0:
            found.append(f"{variant}: scrolls sideways by {more} pixels")
        figures[variant] = page.evaluate(FIGURES)
    assert figures["desk"] == figures["desk, dark"] and figures["phone"] == figures["phone, dark"]
    assert {tuple(kept[2:]) for kept in figures["desk, dark"]} <= {("0px", "none", "1", "normal")}
    if icons := page.evaluate(EMPTY_ICONS):
        found.append(f"icons without a drawing: {icons}")
    levels = page.evaluate(HEADINGS)
    found += [f"heading {b} follows {a}" for a, b in itertools.pairwise(levels) if b > a + 1]
    if levels.count(1) != 1:
        found.append(f"{levels.count(1)} headings of the first level: expected one")
    assert found == []
    assert page.problems == []
    assert weight(page) < check.HEAVY * 1e6
    assert [address for address in page.requests if not address.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize("chapter", [page for page in PAGES if page.startswith("notebooks/")])
def test_the_dark_theme_leaves_films_alone(chromium, chapter, tmp_path):
    page, shots = chromium.open((SITE / f"{chapter}.html").as_uri()), {}
    page.evaluate(REVEAL)
    for dark in (False, True):
        dress(page, 1280, dark)
        page.show(1280, TALL, dark)
        page.screenshot(tmp_path / "film.png", ".cell_output img:not(.plot)")
        shots[dark] = np.asarray(Image.open(tmp_path / "film.png").convert("L")).astype(int)[6:-6, 6:-6]
    page.close()
    assert shots[False].std() > 10, "the figure is empty"
    # The browser scales a wide figure tile by tile, and rounds by where a tile begins: a few pixels of half a
    # million differ by a few levels. Padding or a filter changes most of them.
    assert shots[False].shape == shots[True].shape
    assert np.abs(shots[False] - shots[True]).mean() < 0.01


@pytest.mark.parametrize("name", PAGES)
def test_films_are_shown_pixel_for_pixel(chromium, name):
    chapter = name.startswith("notebooks/")
    page = chromium.open((SITE / f"{name}.html").as_uri(), DESK)
    page.evaluate(REVEAL + ";" + OPEN)
    for width in (DESK, PHONE):
        dress(page, width, False)
        sizes = page.evaluate(SIZES)
        assert len(sizes) >= (1 if chapter else 5 if name == "data" else 0)
        assert all(shown == own for shown, own, _ in sizes)
        if chapter and width == DESK:
            assert [room - own for _, own, room in sizes if own > room] == [], "a figure must be scrolled"
    page.close()


@pytest.mark.parametrize("chapter", [page for page in PAGES if "notebooks/" in page])
def test_a_chapter_opens_with_its_figure_and_its_finding(chromium, chapter):
    page = chromium.open((SITE / f"{chapter}.html").as_uri(), DESK, 800)
    tops = page.evaluate(
        "['.cell_output img', 'div.highlight'].map((what) =>"
        " document.querySelector(`article ${what}`).getBoundingClientRect().top)"
    )
    says = page.evaluate("document.querySelector('article').innerText")
    page.close()
    assert tops[0] < 800 and tops[0] < tops[1], "the figure stands on the first screen, before any code"
    assert re.search("You will make this figure\\.\\s+.{20}", says)


@pytest.mark.parametrize("chapter", SCREENS)
def test_a_chapter_is_no_longer_than_a_lesson(chromium, chapter):
    page = chromium.open((SITE / "notebooks" / f"{chapter}.html").as_uri(), DESK, 800)
    page.evaluate(REVEAL)
    screens = page.evaluate("document.documentElement.scrollHeight") / 800
    page.close()
    assert screens < SCREENS[chapter]


@pytest.mark.parametrize("words", ["KID", "effusion", "mode collapse"])
def test_the_search_works_without_network(chromium, words):
    page = chromium.open((SITE / "search.html").as_uri() + f"?q={words.replace(' ', '+')}")
    found = "document.querySelector('#search-results').innerText"
    page.wait(f"{found}.includes('Glossary') && {found}.includes('Search finished')", 60)
    page.close()
    assert page.problems == []


def test_the_search_names_the_term_of_the_glossary(chromium):
    page = chromium.open((SITE / "search.html").as_uri() + "?q=mode+collapse")
    page.wait("document.querySelector('#search-results').innerText.includes('Glossary > Mode collapse')", 60)
    assert page.problems == []
    page.close()


def test_a_search_in_the_scores_says_what_it_found(chromium):
    page = chromium.open((SITE / "scoreboard.html").as_uri())
    type_ = (
        "(() => { const field = document.querySelector('input[data-filters]'); field.value = '{}';"
        " field.dispatchEvent(new Event('input'));"
        " return document.querySelector('.filter-found').innerText; })()"
    )
    assert page.evaluate(type_.replace("{}", "zzzz")).startswith("Nothing found")
    assert page.evaluate(type_.replace("{}", "a")).endswith(" found")
    assert page.evaluate(type_.replace("{}", "")) == ""
    page.close()


def test_the_scoreboard_opens_with_ten_claims_each_with_interval_and_chapter(chromium):
    page = chromium.open((SITE / "scoreboard.html").as_uri(), DESK)
    rows = page.evaluate(
        "[...document.querySelector('.headlines table').querySelectorAll('tbody tr')].map((row) =>"
        " [row.querySelector('a[href*=notebooks]') !== null, ...[...row.cells].map((c) => c.innerText)])"
    )
    assert len(rows) == 10
    for chapter, asks, claim, ours, theirs in rows:
        assert chapter and (" et al. " in claim or " & " in claim), asks
        assert re.search(r"\(.+ to .+\)", ours) and re.search(r"\(.+ to .+\)", theirs), asks
    page.close()


def test_the_headlines_can_be_compared_at_a_look(chromium):
    page = chromium.open((SITE / "scoreboard.html").as_uri(), DESK)
    lines = page.evaluate(
        "Array.from(document.querySelectorAll('.headlines td')).filter((cell) => cell.checkVisibility()).map("
        "(cell) => { const words = document.createRange(); words.selectNodeContents(cell);"
        " return words.getBoundingClientRect().height / parseFloat(getComputedStyle(cell).lineHeight); })"
    )
    assert len(lines) >= 4 * 7 and max(lines) < 3.5, "no cell of four lines"
    page.show(width=PHONE)
    edges = page.evaluate(
        "(() => { const table = document.querySelector('.headlines table');"
        " return [...table.querySelectorAll('th')].slice(0, 3).map((head) =>"
        " head.getBoundingClientRect().right - table.getBoundingClientRect().right); })()"
    )
    assert len(edges) == 3 and max(edges) <= 0, "question, claim and ours stand beside each other"
    page.close()


def test_a_result_waits_for_a_choice(chromium):
    page = chromium.open((SITE / "notebooks" / "10-after-gans.html").as_uri())
    waits = "document.querySelectorAll('.cell_output.awaits').length"
    asked = "document.querySelectorAll('.show-result').length"
    hidden, questions = page.evaluate(waits), page.evaluate(asked)
    assert questions >= 3 and hidden >= questions
    page.evaluate("document.querySelector('details.choice summary').focus()")
    page.press("Enter", 13)
    page.wait(f"{asked} === {questions - 1}", 10)
    assert page.evaluate(waits) < hidden
    page.evaluate(REVEAL)
    assert page.evaluate(waits) == 0
    page.close()


def test_nothing_between_a_prediction_and_the_next_heading_gives_the_answer_away(chromium):
    page = chromium.open((SITE / "notebooks" / "07-cam-interpretation.html").as_uri())
    hidden = (
        "Array.from(document.querySelectorAll('.prediction')).every((box) => {"
        " let after = box, cell = false;"
        " while ((after = after.nextElementSibling)"
        "   && !after.matches('section, .prediction, :has(+ .prediction)')) {"
        "   cell = cell || after.matches('.cell');"
        "   if (!cell) continue;"
        "   const parts = after.matches('.cell') ? [...after.querySelectorAll('.cell_output')] : [after];"
        "   if (parts.some((part) => part.checkVisibility())) return false;"
        " } return true; })"
    )
    assert page.evaluate("document.querySelectorAll('.prediction').length") >= 8 and page.evaluate(hidden)
    page.close()


def test_an_opened_choice_is_marked_in_words_too(chromium):
    page = chromium.open((SITE / "notebooks" / "07-cam-interpretation.html").as_uri())
    page.evaluate("document.querySelectorAll('details.choice summary').forEach((s) => s.click())")
    told = "Array.from(document.querySelectorAll('details.choice[data-found={}] summary'))"
    page.wait("!document.querySelector('details.choice:not([data-found])')", 10)
    for found, words in (("right", "(right)"), ("wrong", "(not this one)"), ("open", "(the result decides)")):
        endings = page.evaluate(
            f"{told.format(found)}.map((summary) => summary.textContent.endsWith('{words}'))"
        )
        assert endings and all(endings), found
    assert page.evaluate("document.querySelectorAll('.awaits, .awaited').length") == 0
    assert page.problems == []
    page.close()


def test_a_link_into_what_waits_shows_it(chromium):
    page = chromium.open((SITE / "notebooks" / "10-after-gans.html").as_uri() + "#sample.share=8")
    page.wait("document.querySelector('.live-figure').checkVisibility()", 10)
    page.close()


def test_the_theme_switch_keeps_the_keyboard_where_it_is(chromium):
    page = chromium.open((SITE / "intro.html").as_uri())
    switch = "document.querySelector('.theme-switch-button')"
    page.evaluate(f"{switch}.focus()")
    for _ in range(3):
        before = page.evaluate("document.documentElement.dataset.mode")
        page.press("Enter", 13)
        page.wait(f"document.documentElement.dataset.mode !== '{before}'", 10)
        page.wait(f"document.activeElement === {switch}", 10)
    page.close()


def test_nothing_is_cut_on_paper(chromium):
    page = chromium.open((SITE / "notebooks" / "03-dcgan.html").as_uri(), width=720)
    page.call("Emulation.setEmulatedMedia", {"media": "print"})
    cut = page.evaluate(
        "Array.from(document.querySelectorAll('main pre')).filter((block) => block.checkVisibility()"
        " && block.scrollWidth > block.clientWidth + 1).map((block) => block.innerText.slice(0, 80))"
    )
    page.close()
    assert cut == []
