"""What every self-check must do; what each says of its mistakes is tested chapter by chapter."""

import importlib
import itertools
import re
from pathlib import Path
from unittest import mock

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
    "audit_with_sizes",
    "fair_comparison",
    "one_change",
    "plausible_decibels",
    "cheap_bribe",
    "score_by_amount",
    "telling_number",
)
# What stubs take from their chapter.
GIVEN_TO_STUBS = ("films", "findings", "judge", "lesions", "probe", "test", "train")


def test_every_chapter_has_checks():
    homes = [check.values[0].__module__ for check in CHECKS]
    assert all(homes.count(chapter.__name__) >= 2 for chapter in CHAPTERS)


def is_solution(cell):
    return "solution" in cell.metadata.get("tags", [])


def cells_of_exercises(path):
    """{heading: its cells} of a notebook's exercises."""
    found = {}
    cells = iter(nbformat.read(path, as_version=4).cells)
    for cell in itertools.dropwhile(lambda cell: "## Exercises" not in cell.source, cells):
        if cell.cell_type == "markdown":
            if not (heading := re.search(r"^### (.+)$", cell.source, re.MULTILINE)):
                break
            found[heading[1]] = []
        found[heading[1]].append(cell)
    return found


def stub_of(heading, cells):
    """The code of an exercise that waits for an answer: one cell, which ends with its check."""
    (stub,) = [cell.source for cell in cells if cell.cell_type == "code" and not is_solution(cell)]
    assert "..." in stub and stub.endswith(");"), heading
    return stub


@pytest.mark.parametrize("module", CHAPTERS, ids=lambda module: module.__name__[-2:])
def test_every_exercise_has_hint_check_solution_and_a_stub_that_fails(module, capsys):
    (path,) = NOTEBOOKS.glob(f"{module.__name__[-2:]}-*.ipynb")
    every = cells_of_exercises(path)
    assert len(every) >= 4
    for heading, cells in every.items():
        (task,) = [cell.source for cell in cells if cell.cell_type == "markdown"]
        assert "<details><summary>Hint</summary>" in task, heading
        stub = stub_of(heading, cells)
        (name,) = re.findall(r"^exercises\.(\w+)\(", stub, re.MULTILINE)
        (solution,) = [cell.source for cell in cells if is_solution(cell)]
        assert f"assert exercises.{name}(" in solution, f"{heading}: CI proves no solution"
        given = {name: mock.MagicMock() for name in GIVEN_TO_STUBS}
        given["films"].frame = FRAME.assign(study=range(len(FRAME)))
        exec(stub, given | {"exercises": module, "np": np, "torch": torch, "SEED": 0})
        assert capsys.readouterr().out == "Not yet: replace the dots, then run this cell again.\n", heading


@pytest.mark.parametrize("module", CHAPTERS, ids=lambda module: module.__name__[-2:])
def test_checks_stand_and_are_numbered_as_the_exercises_do(module):
    number = module.__name__[-2:]
    (path,) = NOTEBOOKS.glob(f"{number}-*.ipynb")
    asked = [
        (heading[0], name)
        for heading, cells in cells_of_exercises(path).items()
        for name in re.findall(r"^exercises\.(\w+)\(", stub_of(heading, cells), re.MULTILINE)
    ]
    noted = re.findall(
        r"^@check  # exercise (\d)\ndef (\w+)", Path(module.__file__).read_text(), re.MULTILINE
    )
    assert asked == noted


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
