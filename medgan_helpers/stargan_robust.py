"""A StarGAN whose critic cannot be bribed, for findings that look like findings.

The paper's critic (stargan.py) rewards any pattern that its class head takes for a finding, and there are
patterns that no eye does. Five things differ here, each with its source:

1. `examiner.Examiner`: the classes are read by a classifier that was trained, and is only ever asked, through
   blur, noise, shifts and exposure, and that learns no more once the game begins. Gradients of robust
   classifiers draw the class, those of ordinary ones noise (Santurkar et al., NeurIPS 2019).
2. `Judge`: real or made is asked of film *and* label together (projection discriminator: Miyato & Koyama,
   ICLR 2018), of the film and of what the examiner sees in it (Sauer et al., *Projected GANs*, NeurIPS 2021).
3. `Painter`: a U-Net that moves what is there and covers it with a smooth grey at half size (Pumarola et al.,
   *GANimation*, ECCV 2018): fluid hides, and is no brighter than the belly. Noise tells place and size.
4. Two wishes of the same film with other noise must differ (Mao et al., *Mode seeking GANs*, CVPR 2019).
5. A made film shall be no surer a case than a true one: each wears another film's labels *and severity*.

    exam = examiner.Examiner(5, steps=900)
    training.fit(exam, Lessons(films, labels, 64), 900)
    model = stargan_robust.RobustStarGAN(64, 5, examiner=exam)
    sure = examiner.certainty(exam, films)
    history = training.fit(model, Lessons(films, labels, 16, halves=True, sure=sure), 6000)
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
from .checks import door, images, like, number, shaped, tensor, whole
from .examiner import severity, through_haze
from .images import uint8_to_signed
from .local_contrast import LocalContrast
from .stargan import check
from .training import EMA, Model, linear_decay, mix, one_step, seeded
from .training.model import MANY, check_config

FIVE = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")  # CheXpert's contest
KINDS = (0.3, 0.55, 0.15)  # of films without a finding, with one, with two
FAR = 0.2  # of half a side: as far as tissue moves (6 px of 64)
FAINT, SMALL = 0.05, 0.005  # cover, and move in halves of a side, that a shown film leaves out
COVER_BIAS = -4.0  # first logit of the cover: a fiftieth of the grey, the rest is the film
SLOPE = 0.2  # of the leaky ReLU
LOUD = 12.0  # spectral norms keep a judge's voice low; with less, neither side learns from it
HINT = 0.25  # of the gradient of there and back that reaches what was added
SURE = 6.0  # a logit beyond which surer is not asked for


@dataclass(frozen=True)
class Recipe:
    """What the training weighs. Found on validation films; see studies/findings_that_look.py."""

    learning_rate: float = 2e-4  # of the painter
    judge_rate: float = 4e-4  # of the judge, which must keep ahead
    class_weight: float = 0.5  # the examiner should be as sure as of a true film: difference of logits
    adversarial_weight: float = 1.5  # the judge's word
    cycle_weight: float = 20.0  # added and taken away again: the film as it was
    change_weight: float = 0.5  # mean absolute change: what need not change stays
    leave_weight: float = 45.0  # the same where nothing was asked for
    move_weight: float = 2.0  # mean absolute move; where nothing need move, moving blurs
    variety_weight: float = 0.3  # two wishes, two pictures


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
    the second half at least one, so that what one lacks the other has (see `mates`). sure: (N, F), how sure
    an examiner is of each film (`certainty`): batches for the game bring it along, and each film's severity.
    """

    @door(films=checks.films(), labels=shaped("N", "F"), size=whole(1, MANY), halves=checks.switch)
    def __init__(self, films, labels, size, seed=0, halves=False, sure=None):
        checks.numbers(0, 1)("labels", labels)
        if halves and size % 2:
            raise ValueError(f"size is {size}: halves need an even number, 2 or more")
        if len(films) != len(labels):
            raise ValueError(f"{len(films)} films and {len(labels)} rows of labels: expected one each")
        self.films, self.labels = torch.as_tensor(films)[:, None], torch.as_tensor(np.array(labels))
        self.beside = ()
        if sure is not None:
            like(self.labels)("sure", sure)
            self.beside = sure, severity(self.labels, sure)
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
            yield uint8_to_signed(self.films[rows]), self.labels[rows], *(more[rows] for more in self.beside)


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
    a picture, to say *where*. Its first numbers are how severe each finding shall be. Who asks for nothing
    has nothing to choose: no noise. Upsampling repeats pixels: other ways leave a grid.
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
        """A grey in [-1, `brightest`] and how much of the film it covers, each (B, 1, H, W); the way that
        tissue comes (B, 2, H, W), in halves of a side."""
        wish = torch.cat([labels, z * (labels.sum(1, keepdim=True) > 0)], dim=1)
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
        grey, cover = torch.sigmoid(self.paint(h).float()).chunk(2, dim=1)
        grey = (brightest(x) + 1) * larger(grey, "bilinear") - 1
        return grey, larger(cover, "bilinear"), larger(larger(move, "bilinear"), "bilinear")


def brightest(x):
    """(B, 1, 1, 1): the mean of a film's brightest square of an eighth: belly or spine, as dense as fluid."""
    return F.avg_pool2d(x.float(), x.shape[-1] // 8).amax((2, 3), keepdim=True)


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
    """Films (B, 1, H, W), the examiner's view of them (B, C, h, w), labels and severity (B, domains) to
    realness (B,): what film and view say, by themselves and with the label. At half size: nothing that the
    painter adds is finer."""

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
        self.together = spectral_norm(nn.Linear(2 * domains + 1, 8 * width, bias=False))

    def forward(self, films, views, labels, severe):
        h = torch.cat([self.film(films).mean((2, 3)), self.view(views).mean((2, 3))], dim=1).float() * LOUD
        healthy = (labels.sum(1, keepdim=True) == 0).float()
        agreement = (self.together(torch.cat([labels, healthy, severe / 2], dim=1)) * h).sum(1)
        return self.alone(h)[:, 0] + agreement


# ---------------------------------------------------------------- the game
@door(count=whole(1, MANY), rng=checks.generator)
def mates(count, rng):
    """Whose labels each of `count` films shall wear: those of the film half a batch further, so that where
    healthy films come first a finding is added to them and taken from the others. One film in six keeps its
    own; one batch in four is shuffled."""
    draw = torch.rand(count + 1, generator=rng, device=rng.device)
    rows = torch.arange(count, device=rng.device)
    if draw[0] < 0.25:
        return draw[1:].argsort()
    return torch.where(draw[1:] < 1 / 6, rows, rows.roll(count // 2))


class RobustStarGAN(Model):
    """A painter of findings, a judge, and an examiner that learns no more.

    examiner: a trained one; None: for translating only. settings: a Recipe, or what differs as a dict.
    """

    def __init__(self, image_size=64, domains=5, width=24, seed=0, device="auto", precision="auto", *,
                 noise=16, decay_steps=None, settings=None, examiner=None, columns=None):  # fmt: skip
        if not isinstance(settings, Recipe | dict | None):
            raise TypeError(f"settings is {settings!r}: expected a Recipe, or a dict of what differs")
        recipe = settings if isinstance(settings, Recipe) else Recipe(**(settings or {}))
        checks.settings(recipe)
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
        """One step of judge and painter on films (B, 1, H, W) in [-1, 1], their labels, 0 or 1, how sure the
        examiner is of them and how severe each finding is, all (B, domains), as `Lessons` with `sure`."""
        if self.examiner is None:
            raise ValueError("training needs an examiner: RobustStarGAN(..., examiner=a trained Examiner)")
        if len(batch) != 4:
            raise ValueError(f"a batch of {len(batch)} parts: expected four, as Lessons(..., sure=...) gives")
        films, labels, sure, severe = batch
        check(films, labels, self.config, wish=self.device.type == "cpu")
        mate = mates(len(films), self.rng)  # each film shall look like a case of another film's kind
        target, wanted, degree = labels[mate], sure[mate], severe[mate]
        painted = made, _, _ = self.generator.draw(films, target, self.noise(target, degree))
        grid, _, logits = self.examiner.read(through_haze(made, self.rng))
        shown = diffaugment.shift(made, self.rng)
        losses = self.judge_update((films, labels, severe), (shown.detach(), grid.detach(), target, degree))
        word = self.judge(shown, grid, target, degree).mean()
        said, wanted = (x.float().clamp(-SURE, SURE) for x in (logits[:, self.columns], wanted))
        class_made = F.smooth_l1_loss(said, wanted)
        wish = (films, labels, target, degree)
        return losses | self.painter_update(wish, painted, class_made, word)

    def judge_update(self, true, made):
        """Hinge loss (Miyato et al. 2018): real films above 1, made ones below -1."""
        films, labels, severe = true
        with torch.no_grad():
            views = self.examiner.read(through_haze(films, self.rng))[0]
        real = self.judge(diffaugment.shift(films, self.rng), views, labels, severe)
        fake = self.judge(*made)
        self.descend(F.relu(1 - real).mean() + F.relu(1 + fake).mean(), self.d_optimizer)
        return {"judge_real": real.mean(), "judge_made": fake.mean()}

    def painter_update(self, wish, painted, class_made, word):
        films, labels, target, _ = wish
        made, _, move = painted
        s = self.recipe
        asked = (target != labels).any(1)
        change = (made - films).abs().mean((1, 2, 3))
        price = (change * torch.where(asked, s.change_weight, s.leave_weight)).mean()
        cycle, variety = self.there_and_back(wish, painted)
        loss = s.class_weight * class_made - s.adversarial_weight * word + s.cycle_weight * cycle
        loss = loss + price + s.move_weight * move.abs().mean() - s.variety_weight * variety
        self.descend(loss, self.g_optimizer)
        self.update_average()
        return {"class_made": class_made, "cycle": cycle, "change": change.mean(), "variety": variety,
                "move": move.abs().mean()}  # fmt: skip

    def there_and_back(self, wish, painted):
        """Of films to which something was only added: what is left when it is taken away again, and how much
        two such additions differ (0: the same; 1: in other places).

        Taking away is learnt here; a quarter (HINT) of the gradient reaches what was added. With all of it
        the painter would draw less, or hide in the film how to undo it (Chu et al. 2017). What was *taken
        away* can come back on the other side: to ask for the same film again would be to ask for a hint.
        """
        films, labels, target, _ = wish
        made, change, move = painted
        added = ((target >= labels).all(1) & (target != labels).any(1)).nonzero()[:, 0]
        if len(added) == 0:
            return change.new_zeros(()), change.new_zeros(())
        films, labels, target, degree = (part[added] for part in wish)
        made = made.detach().lerp(made, HINT)
        back = self.generator.draw(made[added], labels, self.noise(labels, 0 * degree))[0]
        half = slice(0, None, 2)  # is enough to see whether two wishes differ
        other = self.generator.draw(films[half], target[half], self.noise(target[half], degree[half]))
        mine, yours = torch.cat([change, move], 1)[added][half], torch.cat(other[1:], 1)
        size = (mine.abs() + yours.abs()).mean((1, 2, 3)).detach() + 0.01
        variety = (mine - yours).abs().mean((1, 2, 3)) / size
        return (back - films).abs().mean(), variety.mean()

    def noise(self, labels, degree):
        """Noise (B, noise) that asks for labels (B, domains) in this degree; the rest is chance."""
        z = torch.randn(len(labels), self.config["noise"], generator=self.rng, device=self.device)
        known = labels.shape[1]
        return torch.cat([torch.where(labels > 0, degree, z[:, :known]), z[:, known:]], 1)

    @door(images=images, labels=tensor("B", "domains"), part=whole(1, 16))
    def translate(self, images, labels, seed=0, part=1, severity=None):
        """Films (B, 1, H, W) as they would look with labels (B, domains), in [-1, 1], on their device.

        Another seed: another side, place and size. part=2: films of twice the size that it learnt from.
        severity: of what is asked for, from -3 (mildest) to 3; None: as it happens in films to learn from.
        """
        number(-3, 3)("severity", 0 if severity is None else severity)
        check(F.avg_pool2d(images, part, ceil_mode=True), labels, self.config, wish=True)
        rng = torch.Generator().manual_seed(mix(seed, 9))
        z = torch.randn(len(images), self.config["noise"], generator=rng).to(images.device)
        if severity is not None:
            z[:, : labels.shape[1]] = severity
        return self.in_parts(partial(self.trained, part=part), images, labels.float(), z)
