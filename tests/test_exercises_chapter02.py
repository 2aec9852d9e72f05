"""Answers to the exercises of chapter 2."""

import answers
import numpy as np
import torch

from medgan_helpers import augmentation
from medgan_helpers.exercises import chapter02 as check


def largest_shift(limit):
    def function(masks):
        shifts = np.linspace(0, 0.5, 51)
        area = torch.from_numpy(masks).float()[:, None]
        kept = []
        for shift in shifts:
            moved = augmentation.warp(area, augmentation.affine(area, across=float(shift)), outside="zeros")
            kept.append((moved.sum((1, 2, 3)) >= 0.5 * area.sum((1, 2, 3))).float().mean().item())
        return max(s for s, k in zip(shifts, kept, strict=True) if k >= limit)

    return function


def mixup(films, labels, share):
    film_share, label_share = share[:, None, None, None], share[:, None]
    mixed = film_share * films + (1 - film_share) * films.roll(-1, 0)
    return mixed, label_share * labels + (1 - label_share) * labels.roll(-1, 0)


CASES = [
    (check.rotation, augmentation.rotate, lambda f, d: augmentation.rotate(f, -d), "clockwise"),
    (check.largest_shift, largest_shift(0.9), largest_shift(1.0), "one mask of twenty"),
    (check.mixup, mixup, lambda f, y, s: (mixup(f, y, s)[0], y), "labels must be mixed"),
]

test_answers = answers.table(CASES)


def test_the_hidden_share_is_right_in_words_and_numbers(capsys):
    def share(masks, top, left, side):
        return masks[:, top : top + side, left : left + side].sum((1, 2)) / masks.sum((1, 2))

    assert check.hidden_share(share)
    assert not check.hidden_share(lambda m, t, l, s: m[:, t : t + s, l : l + s].sum((1, 2)))
    assert "divide each by the area" in capsys.readouterr().out
    assert not check.hidden_share(lambda m, t, l, s: share(m, l, t, s).mean())
