"""Slides of chapters: slides.py FOLDER EXECUTED.ipynb... writes one HTML file per chapter, without a network.

Chosen by rule, from the executed notebook: the title with its question, aims and key figure; every heading,
with the terms (in bold) and formulas below it, each formula with the sentence that leads to it; every
sentence that asks for a prediction whose answer comes on a slide, with the one before it and its choices;
every figure, diagram and table, and the sentences that cells computed (slide_results.py); exercises by
title; what goes wrong; the take-away. No code, no plumbing, no solution. What the chapter says meanwhile are
the notes (key n). A file that this script did not write, or that was changed since, stays.
"""

import re
from html import escape
from pathlib import Path

import command
import edition
import opening
import paper
from slide_results import Slide, result_slides, with_figure

HERE = Path(__file__).parent
HEADING = re.compile(r"^(#{1,3}) (.+)$", re.MULTILINE)
# A prediction is in italics and asks, or says Predict.
PREDICT = re.compile(r"\*(?:Predict|[A-Z])[^*]*(?:[Pp]redict|\?|Look|look)[^*]*\*|\*Predict[^*]*\*")
FORMULA = re.compile(r"\$\$.+?\$\$", re.DOTALL)
CHOICES = re.compile(r'(?:<details class="choice">.*?</details>\s*)+', re.DOTALL)
SENTENCE = re.compile(r"(?<=[.?!]) (?=[A-Z*$])")
POINTS_BACK = re.compile(r"(It|Its|They|This|That|These|So) ")  # such a sentence needs the one before it
TERMS = 2  # sentences with a term in bold that a slide shows at most
LAST = ("What goes wrong", "Take-away")
STRAY = 150  # characters: a slide of fewer, without a formula, is one sentence lost on a wall
SHORT = 60  # characters: a sentence such as "Two dangers." needs the next one
KEYS = "Arrow keys turn the page. n shows notes on this screen, for everybody to read."


def clean(text):
    """Prose without badges, live figures, images, folded hints and comments; choices become a list."""
    text = CHOICES.sub(lambda run: as_list(re.findall(r"<summary>(.*?)</summary>", run[0])), text)
    text = re.sub(r"<!--.*?-->|<details[^>]*>.*?</details>|<div.*?</div>", "", text, flags=re.DOTALL)
    text = re.sub(r"\[!\[.*?\]\(.*?\)\]\(.*?\)|!\[.*?\]\(.*?\)", "", text)
    return re.sub(r"\*\*Further reading:\*\*.*", "", text)


def as_list(lines):
    return "\n\n" + "\n".join(f"- {line}" for line in lines) + "\n\n"


def sections(text):
    """The text as pairs (heading or "", what stands below it)."""
    parts = HEADING.split(text)
    pairs = [("", parts[0]), *zip(parts[2::3], parts[3::3], strict=True)]
    return [(heading, body.strip()) for heading, body in pairs if heading or body.strip()]


def prose_slides(heading, body, opens):
    """Slides of a piece of prose: its heading (if it opens a section) with terms and formulas, then its
    predictions with their choices."""
    parts, found = [part for part in body.split("\n\n") if part.strip()], []
    formulas = formulas_with_leads(parts)
    numbered = [part for part in parts if part.startswith("1. ")]
    words = [*terms(parts, formulas), *formulas, *numbered] or [first_sentence(body)]
    text = "\n\n".join(words)
    repeated = any(text in asked(part) for part in parts if PREDICT.search(part))
    if text and (opens or formulas) and not repeated:
        kind = "stray" if len(text) < STRAY and not formulas else ""
        found.append(Slide(heading, paper.html(text), body, kind))
    above = text if found and found[0].kind == "stray" else ""
    for part, after in zip(parts, [*parts[1:], ""], strict=True):
        if not part.startswith("- ") and PREDICT.search(part):
            choices = f"\n\n{after}" if after.startswith("- ") else ""
            notes = "" if found else body
            found.append(Slide(heading, paper.html(asked(part, above) + choices), notes, "predict"))
    return found


def formulas_with_leads(parts):
    """The formulas among paragraphs, each below the sentence that leads to it, which names its symbols."""
    found = []
    for before, part in zip(["", *parts], parts, strict=False):
        if FORMULA.search(part) and "<code>" not in paper.html(part):
            lead = SENTENCE.split(before)[-1] if before and before[0] not in "-|<>`$" else ""
            lead = "" if PREDICT.search(lead) else lead
            found += [lead, *FORMULA.findall(part)] if lead else FORMULA.findall(part)
    return found


def terms(parts, shown):
    """The first sentences with a term in bold; one that begins with its term takes the next along, and a
    short sentence before it stays. What is `shown` already is left out."""
    prose = [part for part in parts if part[0] not in "-|<>`$*1" or part.startswith("**")]
    sentences = [SENTENCE.split(part) for part in prose]
    found = []
    for before, one, after in (
        trio for some in sentences for trio in zip(["", *some[:-1]], some, [*some[1:], ""], strict=True)
    ):
        bold = re.search(r"\*\*\w[^*]*\*\*", one) and not POINTS_BACK.match(one)
        if bold and one not in shown and not PREDICT.search(one):
            short = f"{before} " if 0 < len(before) < SHORT and "**" not in before else ""
            more = one.startswith("**") and not after.startswith("*Predict")
            found.append(short + one + (f" {after}" if more else ""))
    return found[:TERMS]


def asked(part, above=""):
    """A prediction with the sentence before it, which says what it is about, unless it stands above."""
    before, question = re.match(r"(.*?)(\*Predict.*)?$", part, re.DOTALL).groups()
    if not question:
        return part
    last = SENTENCE.split(before.strip())[-1]
    return question if last in above else f"{last} {question}".strip()


def first_sentence(text):
    """How the first paragraph of prose begins: its first sentence, or two if that one is short."""
    for paragraph in text.split("\n\n"):
        if paragraph and paragraph[0] not in "-|<>`*" and not PREDICT.search(paragraph):
            sentences = re.split(r"(?<=[.?!]) (?=[A-Z*])", paragraph)
            return " ".join(sentences[: 1 if len(sentences[0]) > SHORT else 2])
    return ""


def title_slide(body, title, figure):
    """The first slide: title, question, aims, the chapter's key figure if it has one, and the keys."""
    question = re.search(r"^\*\*(.+)\*\*$", body, re.MULTILINE)
    aims = "\n".join(re.findall(r"^- .+$", body, re.MULTILINE))
    words = paper.html(f"**{question[1]}**\n\n{aims}" if question else aims)
    shown = with_figure(words, figure, "opening")[0] if figure else words
    return Slide("", f'<h1>{escape(title)}</h1>{shown}<p class="keys">{KEYS}</p>', body, "title")


def exercise_slide(titles):
    return Slide("Exercises", "<ul>" + "".join(f"<li>{escape(title)}</li>" for title in titles) + "</ul>")


def chapter(notebook):
    """The slides of an executed notebook, as a list of Slide."""
    found, heading, titles, practice, waiting = [], "", [], False, []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            answers = [] if practice else result_slides(heading, cell)
            found += answers
            waiting = [] if answers else waiting
            continue
        for new, body in sections(clean(cell.source)):
            heading = new or heading
            if not found:
                found.append(title_slide(body, new, opening.key_figure(notebook)))
            elif new in LAST:
                if titles:
                    found.append(exercise_slide(titles))
                    titles = []
                practice = False
                found.append(Slide(new, paper.html(body)))
            elif new == "Exercises" or (practice and new):
                practice = True
                titles += [new] if new != "Exercises" else []
            elif not practice:
                slides = prose_slides(heading, body, bool(new))
                # A question about the figure just shown is answered by looking.
                looks = not new and found[-1].kind == "result" and "*Predict" not in body
                asks = [one for one in slides if one.kind == "predict" and not looks]
                if new or asks:
                    lasting = [one for one in waiting if "below" in one.body]
                    give_up(one for one in waiting if one not in lasting)
                    waiting = lasting + asks
                found += slides
    give_up(waiting)
    return joined(one for one in found if one.kind != "unanswered")


def give_up(predictions):
    """No slide has answered these predictions: they are not asked."""
    for one in predictions:
        one.kind = "unanswered"


def joined(slides):
    """Slides, with each stray sentence on top of the next slide under its heading; if there is none, the
    sentence is left out."""
    found, strays = [], []
    for one in slides:
        if one.kind == "stray":
            strays = [stray for stray in strays if stray.heading == one.heading] + [one]
            continue
        above = [stray for stray in strays if stray.heading == one.heading]
        lead = "".join(stray.body for stray in above)
        body = f'<div class="lead">{lead}</div>{one.body}' if lead else one.body
        notes = "\n\n".join(filter(None, [*(stray.notes for stray in above), one.notes]))
        found.append(Slide(one.heading, body, notes, one.kind))
        strays = []
    return found


def ran(path):
    """An executed notebook. Raises ValueError for one that has no output, of which no result can be shown."""
    notebook = command.notebook(path)
    if not any(cell.get("outputs") for cell in notebook.cells):
        raise ValueError(f"{path} has not been executed, so it has no results to show: make book does that")
    return notebook


def main(folder, *executed):
    folder = Path(folder)
    if missing := [path for path in executed if not Path(path).is_file()]:
        raise FileNotFoundError(f"no executed notebook {missing[0]}: make book comes first")
    notebooks = {Path(path).stem: ran(path) for path in executed}
    style, script = ((HERE / file).read_text() for file in ("slides.css", "slides.js"))
    texts, counts = {}, {}
    for name, notebook in notebooks.items():
        found = chapter(notebook)
        count = counts[name] = len(found)
        body = [one.html(f'<div class="foot">{n} / {count}</div>') for n, one in enumerate(found, 1)]
        texts[f"{name}.html"] = paper.page(name, "".join(body), style, script)
    if theirs := edition.others(folder, texts):
        raise FileExistsError(
            f"{folder / theirs[0]} is not as this script wrote it: give another folder, or move the file away"
        )
    edition.write(folder, texts)
    for name, count in counts.items():
        print(f"{folder}/{name}.html: {count} slides")


if __name__ == "__main__":
    command.run(main, __doc__)
