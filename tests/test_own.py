"""The capstone's three arms: what is trained, what is said, what the report holds."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medgan_helpers import artifacts, chexpert, profiles, session
from medgan_helpers.experiments import own


def rows(standard, duplicate):
    names = ("none", "standard", "duplicate", "standard − none", "duplicate − none")
    values = [(0.7, 0.6, 0.8)] * 3 + [standard, duplicate]
    return pd.DataFrame(values, index=names, columns=["value", "low", "high"])


def test_a_verdict_needs_an_interval_beside_zero():
    text = own.verdict(rows((0.03, 0.01, 0.05), (-0.03, -0.05, -0.01)), 5)
    assert "**standard helps**" in text and "**duplicate harms**" in text
    assert own.verdict(rows((0.03, -0.01, 0.05), (0, -0.1, 0.1)), 5).count("nothing is shown") == 2
    few = own.verdict(rows((0.03, 0.01, 0.05), (-0.03, -0.05, -0.01)), 3)
    assert few.count("3 seeds: a first look, no verdict") == 2 and "helps" not in few


def made(shared=False, steps=(10, 10)):
    """(Found, films): two parts of four patients each; with `shared` one patient and one film are in both."""
    frame = pd.DataFrame({"patient": list("aabbccdd"), "path": [f"{k}.png" for k in range(8)]})
    pixels = np.random.default_rng(0).integers(0, 255, (8, 4, 4), dtype=np.uint8)
    if shared:
        pixels[7] = pixels[0]
    parts = {"train": frame[:4], "valid": frame[4:6], "test": frame[6:]}
    if shared:
        parts["test"] = parts["test"].assign(patient="a")
    store = SimpleNamespace(subset=lambda part: pixels[part.index])
    films = SimpleNamespace(frame=frame, splits=parts, store=store, unlabelled=("Fracture",))
    truth, patients = np.tile([[0.0], [1.0]], (2, 1)), frame.patient[4:].to_numpy()
    guesses = {arm: np.random.default_rng(1).normal(size=(2, 4, 1)) for arm in own.ARMS}
    done = {arm: [count] * 2 for arm, count in zip(own.ARMS, (*steps, steps[0]), strict=True)}
    return own.Found(["Edema"], truth, patients, guesses, done, ["Lung Lesion"]), films


def answers(found, films, looked=1):
    return own.checklist(found, films, looked).set_index("question")["good"]


def test_the_checklist_finds_what_it_asks_for():
    good = answers(*made())
    assert good["Split by patient?"] and good["Are test films among the training films?"]
    assert good["Equal optimizer steps?"] and good["How often was the test looked at?"]
    assert not good["How many positives stand behind it?"] and not good["How many seeds?"]
    bad = answers(*made(shared=True, steps=(10, 20)), looked=3)
    assert not bad["Split by patient?"] and not bad["Are test films among the training films?"]
    assert not bad["Equal optimizer steps?"] and not bad["How often was the test looked at?"]
    assert bad["Who allowed their use?"] is None
    shipped = (
        own.checklist(*made(), 1, shipped=True).set_index("question").loc["How often was the test looked at?"]
    )
    assert "chapters 4 and 7 scored" in shipped["answer"] and not shipped["good"]


def test_looks_are_counted_for_each_set_of_films():
    artifacts.activate("smoke", "folder", "11-capstone")
    _, films = made()
    assert [own.looks(films), own.looks(films)] == [1, 2]
    films.frame = films.frame[:4]
    assert own.looks(films) == 1


def test_the_report_holds_prediction_numbers_and_answers():
    found, films = made()
    numbers = rows((0.03, 0.01, 0.05), (0, -0.1, 0.1))
    text = own.report(found, films, "standard wins", numbers, own.checklist(found, films, 1))
    assert "standard wins" in text and "| standard − none | 0.030 | 0.010 to 0.050 |" in text
    assert "unknown: Fracture" in text and "*for you to answer*" in text and "**no**" in text
    assert "nothing was written down" in own.report(
        found, films, " ", numbers, own.checklist(found, films, 1)
    )


def test_films_without_a_finding_to_score_are_refused():
    frame = pd.DataFrame({name: [np.nan] * 9 for name in chexpert.FINDINGS})
    assert own.scorable(frame) == []
    frame["Edema"] = [1.0] * 4 + [0.0] * 5
    frame["Fracture"] = [1.0] * 3 + [0.0] * 6
    assert own.scorable(frame) == ["Edema"]


@pytest.mark.slow
def test_three_arms_read_real_films_after_equal_steps():
    session.start("11-capstone", "smoke", "nih")
    films = session.films(count=300)
    found = own.run(films, profiles.get("smoke"), seeds=(0,))
    assert {tuple(steps) for steps in found.steps.values()} == {(profiles.get("smoke").grid_steps,)}
    assert {logits.shape for logits in found.guesses.values()} == {(1, len(found.truth), len(found.findings))}
    trained = set(films.splits["train"].patient)
    assert not trained & set(found.patients) and "Fracture" not in found.findings
    assert set(own.repeated(films)) == {"Lung Lesion", "Pleural Other"}, "Fracture is not labelled"
    table = own.table(found)
    assert (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()
