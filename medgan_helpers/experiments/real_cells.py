"""The augmentation experiment on real films: five folds by patient, one classifier per cell.

    cells = real_cells.cells(arms=("none", "standard"), seeds=(0, 1, 2))
    scores = real_cells.run_cell(cells[0])    # logits of the films of the fold that was left out

A cell (arm, fold, seed) trains one classifier on four fifths of the patients and reads the films of the rest;
after five folds every film has been read by a classifier that never saw its patient. The arms:

none                   the real films of the training patients
standard               the same, turned, shifted and recoloured anew at every step (`augmentation`)
duplicate              plus real positives of the two rare findings, repeated
duplicate + standard   both
stargan                plus negatives translated by a StarGAN that was trained on these films alone
lesion_gan             plus findings drawn into negatives by a GAN that was trained on *simulated* films with
                       the simulator's marks: nobody had to mark a real film for it
pretrained             trained on simulated films with all thirteen findings first, then tuned on the real
                       ones as in `standard`; both together take the steps of the other arms

Every arm takes the same number of steps; an arm that adds films adds as many as the others, and the loss of
an added film counts only the finding that it was added for.
"""

import hashlib
import itertools
import shutil
from dataclasses import asdict, dataclass, fields

import numpy as np
import torch

from .. import artifacts, augmentation, checks, session
from ..classifier import DenseNet
from ..training import fit, mix
from . import arms
from .films import FILMS, SIDE, Films, join, only, pool, take

RARE = ("Lung Lesion", "Pleural Other")  # 124 and 69 films here; Fracture is not labelled
ARMS = ("none", "standard", "duplicate", "duplicate + standard", "stargan", "lesion_gan", "pretrained")
SHAKEN = ("standard", "duplicate + standard", "pretrained")  # arms whose films are augmented anew each step
FOLDS = 5
POOL, POOL_SEED = 4000, 1194  # simulated films for `pretrained` and `lesion_gan`, and the seed they come from


@dataclass(frozen=True)
class Cell:
    """Settings of one classifier. `part` says what is read: the fold left out ("test"), or, to choose
    settings without looking at it, a fifth of the other patients ("valid"), who are then not trained on."""

    arm: str
    fold: int
    seed: int
    part: str = "test"
    steps: int = 600  # of 150, 300 and 600 the best on "valid" films of fold 0, which test other folds
    size: int = 64
    batch_size: int = 32
    extra: int = 200  # films added for each rare finding
    generator_steps: int = 600  # of the arm's GAN
    simulated_share: float = 0.5  # of the steps of `pretrained`
    tuning_rate: float = 3e-3  # highest learning rate of its second half; of two, at 300 steps

    def __post_init__(self):
        arms, parts, folds = checks.one_of(*ARMS), checks.one_of("test", "valid"), checks.whole(0, FOLDS - 1)
        sizes = {name: checks.whole() for name in ("steps", "batch_size", "extra", "generator_steps")}
        share = checks.number(0, 1)
        checks.settings(self, arm=arms, part=parts, fold=folds, size=SIDE, simulated_share=share, **sizes)

    @property
    def name(self):
        return "-".join(str(value) for value in asdict(self).values()).replace(" ", "")


CELL = checks.having("fold", "tuning_rate", kind="a Cell of real_cells")
KEY = [field.name for field in fields(Cell)]


@checks.door(arms=checks.listed, seeds=checks.listed, folds=checks.listed)
def cells(arms=ARMS, seeds=(0, 1, 2), folds=range(FOLDS), **settings):
    """Every combination, seed by seed and arm by arm: an arm whose folds are finished can be shown."""
    return [Cell(arm, fold, seed, **settings) for seed, arm, fold in itertools.product(seeds, arms, folds)]


# ---------------------------------------------------------------- films
@checks.door(patients=checks.listed)
def fold_of(patients, salt="fold"):
    """(N,) fold 0 to 4 of each film from a hash of its patient: the same everywhere, no patient in two."""
    folds = {p: int(hashlib.sha256(f"{salt} {p}".encode()).hexdigest(), 16) % FOLDS for p in set(patients)}
    return np.array([folds[patient] for patient in patients])


@checks.door(cell=CELL, patients=checks.listed)
def parts(cell, patients):
    """Row numbers to train on and to read, of a cell: no patient is in both."""
    outer, inner = fold_of(patients), fold_of(patients, "inner fold")
    inside = outer != cell.fold
    if cell.part == "test":
        return np.flatnonzero(inside), np.flatnonzero(~inside)
    return np.flatnonzero(inside & (inner > 0)), np.flatnonzero(inside & (inner == 0))


def real_table_and_films(size):
    """The shipped real films: (table, Films); what NIH does not label is nan in the labels."""
    real = session.real_films(size)
    return real.frame, Films(torch.from_numpy(real.store[:]), real.labels())


@checks.door(size=SIDE)
def simulated(size):
    """Simulated films with all thirteen findings, and the pool that knows where they are."""
    source = pool(POOL, size, POOL_SEED)
    return source, take(source, source.frame)


@checks.door(films=FILMS)
def grounds(films):
    """Rows that show neither rare finding: what a finding is drawn into."""
    return torch.from_numpy(np.flatnonzero((films.frame[list(RARE)] == 0).all(axis=1)))


# ---------------------------------------------------------------- the arms
@checks.door(cell=CELL)
def run_cell(cell):
    """Train the classifier of a cell; logits (n, 14) of the films it is to read, in the table's order.

    A killed run goes on from its last hundred steps.
    """
    frame, films = real_table_and_films(cell.size)
    inside, outside = parts(cell, frame.patient)
    train = pick(films, inside)
    training = join(train, *added(cell, train)) if cell.arm in MAKE else train
    batches = training.batches(cell.batch_size, mix(cell.seed, cell.fold))
    if cell.arm in SHAKEN:
        batches = augmentation.Augmented(batches, seed=mix(cell.seed, cell.fold))
    network, steps = begin(cell)
    kept = artifacts.folder("artifacts") / "real-begun" / cell.name
    fit(network, batches, steps, kept, every=100)
    shutil.rmtree(kept)  # it served a killed run; the logits are what is wanted
    return network.logits(films.images()[outside]).numpy()


@checks.door(films=FILMS, rows=checks.shaped("n"))
def pick(films, rows):
    return Films(films.films[rows], films.frame.iloc[rows])


@checks.door(cell=CELL)
def begin(cell):
    """The classifier before its first real film, and how many steps it still has."""
    if cell.arm != "pretrained":
        return DenseNet(
            preset="narrow", steps=cell.steps, emphasis=(), seed=mix(cell.seed, cell.fold)
        ), cell.steps
    before = round(cell.simulated_share * cell.steps)
    after = cell.steps - before
    network = DenseNet(preset="narrow", steps=after, emphasis=(), seed=mix(cell.seed, cell.fold))
    network.load_trained(pretrained(cell, before).trained.state_dict())
    network.begin(after, cell.tuning_rate)
    return network, after


@checks.door(cell=CELL, steps=checks.whole())
def pretrained(cell, steps):
    """The classifier trained on simulated films alone; one per seed, kept for all folds."""
    network = DenseNet(preset="narrow", steps=steps, emphasis=(), seed=cell.seed)
    kept = artifacts.folder("artifacts") / "real-pretrained" / f"{cell.size}px-{steps}-{cell.seed}"
    _, films = simulated(cell.size)
    batches = augmentation.Augmented(films.batches(cell.batch_size, cell.seed), seed=cell.seed)
    fit(network, batches, steps, kept)
    return network


@checks.door(cell=CELL, train=FILMS)
def added(cell, train):
    """What the arm adds to the training films: a list of Films, one per rare finding."""
    made = MAKE[cell.arm](cell, train)
    return [Films(made[finding], only(finding, cell.extra)) for finding in RARE]


@checks.door(cell=CELL, train=FILMS)
def duplicate(cell, train):
    return {
        finding: train.films[arms.in_turn(train.positives(finding), cell.extra, cell.seed)]
        for finding in RARE
    }


@checks.door(cell=CELL, train=FILMS)
def lesion_gan_films(cell, train):
    """Findings drawn into real negatives by a GAN that knows simulated films only, placed as it saw them."""
    generator, centres = train_lesion_gan(cell)
    made = {}
    for number, finding in enumerate(RARE):
        healthy, rng = some_grounds(cell, train, number)
        middle = centres[finding][rng.integers(len(centres[finding]), size=cell.extra)]
        made[finding] = generator.draw(healthy, finding, middle, cell.seed)
    return arms.to_grey(made)


@checks.door(cell=CELL)
def train_lesion_gan(cell):
    """The GAN of `lesion_gan_films`; {finding: centres (n, 2)} of the marks it learnt from. One per seed."""
    source, films = simulated(cell.size)
    marked = {finding: source.marks(films, finding) for finding in RARE}
    steps = cell.generator_steps
    kept = artifacts.folder("artifacts") / "real-drawer" / f"{cell.size}px-{steps}-{cell.seed}"
    generator = arms.train_lesion_gan(films, marked, grounds(films), steps, cell.seed, kept)
    return generator, {finding: centres for finding, (_, centres, _) in marked.items()}


@checks.door(cell=CELL, train=FILMS)
def stargan_films(cell, train):
    """Negatives translated to each rare finding by a StarGAN trained on the training films alone."""
    generator = arms.train_stargan(train, list(RARE), cell.generator_steps, FOLDS * cell.seed + cell.fold)
    made = {}
    for number, finding in enumerate(RARE):
        healthy, _ = some_grounds(cell, train, number)
        made[finding] = generator.translate(healthy, torch.eye(len(RARE))[number].expand(cell.extra, -1))
    return arms.to_grey(made)


@checks.door(cell=CELL, train=FILMS, number=checks.whole(0))
def some_grounds(cell, train, number):
    """The films that the rare finding of this number is drawn into, and the generator that chose them."""
    rng, rows = np.random.default_rng([cell.seed, cell.fold, number]), grounds(train)
    return train.images()[rng.choice(rows, cell.extra, replace=cell.extra > len(rows))], rng


MAKE = {
    "duplicate": duplicate,
    "duplicate + standard": duplicate,
    "stargan": stargan_films,
    "lesion_gan": lesion_gan_films,
}
