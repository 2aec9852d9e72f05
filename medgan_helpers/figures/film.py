"""Figures of films: walls, named rows, twins.

Films are drawn in plain grey on their full range and never smoothed: a pixel on the page is a pixel of the
film.
"""

import numpy as np
import torch
from matplotlib.patches import Circle

from ..checks import SANE, door, each, every, in_range, named, number, numbers, text, whole, words
from ..images import signed_to_unit
from .basics import COLOURS, show
from .lightbox import GROUND, SCALE, draw_scale, fitting, lightbox

OVERSHOOT = 0.5  # below black, of a restoration that is not clipped; films in [-1, 1] reach further down
TOO_DARK = 1 / 3  # share of pixels below black: of noise about grey it is less, of films in [-1, 1] more


def grey(images):
    """Films as (n, h, w) float arrays in [0, 1]: from uint8, masks, arrays of floats in [0, 1], or tensors
    (n, 1, h, w) in [-1, 1]."""
    if isinstance(images, torch.Tensor) and images.dtype in (torch.bool, torch.uint8):
        images = images.cpu().numpy()
    if isinstance(images, torch.Tensor):
        in_range(images)
        if images.ndim == 4 and images.shape[1] != 1:
            raise ValueError(f"films are {tuple(images.shape)}: expected (n, 1, h, w), of one channel")
        images = signed_to_unit(images.detach().float()).cpu().numpy()
    images = np.asarray(images)
    if images.ndim < 2 or images.size == 0 or images.dtype.kind not in "biuf":
        raise ValueError(f"expected films (n, H, W), found {images.dtype} {images.shape}")
    images = images / 255 if images.dtype == np.uint8 else images
    if not np.abs(images).max() <= SANE:
        raise ValueError(f"films reach {np.abs(images).max():.4g}: expected uint8, or floats in [0, 1]")
    if images.min() < -OVERSHOOT and (images < 0).mean() > TOO_DARK:
        raise ValueError(
            f"films reach {images.min():.3g}, and an array of floats is taken to be in [0, 1]: give a tensor "
            "for films in [-1, 1], or (films + 1) / 2"
        )
    return np.clip(images.reshape(-1, *images.shape[-2:]), 0, 1)


def draw_film(axis, image):
    """One film (h, w) in [0, 1] on an axis of a light box, its 256 greys as they are."""
    pixels = np.round(255 * image).astype(
        np.uint8
    )  # as colours: a colour map rounds a tenth of the greys down
    axis.imshow(np.stack([pixels] * 3, axis=-1), interpolation="nearest", aspect="auto")


@door(place=numbers(known=True), radius=number(above=0))
def circle(axis, place, radius):
    """A circle about a place, (row, column) in pixels of the film, that leaves the place itself in sight."""
    row, column = place
    for colour, width in ((GROUND, 3), (COLOURS[1], 1.5)):  # an edge, so that it shows on white, too
        axis.add_patch(Circle((column, row), radius, fill=False, edgecolor=colour, linewidth=width))


@door(columns=whole(), titles=every(text))
def films(images, titles=None, columns=8, alt=None):
    """A wall of films, at most `columns` a row, fewer where a page is too narrow for them.

    alt: what a screen reader says; None: that they are films, and their titles.
    """
    images = grey(images)
    if titles is not None and len(titles) < len(images):
        raise ValueError(f"{len(titles)} titles for {len(images)} films: expected one each")
    titles = [""] * len(images) if titles is None else list(titles)
    columns = min(columns, len(images), fitting(images.shape[-1]))
    rows = range(0, len(images), columns)
    lines = {row: titles[start : start + columns] for row, start in enumerate(rows)}
    fig, axes = lightbox([""] * len(rows), images.shape[-1], columns, lines)
    for axis, image in zip(axes.flat, images, strict=False):
        draw_film(axis, image)
    said = ": ".join(["Chest films", ", ".join(filter(None, titles))]).removesuffix(": ")
    show(fig, said if alt is None else alt)


@door(rows=named, titles=each(every(text)))
def film_rows(rows, alt, titles=None):
    """Rows of films, each with a name above: {name: images}. titles: {name: one per film}, above the films.

    Where a page is too narrow for the films of a row, all rows go on in a second block below.
    """
    rows, titles = {name: grey(images) for name, images in rows.items()}, titles or {}
    most, side = max(map(len, rows.values())), max(images.shape[-1] for images in rows.values())
    blocks = -(-most // fitting(side))
    columns = -(-most // blocks)
    starts = range(0, most, columns)
    heads = [titles.get(name, [])[start : start + columns] for start in starts for name in rows]
    fig, axes = lightbox([*rows] * len(starts), side, columns, dict(enumerate(heads)))
    lines = [images[start : start + columns] for start in starts for images in rows.values()]
    for line, images in zip(axes, lines, strict=True):
        for axis, image in zip(line, images, strict=False):
            draw_film(axis, image)
    show(fig, alt)


def _three(name, row):
    """A film, its twin and a mask, all of one size."""
    if not isinstance(row, tuple | list) or len(row) != 3 or np.ndim(row[2]) != 2:
        raise ValueError(f"{name}: expected (film, twin, mask), the mask (h, w)")
    if len(sides := {tuple(np.shape(one)[-2:]) for one in row}) != 1:
        raise ValueError(f"{name}: expected film, twin and mask of one size, found {sorted(sides)}")


@door(rows=each(_three))
def twins(rows, alt):
    """Films beside their finding-free twins: what differs, and the outline of the mask.

    rows: {finding: (film, twin, mask)}, film and twin as in `grey`, mask (h, w) bool.
    """
    heads = ["the film", "its twin without", "film minus twin", "where it is (mask)"]
    side = next(iter(rows.values()))[2].shape[-1]
    fig, axes = lightbox([f"with {finding}" for finding in rows], side, 4, {0: heads}, right=SCALE)
    for line, (film, twin, mask) in zip(axes, rows.values(), strict=True):
        film, twin = grey(film)[0], grey(twin)[0]
        draw_film(line[0], film)
        draw_film(line[1], twin)
        reach = max(float(np.abs(film - twin).max()), 1e-3)
        drawn = line[2].imshow(film - twin, "PuOr_r", vmin=-reach, vmax=reach, interpolation="nearest",
                               aspect="auto")  # fmt: skip
        draw_scale(fig, line[3], drawn, "grey value, 0 to 1")
        draw_film(line[3], film)
        if mask.any():
            line[3].contour(mask, levels=[0.5], colors=[COLOURS[1]], linewidths=1.5)
    show(fig, alt)


def _two(name, value):
    every(words)(name, value)
    if len(value) != 2:
        raise ValueError(f"{name} is {value!r}: expected two, of the samples and of the nearest films")


@door(labels=_two)
def neighbours(samples, nearest, alt, labels=("synthetic", "nearest training film")):
    """Synthetic films above their nearest training films."""
    film_rows(dict(zip(labels, (samples, nearest), strict=True)), alt)
