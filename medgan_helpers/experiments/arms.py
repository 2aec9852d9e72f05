"""What each arm of the experiment adds to a regimen's real films.

none        the regimen's real films
standard    the same, turned, shifted and recoloured anew at every step (`augmentation`)
duplicate   plus real rare positives, repeated
copypaste   plus real lesions pasted into negatives of the regimen
gan         plus findings drawn into negatives of the regimen by a `lesion_gan` trained on the regimen alone
stargan     plus negatives of the regimen translated by chapter 5's StarGAN, trained on the regimen alone
leaky       the lesion GAN trained on everything, test patients included: the audited paper's protocol
oracle      plus fresh simulated patients with the finding: what perfect augmentation would bring

Every arm but the first two adds the same number of films per rare finding; the loss of an added film counts
only the finding it was added for.
"""

import numpy as np
import torch
import torch.nn.functional as F

from .. import chexpert, lesion_gan, stargan
from ..training import fit, mix
from .films import POOL_SEED, Films, join, only, pool, take

STARGAN_WIDTH = 16  # as in the class profile of notebook 5


def added(cell, films):
    """What the cell's arm adds: {finding: Films}. A finding without a real positive gets none."""
    if cell.arm in ("none", "standard"):
        return {}
    if cell.arm == "oracle":
        return fresh(cell)
    real = films["train"]
    findings = [finding for finding in chexpert.RARE if len(real.positives(finding))]
    if not findings:  # no generator can learn from none
        return {}
    if cell.arm == "duplicate":
        make = {f: duplicates(real, f, cell.extra, cell.seed) for f in findings}
    else:
        make = synthetic(cell, films, findings)
    return {finding: Films(made, only(finding, len(made))) for finding, made in make.items()}


def fresh(cell):
    """New simulated patients, `extra` a rare finding; no other cell ever sees them."""
    each = tuple((finding, cell.extra) for finding in chexpert.RARE)
    source = pool(3 * cell.extra, cell.size, POOL_SEED + 1, each)
    every = take(source, source.frame)
    return {f: Films(every.films[every.positives(f)], only(f, cell.extra)) for f in chexpert.RARE}


def synthetic(cell, films, findings):
    """Films made from the regimen: {finding: (extra, size, size) uint8}, for the arms that make some."""
    real, source = films["train"], pool(cell.films, cell.size)
    if cell.arm == "stargan":
        generator = train_stargan(real, findings, cell.generator_steps, cell.seed)
        return {
            f: translated(real, generator, k, cell.extra, cell.seed) for k, f in enumerate(findings)
        }

    def marks(part):
        return {f: source.marks(part.numbers[part.positives(f).numpy()], f) for f in findings}

    centres = marks(real)
    if cell.arm == "copypaste":
        return {f: pasted(real, centres, f, cell.extra, cell.seed) for f in findings}
    if cell.arm == "leaky":
        everything = join(real, films["valid"], films["test"])
        generator = train_generator(everything, marks(everything), cell.generator_steps, cell.seed)
    else:
        generator = train_generator(real, centres, cell.generator_steps, cell.seed)
    return {f: drawn(real, centres, generator, f, cell.extra, cell.seed) for f in findings}


def duplicates(real, finding, count, seed):
    """`count` films: the regimen's positives in turn, as evenly as they go."""
    return real.films[_turns(real.positives(finding), count, seed)]


def _turns(choices, count, seed):
    """`count` of the choices, each as often as any other give or take one, in random order."""
    rng = np.random.default_rng(seed)
    rounds = [rng.permutation(choices) for _ in range(-(-count // len(choices)))]
    return torch.from_numpy(np.concatenate(rounds)[:count])


def pasted(real, centres, finding, count, seed):
    """`count` negatives of the regimen with a real finding pasted in, where it is in its own film."""
    source, ground = real.positives(finding), _turns(real.negatives(), count, seed)
    pick = _turns(torch.arange(len(source)), count, seed + 1)
    images = real.images()
    return to_grey(lesion_gan.copy_paste(images[ground], images[source[pick]], centres[finding][pick]))


def drawn(real, centres, generator, finding, count, seed):
    """`count` negatives of the regimen with the finding drawn by the generator, placed like real ones."""
    ground = _turns(real.negatives(), count, seed)
    middle = centres[finding][_turns(torch.arange(len(centres[finding])), count, seed + 1)]
    jitter = np.random.default_rng(seed + 2).integers(-lesion_gan.JITTER, lesion_gan.JITTER + 1, (count, 2))
    return to_grey(generator.draw(real.images()[ground], finding, middle + torch.from_numpy(jitter), seed))


def translated(real, generator, number, count, seed):
    """`count` negatives of the regimen translated by a StarGAN to show its finding `number` and no other."""
    ground = _turns(real.negatives(), count, seed)
    target = F.one_hot(torch.full((count,), number), generator.config["domains"])
    return to_grey(generator.translate(real.images()[ground], target))


def to_grey(films):
    """(N, 1, size, size) in [-1, 1] -> (N, size, size) uint8, as real films are stored."""
    return ((films[:, 0] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def train_generator(films, centres, steps, seed):
    """A LesionGAN trained on `films` alone; centres: {finding: (n, 2)}, where it is in each positive."""
    positives = {k: (films.positives(f), middle) for k, (f, middle) in enumerate(centres.items())}
    squares = lesion_gan.Squares(films.films[:, None], positives, films.negatives(), seed=mix(seed, 1))
    generator = lesion_gan.LesionGAN(list(centres), warm=steps // 2, seed=seed)
    fit(generator, squares, steps)
    return generator


def train_stargan(films, findings, steps, seed):
    """A StarGAN for `findings` trained on `films` alone, every finding as often as none."""
    labels = films.frame[findings]
    rows = stargan.balanced(labels, seed)
    lessons = Films(films.films[list(rows)], labels.loc[rows])
    generator = stargan.StarGAN(
        films.films.shape[-1], len(findings), STARGAN_WIDTH, seed, pretrain=int(stargan.SCHOOL * steps),
        recipe=stargan.SMALL,
    )  # fmt: skip
    fit(generator, lessons.batches(stargan.BATCH, mix(seed, 2)), steps)
    return generator
