"""The films of the experiment: a large simulated pool, a regimen's parts of it, films and labels in memory.

A `Pool` plans a large simulated data set (labels only) and renders the films that are asked for, once. The
three rare findings are placed on random rows, one per film at most, so that a film's other findings say
nothing about them. Patients never cross from training to validation or test.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from .. import artifacts, chexpert, simulator
from ..checks import door, having, holding, listed, number, one_of, switch, table, whole
from ..checks import films as grey
from ..images import Batches, check_space, signed_batch
from ..lesion_gan import marks_of
from ..simulator import dataset, rows

POOL_SEED = 2107_02970  # the audited paper's arXiv number; any number would do
FINAL_TEST = 300  # test positives of each rare finding in studies/grid.py: its test patients are no others'
TEST_SEED = POOL_SEED + 1000  # patients of the final test: in no regimen, looked at in no earlier grid
LIVE_SEED = POOL_SEED + 4000  # test patients of every other grid, those in the chapters among them
FRESH_SEED = POOL_SEED + 2000  # patients of the oracle, others for every seed
PROBE_SEED = POOL_SEED + 3000  # positives that the probe compares added films with
NEGATIVES = 8 / 3  # test films without a rare finding, for each positive of one
MOST, SIDE = 10**6, whole(24, 512)  # films, and pixels a side, of a pool
FILMS = having("films", "positives", "images", kind="Films, as experiments.films makes them")
POOL = having("films", "marks", "frame", kind="a Pool of films, as experiments.films.pool makes it")
LABELS = having("reset_index", "columns", kind="a DataFrame, as chexpert.labels makes it")
PARTS = holding("train", "valid", "test")
FRACTIONS = (0.90, 0.05, 0.05)  # train, valid, and the test patients of earlier grids, not used again


class Pool:
    """A simulated data set of which only the films used are ever rendered.

    frame: label rows of all films, the index numbers them. films(numbers): (n, size, size) uint8, kept in
    build/<profile>/data, so that the next run, or another process, finds them.
    """

    @door(films=whole(1, MOST), size=SIDE)
    def __init__(self, films, size, seed, rare):
        self.size = size
        self.frame = simulator.plan(films, seed=seed, rare=rare)
        self._truth = rows.draw_truth(self.frame, seed)
        shape = (films, size, size)
        name = artifacts.folder("data") / f"pool-{films}-{size}px-seed{seed}-{simulator.version()}"
        self._films = memory_map(name.with_suffix(".films"), shape)
        self.done = memory_map(name.with_suffix(".done"), (films,))
        self._found = {}  # marks, by finding and film: two steps of a cell ask for them

    @door(numbers=listed, progress=switch)
    def films(self, numbers, progress=False):
        if strangers := [n for n in numbers if n not in self.frame.index]:
            raise ValueError(f"numbers hold {strangers[0]!r}: expected films 0 to {len(self.frame) - 1}")
        missing = [n for n in dict.fromkeys(numbers) if not self.done[n]]
        check_space(artifacts.folder("data"), len(missing) * self.size**2)
        jobs = ((*pair, self.size) for pair in self._pairs(missing))
        rendered = dataset.in_processes(_film, jobs, len(missing))
        bar = tqdm(rendered, "films", len(missing), disable=not (progress and missing))
        for n, film in zip(missing, bar, strict=True):
            self._films[n] = film
            self.done[n] = 1  # after the film: a killed run renders it again
        return torch.from_numpy(self._films[list(numbers)])

    @door(films=FILMS, finding=one_of(*chexpert.FINDINGS))
    def marks(self, films, finding):
        """Where `finding` is among Films of this pool: their rows (n,), centres (n, 2), radii (n,).

        See `marks_of`. A finding that hides behind others, so that its mask is empty, is left out.
        """
        shown = films.positives(finding)
        numbers = films.numbers[shown.numpy()]
        missing = [n for n in numbers if (finding, n) not in self._found]
        jobs = ((*pair, self.size, finding) for pair in self._pairs(missing))
        for n, mark in zip(missing, dataset.in_processes(_mark, jobs, len(missing)), strict=True):
            self._found[finding, n] = mark
        found = [self._found[finding, n] for n in numbers]
        seen = torch.tensor([mark is not None for mark in found])
        nothing = torch.zeros((0, 2), dtype=torch.long), torch.zeros(0)
        centres, radii = zip(nothing, *(mark for mark in found if mark is not None), strict=True)
        return shown[seen], torch.cat(centres), torch.cat(radii)

    def _pairs(self, numbers):
        return dataset.pairs(self.frame.loc[numbers], self._truth.loc[numbers])


def _film(row, true, size):
    return dataset.render(row, true, size)[0]


def _mark(row, true, size, finding):
    mask = dataset.render(row, true, size, masks=True)[2][finding]
    return marks_of(mask[None]) if mask.any() else None


def memory_map(path, shape):
    """A memory map of zeros, or the one that is there. Two processes may fill it: with the same bytes.

    The file is never renamed or replaced: one that another process has mapped would go on without it.
    """
    check_space(path.parent, 1 << 20)  # on a full disk of memory even reading a map ends the process
    with open(path, "ab") as file:
        file.truncate(int(np.prod(shape)))  # sparse: takes space only where films are
    return np.memmap(path, np.uint8, "r+", shape=shape)


@door(films=whole(1, MOST), size=SIDE)
@lru_cache(maxsize=4)
def pool(films, size, seed=POOL_SEED, rare=0.04):
    """The pool with these settings; planning it takes seconds, so one process does it once."""
    return Pool(films, size, seed, dict(rare) if isinstance(rare, tuple) else rare)


@door(finding_count=whole(1, MOST), size=SIDE, others=whole(0, MOST))
def patients_with(finding_count, size, seed, others=0):
    """A pool of `finding_count` films of each rare finding, and `others` with none of them."""
    rare = tuple((finding, finding_count) for finding in chexpert.RARE)
    return pool(3 * finding_count + others, size, seed, rare)


@door(test=whole(1, MOST), size=SIDE)
def test_pool(test, size):
    """The films of the final test: `test` positives of each rare finding and 8 / 3 as many with none.

    The same for every regimen, arm and seed, so that differences between arms are paired. A grid with another
    number than FINAL_TEST has other patients: none of the final table is scored before it.
    """
    return patients_with(test, size, TEST_SEED if test == FINAL_TEST else LIVE_SEED, int(NEGATIVES * test))


@door(frame=table("patient"), percent=number(most=100, above=0), test=whole(1, MOST), size=SIDE)
def parts(frame, percent, seed, test, size=64):
    """{"train", "valid", "test"}: the regimen's rows, validation rows as they come, the final test's rows.

    Training and validation rows are of the pool's `frame`; test rows are of `test_pool`, whose patients are
    others. Validation has the prevalence of training, or their losses could not be compared.
    """
    split = chexpert.split(frame, FRACTIONS, seed=0)
    held_out = test_pool(test, size).frame
    return {
        "train": chexpert.regimen(split["train"], percent, seed=seed),
        "valid": split["valid"].head(2 * test),
        "test": held_out.assign(patient="test " + held_out.patient),  # their numbers begin at 1 again
    }


class Films:
    """Films and labels in memory, in the form `images.Batches` draws from."""

    @door(films=grey(), labels=LABELS)
    def __init__(self, films, labels, numbers=None):
        self.films = torch.as_tensor(films)  # (N, size, size) uint8
        self.frame = labels.reset_index(drop=True)  # (N, 14) float32, nan: not counted
        if len(self.films) != len(self.frame):
            raise ValueError(f"{len(self.films)} films and {len(self.frame)} labels: expected one row a film")
        self.numbers = numbers  # (N,) in the pool, where they come from one

    def __len__(self):
        return len(self.films)

    def __getitem__(self, chosen):
        return self.films[chosen].numpy()

    @door(batch_size=whole())
    def batches(self, batch_size, seed):
        return Batches(self, batch_size, seed, "cpu", self.frame)

    def images(self):
        """(N, 1, size, size) in [-1, 1]."""
        return signed_batch(self.films)

    def labels(self):
        return torch.tensor(self.frame.to_numpy())

    def positives(self, finding):
        one_of(*self.frame)("finding", finding)
        return torch.from_numpy(np.flatnonzero(self.frame[finding] == 1))

    def negatives(self):
        """Rows without any of the three rare findings: the grounds to draw a finding on."""
        return torch.from_numpy(np.flatnonzero((self.frame[list(chexpert.RARE)] == 0).all(axis=1)))


@door(source=POOL, frame=table())
def take(source, frame):
    """The Films of label rows `frame` of a pool."""
    return Films(source.films(frame.index), chexpert.labels(frame), frame.index.to_numpy())


def join(*sets):
    if not sets:
        raise ValueError("no films to join: expected at least one Films")
    for one in sets:
        FILMS("what is joined", one)
    numbers = None if any(s.numbers is None for s in sets) else np.concatenate([s.numbers for s in sets])
    return Films(torch.cat([s.films for s in sets]), pd.concat([s.frame for s in sets]), numbers)


@door(finding=one_of(*chexpert.FINDINGS), count=whole(0))
def only(finding, count):
    """Labels of films added for one finding: that one is positive, the others are not counted."""
    labels = pd.DataFrame(np.nan, index=range(count), columns=chexpert.FINDINGS, dtype="float32")
    labels[finding] = 1.0
    return labels
