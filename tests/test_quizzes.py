"""Every chapter has five questions, each with one right answer and words for every wrong one."""

from pathlib import Path

import pytest
import quizzes
import yaml
from bs4 import BeautifulSoup

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
