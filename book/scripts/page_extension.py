"""A Sphinx extension: what the theme does wrong on every page, mended where the pages are made.

Named in _config.yml. It drops the scripts of Thebe, which we do not use and which fail on every page, and
MathJax where there is no formula, names the folds of code by their own words, tells search engines and
previews what a page is about, links the first use of a term in each chapter to the glossary, and folds
exercises and what is not the lesson.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref

FOLD = '<summary aria-label="Toggle hidden content">'  # hides the fold's own words from a screen reader
NO_LIST = '<div role="list" class="citation-list">'  # its children are no items of a list
EMPTY_HEADER = re.compile(r"<th([^>]*)>(?:\s|&nbsp;|&#160;)*</th>")
MOST = 200  # characters of a description
GLOSSARY = Path(__file__).parents[1] / "glossary.md"
SHORT = {  # what chapters write where the glossary's own words are longer
    "Bootstrap interval": "bootstrap",
    "Finding-free twin": "twin",
    "Hinge loss": "hinge",
    "Wasserstein distance": "Wasserstein",
    "Anscombe transform": "Anscombe",
    "Holm's correction": "Holm",
    "NIH ChestX-ray14": "NIH",
}
NOT_BEFORE = {"Leaky": r"\s+ReLU"}  # the arm of chapter 6, not the function between layers
NO_PLACE = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.raw,
    pending_xref,
)


def drop_thebe(context):
    """Thebe's script is added twice and declares its constants twice: an error in the console."""
    scripts = context.get("script_files", [])
    kept = [script for script in scripts if "thebe" not in f"{script}{getattr(script, 'attributes', '')}"]
    context["script_files"] = kept


def drop_mathjax(context):
    """A megabyte that a page without formulas does not need; Jupyter Book gives it to every page."""
    if 'class="math' not in context.get("body", ""):
        scripts = context.get("script_files", [])
        context["script_files"] = [script for script in scripts if "mathjax" not in f"{script}".lower()]


def mend_body(body):
    """Folds are called by their visible words; the empty corner of a table is no header; the references are
    no list to a screen reader."""
    body = body.replace(FOLD, "<summary>").replace(NO_LIST, '<div class="citation-list">')
    return EMPTY_HEADER.sub(r"<td\1></td>", body)


def description(doctree, title):
    """The first paragraph of a page that says something, cut at a word."""
    for paragraph in doctree.findall(lambda node: node.tagname == "paragraph"):
        text = " ".join(paragraph.astext().split())
        if len(text) > 60:
            return text if len(text) <= MOST else f"{text[:MOST].rsplit(' ', 1)[0]} …"
    return title


def pages_address(repository):
    """Where GitHub Pages shows the site of a repository: previews need an address from the root."""
    owner, name = repository.rstrip("/").split("/")[-2:]
    return f"https://{owner}.github.io/{name}/"


def preview(context, doctree, address):
    """The tags from which a search engine or a chat window makes its card."""
    title = re.sub("<[^>]+>", "", context.get("title", ""))
    about = escape(description(doctree, title))
    tags = [f'<meta name="description" content="{about}">']
    said = {"title": title, "description": about, "type": "website", "image": f"{address}_static/card.png"}
    tags += [f'<meta property="og:{name}" content="{escape(text, False)}">' for name, text in said.items()]
    return "\n".join(tags)


def mend_page(app, pagename, templatename, context, doctree):
    drop_thebe(context)
    drop_mathjax(context)
    if "body" in context:
        context["body"] = mend_body(context["body"])
    if doctree is not None:
        root = pages_address(app.config.html_theme_options["repository_url"])
        context["metatags"] = f"{context.get('metatags', '')}\n{preview(context, doctree, root)}"


def terms(text):
    """{term: pattern of its first use} of a glossary; names in capitals are found in capitals alone."""
    found = {}
    for term in re.findall(r"^([A-Z].+)\n  ", text, re.MULTILINE):
        words = SHORT.get(term, term)
        but = f"(?!{NOT_BEFORE[term]})" if term in NOT_BEFORE else ""
        case = 0 if words[:2].isupper() or words[1:] != words[1:].lower() else re.IGNORECASE
        found[term] = re.compile(rf"(?<![\w-]){re.escape(words)}s?(?![\w-]){but}", case)
    return found


def link_first_uses(doctree, wanted):
    """Make the first use of each term in a page's running text a link to the glossary."""
    for text in list(doctree.findall(nodes.Text)):
        if text.parent and not any(isinstance(above, NO_PLACE) for above in ancestors(text)):
            text.parent.replace(text, linked(text.astext(), wanted))


def ancestors(node):
    while node := node.parent:
        yield node


def linked(text, wanted):
    """`text` as nodes, with links at the `wanted` terms; what was found is taken out of `wanted`."""
    for term, pattern in list(wanted.items()):
        if match := pattern.search(text):
            del wanted[term]
            link = pending_xref(
                "", nodes.inline("", match[0]), refdomain="std", reftype="term", reftarget=term,
                refexplicit=True, refwarn=True,
            )  # fmt: skip
            before, after = text[: match.start()], text[match.end() :]
            return [*linked(before, wanted), link, *linked(after, wanted)]
    return [nodes.Text(text)] if text else []


def link_terms(app, doctree):
    if app.env.docname.startswith("notebooks/"):
        link_first_uses(doctree, terms(GLOSSARY.read_text()))


def is_mark(node):
    """Whether a node is the comment <!-- folded -->, which a notebook does not show."""
    return isinstance(node, nodes.raw | nodes.comment) and node.astext().strip("<!- >\n") == "folded"


def fold_sections(app, doctree):
    """Exercises, and sections that begin with <!-- folded -->, wait on the page behind their heading."""
    for section in list(doctree.findall(nodes.section)):
        title, *rest = section.children
        exercises = title.astext() == "Exercises" and sum(isinstance(part, nodes.section) for part in rest)
        if exercises or any(map(is_mark, rest[:1])):
            says = f"Show the {exercises} exercises" if exercises else "Show this section"
            start = f'<details class="fold"><summary>{says}</summary>'
            section.insert(1, nodes.raw("", start, format="html"))
            section.append(nodes.raw("", "</details>", format="html"))


def setup(app):
    app.connect("doctree-read", link_terms)
    app.connect("doctree-read", fold_sections)
    app.connect("html-page-context", mend_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
