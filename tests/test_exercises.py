import importlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from medgan_helpers import dcgan, stargan
from medgan_helpers.exercises import chapter01, chapter03, chapter05, chapter08, chapter10

FRAME = pd.DataFrame({"patient": np.repeat(np.arange(200), 3)})


def right_regimen(frame, percent):
    order = np.random.default_rng(0).permutation(np.sort(frame.patient.unique()))
    return frame[frame.patient.isin(order[: round(len(order) * percent / 100)])]


def interval(p, n):
    share = p / n
    error = 1.96 * np.sqrt(share * (1 - share) / n)
    return share - error, share + error


def slerp(a, b, t):
    angle = torch.acos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def euler(velocity, x, steps):
    for number in range(steps):
        x = x + velocity(x, number / steps) / steps
    return x


def straightness(points):
    legs = (points[:, 1:] - points[:, :-1]).flatten(2).norm(dim=2).sum(1)
    return (points[:, -1] - points[:, 0]).flatten(1).norm(dim=1) / legs


ANSWERS = [  # check, right arguments, wrong arguments, what the check must say about the wrong ones
    (chapter01.prevalence_interval, (interval,), (lambda p, n: (p / n - 1, p / n + 1),), "times as wide"),
    (
        chapter01.ignore_uncertain,
        (lambda c: np.where(np.nan_to_num(c) == -1, np.nan, np.nan_to_num(c)),),
        (np.nan_to_num,),
        "must be masked",
    ),
    (
        chapter01.leaked_patients,
        ({3, 4}, FRAME[FRAME.patient < 5], FRAME[FRAME.patient >= 3][:6]),
        ({3}, FRAME[FRAME.patient < 5], FRAME[FRAME.patient >= 3][:6]),
        "missing from your answer",
    ),
    (
        chapter01.nested_regimen,
        (right_regimen, FRAME),
        (lambda frame, percent: frame.sample(frac=percent / 100, random_state=percent), FRAME),
        "not in the",
    ),
    (chapter03.optimal_discriminator, (lambda p, q: p / (p + q),), (lambda p, q: p,), "equally dense"),
    (
        chapter03.resize_convolution,
        (nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 4, 3, padding=1)),),
        (nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1),),
        "patterned",
    ),
    (chapter03.spherical_interpolation, (slerp,), (lambda a, b, t: (1 - t) * a + t * b,), "shrunk"),
    (
        chapter03.relativistic_losses,
        (lambda real, fake: (softplus(fake - real).mean(), softplus(real - fake).mean()),),
        (lambda real, fake: (softplus(real - fake).mean(), softplus(fake - real).mean()),),
        "exchanged",
    ),
    (
        chapter03.one_change,
        ((replace(dcgan.SMALL, norm="none"), dcgan.SMALL),),
        ((replace(dcgan.SMALL, norm="none", loss="saturating"), dcgan.SMALL),),
        "2 settings differ (norm, loss)",
    ),
    (
        chapter10.both_ends,
        (lambda x, v, t: (x - t * v, x + (1 - t) * v),),
        (lambda x, v, t: (x - v, x + v),),
        "back to the noise",
    ),
    (chapter10.euler, (euler,), (lambda v, x, steps: x + v(x, 0.0),), "must go 0.75"),
    (chapter10.straightness, (straightness,), (lambda points: 1 / straightness(points),), "upside down"),
    (
        chapter10.break_even,
        (lambda slow, fast: 1000 * (fast[0] - slow[0]) / (slow[1] - fast[1]),),
        (lambda slow, fast: (fast[0] - slow[0]) / (slow[1] - fast[1]),),
        "are mixed",
    ),
    (chapter05.one_way_networks, (lambda n: n * (n - 1),), (lambda n: n * (n - 1) // 2,), "there and back"),
    (
        chapter05.one_flip,
        (stargan.flip_one,),
        (lambda labels, rng: 1 - labels,),
        "exactly one",
    ),
    (
        chapter08.loss_slopes,
        (lambda d: (d, 1 - d),),
        (lambda d: (1 / (1 - d), 1 / d),),
        "slope of the sigmoid",
    ),
    (
        chapter08.copies_share,
        (lambda fake, held_out: (fake < np.quantile(held_out, 0.05)).mean(),),
        (lambda fake, held_out: (fake < np.median(held_out)).mean(),),
        "5 % quantile",
    ),
]


@pytest.mark.parametrize("check, right, wrong, words", ANSWERS, ids=[a[0].__name__ for a in ANSWERS])
def test_check_accepts_right_and_explains_wrong(check, right, wrong, words, capsys):
    assert check(*right) is True
    assert "Right" in capsys.readouterr().out
    assert check(*wrong) is False
    assert words in capsys.readouterr().out


# Every check of the course, and what it takes besides the answer.
GIVEN = {
    "leaked_patients": (FRAME[FRAME.patient < 5], FRAME[FRAME.patient >= 3]),
    "nested_regimen": (FRAME,),
    "worst_invention": (torch.tensor([0.1, 0.3]),),
}
CHAPTERS = [
    importlib.import_module(f"medgan_helpers.exercises.chapter{number:02d}") for number in range(1, 11)
]
CHECKS = [
    pytest.param(function, GIVEN.get(name, ()), id=name)
    for module in CHAPTERS
    for name, function in vars(module).items()
    if hasattr(function, "__wrapped__") and function.__module__ == module.__name__
]
NAN = float("nan")
WRONG_KIND = {
    "number": 5.5,
    "nan": NAN,
    "text": "x",
    "empty list": [],
    "list": [[1, 2]],
    "nothing": None,
    "dots": ...,
    "returns nothing": lambda *arguments: None,
    "returns dots": lambda *arguments: ...,
    "returns text": lambda *arguments: "x",
    "returns a number": lambda *arguments: 5.5,
    "returns nan": lambda *arguments: NAN,
    "returns two nan": lambda *arguments: (NAN, NAN),
    "returns three nan": lambda *arguments: (NAN, NAN, NAN),
    "returns a tensor of nan": lambda *arguments: torch.full((1, 4, 16, 16), NAN),
    "returns a vector of nan": lambda *arguments: torch.full((100,), NAN),
    "returns its input": lambda *arguments: arguments[0],
    "takes no arguments": lambda: 1,
    "raises": lambda *arguments: 1 / 0,
}


# Checks whose answer is a value, not a function.
VALUES = (
    "leaked_patients",
    "worst_invention",
    "audited_script",
    "fair_comparison",
    "one_change",
    "plausible_decibels",
)


def test_every_chapter_has_checks():
    homes = [check.values[0].__module__ for check in CHECKS]
    assert all(homes.count(chapter.__name__) >= 2 for chapter in CHAPTERS)


@pytest.mark.parametrize("answer", WRONG_KIND.values(), ids=WRONG_KIND)
@pytest.mark.parametrize(("check", "given"), CHECKS)
def test_no_wrong_answer_raises(check, given, answer, capsys):
    assert check(answer, *given) is False
    assert capsys.readouterr().out.startswith("Not yet: ")


@pytest.mark.parametrize(("check", "given"), CHECKS)
def test_unsolved_stubs_are_told_apart_from_errors(check, given, capsys):
    stubs = [None, ...]
    if check.__name__ not in VALUES:
        stubs += [lambda *arguments: None, lambda *arguments: ...]
    for stub in stubs:
        check(stub, *given)
        assert capsys.readouterr().out == "Not yet: replace the dots, then run this cell again.\n"


def test_an_error_says_whose_it_is(capsys):
    chapter03.optimal_discriminator(lambda p, q: 1 / 0)
    assert "your code stopped with ZeroDivisionError" in capsys.readouterr().out
    chapter01.prevalence_interval(lambda positives, n: 0.5)
    assert "your answer stopped the check with TypeError" in capsys.readouterr().out


def test_a_check_keeps_its_words():
    assert chapter08.loss_slopes.__name__ == "loss_slopes" and "steep" in chapter08.loss_slopes.__doc__


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (lambda a, b, t: ((1 - t) * a + t * b) / ((1 - t) * a + t * b).norm() * a.norm(), "not a quarter"),
        (lambda a, b, t: (1 - t) ** 0.5 * a + t**0.5 * b, "at right angles only"),
    ],
)
def test_other_ways_than_the_arc_are_named_for_what_they_are(path, words, capsys):
    assert not chapter03.spherical_interpolation(path)
    said = capsys.readouterr().out
    assert words in said and "shrunk" not in said


def test_a_path_that_jumps_is_no_arc(capsys):
    assert not chapter03.spherical_interpolation(lambda a, b, t: a if t < 0.7 else b)
    assert "as near to a as to b" in capsys.readouterr().out
