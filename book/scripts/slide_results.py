"""What a cell of an executed notebook puts on slides: figures, diagrams, tables, and the sentences it says.

A figure takes the whole slide; a short text stands below a wide one and beside a tall one, a longer one has
slides of its own. A table is set as large as fits, and goes on on the next slide rather than be cut.
"""

import base64
import io
import re
from dataclasses import dataclass, field
from html import escape

import numpy as np
import paper
import slide_tables
from PIL import Image

BESIDE = 240  # characters that may stand on the slide of a figure
FULL, WORDY = 900, 2  # characters of a slide of words; slides of words after one output, if it is no finding
TITLE = 60  # characters: a shorter text without a full stop is the title of what comes after it
WIDE = {"aside": 1.9, "opening": 2.6}  # width over height from which a figure has its words below, or above
LARGE = 420  # characters up to which words are set in large letters
# What a cell says when it has nothing to say: it was not run, or not for these films.
NOTHING = re.compile(r"has not been run yet|nothing to (?:do|score) here")
BOLD_BEGINS = re.compile(r"(?<=[.;?!)]) (?=\*\*[A-Z])")
SAME_PIXELS = 0.8  # of all runs of equal pixels whose length is a multiple of a film's pixel


@dataclass
class Slide:
    """kind: "predict", "stray" (a sentence that needs company), "result" (what a run found) or ""."""

    heading: str
    body: str
    notes: str = ""
    kind: str = ""

    def html(self, foot=""):
        kind = "" if self.kind == "stray" else self.kind
        said = f'<div class="notes">{paper.html(self.notes)}</div>' if self.notes.strip() else ""
        title = paper.html(self.heading).removeprefix("<p>").rstrip().removesuffix("</p>")
        top = f"<h2>{title}</h2>" if self.heading else ""
        return f'<section class="slide {kind}{self.small()}">{top}{self.body}{said}{foot}</section>'

    def small(self):
        """The class for smaller letters, where there is much text."""
        if self.kind in ("result", "title"):
            return ""  # its parts have sizes of their own
        words = re.sub(r"<svg.*?</svg>|<[^>]+>", "", self.body, flags=re.DOTALL)
        return " long" if len(words) > (350 if self.kind == "predict" else LARGE) else ""


@dataclass
class Shown:
    """A figure, diagram or table ("words": none of them), its title, and what the cell says after it."""

    kind: str
    thing: object = None
    title: str = ""
    said: list = field(default_factory=list)
    findings: list = field(default_factory=list)  # those of its words that the chapter opens with

    def text(self):
        return "\n\n".join([*self.findings, *self.said])


def is_diagram(output):
    """Whether an output is a drawing of boxes and arrows: its plain text says "Diagram: name"."""
    return output.get("data", {}).get("text/plain", "").startswith("Diagram: ")


def kind_of(output):
    """What an output is on a slide; "" if it is not shown: source code, printed lines, other HTML."""
    data = output.get("data", {})
    if is_diagram(output):
        return "diagram"
    if "image/png" in data:
        return "figure"
    if text := data.get("text/markdown", ""):
        return "" if "```python" in text or NOTHING.search(text) else "words"
    return "table" if "<table" in data.get("text/html", "") else ""


def shown_by(cell):
    """The outputs of a cell that are shown, each with the words that belong to it."""
    outputs = [(kind_of(output), output) for output in cell.get("outputs", []) if kind_of(output)]
    found, title = [], ""
    nexts = [kind for kind, _ in outputs[1:]] + [""]
    for (kind, output), after in zip(outputs, nexts, strict=False):
        if kind != "words":
            found.append(Shown(kind, output, title))
            title = ""
            continue
        text = output.data["text/markdown"]
        if len(text) < TITLE and text.rstrip("*_ ")[-1:] not in ".,:?!" and after in ("figure", "table"):
            title = text
        else:
            found = found or [Shown("words")]
            found[-1].said.append(unfolded(text))
            if output.get("metadata", {}).get("finding"):
                found[-1].findings.append(found[-1].said.pop())
    return introduced(found)


def introduced(shown):
    """A short text before the first figure or table introduces it, and needs no slide of its own."""
    if len(shown) > 1 and shown[0].kind == "words" and len(text := shown[0].text()) <= BESIDE:
        shown[1].title = "\n\n".join(filter(None, [text, shown[1].title]))
        return shown[1:]
    return shown


def unfolded(text):
    """What a cell says behind a fold is an answer, and is shown."""
    return re.sub(r"<summary>.*?</summary>|</?details[^>]*>", "", text, flags=re.DOTALL).strip()


def result_slides(heading, cell):
    """The slides of a code cell, in the order of its outputs."""
    titled = re.search(r"# @title (.+)", cell.source)
    found = []
    for shown in shown_by(cell):
        said = shown.text()
        if shown.kind == "figure":
            brief = said if len(said) <= BESIDE else ""
            body, alt = with_figure(paper.html(brief) if brief else "", shown.thing, "aside")
            found.append(Slide(heading, caption(shown.title) + body, alt, "result"))
            said = "" if brief else said
        elif shown.kind == "diagram":
            found.append(Slide(heading, caption(shown.title) + shown.thing.data["text/html"], kind="result"))
        elif shown.kind == "table":
            title = shown.title or (f"**{titled[1]}**" if titled and titled[1] != heading else "")
            parts = slide_tables.parts(shown.thing.data["text/html"])
            found += [Slide(heading, caption(title) + part, kind="result") for part in parts]
            if said and len(said) <= BESIDE and len(parts) == 1 and slide_tables.is_short(parts[0]):
                found[-1].body += f'<div class="aside">{paper.html(said)}</div>'
                said = ""
        found += [Slide(heading, words, kind="result") for words in word_slides(shown)] if said else []
    return found


def caption(text):
    return f'<div class="caption">{paper.html(text)}</div>' if text else ""


def word_slides(shown):
    """What the cell says after an output, a finding whole, of other sentences no more than WORDY slides."""
    slides, more = packed(units("\n\n".join(shown.findings))), packed(units("\n\n".join(shown.said)))
    if len(more) > WORDY:
        more = [*more[: WORDY - 1], more[WORDY - 1] + "\n\n*The chapter goes on with more of these.*"]
    slides += more
    kinds = ["said long" if len(one) > LARGE else "said" for one in slides]
    return [f'<div class="{kind}">{paper.html(one)}</div>' for kind, one in zip(kinds, slides, strict=True)]


def units(text):
    """The smallest pieces of a text that a slide holds: list items, and paragraphs from bold to bold."""
    found = []
    for paragraph in filter(str.strip, text.split("\n\n")):
        lines = paragraph.split("\n")
        is_list = all(line.startswith("- ") for line in lines)
        found += lines if is_list else BOLD_BEGINS.split(paragraph)
    return found


def packed(pieces):
    """Pieces of Markdown, joined to texts of at most FULL characters; a title stays with what follows."""
    found = [""]
    for before, piece in zip(["", *pieces], pieces, strict=False):
        begins = len(found[-1]) + len(piece) > FULL and not is_title(before)
        together = "\n" if piece.startswith("- ") and before.startswith("- ") else "\n\n"
        if found[-1] and begins:
            found.append(piece)
        else:
            found[-1] = f"{found[-1]}{together}{piece}".strip()
    return [text for text in found if text]


def is_title(piece):
    return 0 < len(piece) < TITLE and not piece.startswith("- ") and piece.rstrip("*_ ")[-1] not in ".?!"


def with_figure(words, output, kind):
    """HTML of a figure and the words (HTML) below it, or beside it if it is tall; and its alt text."""
    image, alt, shape = picture(output)
    room = f'<div class="room">{image}</div>'
    if not words:
        return room, alt
    way = "below" if shape > WIDE[kind] else "beside"
    return f'<div class="{way} {kind}">{room}<div class="words">{words}</div></div>', alt


def picture(output):
    """The HTML of a figure, its alt text, and its width over its height. A figure of films says how many of
    its pixels are one of a film: slides.js enlarges by whole ones."""
    told = output.get("metadata", {}).get("image/png", {})
    alt, data = told.get("alt", ""), output.data["image/png"].replace("\n", "")
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    films = "" if told.get("plot") else f' data-film="{film_pixel(image)}"'
    address = f"data:image/png;base64,{data}"
    return f'<img class="figure"{films} alt="{escape(alt)}" src="{address}">', alt, image.width / image.height


def film_pixel(image):
    """How many pixels of a picture of enlarged films are one pixel of a film; 1 if that is not clear."""
    grey = np.asarray(image.convert("L")).astype(int)
    runs = np.concatenate([np.diff(np.flatnonzero(np.diff(row))) for row in grey])
    runs = runs[runs < 24]  # longer ones are background
    fits = [size for size in (4, 3, 2) if len(runs) and (runs % size == 0).mean() > SAME_PIXELS]
    return fits[0] if fits else 1
