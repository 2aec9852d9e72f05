"""An examiner of findings that takes no bribes: a classifier that only ever looks through haze.

What a pattern says that nobody sees is lost in blur, grain, exposure and shift; a finding is not. The robust
StarGAN (stargan_robust.py) asks it what its films show, and how sure a case they are.
"""

import torch

from . import checks, diffaugment
from .checks import door, images
from .classifier import DenseNet, masked_bce
from .images import uint8_to_signed
from .training import one_step

BLUR, SHARP = 1.4, 0.3  # pixels at 64 px: the widest blur, and below which there is none
NOISE = 0.12  # standard deviation of the coarsest grain, of grey levels in [-1, 1]
LOOKS = 4  # through haze, of which certainty is the mean


@door(films=images, rng=checks.generator)
def through_haze(films, rng):
    """Films as seen through a random blur, grain, exposure and shift: what an examiner is asked through."""
    draw = torch.rand(2, generator=rng, device=rng.device).tolist()
    sigma = BLUR * draw[0] * films.shape[-1] / 64
    if sigma > SHARP:
        films = diffaugment.blur(films, sigma)
    films = films + NOISE * draw[1] * torch.randn(films.shape, generator=rng, device=films.device)
    films = diffaugment.contrast(diffaugment.brightness(films, rng), rng)
    return diffaugment.shift(films, rng)


class Examiner(DenseNet):
    """The narrow classifier of the course, trained through haze; frozen once a StarGAN plays against it."""

    def __init__(self, findings=5, steps=900, seed=0, **machine):
        super().__init__(findings, preset="narrow", steps=steps, emphasis=(), seed=seed, **machine)

    def plan(self):
        return None  # how much haze decides which operations run

    @one_step
    def step(self, batch):
        """One optimizer step on (images, labels (B, F)), the images through haze. Returns {"loss"}."""
        images, labels = batch
        self.network.train()
        loss = masked_bce(self.read(through_haze(images, self.rng))[2], labels, self.weights)
        self.descend(loss, self.optimizer)
        return {"loss": loss}


@torch.no_grad()
@door(examiner=checks.having("read", "findings", kind="a trained Examiner"), films=checks.films())
def certainty(examiner, films, columns=slice(None), seed=0):
    """(N, F): the examiner's logits of films (N, H, W) uint8, the mean of LOOKS looks through haze."""
    rng = torch.Generator(examiner.device).manual_seed(seed)
    examiner.network.eval()
    found = []
    for part in torch.as_tensor(films)[:, None].split(256):
        part = uint8_to_signed(part.to(examiner.device))
        looks = [examiner.read(through_haze(part, rng))[2].float() for _ in range(LOOKS)]
        found.append(torch.stack(looks).mean(0)[:, columns].cpu())
    return torch.cat(found)


def severity(labels, sure):
    """(N, F): of films with a finding, how sure one is of it among its like, as a normal score; else 0."""
    scores = torch.zeros(labels.shape)
    for column, has in enumerate(labels.T > 0):
        rank = sure[has, column].argsort().argsort()
        scores[has, column] = torch.special.ndtri((rank + 0.5) / len(rank))
    return scores
