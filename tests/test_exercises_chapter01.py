"""Answers to the exercises of chapter 1: right ones, and mistakes that deserve kind words."""

import hashlib

import answers
import numpy as np
import pandas as pd
import pytest

from medgan_helpers.exercises import chapter01 as check

FRAME = pd.DataFrame({"patient": np.repeat([f"patient{n:05d}" for n in range(400)], 3)})
EARLY, LATE = FRAME[:15], FRAME[9:]  # share two patients


def right_regimen(frame, percent):
    order = np.random.default_rng(0).permutation(np.sort(frame.patient.unique()))
    return frame[frame.patient.isin(order[: round(len(order) * percent / 100)])]


def by_hash(frame, percent):
    """A right answer that keeps no order: a patient is in if the hash of the name falls low enough."""

    def place(patient):
        return int(hashlib.sha256(patient.encode()).hexdigest(), 16) % 10_000 / 100

    return frame[frame.patient.map(place) < percent]


def interval(p, n):
    share = p / n
    error = 1.96 * np.sqrt(share * (1 - share) / n)
    return share - error, share + error


CASES = [
    (check.prevalence_interval, interval, lambda p, n: (p / n - 1, p / n + 1), "times as wide"),
    (check.ignore_uncertain, lambda c: np.where(np.nan_to_num(c) == -1, np.nan, np.nan_to_num(c)),
     np.nan_to_num, "must be masked"),
    (check.leaked_patients, ({"patient00003", "patient00004"}, EARLY, LATE), ({"patient00003"}, EARLY, LATE),
     "missing from your answer"),
    (check.nested_regimen, (right_regimen, FRAME),
     (lambda frame, percent: frame.sample(frac=percent / 100, random_state=percent), FRAME), "not in the"),
    (check.nested_regimen, (by_hash, FRAME), (lambda f, p: by_hash(f, min(100, 2 * p)), FRAME), "% holds"),
    (check.nested_regimen, (by_hash, FRAME), (lambda f, p: by_hash(f, p).drop_duplicates("patient"), FRAME),
     "all of his or her films"),
]  # fmt: skip

test_answers = answers.table(CASES)


@pytest.mark.parametrize("answer", (5.5, "patient00001", True, FRAME[:3]))
def test_what_is_no_set_of_patients_is_told_so(answer, capsys):
    assert not check.leaked_patients(answer, FRAME[:30], FRAME[27:])
    said = capsys.readouterr().out
    assert "expected a set of patients" in said and "TypeError" not in said
