"""The built book as one PDF: pdf.py SITE TARGET.pdf, through a headless Chromium.

All pages of the table of contents become one page, which is printed twice: the first time tells on which
sheet each chapter begins, the second has these numbers in its contents. What is folded on the screen is
named and stays folded; live figures are their stills, which need no script; hints and answers are open; of a
blind test there is one pair, and where to take it.
"""

import base64
import os
import re
from pathlib import Path
from urllib.parse import urldefrag

import command
import yaml
from browser import Browser
from bs4 import BeautifulSoup
from check import ROOT, toc_pages
from page_extension import pages_address

HERE = Path(__file__).parent
COVER = "repair"  # the live figure whose still stands on the cover
DROPPED = (
    "script, style, a.headerlink, .toctree-wrapper, .prev-next-area, .live-controls, .quiz-feedback, button"
)
FOOT = (
    '<div style="font: 8px Arial; width: 100%; padding: 0 18mm; display: flex; color: #5b6b77; '
    'justify-content: space-between"><span>{title}</span><span class="pageNumber"></span></div>'
)
PATIENCE = 600  # seconds for the whole book to load, on a busy computer
READY = "typeof MathJax === 'undefined' ? true : MathJax.startup.promise.then(() => true)"
LOADED = "Promise.all([...document.images].map((i) => i.decode().catch(() => 0))).then(() => true)"


def anchor(page, fragment=""):
    """The id, in the one page, of a place of a page of the site."""
    return f"{page}--{fragment}".replace("/", "-") if fragment else page.replace("/", "-")


def fold(article):
    """Name code that is folded by its title; open what is folded for other reasons."""
    for details in article.select("details"):
        if "hide" in details.get("class", []):
            title = re.search(r"# @title (.+)", details.get_text())
            note = BeautifulSoup("", "html.parser").new_tag("p", attrs={"class": "folded"})
            note.string = f"Code, folded: {title[1] if title else 'see the page'}"
            details.replace_with(note)
        else:
            details["open"] = ""


def one_pair(article, page, root):
    """Of a blind test, which paper cannot score, the first pair, and the address of the page that can."""
    for test in article.select("form.turing"):
        pairs = [str(pair) for pair in test.select(".pair")]
        address = f"{root}{page}.html"
        says = f"One of {len(pairs)} pairs. The test, with a score at its end, is on the page"
        text = f'<p>{says} <a href="{address}">{address}</a>.</p>'
        shown = BeautifulSoup(f'<div class="test">{"".join(pairs[:1])}{text}</div>', "html.parser")
        for choice in shown.select("input"):
            choice.decompose()
        test.replace_with(shown)


def relocate(article, page, pages, title_id):
    """Make ids unique and addresses lead to where things are from the top folder of the site."""
    folder = Path(page).parent
    for element in article.select("[id]"):
        element["id"] = anchor(page, element["id"])
    for tag, attribute in (("img", "src"), ("a", "href"), ("source", "src")):
        for element in article.find_all(tag, attrs={attribute: True}):
            address = element[attribute]
            if re.match(r"[a-z]+:|//", address):
                continue
            path, fragment = urldefrag(address)
            there = os.path.normpath(folder / path) if path else f"{page}.html"
            target = there.removesuffix(".html")
            if tag == "a" and target in pages:
                element[attribute] = "#" + (anchor(target, fragment) if fragment else title_id(target))
            else:
                element[attribute] = there + (f"#{fragment}" if fragment else "")


def sheet(site, page, pages, root=""):
    """The article of a page of the site as a section of the one page; its title. root: where the site is."""
    soup = BeautifulSoup((site / f"{page}.html").read_text(), "html.parser")
    article = soup.select_one("article.bd-article") or soup.body
    for element in article.select(DROPPED):
        element.decompose()
    fold(article)
    one_pair(article, page, root)
    relocate(article, page, pages, anchor)
    title = article.find("h1")
    body = "".join(str(child) for child in article.children)
    return f'<section class="sheet" id="{anchor(page)}">{body}</section>', title.get_text(" ", strip=True)


def contents(toc, titles, numbers):
    """The table of contents, with page numbers where they are known."""
    lines = ["<h1>Contents</h1>"]
    for part in [{"chapters": [{"file": toc["root"]}]}, *toc["parts"]]:
        if "caption" in part:
            lines.append(f'<div class="part">{part["caption"]}</div>')
        for page in toc_pages(part["chapters"]):
            number = numbers.get(anchor(page), "")
            link = f'<a href="#{anchor(page)}">{titles[page]}</a>'
            lines.append(f'<div class="entry">{link}<span>{number}</span></div>')
    return f'<div class="contents">{"".join(lines)}</div>'


def maths(site, pages):
    """The script elements of the site that set formulas, from the first page that has them."""
    for page in pages:
        soup = BeautifulSoup((site / f"{page}.html").read_text(), "html.parser")
        found = [tag for tag in soup.select("script") if "mathjax" in (tag.get("src", "") + tag.text).lower()]
        if found:
            return "".join(map(str, found)).replace('src="../', 'src="')
    return ""


def cover(site, name):
    """The first sheet: the title from CITATION.cff, what the networks of the course make, and for what."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    still = Path("_static", "live", "stills", f"{COVER}.png")
    picture = f'<img alt="" src="{still}">' if (site / still).is_file() else ""
    subtitle = cited["title"].partition(": ")[2]
    version = f"{cited['authors'][0]['name']} · version {cited['version']}"
    return (
        f'<div class="front"><h1>{name}</h1><p class="subtitle">{subtitle}</p>{picture}<p>{version}</p>'
        "<p>Films are simulated or made by networks, or of patients where it says so. "
        "Nothing here is for diagnosis.</p></div>"
    )


def one_page(site, toc, name, numbers):
    """The HTML of the whole book. numbers: on which sheet of paper an id stands, as far as it is known."""
    pages = toc_pages(toc)
    root = pages_address(yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"])
    sheets = {page: sheet(site, page, pages, root) for page in pages}
    titles = {page: title for page, (_, title) in sheets.items()}
    front = cover(site, name)
    head = f'<meta charset="utf-8"><title>{name}</title><style>{(HERE / "pdf.css").read_text()}</style>'
    body = front + contents(toc, titles, numbers) + "".join(text for text, _ in sheets.values())
    return f'<!DOCTYPE html><html lang="en"><head>{head}{maths(site, pages)}</head><body>{body}</body></html>'


def leaves(objects, number):
    """The page objects below object `number` of a PDF's tree of pages, in order."""
    kids = re.search(rb"/Kids \[(.*?)\]", objects[number], re.DOTALL)
    if not kids:
        return [number]
    return [leaf for kid in re.findall(rb"(\d+) 0 R", kids[1]) for leaf in leaves(objects, int(kid))]


def sheets_of(pdf):
    """On which sheet each named place of a PDF of Chromium stands: name -> number, from 1."""
    objects = {int(n): text for n, text in re.findall(rb"\n(\d+) 0 obj\s(.*?)endobj", pdf, re.DOTALL)}
    root = re.search(rb"/Type /Catalog.*?/Pages (\d+) 0 R", pdf, re.DOTALL)
    order = leaves(objects, int(root[1]))
    places = re.findall(rb"/([^\s/\[\]]+) \[(\d+) 0 R /XYZ", pdf)
    return {name.decode(): order.index(int(number)) + 1 for name, number in places}


def printed(browser, path, title):
    """The bytes of the PDF of an HTML file, when its formulas are set and its images are there."""
    page = browser.open(path.as_uri(), seconds=PATIENCE)
    page.evaluate(READY)
    page.evaluate(LOADED)
    options = {
        "printBackground": True, "preferCSSPageSize": True, "displayHeaderFooter": True,
        "headerTemplate": "<span></span>", "footerTemplate": FOOT.replace("{title}", title),
        "generateDocumentOutline": True, "generateTaggedPDF": True,
    }  # fmt: skip
    answer = browser.call("Page.printToPDF", options, page.session, seconds=900)
    page.close()
    return base64.b64decode(answer["data"])


def main(site, target, toc=ROOT / "book" / "_toc.yml"):
    site, toc = Path(site), yaml.safe_load(Path(toc).read_text())
    if not any(site.glob("*.html")):
        raise FileNotFoundError(f"no built book in {site}: make book comes first")
    name = yaml.safe_load((ROOT / "_config.yml").read_text())["title"]
    whole, numbers = site / "_whole-book.html", {}
    try:
        with Browser() as browser:
            for _ in range(2):
                whole.write_text(one_page(site, toc, name, numbers))
                pdf = printed(browser, whole.resolve(), name)
                numbers = sheets_of(pdf)
    finally:
        whole.unlink(missing_ok=True)
    Path(target).write_bytes(pdf)
    count = len(re.findall(rb"/Type /Page\b", pdf))
    print(f"{target}: {count} sheets, {len(pdf) / 1e6:.1f} MB")


if __name__ == "__main__":
    command.run(main, __doc__)
