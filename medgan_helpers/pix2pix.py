"""Pix2Pix: an image out of an image, from pairs.

Isola, Zhu, Zhou & Efros, *Image-to-image translation with conditional adversarial networks*, CVPR 2017: the
U-Net, the PatchGAN, and G* = arg min_G max_D L_cGAN(G, D) + lambda L_L1(G) (eq. 4).
With `adversarial=0` the same code is the plain U-Net, its baseline, which the course calls `unet`.
"""

from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn

from .checks import door, images, number, one_of, switch, tensor, whole
from .checks import settings as check_settings
from .dcgan import initialise  # the same first weights: Isola et al. 2017, appendix
from .training import EMA, Model, linear_decay, one_step, rank_and_world, seeded
from .training.model import check_config

SIZES = (32, 64, 128, 256)
BETAS = (0.5, 0.999)  # of Adam; Isola et al. 2017, section 3.3
NORMS = ("batch", "instance", "none")


@dataclass(frozen=True)
class Recipe:
    """How a Pix2Pix is made and taught. The defaults are the paper's (Isola et al. 2017)."""

    learning_rate: float = 2e-4  # section 3.3
    critic_rate: float = 2e-4  # of the discriminator: the same
    adversarial: float = 1.0  # weight of the GAN term; 0: the plain U-Net, and no discriminator
    l1: float = 100.0  # lambda of eq. 4
    layers: int = 3  # of the PatchGAN: patches of 70 px; 2 sees 34, 1 sees 16
    norm: str = "batch"  # of the generator: "batch", "instance" or "none"
    critic_norm: str = "batch"  # of the discriminator
    dropout: float = 0.5  # in the inner stages of the generator: the paper's only noise
    residual: bool = False  # add the input: the generator draws the correction alone
    coarse: int = 1  # the discriminator looks at means over so many pixels per side


PAPER = Recipe()
DRAW = replace(  # a picture from another kind of picture, in minutes on a CPU
    PAPER,
    learning_rate=2e-3,  # hundreds of steps instead of a hundred thousand
    critic_rate=2e-3,
    norm="instance",  # batches are small: an image is drawn alike whatever else is in its batch
    critic_norm="instance",
    layers=2,  # patches of 34 px: half a film of 64 px
    dropout=0.0,  # few steps leave no need for noise
)
REPAIR = replace(  # a better picture from a bad one, in minutes on a CPU
    DRAW,
    learning_rate=4e-3,  # a correction near 0 to start from bears larger steps
    norm="none",  # grey values mean something: do not divide by the image's own contrast
    residual=True,  # input and output show the same patient
    adversarial=0.0,  # first L1 alone; the discriminator joins a U-Net that can repair
    coarse=2,  # images come with every pixel doubled (see `restorers`): judge them at their own size
)
BESIDE = replace(  # the second lesson of REPAIR: a discriminator joins
    REPAIR,
    learning_rate=1e-4,  # the U-Net can repair: at the discriminator's rate it would fool it from the start
    critic_rate=1e-3,  # two time scales, as in Heusel et al. 2017
    critic_norm="none",  # what repairs lack is contrast, and dividing each image by its own would hide that
    adversarial=1.0,
    l1=20.0,  # the paper's is 100; chosen by trial for few steps, no table is kept
)


@door(channels=whole(), norm=one_of(*NORMS))
def normalise(channels, norm):
    """The layers after a convolution. "instance" looks at one image alone, in training and in use."""
    kinds = {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d}
    return [kinds[norm](channels)] if norm in kinds else []


class Generator(nn.Module):
    """U-Net: (B, in_channels, H, W) to (B, out_channels, H, W) in [-1, 1]. It halves the side down to 1 x 1
    and doubles it back; skips carry what the bottleneck cannot: where exactly the edges are.

    image_size: 32, 64, 128 or 256. norm: "batch" (the paper) | "instance" | "none". dropout: the paper's only
    noise, .5 in the inner stages. residual: add the input, so that the network draws the correction alone.
    """

    @door(image_size=whole(), norm=one_of(*NORMS), dropout=number(0, 1), residual=switch)
    def __init__(
        self, image_size=256, in_channels=1, out_channels=1, width=64, norm="batch", *, dropout=0.5,
        residual=False,
    ):  # fmt: skip
        check_config({"in_channels": in_channels, "out_channels": out_channels, "width": width})
        super().__init__()
        if image_size not in SIZES:
            raise ValueError(
                f"image_size is {image_size}: halving down to 1 x 1 allows {SIZES}; resize the images"
            )
        depth = image_size.bit_length() - 1  # halvings: 8 at 256 px
        widths = [width * min(2**i, 8) for i in range(depth)]  # 64, 128, 256, 512, 512, ...
        self.image_size, self.residual = image_size, residual
        self.down = nn.ModuleList()
        for i, (before, after) in enumerate(zip([in_channels, *widths], widths, strict=False)):
            plain = i in (0, depth - 1)  # no norm on the input, nor on 1 x 1, where it would leave zeros
            self.down.append(halve(before, after, "none" if plain else norm, norm != "batch"))
        self.up = nn.ModuleList()
        for i in range(depth - 1, 0, -1):  # all but the innermost also read the skip: twice the channels
            before = widths[i] * (1 if i == depth - 1 else 2)
            self.up.append(double(before, widths[i - 1], norm, dropout if 4 <= i <= depth - 2 else 0.0))
        self.out = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * width, out_channels, 4, 2, 1))
        self.apply(initialise)

    def forward(self, image):
        x, skips = image, []
        for down in self.down:
            x = down(x)  # (B, 64, 128, 128), (B, 128, 64, 64), ... (B, 512, 1, 1)
            skips.append(x)
        x = skips.pop()
        for up in self.up:
            x = torch.cat([up(x), skips.pop()], dim=1)  # (B, 1024, 2, 2), ... (B, 128, 128, 128)
        drawn = self.out(x).float()
        return (image + drawn).clamp(-1, 1) if self.residual else torch.tanh(drawn)


def halve(before, after, norm, bias):
    convolution = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=bias)
    return nn.Sequential(convolution, *normalise(after, norm), nn.LeakyReLU(0.2))


def double(before, after, norm, dropout):
    convolution = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=norm != "batch")
    noise = [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(nn.ReLU(), convolution, *normalise(after, norm), *noise)


class Discriminator(nn.Module):
    """PatchGAN: (B, channels, H, W), condition and image stacked, to a map of logits, each for one patch.

    layers: 3 sees patches of 70 px (the paper), 2 of 34 (for images of 64 px), 1 of 16.
    """

    @door(layers=whole(1, 3), norm=one_of(*NORMS))
    def __init__(self, channels=2, width=64, layers=3, norm="batch"):
        check_config({"channels": channels, "width": width})
        super().__init__()
        blocks = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        before = width
        for i in range(1, layers + 1):  # the last of them, and the map of logits, with stride 1
            after, stride = width * min(2**i, 8), 2 if i < layers else 1
            blocks += [nn.Conv2d(before, after, 4, stride, padding=1, bias=norm != "batch")]
            blocks += [*normalise(after, norm), nn.LeakyReLU(0.2)]
            before = after
        self.layers = nn.Sequential(*blocks, nn.Conv2d(before, 1, 4, padding=1))
        self.apply(initialise)

    def forward(self, pair):
        return self.layers(pair).float()


@door(real=tensor(), fake=tensor())
def discriminator_loss(real, fake):
    """Eq. 1 from the logit maps of real and restored pairs; halved: D is the slower one (sec. 3.3)."""
    return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2


class Pix2Pix(Model):
    """A generator that repairs and a discriminator that knows what it was given to repair.

    settings: a Recipe (PAPER, DRAW, REPAIR or BESIDE); changes: what differs from it. width: channels of
    both first layers. in_channels: of the input; the output has one. decay_steps: length of the schedule,
    constant for half of it, then falling to 0 (section 3.3); None: constant.
    """

    needs = ("degraded", "clean")

    def __init__(
        self, image_size=64, width=64, seed=0, device="auto", precision="auto", *, settings=PAPER,
        in_channels=1, decay_steps=None, compile=False, **changes,
    ):  # fmt: skip
        if not isinstance(settings, Recipe):
            raise TypeError(f"settings is {settings!r}: expected PAPER, DRAW, REPAIR, BESIDE or a Recipe")
        self.recipe = recipe = replace(settings, **changes)
        norm = one_of(*NORMS)
        check_settings(recipe, dropout=number(0, 1), norm=norm, critic_norm=norm, coarse=whole(1, 8))
        config = {"image_size": image_size, "width": width, "seed": seed, "in_channels": in_channels}
        config |= {"decay_steps": decay_steps} | asdict(recipe)
        super().__init__(config, device, precision, compile)
        options = {"dropout": recipe.dropout, "residual": recipe.residual}
        with seeded(seed):
            generator = Generator(image_size, in_channels, 1, width, recipe.norm, **options)
            discriminator = Discriminator(in_channels + 1, width, recipe.layers, recipe.critic_norm)
        self.generator = self.place(generator)
        self.discriminator = self.place(discriminator) if recipe.adversarial else None
        self.ema = EMA(self.generator)
        self.g_optimizer, self.g_schedule = self.optimizer(self.generator, recipe.learning_rate)
        if recipe.adversarial:
            self.d_optimizer, self.d_schedule = self.optimizer(self.discriminator, recipe.critic_rate)

    def optimizer(self, network, rate):
        """Adam for one network, and its schedule."""
        adam = torch.optim.Adam(network.parameters(), rate, BETAS, fused=True)
        return adam, linear_decay(adam, self.config["decay_steps"])

    def plan(self):
        return None if self.recipe.dropout else "game"  # dropout's random numbers come from elsewhere

    @one_step
    def step(self, pair):
        """One step on (degraded, clean), each (B, C, H, W) in [-1, 1]. Returns losses, D(x), D(G(z))."""
        degraded, clean = pair
        self.check(degraded, clean)
        restored = self.draw(degraded)
        l1 = F.l1_loss(restored, clean)  # eq. 3
        if not self.recipe.adversarial:
            self.descend(self.recipe.l1 * l1, self.g_optimizer)
            self.update_average()
            return {"l1": l1}

        # D learns to tell (degraded, clean) from (degraded, restored): eq. 1
        d_real = self.judge(degraded, clean)
        d_fake = self.judge(degraded, restored.detach())
        d_loss = discriminator_loss(d_real, d_fake)
        self.descend(d_loss, self.d_optimizer)

        # G learns to pass, and to be close: eq. 4, with -log D instead of log(1 - D), as in section 3.3
        g_loss = F.softplus(-self.judge(degraded, restored)).mean()
        self.descend(self.recipe.adversarial * g_loss + self.recipe.l1 * l1, self.g_optimizer)
        self.update_average()
        d_real, d_fake = d_real.sigmoid().mean(), d_fake.sigmoid().mean()
        return {"l1": l1, "d_loss": d_loss, "g_loss": g_loss, "d_real": d_real, "d_fake": d_fake}

    def judge(self, degraded, image):
        """D's logits for the pair: it is conditional, it sees what G was given."""
        pair = torch.cat([degraded, image], dim=1)
        return self.discriminator(F.avg_pool2d(pair, self.recipe.coarse))

    def draw(self, degraded):
        """G's images in training. nn.Dropout knows the global random state only: give it this step's."""
        numbers = self.config["seed"], rank_and_world()[0], self.steps_done
        with seeded(*numbers) if self.recipe.dropout else nullcontext():
            return self.generator(degraded)

    def check(self, degraded, clean=None):
        size = self.generator.image_size
        for kind, given, channels in (("images", degraded, self.config["in_channels"]), ("clean", clean, 1)):
            if given is not None and tuple(given.shape[1:]) != (channels, size, size):
                expected = (channels, size, size)
                raise ValueError(f"{kind} are {tuple(given.shape[1:])}, this Pix2Pix was made for {expected}")

    @door(degraded=images)
    def restore(self, degraded):
        """Restored images (B, 1, H, W) in [-1, 1], on the device of `degraded`; dropout is off."""
        self.check(degraded)
        return self.in_parts(self.trained, degraded)
