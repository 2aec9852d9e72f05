"""The exam: thirty questions, three a chapter; marks add up; every number is computed again here."""

import importlib.util
import math
import re
from functools import cache
from pathlib import Path

import exam
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from medgan_helpers import chexpert, paper_faults

QUESTIONS, SOLUTIONS = exam.questions(), exam.solutions()


@cache
def labels():
    """CheXpert's own table of training labels, as torchxrayvision ships it."""
    package = Path(importlib.util.find_spec("torchxrayvision").origin).parent
    return pd.read_csv(package / "data" / "chexpert_train.csv.gz")


def frontal_atelectasis():
    """CheXpert's values of Atelectasis, frontal films alone."""
    return labels().loc[labels()["Frontal/Lateral"] == "Frontal", "Atelectasis"]


def largest_of_normals(count):
    """Mean of the largest of `count` standard normal values, by its integral."""
    x = np.linspace(-8, 8, 4001)
    return np.trapezoid(x * count * norm.pdf(x) * norm.cdf(x) ** (count - 1), x)


def sides(start, kernel, layers=4):
    """The sides after each transposed convolution of stride 2 and padding 1, by torch's own rule."""
    found = [start]
    for _ in range(layers):
        found.append((found[-1] - 1) * 2 - 2 + kernel)
    return ", ".join(map(str, found[1:]))


def field(layers):
    """Pixels that one logit of a PatchGAN sees."""
    side = 1
    for stride in [1, 1] + [2] * layers:
        side = (side - 1) * stride + 4
    return side


def best_guess(settings=18, rounds=1000):
    """Mean AUROC of the best of classifiers that guess, 20 positives and 180 negatives."""
    rng, truth = np.random.default_rng(0), np.repeat([1.0, 0.0], [20, 180])
    return np.mean([paper_faults.area(truth, rng.random((200, settings))).max() for _ in range(rounds)])


TOOLS = {"math": math, "np": np, "chexpert": chexpert} | {
    function.__name__: function
    for function in (labels, frontal_atelectasis, largest_of_normals, sides, field, best_guess)
}


def words(number):
    """What a student reads of a question and an instructor of its answer."""
    return QUESTIONS[number]["ask"] + SOLUTIONS[number]["answer"]


def test_thirty_questions_three_a_chapter():
    assert list(QUESTIONS) == [f"{chapter}.{number}" for chapter in range(1, 11) for number in (1, 2, 3)]
    assert list(SOLUTIONS) == list(QUESTIONS)


@pytest.mark.parametrize("minutes", exam.selections())
def test_a_selection_takes_its_minutes_and_has_every_chapter(minutes):
    chosen = exam.questions([minutes])
    assert sum(question["points"] for question in chosen.values()) == int(minutes)
    assert {number.partition(".")[0] for number in chosen} == {str(chapter) for chapter in range(1, 11)}
    assert f"{minutes} points, {minutes} minutes" in exam.heading(chosen)
    assert f"Suggested for {minutes} minutes" in exam.heading(QUESTIONS)
    assert "Suggested" not in exam.heading(chosen)


@pytest.mark.parametrize("number", QUESTIONS)
def test_marks_add_up_to_the_points(number):
    marks = sum(SOLUTIONS[number]["marks"].values()) * SOLUTIONS[number].get("count", 1)
    assert marks == QUESTIONS[number]["points"]


@pytest.mark.slow
@pytest.mark.parametrize("number", QUESTIONS)
def test_numbers_are_what_they_are_computed_from(number):
    for item in SOLUTIONS[number].get("numbers", []):
        assert eval(item["from"], TOOLS) == item["says"]
        assert item["says"] in words(number)


@pytest.mark.parametrize("number", QUESTIONS)
def test_no_number_of_an_answer_is_typed(number):
    source = exam.read("solutions.yml")[number]["answer"]
    known = QUESTIONS[number]["ask"] + " ".join(x["says"] for x in SOLUTIONS[number].get("numbers", []))
    for value in re.findall(r"\d+\.\d+", re.sub(r"\[\[.+?\]\]", "", source)):
        assert value in known, f"{value} has no computation in solutions.yml"


def test_no_solution_is_in_the_site_or_the_student_edition():
    published = [path.read_text() for path in (exam.ROOT / "book").rglob("*.md")]
    published += [path.read_text() for path in (exam.ROOT / "notebooks").glob("*.ipynb")]
    for solution in SOLUTIONS.values():
        assert len(solution["answer"]) < 12 or not any(solution["answer"] in text for text in published)


@pytest.mark.slow
def test_the_sheets_are_apart_and_need_no_network():
    sheet, solved = exam.sheets(["3.2", "6.1"])
    assert sheet.count("<section>") == solved.count("<section>") == 2
    assert SOLUTIONS["6.1"]["answer"] not in sheet and SOLUTIONS["6.1"]["answer"] in solved
    assert "http" not in sheet and "[[" not in sheet + solved
    with pytest.raises(ValueError, match=r"no question 9\.9"):
        exam.questions(["9.9"])
