"""How much work: three profiles that differ in amounts only, never in the code path.

    profiles.get("smoke")    CI, nbval, a first look: seconds a notebook
    profiles.get("class")    a laptop or free Colab, the published book: minutes
    profiles.get("full")     one GPU, the papers' own sizes

Nothing else in the course asks which profile it is: it asks the profile for a number.

Before hours on a rented GPU, `make rehearsal` runs every notebook as it will run there, networks and films
in their full sizes, with the amounts of smoke: MEDGAN_REHEARSAL=1 makes "full" such a profile.
"""

import os
from dataclasses import dataclass, replace

from .checks import told


@dataclass(frozen=True)
class Profile:
    """The amounts of work of one profile. Sizes in pixels, steps in optimiser steps."""

    name: str
    note: str  # what its results are worth, said at the head of every notebook
    image_size: int  # films are square
    films: int  # simulated films of the course's data set
    batch_size: int
    width: int  # channels of a GAN network's first layer
    preset: str  # classifier: "narrow" or "densenet121"
    dcgan_steps: int
    flow_steps: int
    pix2pix_steps: int  # of each restorer (04)
    pix2pix_width: int  # its first layer's channels, on images of twice the size
    restoration_images: int  # training films or slices of each modality
    restoration_test: int  # test images of each modality
    stargan_steps: int
    classifier_steps: int
    gallery_steps: int  # of each small network in the gallery of failures
    evaluation_films: int  # real and synthetic films compared by a metric such as KID
    grid_films: int  # films of the experiments' pool, of which a regimen takes 1 to 100 % (06)
    grid_steps: int  # of a classifier in one cell of the grid
    grid_generator_steps: int  # of the local GAN in one cell
    grid_extra: int  # films an arm adds for each rare finding
    grid_test: int  # test positives of each rare finding
    audit_benches: int  # independent sets of patients over which a fault is measured (09)


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "smoke", "shows that everything runs; its results mean nothing",
            image_size=32, films=400, batch_size=16, width=8, preset="narrow",
            dcgan_steps=30, flow_steps=12, pix2pix_steps=20,
            pix2pix_width=4, restoration_images=48, restoration_test=24,
            stargan_steps=20, classifier_steps=20, gallery_steps=6,
            evaluation_films=40,
            grid_films=8000, grid_steps=10, grid_generator_steps=12, grid_extra=8, grid_test=10,
            audit_benches=3,
        ),
        Profile(
            "class", "small networks and films; the results of the published book",
            image_size=64, films=4000, batch_size=32, width=32, preset="narrow",
            dcgan_steps=600, flow_steps=250, pix2pix_steps=650,
            pix2pix_width=8, restoration_images=1500, restoration_test=64,
            stargan_steps=400, classifier_steps=360, gallery_steps=400,
            evaluation_films=256,
            grid_films=223_414, grid_steps=120, grid_generator_steps=240, grid_extra=100, grid_test=60,
            audit_benches=10,
        ),
        Profile(
            "full", "the papers' sizes, for one GPU",
            image_size=128, films=200_000, batch_size=128, width=64, preset="densenet121",
            dcgan_steps=50_000, flow_steps=50_000, pix2pix_steps=50_000,
            pix2pix_width=32, restoration_images=20_000, restoration_test=500,
            stargan_steps=100_000, classifier_steps=20_000, gallery_steps=2000,
            evaluation_films=5000,
            grid_films=223_414, grid_steps=5000, grid_generator_steps=5000, grid_extra=1000, grid_test=400,
            audit_benches=10,
        ),
    )
}  # fmt: skip
DEFAULT = "class"
SIZES = ("image_size", "width", "preset", "pix2pix_width")  # what decides shapes; all else is an amount


def rehearsal():
    """The full profile's sizes and networks, and the amounts of smoke."""
    sizes = {name: getattr(PROFILES["full"], name) for name in SIZES}
    note = "a rehearsal: the full profile's networks for a few steps; its results mean nothing"
    return replace(PROFILES["smoke"], name="full", note=note, **sizes)


def get(name=None):
    """Return the profile called `name`; None or "" means $MEDGAN_PROFILE, else "class".

    Raises ValueError for an unknown name, naming the ones there are.
    """
    if name is None or isinstance(name, str):
        name = name or os.environ.get("MEDGAN_PROFILE") or DEFAULT
    if not isinstance(name, str) or name not in PROFILES:
        raise ValueError(
            f"unknown profile {told(name)}: choose one of {', '.join(PROFILES)} "
            "(the PROFILE parameter of a notebook, or the environment variable MEDGAN_PROFILE)"
        )
    if name == "full" and os.environ.get("MEDGAN_REHEARSAL") == "1":
        return rehearsal()
    return PROFILES[name]
