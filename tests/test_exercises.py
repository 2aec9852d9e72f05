"""What every self-check must do; what each says of its mistakes is tested chapter by chapter."""

import importlib
import re
from pathlib import Path

import answers
import nbformat
import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers.exercises import chapter01, chapter03, chapter08

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
FRAME = pd.DataFrame({"patient": np.repeat(np.arange(200), 3)})

# Every check of the course, and what it takes besides the answer.
GIVEN = {
    "leaked_patients": (FRAME[FRAME.patient < 5], FRAME[FRAME.patient >= 3]),
    "nested_regimen": (FRAME,),
    "worst_invention": (torch.tensor([0.1, 0.3]),),
    "cheap_bribe": (torch.zeros(2, 1, 8, 8), answers.Brightness(), "Fracture"),
}
CHAPTERS = [
    importlib.import_module(f"medgan_helpers.exercises.chapter{number:02d}") for number in range(1, 11)
]
CHECKS = [
    pytest.param(function, GIVEN.get(name, ()), id=name)
    for module in CHAPTERS
    for name, function in vars(module).items()
    if hasattr(function, "__wrapped__") and function.__module__ == module.__name__
]
NAN = float("nan")
WRONG_KIND = {
    "a number": 5.5,
    "a text": "x",
    "returns nan": lambda *arguments: NAN,
    "returns a tensor of nan": lambda *arguments: torch.full((1, 4, 16, 16), NAN),
    "returns its input": lambda *arguments: arguments[0],
    "takes no arguments": lambda: 1,
}


# Checks whose answer is a value, not a function.
VALUES = (
    "leaked_patients",
    "worst_invention",
    "audited_script",
    "fair_comparison",
    "one_change",
    "plausible_decibels",
    "cheap_bribe",
    "score_by_amount",
    "telling_number",
)


def test_every_chapter_has_checks():
    homes = [check.values[0].__module__ for check in CHECKS]
    assert all(homes.count(chapter.__name__) >= 2 for chapter in CHAPTERS)


def exercises_of(path):
    """{heading: all of its cells in one text} of a notebook's exercises."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if "solution" not in cell.metadata.get("tags", []))
    _, _, text = text.partition("## Exercises")
    parts = re.split(r"^### ", text.partition("\n## ")[0], flags=re.MULTILINE)
    return {part.partition("\n")[0]: part for part in parts[1:]}


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_an_exercise_without_a_check_says_so(path):
    unsaid = [
        heading
        for heading, text in exercises_of(path).items()
        if ("exercises." in text) == ("Open-ended: there is no check" in text)
    ]
    assert unsaid == []


@pytest.mark.parametrize("answer", WRONG_KIND.values(), ids=WRONG_KIND)
@pytest.mark.parametrize(("check", "given"), CHECKS)
def test_no_wrong_answer_raises(check, given, answer, capsys):
    assert check(answer, *given) is False
    assert capsys.readouterr().out.startswith("Not yet: ")


@pytest.mark.parametrize(("check", "given"), CHECKS)
def test_unsolved_stubs_are_told_apart_from_errors(check, given, capsys):
    stubs = [None, ...]
    if check.__name__ not in VALUES:
        stubs += [lambda *arguments: None, lambda *arguments: ...]
    for stub in stubs:
        check(stub, *given)
        assert capsys.readouterr().out == "Not yet: replace the dots, then run this cell again.\n"


def test_an_error_says_whose_it_is(capsys):
    chapter03.optimal_discriminator(lambda p, q: 1 / 0)
    assert "your code stopped with ZeroDivisionError" in capsys.readouterr().out
    chapter01.prevalence_interval(lambda positives, n: 0.5)
    assert "and this exercise asks for" in capsys.readouterr().out


def test_a_check_keeps_its_words():
    assert chapter08.loss_slopes.__name__ == "loss_slopes" and "steep" in chapter08.loss_slopes.__doc__
