"""StarGAN: one generator for every finding.

Choi et al., *StarGAN: unified generative adversarial networks for multi-domain image-to-image translation*,
CVPR 2018. A "domain" is a finding here; a film can have several. Wasserstein critic with gradient penalty:
Gulrajani et al., *Improved training of Wasserstein GANs*, NeurIPS 2017.
"""

from dataclasses import asdict, dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn

from .checks import alike, door, generator, having, one_of, switch, tensor, whole
from .checks import images as films_of
from .checks import settings as check_settings
from .local_contrast import LocalContrast
from .training import EMA, Model, linear_decay, one_step, seeded
from .training.model import check_config

SIZES = (32, 64, 128)
BETAS = (0.5, 0.999)  # of Adam; Choi et al. 2018, section 4
BATCH = 16  # section 4
SMOOTH = 3  # pixels: mean filter, twice, over the change that a residual generator draws
MASK_BIAS = -1.0  # first logit of the mask of a residual generator: a quarter open
PRETRAIN_SHARE = 1 / 2  # of a short run's steps, in which the critic learns alone: no generator runs


@dataclass(frozen=True)
class Recipe:
    """How a StarGAN is made and taught. The defaults are the paper's (Choi et al. 2018, section 4)."""

    generator: str = "concat"  # of GENERATORS: where the labels enter, and what is drawn
    blocks: int = 6  # residual blocks of the generator
    contrast: bool = False  # the critic looks through LocalContrast
    targets: str = "permuted"  # of TARGETS: what the generator is asked for
    critic_steps: int = 5  # critic updates for one of the generator
    learning_rate: float = 1e-4
    adversarial_weight: float = 1.0  # looking real
    class_weight: float = 1.0  # showing the finding: lambda_cls
    cycle_weight: float = 10.0  # there and back: lambda_rec
    penalty_weight: float = 10.0  # the critic's slope: lambda_gp
    change_weight: float = 0.0  # a price on the mean change of a film
    expose_weight: float = 0.0  # the critic learns to read, in a translated film, the label taken away


PAPER = Recipe()
SMALL = Recipe(  # for minutes on a CPU and some thousand films
    generator="residual",  # draws the change, not the film: few steps do not suffice for a whole chest
    blocks=3,  # half as many: a change is simpler than a film
    contrast=True,  # so a small critic need not learn first that exposure is no finding
    targets="flip-or-leave",  # one finding at a time, to see it alone, and now and then none
    critic_steps=1,  # the critic has learnt the findings before: it need not run ahead
    learning_rate=5e-4,  # few steps, large ones
    adversarial_weight=0.1,  # the film starts out real; a small critic's slope points everywhere
    class_weight=10.0,  # what is left to learn is the finding
    change_weight=300.0,  # and the smallest change that shows it
    expose_weight=0.3,  # a second lesson for the critic, after Hou et al. (ICML 2022)
)


# ---------------------------------------------------------------- generators
class Layer(nn.Module):
    """Convolution, instance norm with a learned scale and shift, ReLU."""

    def __init__(self, convolution, channels, relu=True):
        super().__init__()
        self.convolution, self.norm = convolution, nn.InstanceNorm2d(channels, affine=True)
        self.relu = relu

    def forward(self, x):
        x = self.norm(self.convolution(x))
        return F.relu(x) if self.relu else x


class ResidualBlock(nn.Module):
    """Two layers and a way around them."""

    def __init__(self, channels):
        super().__init__()
        self.first = Layer(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), channels)
        self.second = Layer(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), channels, relu=False)

    def forward(self, x):
        return x + self.second(self.first(x))


class Generator(nn.Module):
    """The paper's: films x (B, channels, H, W) and target labels (B, domains), 0 or 1, to films in [-1, 1].

    Every label is a constant plane beside the film. Zero padding is on purpose: with reflection, instance
    norm would cancel a constant plane.
    """

    def __init__(self, channels=1, domains=5, width=64, blocks=6):
        check_config({"channels": channels, "domains": domains, "width": width, "blocks": blocks})
        super().__init__()
        w = width
        self.layers = nn.Sequential(
            Layer(nn.Conv2d(channels + domains, w, 7, 1, 3, bias=False), w),
            Layer(nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False), 2 * w),  # (B, 128, H / 2, W / 2)
            Layer(nn.Conv2d(2 * w, 4 * w, 4, 2, 1, bias=False), 4 * w),  # (B, 256, H / 4, W / 4)
            *[ResidualBlock(4 * w) for _ in range(blocks)],
            Layer(nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1, bias=False), 2 * w),
            Layer(nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), w),  # (B, 64, H, W)
        )
        self.film = nn.Conv2d(w, channels, 7, 1, 3, bias=False)

    def forward(self, x, labels):
        planes = labels[:, :, None, None].expand(-1, -1, *x.shape[2:])  # (B, domains, H, W)
        return torch.tanh(self.film(self.layers(torch.cat([x, planes], dim=1))).float())


class ResidualGenerator(Generator):
    """Draws a change of the film and a mask that says where it counts, rather than the film (Pumarola et
    al., *GANimation*, ECCV 2018): what should stay is closed once, not drawn again as no change everywhere.

    By nearest-neighbour upsampling, and smoothed over SMOOTH pixels: transposed convolutions can satisfy a
    critic with a checkerboard nobody sees.
    """

    def __init__(self, channels=1, domains=5, width=64, blocks=6):
        super().__init__(channels, domains, width, blocks)
        w = width
        for place, before in ((-2, 4 * w), (-1, 2 * w)):
            wide = nn.Conv2d(before, before // 2, 3, 1, 1, bias=False)
            self.layers[place].convolution = nn.Sequential(nn.Upsample(scale_factor=2), wide)
        self.film = nn.Conv2d(w, channels + 1, 7, 1, 3)  # the mask comes last
        nn.init.zeros_(self.film.weight)  # the first change of a film is none
        nn.init.zeros_(self.film.bias)
        nn.init.constant_(self.film.bias[-1:], MASK_BIAS)

    def forward(self, x, labels):
        change, mask = self.change(x, labels)
        drawn = mask * change
        for _ in range(2):
            drawn = F.avg_pool2d(drawn, SMOOTH, stride=1, padding=SMOOTH // 2)
        return (x + drawn).clamp(-1, 1)

    def change(self, x, labels):
        """The change (B, channels, H, W) in [-1, 1], and where it counts (B, 1, H, W) in [0, 1]."""
        planes = labels[:, :, None, None].expand(-1, -1, *x.shape[2:])
        drawn = self.film(self.layers(torch.cat([x, planes], dim=1))).float()
        return torch.tanh(drawn[:, :-1]), torch.sigmoid(drawn[:, -1:])


GENERATORS = {"concat": Generator, "residual": ResidualGenerator}


# ---------------------------------------------------------------- critic
class Discriminator(nn.Module):
    """The critic: films (B, channels, H, W) to a map of realness (B, h, w) and class logits (B, domains).
    No norm: the gradient penalty holds for each film alone (Gulrajani et al. 2017, section 4).

    contrast: look at films of one channel through LocalContrast, so that a small critic need not learn first
    that exposure is no finding."""

    @door(image_size=whole(), contrast=switch)
    def __init__(self, image_size=128, channels=1, domains=5, width=64, contrast=False):
        check_config({"channels": channels, "domains": domains, "width": width})
        super().__init__()
        if image_size not in SIZES:
            raise ValueError(f"image_size is {image_size}: halving down to 2 x 2 allows {SIZES}; resize")
        widths = [width * 2**i for i in range(image_size.bit_length() - 2)]  # 128 px: 64, 128, ..., 2048
        layers = [LocalContrast()] if contrast else []
        for before, after in zip([3 if contrast else channels, *widths], widths, strict=False):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.01)]
        self.layers = nn.Sequential(*layers)  # (B, 2048, 2, 2)
        self.realness = nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False)
        self.classes = nn.Conv2d(widths[-1], domains, 2, bias=False)

    def forward(self, x):
        h = self.layers(x)
        return self.realness(h).squeeze(1).float(), self.classes(h).flatten(1).float()


@door(seed=whole(0, 2**32 - 1))
def balanced(labels, seed):
    """Index values of `labels` (a DataFrame of findings), as many again, every combination equally often.

    Findings come together: a critic that sees large hearts with effusions learns the company instead of the
    finding. Rows with an unknown label are left out; rare combinations are repeated.
    """
    if not hasattr(labels, "dropna") or (known := labels.dropna()).empty:
        raise ValueError("labels: expected a DataFrame of findings, with rows in which all are known")
    if not known.isin([0, 1]).all(axis=None):
        raise ValueError("labels hold more than 0, 1 and nan: expected the columns of findings alone")
    combination = known.astype(int).astype(str).agg("".join, axis=1)
    each = len(known) // combination.nunique()
    return combination.groupby(combination).sample(each, replace=True, random_state=seed).index


@door(logits=tensor("B", "domains"), labels=alike("logits"))
def class_loss(logits, labels):
    """Binary cross-entropy, summed over the findings, averaged over the films (eq. 2 and 3). Labels that are
    nan (uncertain, masked) do not count."""
    known = ~labels.isnan()
    losses = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(), reduction="none")
    return (losses * known).sum(1).mean()


@door(logits=tensor("B", "domains"), labels=alike("logits"))
def class_skill(logits, labels):
    """Share of the labels' entropy that the class head explains: 0 at chance, 1 when it is sure and right."""
    rate = labels.nanmean(0).clamp(0.01, 0.99)
    chance = -(rate * rate.log() + (1 - rate) * (1 - rate).log()).sum()
    return 1 - class_loss(logits, labels) / chance


@door(critic=having("__call__", kind="a critic"), real=films_of, fake=alike("real"), rng=generator)
def gradient_penalty(critic, real, fake, rng):
    """Mean of (|grad D(x_hat)| - 1)^2 at films x_hat between a real one and its translation (eq. 4)."""
    share = torch.rand((len(real), 1, 1, 1), generator=rng, device=real.device)
    between = (share * real + (1 - share) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between)[0].sum(), between, create_graph=True)
    return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()


@door(labels=tensor("B", "domains"), rng=generator)
def flip_one(labels, rng):
    """The labels with one finding of each film, drawn at random, added or taken away."""
    chosen = torch.randint(labels.shape[1], (len(labels),), generator=rng, device=labels.device)
    return (labels - F.one_hot(chosen, labels.shape[1])).abs()


@door(labels=tensor("B", "domains"), rng=generator)
def flip_or_leave(labels, rng):
    """The same, but of one film in domains + 1 nothing is changed: a generator that is never asked for what
    is there already does not learn to leave it."""
    leave = torch.rand((len(labels), 1), generator=rng, device=labels.device) < 1 / (labels.shape[1] + 1)
    return torch.where(leave, labels, flip_one(labels, rng))


@door(labels=tensor(), rng=generator)
def permute(labels, rng):
    """The labels of another film of the batch: combinations that exist."""
    return labels[torch.randperm(len(labels), generator=rng, device=labels.device)]


TARGETS = {"permuted": permute, "single-flip": flip_one, "flip-or-leave": flip_or_leave}


def check(films, labels, config, wish=False):
    """Refuse films and labels that this StarGAN was not made for; a wish is never nan."""
    if not torch.is_tensor(labels):
        raise TypeError(f"labels are a {type(labels).__name__}: expected a tensor (B, domains)")
    size, domains = config["image_size"], config["domains"]
    expected = (len(films), 1, size, size), (len(films), domains)
    if (found := (tuple(films.shape), tuple(labels.shape))) != expected:
        raise ValueError(f"films {found[0]} and labels {found[1]}: made for {expected[0]} and {expected[1]}")
    if labels.device.type == "cpu" and ((labels < 0) | (labels > 1)).any():
        raise ValueError("labels outside 0 to 1: what is uncertain (-1) is nan here, see chexpert.labels")
    if wish and labels.isnan().any():
        raise ValueError("labels to translate to hold nan: expected 1 (draw it) or 0 (remove it)")


class StarGAN(Model):
    """One generator that adds and removes every finding, and a critic that judges realness and findings.

    recipe: a Recipe, PAPER or SMALL; keywords after it change single settings: StarGAN(recipe=SMALL,
        cycle_weight=0.0).
    pretrain: steps in which the critic learns the findings alone, before the game begins: a critic that does
        not know a finding rewards no generator for drawing it, and the film is left as it is (identity
        collapse).
    decay_steps: length of the schedule, constant for half of it, then falling to 0; None: constant.
    `translate` uses the moving average of the weights.
    """

    needs = ("films", "labels")

    def __init__(self, image_size=64, domains=5, width=64, seed=0, device="auto", precision="auto", *,
                 pretrain=0, decay_steps=None, compile=False, recipe=PAPER, **settings):  # fmt: skip
        if not isinstance(recipe, Recipe):
            raise TypeError(f"recipe is {recipe!r}: expected PAPER, SMALL or a Recipe")
        self.recipe = recipe = replace(recipe, **settings)
        check_settings(recipe, targets=one_of(*TARGETS), generator=one_of(*GENERATORS))
        config = dict(image_size=image_size, domains=domains, width=width, seed=seed, pretrain=pretrain,
                      decay_steps=decay_steps)  # fmt: skip
        super().__init__(config | asdict(recipe), device, precision, compile)
        with seeded(seed):
            generator = GENERATORS[recipe.generator](1, domains, width, recipe.blocks)
            discriminator = Discriminator(image_size, 1, domains, width, recipe.contrast)
        self.generator = self.place(generator)
        self.discriminator = self.place(discriminator, compile=False)  # which has no second derivatives
        self.ema = EMA(self.generator)
        adam = dict(lr=recipe.learning_rate, betas=BETAS, fused=True)
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), **adam)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), **adam)
        self.d_schedule = linear_decay(self.d_optimizer, decay_steps)
        self.g_schedule = linear_decay(self.g_optimizer, decay_steps)

    def plan(self):
        turn = (self.steps_done + 1) % self.recipe.critic_steps
        return self.steps_done >= self.config["pretrain"], turn == 0

    @one_step
    def step(self, batch):
        """One step on films (B, 1, H, W) in [-1, 1] and labels (B, domains), 1, 0, nan. The critic learns in
        every step, the generator in every critic_steps-th; in the first `pretrain` steps there is no game."""
        real, labels = batch
        check(real, labels, self.config)
        if self.steps_done < self.config["pretrain"]:
            return self.teach_findings(real, labels)
        source = labels.nan_to_num()
        target = TARGETS[self.recipe.targets](source, self.rng)  # c ~ p(c)
        losses = self.critic_update(real, labels, target)
        if (self.steps_done + 1) % self.recipe.critic_steps == 0:
            losses |= self.generator_update(real, source, target)
        return losses

    def teach_findings(self, real, labels):
        """Before the game: the findings, and a slope of 1 between real films, so that it begins without a
        jolt (the sudden penalty of an untrained slope would wash out what has been learnt)."""
        logits = self.discriminator(real)[1]
        class_real = class_loss(logits, labels)
        penalty = gradient_penalty(self.discriminator, real, permute(real, self.rng), self.rng)
        loss = self.recipe.penalty_weight * penalty + self.recipe.class_weight * class_real
        self.descend(loss, self.d_optimizer)
        return {"penalty": penalty, "class_real": class_real, "class_skill": class_skill(logits, labels)}

    def critic_update(self, real, labels, target):
        """Eq. 5: L_D = -L_adv + lambda_cls L_cls(real), L_adv as in eq. 8 (Wasserstein with penalty); plus,
        if asked for, the labels that were taken away, read in the translated films."""
        with torch.no_grad():
            fake = self.generator(real, target)
        (d_real, logits), (d_fake, fake_logits) = self.discriminator(real), self.discriminator(fake)
        distance = d_real.mean() - d_fake.mean()  # an estimate of the Wasserstein distance
        penalty = gradient_penalty(self.discriminator, real, fake, self.rng)
        class_real = class_loss(logits, labels)
        taken = torch.where(target != labels, labels, torch.nan)  # nan does not count
        lessons = class_real + self.recipe.expose_weight * class_loss(fake_logits, taken)
        loss = -distance + self.recipe.penalty_weight * penalty + self.recipe.class_weight * lessons
        self.descend(loss, self.d_optimizer)
        skill = class_skill(logits, labels)
        return {"distance": distance, "penalty": penalty, "class_real": class_real, "class_skill": skill}

    def generator_update(self, real, source, target):
        """Eq. 6: L_G = L_adv + lambda_cls L_cls(fake) + lambda_rec |x - G(G(x, c), c')| (eq. 7)."""
        fake = self.generator(real, target)
        d_fake, logits = self.discriminator(fake)
        class_fake = class_loss(logits, target)
        cycle = F.l1_loss(self.generator(fake, source), real)
        change = (fake - real).abs().mean()
        loss = -self.recipe.adversarial_weight * d_fake.mean() + self.recipe.class_weight * class_fake
        loss = loss + self.recipe.cycle_weight * cycle + self.recipe.change_weight * change
        self.descend(loss, self.g_optimizer)
        self.update_average()
        return {"class_fake": class_fake, "cycle": cycle, "change": change}

    @door(images=films_of)
    def translate(self, images, labels):
        """Films (B, 1, H, W) as they would look with labels (B, domains), in [-1, 1], on their device."""
        check(images, labels, self.config, wish=True)
        return self.in_parts(self.trained, images, labels.float())

    @door(images=films_of)
    def mask(self, images, labels):
        """Where `translate` draws, by a residual generator's own account: (B, 1, H, W) in [0, 1]."""
        check(images, labels, self.config, wish=True)
        if not hasattr(self.trained, "change"):
            raise ValueError(f'generator is {self.recipe.generator!r}: only "residual" draws a mask')
        return self.in_parts(lambda x, c: self.trained.change(x, c)[1], images, labels.float())
