"""Slides of a chapter: slides.py FOLDER EXECUTED.ipynb... writes one HTML file a chapter, without a network.

Chosen by rule, from the executed notebook: the title with its question, aims and key figure; every heading,
with the formulas below it; every sentence that asks for a prediction; every figure, with the sentences that
its cell computed; exercises by title; what goes wrong; the take-away. No code, no plumbing, no solution. What
the chapter says meanwhile are the notes (key n).
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
LAST = ("What goes wrong", "Take-away")
MUCH = 420  # characters of text from which a slide is set smaller
SHORT = 60  # characters: a sentence such as "Two dangers." needs the next one


def slide(heading, body, notes="", kind=""):
    """One slide as HTML."""
    small = " long" if len(re.sub(r"<[^>]+>", "", body)) > MUCH else ""
    said = f'<div class="notes">{paper.html(notes)}</div>' if notes.strip() else ""
    top = (
        f"<h2>{paper.html(heading).removeprefix('<p>').rstrip().removesuffix('</p>')}</h2>" if heading else ""
    )
    return f'<section class="slide {kind}{small}">{top}{body}{said}</section>'


def clean(text):
    """Prose without badges, live figures, images, folded hints and comments."""
    text = re.sub(r"<!--.*?-->|<details[^>]*>.*?</details>|<div.*?</div>", "", text, flags=re.DOTALL)
    text = re.sub(r"\[!\[.*?\]\(.*?\)\]\(.*?\)|!\[.*?\]\(.*?\)", "", text)
    return re.sub(r"\*\*Further reading:\*\*.*", "", text)


def sections(text):
    """The text as pairs (heading or "", what stands below it)."""
    parts = HEADING.split(text)
    pairs = [("", parts[0]), *zip(parts[2::3], parts[3::3], strict=True)]
    return [(heading, body.strip()) for heading, body in pairs if heading or body.strip()]


def prose_slides(heading, body, opens):
    """Slides of a piece of prose: its heading (if it opens a section) with formulas, then its prediction."""
    drawn = [tex for tex in FORMULA.findall(body) if "<code>" not in paper.html(tex)]
    formulas, found = "\n\n".join(drawn), []
    words = formulas or (first_sentence(body) if opens else "")
    if words:
        found.append(slide(heading, paper.html(words), body))
    asking = [part for part in re.split(r"\n\n|(?<=[.:?!]) (?=\*Predict)", body) if PREDICT.search(part)]
    for part in asking:
        found.append(slide(heading, paper.html(part), kind="predict"))
    return found


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


def figure_slides(heading, cell):
    """One slide a figure of a cell; the sentences that the cell computed go below the last one."""
    outputs = cell.get("outputs", [])
    figures = [output for output in outputs if "image/png" in output.get("data", {})]
    said = "\n\n".join(o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {}))
    found = []
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
