"""The faults of an audited paper in miniature (chapter 9): each function does what the fault it names does.

    data = paper_faults.Data(films, paper_faults.features(films), labels, patients)
    for bench, rng in paper_faults.benches(frame, data.labels, repeats=20, seed=0):
        paper_faults.leaky_generator(data, bench, rng)

Readers are small on purpose: a ridge regression on the brightness and texture of 16 x 16 cells of a film, in
one place a network of three convolutions. A fault that shows with them needs no large network to fool anyone.
Rows are positions in `data`; rng is a numpy Generator; scores are AUROCs of one finding.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy.stats import rankdata
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from . import chexpert, metrics
from .training import seeded

PRINTED = tuple(chexpert.FINDINGS[1:])  # the 13 names in CheXpert's own order, as a results table prints them
COLUMNS = tuple(sorted(PRINTED))  # the order in which torchxrayvision's CheXpert class returns the labels
CELLS = 16  # a side; a cell is 4 x 4 px at 64 px
RIDGE = 1000.0  # penalty for 1,000 standardised features; 300 to 3,000 score alike on films of other patients
RATIO = 0.9  # synthetic films for a real one: 1,550 for 1,713 frontal films in the audited 1 % regimen
SETTINGS = 18  # 3 batch sizes x 3 learning rates x 2 optimizers, the grid of the audited code
EPOCHS, BATCH, RATE = 10, 32, 1e-3  # the audited code's own
SHAPE = 320 / 390  # height over width of a film of CheXpert-small
FEW = 2  # positives and negatives that every part of a bench must hold


class Data(NamedTuple):
    """What the probes learn from: films, their features, one finding's labels, whose films they are."""

    films: np.ndarray  # (N, size, size) uint8
    x: np.ndarray  # (N, 2 * CELLS ** 2) float32
    labels: np.ndarray  # (N,) 0 or 1
    patients: np.ndarray  # (N,)


class Bench(NamedTuple):
    """Positions of four sets of films, no patient in two of them: the audited design, and a drawer."""

    train: np.ndarray  # the regimen
    withheld: np.ndarray  # training patients outside the regimen
    test: np.ndarray
    fresh: np.ndarray  # patients that no choice and no generator ever sees: what the test stands for


# ---------------------------------------------------------------- the bench
def benches(frame, labels, repeats, seed=0):
    """Yield (Bench, rng) `repeats` times, each from another split of the patients: 10, 30, 10 and 50 %.

    Splits with fewer than FEW positives or negatives in a part are passed over. Raises ValueError when
    there are hardly any others.
    """
    found = 0
    for attempt in range(20 * repeats):
        split = chexpert.split(frame, (0.4, 0.1, 0.5), seed=f"{seed}.{attempt}")
        train = chexpert.regimen(split["train"], 25, seed=f"{seed}.{attempt}")
        withheld = split["train"].drop(train.index)
        parts = (train, withheld, split["valid"], split["test"])
        bench = Bench(*(frame.index.get_indexer(part.index) for part in parts))
        if all(min(labels[rows].sum(), (1 - labels[rows]).sum()) >= FEW for rows in bench):
            found += 1
            yield bench, np.random.default_rng([seed, attempt])
        if found == repeats:
            return
    raise ValueError(f"{labels.sum():.0f} positives of {len(labels)} films are too few for {repeats} splits: "
                     "choose a commoner finding or more films")  # fmt: skip


def features(films):
    """Mean and log of the spread of the grey levels in 16 x 16 cells: (N, size, size) uint8 -> (N, 512)."""
    side = films.shape[-1] // CELLS
    middle = films[..., : side * CELLS, : side * CELLS].astype(np.float32) / 255
    cells = middle.reshape(len(films), CELLS, side, CELLS, side)
    parts = cells.mean((2, 4)), np.log(cells.std((2, 4)) + 0.01)  # .01: below the noise of a film
    return np.concatenate([part.reshape(len(films), -1) for part in parts], axis=1)


def learner():
    return make_pipeline(StandardScaler(), Ridge(RIDGE))


def area(labels, scores):
    """AUROC of each column of scores (N,) or (N, k); nan where a class is absent."""
    ranks = rankdata(scores, axis=0)
    positives, negatives = labels.sum(), (1 - labels).sum()
    wins = ranks[labels == 1].sum(0) - positives * (positives + 1) / 2
    return wins / (positives * negatives) if positives * negatives else np.full(ranks.shape[1:], np.nan)


def spread(values):
    """Mean over repeats, and the range that holds 95 % of them: Estimate(value, low, high). nan: left out."""
    return metrics.interval(np.nanmean(values), values)


def added(data, rows, x):
    """Features and labels of the films at `rows` and of made films with features x, all of them positive."""
    return np.concatenate([data.x[rows], x]), np.concatenate([data.labels[rows], np.ones(len(x))])


def positives(data, rows):
    return rows[data.labels[rows] == 1]


# ---------------------------------------------------------------- two toy generators
def near_copies(films, count, rng):
    """A generator that learnt its films by heart: each moved by a pixel at most, a little lighter, noisy."""
    films, shifts = films[rng.integers(len(films), size=count)], rng.integers(-1, 2, (count, 2))
    moved = np.stack([np.roll(film, shift, (0, 1)) for film, shift in zip(films, shifts, strict=True)])
    noisy = moved * rng.uniform(0.95, 1.05, (count, 1, 1)) + rng.normal(0, 4, moved.shape)
    return noisy.clip(0, 255).astype(np.uint8)


def blends(films, count, rng):
    """A generator with a style of its own: the mean of two of its films, new and a little soft."""
    first, second = films[rng.integers(len(films), size=(2, count))].astype(np.uint16)
    return ((first + second) // 2).astype(np.uint8)


# ---------------------------------------------------------------- the faults
def leaky_generator(data, bench, rng):
    """{"honest", "leaky": (AUROC on the test, on fresh patients)}: the generator saw the regimen, or all."""
    everything = np.concatenate([bench.train, bench.withheld, bench.test])
    scores = {}
    for name, seen in {"honest": bench.train, "leaky": everything}.items():
        made = near_copies(data.films[positives(data, seen)], round(RATIO * len(bench.train)), rng)
        reader = learner().fit(*added(data, bench.train, features(made)))
        scores[name] = [area(data.labels[rows], reader.predict(data.x[rows])) for rows in bench[2:]]
    return scores


def runs_of_one_setting(data, bench, rng, count=SETTINGS):
    """Scores (N, count) of readers that differ by luck alone: each learns from its own resample of train."""
    draws = [rng.choice(bench.train, len(bench.train)) for _ in range(count)]
    readers = [learner().fit(data.x[rows], data.labels[rows]) for rows in draws]
    return np.stack([reader.predict(data.x) for reader in readers], axis=1)


def winners_lead(data, scores, test, fresh):
    """Lead of the run that is best on `test` over the mean of all runs: (on the test, on fresh patients)."""
    on_test, on_fresh = (area(data.labels[rows], scores[rows]) for rows in (test, fresh))
    best = on_test.argmax()
    return on_test[best] - on_test.mean(), on_fresh[best] - on_fresh.mean()


def synthetic_validation(data, bench, rng):
    """(AUROC, loss) of one reader on a tenth of the augmented set, and on real films of other patients.

    The tenth is drawn film by film, synthetic ones included. The loss is the mean squared error, which is
    what the reader was trained to make small.
    """
    made = blends(data.films[positives(data, bench.train)], round(RATIO * len(bench.train)), rng)
    x, labels = added(data, bench.train, features(made))
    valid, train = np.split(rng.permutation(len(x)), [len(x) // 10])
    reader = learner().fit(x[train], labels[train])
    sets = {"augmented": (x[valid], labels[valid]), "real": (data.x[bench.test], data.labels[bench.test])}
    scores = {name: (truth, reader.predict(part)) for name, (part, truth) in sets.items()}
    return {name: (area(*pair), np.mean((pair[1] - pair[0]) ** 2)) for name, pair in scores.items()}


def out_of_fold(data, rows, by, seed=0):
    """Scores of films in five folds, each read by a reader of the other four; by "film" or "patient"."""
    x, labels = data.x[rows], data.labels[rows]
    if by == "patient":
        return cross_val_predict(learner(), x, labels, cv=GroupKFold(5), groups=data.patients[rows])
    return cross_val_predict(learner(), x, labels, cv=KFold(5, shuffle=True, random_state=seed))


class SmallReader(nn.Module):
    """Three convolutions, ReLU, the mean over the map, one linear layer: (B, 1, 32, 32) -> (B, findings)."""

    def __init__(self, findings, width=8):
        super().__init__()
        self.features = nn.Sequential(  # the map before its ReLU: (B, 4 width, 8, 8)
            *(nn.Conv2d(1, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU()),
            *(nn.Conv2d(2 * width, 4 * width, 3, 1, 1, bias=False), nn.BatchNorm2d(4 * width)),
        )
        self.head = nn.Linear(4 * width, findings)

    def forward(self, films):
        return self.head(F.relu(self.features(films)).mean((2, 3)))


def small_films(films):
    """(N, size, size) uint8 -> (N, 1, 32, 32) in [-1, 1]."""
    return F.adaptive_avg_pool2d(torch.from_numpy(films).float()[:, None] / 127.5 - 1, 32)


def train_small(films, labels, rows, steps, seed):
    """A SmallReader after `steps` batches of the films at `rows`, in a new order each epoch."""
    with seeded(seed):
        reader = SmallReader(labels.shape[1])
    optimizer, rng = torch.optim.Adam(reader.parameters(), RATE), np.random.default_rng(seed)
    order = np.empty(0, int)
    for _ in range(steps):
        if len(order) < BATCH:
            order = np.concatenate([order, rng.permutation(rows)])
        batch, order = order[:BATCH], order[BATCH:]
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(reader(films[batch]), labels[batch]).backward()
        optimizer.step()
    return reader.eval()


def null_augmentation(films, labels, train, seed):
    """Readers with no added film, and with copies of random films: as many epochs, or as many steps.

    The copies hold nothing that is not there already; whatever they "bring" comes from the training time.
    films, labels: of SmallReader; returns {"none", "equal epochs", "equal steps": reader}.
    """
    copies = np.random.default_rng(seed).choice(train, round(RATIO * len(train)))
    more = np.concatenate([train, copies])
    steps, longer = (EPOCHS * -(-len(rows) // BATCH) for rows in (train, more))
    plan = {"none": (train, steps), "equal epochs": (more, longer), "equal steps": (more, steps)}
    return {name: train_small(films, labels, rows, count, seed) for name, (rows, count) in plan.items()}


def prepared(films, squash):
    """Films as if they were wider than high: the centre cut out, or the whole squeezed into a square."""
    size = films.shape[-1]
    edge = round(size * (1 - SHAPE) / 2)
    wide = films[:, edge : size - edge]  # (N, h, size)
    cut = (Image.fromarray(film) for film in (wide if squash else wide[:, :, edge : size - edge]))
    return np.stack([np.asarray(film.resize((size, size), Image.Resampling.BICUBIC)) for film in cut])


def perfect_generator(data, cropped, squashed, bench):
    """AUROC on fresh patients without added films, and with new real positives cropped, or squeezed.

    cropped, squashed: features of every film, prepared either way. The regimen's films, and those that are
    scored, are always cropped.
    """
    new, real = positives(data, bench.withheld), data._replace(x=cropped)
    arms = {"none": cropped[:0], "cropped": cropped[new], "squashed": squashed[new]}
    return _compare(real, bench, arms)


def controls(data, bench, rng):
    """AUROC on fresh patients: no added films, repeated real positives, as many films of a toy generator."""
    known, count = positives(data, bench.train), round(RATIO * len(bench.train))
    made = features(blends(data.films[known], count, rng))
    arms = {"none": made[:0], "duplicate": data.x[rng.choice(known, count)], "generator": made}
    return _compare(data, bench, arms)


def _compare(data, bench, arms):
    """AUROC on fresh patients of readers that learnt from the regimen and the added positives of each arm."""
    readers = {name: learner().fit(*added(data, bench.train, x)) for name, x in arms.items()}
    x, labels = data.x[bench.fresh], data.labels[bench.fresh]
    return {name: area(labels, reader.predict(x)) for name, reader in readers.items()}


def told_apart(cropped, squashed, bench):
    """AUROC of a probe that tells squeezed from cropped films of patients whom it has not seen."""

    def pair(first, second):
        return np.concatenate([first, second]), np.repeat([0.0, 1.0], [len(first), len(second)])

    reader = learner().fit(*pair(cropped[bench.train], squashed[bench.withheld]))  # no film on both sides
    x, truth = pair(cropped[bench.test], squashed[bench.test])
    return area(truth, reader.predict(x))


def activation_maps(reader, films, column):
    """{"CAM", "as released": maps (B, 8, 8)} of a SmallReader's finding, and its logits (B,).

    CAM = w . relu(features): its mean plus the bias is the logit. The other leaves out the ReLU and adds the
    bias in every cell.
    """
    with torch.no_grad():
        features, weight, bias = reader.features(films), reader.head.weight[column], reader.head.bias[column]
        right = torch.einsum("bchw,c->bhw", features.relu(), weight)
        wrong = torch.einsum("bchw,c->bhw", features, weight) + bias
        return {"CAM": right, "as released": wrong}, reader(films)[:, column]
