"""Plots of chapter 8: the curves that `training.diagnose` reads, with its limits drawn in."""

import torch

from ..checks import door, each, images, in_range, named, table
from ..training.gan_curves import LITTLE_DIVERSITY
from .basics import COLOURS, LINES, canvas, show

HISTORY = table("step", "d_real", "d_fake", "diversity", numeric=True)


@door(runs=each(HISTORY))
def vital_signs(runs, alt):
    """The discriminator's opinion in each run, and the diversity of all of them beside the limit of collapse.

    runs: {name: history of training.fit}, with the columns step, d_real, d_fake and diversity.
    """
    if len(runs) > 2:
        raise ValueError(f"{len(runs)} runs: expected at most 2, or nobody can tell their lines")
    fig, axes = canvas(1, len(runs) + 1, (3.1 * (len(runs) + 1), 2.6))
    for axis, (name, history) in zip(axes, runs.items(), strict=False):
        axis.plot(history["step"], history["d_real"], color=COLOURS[0], marker=".", label="D(x), real")
        axis.plot(history["step"], history["d_fake"], color=COLOURS[1], marker=".", ls="--", label="D(G(z))")
        axis.fill_between(history["step"], history["d_fake"], history["d_real"], color="0.9")
        axis.set(title=name, xlabel="step", ylim=(-0.03, 1.03))
    axes[0].legend(frameon=False, fontsize=8, loc="best")
    for (name, history), style, colour in zip(runs.items(), LINES, ("0.2", COLOURS[2]), strict=False):
        axes[-1].plot(history["step"], history["diversity"], color=colour, marker=".", ls=style, label=name)
    axes[-1].axhline(LITTLE_DIVERSITY, color=COLOURS[3], lw=1)
    axes[-1].set(title="diversity (real films: 1)", xlabel="step", ylim=(-0.03, None))
    axes[-1].legend(frameon=False, fontsize=8)
    show(fig, alt)


@door(sets=named)
def spectra(sets, alt):
    """Energy of films by spatial frequency: a checkerboard is a rise at the very right.

    sets: {name: films (n, 1, h, w) in [-1, 1]}. The frequencies 0 to .5 are in cycles per pixel: at .5 every
    second pixel is bright. Energy is relative to each set's own total without the mean.
    """
    if len(sets) > len(LINES):
        raise ValueError(f"{len(sets)} sets: expected at most {len(LINES)}, or nobody can tell their lines")
    fig, axis = canvas(size=(7, 2.8))
    for k, (name, films) in enumerate(sets.items()):
        style = {"color": COLOURS[k], "ls": LINES[k], "lw": 1.8}
        axis.semilogy(*spectrum(films), label=name, **style)
    axis.set(xlabel="cycles per pixel (.5: every second pixel bright)", ylabel="share of energy")
    axis.legend(frameon=False, fontsize=8)
    show(fig, alt)


def _squares(name, value):
    images(name, value)
    if value.shape[-1] != value.shape[-2] or value.numel() == 0 or value.shape[-1] < 2:
        raise ValueError(f"{name} are {tuple(value.shape)}: expected square films, of 2 pixels or more")
    in_range(value)


@door(films=_squares)
def spectrum(films):
    """(frequencies, share of the energy at each) of films (n, 1, h, h), over the rings max(|fx|, |fy|) = f.

    A checkerboard of neighbouring pixels lies at .5, one of every fourth pixel at .25. Returns two (h / 2,).
    """
    films = films.float() - films.float().mean((-2, -1), keepdim=True)
    energy = torch.fft.fft2(films).abs().square().mean((0, 1))  # (h, h)
    frequency = torch.fft.fftfreq(films.shape[-1]).abs()
    ring = torch.maximum(frequency[:, None], frequency[None])
    rings = frequency.unique()[1:]  # without 0, the mean
    return rings, torch.stack([energy[ring == f].sum() for f in rings]) / energy.sum()
