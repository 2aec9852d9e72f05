"""Rectified flow: films from noise along straight lines, without an opponent.

Liu, Gong & Liu, *Flow straight and fast: learning to generate and transfer data with rectified flow*, ICLR
2023 (arXiv 2209.03003): the straight line and its loss, equation 1.
Lipman et al., *Flow matching for generative modeling*, ICLR 2023 (arXiv 2210.02747): the same loss, from the
side of normalising flows (equation 23 with sigma_min = 0).
Esser et al., *Scaling rectified flow transformers*, ICML 2024 (arXiv 2403.03206): times drawn logit-normal.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .checks import alike, door, having, images, in_range, like, tensor, told, torch_seed, whole
from .checks import number as number_of
from .training import EMA, Model, one_step, seeded
from .training.model import MANY, check_batch, check_config

SIZES = (32, 64, 128)
GRID = 32  # pixels a side on which the U-Net works, whatever the film's size: a CPU has minutes, not days
FREQUENCIES = 16  # sines, and as many cosines, that tell the network the time
GROUPS = 8  # of channels normalised together (Wu & He, *Group normalization*, ECCV 2018)
LEARNING_RATE = 2e-3  # of a small network with few steps; large ones take 1e-4
BATCH = 32  # as DCGAN's in minutes: the first steps matter most
MOST_STEPS = 10_000  # from noise to film; a slip, as 1e12, would never end
WARM_UP = 50  # steps in which the rate rises: Adam knows nothing of the slopes at first


# ---------------------------------------------------------------- the network
class Block(nn.Module):
    """Two convolutions with group norm and a way around them; the time is added after the first."""

    @door(inputs=whole(), outputs=whole(GROUPS), clock=whole())
    def __init__(self, inputs, outputs, clock):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.first_norm, self.second_norm = nn.GroupNorm(GROUPS, outputs), nn.GroupNorm(GROUPS, outputs)
        self.time = nn.Linear(clock, outputs)
        self.around = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, clock):
        h = F.silu(self.first_norm(self.first(x)) + self.time(clock)[:, :, None, None])
        return self.around(x) + F.silu(self.second_norm(self.second(h)))


class Velocity(nn.Module):
    """Points x_t (B, 1, H, W) and times t (B,) in [0, 1] to velocities (B, 1, H, W): a small U-Net.

    A film of 64 px is folded into four channels of 32 x 32 (pixel unshuffle), so nothing is lost and every
    convolution costs a quarter; one of 128 px into sixteen.
    """

    def __init__(self, image_size=64, width=32):
        check_config({"image_size": image_size, "width": width})
        super().__init__()
        if image_size not in SIZES:
            raise ValueError(f"image_size is {image_size}: the flow can be {SIZES}; resize the films")
        if width % GROUPS:
            raise ValueError(f"width is {width}: the channels are normalised in {GROUPS} groups, so it must "
                             f"be a multiple of {GROUPS}")  # fmt: skip
        self.fold = image_size // GRID
        w, clock = width, 2 * width
        self.clock = nn.Sequential(nn.Linear(2 * FREQUENCIES, clock), nn.SiLU(), nn.Linear(clock, clock))
        self.enter = nn.Conv2d(self.fold**2, w, 3, padding=1)
        self.down1 = Block(w, w, clock)  # (B, 32, 32, 32)
        self.down2 = Block(w, 2 * w, clock)  # (B, 64, 16, 16)
        self.down3 = Block(2 * w, 3 * w, clock)  # (B, 96, 8, 8)
        self.middle = Block(3 * w, 3 * w, clock)  # (B, 96, 4, 4): sees the whole chest
        self.up3 = Block(6 * w, 2 * w, clock)
        self.up2 = Block(4 * w, w, clock)
        self.up1 = Block(2 * w, w, clock)
        self.leave = nn.Conv2d(w, self.fold**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)  # begin with velocity 0, not with a random direction

    def forward(self, x, t):
        clock = self.clock(waves(t))
        one = self.down1(self.enter(F.pixel_unshuffle(x, self.fold)), clock)
        two = self.down2(F.avg_pool2d(one, 2), clock)
        three = self.down3(F.avg_pool2d(two, 2), clock)
        middle = self.middle(F.avg_pool2d(three, 2), clock)
        h = self.up3(doubled_beside(middle, three), clock)
        h = self.up2(doubled_beside(h, two), clock)
        h = self.up1(doubled_beside(h, one), clock)
        return F.pixel_shuffle(self.leave(h), self.fold).float()


def doubled_beside(small, skip):
    """The small map at twice its side, and beside it (as more channels) the map of the way down."""
    return torch.cat([F.interpolate(small, scale_factor=2), skip], dim=1)


def waves(t):
    """Times (B,) as sines and cosines (B, 2 FREQUENCIES), slow to fast, as in Vaswani et al. 2017."""
    if not torch.is_tensor(t) or t.dim() != 1:
        raise TypeError(f"t is {told(t)}: expected a tensor of times (B,)")
    frequency = 100 * torch.exp(-0.5 * torch.arange(FREQUENCIES, device=t.device))
    angle = t[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1)


# ---------------------------------------------------------------- the line, and the way along it
@door(noise=images, film=alike("noise"), t=tensor("B"))
def between(noise, film, t):
    """x_t = (1 - t) noise + t film: the point of the straight line at time t (B,)."""
    t = t[:, None, None, None]
    return (1 - t) * noise + t * film


@door(
    velocity=having("__call__", kind="a function (x, t) -> velocity"), x=tensor(), steps=whole(1, MOST_STEPS)
)
def follow(velocity, x, steps):
    """Solve dx = v(x, t) dt from t = 0 (noise) to 1 (film) in `steps` steps; return all steps + 1 points.

    Heun's method: look at the velocity where a step would end, and go by the mean of both. The last step goes
    by the first look alone, since hardly any training time lies at t = 1. 2 steps - 1 evaluations a film.
    """
    points, length = [x], 1 / steps
    for number in range(steps):
        t = torch.full((len(x),), number * length, device=x.device)
        here = _look(velocity, x, t)
        if number < steps - 1:
            here = (here + _look(velocity, x + length * here, t + length)) / 2
        x = x + length * here
        points.append(x)
    return points


def _look(velocity, x, t):
    """The velocity at x and t; TypeError or ValueError where it is not of the shape of x."""
    here = velocity(x, t)
    like(x)("what velocity gives", here)
    return here


# ---------------------------------------------------------------- the model
class Flow(Model):
    """A network that knows, at every point between noise and film, which way the films lie.

    decay_steps: length of the schedule, constant for half of it, then a quarter of a cosine wave down to 0;
    None: constant.
    """

    def __init__(
        self, image_size=64, width=32, seed=0, device="auto", precision="auto", *,
        learning_rate=LEARNING_RATE, decay_steps=None, compile=False,
    ):  # fmt: skip
        number_of(0)("learning_rate", learning_rate)
        config = dict(image_size=image_size, width=width, seed=seed, learning_rate=learning_rate,
                      decay_steps=decay_steps)  # fmt: skip
        super().__init__(config, device, precision, compile)
        with seeded(seed):
            self.generator = self.place(Velocity(image_size, width))
        self.ema = EMA(self.generator)
        self.optimizer = torch.optim.AdamW(self.generator.parameters(), learning_rate, fused=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda k: pace(k, decay_steps))

    def plan(self):
        return "descent"

    @one_step
    def step(self, real):
        """One step on films (B, 1, H, W) in [-1, 1], or on (films, labels), whose labels are not looked at.
        Returns the loss: the mean squared error of the velocity."""
        real = real if torch.is_tensor(real) else real[0]
        noise = torch.randn(real.shape, generator=self.rng, device=self.device)
        t = torch.randn(len(real), generator=self.rng, device=self.device).sigmoid()  # most near 1/2

        # min over v of  E || (film - noise) - v(x_t, t) ||^2   (Liu et al., eq. 1)
        velocity = self.generator(between(noise, real, t), t)
        loss = F.mse_loss(velocity, real - noise)
        self.descend(loss, self.optimizer)
        self.update_average()
        return {"loss": loss}

    @door(n=whole(1, MANY), steps=whole(1, MOST_STEPS), seed=torch_seed)
    def generate(self, n, seed=0, steps=4):
        """n synthetic films (n, 1, H, W) in [-1, 1] on the CPU; the same for the same seed and steps."""
        return self.draw(self.noise(n, seed), steps)

    @door(n=whole(1, MANY), seed=torch_seed)
    def noise(self, n, seed=0):
        """n starting points (n, 1, H, W)."""
        size = self.config["image_size"]
        return torch.randn(n, 1, size, size, generator=torch.Generator().manual_seed(seed))

    def draw(self, noise, steps=4):
        """The films to which `noise` (n, 1, H, W) leads."""
        return self.path(noise, steps)[:, -1].clamp(-1, 1)

    @door(noise=images, steps=whole(1, MOST_STEPS))
    def path(self, noise, steps=4):
        """All points of the way (n, steps + 1, 1, H, W): noise first, film last."""
        in_range(noise, "noise")
        check_batch(noise, self.config)
        return self.in_parts(lambda x: torch.stack(follow(self.trained, x, steps), dim=1), noise)


@door(step=whole(0), decay_steps=whole())
def pace(step, decay_steps=None):
    """The learning rate's factor at a step: up within WARM_UP steps; from half of decay_steps down to 0."""
    left = 1.0
    if decay_steps:
        late = min(1.0, max(0.0, 2 * step / decay_steps - 1))
        left = math.cos(late * math.pi / 2)
    return min(1.0, (step + 1) / WARM_UP) * left
