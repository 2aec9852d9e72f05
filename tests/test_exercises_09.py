"""Each check accepts a right answer and says what is wrong with the usual wrong ones."""

import numpy as np
import pytest

from medgan_helpers import paper_faults
from medgan_helpers.exercises import chapter09


def pair(name, printed, columns):
    return columns[printed.index(name)]


def steps(films, added, epochs, batch):
    return epochs * films / batch, epochs * (films + added) / batch, epochs * films / (films + added)


def best(labels, settings, rng, choose=np.max):
    guesses = (rng.random((len(labels), settings)) for _ in range(200))
    return np.mean([choose(paper_faults.area(labels, guess)) for guess in guesses])


CASES = [
    (chapter09.what_it_measures, pair, lambda n, p, c: n, "another label"),
    (chapter09.what_it_measures, pair, lambda n, p, c: p[c.index(n)], "other way round"),
    (chapter09.what_it_measures, pair, lambda n, p, c: c[0], "not Atelectasis"),
    (chapter09.steps_taken, steps, lambda f, a, e, b: (e * f / b, e * f / b, e), "with added films"),
    (chapter09.steps_taken, steps, lambda *x: (*steps(*x)[:2], x[2]), "epochs with added films are not"),
    (chapter09.winners_curse, best, lambda *x: best(*x, choose=np.mean), "mean of the readers"),
    (chapter09.winners_curse, best, lambda *x: 0.9, "about 0.5"),
]


@pytest.mark.parametrize(("check", "right", "wrong", "why"), CASES, ids=[case[3] for case in CASES])
def test_right_answers_pass_and_wrong_ones_are_explained(check, right, wrong, why, capsys):
    assert check(right)
    assert not check(wrong)
    assert why in capsys.readouterr().out


def test_whole_batches_count_as_steps_too():
    def whole(films, added, epochs, batch):
        plain, more = -(-films // batch), -(-(films + added) // batch)
        return epochs * plain, epochs * more, epochs * films / (films + added)

    assert chapter09.steps_taken(whole)


def test_four_lines_of_the_script_are_faults(capsys):
    assert chapter09.audited_script("DFGI") and chapter09.audited_script({"i", "g", "f", "d"})
    wrong = {"DF": "2 more", "ADFGI": "A is innocent", "DZ": "no line Z", ...: "replace the dots"}
    for answer, why in wrong.items():
        assert not chapter09.audited_script(answer)
        assert why in capsys.readouterr().out
