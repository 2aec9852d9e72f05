"""The self-checks of chapter 8, when GANs fail; what a check is stands in `check`."""

import numpy as np
import torch

from .check import check


@check  # exercise 1
def loss_slopes(function):
    """function(d) -> how steep log(1 - D(G(z))) and -log D(G(z)) are in D's logit, where D(G(z)) = d (n,)."""
    d = torch.tensor([0.01, 0.5, 0.9])
    answer = [torch.as_tensor(part).abs() for part in function(d)]
    if [part.shape for part in answer] != [d.shape, d.shape]:
        return f"expected two tensors, the steepness of each loss for each of {len(d)} values of d"
    for name, part, right in zip(("log(1 - d)", "-log d"), answer, (d, 1 - d), strict=True):
        if torch.allclose(part, right / (d * (1 - d)), atol=1e-3):
            return (f"that is the slope of {name} in d; the network's output is the logit l, with "
                    "d = sigmoid(l): multiply by the slope of the sigmoid, d (1 - d)")  # fmt: skip
        if not torch.allclose(part, right, atol=1e-3):
            return f"at d = 0.01 the steepness of {name} is {right[0]:.2f}, not {part[0]:.2f}"


@check  # exercise 2
def copies_share(function):
    """function(fake, held_out) -> share of synthetic films nearer to a training film than all but 5 % of
    held-out real films; fake, held_out: (n,) distances to the nearest training film."""
    held_out, honest = np.linspace(1, 2, 500), np.linspace(1, 2, 1000)
    copied = np.concatenate([np.full(300, 0.1), np.full(700, 1.5)])
    for fake, right, kind in ((copied, 0.3, "30 % copies"), (honest, 0.05, "the held-out films' own spread")):
        answer = float(function(fake, held_out))
        if not 0 <= answer <= 1:
            return f"a share lies between 0 and 1, not at {answer:.2f}"
        if abs(answer - right) > 0.03:
            return (f"for distances with {kind} the share is {right:.2f}, not {answer:.2f}; "
                    "the limit is the 5 % quantile of held_out")  # fmt: skip


@check  # exercise 3
def grid_score(function):
    """function(films (n, 1, h, w)) -> mean squared difference of neighbours over that of pixels two apart."""
    rng = torch.Generator().manual_seed(0)
    noise = torch.rand(4, 1, 64, 64, generator=rng)
    smooth = torch.linspace(0, 1, 64).expand(4, 1, 64, 64) + 0 * noise
    grid = noise + 2 * (torch.arange(64) % 2)
    answers = {name: float(function(films)) for name, films in
               {"noise": noise, "smooth": smooth, "grid": grid}.items()}  # fmt: skip
    if abs(answers["smooth"] - 0.5) < 0.02:
        return "squared differences, not plain ones: a slope of one step gives a quarter, not one half"
    if answers["grid"] < answers["noise"]:
        return "the other way round: neighbours above the bar, pixels two apart below"
    for name, right in {"noise": 1.0, "smooth": 0.25}.items():
        if not abs(answers[name] - right) < 0.05:
            return f"for a film of {name} it is about {right}, not {answers[name]:.2f}"
    near, far = ((grid[..., k:] - grid[..., :-k]).square().mean().item() for k in (1, 2))
    if not abs(answers["grid"] / (near / far) - 1) < 0.05:
        return f"for a pattern of every second pixel it is about {near / far:.0f}, not {answers['grid']:.1f}"


@check  # exercise 4
def telling_number(answer):
    """answer: (name of a number, its value in your run, in the healthy run): one that finds your disease."""
    name, ill, healthy = answer
    if not isinstance(name, str) or not name.strip():
        return "begin with the number's name, in quotes: another reader must be able to measure it, too"
    ill, healthy = float(ill), float(healthy)
    if not np.isfinite([ill, healthy]).all():
        return f"{name} is {ill} and {healthy}: it has no value in one of the runs"
    if abs(ill - healthy) <= 0.05 * max(abs(ill), abs(healthy)):
        return f"{name} is {ill:.3g} in your run and {healthy:.3g} in the healthy one: it tells nothing apart"
