"""How a chapter's page opens: with its key figure and its finding, both from the executed notebook.

A notebook marks the cell that draws the figure with the tag "key-figure", and says its finding by
`say(text, finding=True)`. The page shows both once more, right under the chapter's question; of a finding
that has a short form, that one: it leaves open what the chapter asks its reader to predict.
"""

import itertools
import re

import nbformat
from nbformat.v4 import new_markdown_cell

TAG = "key-figure"
FOLD = re.compile(r"<summary>.*?</summary>|</?details[^>]*>", re.DOTALL)
QUESTION = re.compile(r"^\*\*.+\*\*$", re.MULTILINE)  # the first line in bold


def figures(cells):
    """The figures among the outputs of cells, in order."""
    outputs = itertools.chain.from_iterable(cell.get("outputs", []) for cell in cells)
    return [output for output in outputs if "image/png" in output.get("data", {})]


def is_plot(output):
    return bool(output.metadata.get("image/png", {}).get("plot"))


def key_figure(notebook):
    """The output that a chapter opens with: the first films of its key cell, else its first plot; or None."""
    key = figures(cell for cell in notebook.cells if TAG in cell.metadata.get("tags", []))
    return min(key, key=is_plot, default=None)  # False comes first, and the first of equals


def finding(notebook):
    """What the chapter found: its sentences marked so, out of their folds; "" if it has none."""
    return "\n\n".join(FOLD.sub("", output.data["text/markdown"]).strip() for output in _marked(notebook))


def finding_in_short(notebook):
    """The same for a reader who has not read the chapter yet, "" where nobody has put it so."""
    return " ".join(findings_in_short(notebook))


def findings_in_short(notebook):
    """The same, one text a marked output that has one."""
    return [short for output in _marked(notebook) if (short := output.metadata.get("short"))]


def _marked(notebook):
    outputs = itertools.chain.from_iterable(cell.get("outputs", []) for cell in notebook.cells)
    return [output for output in outputs if output.get("metadata", {}).get("finding")]


def shown_first(output):
    """A cell of the page that shows a figure of the notebook once more, in words of its own."""
    output = nbformat.from_dict(output)
    told = output.metadata["image/png"]
    output.metadata["image/png"] = told | {"alt": f"The figure of this chapter. {told['alt']}"}
    cell = {"cell_type": "code", "execution_count": None, "source": "# the key figure", "outputs": [output]}
    return nbformat.from_dict(cell | {"metadata": {"tags": ["remove-input"]}, "id": "key-figure"})


def place(notebook):
    """Put figure and finding below the question of the first cell. Without a key figure nothing changes."""
    figure, first = key_figure(notebook), notebook.cells[0]
    question = QUESTION.search(first.source)
    if figure is None or question is None:
        return
    found = finding_in_short(notebook) or finding(notebook)
    between = "\n\n" if found.startswith("- ") else " "  # a list stays one
    says = f"**You will make this figure.**{between}{found}".strip()
    rest = new_markdown_cell(f"{says}\n\n{first.source[question.end() :].strip()}")
    first.source = first.source[: question.end()]
    notebook.cells[1:1] = [shown_first(figure), rest]
