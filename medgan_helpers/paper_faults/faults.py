"""What a published table was made with, fault by fault; each function does what the fault it names does.

Rows are positions in `data`; rng is a numpy Generator; scores are AUROCs of one finding.
"""

import numpy as np
import scipy
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from .. import checks, chexpert
from ..checks import (
    door,
    every,
    having,
    numbers,
    one_channel,
    one_of,
    shaped,
    switch,
    tensor,
    whole,
)
from ..images import signed_batch, unit_batch
from ..training import seeded
from .bench import BENCH, DATA, FEATURES, FILMS, LABELS, MANY, MOST, RNG, ROWS

PRINTED = tuple(chexpert.FINDINGS[1:])  # the 13 names in CheXpert's own order, as a results table prints them
COLUMNS = tuple(sorted(PRINTED))  # the order in which torchxrayvision's CheXpert class returns the labels
CELLS = 16  # a side; a cell is 4 x 4 px at 64 px
RIDGE = 1000.0  # penalty for 1,000 standardised features; 300 to 3,000 score alike on films of other patients
RATIO = 0.9  # synthetic films for a real one: 1,550 for 1,713 frontal films in the audited 1 % regimen
SETTINGS = 18  # 3 batch sizes x 3 learning rates x 2 optimizers, the grid of the audited code
EPOCHS, BATCH, RATE = 10, 32, 1e-3  # the audited code's own
FOLDS, SKLEARN_SEED = 5, whole(0, 2**32 - 1)  # of cross-validation, and the seeds that scikit-learn takes
SHAPE = 320 / 390  # height over width of a film of CheXpert-small


@door(data=DATA, bench=BENCH)
def skill(data, bench):
    """AUROC on fresh patients of a classifier that learnt from the regimen: can the bench read at all?"""
    return float(area(data.labels[bench.fresh], learner().fit(data.x[bench.train], data.labels[bench.train])
                      .predict(data.x[bench.fresh])))  # fmt: skip


def _cells(name, value):
    FILMS(name, value)
    checks.films(CELLS)(name, value)


@door(films=_cells)
def features(films):
    """Mean and log of the spread of the grey levels in 16 x 16 cells: (N, size, size) uint8 -> (N, 512)."""
    side = films.shape[-1] // CELLS
    middle = unit_batch(films[..., : side * CELLS, : side * CELLS]).numpy()
    cells = middle.reshape(len(films), CELLS, side, CELLS, side)
    parts = cells.mean((2, 4)), np.log(cells.std((2, 4)) + 0.01)  # .01: below the noise of a film
    return np.concatenate([part.reshape(len(films), -1) for part in parts], axis=1)


def learner():
    """The quick classifier of the benches, not yet fitted."""
    return make_pipeline(StandardScaler(), Ridge(RIDGE))


@door(labels=LABELS, scores=MANY)
def area(labels, scores):
    """AUROC of each column of scores (N,) or (N, k); nan where a class is absent.

    labels: (N,) 0, 1 or nan (left out).
    """
    if len(labels) != len(scores):
        raise ValueError(f"{len(labels)} labels and {len(scores)} scores: expected one each")
    labels, scores = np.asarray(labels), np.asarray(scores)
    if (masked := labels != labels).any():  # nan
        labels, scores = labels[~masked], scores[~masked]
    ranks = scipy.stats.rankdata(scores, axis=0)
    positives, negatives = labels.sum(), (1 - labels).sum()
    wins = ranks[labels == 1].sum(0) - positives * (positives + 1) / 2
    return wins / (positives * negatives) if positives * negatives else np.full(ranks.shape[1:], np.nan)


@door(data=DATA, rows=ROWS, x=shaped("m", "features"))
def added(data, rows, x):
    """Features and labels of the films at `rows` and of made films with features x, all of them positive."""
    return np.concatenate([data.x[rows], x]), np.concatenate([data.labels[rows], np.ones(len(x))])


@door(data=DATA, rows=ROWS)
def positives(data, rows):
    return rows[data.labels[rows] == 1]


# ---------------------------------------------------------------- two toy generators
@door(films=FILMS, count=whole(1, MOST), rng=RNG)
def near_copies(films, count, rng):
    """A generator that learnt its films by heart: each moved by a pixel at most, a little lighter, noisy."""
    films, shifts = films[rng.integers(len(films), size=count)], rng.integers(-1, 2, (count, 2))
    moved = np.stack([np.roll(film, shift, (0, 1)) for film, shift in zip(films, shifts, strict=True)])
    noisy = moved * rng.uniform(0.95, 1.05, (count, 1, 1)) + rng.normal(0, 4, moved.shape)
    return noisy.clip(0, 255).astype(np.uint8)


@door(films=FILMS, count=whole(1, MOST), rng=RNG)
def blends(films, count, rng):
    """A generator with a style of its own: the mean of two of its films, new and a little soft."""
    first, second = films[rng.integers(len(films), size=(2, count))].astype(np.uint16)
    return ((first + second) // 2).astype(np.uint8)


# ---------------------------------------------------------------- the faults
@door(data=DATA, bench=BENCH, rng=RNG)
def leaky_generator(data, bench, rng):
    """{"honest", "leaky": (AUROC on the test, on fresh patients)}: the generator saw the regimen, or all."""
    everything = np.concatenate([bench.train, bench.withheld, bench.test])
    scores = {}
    for name, seen in {"honest": bench.train, "leaky": everything}.items():
        made = near_copies(data.films[positives(data, seen)], round(RATIO * len(bench.train)), rng)
        network = learner().fit(*added(data, bench.train, features(made)))
        scores[name] = [area(data.labels[rows], network.predict(data.x[rows])) for rows in bench[2:]]
    return scores


@door(data=DATA, bench=BENCH, rng=RNG, count=whole(1, 10_000))
def runs_of_one_setting(data, bench, rng, count=SETTINGS):
    """Scores (N, count) of networks that differ by luck alone: each learns from its own resample of train."""
    draws = [rng.choice(bench.train, len(bench.train)) for _ in range(count)]
    networks = [learner().fit(data.x[rows], data.labels[rows]) for rows in draws]
    return np.stack([network.predict(data.x) for network in networks], axis=1)


@door(data=DATA, scores=shaped("N", "runs"), test=ROWS, fresh=ROWS)
def winners_lead(data, scores, test, fresh):
    """Lead of the run that is best on `test` over the mean of all runs: (on the test, on fresh patients)."""
    on_test, on_fresh = (area(data.labels[rows], scores[rows]) for rows in (test, fresh))
    best = on_test.argmax()
    return on_test[best] - on_test.mean(), on_fresh[best] - on_fresh.mean()


@door(data=DATA, bench=BENCH, rng=RNG, sizes=every(whole()))
def lead_by_test_size(data, bench, rng, sizes):
    """({size: lead on the test, on fresh patients}, spread), by `winners_lead` with tests of `sizes` films.

    Each size is the mean over five draws of patients into the test; spread: the standard deviation of the
    equal runs on the bench's fresh patients.
    """
    runs = runs_of_one_setting(data, bench, rng)
    held_out = np.concatenate([bench.test, bench.fresh])
    leads = {}
    for count in sizes:
        pairs = [winners_lead(data, runs, *some_patients(data, held_out, count, rng)) for _ in range(5)]
        leads[count] = np.nanmean(pairs, axis=0)
    return leads, float(area(data.labels[bench.fresh], runs[bench.fresh]).std())


@door(data=DATA, rows=ROWS, count=whole(), rng=RNG)
def some_patients(data, rows, count, rng):
    """The films of patients drawn at random until about `count` films; and the others."""
    patients = rng.permutation(np.unique(data.patients[rows]))
    chosen = np.isin(data.patients[rows], patients[: round(len(patients) * count / len(rows))])
    return rows[chosen], rows[~chosen]


@door(data=DATA, bench=BENCH, rng=RNG)
def synthetic_validation(data, bench, rng):
    """(AUROC, loss) of one network on a tenth of the augmented set, and on films of other patients: as they
    are ("real"), and with as large a share of blends of them ("others augmented").

    The tenth is drawn film by film, so it holds films of patients that the network knows, too. The loss is
    the mean squared error, which is what the network was trained to make small.
    """
    made = blends(data.films[positives(data, bench.train)], round(RATIO * len(bench.train)), rng)
    x, labels = added(data, bench.train, features(made))
    valid, train = np.split(rng.permutation(len(x)), [len(x) // 10])
    network = learner().fit(x[train], labels[train])
    made = blends(data.films[positives(data, bench.test)], round(RATIO * len(bench.test)), rng)
    sets = {
        "augmented": (x[valid], labels[valid]),
        "others augmented": added(data, bench.test, features(made)),
        "real": (data.x[bench.test], data.labels[bench.test]),
    }
    scores = {name: (truth, network.predict(part)) for name, (part, truth) in sets.items()}
    return {name: (area(*pair), np.mean((pair[1] - pair[0]) ** 2)) for name, pair in scores.items()}


@door(by=one_of("film", "patient"), data=DATA, rows=ROWS, seed=SKLEARN_SEED)
def out_of_fold(data, rows, by, seed=0):
    """Scores of films in five folds, each read by a network of the other four; by "film" or "patient"."""
    x, labels = data.x[rows], data.labels[rows]
    groups = data.patients[rows] if by == "patient" else np.arange(len(x))
    if (count := len(np.unique(groups))) < FOLDS:
        raise ValueError(f"rows are of {count} {by}s: expected at least {FOLDS}, one for each fold")
    if by == "patient":
        return cross_val_predict(learner(), x, labels, cv=GroupKFold(FOLDS), groups=groups)
    return cross_val_predict(learner(), x, labels, cv=KFold(FOLDS, shuffle=True, random_state=seed))


@door(data=DATA, bench=BENCH, seed=SKLEARN_SEED)
def known_patients(data, bench, seed=0):
    """AUROC of folds by film minus that of folds by patient, on the bench's training and withheld films."""
    rows = np.concatenate([bench.train, bench.withheld])
    scores = {by: area(data.labels[rows], out_of_fold(data, rows, by, seed)) for by in ("film", "patient")}
    return float(scores["film"] - scores["patient"])


class SmallNetwork(nn.Module):
    """Three convolutions, ReLU, the mean over the map, one linear layer: (B, 1, 32, 32) -> (B, findings)."""

    @door(findings=whole(1, 10_000))
    def __init__(self, findings):
        super().__init__()
        self.features = nn.Sequential(  # the map before its ReLU: (B, 32, 8, 8)
            *(nn.Conv2d(1, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.Conv2d(8, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
            *(nn.Conv2d(16, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32)),
        )
        self.head = nn.Linear(32, findings)

    def forward(self, films):
        return self.head(F.relu(self.features(films)).mean((2, 3)))


@door(films=FILMS)
def small_films(films):
    """(N, size, size) uint8 -> (N, 1, 32, 32) in [-1, 1]."""
    return F.adaptive_avg_pool2d(signed_batch(films), 32)


@door(films=one_channel, labels=tensor("N", "findings"), rows=ROWS, steps=whole())
def train_small(films, labels, rows, steps, seed):
    """A SmallNetwork after `steps` batches of the films at `rows`, in a new order each epoch."""
    numbers(0, 1, known=True)("labels", labels[rows])  # a single nan would make every weight nan
    with seeded(seed):
        network = SmallNetwork(labels.shape[1])
    optimizer, rng = torch.optim.Adam(network.parameters(), RATE), np.random.default_rng(seed)
    order = np.empty(0, int)
    for _ in range(steps):
        if len(order) < BATCH:
            order = np.concatenate([order, rng.permutation(rows)])
        batch, order = order[:BATCH], order[BATCH:]
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(network(films[batch]), labels[batch]).backward()
        optimizer.step()
    return network.eval()


@door(train=ROWS)
def null_augmentation(films, labels, train, seed):
    """Networks with no added film, and with copies of random films: as many epochs, or as many steps.

    The copies hold nothing that is not there already; whatever they "bring" comes from the training time.
    films, labels: of SmallNetwork; returns {"none", "equal epochs", "equal steps": network}.
    """
    copies = np.random.default_rng(seed).choice(train, round(RATIO * len(train)))
    more = np.concatenate([train, copies])
    steps, longer = (EPOCHS * -(-len(rows) // BATCH) for rows in (train, more))
    plan = {"none": (train, steps), "equal epochs": (more, longer), "equal steps": (more, steps)}
    return {name: train_small(films, labels, rows, count, seed) for name, (rows, count) in plan.items()}


@door(films=FILMS, squash=switch)
def prepared(films, squash):
    """Films as if they were wider than high: the centre cut out, or the whole squeezed into a square."""
    size, edge = films.shape[-1], round(films.shape[-1] * (1 - SHAPE) / 2)
    wide = films[:, edge : size - edge]  # (N, h, size)
    cut = (Image.fromarray(film) for film in (wide if squash else wide[:, :, edge : size - edge]))
    return np.stack([np.asarray(film.resize((size, size), Image.Resampling.BICUBIC)) for film in cut])


@door(data=DATA, cropped=FEATURES, squashed=FEATURES, bench=BENCH)
def perfect_generator(data, cropped, squashed, bench):
    """AUROC on fresh patients without added films, and with new real positives cropped, or squeezed.

    cropped, squashed: features of every film, prepared either way. The regimen's films, and those that are
    scored, are always cropped.
    """
    new, real = positives(data, bench.withheld), data._replace(x=cropped)
    arms = {"none": cropped[:0], "cropped": cropped[new], "squashed": squashed[new]}
    return _compare(real, bench, arms)


@door(data=DATA, bench=BENCH, rng=RNG)
def controls(data, bench, rng):
    """AUROC on fresh patients: no added films, repeated real positives, as many films of a toy generator."""
    known, count = positives(data, bench.train), round(RATIO * len(bench.train))
    made = features(blends(data.films[known], count, rng))
    arms = {"none": made[:0], "duplicate": data.x[rng.choice(known, count)], "generator": made}
    return _compare(data, bench, arms)


@door(films=one_channel, labels=tensor("N", "findings"), bench=BENCH, column=whole(0))
def copies_bring(films, labels, bench, column, seed):
    """{"equal epochs", "equal steps"}: AUROC on fresh patients that `null_augmentation` adds to "none"."""
    whole(0, labels.shape[1] - 1)("column", column)
    trained = null_augmentation(films, labels, bench.train, seed)
    truth, shown = labels[bench.fresh, column].numpy(), films[bench.fresh]
    with torch.no_grad():
        guess = {name: model(shown)[:, column].numpy() for name, model in trained.items()}
    scores = {name: float(area(truth, values)) for name, values in guess.items()}
    return {name: scores[name] - scores["none"] for name in ("equal epochs", "equal steps")}


def _compare(data, bench, arms):
    """AUROC on fresh patients of networks that learnt from the regimen and each arm's added positives."""
    networks = {name: learner().fit(*added(data, bench.train, x)) for name, x in arms.items()}
    x, labels = data.x[bench.fresh], data.labels[bench.fresh]
    return {name: area(labels, network.predict(x)) for name, network in networks.items()}


@door(cropped=FEATURES, squashed=FEATURES, bench=BENCH)
def told_apart(cropped, squashed, bench):
    """AUROC of a probe that tells squeezed from cropped films of patients whom it has not seen."""

    def pair(first, second):
        return np.concatenate([first, second]), np.repeat([0.0, 1.0], [len(first), len(second)])

    network = learner().fit(*pair(cropped[bench.train], squashed[bench.withheld]))  # no film on both sides
    x, truth = pair(cropped[bench.test], squashed[bench.test])
    return area(truth, network.predict(x))


@door(network=having("features", "head", kind="a SmallNetwork"), films=one_channel, column=whole(0))
def activation_maps(network, films, column):
    """{"CAM", "as released": maps (B, 8, 8)} of a SmallNetwork's finding, and its logits (B,).

    CAM = w . relu(features): its mean plus the bias is the logit. The other leaves out the ReLU and adds the
    bias in every cell.
    """
    if column >= len(network.head.bias):
        raise ValueError(f"column is {column}: expected 0 to {len(network.head.bias) - 1}")
    with torch.no_grad():
        features, head = network.features(films), network.head
        right = torch.einsum("bchw,c->bhw", features.relu(), head.weight[column])
        wrong = torch.einsum("bchw,c->bhw", features, head.weight[column]) + head.bias[column]
        return {"CAM": right, "as released": wrong}, network(films)[:, column]
