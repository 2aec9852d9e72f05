"""Answers to the exercises of chapter 7."""

import answers
import numpy as np
import torch

from medgan_helpers.exercises import chapter07 as check


def kappa(first, second):
    a, b = np.mean(first), np.mean(second)
    expected = a * b + (1 - a) * (1 - b)
    return (np.mean(first == second) - expected) / (1 - expected)


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


def covered(films, mask):
    return torch.where(mask, films[..., ~mask].mean(-1)[..., None, None], films)


CASES = [
    (check.activation_map, cam, lambda f, w: torch.einsum("c,chw->hw", w, f), "ReLU is missing"),
    (check.pointing, game, lambda m, k: (game(m, k)[0], 0.5), "quarter"),
    (check.shuffled_chance, others, lambda m, k: others(m, k, own=True), "leave out the diagonal"),
    (check.cover, covered, lambda f, m: f.masked_fill_(m, 0), "changed its input"),
    (check.cover, covered, lambda f, m: f.masked_fill(m, 0), "a mark of its own"),
    (check.cover, covered, lambda f, m: f.masked_fill(~m, 0), "not covered have changed"),
    (check.cover, covered, lambda f, m: f.masked_fill(m, f.mean().item()), "their films' other pixels"),
    (check.cover, covered, lambda f, m: f[:, 0], "came back as (3, 4, 6)"),
    (check.kappa, kappa, lambda a, b: np.mean(a == b), "kappa is"),
]

test_answers = answers.table(CASES)
