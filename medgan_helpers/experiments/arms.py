"""What each arm of the experiment adds to a regimen's real films, one function per arm.

Every arm but the first two adds the same number of films for each rare finding, and the loss of an added film
counts only the finding it was added for. Three arms draw something at a mark: `copypaste`, `blob` and
`lesion_gan` get the same negative films, the same marks and the same jitter (`Places`).
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from .. import chexpert, lesion_gan, stargan
from ..checks import door, listed, whole
from ..checks import names as names_of
from ..images import signed_to_uint8
from ..training import fit, mix
from .cell import CELL
from .films import (
    FILMS,
    FRESH_SEED,
    MOST,
    PARTS,
    POOL,
    Films,
    join,
    only,
    parts,
    patients_with,
    pool,
    take,
    test_pool,
)

STARGAN_WIDTH = 16  # as in the class profile of notebook 5
LEAK = 10  # times the regimen's films that the leaky generator sees


@door(cell=CELL, films=PARTS)
def added(cell, films):
    """What the cell's arm adds: {finding: Films}. A finding without a real positive gets none."""
    made = MAKE[cell.arm](cell, films)
    return {finding: Films(part, only(finding, len(part))) for finding, part in made.items()}


# ---------------------------------------------------------------- one function an arm
# Each takes the cell and its films, and returns {finding: (extra, size, size) uint8}.


@door(cell=CELL, films=PARTS)
def none(cell, films):
    return {}


@door(cell=CELL, films=PARTS)
def duplicate(cell, films):
    """The regimen's positives in turn, as evenly as they go."""
    real = films["train"]
    return {f: real.films[in_turn(real.positives(f), cell.extra, cell.seed)] for f in findings_of(real)}


@door(cell=CELL, films=PARTS)
def copypaste(cell, films):
    """A real lesion and its surroundings, pasted with soft edges; no network."""
    made = {}
    for finding, place in places(cell, films["train"]).items():
        made[finding] = lesion_gan.copy_paste(place.grounds, place.positives, place.marks, place.targets)
    return to_grey(made)


@door(cell=CELL, films=PARTS)
def blob(cell, films):
    """A soft bright spot as large and as strong as the finding: is a network needed at all?"""
    made = {}
    for finding, place in places(cell, films["train"]).items():
        peak = height(place.positives, place.grounds, place.marks, place.radii)
        made[finding] = lesion_gan.add_blob(place.grounds, place.targets, place.radii, peak)
    return to_grey(made)


def height(positives, grounds, marks, radii):
    """How high a blob must be to stand out from its surroundings as the findings at the marks do.

    The contrast of the positives, less that of the anatomy there in films without the finding; and what a
    blob of height 1 brings by the same measure, which is less than 1.
    """
    blank = torch.full_like(grounds, -1.0)
    films = positives, grounds, lesion_gan.add_blob(blank, marks, radii, 1.0)
    finding, anatomy, unit = (lesion_gan.contrast_of(x, marks).mean() for x in films)
    return ((finding - anatomy) / unit).clamp(min=0)


@door(cell=CELL, films=PARTS)
def lesion_gan_films(cell, films):
    """A local GAN that has seen the regimen and nothing else."""
    real = films["train"]
    marked = marks(pool(cell.films, cell.size), real)
    generator = train_lesion_gan(real, marked, real.negatives(), cell.generator_steps, cell.seed)
    return drawn(cell, real, generator)


@door(cell=CELL, films=PARTS)
def leaky(cell, films):
    """The same GAN, but it saw more: ten times the regimen, and the very films of the test."""
    source = pool(cell.films, cell.size)
    frame = parts(source.frame, min(100, LEAK * cell.percent), 0, cell.test, cell.size)["train"]
    more, test = take(source, frame), films["test"]
    seen, of_test = marks(source, more), marks(test_pool(cell.test, cell.size), test)
    of_test = {f: (len(more) + rows, *where) for f, (rows, *where) in of_test.items()}  # in both together
    everything = {
        f: [torch.cat(both) for both in zip(seen[f], of_test[f], strict=True)]
        for f in findings_of(films["train"])
    }
    both = join(more, test)
    generator = train_lesion_gan(both, everything, both.negatives(), cell.generator_steps, cell.seed)
    return drawn(cell, films["train"], generator)


@door(cell=CELL, films=PARTS)
def stargan_films(cell, films):
    """Whole negative films translated to show one finding and no other."""
    real, findings = films["train"], findings_of(films["train"])
    if not findings:
        return {}
    generator = train_stargan(real, findings, cell.generator_steps, cell.seed)
    made = {}
    for number, finding in enumerate(findings):
        grounds = real.images()[in_turn(real.negatives(), cell.extra, cell.seed)]
        target = F.one_hot(torch.full((cell.extra,), number), len(findings))
        made[finding] = generator.translate(grounds, target)
    return to_grey(made)


@door(cell=CELL, films=PARTS)
def oracle(cell, films):
    """New simulated patients; no other cell ever sees them."""
    fresh = patients_with(cell.extra, cell.size, FRESH_SEED + cell.seed)
    every = take(fresh, fresh.frame)
    return {f: every.films[every.positives(f)] for f in chexpert.RARE}


MAKE = {
    "none": none,
    "standard": none,
    "duplicate": duplicate,
    "duplicate_standard": duplicate,
    "stargan": stargan_films,
    "copypaste": copypaste,
    "blob": blob,
    "lesion_gan": lesion_gan_films,
    "lesion_gan_standard": lesion_gan_films,
    "leaky": leaky,
    "oracle": oracle,
}
AUGMENTED = (
    "standard",
    "duplicate_standard",
    "lesion_gan_standard",
)  # films are turned, shifted and recoloured


# ---------------------------------------------------------------- what they share
def _some(name, value):
    """Several, at least one."""
    listed(name, value)
    if len(value) == 0:
        raise ValueError(f"{name} is empty: expected at least one film to take")


@door(real=FILMS)
def findings_of(real):
    """The rare findings that the films show at all: from none, nothing can be made."""
    return [finding for finding in chexpert.RARE if len(real.positives(finding))]


@door(choices=_some, count=whole(0, MOST))
def in_turn(choices, count, seed):
    """`count` of the choices, each as often as any other give or take one, in random order."""
    rng = np.random.default_rng(seed)
    rounds = [rng.permutation(choices) for _ in range(-(-count // len(choices)))]
    return torch.from_numpy(np.concatenate(rounds)[:count])


def to_grey(made):
    """{finding: (N, 1, size, size) in [-1, 1]} -> {finding: (N, size, size) uint8}, as real films are."""
    return {f: signed_to_uint8(x)[:, 0] for f, x in made.items()}


@door(source=POOL, real=FILMS)
def marks(source, real):
    """{finding: (rows (n,), centres (n, 2), radii (n,))} of the films of the pool `source` that show it."""
    found = {f: source.marks(real, f) for f in findings_of(real)}
    return {f: where for f, where in found.items() if len(where[0])}


class Places(NamedTuple):
    """`extra` negative films, and for each a real positive whose mark says where to draw."""

    grounds: torch.Tensor  # (N, 1, size, size), negatives of the regimen
    positives: torch.Tensor  # (N, 1, size, size), positives of the regimen
    marks: torch.Tensor  # (N, 2) row and column of the finding in the positive
    targets: torch.Tensor  # (N, 2) where to draw it in the negative: the mark and some jitter
    radii: torch.Tensor  # (N,) of the finding in the positive


@door(cell=CELL, real=FILMS)
def places(cell, real):
    """{finding: Places}, the same in every arm that draws at marks."""
    images, found = real.images(), {}
    for finding, (rows, centres, radii) in marks(pool(cell.films, cell.size), real).items():
        grounds = in_turn(real.negatives(), cell.extra, cell.seed)
        pick = in_turn(torch.arange(len(centres)), cell.extra, cell.seed + 1)
        rng = np.random.default_rng(cell.seed + 2)
        jitter = rng.integers(-lesion_gan.JITTER, lesion_gan.JITTER + 1, (cell.extra, 2))
        positives = images[rows[pick]]
        targets = centres[pick] + torch.from_numpy(jitter)
        found[finding] = Places(images[grounds], positives, centres[pick], targets, radii[pick])
    return found


@door(cell=CELL, real=FILMS)
def drawn(cell, real, generator):
    """Findings drawn by a LesionGAN at the places of the regimen."""
    if generator is None:
        return {}
    made = {}
    for finding, place in places(cell, real).items():
        made[finding] = generator.draw(place.grounds, finding, place.targets, cell.seed)
    return to_grey(made)


@door(films=FILMS, steps=whole())
def train_lesion_gan(films, marked, grounds, steps, seed, checkpoint=None):
    """A LesionGAN trained on `films` alone; None where nothing is marked.

    marked: where each positive shows its finding, see `marks`; grounds: the rows to draw findings into.
    """
    if not marked:
        return None
    positives = {k: (rows, centres) for k, (rows, centres, _) in enumerate(marked.values())}
    squares = lesion_gan.Squares(films.films[:, None], positives, grounds, seed=mix(seed, 1))
    recipe = lesion_gan.Recipe(pretrain=int(lesion_gan.PRETRAIN_SHARE * steps))
    generator = lesion_gan.LesionGAN(list(marked), recipe, seed=seed)
    fit(generator, squares, steps, checkpoint)
    return generator


@door(films=FILMS, findings=names_of(*chexpert.FINDINGS), steps=whole())
def train_stargan(films, findings, steps, seed):
    """A StarGAN for `findings` trained on `films` alone, every finding as often as none."""
    labels = films.frame[findings]
    rows = stargan.balanced(labels, seed)
    lessons = Films(films.films[list(rows)], labels.loc[rows])
    generator = stargan.StarGAN(
        films.films.shape[-1], len(findings), STARGAN_WIDTH, seed, recipe=stargan.SMALL,
        pretrain=int(stargan.PRETRAIN_SHARE * steps),
    )  # fmt: skip
    fit(generator, lessons.batches(stargan.BATCH, mix(seed, 2)), steps)
    return generator
