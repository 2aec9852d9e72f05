"""Answers to the exercises of chapter 3."""

from dataclasses import replace

import answers
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from medgan_helpers import dcgan
from medgan_helpers.exercises import chapter03 as check


def slerp(a, b, t):
    angle = torch.acos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


CASES = [
    (check.optimal_discriminator, lambda p, q: p / (p + q), lambda p, q: p, "equally dense"),
    (
        check.resize_convolution,
        nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 4, 3, padding=1)),
        nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1),
        "patterned",
    ),
    (check.spherical_interpolation, slerp, lambda a, b, t: (1 - t) * a + t * b, "shrunk"),
    (
        check.relativistic_losses,
        lambda real, fake: (softplus(fake - real).mean(), softplus(real - fake).mean()),
        lambda real, fake: (softplus(real - fake).mean(), softplus(fake - real).mean()),
        "exchanged",
    ),
    (
        check.one_change,
        ((replace(dcgan.SMALL, norm="none"), dcgan.SMALL),),
        ((replace(dcgan.SMALL, norm="none", loss="saturating"), dcgan.SMALL),),
        "2 settings differ (norm, loss)",
    ),
]

test_answers = answers.table(CASES)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (lambda a, b, t: ((1 - t) * a + t * b) / ((1 - t) * a + t * b).norm() * a.norm(), "not a quarter"),
        (lambda a, b, t: (1 - t) ** 0.5 * a + t**0.5 * b, "at right angles only"),
    ],
)
def test_other_ways_than_the_arc_are_named_for_what_they_are(path, words, capsys):
    assert not check.spherical_interpolation(path)
    said = capsys.readouterr().out
    assert words in said and "shrunk" not in said


def test_a_path_that_jumps_is_no_arc(capsys):
    assert not check.spherical_interpolation(lambda a, b, t: a if t < 0.7 else b)
    assert "as near to a as to b" in capsys.readouterr().out
