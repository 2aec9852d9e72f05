"""The self-checks of chapter 4, Pix2Pix; what a check is stands in `check`."""

import math

import torch

from .. import degradation
from .check import check


@check  # exercise 1
def decibels(function):
    """function(restored, clean) -> PSNR in dB of one pair of images in [0, 1]."""
    clean = torch.rand(8, 8, generator=torch.Generator().manual_seed(0))
    for error in (0.1, 0.01):
        answer, expected = float(function(clean + error, clean)), -20 * math.log10(error)
        if not abs(answer - expected) < 0.01:
            return (f"an error of {error} everywhere is {expected:.0f} dB, not {answer:.2f}: the range is "
                    "1, and the mean squared error stands under the logarithm, not its root")  # fmt: skip


@check  # exercise 2
def patch_field(function):
    """function(layers) -> side in pixels of what one logit of the PatchGAN sees."""
    for layers, expected in ((1, 16), (2, 34), (3, 70)):
        answer = function(layers)
        if answer != expected:
            return f"with {layers} layers one logit sees {expected} pixels, you say {answer}"


@check  # exercise 3
def worst_invention(answer, strays):
    """answer: number of the finding-free film with the brightest false opacity; strays: (n,), each film's."""
    if not 0 <= float(answer) < len(strays):
        return f"there are {len(strays)} films, and the first has the number 0; yours is {answer}"
    if float(answer) != int(strays.argmax()):
        own, largest = strays[int(answer)], strays.max()
        return (f"film {int(answer)} has an opacity {own:.3f} too bright, another film one of {largest:.3f}; "
                "you want the position of the largest value, not the value")  # fmt: skip


@check  # exercise 4
def data_consistency(function):
    """function(image, kspace), both (H, W) -> the real slice that agrees with the measured k-space."""
    rng = torch.Generator().manual_seed(0)
    image, true = torch.rand(16, 16, generator=rng), torch.rand(16, 16, generator=rng)
    rows = (torch.arange(16) % 2 == 0)[:, None]  # with every row its mirror: what comes back is real
    whole = degradation.to_kspace(true.to(torch.complex64))
    answer = function(image, whole * rows)
    if torch.is_complex(answer):
        return "a slice is real: take .real of what comes back from k-space"
    if answer.shape != image.shape:
        return f"the slice is {tuple(image.shape)}, yours {tuple(answer.shape)}"
    found = degradation.to_kspace(answer.to(torch.complex64))
    own = degradation.to_kspace(image.to(torch.complex64))
    if (found - whole)[rows.expand(16, 16)].abs().max() > 1e-3:
        return "in the measured rows your slice's k-space is not the measured one"
    if (found - own)[~rows.expand(16, 16)].abs().max() > 1e-3:
        return "where nothing was measured the slice's own k-space should be left as it is"


@check  # exercise 5
def plausible_decibels(answer):
    """answer: mean PSNR of repaired films, in dB; a grey film has about 10, no repair has 60."""
    if not 10 < float(answer) < 60:
        return (f"{float(answer):.1f} dB is no PSNR of a repaired film: compare images in [0, 1], "
                "repaired against clean, and take the mean over films")  # fmt: skip
