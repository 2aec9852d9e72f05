"""Slides of a chapter: slides.py FOLDER EXECUTED.ipynb... writes one HTML file a chapter, without a network.

Chosen by rule, from the executed notebook: the title with its question, aims and key figure; every heading,
with the terms (in bold) and formulas below it, each formula with the sentence that leads to it; every
sentence that asks for a prediction, with the one before it and its choices; every figure and diagram, with
the sentences that its cell computed; exercises by title; what goes wrong; the take-away. No code, no
plumbing, no solution. What the chapter says meanwhile are the notes (key n).
"""

import re
from html import escape
from pathlib import Path

import command
import opening
import paper

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
MUCH, ASKED = 420, 350  # characters of text from which a slide, or one that asks, is set smaller
SHORT = 60  # characters: a sentence such as "Two dangers." needs the next one


def slide(heading, body, notes="", kind=""):
    """One slide as HTML."""
    much = ASKED if kind == "predict" else MUCH
    small = " long" if len(re.sub(r"<svg.*?</svg>|<[^>]+>", "", body, flags=re.DOTALL)) > much else ""
    said = f'<div class="notes">{paper.html(notes)}</div>' if notes.strip() else ""
    top = (
        f"<h2>{paper.html(heading).removeprefix('<p>').rstrip().removesuffix('</p>')}</h2>" if heading else ""
    )
    return f'<section class="slide {kind}{small}">{top}{body}{said}</section>'


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
    words = [*terms(parts, formulas), *formulas] or [first_sentence(body)]
    if words[0] and (opens or formulas):
        found.append(slide(heading, paper.html("\n\n".join(words)), body))
    for part, after in zip(parts, [*parts[1:], ""], strict=True):
        if not part.startswith("- ") and PREDICT.search(part):
            choices = f"\n\n{after}" if after.startswith("- ") else ""
            found.append(slide(heading, paper.html(asked(part) + choices), kind="predict"))
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
    prose = [part for part in parts if part[0] not in "-|<>`$*" or part.startswith("**")]
    sentences = [SENTENCE.split(part) for part in prose]
    found = []
    for before, one, after in (
        trio for some in sentences for trio in zip(["", *some[:-1]], some, [*some[1:], ""], strict=True)
    ):
        bold = re.search(r"\*\*\w[^*]*\*\*", one) and not POINTS_BACK.match(one)
        if bold and one not in shown and not PREDICT.search(one):
            short = f"{before} " if 0 < len(before) < SHORT and "**" not in before else ""
            found.append(short + one + (f" {after}" if one.startswith("**") else ""))
    return found[:TERMS]


def asked(part):
    """A prediction with the sentence before it, which says what it is about."""
    before, question = re.match(r"(.*?)(\*Predict.*)?$", part, re.DOTALL).groups()
    if not question:
        return part
    return " ".join([*SENTENCE.split(before.strip())[-1:], question]).strip()


def first_sentence(text):
    """How the first paragraph of prose begins: its first sentence, or two if that one is short."""
    for paragraph in text.split("\n\n"):
        if paragraph and paragraph[0] not in "-|<>`*" and not PREDICT.search(paragraph):
            sentences = re.split(r"(?<=[.?!]) (?=[A-Z*])", paragraph)
            return " ".join(sentences[: 1 if len(sentences[0]) > SHORT else 2])
    return ""


def picture(output):
    """The HTML of a figure, and its alt text."""
    alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
    address = "data:image/png;base64," + output.data["image/png"].replace("\n", "")
    return f'<img class="figure" alt="{escape(alt)}" src="{address}">', alt


def is_diagram(output):
    """Whether an output is a drawing of boxes and arrows: its plain text says "Diagram: name"."""
    return output.get("data", {}).get("text/plain", "").startswith("Diagram: ")


def figure_slides(heading, cell):
    """One slide a figure or diagram of a cell; what the cell said in words goes below the last figure."""
    outputs = cell.get("outputs", [])
    diagrams = [slide(heading, output.data["text/html"]) for output in outputs if is_diagram(output)]
    figures = [output for output in outputs if "image/png" in output.get("data", {})]
    said = "\n\n".join(o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {}))
    found = diagrams
    for number, output in enumerate(figures, 1):
        body, alt = picture(output)
        below = paper.html(said) if said and number == len(figures) else ""
        found.append(slide(heading, body + (f'<div class="long">{below}</div>' if below else ""), alt))
    return found


def title_slide(body, title, figure):
    """The first slide: title, question, aims, and the chapter's key figure if it has one."""
    question = re.search(r"^\*\*(.+)\*\*$", body, re.MULTILINE)
    aims = "\n".join(re.findall(r"^- .+$", body, re.MULTILINE))
    words = f"**{question[1]}**\n\n{aims}" if question else aims
    shown = picture(figure)[0] if figure else ""
    return slide("", f"<h1>{escape(title)}</h1>{paper.html(words)}{shown}", body)


def exercise_slide(titles):
    return slide("Exercises", "<ul>" + "".join(f"<li>{escape(title)}</li>" for title in titles) + "</ul>")


def chapter(notebook):
    """The slides of an executed notebook, as a list of HTML sections."""
    found, heading, titles, practice = [], "", [], False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if not practice:
                found += figure_slides(heading, cell)
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
                found.append(slide(new, paper.html(body)))
            elif new == "Exercises" or (practice and new):
                practice = True
                titles += [new] if new != "Exercises" else []
            elif not practice:
                found += prose_slides(heading, body, bool(new))
    return found


def main(folder, *executed):
    folder = Path(folder)
    if missing := [path for path in executed if not Path(path).is_file()]:
        raise FileNotFoundError(f"no executed notebook {missing[0]}: make book comes first")
    notebooks = {Path(path).stem: command.notebook(path) for path in executed}
    folder.mkdir(parents=True, exist_ok=True)
    style, script = ((HERE / file).read_text() for file in ("slides.css", "slides.js"))
    for name, notebook in notebooks.items():
        body = chapter(notebook)
        count = len(body)
        body = [
            part.removesuffix("</section>") + f'<div class="foot">{n} / {count}</div></section>'
            for n, part in enumerate(body, 1)
        ]
        (folder / f"{name}.html").write_text(paper.page(name, "".join(body), style, script))
        print(f"{folder}/{name}.html: {count} slides")


if __name__ == "__main__":
    command.run(main, __doc__)
