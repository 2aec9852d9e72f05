"""Figures of films: walls, named rows, twins.

Films are drawn in plain grey on their full range and never smoothed: a pixel on the page is a pixel of the
film.
"""

import numpy as np
import torch

from ..images import signed_to_unit
from .paper import COLOURS, canvas, show


def grey(images):
    """Films as (n, h, w) float arrays in [0, 1]: from uint8, or from tensors (n, 1, h, w) in [-1, 1]."""
    if isinstance(images, torch.Tensor):
        images = signed_to_unit(images.detach().float()).cpu().numpy()
    images = np.asarray(images)
    if images.ndim < 2 or images.size == 0:
        raise ValueError(f"expected films (n, H, W), found {images.shape}")
    images = images / 255 if images.dtype == np.uint8 else images
    return np.clip(images.reshape(-1, *images.shape[-2:]), 0, 1)


def draw_film(axis, image, title=""):
    """One film (h, w) in [0, 1] on `axis`, without ticks."""
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set_title(title, fontsize=9, loc="center", pad=7)  # points: clear of the film below
    axis.set_axis_off()


def films(images, titles=None, columns=8, alt="Chest films", inch=1.25):
    """A wall of films, `columns` a row."""
    images = grey(images)
    if titles is not None and len(titles) < len(images):
        raise ValueError(f"{len(titles)} titles for {len(images)} films: expected one each")
    titles = [""] * len(images) if titles is None else list(titles)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    lines = max(title.count("\n") + bool(title) for title in titles)
    size = columns * inch, rows * (inch + 0.16 * lines + 0.1 * bool(lines))
    # "compressed" knows that films stay square; the usual layout lets the paper's edge cut the titles.
    fig, axes = canvas(rows, columns, size, squeeze=False, layout="compressed")
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        draw_film(axis, image, title)
    show(fig, alt)


def film_rows(rows, alt, inch=1.25, titles=None):
    """Rows of films, each with a name at the left: {name: images}. titles: {name: one per film}, above."""
    if not rows:
        raise ValueError("there are no rows of films: expected {name: films}")
    rows, titles = {name: grey(images) for name, images in rows.items()}, titles or {}
    columns, height = max(map(len, rows.values())), inch + 0.3 * bool(titles)
    fig, axes = canvas(len(rows), columns, (columns * inch + 1.3, len(rows) * height), squeeze=False)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for axis in line:
            axis.set_axis_off()
        for axis, image, title in zip(line, images, titles.get(name, [""] * len(images)), strict=False):
            draw_film(axis, image, title)
        name_row(line[0], name)
    show(fig, alt)


def name_row(axis, name):
    """Write a row's name at the left of its first film."""
    axis.text(-0.1, 0.5, name, transform=axis.transAxes, ha="right", va="center", fontsize=9)


def twins(rows, alt):
    """Films beside their finding-free twins: what differs, and the outline of the mask.

    rows: {finding: (film, twin, mask)}, film and twin as in `grey`, mask (h, w) bool.
    """
    fig, axes = canvas(len(rows), 4, (9.8, 2.2 * len(rows) + 0.2), squeeze=False)
    for line, (finding, (film, twin, mask)) in zip(axes, rows.items(), strict=True):
        film, twin = grey(film)[0], grey(twin)[0]
        draw_film(line[0], film, f"with {finding}")
        draw_film(line[1], twin, "its twin without")
        _draw_difference(fig, line[2], film - twin)
        draw_film(line[3], film, "where it is (mask)")
        if mask.any():
            line[3].contour(mask, levels=[0.5], colors=[COLOURS[1]], linewidths=1.5)
    show(fig, alt)


def _draw_difference(fig, axis, difference):
    """A signed difference in a diverging map, symmetric about 0, with its scale."""
    reach = max(float(np.abs(difference).max()), 1e-3)
    picture = axis.imshow(difference, cmap="PuOr_r", vmin=-reach, vmax=reach, interpolation="nearest")
    axis.set_title("film minus twin", fontsize=9, loc="center")
    axis.set_axis_off()
    fig.colorbar(picture, ax=axis, shrink=0.7, label="grey value, 0 to 1")


def neighbours(samples, nearest, alt, labels=("synthetic", "nearest\ntraining film")):
    """Synthetic films above their nearest training films."""
    film_rows(dict(zip(labels, (samples, nearest), strict=True)), alt)
