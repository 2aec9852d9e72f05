"""The contract of the built book: check.py SITE prints every breach and exits 1, or says that all is well.

Pages stand for every entry of the table of contents, notebooks show outputs and no error, images have an
alt text and figures one of their own, column heads say something, nothing is loaded from outside the site,
every local address and Colab link leads somewhere, and no page is too heavy.
"""

import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag

import command
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
COLAB = re.compile(r"https://colab\.research\.google\.com/github/[^/]+/[^/]+/blob/[^/]+/(.+)")
OUTSIDE = re.compile(r"^(https?:)?//")
ELSEWHERE = re.compile(r"^[a-z]+:|^//")  # another site, mail, pixels within the page
LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
# megabytes of a page with pictures, scripts and styles; the full profile's films have four times the pixels
HEAVY = 8 if os.environ.get("MEDGAN_PROFILE") == "full" else 6
PASSIVE_LINKS = {"canonical", "next", "prev", "index", "search", "author", "license", "help", "top", "up"}


def toc_pages(toc):
    """Every page that a _toc.yml names, without suffix, in reading order."""
    if isinstance(toc, list):
        return [page for entry in toc for page in toc_pages(entry)]
    pages = [toc[key] for key in ("root", "file") if key in toc]
    return pages + [p for key in ("parts", "chapters", "sections") for p in toc_pages(toc.get(key, []))]


def loads(soup):
    """Every address that a browser fetches by itself when it opens the page."""
    for tag, attribute in LOADED.items():
        for element in soup.find_all(tag):
            if not PASSIVE_LINKS & set(element.get("rel", [])):
                yield element.get(attribute) or ""


def image_breaches(soup):
    for image in soup.find_all("img"):
        alt, source = (image.get("alt") or "").strip(), image.get("src", "")
        if not alt or Path(alt).name == Path(source).name or re.search(r"\.(png|jpe?g|svg|gif)$", alt):
            yield f"image {source[:60]} has no alt text (found {alt!r})"


def figure_breaches(soup):
    """Two different figures of a page with one alt text: at most one of them is described."""
    sources = {}
    for image in soup.select(".cell_output img[alt]"):
        sources.setdefault(image["alt"].strip(), {})[image.get("src", "")] = None
    for alt, files in sources.items():
        if alt and len(files) > 1:
            yield f"figures {', '.join(Path(file).name[:12] for file in files)} share the alt text {alt!r}"


def table_breaches(soup):
    if empty := sum(not head.get_text(strip=True) for head in soup.find_all("th")):
        yield f"has {empty} heads of tables without words"


def weight_breaches(soup, page):
    """A page with all that it loads by itself; what style sheets load, as fonts, is for test_pages.py."""
    paths = {unquote(urldefrag(address).url.split("?")[0]) for address in loads(soup)}
    files = {(page.parent / path).resolve() for path in paths if path and not ELSEWHERE.match(path)}
    megabytes = sum(file.stat().st_size for file in files | {page} if file.is_file()) / 1e6
    if megabytes > HEAVY:
        yield f"weighs {megabytes:.1f} MB with all that it loads: at most {HEAVY}"


def address_breaches(soup, page):
    for address in loads(soup):
        if OUTSIDE.match(address):
            yield f"loads {address} from outside the site"
    for address in {a["href"] for a in soup.find_all("a", href=True)} | set(loads(soup)):
        path = unquote(urldefrag(address).url.split("?")[0])
        if path and not ELSEWHERE.match(path) and not (page.parent / path).exists():
            yield f"leads to {address}, which is not there"
    for link in soup.find_all("a", href=COLAB):
        path = COLAB.match(urldefrag(link["href"]).url)[1]
        if not (ROOT / path).is_file():
            yield f"has a Colab link to {path}, which the repository does not have"


def notebook_breaches(soup):
    if not soup.select(".cell_output"):
        yield "is a notebook without outputs"
    if soup.select(".cell_output .traceback, .cell_output .output.error, .papermill-error-cell-tag"):
        yield "shows the error of a failed cell"


def page_breaches(page, notebook=False):
    """What is wrong with one built page, in words."""
    soup = BeautifulSoup(page.read_text(), "html.parser")
    yield from image_breaches(soup)
    yield from figure_breaches(soup)
    yield from table_breaches(soup)
    yield from weight_breaches(soup, page)
    yield from address_breaches(soup, page)
    if notebook:
        yield from notebook_breaches(soup)


def style_breaches(site):
    for sheet in site.rglob("*.css"):
        for address in re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)", sheet.read_text()):
            yield f"{sheet.relative_to(site)}: loads {address} from outside the site"


def breaches(site, toc=ROOT / "book" / "_toc.yml"):
    """Everything wrong with the book in the folder `site`, as a list of lines; empty when all is well."""
    found = list(style_breaches(site))
    expected = toc_pages(yaml.safe_load(toc.read_text()))
    found += [f"{name}.html: missing" for name in expected if not (site / f"{name}.html").is_file()]
    for page in sorted(site.rglob("*.html")):
        name = page.relative_to(site).with_suffix("").as_posix()
        if not name.startswith("_static/"):
            notebook = name in expected and name.startswith("notebooks/")
            found += [f"{name}.html: {breach}" for breach in page_breaches(page, notebook)]
    return found


def main(site):
    if not (Path(site) / "index.html").is_file():
        raise FileNotFoundError(f"no built book in {site}: expected one such as build/class/html")
    found = breaches(Path(site))
    if found:
        sys.exit("The built book breaks its contract:\n  " + "\n  ".join(found))
    print(f"{len(toc_pages(yaml.safe_load((ROOT / 'book' / '_toc.yml').read_text())))} pages, all in order")


if __name__ == "__main__":
    command.run(main, __doc__)
