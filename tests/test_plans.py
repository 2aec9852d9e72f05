"""The instructors' plans: sums fit the day, every exercise has notes, quotes are what the checks say."""

import ast
import re

import pandas as pd
import plans
import pytest
import yaml

NOTEBOOKS = sorted((plans.ROOT / "notebooks").glob("[0-9]*.ipynb"))
CHAPTERS = [path.stem for path in NOTEBOOKS if "## Exercises" in path.read_text()]


def test_every_chapter_has_minutes_and_every_exercise_states_its_own():
    assert list(plans.chapters().index) == CHAPTERS
    for chapter in CHAPTERS:
        found = plans.exercises(chapter)
        assert list(found) == list(range(1, len(found) + 1)) and len(found) >= 4
        untimed = [title for title, minutes, _ in found.values() if minutes is None]
        assert untimed in ([], ["Your own audit"])  # an afternoon


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_exercises_rise(chapter):
    asked = [minutes or 240 for _, minutes, _ in plans.exercises(chapter).values()]  # an afternoon
    assert asked == sorted(asked) and asked[0] < asked[-1]


def test_a_day_and_a_session_hold_their_minutes():
    table = plans.plans()
    assert set(table.plan) == set(plans.MOST)
    for (name, session), rows in table.groupby(["plan", "session"]):
        most = plans.MOST[name]
        assert 0.85 * most < rows.minutes.sum() <= most, (name, session, rows.minutes.sum())
        assert "break" in set(rows.unit)
    weeks = table[(table.plan == "seven weeks") & table.chapter]
    assert sorted(weeks.unit) == CHAPTERS and weeks.session.nunique() == 7


def test_the_printed_sums_are_those_of_the_rows():
    text = plans.plan_markdown("two days")
    rows = [row.split("|")[1:-1] for row in text.splitlines() if row.startswith("|")][2:]
    minutes = pd.to_numeric([row[1].strip() for row in rows])  # the second column: a phone shows it
    parts = [(row[3].strip(), row[4].strip()) for row in rows]
    for (teaching, practice), total in zip(parts, minutes, strict=True):
        assert not teaching or int(teaching) + int(practice) == total
    assert f"Together {plans.hours(minutes.sum())}" in text


def test_the_capstone_is_graded_by_the_seeds_that_it_runs():
    page = (plans.ROOT / "book" / "instructors.md").read_text()
    runs = re.search(r"seeds = \((.+?)\)", (plans.ROOT / "notebooks" / "11-capstone.ipynb").read_text())[1]
    number = {2: "two", 3: "three", 5: "five"}[len(runs.split(","))]
    assert f"why {number} seeds are a first look" in page


@pytest.mark.parametrize("name", plans.MOST)
def test_every_long_notebook_of_a_plan_has_a_time_to_start(name):
    text, table = plans.long_runs(name), plans.plans().query("plan == @name and notebook != ''")
    assert "11-capstone" in set(table.notebook)
    for chapter in table.notebook:
        took, most = plans.runs().minutes[chapter], plans.SLOWER[1]
        start = f"[](notebooks/{chapter}.ipynb): about {took:.0f} minutes, up to {most * took:.0f}"
        assert (start in text) == (most * took >= plans.LONG)


def test_a_start_says_what_is_left_to_run():
    assert "before the room fills" in plans.start_words("03-dcgan", 12, ("", 0))
    assert "lunch begins, 60 minutes ahead." in plans.start_words("03-dcgan", 2, ("lunch", 60))
    late = plans.SLOWER[1] * 20 - 15
    assert f"the last {late} run while you teach" in plans.start_words("03-dcgan", 20, ("break", 15))
    assert "as soon as the prediction" in plans.start_words("11-capstone", 20, None)


def test_pages_take_their_running_times_from_one_table():
    table = plans.minutes_markdown()
    for name, row in plans.runs().iterrows():
        assert f"| [](notebooks/{name}.ipynb) | {row.minutes:.1f} |" in table
    assert list(plans.runs().index) == [path.stem for path in NOTEBOOKS]
    for text in (table, plans.book_sentence(), plans.long_runs("two days")):
        assert plans.machine() in text and f"{plans.SLOWER[0]} to {plans.SLOWER[1]} times as long" in text


def constants(chapter):
    """Every piece of text in the checks of a chapter."""
    path = plans.ROOT / "medgan_helpers" / "exercises" / f"chapter{chapter[:2]}.py"
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_has_notes_and_the_checks_say_what_is_quoted(chapter):
    notes = yaml.safe_load((plans.TEACHING / "exercises.yml").read_text())[chapter]
    assert len(notes) == len(plans.exercises(chapter))
    said = constants(chapter)
    opened = ["open-ended" in heading for _, _, heading in plans.exercises(chapter).values()]
    assert ["good" in note for note in notes] == opened, "a good answer, where a report may be long or short"
    for note in notes:
        assert note["for"] and note["wrong"] and "pen-ended" not in note["for"]  # the heading says it
        for wrong in note["wrong"]:
            quote = wrong.get("says", "")
            assert any(quote in text for text in said), quote
