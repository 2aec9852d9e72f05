"""A shortcut planted on purpose (chapter 7): a bright letter that comes with a finding, and who falls for it.

    marked = shortcut.planted(labels, seed)              # which films get the letter
    films = shortcut.mark(films, marked)                 # (N, 1, S, S) in [-1, 1]

As in Zech et al., PLoS Medicine 2018, where a network recognised pneumonia by the metal token of the hospital
in which the ill were X-rayed.
"""

import numpy as np
import torch

from . import cam, images, metrics, training
from .checks import door, each, estimate, having, numbers, one_channel, shaped, told, whole
from .classifier import DenseNet
from .experiments.films import FILMS, Films

WITH, WITHOUT = 0.9, 0.05  # share of marked films among those with the finding, and among the others
PAIR = ("cheat", "honest")
SIDE = whole(16, 4096)
CLASSIFIER = having("predict", kind="a classifier, as DenseNet")
OTHERS = 4  # films without the finding for each with it


@door(size=SIDE)
def letter(size):
    """Where the letter L is, at the lower left where none belongs: (size, size) bool."""
    tall, wide, stroke = size // 8, size // 12, max(1, size // 32)
    top, left = 3 * size // 4, size // 8
    place = torch.zeros(size, size, dtype=torch.bool)
    place[top : top + tall, left : left + stroke] = True
    place[top + tall - stroke : top + tall, left : left + wide] = True
    return place


def _flags(name, value):
    if not hasattr(value, "dtype") and np.asarray(value).dtype.kind not in "biuf":
        raise TypeError(f"{name} is {told(value)}: expected a bool for each film")


@door(films=one_channel, which=_flags)
def mark(films, which):
    """Films (N, 1, size, size) with a bright L in those of `which` (N,) bool; the others as they were."""
    which = torch.as_tensor(which)
    if which.dtype != torch.bool or which.shape != films.shape[:1]:
        raise ValueError(
            f"which is {which.dtype} {tuple(which.shape)}: expected a bool for each of {len(films)} films"
        )
    films = films.clone()
    films[which[:, None, None, None] & letter(films.shape[-1])] = 1
    return films


@door(labels=numbers(0, 1))
def planted(labels, seed):
    """Who gets the letter: WITH of the positives, WITHOUT of the others; (N,) bool."""
    if np.ndim(labels) != 1:
        raise ValueError(f"labels is {np.shape(labels)}: expected (N,), one finding's")
    draw = np.random.default_rng(seed).random(len(labels))
    return draw < np.where(np.asarray(labels) == 1, WITH, WITHOUT)


@door(size=SIDE, count=whole(1, 10**6))
def around(size, count):
    """The letter and 1.5 cells of a map on every side, which a cell sees: (count, size, size) bool."""
    return cam.dilate(letter(size)[None], 3 * size // 16).expand(count, -1, -1)


@door(films=FILMS, steps=whole(), batch_size=whole())
def train_pair(films, finding, steps, batch_size, preset, seed):
    """{"cheat", "honest": DenseNet}: the same films, finding and steps; with the letter, and without."""
    positive = films.positives(finding).numpy()
    others = np.flatnonzero(films.frame[finding] == 0)[: OTHERS * len(positive)]
    pick = np.concatenate([positive, others])
    plain, labels = films.images()[torch.from_numpy(pick)], films.frame[[finding]].iloc[pick]
    sets = {"cheat": mark(plain, planted(labels[finding], seed)), "honest": plain}
    pair = {}
    for name, made in sets.items():
        lessons = Films(images.signed_to_uint8(made)[:, 0], labels)
        pair[name] = DenseNet([finding], preset=preset, steps=steps, emphasis=(), seed=seed)
        training.fit(pair[name], lessons.batches(batch_size, seed), steps)
    return pair


@door(pair=each(CLASSIFIER), films=one_channel, labels=numbers(0, 1), patients=shaped("N"))
def exam(pair, films, labels, patients, seed):
    """{classifier: {"marked", "unmarked", "swapped": AUROC as Estimate}}, all on the same films.

    marked: the letter as in training; swapped: on the films without the finding.
    """
    labels = np.asarray(labels)
    conditions = {
        "marked": planted(labels, seed),
        "unmarked": np.zeros(len(labels), bool),
        "swapped": planted(1 - labels, seed),
    }
    shown = {name: mark(films, which) for name, which in conditions.items()}
    return {
        who: {name: metrics.auroc(labels, model.predict(part)[:, 0].numpy(), patients)
              for name, part in shown.items()}
        for who, model in pair.items()
    }  # fmt: skip


@door(pair=each(CLASSIFIER), films=one_channel)
def places(pair, films, finding):
    """{classifier: (maps, share of them around the letter as Estimate)} on marked films (`energy_inside`)."""
    around_letter = around(films.shape[-1], len(films))
    found = {}
    for who, model in pair.items():
        maps = cam.activation_map(model, films, finding)
        found[who] = maps, metrics.mean_interval(cam.energy_inside(maps, around_letter)[0].numpy())
    return found


@door(scores=each(each(estimate, "marked", "unmarked", "swapped"), *PAIR), energy=each(estimate, *PAIR))
def verdict(scores, energy):
    """What `exam` and the energies of `places`, {classifier: Estimate}, say: bait taken? given away?

    Nothing where the honest twin cannot read: its map would explain a guess.
    """
    cheat, honest = scores["cheat"], scores["honest"]
    if not honest["unmarked"].low > 0.5:
        return f"The honest twin does not read (AUROC {honest['unmarked']:.2f}): no verdict on either map."
    bait = cheat["swapped"].high < cheat["marked"].low and not honest["swapped"].high < honest["marked"].low
    shown = energy["cheat"].low > energy["honest"].high
    if bait and shown:
        return (
            "The cheat reads the letter: swapped letters ruin it and leave its honest twin alone. And its "
            "map gives it away."
        )
    if bait:
        return "The cheat reads the letter, but its map does not give it away: the intervals overlap."
    return "The cheat has not taken the bait: train it longer, or plant a louder letter."
