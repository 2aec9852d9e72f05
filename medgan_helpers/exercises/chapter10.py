"""The self-checks of chapter 10, After GANs; what a check is stands in `check`."""

import torch

from .check import check


@check  # exercise 1
def both_ends(function):
    """function(x, v, t) -> (noise, film): the ends of the line through x at time t with velocity v."""
    noise, film = torch.tensor([1.0, -1.0, 0.5]), torch.tensor([0.0, 3.0, -0.5])
    for t in (0.25, 0.5):
        x, v = (1 - t) * noise + t * film, film - noise
        answers = [torch.as_tensor(end).float() for end in function(x, v, t)]
        for name, found, expected in zip(("noise", "film"), answers, (noise, film), strict=True):
            if not torch.allclose(found, expected, atol=1e-5):
                return (f"at t = {t} the {name} is not where your line ends: from x it is {t} of the line "
                        f"back to the noise and {1 - t} of it on to the film")  # fmt: skip


@check  # exercise 2
def euler(function):
    """function(velocity, x, steps) -> film: `steps` equal steps from t = 0 to 1, each by velocity(x, t)."""
    x = torch.tensor([[1.0], [2.0]])
    constant = function(lambda x, t: torch.full_like(x, 3.0), x, 4)
    if (shape := tuple(torch.as_tensor(constant).shape)) != tuple(x.shape):
        return f"points {tuple(x.shape)} went in and {shape} came out; the shape stays"
    if not torch.allclose(torch.as_tensor(constant), x + 3):
        return "along a constant velocity of 3 every point must end 3 farther on: do the steps add up to 1?"
    clock = function(lambda x, t: torch.full_like(x, 2 * float(torch.as_tensor(t).flatten()[0])), x, 4)
    if not torch.allclose(torch.as_tensor(clock), x + 0.75):
        return ("with a velocity of 2 t and 4 steps a point must go 0.75: the velocity of a step is asked "
                "for at its beginning, t = 0, 1/4, 2/4, 3/4")  # fmt: skip
    growing = function(lambda x, t: x, x, 2)
    if not torch.allclose(torch.as_tensor(growing), 2.25 * x):
        return "each step starts where the last one ended: with a velocity of x two steps make 1.5 times 1.5"


@check  # exercise 3
def straightness(function):
    """function(points) -> (n,): direct distance over the length walked. points: (n, steps + 1, d)."""
    straight = torch.tensor([[0.0, 0.0], [1.0, 1.0], [3.0, 3.0]])
    corner = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    answer = torch.as_tensor(function(torch.stack([straight, corner])))
    if answer.shape != (2,):
        return f"two ways went in, so two numbers come out, not {tuple(answer.shape)}"
    if not torch.allclose(answer[0], torch.tensor(1.0), atol=1e-4):
        return f"a straight way has straightness 1, however long its steps are, not {answer[0]:.2f}"
    if torch.allclose(answer[1], torch.tensor(2.0).sqrt(), atol=1e-3):
        return "upside down: the direct distance is the shorter one, so no way has more than 1"
    if not torch.allclose(answer[1], torch.tensor(0.5).sqrt(), atol=1e-3):
        return f"one step right and one step up: the square root of 2 over 2 = 0.71, not {answer[1]:.2f}"


@check  # exercise 4
def break_even(function):
    """function(slow, fast) -> films from which on `fast` is cheaper; each (training s, ms for one film)."""
    for slow, fast, expected in (((300, 20.0), (400, 10.0), 10_000), ((60, 35.0), (90, 5.0), 1_000)):
        answer = float(function(slow, fast))
        if abs(answer * 1000 - expected) < 1e-3 * expected or abs(answer / 1000 - expected) < 1e-3 * expected:
            return "seconds and milliseconds are mixed: the training is in s, the drawing in ms"
        if not abs(answer - expected) < 1e-3 * expected:
            return (f"{slow[0]} s and {slow[1]:.0f} ms for one film against {fast[0]} s and {fast[1]:.0f} ms"
                    f": the two cost the same at {expected:,} films, not at {answer:,.0f}")  # fmt: skip
