"""The self-checks of chapter 3, DCGAN; what a check is stands in `check`."""

import math
from dataclasses import asdict

import torch
import torch.nn.functional as F

from ..dcgan import SMALL
from .check import check


@check  # exercise 1
def optimal_discriminator(function):
    """function(p, q) -> D*(x): the best discriminator between density p (data) and q (generator)."""
    p, q = torch.tensor([0.4, 0.1, 0.0, 0.3]), torch.tensor([0.4, 0.3, 0.2, 0.0])
    answer = torch.as_tensor(function(p, q))
    if not torch.allclose(answer[0], torch.tensor(0.5)):
        return f"where data and generator are equally dense D* must be 0.5, not {answer[0]:.2f}"
    if not torch.allclose(answer, torch.tensor([0.5, 0.25, 0.0, 1.0])):
        return "D* is the share of the data in all that is seen at x: p over p plus q"


@check  # exercise 2
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


@check  # exercise 3
def spherical_interpolation(function):
    """function(a, b, t) -> point at share t of the arc from a to b, vectors (d,)."""
    a, b = _two_vectors()
    at = {t: torch.as_tensor(function(a, b, t)).float() for t in (0.0, 0.25, 0.5, 1.0)}
    length = {t: (point.norm() / a.norm()).item() for t, point in at.items()}
    for t, place, expected in ((0.0, "start", a), (1.0, "end", b)):
        if not torch.allclose(at[t], expected, atol=1e-4):
            return f"at t = {t:.0f} the path must be at its {place}"
    if torch.allclose(at[0.5], (a + b) / 2, atol=1e-4):
        return (f"half way the vector has shrunk to {length[0.5]:.2f} of its length: that is the straight "
                "line, which leaves the shell on which Gaussian noise lives")  # fmt: skip
    if not abs(length[0.5] - 1) < 1e-3:
        return (f"half way the vector has {length[0.5]:.2f} of its length and has left the shell; weights "
                "such as square roots keep the length of vectors at right angles only")  # fmt: skip
    turned = {t: _angle(a, point) / _angle(a, b) for t, point in at.items()}
    if not abs(turned[0.5] - 0.5) < 0.01:
        return "half way the point has the right length, but it must be as near to a as to b"
    if not abs(turned[0.25] - 0.25) < 0.01:
        return (f"at t = 0.25 the point has gone {turned[0.25]:.2f} of the angle, not a quarter: a straight "
                "line that is stretched back to the shell runs faster in the middle")  # fmt: skip
    if not abs(length[0.25] - 1) < 1e-3:
        return f"at t = 0.25 the vector has {length[0.25]:.2f} of its length and has left the shell"


def _two_vectors():
    """Two vectors (100,) of one length with an angle of 60 degrees: at right angles more ways look right."""
    generator = torch.Generator().manual_seed(0)
    a, other = torch.randn(2, 100, generator=generator)
    across = other - (other @ a) / (a @ a) * a
    return a, a * math.cos(math.pi / 3) + across / across.norm() * a.norm() * math.sin(math.pi / 3)


def _angle(a, b):
    return math.acos(max(-1.0, min(1.0, (a @ b / (a.norm() * b.norm())).item())))


@check  # exercise 4
def relativistic_losses(function):
    """function(real, fake) -> (loss of D, loss of G) of the relativistic pairing, from logits (B,)."""
    real, fake = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([1.0, 0.5, 0.5])
    d_loss, g_loss = (torch.as_tensor(loss) for loss in function(real, fake))
    if d_loss.numel() != 1 or g_loss.numel() != 1:
        return "each loss is one number: the mean over the pairs"
    if torch.allclose(d_loss, F.softplus(-real).mean() + F.softplus(fake).mean()):
        return "this is the loss of 2014, which judges each film alone; here D judges a difference"
    expected = F.softplus(fake - real).mean(), F.softplus(real - fake).mean()
    if torch.allclose(d_loss, expected[1]) and torch.allclose(g_loss, expected[0]):
        return "the two are exchanged: D wants the real film of a pair to have the larger logit"
    if not torch.allclose(d_loss, expected[0]):
        return f"for these logits D's loss is {expected[0]:.4f}, not {d_loss:.4f}: softplus(fake - real)"
    if not torch.allclose(g_loss, expected[1]):
        return f"for these logits G's loss is {expected[1]:.4f}, not {g_loss:.4f}: the roles change"


@check  # exercise 5
def one_change(recipes):
    """recipes: (broken, cured), two dcgan.Recipe: a cure is known only if nothing else changed."""
    broken, cured = (asdict(recipe) for recipe in recipes)
    if broken == asdict(SMALL):
        return "the broken recipe is SMALL itself: take a remedy away first"
    changed = [name for name in broken if broken[name] != cured[name]]
    if len(changed) != 1:
        return (f"between the broken recipe and the cured one {len(changed)} settings differ "
                f"({', '.join(changed) or 'none'}): change one, or nobody knows what helped")  # fmt: skip
