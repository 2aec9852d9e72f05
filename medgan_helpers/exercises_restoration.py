"""The self-checks of chapter 4, in the manner of `exercises`."""

import torch

from .exercises import NOT_WRITTEN, _try, _verdict


def decibels(function):
    """function(restored, clean) -> PSNR in dB of one pair of images in [0, 1]."""
    generator = torch.Generator().manual_seed(0)
    clean = torch.rand(8, 8, generator=generator)
    for error in (0.1, 0.01):
        answer, problem = _try(function, clean + error, clean)
        if problem:
            return _verdict(problem)
        expected = -20 * torch.log10(torch.tensor(error)).item()
        if not abs(float(answer) - expected) < 0.01:
            return _verdict(
                f"an error of {error} everywhere is {expected:.0f} dB, not {float(answer):.2f}: the range "
                "of the images is 1, and the mean squared error stands under the logarithm, not its root"
            )
    return _verdict(None)


def patch_field(function):
    """function(layers) -> side in pixels of what one logit of the PatchGAN sees."""
    for layers, expected in ((1, 16), (2, 34), (3, 70)):
        answer, problem = _try(function, layers)
        if problem:
            return _verdict(problem)
        if answer != expected:
            return _verdict(f"with {layers} layers one logit sees {expected} pixels, you say {answer}")
    return _verdict(None)


def worst_invention(answer, strays):
    """answer: number of the finding-free film with the brightest false opacity; strays: (n,), each film's."""
    if answer is None or answer is ...:
        return _verdict(NOT_WRITTEN)
    if int(answer) != int(strays.argmax()):
        return _verdict(
            f"film {int(answer)} has an opacity {strays[int(answer)]:.3f} too bright, another film one of "
            f"{strays.max():.3f}; you want the position of the largest value, not the value"
        )
    return _verdict(None)
