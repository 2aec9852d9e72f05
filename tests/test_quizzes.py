"""Every chapter has five questions, each with one right answer and words for every wrong one."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import quiz_numbers
import quizzes
import yaml
from bs4 import BeautifulSoup

from medgan_helpers import simulator
from medgan_helpers.experiments import verdicts

ROOT = Path(__file__).resolve().parents[1]
UNASKED = ("00", "11")  # chapter 0 only shows, the capstone asks for a report
NOTEBOOKS = (ROOT / "notebooks").glob("[0-9]*.ipynb")
CHAPTERS = sorted(path.stem for path in NOTEBOOKS if not path.stem.startswith(UNASKED))
GOOD = {"text": "a", "right": True, "says": "yes"}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_five_questions_that_teach(chapter):
    assert len(quizzes.read(chapter)) == 5
    page = BeautifulSoup(quizzes.markdown(chapter), "html.parser")
    for question in page.select(".quiz-question"):
        choices = question.select("input[type=radio]")
        assert len(choices) >= 3 and all(choice["data-says"].strip() for choice in choices)
        assert len({choice["name"] for choice in choices}) == 1
        assert [choice["data-right"] for choice in choices].count("true") == 1
        assert question.select_one("legend").text and question.select_one(".quiz-feedback")


def answers():
    """The answers of every question, in the order in which they are shown."""
    return [quizzes.shuffled(q["answers"]) for chapter in CHAPTERS for q in quizzes.read(chapter)]


def test_the_place_of_an_answer_does_not_betray_it():
    places = [[bool(answer.get("right")) for answer in shown].index(True) for shown in answers()]
    shares = [places.count(place) / len(places) for place in range(3)]
    assert min(shares) > 0.15 and max(shares) < 0.6


@pytest.mark.parametrize("extreme", (max, min))
def test_the_length_of_an_answer_does_not_betray_it(extreme):
    """By chance one in three is the longest (or the shortest); ties count."""
    betrayed = 0
    for shown in answers():
        right = next(len(answer["text"]) for answer in shown if answer.get("right"))
        betrayed += right == extreme(len(answer["text"]) for answer in shown)
    assert betrayed <= 0.4 * len(answers())


FILES = {
    "nothing": ("", "holds no list of questions"),
    "a bool for a text": (
        "- {ask: a, answers: [{text: No, right: true, says: b}]}",
        "question 1: text is False",
    ),
    "another name": (
        "- {ask: a, answer: []}",
        r"question 1: it is \['ask', 'answer'\], expected ask and answers",
    ),
    "a blank question": ("- {ask: , answers: []}", "question 1: ask is None, expected words"),
    "an empty one": ("- {ask: a, answers: [{text: t, right: true, says: s}]}\n-", "question 2: it is empty"),
    "a text for a list": ("- {ask: a, answers: b}", "its answers are no list"),
    "a tab": ("- ask: a\n\tanswers: []", "is no YAML: .*line 2"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_quiz_is_named(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(quizzes, "QUIZZES", tmp_path)
    text, words = FILES[kind]
    (tmp_path / "01-x.yml").write_text(text)
    with pytest.raises(ValueError, match=rf"01-x\.yml.*{words}"):
        quizzes.markdown("01-x")


BAD = {
    "two right": [GOOD, GOOD],
    "none right": [GOOD | {"right": False}],
    "no words": [GOOD, {"text": "b", "says": ""}],
}


@pytest.mark.parametrize("answers", BAD.values(), ids=BAD)
def test_a_question_that_cannot_be_answered_is_named(tmp_path, monkeypatch, answers):
    monkeypatch.setattr(quizzes, "QUIZZES", tmp_path)
    (tmp_path / "01-x.yml").write_text(yaml.safe_dump([{"ask": "?", "answers": answers}]))
    with pytest.raises(ValueError, match="question 1"):
        quizzes.read("01-x")


# --- numbers -------------------------------------------------------------------------------------

RAW = {chapter: yaml.safe_load((quizzes.QUIZZES / f"{chapter}.yml").read_text()) for chapter in CHAPTERS}
MEASURED = re.compile(r"\d*\.\d+|\d+ %")  # an AUROC, a share
NO_RESULT = re.compile(r"95 % interval|1, 10, 50 and 100 %|1 % of the films")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_number_is_measured_or_supposed(chapter):
    for raw, question in zip(RAW[chapter], quizzes.read(chapter), strict=True):
        text = json.dumps(question)
        assert "{" not in question["ask"] and "}" not in re.sub(r"[{}\[\]]", "", text)
        if MEASURED.search(NO_RESULT.sub("", question["ask"])):
            assert "numbers" in raw or question["ask"].startswith("Suppose"), question["ask"]
        assert not MEASURED.search(NO_RESULT.sub("", raw["ask"])) or "Suppose" in raw["ask"], (
            "typed by hand beside numbers from a table" if "numbers" in raw else raw["ask"]
        )


def test_chapters_with_results_ask_about_one():
    assert all(any("numbers" in raw for raw in RAW[c]) for c in CHAPTERS if c[:2] in ("04", "05", "06", "07"))


def test_a_number_changes_with_its_table(tmp_path, monkeypatch):
    table = pd.read_csv(quiz_numbers.RESULTS / "grid.csv")
    before = quizzes.read("06-classifier-experiments")[0]
    table.loc[table["arm"] == "lesion_gan", "rare"] += 0.1
    table.to_csv(tmp_path / "grid.csv", index=False)
    monkeypatch.setattr(quiz_numbers, "RESULTS", tmp_path)
    after = quizzes.read("06-classifier-experiments")[0]
    gains = [float(re.search(r'"none" by (\d\.\d\d)', question["ask"])[1]) for question in (before, after)]
    assert gains[1] - gains[0] == pytest.approx(0.1, abs=0.011)


def test_a_row_that_is_not_there_is_named():
    source = {"table": "grid.csv", "where": "arm == 'nobody'", "column": "rare"}
    with pytest.raises(ValueError, match="no row of the table has arm == 'nobody'"):
        quiz_numbers.value(source)


def test_what_the_questions_say_of_their_numbers_is_true():
    """The words around a number, where they claim more than the number itself."""
    restored = pd.read_csv(quiz_numbers.RESULTS / "real_restoration.csv").query("metric == 'psnr'")
    alone = restored[restored["against"].isna()].set_index("method")["value"]
    filters = alone[~alone.index.str.startswith("unet")]
    assert filters.idxmax() == "bilateral", "the best filter"
    lead = restored.query("method == 'unet_real' and against == 'bilateral'")
    assert (lead["low"] > 0).all(), "its interval leaves out zero"
    grid = pd.read_csv(quiz_numbers.RESULTS / "grid.csv").query("percent == 1").assign(resamples=None)
    arms = ("none", "duplicate_standard", "lesion_gan", "oracle", "duplicate")
    judged = verdicts.differences(grid[grid["arm"].isin(arms)])
    rare = judged[(judged["first"] == "lesion_gan") & (judged["finding"] == "rare")].set_index("second")
    assert rare.loc["none", "verdict"] == "beats"
    assert rare.loc["duplicate_standard", "verdict"] == "not separable", "no gain is shown"
    low, high = (quiz_numbers.value({"card": "classifier_real", "at": ["test", "Lung Lesion", "auroc", k]})
                 for k in (1, 2))  # fmt: skip
    assert low < 0.5 < high, "the interval holds guessing"
    given = simulator.plan(5000, 0)["Atelectasis"].value_counts()
    assert 0.8 < given[-1] / given[1] < 1.2, "counting the uncertain as positive about doubles them"
    assert 1 / 4 < 1 - 0.95**8 < 2 / 5, "of tables with eight differences, one in three has a false alarm"
