"""The self-checks of chapter 8, when GANs fail; what a check is stands in `check`."""

import numpy as np
import torch

from .check import check


@check
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


@check
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
