import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from medgan_helpers import exercises

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
    (exercises.prevalence_interval, (interval,), (lambda p, n: (p / n - 1, p / n + 1),), "times as wide"),
    (
        exercises.ignore_uncertain,
        (lambda c: np.where(np.nan_to_num(c) == -1, np.nan, np.nan_to_num(c)),),
        (np.nan_to_num,),
        "must be masked",
    ),
    (
        exercises.leaked_patients,
        ({3, 4}, FRAME[FRAME.patient < 5], FRAME[FRAME.patient >= 3][:6]),
        ({3}, FRAME[FRAME.patient < 5], FRAME[FRAME.patient >= 3][:6]),
        "missing from your answer",
    ),
    (
        exercises.nested_regimen,
        (right_regimen, FRAME),
        (lambda frame, percent: frame.sample(frac=percent / 100, random_state=percent), FRAME),
        "not in the",
    ),
    (exercises.optimal_discriminator, (lambda p, q: p / (p + q),), (lambda p, q: p,), "equally dense"),
    (
        exercises.resize_convolution,
        (nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 4, 3, padding=1)),),
        (nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1),),
        "patterned",
    ),
    (exercises.spherical_interpolation, (slerp,), (lambda a, b, t: (1 - t) * a + t * b,), "shrunk"),
    (
        exercises.loss_slopes,
        (lambda d: (d, 1 - d),),
        (lambda d: (1 / (1 - d), 1 / d),),
        "slope of the sigmoid",
    ),
    (
        exercises.copies_share,
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


@pytest.mark.parametrize("check, right, wrong, words", ANSWERS, ids=[a[0].__name__ for a in ANSWERS])
def test_unsolved_stub_does_not_raise(check, right, wrong, words, capsys):
    stub = (lambda *arguments: ...) if callable(right[0]) and not isinstance(right[0], nn.Module) else ...
    assert check(stub, *right[1:]) is False
    assert "not written yet" in capsys.readouterr().out


def test_an_error_in_the_answer_is_explained(capsys):
    assert exercises.optimal_discriminator(lambda p, q: 1 / 0) is False
    assert "ZeroDivisionError" in capsys.readouterr().out
