"""The chapter map of the front page: a card per chapter with a piece of its key figure, and its question.

Above it stands what three chapters found. Pictures and findings come from the executed notebooks, so they are
what this build drew and said.
"""

import base64
import io
import re
from pathlib import Path

import opening
import pandas as pd
from PIL import Image

from medgan_helpers.metrics import LEAST_SEEDS

ANSWERING = ("04", "06", "07")  # chapters: repair, help, look
STUDIES = {  # tables of book/results, each by a script in studies/
    "grid.csv": "the final grid of chapter 6",
    "real_auc.csv": "chapter 6's augmentation table on real films",
    "generators.csv": "the equal-cost table of chapter 10",
}
ARMS = ("none", "standard", "duplicate", "stargan", "lesion_gan", "oracle")  # of every regimen of the grid
PERCENTS = {1: LEAST_SEEDS, 10: LEAST_SEEDS, 50: 3, 100: 3}  # of the films: the grid's regimens, their seeds
CARD = (480, 270)  # pixels of a card's picture


def question(notebook):
    """(title, question) of a chapter, from its first cell: "3 · DCGAN", "Can noise become a chest film?"."""
    source = notebook.cells[0].source
    bold = re.search(r"^\*\*(.+?)\*\*$", source, re.MULTILINE)
    return source.split("\n")[0].lstrip("# "), bold[1] if bold else ""


def answer(notebooks):
    """The course's question in three parts, a sentence each; the rest of what its chapter found is folded."""
    lines = []
    for name, notebook in notebooks.items():
        if name[:2] in ANSWERING and (found := opening.finding(notebook)):
            link = f"**[{question(notebook)[1]}](notebooks/{name}.ipynb)**"
            short = opening.findings_in_short(notebook)
            told = "\n\n".join(filter(None, [" ".join(short), found]))
            folded = f"<details><summary>More, with the numbers</summary>\n\n{told}\n\n</details>\n"
            lines += [f"{link} {one_sentence(short)}\n", folded] if short else [f"{link}\n", folded]
    return "\n".join(lines)


def one_sentence(short):
    """The first sentences of the first and the last of a chapter's short findings, as one."""
    first = [re.split(r"(?<=[.!?]) (?=[A-Z])", text)[0] for text in short]
    if len(first) == 1:
        return first[0]
    last = re.sub(r"^(On|For|The|By)\b", lambda word: word[0].lower(), first[-1])
    return f"{first[0].rstrip('.')}; {last}"


def unfinished(results):
    """A sentence: which of STUDIES have no table in the folder `results` yet, or only a part of one."""
    lacks = {what: missing(Path(results) / name) for name, what in STUDIES.items()}
    told = [what + (f" ({lack})" if lack != "all" else "") for what, lack in lacks.items() if lack]
    if not told:
        return "The long studies all have tables; the chapters say how far each has come.\n"
    return f"Not finished in this version; what is missing is not shown: {'; '.join(told)}.\n"


def missing(path):
    """What a study's table lacks: "" nothing, "all", or which part, such as "50 and 100 % not run"."""
    if not path.is_file():
        return "all"
    table = pd.read_csv(path)
    if not {"arm", "seed"} <= set(table):
        return ""
    if "percent" not in table:
        return "in part" if fewest_seeds(table) < LEAST_SEEDS else ""
    parts = {percent: table[table["percent"] == percent] for percent in PERCENTS}
    begun = [p for p, part in parts.items() if len(part) and fewest_seeds(part, ARMS) < PERCENTS[p]]
    absent = [p for p, part in parts.items() if not len(part)]
    told = {"in part": begun, "not run": absent}
    return "; ".join(f"{' and '.join(map(str, which))} % {how}" for how, which in told.items() if which)


def fewest_seeds(table, arms=()):
    """Of the arms of a table, and of those that it should have: the seeds of the one that has fewest."""
    seeds = table.groupby("arm")["seed"].nunique()
    return seeds.reindex([*{*seeds.index, *arms}], fill_value=0).min()


def figure_of(notebook):
    """(PNG bytes, alt text) of a chapter's key figure, its first one if none is marked; None without any."""
    for output in [opening.key_figure(notebook), *opening.figures(notebook.cells)]:
        if output:
            alt = output.metadata.get("image/png", {}).get("alt", "")
            return base64.b64decode(output.data["image/png"]), alt
    return None


def picture(png, target):
    """Cut the upper left part of a figure to a card, at whole pixels; write it to `target`."""
    figure = Image.open(io.BytesIO(png)).convert("RGB")
    figure.crop((0, 0, min(figure.width, CARD[0]), min(figure.height, CARD[1]))).save(target)


def cards(notebooks, folder):
    """The Markdown of the map; pictures go to folder/images. notebooks: {name: executed notebook}."""
    lines = ["::::{grid} 1 2 3 3", ":gutter: 3", ""]
    for name, notebook in notebooks.items():
        title, asks = question(notebook)
        lines += [f":::{{grid-item-card}} {title}", f":link: notebooks/{name}", ":link-type: doc"]
        if figure := figure_of(notebook):
            picture(figure[0], Path(folder) / "images" / f"card-{name}.png")
            lines += [f":img-bottom: images/card-{name}.png", f":img-alt: From chapter {title}: {figure[1]}"]
        lines += ["", asks, ":::", ""]
    return "\n".join([*lines, "::::", ""])
