"""Answers of chapters 1 and 2 that were once refused though right, and mistakes that deserve kind words."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from medgan_helpers.exercises import chapter01, chapter02

FRAME = pd.DataFrame({"patient": np.repeat([f"patient{n:05d}" for n in range(400)], 3)})


def by_hash(frame, percent):
    """A right answer that keeps no order: a patient is in if the hash of the name falls low enough."""

    def place(patient):
        return int(hashlib.sha256(patient.encode()).hexdigest(), 16) % 10_000 / 100

    return frame[frame.patient.map(place) < percent]


def test_a_stable_hash_is_a_right_regimen():
    assert chapter01.nested_regimen(by_hash, FRAME)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda frame, percent: by_hash(frame, min(100, 2 * percent)), "% holds"),
        (
            lambda frame, percent: by_hash(frame, percent).drop_duplicates("patient"),
            "all of his or her films",
        ),
        (lambda frame, percent: frame.sample(frac=percent / 100), "not in the"),
    ],
)
def test_wrong_regimens_are_told_what_is_wrong(wrong, words, capsys):
    assert not chapter01.nested_regimen(wrong, FRAME)
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("answer", (5.5, "patient00001", True))
def test_what_is_no_set_of_patients_is_told_so(answer, capsys):
    assert not chapter01.leaked_patients(answer, FRAME[:30], FRAME[27:])
    said = capsys.readouterr().out
    assert "expected a set of patients" in said and "TypeError" not in said


def test_the_hidden_share_is_right_in_words_and_numbers(capsys):
    def share(masks, top, left, side):
        return masks[:, top : top + side, left : left + side].sum((1, 2)) / masks.sum((1, 2))

    assert chapter02.hidden_share(share)
    assert not chapter02.hidden_share(lambda m, t, l, s: m[:, t : t + s, l : l + s].sum((1, 2)))
    assert "divide each by the area" in capsys.readouterr().out
    assert not chapter02.hidden_share(lambda m, t, l, s: share(m, l, t, s).mean())
