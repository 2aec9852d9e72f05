"""The self-checks of chapter 4, Pix2Pix; what a check is stands in `check`."""

import math

import torch

from .check import check


@check
def decibels(function):
    """function(restored, clean) -> PSNR in dB of one pair of images in [0, 1]."""
    clean = torch.rand(8, 8, generator=torch.Generator().manual_seed(0))
    for error in (0.1, 0.01):
        answer, expected = float(function(clean + error, clean)), -20 * math.log10(error)
        if not abs(answer - expected) < 0.01:
            return (f"an error of {error} everywhere is {expected:.0f} dB, not {answer:.2f}: the range is "
                    "1, and the mean squared error stands under the logarithm, not its root")  # fmt: skip


@check
def patch_field(function):
    """function(layers) -> side in pixels of what one logit of the PatchGAN sees."""
    for layers, expected in ((1, 16), (2, 34), (3, 70)):
        answer = function(layers)
        if answer != expected:
            return f"with {layers} layers one logit sees {expected} pixels, you say {answer}"


@check
def worst_invention(answer, strays):
    """answer: number of the finding-free film with the brightest false opacity; strays: (n,), each film's."""
    if float(answer) != int(strays.argmax()):
        own, largest = strays[int(answer)], strays.max()
        return (f"film {int(answer)} has an opacity {own:.3f} too bright, another film one of {largest:.3f}; "
                "you want the position of the largest value, not the value")  # fmt: skip
