"""Lay out what Jupyter Book draws: stage.py FOLDER EXECUTED.ipynb...

The prose of book/ goes to FOLDER, the executed notebooks to FOLDER/notebooks: the same names as in the
repository, so that the Colab button of a page opens the notebook of that name.
"""

import base64
import itertools
import re
import shutil
import struct
from pathlib import Path

import claims
import command
import front_page
import growth_plot
import live_pages
import nbformat
import opening
import plans
import policy
import quizzes
import scoreboard
import where

from medgan_helpers import display

BOOK = Path(__file__).parents[1]
OUR_OWN = shutil.ignore_patterns("scripts", "quizzes", "__pycache__")
COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"  # on Colab: a page loads our own
LOCAL_BADGE = "../_assets/colab-badge.svg"
LIVE = "../_static/live"  # the live figures, from a chapter's page
INLINE = "../_static/inline"  # scripts that HTML outputs brought along
# tqdm's "name: 100%|███| 9/9 [00:03<00:00,  3.1step/s, loss=0.2]"
PROGRESS = re.compile(r"(\d+%)\|[^|\n]*\| *(\S+) \[([\d:]+)<[\d:?]+, *([^\],\n]+)[^\]\n]*\]")
WIDE = 770  # pixels: a phone would show less than .45 of them


def hide_injected(cell):
    """The parameters that papermill injected stand beside the notebook's own: leave them out of the page."""
    if "injected-parameters" in cell.metadata.get("tags", []):
        cell.metadata.tags.append("remove-cell")


def split_figures(cell):
    """The cells of a page that show `cell`: one figure each, since myst-nb takes the alt text from the cell.

    Each further figure, and the outputs up to the next one, moves to a cell of its own that shows no source.
    """
    outputs = cell.get("outputs", [])
    figures = [i for i, output in enumerate(outputs) if "image/png" in output.get("data", {})]
    cells = [cell]
    for start, stop in itertools.pairwise([*figures[1:], len(outputs)]):
        source = f"# figure {len(cells) + 1} of the cell above"  # myst-nb drops a cell whose source is empty
        new = {"source": source, "execution_count": None, "outputs": outputs[start:stop]}
        more = nbformat.from_dict(cell | new)
        tags = [tag for tag in cell.metadata.get("tags", []) if tag != "hide-input"]  # nothing to unfold
        more.metadata.tags = [*tags, "remove-input"]
        if "id" in cell:
            more.id = f"{cell.id[:50]}-figure{len(cells) + 1}"  # at most 64 characters
        cells.append(more)
    if len(cells) > 1:
        cell.outputs = outputs[: figures[1]]
    return cells


def describe_figure(cell):
    """Give myst-nb, through the cell, the alt text that its figure carries in the output's metadata."""
    for output in cell.get("outputs", []):
        told = output.get("metadata", {}).get("image/png", {})
        if alt := told.get("alt"):
            (width,) = struct.unpack(">I", base64.b64decode(output.data["image/png"])[16:20])
            classes = [name for name, true in (("wide", width > WIDE), ("plot", told.get("plot"))) if true]
            more = {"classes": " ".join(classes)} if classes else {}
            cell.metadata["mystnb"] = {"image": {"alt": alt} | more}


def name_fold(cell):
    """A folded cell is called on the page what its first line says: `# @title Draw the films`."""
    title, _, _ = cell.source.partition("\n")
    if cell.cell_type == "code" and title.startswith("# @title "):
        says = title.removeprefix("# @title ")
        prompts = {"code_prompt_show": f"Code: {says}", "code_prompt_hide": f"Code: {says}"}
        cell.metadata["mystnb"] = {**cell.metadata.get("mystnb", {}), **prompts}


def screen(text):
    """What a terminal shows of `text`: after a carriage return, or one line up, the line is written anew."""
    lines, row, anew = [""], 0, True
    for part in re.split(r"(\r|\n|\x1b\[A)", text):
        if part == "\n":
            row, anew = row + 1, True
            lines += [""] * (row == len(lines))
        elif part in ("\r", "\x1b[A"):
            row, anew = max(0, row - (part != "\r")), True
        elif part:
            lines[row], anew = part if anew else lines[row] + part, False
    return "\n".join(line.rstrip() for line in lines)


def short_progress(text):
    """Progress bars with name, count, time and speed alone, which a page is wide enough for."""
    return PROGRESS.sub(r"\1 \2 in \3, \4", text)


def settle_progress(cell):
    """Keep the last state of a progress bar, shortened: what a terminal shows after the carriage returns."""
    settled = []
    for output in cell.get("outputs", []):
        last = settled[-1] if settled else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text  # a bar arrives in pieces, one stream output each
        else:
            settled.append(output)
    for output in settled:
        if output.output_type == "stream":
            output.text = short_progress(screen(output.text))
    if settled:
        cell.outputs = settled


def outsource_scripts(cell, pages):
    """Move the scripts in a cell's HTML into files: a page works where inline scripts are forbidden."""
    for output in cell.get("outputs", []):
        if "text/html" in output.get("data", {}):
            html = policy.outsource(output.data["text/html"], pages / "_assets" / "inline", INLINE)
            output.data["text/html"] = html


def minutes(notebook):
    """How long the notebook ran, from what papermill noted. Raises ValueError if it has not run."""
    if not (duration := notebook.metadata.get("papermill", {}).get("duration")):
        raise ValueError("a notebook that has not been executed to its end: make book does that")
    return duration / 60


def stage(source, target):
    """Write the page of one executed notebook. Raises ValueError for one that has not run to its end."""
    notebook = command.notebook(source)
    minutes(notebook)
    opening.place(notebook)
    notebook.cells = list(itertools.chain.from_iterable(map(split_figures, notebook.cells)))
    for cell in notebook.cells:
        hide_injected(cell)
        describe_figure(cell)
        name_fold(cell)
        settle_progress(cell)
        outsource_scripts(cell, target.parents[1])
        if cell.cell_type == "markdown":
            cell.source = live_pages.localise(cell.source.replace(COLAB_BADGE, LOCAL_BADGE), LIVE)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for addition in (quizzes.markdown(source.stem), live_pages.scripts(prose, LIVE)):
        if addition:
            notebook.cells.append(nbformat.v4.new_markdown_cell(addition))
    nbformat.write(notebook, target)


def make_live(folder):
    """Attach to prose pages what their live figures need; write the data if any page has a figure."""
    pages = [*folder.glob("*.md"), *folder.glob("notebooks/*.ipynb")]
    if not any("data-figure=" in page.read_text() for page in pages):
        return
    import live_data  # takes seconds: only where there are live figures

    live_data.write(folder / "_assets" / "live" / "data")
    for page in folder.glob("*.md"):
        text, static = page.read_text(), LIVE.removeprefix("../")
        if scripts := live_pages.scripts(text, static):
            page.write_text(f"{live_pages.localise(text, static)}\n\n{scripts}\n")


def blinded_test(path, pages):
    """A form that chapter 7 has written for the page "Would you be fooled?", or a sentence."""
    if not path.is_file():
        return "Chapter 7 has not run: there is no test here.\n"
    form = policy.outsource(path.read_text(), pages / "_assets" / "inline", INLINE.removeprefix("../"))
    return f"```{{raw}} html\n{form}\n```\n"


def place_diagrams(folder):
    """Diagrams for prose pages, as they stand in chapters."""
    folder.mkdir()
    for drawing in (display.ASSETS / "diagrams").glob("*.svg"):
        (folder / f"{drawing.stem}.html").write_text(display.diagram_html(drawing))


def main(folder, *executed):
    if not executed:
        raise ValueError("expected executed notebooks after the folder: make book makes them")
    folder = Path(folder)
    notebooks = {Path(name).stem: command.notebook(name) for name in executed}
    shutil.copytree(BOOK, folder, ignore=OUR_OWN)
    (folder / "notebooks").mkdir()
    shutil.copy(BOOK / "images" / "hero.png", folder / "_assets" / "card.png")  # for previews
    place_diagrams(folder / "_diagrams")
    (folder / "_answer.md").write_text(front_page.answer(notebooks))
    (folder / "_unfinished.md").write_text(front_page.unfinished(scoreboard.RESULTS))
    (folder / "_chapters.md").write_text(front_page.cards(notebooks, folder))
    for name in executed:
        stage(Path(name), folder / "notebooks" / Path(name).name)
    make_live(folder)
    plans.write(folder)
    results = Path(executed[0]).parents[1] / "results"
    for name, form in {"_fooled.md": "", "_fooled_real.md": "-real"}.items():
        (folder / name).write_text(blinded_test(results / f"would-you-be-fooled{form}.html", folder))
    (folder / "_reliability.md").write_text(scoreboard.reliability())
    (folder / "_speed.md").write_text(scoreboard.speeds())
    (folder / "_where.md").write_text(f"{where.chapters()}\n\n{where.tests()}\n")
    (folder / "_rehearsed.md").write_text(f"{where.rehearsed()}\n")
    (folder / "_gpu_steps.md").write_text(f"{where.gpu_steps()}\n")
    growth_plot.draw(folder / "images" / "growth.svg")
    (folder / "_growth.md").write_text(f"![{growth_plot.alternative()}](images/growth.svg)\n")
    scores = results / "scores.csv"
    claims.write(folder, scores)
    for name, text in zip(("_headlines.md", "_scores.md"), scoreboard.pages(scores), strict=True):
        (folder / name).write_text(text)


if __name__ == "__main__":
    command.run(main, __doc__)
