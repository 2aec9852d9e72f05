"""Answers to the exercises of chapter 4."""

import answers
import torch

from medgan_helpers import degradation
from medgan_helpers.exercises import chapter04 as check

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


CASES = [
    (check.data_consistency, put_back, lambda image, kspace: image, "not the measured one"),
    (
        check.data_consistency,
        put_back,
        lambda image, kspace: degradation.from_kspace(kspace).real,
        "left as it is",
    ),
    (
        check.data_consistency,
        put_back,
        lambda image, kspace: degradation.from_kspace(kspace),
        "take .real",
    ),
    (check.plausible_decibels, 25.0, 0.9, "no PSNR of a repaired film"),
    (check.decibels, decibels, lambda a, b: decibels(a, b) / 2, "not its root"),
    (check.patch_field, patch_field, lambda layers: 4 ** (layers + 1), "one logit sees 34"),
    (check.worst_invention, (STRAYS.argmax(), STRAYS), (0, STRAYS), "film 0 has an opacity 0.100"),
    (check.worst_invention, (2, STRAYS), (0.3, STRAYS), "not the value"),
    (check.worst_invention, (2, STRAYS), (99, STRAYS), "the first has the number 0; yours is 99"),
]

test_answers = answers.table(CASES)
