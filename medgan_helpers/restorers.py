"""The restorers of chapter 4: their images, what they are given, how they are trained and used.

    bench = restorers.mr(many=400, few=12, tests=64, size=64)        # images, spoilt and measured
    unet, history = restorers.train(bench, width=8, steps=900)       # L1 alone
    pix2pix, twin = restorers.go_on(unet, bench, steps=300), restorers.go_on(unet, bench, 300, adversarial=0)
    repaired = restorers.repair(unet, bench, "test")

A restorer is a residual U-Net on images of twice the size, every pixel doubled: its first layer halves the
side, and so loses nothing. Images are (B, 1, H, W) in [0, 1] here; the network's are in [-1, 1].
"""

import functools
import json
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F

from . import degradation, pix2pix, restoration, simulator, slabs, training
from .checks import data_set, door, having, holding, one_of, switch, whole
from .checks import images as films_of
from .images import signed_batch, signed_to_unit, unit_batch, unit_to_signed

BATCH = 8  # images per step
BENCH = having("modality", "clean", kind="a Bench, as restorers.xray, ct and mr make it")
NETWORK = having("restore", "trained", kind="a Pix2Pix, as restorers.train makes it")
PROFILE = having("pix2pix_steps", "pix2pix_width", kind="a Profile, as profiles.get gives it")
STARTS = {"ct": "pwls", "mr": "compressed_sensing"}  # conventional reconstructions that networks correct
BESIDE_OF = {"ct": {"l1": 100.0}}  # the paper's weight, chosen by trial; no table is kept
DRAWERS = {  # of films from organ maps: the package's name for each, and what judges it beside or without L1
    "L1 alone": ("unet-organs", {"adversarial": 0.0}),
    "D alone": ("pix2pix-organs-no-l1", {"l1": 0.0}),
    "both": ("pix2pix-organs", {"l1": 20.0}),
}
TRUSTS = (0.0, 0.3, 1.0, 3.0, 10.0, float("inf"))  # of the measured k-space, tried on validation slices


@dataclass
class Bench:
    """One modality's images by part ("train", "valid", "test"), (n, 1, size, size) in [0, 1].

    degraded and measured hold what `degradation.apply` and `measure` made of the valid and test images;
    training images are spoilt anew. patients: whose test image each is.
    """

    modality: str
    clean: dict
    patients: np.ndarray
    seed: int = 0
    degraded: dict = field(init=False)
    measured: dict = field(init=False)

    def __post_init__(self):
        one_of("xray", "ct", "mr")("modality", self.modality)
        whole(0)("seed", self.seed)
        holding("train", "valid", "test")("clean", self.clean)
        degradation.check(self.clean["train"], "clean['train']")
        if (found := np.shape(self.patients)) != (count := len(self.clean["test"]),):
            raise ValueError(f"patients is {found}: expected one of each of {count} test images")
        seeds = {"valid": self.seed + 1, "test": self.seed + 2}
        for name, make in (("degraded", degradation.apply), ("measured", degradation.measure)):
            made = {part: make(self.clean[part], self.modality, seed) for part, seed in seeds.items()}
            setattr(self, name, made)

    @functools.cached_property
    def given(self):
        """What a restorer starts from, for the valid and test images."""
        return {part: start(self.modality, bad, self.measured[part]) for part, bad in self.degraded.items()}

    @functools.cached_property
    def lessons(self):
        """CT and MR: what the network starts from, for every training slice; made once, for it takes long."""
        clean, seed = self.clean["train"], self.seed + 3
        measured = degradation.measure(clean, self.modality, seed)
        return start(self.modality, degradation.apply(clean, self.modality, seed), measured)


@door(films=data_set, many=whole(), few=whole(), tests=whole())
def xray(films, many, few, tests, seed=0):
    """Films of the course's data set (or yours) by its splits; every patient is in one part only."""
    parts = {part: films.store.subset(films.splits[part]) for part in ("train", "valid", "test")}
    counts = {"train": many, "valid": few, "test": tests}
    clean = {part: unit(parts[part], counts[part]) for part in parts}
    patients = parts["test"].frame["patient"].to_numpy()[: len(clean["test"])]
    return Bench("xray", clean, patients, seed)


@door(many=whole(), few=whole(), tests=whole(), size=whole())
def ct(many, few, tests, size, seed=0):
    """Slices of one CT, warped into many patients; each part from slabs of its own."""
    counts = {"train": many, "valid": few, "test": tests}
    seeds = {part: seed + 1000 + k for k, part in enumerate(counts)}
    clean = {part: slabs.ct(n, size, seeds[part], part) for part, n in counts.items()}
    return Bench("ct", clean, np.arange(tests) // slabs.SLICES_PER_PATIENT, seed)


@door(many=whole(), few=whole(), tests=whole(), size=whole())
def mr(many, few, tests, size, seed=0):
    """Slices of one head, warped into many; each part from slabs of its own."""
    counts = {"train": many, "valid": few, "test": tests}
    seeds = {"test": seed + 1000}  # heads that nobody had looked at when the trust in k-space was chosen
    clean = {part: slabs.mr(n, size, seeds.get(part, seed), part) for part, n in counts.items()}
    return Bench("mr", clean, np.arange(tests), seed)


@door(count=whole())
def unit(store, count):
    """The first `count` films of a store: (n, 1, size, size) in [0, 1]."""
    return unit_batch(store[: min(count, len(store))])


@door(count=whole(), size=whole())
def organs(count, size, seed=0):
    """Organ maps and their films, (count, 6, size, size) and (count, 1, size, size), both in [-1, 1]."""
    made, _, _, rows = simulator.sample(count, size, seed=seed, twins=False, masks=False)
    return unit_to_signed(torch.from_numpy(simulator.organ_map(rows, size))), signed_batch(made)


# ---------------------------------------------------------------- what the network is given
@door(modality=one_of("xray", "ct", "mr"), degraded=films_of)
def start(modality, degraded, measured):
    """What a restorer corrects: the machine's own image of an X-ray; of CT and MR, where most of the
    measurement is missing, the reconstruction that fits what was measured. The rivals get no less."""
    if modality not in STARTS:
        return degraded
    return restoration.METHODS[STARTS[modality]](degraded, measured)


@door(images=films_of)
def doubled(images):
    """[0, 1] to [-1, 1], every pixel four times: (B, 1, H, W) to (B, 1, 2 H, 2 W)."""
    degradation.check(images)
    return unit_to_signed(F.interpolate(images, scale_factor=2, mode="nearest"))


class Pairs:
    """Endless batches (what the network is given, clean), doubled; batch t follows from (seed, t) alone.

    X-ray images are spoilt anew in every batch, so no noise is seen twice. strengths: of the damage.
    """

    @door(bench=BENCH, batch=whole(1, 100_000))
    def __init__(self, bench, batch=BATCH, **strengths):
        self.bench, self.batch, self.strengths, self.number = bench, batch, strengths, 0
        self.starts = bench.lessons if bench.modality in STARTS else None

    @door(number=whole(0))
    def seek(self, number):
        """Go on with batch `number`."""
        self.number = number

    def __iter__(self):
        while True:
            rng = np.random.default_rng([self.bench.seed, self.number])
            self.number += 1
            chosen = rng.integers(len(self.bench.clean["train"]), size=self.batch)
            clean = self.bench.clean["train"][chosen]
            if self.starts is not None:
                given = self.starts[chosen]
            else:
                seed = int(rng.integers(2**31))
                given = degradation.apply(clean, self.bench.modality, seed, **self.strengths)
            yield doubled(given), doubled(clean)


class Sheets:
    """Endless batches (organ maps, films) of those given; batch t follows from (seed, t) alone."""

    @door(maps=films_of, films=films_of)
    def __init__(self, maps, films, seed=0):
        if len(maps) != len(films) or len(maps) == 0:
            raise ValueError(f"{len(maps)} maps and {len(films)} films: expected a film for each map")
        self.maps, self.films, self.seed, self.number = maps, films, seed, 0

    @door(number=whole(0))
    def seek(self, number):
        """Go on with batch `number`."""
        self.number = number

    def __iter__(self):
        while True:
            chosen = np.random.default_rng([self.seed, self.number]).integers(len(self.maps), size=BATCH)
            self.number += 1
            yield self.maps[chosen], self.films[chosen]


# ---------------------------------------------------------------- training
@door(bench=BENCH, width=whole(1, 4096), steps=whole(0))
def train(bench, width, steps, checkpoint=None, **strengths):
    """The U-Net with L1 alone: (model, history). strengths: of the damage, where not the defaults."""
    if strengths and bench.modality in STARTS:
        raise ValueError(
            f"{next(iter(strengths))} is given: the lessons of CT and MR are made once, with the defaults"
        )
    size = 2 * bench.clean["train"].shape[-1]
    model = pix2pix.Pix2Pix(size, width, bench.seed, settings=pix2pix.REPAIR, decay_steps=steps)
    return model, training.fit(model, Pairs(bench, **strengths), steps, checkpoint)


@door(unet=NETWORK, bench=BENCH, steps=whole(0))
def go_on(unet, bench, steps, checkpoint=None, **changes):
    """A second training from the U-Net's weights, with a discriminator: (model, history).

    changes: of pix2pix.BESIDE and BESIDE_OF; `adversarial=0` is the control: same weights, steps and rate,
    L1 alone.
    """
    size, width = unet.config["image_size"], unet.config["width"]
    recipe = replace(pix2pix.BESIDE, **(BESIDE_OF.get(bench.modality, {}) | changes))
    model = pix2pix.Pix2Pix(size, width, bench.seed, settings=recipe, decay_steps=steps)
    model.load_trained(unet.trained.state_dict())
    return model, training.fit(model, Pairs(bench), steps, checkpoint)


# ---------------------------------------------------------------- use
@door(model=NETWORK)
def improve(model, given):
    """The network's image of what it was given; both in [0, 1]."""
    return signed_to_unit(F.avg_pool2d(model.restore(doubled(given)), 2)).clamp(0, 1)


@door(model=NETWORK, bench=BENCH, part=one_of("valid", "test"), trust=restoration.weight)
def repair(model, bench, part, trust=0.0):
    """The restorer at work on a part: start, network; with a trust (MR) the measured rows put back."""
    repaired = improve(model, bench.given[part])
    return restoration.consistent(repaired, bench.measured[part], trust) if trust else repaired


# ---------------------------------------------------------------- shipped, or trained here
@door(bench=BENCH, profile=PROFILE, train_here=switch)
def ready(bench, profile, train_here=False):
    """({"unet", "pix2pix"}, their histories, where they come from) for one modality.

    The package's networks, which trained longer; with train_here or for another size, networks trained now.
    "unet" took the same steps as "pix2pix", from the same weights at the same rate, with L1 alone.
    """
    size = 2 * bench.clean["train"].shape[-1]
    names = {name: f"{name}-{bench.modality}" for name in ("unet", "pix2pix")}
    if not train_here and all(_made_for(name) == size for name in names.values()):
        found = {n: training.shipped(pix2pix.Pix2Pix, name) for n, name in names.items()}
        networks, histories = ({n: f[k] for n, f in found.items()} for k in (0, 1))
        return networks, histories, "shipped"
    first, _ = train(bench, profile.pix2pix_width, profile.pix2pix_steps)
    more = profile.pix2pix_steps // 3
    pairs = {"unet": go_on(first, bench, more, adversarial=0.0), "pix2pix": go_on(first, bench, more)}
    return {n: p[0] for n, p in pairs.items()}, {n: p[1] for n, p in pairs.items()}, "trained here"


@door(size=whole())
def drawers(size):
    """({"L1 alone", "D alone", "both": network}, {the same: its card}) of the networks that the package ships
    to draw a film from an organ map; ({}, {}) where films are of another size."""
    if any(_made_for(name) != size for name, _ in DRAWERS.values()):
        return {}, {}
    found = {row: training.shipped(pix2pix.Pix2Pix, name) for row, (name, _) in DRAWERS.items()}
    return {row: f[0] for row, f in found.items()}, {row: f[2] for row, f in found.items()}


def _made_for(name):
    """Image size that a shipped network was made for; None if the package has none of this name."""
    path = training.checkpoints.ASSETS / name / "card.json"
    return json.loads(path.read_text())["config"]["image_size"] if path.is_file() else None
