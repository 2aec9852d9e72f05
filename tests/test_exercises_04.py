"""Each check accepts a right answer and says what is wrong with the usual wrong ones."""

import pytest
import torch

from medgan_helpers.exercises import chapter04

STRAYS = torch.tensor([0.1, 0.05, 0.3])


def decibels(restored, clean):
    return -10 * torch.log10(((restored - clean) ** 2).mean()).item()


def patch_field(layers):
    side = 1
    for stride in [1, 1] + [2] * layers:
        side = (side - 1) * stride + 4
    return side


CASES = [
    (chapter04.decibels, (decibels,), (lambda a, b: decibels(a, b) / 2,), "not its root"),
    (chapter04.patch_field, (patch_field,), (lambda layers: 4 ** (layers + 1),), "one logit sees 34"),
    (chapter04.worst_invention, (STRAYS.argmax(), STRAYS), (0, STRAYS), "film 0 has an opacity 0.100"),
    (chapter04.worst_invention, (2, STRAYS), (0.3, STRAYS), "not the value"),
    (chapter04.worst_invention, (2, STRAYS), (99, STRAYS), "IndexError"),
]


@pytest.mark.parametrize(("check", "right", "wrong", "why"), CASES, ids=[case[3] for case in CASES])
def test_right_answers_pass_and_wrong_ones_are_explained(check, right, wrong, why, capsys):
    assert check(*right) is True
    assert check(*wrong) is False
    assert why in capsys.readouterr().out
