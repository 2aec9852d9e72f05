"""The self-checks of chapter 5, StarGAN; what a check is stands in `check`."""

import numpy as np
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
    first, again, other = (
        (function(labels.clone(), torch.Generator().manual_seed(seed)) - labels).abs() for seed in (1, 1, 2)
    )
    if not (first.sum(1) == 1).all():
        return f"rows have {first.sum(1).min():.0f} to {first.sum(1).max():.0f} flips; each needs exactly one"
    if not (first.sum(0) > 40).all():
        return "every finding should have its turn"
    if not torch.equal(first, again):
        return "the same rng chose other findings the second time: draw with rng and with nothing else"
    if torch.equal(first, other):
        return "another rng chose the very same findings: draw with the rng that you are given"


GREY = 1 / 127.5  # one grey level of 255, in films from -1 to 1


@check  # exercise 3
def cheap_bribe(bribe, films, judge, finding):
    """bribe: films like `films`, each pixel at most 3 grey levels away, that judge takes for the finding."""
    if bribe.shape != films.shape:
        return f"the films are {tuple(films.shape)}, yours {tuple(bribe.shape)}"
    levels = (bribe - films).abs().max().item() / GREY
    if not levels <= 3.01:
        return f"a pixel has changed by {levels:.1f} grey levels, and 3 are allowed: clamp the whole change"
    if bribe.abs().max() > 1:
        return "films go from -1 to 1: clamp them, too"
    logit = judge.logits(bribe)[:, judge.findings.index(finding)].mean().item()
    if not logit > 0:
        return (f"the judge's mean logit of {finding} is {logit:.1f}, and it sees the finding above 0: take "
                "several steps of one grey level, with a new slope each")  # fmt: skip


@check  # exercise 4
def collapse_caught(function):
    """function(change) -> the row from which the change stays below a tenth of its largest value."""
    for change, dip, expected in (
        ([0.01, 0.2, 0.15, 0.015, 0.01], 0, 3),
        ([0.2, 0.01, 0.1, 0.01, 0.005], 1, 3),
        ([0.1, 0.2, 0.01, 0.1, 0.12], 2, 5),
    ):
        row = function(np.array(change))
        if row == dip:
            return f"in {change} row {dip} is small, but the change comes back after it: it has to stay small"
        if row != expected:
            return f"for {change} it is row {expected}, counted from 0 (all rows, if none), not {row}"
