import importlib

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from medgan_helpers import stargan
from medgan_helpers.exercises import chapter01, chapter03, chapter05, chapter08

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
    importlib.import_module(f"medgan_helpers.exercises.chapter{number:02d}") for number in range(1, 10)
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


def test_all_checks_are_found():
    assert len(CHECKS) == 29


@pytest.mark.parametrize("answer", WRONG_KIND.values(), ids=WRONG_KIND)
@pytest.mark.parametrize(("check", "given"), CHECKS)
def test_no_wrong_answer_raises(check, given, answer, capsys):
    assert check(answer, *given) is False
    assert capsys.readouterr().out.startswith("Not yet: ")


@pytest.mark.parametrize(("check", "given"), CHECKS)
def test_unsolved_stubs_are_told_apart_from_errors(check, given, capsys):
    stubs = [None, ...]
    if check.__name__ not in ("leaked_patients", "worst_invention", "audited_script", "fair_comparison"):
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


def test_a_path_that_jumps_is_no_arc(capsys):
    assert not chapter03.spherical_interpolation(lambda a, b, t: a if t < 0.7 else b)
    assert "as near to a as to b" in capsys.readouterr().out
