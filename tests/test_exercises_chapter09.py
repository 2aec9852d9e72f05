"""Answers to the exercises of chapter 9."""

import answers
import numpy as np

from medgan_helpers import paper_faults
from medgan_helpers.exercises import chapter09 as check


def pair(name, printed, columns):
    return columns[printed.index(name)]


def steps(films, added, epochs, batch):
    return epochs * films / batch, epochs * (films + added) / batch, epochs * films / (films + added)


def best(labels, settings, rng, choose=np.max):
    guesses = (rng.random((len(labels), settings)) for _ in range(200))
    return np.mean([choose(paper_faults.area(labels, guess)) for guess in guesses])


AUDIT = {"the split": "sound", "a leak": (0.1, 0.05, 0.15)}
CASES = [
    (check.what_it_measures, pair, lambda n, p, c: n, "another label"),
    (check.what_it_measures, pair, lambda n, p, c: p[c.index(n)], "other way round"),
    (check.what_it_measures, pair, lambda n, p, c: c[0], "not Atelectasis"),
    (check.steps_taken, steps, lambda f, a, e, b: (e * f / b, e * f / b, e), "with added films"),
    (check.steps_taken, steps, lambda *x: (*steps(*x)[:2], x[2]), "epochs with added films are not"),
    (check.winners_curse, best, lambda *x: best(*x, choose=np.mean), "mean of the networks"),
    (check.winners_curse, best, lambda *x: 0.9, "about 0.5"),
    (check.audit_with_sizes, AUDIT, {"a leak": (0.1, 0.05, 0.15)}, 'nothing is "sound"'),
    (check.audit_with_sizes, AUDIT, {"the split": "sound"}, "no fault has a size"),
    (check.audit_with_sizes, AUDIT, AUDIT | {"a leak": "large"}, 'neither "sound" nor'),
    (check.audit_with_sizes, AUDIT, AUDIT | {"a leak": (0.1, 0.2, 0.3)}, "does not lie within"),
]

test_answers = answers.table(CASES)


def test_whole_batches_count_as_steps_too():
    def whole(films, added, epochs, batch):
        plain, more = -(-films // batch), -(-(films + added) // batch)
        return epochs * plain, epochs * more, epochs * films / (films + added)

    assert check.steps_taken(whole)


def test_four_lines_of_the_script_are_faults(capsys):
    assert check.audited_script("DFGI") and check.audited_script({"i", "g", "f", "d"})
    assert check.audited_script("D, F, G and I") and check.audited_script(["d", "f", "g and i"])
    wrong = {"DF": "2 more", "ADFGI": "A is innocent", "DZ": "no line Z", ...: "replace the dots"}
    for answer, why in wrong.items():
        assert not check.audited_script(answer)
        assert why in capsys.readouterr().out
