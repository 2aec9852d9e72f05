"""Numbers in a question that the course itself measured: read from committed results, never typed.

    numbers:
      gain: {table: grid.csv, where: "arm == 'oracle'", minus: "arm == 'none'", column: rare, as: "{:+.2f}"}
      low: {card: classifier_real, at: [test, Lung Lesion, auroc, 1]}

A table lies in book/results; of several rows the mean is taken. A card is that of a shipped network. In the
question, its answers and its feedback {gain} stands for the number.
"""

import json
from pathlib import Path

import pandas as pd

from medgan_helpers.artifacts import ASSETS

RESULTS = Path(__file__).parents[1] / "results"
USUAL = "{:.2f}"


def mean(table, where, column):
    rows = table.query(where)
    if not len(rows):
        raise ValueError(f"no row of the table has {where}")
    return rows[column].mean()


def value(source):
    """One number from where `source` says that it stands."""
    if "card" in source:
        found = json.loads((ASSETS / source["card"] / "card.json").read_text())
        for key in source["at"]:
            found = found[key]
        return found
    table = pd.read_csv(RESULTS / source["table"])
    found = mean(table, source["where"], source["column"])
    return found - (mean(table, source["minus"], source["column"]) if "minus" in source else 0)


def filled(question):
    """A question with its numbers in place, without the recipe for them."""
    sources = question.get("numbers", {})
    if not sources:
        return question
    known = {name: source.get("as", USUAL).format(value(source)) for name, source in sources.items()}
    answers = [
        {part: words.format_map(known) if isinstance(words, str) else words for part, words in answer.items()}
        for answer in question["answers"]
    ]
    return {"ask": question["ask"].format_map(known), "answers": answers}
