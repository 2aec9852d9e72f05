"""The self-checks of chapter 3, DCGAN; what a check is stands in `check`."""

import torch

from .check import check


@check
def optimal_discriminator(function):
    """function(p, q) -> D*(x): the best discriminator between density p (data) and q (generator)."""
    p, q = torch.tensor([0.4, 0.1, 0.0, 0.3]), torch.tensor([0.4, 0.3, 0.2, 0.0])
    answer = torch.as_tensor(function(p, q))
    if not torch.allclose(answer[0], torch.tensor(0.5)):
        return f"where data and generator are equally dense D* must be 0.5, not {answer[0]:.2f}"
    if not torch.allclose(answer, torch.tensor([0.5, 0.25, 0.0, 1.0])):
        return "D* is the share of the data in all that is seen at x: p over p plus q"


@check
def resize_convolution(block, channels_in=8, channels_out=4):
    """block: a module (B, channels_in, h, w) -> (B, channels_out, 2h, 2w) that leaves no checkerboard."""
    with torch.no_grad():
        answer = block(torch.ones(1, channels_in, 8, 8))
    if answer.shape != (1, channels_out, 16, 16):
        return (f"8 x 8 with {channels_in} channels became {tuple(answer.shape[1:])}, "
                f"expected ({channels_out}, 16, 16)")  # fmt: skip
    if not answer[..., 4:-4, 4:-4].std(dim=(-2, -1)).max() <= 1e-5:
        return ("a flat input came out patterned: neighbouring pixels see different weights, as in a "
                "transposed convolution")  # fmt: skip


@check
def spherical_interpolation(function):
    """function(a, b, t) -> point at share t of the arc from a to b, vectors (d,)."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 100, generator=generator)
    b = b * a.norm() / b.norm()
    start, middle, end = (torch.as_tensor(function(a, b, t)) for t in (0.0, 0.5, 1.0))
    for t, place, point, expected in ((0, "start", start, a), (1, "end", end, b)):
        if not torch.allclose(point, expected, atol=1e-4):
            return f"at t = {t} the path must be at its {place}"
    length = middle.norm() / a.norm()
    if not abs(length - 1) < 1e-3:
        return (f"half way the vector has shrunk to {length:.2f} of its length: that is the straight line, "
                "which leaves the shell on which Gaussian noise lives")  # fmt: skip
    if not torch.allclose(middle, (a + b) * a.norm() / (a + b).norm(), atol=0.01):
        return "half way the point has the right length, but it must be as near to a as to b"
