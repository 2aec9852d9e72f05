"""The exam: thirty questions, three a chapter; marks add up; every number is computed again here.

With EXAM_FOLDER=... the questions and solutions of that folder are tested instead.
"""

import ast
import importlib.util
import math
import re
from functools import cache
from pathlib import Path

import exam
import numpy as np
import pandas as pd
import plans
import pytest
from scipy.stats import norm

from medgan_helpers import chexpert, paper_faults

QUESTIONS, SOLUTIONS = exam.questions(), exam.solutions()
of_ours = pytest.mark.skipif(exam.FOLDER != exam.OURS, reason="about the course's own questions")
TWO_DAYS = "plan == 'two days' and chapter"
PLAIN = {0, 1, 100}  # that a calculation may hold without a word: nothing, a whole, per cent
FIGURE = r"\d{1,3}(?:,\d{3})+|\d*\.\d+|\d+"  # 43,200 or .2 or 17
WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "eighteen": 18, "½": 0.5}


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


def sides(start, kernel, stride, padding, layers):
    """The sides after each transposed convolution, by torch's own rule."""
    found = [start]
    for _ in range(layers):
        found.append((found[-1] - 1) * stride - 2 * padding + kernel)
    return ", ".join(map(str, found[1:]))


def field(kernel, strides):
    """Pixels that one logit of a PatchGAN sees; strides from the film to the logit."""
    side = 1
    for stride in reversed(strides):
        side = (side - 1) * stride + kernel
    return side


def best_guess(settings, positives, negatives, rounds=1000):
    """Mean AUROC of the best of classifiers that guess."""
    rng, truth = np.random.default_rng(0), np.repeat([1.0, 0.0], [positives, negatives])
    draws = (rng.random((positives + negatives, settings)) for _ in range(rounds))
    return np.mean([paper_faults.area(truth, guesses).max() for guesses in draws])


TOOLS = {"math": math, "np": np, "chexpert": chexpert} | {
    function.__name__: function
    for function in (labels, frontal_atelectasis, largest_of_normals, sides, field, best_guess)
}


def words(number):
    """What a student reads of a question and an instructor of its answer."""
    return QUESTIONS[number]["ask"] + SOLUTIONS[number]["answer"]


def stated(text):
    """The numbers that a question states: in figures, in words, and shares that it gives in per cent."""
    found = {float(figure.replace(",", "")) for figure in re.findall(FIGURE, text)}
    found |= {value / 100 for value in found}
    return found | {WORDS[word] for word in re.findall(r"\w+|½", text.lower()) if word in WORDS}


def literals(expression):
    """The numbers that a calculation holds."""
    constants = [node.value for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Constant)]
    return {value for value in constants if isinstance(value, int | float)}


def strangers(ask, solution):
    """{number: calculation} of the numbers in a solution that neither its question nor its givens state."""
    known = stated(ask) | PLAIN | set(solution.get("givens", {}))
    found = [
        (value, item["from"]) for item in solution.get("numbers", []) for value in literals(item["from"])
    ]
    return {value: source for value, source in found if value not in known}


@of_ours
def test_thirty_questions_three_a_chapter():
    assert list(QUESTIONS) == [f"{chapter}.{number}" for chapter in range(1, 11) for number in (1, 2, 3)]
    assert list(SOLUTIONS) == list(QUESTIONS)


@of_ours
@pytest.mark.parametrize("name", exam.selections())
def test_a_selection_takes_its_minutes_and_has_every_chapter(name):
    chosen, taught = exam.questions([name]), set(map(str, range(1, 11)))
    if name == "two-days":
        taught = {unit.partition("-")[0].lstrip("0") for unit in plans.plans().query(TWO_DAYS).unit}
    points = 60 if name == "two-days" else int(name)
    assert exam.worth(chosen) == points
    assert {number.partition(".")[0] for number in chosen} == taught
    assert f"{points} points in {points} minutes" in exam.heading(chosen)
    assert "calculator" in exam.heading(chosen) and "Date:" in exam.heading(chosen)
    assert f"Suggested, {name}:" in exam.advice(QUESTIONS)
    assert "Suggested" not in exam.advice(chosen) + exam.heading(QUESTIONS)


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
def test_a_solution_computes_with_the_numbers_of_its_question(number):
    assert strangers(QUESTIONS[number]["ask"], SOLUTIONS[number]) == {}


@of_ours
@pytest.mark.parametrize(
    ("number", "before", "after"),
    [("1.2", "20 %", "30 %"), ("5.1", "13?", "14?"), ("9.2", "m = 20", "m = 25"), ("10.3", "22 ms", "24 ms")],
)
def test_a_changed_question_names_the_solution_that_no_longer_follows(number, before, after):
    ask = QUESTIONS[number]["ask"]
    assert before in ask and strangers(ask.replace(before, after), SOLUTIONS[number])


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


def test_an_exam_of_ones_own_comes_from_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(exam, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no questions\.yml in .*: expected questions\.yml and"):
        exam.questions()
    (tmp_path / "questions.yml").write_text('[{id: "a", points: 2, ask: "Why?"}]')
    (tmp_path / "solutions.yml").write_text("{b: {answer: Because.}}")
    with pytest.raises(ValueError, match=r"solutions\.yml has no a: expected a solution"):
        exam.sheets()
    (tmp_path / "solutions.yml").write_text('{"a": {answer: "Because.", marks: {the reason: 2}}}')
    sheet, solved = exam.sheets()
    assert "Why?" in sheet and "2 points in 2 minutes" in sheet and "Because." in solved


@of_ours
@pytest.mark.slow
def test_the_sheets_are_apart_and_need_no_network():
    sheet, solved = exam.sheets(["3.2", "6.1"])
    assert sheet.count("<section>") == solved.count("<section>") == 2
    assert SOLUTIONS["6.1"]["answer"] not in sheet and SOLUTIONS["6.1"]["answer"] in solved
    assert "http" not in sheet and "[[" not in sheet + solved
    with pytest.raises(ValueError, match=r"no question 9\.9"):
        exam.questions(["9.9"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- id: 1.10\n  points: 4\n  ask: x\n", "id in quotes"),
        ('- id: "1"\n  point: 4\n  ask: x\n', "expected ask, id and points"),
        ("- id: 1\n\tpoints: 4\n", "questions.yml is no YAML"),
        ("", "is empty"),
    ],
)
def test_a_question_that_no_sheet_can_be_made_of_is_named(tmp_path, monkeypatch, text, words):
    (tmp_path / "questions.yml").write_text(text)
    monkeypatch.setattr(exam, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=words):
        exam.questions()


@pytest.mark.parametrize("folder", ["60", "two-days", "1.1"])
def test_a_forgotten_folder_is_noticed(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="first argument is the folder"):
        exam.main(folder)
    assert not list(tmp_path.iterdir())


def own_exam(folder, monkeypatch, ask, more=""):
    monkeypatch.setattr(exam, "FOLDER", folder)
    (folder / "questions.yml").write_text(f"- id: '1.1'\n  points: 2\n  ask: >-\n    {ask}\n{more}")
    (folder / "solutions.yml").write_text('{"1.1": {answer: "Because.", marks: {the reason: 2}}}')
    return exam.questions()["1.1"]["ask"]


@pytest.mark.parametrize(
    "words",
    [
        "with the kernel [[1, 0], [0, 1]] by hand",
        "the matrix [[7]] or [[2 - 1]]",
        "[[__import__('os').system('touch OWNED')]] What is a GAN?",
        "[[open('OWNED', 'w')]] and [[(lambda: open('OWNED', 'w'))()]]",
        "[[[gate for gate in ().__class__.__bases__]]]",
        "[[f\"{open('OWNED', 'w')}\"]]",
        "a list [[of words]]",
    ],
)
def test_what_is_no_call_of_ours_stays_as_it_is_and_is_not_run(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert own_exam(tmp_path, monkeypatch, words) == words
    assert not (tmp_path / "OWNED").exists()


@pytest.mark.parametrize(
    "call",
    [
        "gate('oracle'",
        "gate(oracle)",
        "gate(open('OWNED', 'w'))",
        "gate",
        "kid('two against three')",
        "finding('Edema')",
        "finding(*['Edema', 'classified'])",
        "films(sets='real against real')",
        "gate('oracle').__class__",
        "order() + open('OWNED', 'w')",
        "kid('real against real') * 1000000000",
        "f\"{gate('oracle'):.999999999f}\"",
        "f\"{gate('oracle'):{10 ** 9}}\"",
        "f\"{gate('oracle')}{open('OWNED', 'w')}\"",
    ],
)
def test_a_call_of_ours_that_does_not_work_is_named_with_its_question(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=rf"^question 1\.1: \[\[{re.escape(call)}\]\] cannot be read"):
        own_exam(tmp_path, monkeypatch, f"What is [[{call}]]?")
    assert not (tmp_path / "OWNED").exists()


def test_calls_of_ours_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(exam, "gate", {"oracle": 0.8125, "duplicate": 0.75}.get)
    monkeypatch.setitem(exam.TOOLS, "gate", exam.gate)
    words = (
        "[[f\"{gate('oracle') - gate('duplicate'):.3f}\"]], [[100 * gate('duplicate')]], [[ gate('oracle') ]]"
    )
    assert own_exam(tmp_path, monkeypatch, words) == "0.062, 75.0, 0.8125"


def test_an_id_that_stands_twice_is_named(tmp_path, monkeypatch):
    second = '- {id: "1.1", points: 3, ask: "And why?"}\n'
    with pytest.raises(ValueError, match=r"the id 1\.1 stands twice in questions\.yml"):
        own_exam(tmp_path, monkeypatch, "Why?", second)
