"""Classical augmentation of chest films, on batches, on the device, from a seed.

Each transform takes images (B, C, H, W) in [-1, 1] and one number per image, and keeps the label: an older,
larger or slightly turned patient has the same disease. `Augmentation` draws the numbers.

Mirroring is off by default. A mirrored chest has its heart on the right (dextrocardia, about 1 in 10,000
people) and its laterality marker reversed: the network would learn anatomy that does not exist. It does not
change any CheXpert label, so it can be switched on and its effect measured.

The random transforms of torchvision draw from the global random state and, on a batch, the same numbers for
every film; hence the warp is written here with torch's own affine_grid and grid_sample (the grid of spatial
transformer networks, Jaderberg et al., NeurIPS 2015).
"""

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
import torch.nn.functional as F

from .checks import door, having, in_range, number, numbers, one_of, tensor, told, whole
from .checks import generator as generator_of
from .training import mix

SMALLEST = 0.01  # times as large: below, nothing of the film is left


# ---------------------------------------------------------------- geometry
def check(images):
    """Raise unless images are a batch of films (B, C, H, W) of floats."""
    found = tuple(images.shape) if hasattr(images, "shape") else type(images).__name__
    if not torch.is_tensor(images) or images.dim() != 4:
        raise ValueError(
            f"images: expected a tensor (B, C, H, W), found {found}: one film is film[None, None]"
        )
    if not images.is_floating_point():
        raise TypeError(f"images: expected floats, as images.signed_batch makes them, found {images.dtype}")
    if images.numel() == 0:
        raise ValueError(f"images: expected at least one film, found {found}")
    in_range(images)


def affine(images, degrees=0.0, across=0.0, down=0.0, scale=1.0):
    """The matrices (B, 2, 3) that turn anticlockwise, enlarge and shift the content of images.

    Each argument is a number or a tensor (B,): degrees; across and down in film widths (positive: to the
    right, downwards); scale above 1 enlarges. Films are square. For `warp`.
    """
    degrees, across, down = (_each(value, images) for value in (degrees, across, down))
    scale = _each(scale, images, least=SMALLEST)
    angle = degrees * math.pi / 180
    cos, sin = angle.cos() / scale, angle.sin() / scale
    # The grid says where each output pixel comes from, so this is the inverse of the movement.
    x, y = -2 * across, -2 * down  # the grid runs from -1 to 1: 2 is a film width
    rows = [torch.stack([cos, -sin, cos * x - sin * y], 1), torch.stack([sin, cos, sin * x + cos * y], 1)]
    return torch.stack(rows, 1)


def _movements(name, value):
    """Matrices (B, 2, 3) of finite numbers; not checked on a GPU (it would wait)."""
    tensor("B", "2", "3")(name, value)
    if value.device.type == "cpu" and not value.isfinite().all():
        raise ValueError(f"{name} hold nan or infinite numbers: expected those that affine makes")


def _with_opposite(name, value):
    _movements(name, value)
    if value.device.type == "cpu" and (value[:, :, :2].float().det() == 0).any():
        raise ValueError(f"{name} flatten a film to a line: expected those that affine makes")


@door(matrices=_with_opposite)
def invert(matrices):
    """The matrices (B, 2, 3) of the opposite movement."""
    square = torch.cat([matrices, matrices.new_tensor([[[0, 0, 1]]]).expand(len(matrices), 1, 3)], 1)
    return torch.linalg.inv(square)[:, :2]


@door(matrices=_movements, outside=one_of("border", "zeros"))
def warp(images, matrices, outside="border"):
    """Move images by `matrices`, bilinearly.

    What comes from outside repeats the film's edge ("border"), or is 0 ("zeros": for masks). A black wedge
    would be a mark that only augmented films carry.
    """
    check(images)
    if len(matrices) != len(images):
        raise ValueError(f"{len(matrices)} matrices for {len(images)} films: expected one each")
    grid = F.affine_grid(matrices.to(images), images.shape, align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode=outside, align_corners=False)


def rotate(images, degrees):
    """Turn anticlockwise by `degrees`."""
    return warp(images, affine(images, degrees=degrees))


def shift(images, across):
    """Move to the right by a fraction of the film's width."""
    return warp(images, affine(images, across=across))


def zoom(images, scale):
    """Enlarge about the centre; above 1 this crops."""
    return warp(images, affine(images, scale=scale))


def mirror(images):
    """Swap left and right. See the module's first words for why nobody should do this lightly."""
    check(images)
    return images.flip(-1)


# ---------------------------------------------------------------- intensity
def brighten(images, by):
    """Add `by` (in units of [-1, 1]); what leaves the range is clipped."""
    return (images + _each(by, images, 4)).clamp(-1, 1)


def contrast(images, factor):
    """Stretch grey levels about the film's own mean by `factor`."""
    check(images)
    mean = images.mean((1, 2, 3), keepdim=True)
    return (mean + (images - mean) * _each(factor, images, 4, least=0)).clamp(-1, 1)


@door(generator=generator_of)
def add_noise(images, sigma, generator):
    """Add Gaussian noise of standard deviation `sigma`, drawn from `generator`."""
    sigma = _each(sigma, images, 4, least=0)
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return (images + sigma * noise).clamp(-1, 1)


def _each(value, images, dims=1, least=-math.inf):
    """One finite number per image, ready to multiply: (B,) or (B, 1, 1, 1)."""
    check(images)
    if not torch.is_tensor(value) or value.device.type == "cpu":  # a GPU would have to wait
        numbers(least)("the amount", value)
        if not np.isfinite(np.asarray(value, float)).all():
            raise ValueError(f"the amount is {told(value)}: expected finite numbers")
    value = torch.as_tensor(value, dtype=images.dtype, device=images.device)
    if value.dim() > 1 or value.numel() not in (1, len(images)):
        raise ValueError(f"{tuple(value.shape)} numbers for {len(images)} films: expected one, or one each")
    return value.expand(len(images)).reshape(-1, *[1] * (dims - 1))


# ---------------------------------------------------------------- all of them at random
@dataclass(frozen=True)
class Augmentation:
    """Random transforms in the ranges in which two films of one patient differ.

    Each range is symmetric about no change and drawn evenly; `strength` multiplies all of them. The mirror is
    not among them: a heart on the right is another patient's, and ill.
    """

    rotation: float = 7.0  # degrees
    translation: float = 0.05  # film widths
    scale: float = 0.1  # share
    brightness: float = 0.1  # of [-1, 1]
    contrast: float = 0.2  # share
    noise: float = 0.02  # standard deviation, at most; [-1, 1]
    strength: float = 1.0

    def __post_init__(self):
        for field in fields(self):
            number(0)(field.name, getattr(self, field.name))
        if self.strength * max(self.scale, self.contrast) >= 1:
            raise ValueError(f"strength is {self.strength}: times scale or contrast it must stay below 1")

    def __call__(self, images, generator):
        """Augment images (B, C, H, W) with numbers from `generator` (a torch.Generator on their device)."""

        check(images)
        generator_of("generator", generator)

        def draw(reach):
            return (torch.rand(len(images), generator=generator, device=images.device) * 2 - 1) * reach

        rotation, translation, scale, brightness, stretch, noise = (
            self.strength * reach
            for reach in (self.rotation, self.translation, self.scale,
                          self.brightness, self.contrast, self.noise)
        )  # fmt: skip
        matrices = affine(
            images,
            degrees=draw(rotation),
            across=draw(translation),
            down=draw(translation),
            scale=1 + draw(scale),
        )
        images = contrast(warp(images, matrices), 1 + draw(stretch))
        return add_noise(brighten(images, draw(brightness)), draw(noise).abs(), generator)


class Augmented:
    """Batches whose films are augmented anew each time; goes where `batches` goes, `training.fit` included.

    batches: with seek(number), as images.ImageStore.batches. Step t draws from (seed, t) alone, so a resumed
    run sees the films an uninterrupted one would. Only for training: validation films stay as they are.
    """

    @door(augmentation=having("__call__", kind="an Augmentation, or None"))
    def __init__(self, batches, augmentation=None, seed=0):
        if not hasattr(batches, "seek"):
            raise TypeError(f"batches is {told(batches)}: expected batches with seek, as ImageStore.batches")
        self.batches, self.augmentation, self.seed = batches, augmentation or Augmentation(), seed
        self.step = 0

    @door(step=whole(0))
    def seek(self, step):
        self.batches.seek(step)
        self.step = step

    def __iter__(self):
        return self

    def __next__(self):
        images, labels = next(self.batches)
        generator = torch.Generator(images.device).manual_seed(mix(self.seed, self.step))
        self.step += 1
        return self.augmentation(images, generator), labels
