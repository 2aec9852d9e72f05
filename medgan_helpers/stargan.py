"""StarGAN: one generator for every finding.

Choi et al., *StarGAN: unified generative adversarial networks for multi-domain image-to-image translation*,
CVPR 2018. A "domain" is a finding here; a film can have several. Wasserstein critic with gradient penalty:
Gulrajani et al., *Improved training of Wasserstein GANs*, NeurIPS 2017.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .local_contrast import LocalContrast
from .training import EMA, Model, linear_decay, one_step, seeded

SIZES = (32, 64, 128)
LEARNING_RATE, BETAS = 1e-4, (0.5, 0.999)  # Choi et al. 2018, section 4
CLASS_WEIGHT, CYCLE_WEIGHT, PENALTY_WEIGHT = 1.0, 10.0, 10.0  # lambda_cls, lambda_rec, lambda_gp, section 4
CRITIC_STEPS = 5  # critic updates for one of the generator, section 4
SMOOTH = 3  # pixels: mean filter, twice, over the change that a residual generator draws
CAUTIOUS = -1.0  # first logit of the mask of a residual generator: a quarter open
# What a small critic and few steps need instead of the paper's settings; notebook 5 says why, one by one.
SMALL = {
    "blocks": 3, "residual": True, "contrast": True, "targets": "flip-or-leave", "critic_steps": 1,
    "learning_rate": 5e-4, "class_weight": 10.0, "adversarial_weight": 0.1, "change_weight": 300.0,
    "expose_weight": 0.3,
}  # fmt: skip
BATCH = 16  # section 4
SCHOOL = 1 / 2  # of a short run's steps the critic learns findings alone: cheap, since no generator runs


class ConditionalInstanceNorm(nn.Module):
    """The domain-adaptation module: instance norm whose scale and shift follow from the target labels
    (Dumoulin et al., *A learned representation for artistic style*, ICLR 2017). (B, C, H, W) to the same."""

    def __init__(self, channels, domains):
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.style = nn.Linear(domains, 2 * channels)

    def forward(self, x, labels):
        scale, shift = self.style(labels)[:, :, None, None].chunk(2, dim=1)
        return self.norm(x) * (1 + scale) + shift


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm with a learned scale and shift; statistics tracked for eval mode would ruin the film."""

    def __init__(self, channels):
        super().__init__(channels, affine=True)

    def forward(self, x, labels):
        return super().forward(x)


class Layer(nn.Module):
    """Convolution, norm, ReLU."""

    def __init__(self, convolution, norm, relu=True):
        super().__init__()
        self.convolution, self.norm, self.relu = convolution, norm, relu

    def forward(self, x, labels):
        x = self.norm(self.convolution(x), labels)
        return F.relu(x) if self.relu else x


class ResidualBlock(nn.Module):
    """Two layers and a way around them."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x, labels):
        return x + self.second(self.first(x, labels), labels)


class Generator(nn.Module):
    """Films x (B, channels, H, W) and target labels c (B, domains), 0 or 1, to films that show c, in [-1, 1].

    conditioning: "concat" (the paper): every label is a constant plane beside the film. Zero padding is on
    purpose: with reflection, instance norm would cancel a constant plane. "norm": the labels set scale and
    shift of every norm instead (the domain-adaptation module).
    residual: draw a change of the film and a mask that says where it counts, rather than the film (Pumarola
    et al., *GANimation*, ECCV 2018): what should stay is closed once, not drawn again as no change at every
    pixel. By nearest-neighbour upsampling, and smoothed over SMOOTH pixels: transposed convolutions can
    satisfy a critic with a checkerboard nobody sees.
    """

    def __init__(self, channels=1, domains=5, width=64, blocks=6, conditioning="concat", residual=False):
        super().__init__()
        if conditioning not in ("concat", "norm"):
            raise ValueError(f'conditioning is {conditioning!r}: choose "concat" or "norm"')
        self.concat, self.residual = conditioning == "concat", residual

        def norm(after):
            return InstanceNorm(after) if self.concat else ConditionalInstanceNorm(after, domains)

        def same(before, after, size, relu=True):
            return Layer(nn.Conv2d(before, after, size, 1, size // 2, bias=False), norm(after), relu)

        def halve(before):
            return Layer(nn.Conv2d(before, 2 * before, 4, 2, 1, bias=False), norm(2 * before))

        def double(before):
            after = before // 2
            up = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
            if residual:
                up = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, 1, 1, bias=False))
            return Layer(up, norm(after))

        inputs, inner = channels + domains * self.concat, 4 * width
        layers = [same(inputs, width, 7), halve(width), halve(2 * width)]  # (B, 256, H/4, W/4)
        for _ in range(blocks):
            layers.append(ResidualBlock(same(inner, inner, 3), same(inner, inner, 3, relu=False)))
        self.layers = nn.ModuleList([*layers, double(inner), double(2 * width)])  # (B, 64, H, W)
        self.film = nn.Conv2d(width, channels + residual, 7, padding=3, bias=residual)  # the mask comes last
        if residual:
            nn.init.zeros_(self.film.weight)  # the first change of a film is none
            nn.init.zeros_(self.film.bias)
            nn.init.constant_(self.film.bias[-1:], CAUTIOUS)

    def forward(self, x, labels):
        if not self.residual:
            return torch.tanh(self.draw(x, labels))
        change, mask = self.change(x, labels)
        drawn = mask * change
        for _ in range(2):
            drawn = F.avg_pool2d(drawn, SMOOTH, stride=1, padding=SMOOTH // 2)
        return (x + drawn).clamp(-1, 1)

    def change(self, x, labels):
        """Of a residual generator: the change (B, channels, H, W) in [-1, 1], and where it counts
        (B, 1, H, W) in [0, 1]."""
        drawn = self.draw(x, labels)
        return torch.tanh(drawn[:, :-1]), torch.sigmoid(drawn[:, -1:])

    def draw(self, x, labels):
        h = x
        if self.concat:
            planes = labels[:, :, None, None].expand(-1, -1, *x.shape[2:])  # (B, domains, H, W)
            h = torch.cat([x, planes], dim=1)
        for layer in self.layers:
            h = layer(h, labels)
        return self.film(h).float()


class Discriminator(nn.Module):
    """The critic: films (B, channels, H, W) to a map of realness (B, h, w) and class logits (B, domains).
    No norm: the gradient penalty holds for each film alone (Gulrajani et al. 2017, section 4).

    contrast: look at films of one channel through LocalContrast, so that a small critic need not learn first
    that exposure is no finding."""

    def __init__(self, image_size=128, channels=1, domains=5, width=64, contrast=False):
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


def balanced(labels, seed):
    """Index values of `labels` (a DataFrame of findings), as many again, every combination equally often.

    Findings come together: a critic that sees large hearts with effusions learns the company instead of the
    finding. Rows with an unknown label are left out; rare combinations are repeated.
    """
    known = labels.dropna()
    combination = known.astype(int).astype(str).agg("".join, axis=1)
    each = len(known) // combination.nunique()
    return combination.groupby(combination).sample(each, replace=True, random_state=seed).index


def class_loss(logits, labels):
    """Binary cross-entropy, summed over the findings, averaged over the films (eq. 2 and 3). Labels that are
    nan (uncertain, masked) do not count."""
    known = ~labels.isnan()
    losses = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(), reduction="none")
    return (losses * known).sum(1).mean()


def class_skill(logits, labels):
    """Share of the labels' entropy that the class head explains: 0 at chance, 1 when it is sure and right."""
    rate = labels.nanmean(0).clamp(0.01, 0.99)
    chance = -(rate * rate.log() + (1 - rate) * (1 - rate).log()).sum()
    return 1 - class_loss(logits, labels) / chance


def gradient_penalty(critic, real, fake, rng):
    """Mean of (|grad D(x_hat)| - 1)^2 at films x_hat between a real one and its translation (eq. 4)."""
    share = torch.rand((len(real), 1, 1, 1), generator=rng, device=real.device)
    between = (share * real + (1 - share) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between)[0].sum(), between, create_graph=True)
    return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()


def flip_one(labels, rng):
    """The labels with one finding of each film, drawn at random, added or taken away."""
    chosen = torch.randint(labels.shape[1], (len(labels),), generator=rng, device=labels.device)
    return (labels - F.one_hot(chosen, labels.shape[1])).abs()


def flip_or_leave(labels, rng):
    """The same, but of one film in domains + 1 nothing is changed: a generator that is never asked for what
    is there already does not learn to leave it."""
    leave = torch.rand((len(labels), 1), generator=rng, device=labels.device) < 1 / (labels.shape[1] + 1)
    return torch.where(leave, labels, flip_one(labels, rng))


def permute(labels, rng):
    """The labels of another film of the batch: combinations that exist."""
    return labels[torch.randperm(len(labels), generator=rng, device=labels.device)]


TARGETS = {"permuted": permute, "single-flip": flip_one, "flip-or-leave": flip_or_leave}


class StarGAN(Model):
    """One generator that adds and removes every finding, and a critic that judges realness and findings.

    targets: "permuted" (the paper) | "single-flip": change one finding of each film, to see it alone |
        "flip-or-leave": that, and now and then nothing.
    pretrain: steps in which the critic learns the findings alone, before the game begins: a critic that does
    not know a finding rewards no generator for drawing it, and the film is left as it is (identity collapse).
    change_weight: of the mean absolute change of a film, 0 in the paper: what need not change stays.
    expose_weight: of the critic's second lesson in findings, 0 in the paper: to read in a translated film the
        label that was *taken away*. A class head that knows real films only is an examiner who can be bribed
        with any pattern; one that must see through translations is content with nothing but what real
        findings look like (the idea of Hou et al., ICML 2022).
    contrast: of the critic, see Discriminator.
    adversarial_weight: of the generator's wish to look real, 1 in the paper. A small critic's slope points
    everywhere; where films come out real anyway (residual), less of it leaves more of the film alone.
    average: translate with the moving average of the weights. decay_steps: length of the schedule, constant
    for half of it, then falling to 0; None: constant. conditioning, residual: see Generator.
    """

    def __init__(
        self, image_size=64, domains=5, width=64, seed=0, device="auto", precision="auto", *, channels=1,
        blocks=6, conditioning="concat", residual=False, contrast=False, targets="permuted", pretrain=0,
        critic_steps=CRITIC_STEPS, adversarial_weight=1.0, class_weight=CLASS_WEIGHT,
        cycle_weight=CYCLE_WEIGHT, change_weight=0.0, expose_weight=0.0, learning_rate=LEARNING_RATE,
        average=True, decay_steps=None, compile=False,
    ):  # fmt: skip
        if targets not in TARGETS:
            raise ValueError(f"targets is {targets!r}: choose one of {', '.join(TARGETS)}")
        config = dict(
            image_size=image_size, domains=domains, width=width, seed=seed, channels=channels, blocks=blocks,
            conditioning=conditioning, residual=residual, contrast=contrast, targets=targets,
            pretrain=pretrain, critic_steps=critic_steps, adversarial_weight=adversarial_weight,
            class_weight=class_weight, cycle_weight=cycle_weight, change_weight=change_weight,
            expose_weight=expose_weight, learning_rate=learning_rate, average=average,
            decay_steps=decay_steps,
        )  # fmt: skip
        super().__init__(config, device, precision, compile)
        with seeded(seed):
            generator = Generator(channels, domains, width, blocks, conditioning, residual)
            discriminator = Discriminator(image_size, channels, domains, width, contrast)
        self.generator = self.place(generator)
        self.discriminator = self.place(discriminator, compile=False)  # which has no second derivatives
        self.ema = EMA(self.generator) if average else None
        adam = dict(lr=learning_rate, betas=BETAS, fused=True)
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), **adam)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), **adam)
        self.d_schedule = linear_decay(self.d_optimizer, decay_steps)
        self.g_schedule = linear_decay(self.g_optimizer, decay_steps)
        self.targets, self.pretrain, self.critic_steps = TARGETS[targets], pretrain, critic_steps
        self.adversarial_weight, self.class_weight = adversarial_weight, class_weight
        self.cycle_weight, self.change_weight = cycle_weight, change_weight
        self.expose_weight = expose_weight

    @one_step
    def step(self, batch):
        """One step on films (B, C, H, W) in [-1, 1] and labels (B, domains), 1, 0, nan. The critic learns in
        every step, the generator in every critic_steps-th; in the first `pretrain` steps there is no game."""
        real, labels = batch
        self.check(real, labels)
        if self.steps_done < self.pretrain:
            return self.teach_findings(real, labels)
        source = labels.nan_to_num()
        target = self.targets(source, self.rng)  # c ~ p(c)
        losses = self.critic_update(real, labels, target)
        if (self.steps_done + 1) % self.critic_steps == 0:
            losses |= self.generator_update(real, source, target)
        return losses

    def teach_findings(self, real, labels):
        """School: the findings, and a slope of 1 between real films, so that the game begins without a jolt
        (the sudden penalty of an untrained slope would wash out what has been learnt)."""
        logits = self.discriminator(real)[1]
        class_real = class_loss(logits, labels)
        penalty = gradient_penalty(self.discriminator, real, permute(real, self.rng), self.rng)
        self.descend(PENALTY_WEIGHT * penalty + self.class_weight * class_real, self.d_optimizer)
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
        lessons = class_real + self.expose_weight * class_loss(fake_logits, taken)
        self.descend(-distance + PENALTY_WEIGHT * penalty + self.class_weight * lessons, self.d_optimizer)
        skill = class_skill(logits, labels)
        return {"distance": distance, "penalty": penalty, "class_real": class_real, "class_skill": skill}

    def generator_update(self, real, source, target):
        """Eq. 6: L_G = L_adv + lambda_cls L_cls(fake) + lambda_rec |x - G(G(x, c), c')| (eq. 7)."""
        fake = self.generator(real, target)
        d_fake, logits = self.discriminator(fake)
        class_fake = class_loss(logits, target)
        cycle = F.l1_loss(self.generator(fake, source), real)
        change = (fake - real).abs().mean()
        loss = -self.adversarial_weight * d_fake.mean() + self.class_weight * class_fake
        self.descend(loss + self.cycle_weight * cycle + self.change_weight * change, self.g_optimizer)
        self.update_average()
        return {"class_fake": class_fake, "cycle": cycle, "change": change}

    def check(self, films, labels):
        size, domains = self.config["image_size"], self.config["domains"]
        expected = (len(films), self.config["channels"], size, size), (len(films), domains)
        if (tuple(films.shape), tuple(labels.shape)) != expected:
            raise ValueError(
                f"films {tuple(films.shape)} and labels {tuple(labels.shape)}: this StarGAN was made for "
                f"{expected[0]} and {expected[1]}"
            )

    def translate(self, images, labels):
        """Films (B, C, H, W) as they would look with labels (B, domains), in [-1, 1], on their device."""
        self.check(images, labels)
        return self.in_parts(self.trained, images, labels.float())

    def mask(self, images, labels):
        """Where `translate` draws, by a residual generator's own account: (B, 1, H, W) in [0, 1]."""
        self.check(images, labels)
        return self.in_parts(lambda x, c: self.trained.change(x, c)[1], images, labels.float())
