"""A StarGAN whose critic cannot be bribed, for findings that look like findings.

The paper's critic (stargan.py) rewards any pattern that its class head takes for a finding, and there are
patterns that no eye does. Four things differ here, each with its source:

1. `Examiner`: the classes are read by a classifier that was trained, and is only ever asked, through blur,
   noise, shifts and exposure, and that learns no more once the game begins. Gradients of robust classifiers
   draw the class, those of ordinary ones noise (Santurkar et al., NeurIPS 2019).
2. `Judge`: real or made is asked of film *and* label together (projection discriminator: Miyato & Koyama,
   ICLR 2018), of the film and of what the examiner sees in it (Sauer et al., *Projected GANs*, NeurIPS 2021).
3. `Painter`: a U-Net that moves what is there (a heart grows) and covers it with a smooth grey at half size
   (Pumarola et al., *GANimation*, ECCV 2018): fluid hides. Noise tells side, place and size.
4. Two wishes of the same film with other noise must differ (Mao et al., *Mode seeking GANs*, CVPR 2019).

    examiner = stargan_robust.Examiner(FINDINGS, steps=900)
    training.fit(examiner, store.batches(64), 900)
    model = stargan_robust.RobustStarGAN(64, 5, examiner=examiner)
    history = training.fit(model, store.batches(16), 6000)
    films = model.translate(films, labels, seed=1)
"""

import itertools
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from . import checks, diffaugment
from .checks import door, images, number, shaped, tensor, whole
from .classifier import DenseNet, masked_bce
from .images import uint8_to_signed
from .local_contrast import LocalContrast
from .stargan import check, permute
from .training import EMA, Model, linear_decay, mix, one_step, seeded
from .training.model import MANY, check_config

FIVE = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")  # CheXpert's contest
KINDS = (0.3, 0.55, 0.15)  # of films without a finding, with one, with two
BLUR, SHARP = 1.4, 0.3  # pixels at 64 px: the widest blur, and below which there is none
NOISE = 0.12  # standard deviation of the coarsest grain, of grey levels in [-1, 1]
FAR = 0.2  # of half a side: as far as tissue moves (6 px of 64)
FAINT, SMALL = 0.05, 0.005  # cover, and move in halves of a side, that a shown film leaves out
COVER_BIAS = -4.0  # first logit of the cover: a fiftieth of the grey, the rest is the film
SLOPE = 0.2  # of the leaky ReLU
LOUD = 12.0  # spectral norms keep a judge's voice low; with less, neither side learns from it


@dataclass(frozen=True)
class Recipe:
    """What the training weighs. Found on validation films; see studies/findings_that_look.py."""

    learning_rate: float = 4e-4  # of the painter
    judge_rate: float = 6e-4  # of the judge, which must keep ahead
    class_weight: float = 1.0  # the examiner's cross-entropy, a mean over findings
    adversarial_weight: float = 1.0  # the judge's word
    cycle_weight: float = 5.0  # added and taken away again: the film as it was
    change_weight: float = 1.0  # mean absolute change: what need not change stays
    leave_weight: float = 30.0  # as many times more where nothing was asked for
    move_weight: float = 2.0  # mean absolute move; where nothing need move, moving blurs
    variety_weight: float = 1.0  # two wishes, two pictures; falls to a fifth with the steps
    soft_label: float = 0.05  # the examiner should be as sure as of true films, not surer


# ---------------------------------------------------------------- films to learn from
@door(count=whole(1, MANY))
def lesson_rows(count, seed):
    """Label rows for `simulator.sample`: no finding, one or two (KINDS), each as often as any other, upright
    and lying patients of both sexes. So no finding is known by the company it keeps."""
    rng = np.random.default_rng([seed, 77])
    labels = np.zeros((count, len(FIVE)))
    for row, kind in enumerate(rng.choice(3, count, p=KINDS)):
        labels[row, rng.choice(len(FIVE), kind, replace=False)] = 1
    rows = pd.DataFrame(labels, columns=list(FIVE))
    view, sex = rng.choice(["PA", "AP"], count), rng.choice(["Male", "Female"], count)
    return rows.assign(view=view, sex=sex, age=rng.integers(25, 90, count).astype(float))


class Lessons:
    """Endless random batches (films (size, 1, H, W) in [-1, 1], labels (size, F)); `training.fit` can seek.

    films: (N, H, W) uint8; labels: (N, F) of 0 and 1. halves: the first half of every batch has no finding,
    the second half at least one, so that what one lacks the other has (see `others`).
    """

    @door(films=checks.films(), labels=shaped("N", "F"), size=whole(1, MANY), halves=checks.switch)
    def __init__(self, films, labels, size, seed=0, halves=False):
        checks.numbers(0, 1)("labels", labels)
        if halves and size % 2:
            raise ValueError(f"size is {size}: halves need an even number, 2 or more")
        if len(films) != len(labels):
            raise ValueError(f"{len(films)} films and {len(labels)} rows of labels: expected one each")
        self.films, self.labels = torch.as_tensor(films)[:, None], torch.as_tensor(np.array(labels))
        ill = self.labels.sum(1) > 0
        groups = (~ill, ill) if halves else (torch.ones_like(ill),)
        self.groups = [torch.nonzero(group)[:, 0] for group in groups]
        if not all(map(len, self.groups)):
            raise ValueError("labels: expected films with a finding, for halves others without")
        self.size, self.seed, self.number = size // len(self.groups), seed, 0

    def seek(self, number):
        self.number = number

    def __iter__(self):
        while True:
            rng = np.random.default_rng([self.seed, self.number])
            self.number += 1
            rows = torch.cat([group[rng.integers(0, len(group), self.size)] for group in self.groups])
            yield uint8_to_signed(self.films[rows]), self.labels[rows]


# ---------------------------------------------------------------- what a bribe does not survive
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


# ---------------------------------------------------------------- the painter
class ConditionalNorm(nn.Module):
    """Instance norm; a wish (B, W) sets scale and shift of x (B, C, H, W) (Dumoulin et al., ICLR 2017)."""

    def __init__(self, channels, wish):
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.style = nn.Linear(wish, 2 * channels)

    def forward(self, x, wish):
        scale, shift = self.style(wish)[:, :, None, None].chunk(2, dim=1)
        return self.norm(x) * (1 + scale) + shift


class Stage(nn.Module):
    """Convolution, norm set by the wish, leaky ReLU; stride 2 halves the side."""

    def __init__(self, before, after, wish, stride=1):
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3 if stride == 1 else 4, stride, 1, bias=False)
        self.norm = ConditionalNorm(after, wish)

    def forward(self, x, wish):
        return F.leaky_relu(self.norm(self.convolution(x), wish), SLOPE)


def larger(x, mode="nearest", times=2):
    return F.interpolate(x, scale_factor=times, mode=mode)


class Painter(nn.Module):
    """Films x (B, 1, H, W), labels (B, domains) and noise z (B, noise) to films that show the labels.

    A U-Net at half the film's size. Labels and noise set every norm; noise also reaches the coarsest maps as
    a picture, to say *where*. Upsampling repeats pixels: transposed convolutions and shuffles leave a grid.
    """

    def __init__(self, domains=5, width=24, noise=16):
        check_config({"domains": domains, "width": width, "noise": noise})
        super().__init__()
        wish, w = domains + noise, width
        self.noise = noise
        self.first = Stage(4 + 2, w, wish)  # four pixels of the film, and where they are
        self.down = nn.ModuleList([Stage(w, 2 * w, wish, 2), Stage(2 * w, 3 * w, wish, 2)])
        self.deep = Stage(3 * w, 4 * w, wish, 2)  # (B, 4 w, H / 16, W / 16)
        self.where = nn.Linear(wish, 8 * 16)  # a picture of 4 x 4
        self.middle = Stage(4 * w + 8, 4 * w, wish)
        self.up = nn.ModuleList([Stage(7 * w, 3 * w, wish), Stage(5 * w, 2 * w, wish), Stage(3 * w, w, wish)])
        self.paint = nn.Conv2d(w, 2, 3, padding=1)  # the grey and how much it covers
        self.move = nn.Conv2d(2 * w, 2, 3, padding=1)  # across and down
        for head in (self.paint, self.move):
            nn.init.zeros_(head.weight)  # the first picture is nearly the film itself
            nn.init.zeros_(head.bias)
        nn.init.constant_(self.paint.bias[-1:], COVER_BIAS)

    def forward(self, x, labels, z, part=1):
        """The film to show, without what would only blur it. part: of a larger film, drawn at 1 / part."""
        drawn = self.brush(x if part == 1 else F.avg_pool2d(x, part), labels, z)
        grey, cover, move = drawn if part == 1 else (larger(one, "bilinear", part) for one in drawn)
        cover = F.relu(cover - FAINT) / (1 - FAINT)
        return covered(x, grey, cover, F.relu(move - SMALL) - F.relu(-move - SMALL))[0]

    def draw(self, x, labels, z):
        """The film to learn from; what covering changed (B, 1, H, W), and the way that tissue came."""
        grey, cover, move = self.brush(x, labels, z)
        return *covered(x, grey, cover, move), move

    def brush(self, x, labels, z):
        """A grey in [-1, 1] and how much of the film it covers, each (B, 1, H, W); the way that tissue comes
        (B, 2, H, W), in halves of a side."""
        wish = torch.cat([labels, z], dim=1)
        h = torch.cat([F.pixel_unshuffle(x, 2), places(x, 2)], dim=1)
        skips = [self.first(h, wish)]
        for stage in self.down:
            skips.append(stage(skips[-1], wish))
        h = self.deep(skips[-1], wish)
        picture = F.interpolate(self.where(wish).unflatten(1, (8, 4, 4)), size=h.shape[2:])
        h = h + self.middle(torch.cat([h, picture], dim=1), wish)
        for stage in self.up:
            h = stage(torch.cat([larger(h), skips.pop()], dim=1), wish)
            if h.shape[-1] == x.shape[-1] // 4:
                move = FAR * torch.tanh(self.move(h).float())
        grey, cover = self.paint(h).float().chunk(2, dim=1)
        grey, cover = larger(torch.tanh(grey), "bilinear"), larger(torch.sigmoid(cover), "bilinear")
        return grey, cover, larger(larger(move, "bilinear"), "bilinear")


def places(x, part):
    """Where the pixels are, (B, 2, H / part, W / part), from -1 to 1: across and down."""
    rows, columns = (torch.linspace(-1, 1, side // part, device=x.device) for side in x.shape[2:])
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy")).expand(len(x), -1, -1, -1)


def moved(x, move):
    """Films whose tissue comes from `move` (B, 2, H, W; halves of a side) away."""
    source = (places(x, 1) + move).permute(0, 2, 3, 1)
    return F.grid_sample(x.float(), source, padding_mode="border", align_corners=True)


def covered(x, grey, cover, move):
    """Films moved and then covered (Pumarola et al. 2018, eq. 1), and what covering changed."""
    there = moved(x, move)
    change = cover * (grey - there)
    return there + change, change


# ---------------------------------------------------------------- the judge
class Judge(nn.Module):
    """Films (B, 1, H, W), the examiner's view of them (B, C, h, w) and labels to realness (B,): what film and
    view say, each by itself and with the label. At half size: nothing that the painter adds is finer."""

    def __init__(self, domains=5, width=32, seen=101):
        super().__init__()
        widths = [3, width, 2 * width, 4 * width]
        film = [nn.AvgPool2d(2), LocalContrast()]
        for before, after in itertools.pairwise(widths):
            film += [spectral_norm(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(SLOPE)]
        self.film = nn.Sequential(*film)  # (B, 128, 4, 4)
        self.view = nn.Sequential(
            spectral_norm(nn.Conv2d(seen, 4 * width, 1)), nn.LeakyReLU(SLOPE),
            spectral_norm(nn.Conv2d(4 * width, 4 * width, 4, 2, 1)), nn.LeakyReLU(SLOPE),
        )  # fmt: skip
        self.alone = spectral_norm(nn.Linear(8 * width, 1))
        self.together = spectral_norm(nn.Linear(domains + 1, 8 * width, bias=False))

    def forward(self, films, views, labels):
        h = torch.cat([self.film(films).mean((2, 3)), self.view(views).mean((2, 3))], dim=1).float() * LOUD
        healthy = (labels.sum(1, keepdim=True) == 0).float()
        agreement = (self.together(torch.cat([labels, healthy], dim=1)) * h).sum(1)
        return self.alone(h)[:, 0] + agreement


# ---------------------------------------------------------------- the game
@door(labels=tensor("B", "domains"), rng=checks.generator)
def others(labels, rng):
    """The labels of the film half a batch further: where healthy films come first, a finding is added to
    them and taken from the others. One film in six keeps its own; one batch in four is permuted."""
    draw = torch.rand(len(labels), generator=rng, device=labels.device)
    if draw[0] < 0.25:
        return permute(labels, rng)
    return torch.where(draw[:, None] < 1 / 6, labels, labels.roll(len(labels) // 2, 0))


class RobustStarGAN(Model):
    """A painter of findings, a judge, and an examiner that learns no more.

    examiner: a trained one; None: for translating only. settings: a Recipe, or what differs as a dict.
    """

    def __init__(self, image_size=64, domains=5, width=24, seed=0, device="auto", precision="auto", *,
                 noise=16, decay_steps=None, settings=None, examiner=None, columns=None):  # fmt: skip
        if not isinstance(settings, Recipe | dict | None):
            raise TypeError(f"settings is {settings!r}: expected a Recipe, or a dict of what differs")
        recipe = settings if isinstance(settings, Recipe) else Recipe(**(settings or {}))
        checks.settings(recipe, soft_label=number(0, 0.5))
        config = dict(image_size=image_size, domains=domains, width=width, seed=seed, noise=noise,
                      decay_steps=decay_steps, settings=asdict(recipe))  # fmt: skip
        super().__init__(config, device, precision)
        if image_size % 16:
            raise ValueError(f"image_size is {image_size}: expected a multiple of 16")
        with seeded(seed):
            generator, judge = Painter(domains, width, noise), Judge(domains)
        self.generator, self.judge = self.place(generator), self.place(judge)
        self.ema = EMA(self.generator)
        self.recipe, self.examiner = recipe, examiner
        self.columns = list(range(domains)) if columns is None else columns
        if examiner is not None:
            checks.having("network", "read", "findings", kind="a trained Examiner")("examiner", examiner)
            checks.listed("columns", self.columns)
            for column in self.columns:
                whole(0, len(examiner.findings) - 1)("columns", column)
            if len(self.columns) != domains:
                raise ValueError(f"columns is {columns}: expected one for each of {domains} domains")
            examiner.network.eval().requires_grad_(False)
        adam = dict(betas=(0.0, 0.99), fused=True)
        self.d_optimizer = torch.optim.Adam(self.judge.parameters(), recipe.judge_rate, **adam)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), recipe.learning_rate, **adam)
        self.d_schedule = linear_decay(self.d_optimizer, decay_steps)
        self.g_schedule = linear_decay(self.g_optimizer, decay_steps)

    @one_step
    def step(self, batch):
        """One step of judge and painter on films (B, 1, H, W) in [-1, 1] and labels (B, domains), 0 or 1."""
        films, labels = batch
        if self.examiner is None:
            raise ValueError("training needs an examiner: RobustStarGAN(..., examiner=a trained Examiner)")
        check(films, labels, self.config, wish=self.device.type == "cpu")
        target = others(labels, self.rng)
        z = self.noise(len(films))
        made, change, move = self.generator.draw(films, target, z)
        grid, _, logits = self.examiner.read(through_haze(made, self.rng))
        logits = logits[:, self.columns]
        shown = diffaugment.shift(made, self.rng)
        losses = self.judge_update(films, labels, shown.detach(), grid.detach(), target)
        word = self.judge(shown, grid, target).mean()
        return losses | self.painter_update(films, labels, target, (change, move, made, logits), word)

    def judge_update(self, films, labels, shown, grid, target):
        """Hinge loss (Miyato et al. 2018): real films above 1, made ones below -1."""
        with torch.no_grad():
            views = self.examiner.read(through_haze(films, self.rng))[0]
        real = self.judge(diffaugment.shift(films, self.rng), views, labels)
        fake = self.judge(shown, grid, target)
        self.descend(F.relu(1 - real).mean() + F.relu(1 + fake).mean(), self.d_optimizer)
        return {"judge_real": real.mean(), "judge_made": fake.mean()}

    def painter_update(self, films, labels, target, painted, word):
        change, move, made, logits = painted
        s = self.recipe
        wanted = target * (1 - 2 * s.soft_label) + s.soft_label
        class_made = F.binary_cross_entropy_with_logits(logits, wanted)
        asked = (target != labels).any(1)
        price = (made - films).abs().mean((1, 2, 3)) * torch.where(asked, 1.0, 1 + s.leave_weight)
        cycle, variety = self.there_and_back(films, labels, target, (made, change, move))
        loss = s.class_weight * class_made - s.adversarial_weight * word + s.cycle_weight * cycle
        loss = loss + s.change_weight * price.mean() + s.move_weight * move.abs().mean()
        fading = max(0.2, 1 - self.steps_done / (self.config["decay_steps"] or 1))
        self.descend(loss - s.variety_weight * fading * variety, self.g_optimizer)
        self.update_average()
        return {"class_made": class_made, "cycle": cycle, "change": price.mean(), "variety": variety,
                "move": move.abs().mean()}  # fmt: skip

    def there_and_back(self, films, labels, target, painted):
        """Of films to which something was only added: what is left when it is taken away again, and how much
        two such additions differ (0: the same; 1: in other places).

        What was *taken away* can come back on the other side: to ask for the same film again would be to
        ask the painter to hide it.
        """
        made, change, move = painted
        added = ((target >= labels).all(1) & (target != labels).any(1)).nonzero()[:, 0]
        if len(added) == 0:
            return change.new_zeros(()), change.new_zeros(())
        films, target = films[added], target[added]
        back = self.generator.draw(made[added], labels[added], self.noise(len(added)))[0]
        half = slice(0, None, 2)  # is enough to see whether two wishes differ
        other = self.generator.draw(films[half], target[half], self.noise(len(films[half])))
        mine, yours = torch.cat([change, move], 1)[added][half], torch.cat(other[1:], 1)
        size = (mine.abs() + yours.abs()).mean((1, 2, 3)).detach() + 0.01
        variety = (mine - yours).abs().mean((1, 2, 3)) / size
        return (back - films).abs().mean(), variety.mean()

    def noise(self, count):
        return torch.randn(count, self.config["noise"], generator=self.rng, device=self.device)

    @door(images=images, labels=tensor("B", "domains"), part=whole(1, 16))
    def translate(self, images, labels, seed=0, part=1):
        """Films (B, 1, H, W) as they would look with labels (B, domains), in [-1, 1], on their device.
        Another seed: another side, place and size. part=2: films of twice the size that it learnt from."""
        check(F.avg_pool2d(images, part, ceil_mode=True), labels, self.config, wish=True)
        rng = torch.Generator().manual_seed(mix(seed, 9))
        z = torch.randn(len(images), self.config["noise"], generator=rng).to(images.device)
        return self.in_parts(partial(self.trained, part=part), images, labels.float(), z)
