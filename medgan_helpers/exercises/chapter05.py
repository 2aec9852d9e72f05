"""The self-checks of chapter 5, StarGAN; what a check is stands in `check`."""

import torch

from .check import check


@check  # exercise 1
def one_way_networks(function):
    """function(n) -> the number of one-way networks between n domains."""
    for n, expected in ((2, 2), (5, 20), (13, 156)):
        if function(n) != expected:
            return f"with {n} domains you count {function(n)}; with 2 there are 2 ways, there and back"


@check  # exercise 2
def one_flip(function):
    """function(labels (B, domains) of 0 and 1, rng) -> the labels with one entry of each row flipped."""
    labels = torch.randint(0, 2, (200, 3), generator=torch.Generator().manual_seed(0)).float()
    flips = (function(labels.clone(), torch.Generator().manual_seed(1)) - labels).abs()
    if not (flips.sum(1) == 1).all():
        return f"rows have {flips.sum(1).min():.0f} to {flips.sum(1).max():.0f} flips; each needs exactly one"
    if not (flips.sum(0) > 40).all():
        return "every finding should have its turn"
