"""A GAN that draws a finding where a finding would be: local, class-conditional, on real films.

A whole-film generator must learn the whole chest before it can draw a lesion. This one keeps a real negative
film and changes one square of it, placed as findings are placed in real positives. Somebody must have marked
those; in the course the simulator's masks stand for a radiologist. What it learns from:

    conditional GAN with a projection discriminator (Miyato & Koyama, ICLR 2018), hinge loss
    an auxiliary classifier (Odena et al., ICML 2017), a network of its own, trained before the game: one that
    learns the findings during it is too slow for few films, and the generator falls to the identity
    DiffAugment without flips or cutout (Zhao et al., NeurIPS 2020); an average of the weights (EMA)
"""

from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from . import checks
from .checks import door, one_of, shaped, tensor, whole
from .diffaugment import brightness, contrast, shift
from .images import uint8_to_signed
from .training import EMA, Model, mix, one_step, seeded
from .training.model import check_config

SQUARE = 32  # pixels at 64 px films; half the film's side in general
JITTER = 3  # pixels: the map's cell is 8 pixels wide, its peak no more exact than that
PRETRAIN_SHARE = 1 / 2  # of a run's steps the classifier learns alone: cheap, since no generator runs


@dataclass(frozen=True)
class Recipe:
    """The settings of a LesionGAN."""

    width: int = 48  # channels of the generator's first layer
    pretrain: int = 250  # steps in which only the classifier learns; then it stays as it is
    latent: int = 16  # numbers of noise, so that one film can get many lesions
    class_weight: float = 0.5  # of the classifier's cross-entropy in the generator's loss
    change_weight: float = 2.0  # of the mean absolute change: what need not change stays
    generator_rate: float = 2e-4  # learning rates; the discriminator's is twice as high
    discriminator_rate: float = 4e-4  # (Heusel et al., NeurIPS 2017)
    classifier_rate: float = 3e-3


REACH = 0.8  # largest change of a pixel, in units of [-1, 1]
BETAS = (0.0, 0.99)  # of Adam in the game: no momentum, for the opponent moves
FILMS = tensor("N", "1", "H", "W")
PLACES = shaped("N", "2", kind="a tensor of pixels", only="is_floating_point")


# ---------------------------------------------------------------- squares of films
def square(films):
    """Side of the square changed in films (N, 1, H, W): half the film, which holds a lesion or a fracture."""
    return films.shape[-1] * SQUARE // 64


def _drawable(films):
    if square(films) % 4:  # the generator halves a square twice
        raise ValueError(f"films are {films.shape[-1]} pixels: expected a multiple of 8")


@door(films=FILMS, centres=PLACES, size=whole())
def cut(films, centres, size):
    """The squares (N, 1, size, size) of films about centres (N, 2: row, column), moved inside if need be."""
    rows, columns = _pixels(films, centres, size)
    return films[torch.arange(len(films))[:, None, None], 0, rows, columns][:, None]


@door(films=FILMS, centres=PLACES, squares=FILMS)
def put(films, centres, squares):
    """Films with `squares` in the places `cut` would take them from; the films given are not changed."""
    rows, columns = _pixels(films, centres, squares.shape[-1])
    films = films.clone()
    films[torch.arange(len(films))[:, None, None], 0, rows, columns] = squares[:, 0].to(films.dtype)
    return films


def _pixels(films, centres, size):
    if centres.is_floating_point() and 0 < centres.max() <= 1:
        raise ValueError("centres are 1 or less: expected pixels (row, column), not shares of the side")
    if len(centres) and not -size <= centres.min() <= centres.max() < films.shape[2] + size:
        raise ValueError(f"centres reach {centres.abs().max()}: expected pixels of {films.shape[2]} px films")
    if len(films) != len(centres) or not size <= films.shape[2] == films.shape[3]:
        raise ValueError(f"{len(centres)} centres, films {tuple(films.shape)}: expected as many, {size} px")
    corner = (centres.round().long() - size // 2).clamp(0, films.shape[-1] - size)
    line = torch.arange(size, device=films.device)
    return (corner[:, 0, None] + line)[:, :, None], (corner[:, 1, None] + line)[:, None, :]


@door(size=whole(1, 4096))
def soft_disc(size, device="cpu"):
    """(size, size): 1 within half the inscribed radius, 0 at its rim, smooth between: no edge to see."""
    line = torch.linspace(-1, 1, size, device=device)
    radius = (line[:, None] ** 2 + line**2).sqrt()
    ramp = (2 * (1 - radius)).clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)


@door(size=whole(4, 4096))
def ring(size, device="cpu"):
    """(size, size) weights that sum to 1: the ground around a finding, not the finding itself."""
    disc = soft_disc(size, device)
    weights = ((disc > 0) & (disc < 0.5)).float()  # from three quarters of the radius to the rim
    return weights / weights.sum()


@door(negatives=FILMS, positives=FILMS, marks=PLACES, targets=PLACES)
def copy_paste(negatives, positives, marks, targets):
    """The control without a generator: squares of positives blended into negative films.

    marks, targets: (N, 2), where the finding is in each positive and where it goes in the negative. Grey
    levels are matched on a ring around the finding, or the exposure would give the paste away; matched over
    the whole square, a large finding would be darkened by its own brightness.
    """
    if len(negatives) != len(positives):
        raise ValueError(f"{len(negatives)} negatives, {len(positives)} positives: expected as many of each")
    size = square(negatives)
    ground, patch = cut(negatives, targets, size), cut(positives, marks, size)
    around = ring(size, negatives.device)
    patch = patch + ((ground - patch) * around).sum((2, 3), keepdim=True)
    disc = soft_disc(size, negatives.device)
    return put(negatives, targets, (ground + disc * (patch - ground)).clamp(-1, 1))


@door(films=FILMS, centres=PLACES)
def contrast_of(films, centres):
    """How much brighter the middle of each square is than the ring around it: (N,) in units of [-1, 1]."""
    size = square(films)
    middle = soft_disc(size // 2, films.device)
    inner = cut(films, centres, size // 2) * (middle / middle.sum())
    return inner.sum((1, 2, 3)) - (cut(films, centres, size) * ring(size, films.device)).sum((1, 2, 3))


@door(negatives=FILMS, targets=PLACES, radii=checks.numbers(0), strength=checks.number())
def add_blob(negatives, targets, radii, strength):
    """The control without anything learned: a Gaussian of `strength` about targets (N, 2) in negative films.
    radii: (N,) pixels of a disc as large as the finding; a Gaussian of its volume: sigma = radius / sqrt(2).
    """
    tensor("N")("radii", radii)
    size = square(negatives)
    ground = cut(negatives, targets, size)
    line = torch.arange(size, device=negatives.device) - size // 2
    distance = line[:, None] ** 2 + line**2
    spots = torch.exp(-distance / radii.clamp(min=1)[:, None, None, None] ** 2)  # 2 sigma^2 = radius^2
    change = strength * spots * soft_disc(size, negatives.device)
    return put(negatives, targets, (ground + change).clamp(-1, 1))


@door(masks=checks.masks)
def marks_of(masks):
    """Where masks (N, H, W), bool, show their finding, as a radiologist would mark it.

    Returns the row and column of its densest part in pixels, (N, 2), and its radius, (N,): that of a disc of
    the same area. The simulator's masks stand for the radiologist. Raises ValueError for an empty mask.
    """
    masks = torch.as_tensor(masks).float()
    if blank := int((masks.sum((1, 2)) == 0).sum()):
        raise ValueError(f"{blank} of {len(masks)} masks are empty: leave these films out, nothing is marked")
    size = masks.shape[-1]
    dense = F.avg_pool2d(masks[:, None], size // 8 + 1, 1, size // 16).flatten(1).argmax(1)
    centres = torch.stack([dense // size, dense % size], 1)
    return centres, (masks.sum((1, 2)) / torch.pi).sqrt()


@door(boxes=checks.table("x", "y", "width", "height"), size=whole())
def box_centres(boxes, size):
    """Centres (n, 2: row, column, in pixels) of boxes drawn by hand, rows of `chexpert.read_boxes`."""
    checks.numbers(0, 1)("boxes", boxes[["x", "y", "width", "height"]])
    rows, columns = boxes.y + boxes.height / 2, boxes.x + boxes.width / 2
    return torch.from_numpy(size * np.stack([rows, columns], axis=1))


class Squares:
    """Endless batches (real squares, their classes, healthy squares, classes to draw there), seekable.

    films: (N, 1, H, W) uint8; positives: {class: (rows of films, centres)}; negatives: rows of films. The
    last class is "none": squares of negatives. Classes come in equal numbers.
    """

    @door(films=shaped("N", "1", "H", "W"), positives=checks.named, batch_size=whole())
    def __init__(self, films, positives, negatives, batch_size=32, seed=0):
        if set(positives) != set(range(len(positives))):
            raise ValueError(f"positives has {list(positives)}: expected the classes by number, 0, 1, ...")
        _drawable(films)
        checks.rows("negatives", negatives)
        for one in positives.values():
            checks.listed("positives", one)
            checks.rows("positives", one[0])
            PLACES("positives", one[-1])
        self.films, self.positives, self.negatives = films, positives, negatives
        self.batch_size, self.seed, self.step = batch_size, seed, 0

    def seek(self, step):
        self.step = step

    def __iter__(self):
        return self

    def __next__(self):
        rng = torch.Generator().manual_seed(mix(self.seed, self.step))
        self.step += 1
        none = len(self.positives)
        classes = torch.arange(self.batch_size) % (none + 1)
        targets = torch.arange(self.batch_size) % none
        rows, centres = self._draw(classes, none, rng)
        _, healthy_centres = self._draw(targets, none, rng)
        negatives = self.negatives[torch.randint(len(self.negatives), (self.batch_size,), generator=rng)]
        real = self._cut(rows, centres, rng)
        return real, classes, self._cut(negatives, healthy_centres, rng), targets

    def _draw(self, classes, none, rng):
        """A random positive of each class and its centre; for "none" a negative at a positive's centre."""
        rows, centres = [], []
        for number in classes.tolist():
            of = number if number < none else int(torch.randint(none, (1,), generator=rng))
            where, middle = self.positives[of]
            pick = int(torch.randint(len(where), (1,), generator=rng))
            other = int(torch.randint(len(self.negatives), (1,), generator=rng))
            rows.append(where[pick] if number < none else self.negatives[other])
            centres.append(middle[pick])
        return torch.stack(rows), torch.stack(centres)

    def _cut(self, rows, centres, rng):
        jitter = torch.randint(-JITTER, JITTER + 1, centres.shape, generator=rng)
        films = uint8_to_signed(self.films[rows])
        return cut(films, centres + jitter, square(films))


# ---------------------------------------------------------------- the networks
class Generator(nn.Module):
    """A healthy square, a class and noise -> what is added to it, smooth, nought at the rim: (B, 1, S, S)."""

    @door(classes=whole(), width=whole(), latent=whole(), embedding=whole())
    def __init__(self, classes, width=48, latent=16, embedding=8):
        super().__init__()
        self.embed = nn.Embedding(classes, embedding)
        self.layers = nn.Sequential(
            nn.Conv2d(4 + embedding + latent, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 4, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip

    def forward(self, healthy, classes, z):
        pixels = F.pixel_unshuffle(healthy, 2)  # (B, 4, 16, 16)
        condition = torch.cat([self.embed(classes), z], 1)[:, :, None, None]
        x = torch.cat([pixels, condition.expand(-1, -1, *pixels.shape[-2:])], 1)
        change = REACH * torch.sigmoid(self.layers(x).float() - 3)  # brighter only: more tissue, more bone
        for _ in range(2):  # mean filters: without them the change carries a grid of 2 x 2 pixels
            change = F.avg_pool2d(F.pad(change, [1] * 4, mode="replicate"), 3, stride=1)
        return change * soft_disc(change.shape[-1], change.device)


class Classifier(nn.Module):
    """Squares (B, 1, S, S) -> class logits (B, classes). Sees differences of grey, whatever the exposure.

    The largest response counts, wherever it is: a lesion fills a few of the square's 16 cells.
    """

    @door(classes=whole(), width=whole())
    def __init__(self, classes, width=32):
        super().__init__()
        layers = []
        for number, (before, after) in enumerate(pairwise([2, width, width, 2 * width, 3 * width])):
            size, stride = (3, 1) if number == 0 else (4, 2)
            layers.append(nn.Conv2d(before, after, size, stride, 1, bias=False))
            layers += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.classes = nn.Linear(3 * width, classes)

    def forward(self, squares):
        level = squares - squares.mean((2, 3), keepdim=True)
        blurred = F.avg_pool2d(F.pad(level, [4] * 4, mode="replicate"), 9, stride=1)
        features = self.layers(torch.cat([3 * level, 6 * (level - blurred)], 1)).float()  # (B, 96, 4, 4)
        return self.classes(features.amax((2, 3)))


class Discriminator(nn.Module):
    """Squares (B, 1, S, S) and classes -> realness given the class (B,)."""

    @door(classes=whole(), width=whole())
    def __init__(self, classes, width=32):
        super().__init__()
        widths = [1, width, width, 2 * width, 3 * width]
        layers = []
        for number, (before, after) in enumerate(pairwise(widths)):
            size, stride = (3, 1) if number == 0 else (4, 2)
            layers += [spectral_norm(nn.Conv2d(before, after, size, stride, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.real = spectral_norm(nn.Linear(3 * width, 1))
        self.embed = spectral_norm(nn.Embedding(classes, 3 * width))

    def forward(self, squares, classes):
        features = self.layers(squares).float().sum((2, 3))  # (B, 96), the projection paper's global sum
        return self.real(features)[:, 0] + (self.embed(classes) * features).sum(1)


# ---------------------------------------------------------------- the game
@door(on_real=tensor(), on_fake=tensor())
def discriminator_loss(on_real, on_fake):
    """Hinge loss (Miyato & Koyama 2018, eq. 9): real squares above 1, made ones below -1."""
    return F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()


class LesionGAN(Model):
    """Draws `findings`, names, into squares of films; step() takes batches of `Squares`."""

    needs = ("real squares", "their classes", "healthy squares", "findings to draw")

    @door(findings=checks.distinct())
    def __init__(self, findings, recipe=None, seed=0, **machine):
        if not isinstance(recipe, Recipe | dict | None):
            raise TypeError(f"recipe is {recipe!r}: expected a Recipe, or a dict of what differs from it")
        recipe = Recipe(**recipe) if isinstance(recipe, dict) else recipe or Recipe()  # a dict: from a card
        checks.settings(recipe)
        check_config(asdict(recipe))
        super().__init__({"findings": list(findings), "recipe": asdict(recipe), "seed": seed}, **machine)
        self.recipe, classes = recipe, len(findings) + 1  # the last one: no finding
        with seeded(seed):
            generator = Generator(len(findings), recipe.width, recipe.latent)
            discriminator, classifier = Discriminator(classes), Classifier(classes)
        self.generator, self.discriminator = self.place(generator), self.place(discriminator)
        self.classifier = self.place(classifier)
        self.ema = EMA(self.generator, decay=0.99)
        adam = torch.optim.Adam
        self.generator_optimizer = adam(generator.parameters(), recipe.generator_rate, BETAS)
        self.discriminator_optimizer = adam(discriminator.parameters(), recipe.discriminator_rate, BETAS)
        self.classifier_optimizer = adam(classifier.parameters(), recipe.classifier_rate, (0.9, 0.99))

    def plan(self):
        return "lesson" if self.steps_done < self.recipe.pretrain else "game"

    @one_step
    def step(self, batch):
        """One step on (real squares, their classes, healthy squares, findings to draw), see `Squares`."""
        real, classes, healthy, targets = batch
        if self.steps_done < self.recipe.pretrain:
            return self.teach(real, classes)
        change = self.generator.train()(healthy, targets, self.noise(len(healthy)))
        fake = (healthy + change).clamp(-1, 1)
        d_loss = self.discriminator_update(real, classes, fake.detach(), targets)
        return {"d_loss": d_loss} | self.generator_update(fake, targets, change)

    def discriminator_update(self, real, classes, fake, targets):
        on_real = self.discriminator(self.augment(real), classes)
        on_fake = self.discriminator(self.augment(fake), targets)
        loss = discriminator_loss(on_real, on_fake)
        self.descend(loss, self.discriminator_optimizer)
        return loss

    def generator_update(self, fake, targets, change):
        """Look real, show the finding, change little."""
        seen, weights = self.augment(fake), self.recipe
        class_loss = F.cross_entropy(self.classifier.eval()(seen), targets)
        size_of_change = change.abs().mean()
        loss = -self.discriminator(seen, targets).mean() + weights.class_weight * class_loss
        loss = loss + weights.change_weight * size_of_change
        self.descend(loss, self.generator_optimizer)
        self.update_average()
        return {"g_loss": loss, "class_loss": class_loss, "change": size_of_change}

    def teach(self, real, classes):
        """Before the game: the classifier learns on real squares what the generator will have to draw."""
        class_loss = F.cross_entropy(self.classifier.train()(self.augment(real)), classes)
        self.descend(class_loss, self.classifier_optimizer)
        nothing = torch.zeros((), device=self.device)
        return {"d_loss": nothing, "g_loss": nothing, "class_loss": class_loss, "change": nothing}

    def augment(self, squares):
        """DiffAugment: both players see the squares shifted and recoloured, so that few films last longer."""
        return shift(contrast(brightness(squares, self.rng), self.rng), self.rng)

    def noise(self, count):
        return torch.randn(count, self.recipe.latent, generator=self.rng, device=self.device)

    @door(films=FILMS, centres=PLACES)
    @torch.no_grad()
    def draw(self, films, finding, centres, seed=0):
        """Films (N, 1, H, W) in [-1, 1] with `finding` drawn about centres (N, 2), on the CPU: marks in the
        simulator's masks, or boxes drawn by hand (`box_centres`)."""
        checks.in_range(films)
        one_of(*self.config["findings"])("finding", finding)
        _drawable(films)
        rng = torch.Generator().manual_seed(mix(seed))
        number = self.config["findings"].index(finding)
        drawn = []
        for part, middle in zip(films.split(256), centres.split(256), strict=True):
            healthy = cut(part, middle, square(part))
            z = torch.randn(len(part), self.recipe.latent, generator=rng)
            classes = torch.full((len(part),), number, device=self.device)
            with self.autocast():
                change = self.trained(healthy.to(self.device), classes, z.to(self.device)).float().cpu()
            drawn.append(put(part, middle, (healthy + change).clamp(-1, 1)))
        return torch.cat(drawn)
