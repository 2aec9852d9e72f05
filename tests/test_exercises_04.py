"""Each check accepts a right answer and says what is wrong with the usual wrong ones."""

import pytest
import torch

from medgan_helpers import degradation
from medgan_helpers.exercises import chapter04

STRAYS = torch.tensor([0.1, 0.05, 0.3])


def decibels(restored, clean):
    return -10 * torch.log10(((restored - clean) ** 2).mean()).item()


def patch_field(layers):
    side = 1
    for stride in [1, 1] + [2] * layers:
        side = (side - 1) * stride + 4
    return side


def put_back(image, kspace):
    own = degradation.to_kspace(image.to(torch.complex64))
    return degradation.from_kspace(torch.where(kspace != 0, kspace, own)).real


def stub(*arguments): ...


CASES = [
    (chapter04.data_consistency, (put_back,), (lambda image, kspace: image,), "not the measured one"),
    (chapter04.data_consistency, (put_back,), (stub,), "replace the dots"),
    (
        chapter04.data_consistency,
        (put_back,),
        (lambda image, kspace: degradation.from_kspace(kspace).real,),
        "left as it is",
    ),
    (
        chapter04.data_consistency,
        (put_back,),
        (lambda image, kspace: degradation.from_kspace(kspace),),
        "take .real",
    ),
    (chapter04.plausible_decibels, (25.0,), (...,), "replace the dots"),
    (chapter04.plausible_decibels, (25.0,), (0.9,), "no PSNR of a repaired film"),
    (chapter04.decibels, (decibels,), (stub,), "replace the dots"),
    (chapter04.patch_field, (patch_field,), (stub,), "replace the dots"),
    (chapter04.worst_invention, (2, STRAYS), (..., STRAYS), "replace the dots"),
    (chapter04.decibels, (decibels,), (lambda a, b: decibels(a, b) / 2,), "not its root"),
    (chapter04.patch_field, (patch_field,), (lambda layers: 4 ** (layers + 1),), "one logit sees 34"),
    (chapter04.worst_invention, (STRAYS.argmax(), STRAYS), (0, STRAYS), "film 0 has an opacity 0.100"),
    (chapter04.worst_invention, (2, STRAYS), (0.3, STRAYS), "not the value"),
    (chapter04.worst_invention, (2, STRAYS), (99, STRAYS), "IndexError"),
]


IDS = [f"{case[0].__name__}: {case[3]}" for case in CASES]


@pytest.mark.parametrize(("check", "right", "wrong", "why"), CASES, ids=IDS)
def test_right_answers_pass_and_wrong_ones_are_explained(check, right, wrong, why, capsys):
    assert check(*right) is True
    assert check(*wrong) is False
    assert why in capsys.readouterr().out
