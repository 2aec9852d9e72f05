"""Each check accepts a right answer and says what is wrong with the usual wrong ones."""

import numpy as np
import pytest
import torch

from medgan_helpers import augmentation
from medgan_helpers.exercises import chapter02, chapter06, chapter07, chapter08


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


def kappa(first, second):
    a, b = np.mean(first), np.mean(second)
    expected = a * b + (1 - a) * (1 - b)
    return (np.mean(first == second) - expected) / (1 - expected)


def bootstrap(labels, a, b, rng, paired=True, quantiles=(0.025, 0.975)):
    from sklearn.metrics import roc_auc_score as auroc

    values = []
    for _ in range(500):
        one = rng.integers(len(labels), size=len(labels))
        two = one if paired else rng.integers(len(labels), size=len(labels))
        values.append(auroc(labels[one], a[one]) - auroc(labels[two], b[two]))
    return np.quantile(values, quantiles)


def positives(area, times=2):
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    for p in range(2, 10_000):
        n = 10 * p
        variance = (area * (1 - area) + (p - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / (p * n)
        if 1.96 * np.sqrt(times * variance) < 0.03:
            return p


def cam(features, weights):
    return torch.einsum("c,chw->hw", weights, features.relu())


def game(maps, masks):
    inside = masks.flatten(1)[torch.arange(len(maps)), maps.flatten(1).argmax(1)]
    return int(inside.sum()), masks.float().mean().item()


def others(maps, masks, own=False):
    table = masks.flatten(1)[:, maps.flatten(1).argmax(1)].float()
    count = len(maps)
    if own:
        return table.mean().item()
    return ((table.sum() - table.diagonal().sum()) / (count * (count - 1))).item()


def grid(films, power=2):
    near, far = ((films[..., k:] - films[..., :-k]).abs().pow(power).mean() for k in (1, 2))
    return (near / (far + 1e-6)).item()


CASES = [
    (chapter02.rotation, augmentation.rotate, lambda f, d: augmentation.rotate(f, -d), "clockwise"),
    (chapter02.largest_shift, largest_shift(0.9), largest_shift(1.0), "one mask of twenty"),
    (chapter02.mixup, mixup, lambda f, y, s: (mixup(f, y, s)[0], y), "labels must be mixed"),
    (chapter07.activation_map, cam, lambda f, w: torch.einsum("c,chw->hw", w, f), "ReLU is missing"),
    (chapter07.pointing, game, lambda m, k: (game(m, k)[0], 0.5), "quarter"),
    (chapter07.shuffled_chance, others, lambda m, k: others(m, k, own=True), "leave out the diagonal"),
    (chapter08.grid_score, grid, lambda f: grid(f, power=1), "squared differences"),
    (chapter08.grid_score, grid, lambda f: 1 / grid(f), "other way round"),
    (chapter07.kappa, kappa, lambda a, b: np.mean(a == b), "kappa is"),
    (chapter06.paired_bootstrap, bootstrap, lambda *x: bootstrap(*x, paired=False), "too wide"),
    (
        chapter06.paired_bootstrap,
        bootstrap,
        lambda *x: bootstrap(*x, quantiles=(0.05, 0.95)),
        "which quantiles",
    ),
    (chapter06.paired_bootstrap, bootstrap, lambda *x: (0.01, 0.08), "whatever the data are"),
    (
        chapter06.paired_bootstrap,
        bootstrap,
        lambda labels, a, b, rng: rng.choice(10, 2, replace=False),
        "with replacement",
    ),
    (chapter06.positives_needed, positives, lambda a: positives(a, times=1), "twice that of one"),
]


@pytest.mark.parametrize(("check", "right", "wrong", "why"), CASES, ids=[case[3] for case in CASES])
def test_right_answers_pass_and_wrong_ones_are_explained(check, right, wrong, why, capsys):
    assert check(right)
    assert not check(wrong)
    assert why in capsys.readouterr().out


def test_the_fair_comparison_is_b(capsys):
    assert chapter06.fair_comparison("B")
    assert not chapter06.fair_comparison("A")
    assert "epochs" in capsys.readouterr().out
