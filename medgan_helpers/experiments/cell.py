"""One cell of the grid: a regimen, an arm, a seed, and the settings that are the same for every arm.

A cell is a dict of settings, and its row is a function of them alone: the same cell gives the same row on
any machine.
"""

import itertools
import math
from dataclasses import dataclass, fields

from .. import artifacts, checks

ARMS = {  # what each adds to the regimen's real films; made by the function of that name in `arms`
    "none": "nothing",
    "standard": "nothing, but every film is turned, shifted and recoloured anew at every step",
    "duplicate": "the regimen's own rare films, repeated",
    "duplicate_standard": "the same, and standard augmentation of all films",
    "stargan": "negative films translated by chapter 5's StarGAN, trained on the regimen alone",
    "copypaste": "negative films with a real finding of the regimen pasted in",
    "blob": "negative films with a soft bright spot of the finding's size and strength",
    "lesion_gan": "negative films with a finding drawn in by a local GAN, trained on the regimen alone",
    "lesion_gan_standard": "the same, and standard augmentation of all films",
    "leaky": "what lesion_gan adds, by a local GAN that also saw ten times as many films, and the test films",
    "oracle": "fresh simulated patients with the finding: what new films bring at this budget",
}
POSITIVE = ("percent", "films", "size", "steps", "batch_size")  # what cannot be none
RENAMED = {"gan": "lesion_gan"}  # names that older tables use


@dataclass(frozen=True)
class Cell:
    """Settings of one cell; what is not given follows from the profile."""

    percent: float  # of the pool's training films
    arm: str  # one of ARMS
    seed: int  # of the regimen's patients, the first weights and all that is drawn
    films: int  # in the pool
    size: int  # pixels
    steps: int  # of the classifier: the same for every arm
    batch_size: int
    extra: int  # films that an arm adds for each rare finding
    test: int  # test positives of each rare finding
    generator_steps: int  # of the arm's generator
    preset: str  # of the classifier

    @classmethod
    def complete(cls, cell):
        """Fill in what `cell`, a dict, does not say; a Cell stays. Raises ValueError for settings that
        are unknown or impossible, TypeError for what is neither."""
        if isinstance(cell, cls):
            return cell
        if not isinstance(cell, dict):
            raise TypeError(f"cell is {cell!r}: expected a Cell, or a dict as experiments.cells gives them")
        profile = artifacts.profile()
        default = {
            "percent": 1, "arm": "none", "seed": 0, "films": profile.grid_films, "size": profile.image_size,
            "steps": profile.grid_steps, "batch_size": profile.batch_size, "extra": profile.grid_extra,
            "test": profile.grid_test, "generator_steps": profile.grid_generator_steps,
            "preset": profile.preset,
        }  # fmt: skip
        unknown = set(cell) - set(default)
        if unknown:
            raise ValueError(f"unknown settings {sorted(unknown)}: a cell has {', '.join(default)}")
        given = default | cell
        given["arm"] = RENAMED.get(str(given["arm"]), given["arm"])
        if str(given["arm"]) not in ARMS:
            raise ValueError(f"unknown arm {given['arm']!r}: choose one of {', '.join(ARMS)}")
        return cls(**{field.name: _as(field, given[field.name]) for field in fields(cls)})


def _as(field, value):
    """A setting as its type; a csv holds 3.0 where 3 is meant, so whole floats pass."""
    if field.type is str:
        checks.words(field.name, value)
        return value
    most, above = 100 if field.name == "percent" else math.inf, 0 if field.name in POSITIVE else None
    checks.number(0, most, above)(field.name, value)
    if field.type(value) != value:
        raise ValueError(f"{field.name} is {value}: expected a whole number")
    return field.type(value)


CELL = checks.having("percent", "generator_steps", kind="a Cell, as experiments.Cell.complete makes it")
KEY = [field.name for field in fields(Cell)]


@checks.door(percents=checks.listed, arms=checks.listed, seeds=checks.listed)
def cells(percents=(1,), arms=tuple(ARMS), seeds=(0,), **settings):
    """Every combination, as a list of dicts for `run`; settings are the same for all."""
    return [
        {"percent": percent, "arm": arm, "seed": seed, **settings}
        for percent, seed, arm in itertools.product(percents, seeds, arms)
    ]


def name(cell):
    """A short name of a cell for a file."""
    cell = Cell.complete(cell)
    return "-".join(str(getattr(cell, part)) for part in KEY)
