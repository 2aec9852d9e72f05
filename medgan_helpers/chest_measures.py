"""What a radiologist measures on a frontal film, by a small network that finds lungs and heart.

    outliner = chest_measures.Outliner()
    training.fit(outliner, batches_of(films, chest_measures.outlines(...)), 400)
    table = chest_measures.measure(*outliner.predict(films))

The network learns from the simulator, which knows where the organs are. It finds *aerated* lung: where fluid
hides the lung there is none. At 64 px a pixel is about 6 mm wide: single films are measured roughly, and only
distributions should be compared. Absolute readings are off (healthy hearts read wide, healthy costophrenic
angles shallow), by this network or by the simulator: only differences count.
"""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from . import simulator
from .checks import door, holding, number, shaped, whole
from .checks import table as table_of
from .training import Model, one_step, seeded
from .training.model import check_batch, check_config

LUNG, HEART = 0.1, 0.05  # of 200 mm along the ray: less lung or heart than this does not show
SURE = 0.5  # probability from which a pixel belongs to an organ
OUTER = 0.4  # of a lung's width: the outer part, where the costophrenic angle lies


# ---------------------------------------------------------------- the network
class OutlineNet(nn.Module):
    """A U-Net of two levels: films (B, 1, H, W) to logits (B, 2, H, W), aerated lung and heart."""

    def __init__(self, width=16):
        check_config({"width": width})
        super().__init__()
        w = width

        def block(before, after):
            return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())

        self.one, self.two = block(1, w), nn.Sequential(block(w, 2 * w), block(2 * w, 2 * w))
        self.deep = nn.Sequential(block(2 * w, 4 * w), block(4 * w, 4 * w), block(4 * w, 4 * w))
        self.back_two, self.back_one = block(6 * w, 2 * w), block(3 * w, w)
        self.out = nn.Conv2d(w, 2, 1)

    def forward(self, x):
        one = self.one(F.avg_pool2d(x, 2))  # at half size: outlines are smooth
        two = self.two(F.max_pool2d(one, 2))
        deep = self.deep(F.max_pool2d(two, 2))
        h = self.back_two(torch.cat([F.interpolate(deep, scale_factor=2), two], dim=1))
        h = self.back_one(torch.cat([F.interpolate(h, scale_factor=2), one], dim=1))
        return F.interpolate(self.out(h), scale_factor=2, mode="bilinear")


def _in_eighths(films):
    if films.shape[-1] % 8 or films.shape[-2] % 8:  # three halvings, and back
        raise ValueError(f"films are {tuple(films.shape[-2:])} pixels: expected multiples of 8")


class Outliner(Model):
    """Lungs and heart of films (B, 1, H, W) in [-1, 1]; trained by `training.fit` on (films, outlines)."""

    needs = ("films", "outlines")

    @door(learning_rate=number(0, 1))
    def __init__(self, width=16, learning_rate=3e-3, seed=0, **machine):
        super().__init__(dict(width=width, learning_rate=learning_rate, seed=seed), **machine)
        with seeded(seed):
            self.network = self.place(OutlineNet(width))
        self.optimizer = torch.optim.Adam(self.network.parameters(), learning_rate)

    @one_step
    def step(self, batch):
        films, outlines = batch
        if outlines.shape != (len(films), 2, *films.shape[2:]):
            shapes = f"{tuple(films.shape)} and {tuple(outlines.shape)}"
            raise ValueError(f"films and outlines are {shapes}: expected (B, 1, H, W) and (B, 2, H, W)")
        _in_eighths(films)
        self.network.train()
        exposure = 1 + 0.3 * (torch.rand((len(films), 1, 1, 1), generator=self.rng, device=self.device) - 0.5)
        loss = F.binary_cross_entropy_with_logits(self.network(films * exposure).float(), outlines.float())
        self.descend(loss, self.optimizer)
        return {"loss": loss}

    @torch.no_grad()
    def predict(self, films):
        """(lungs, heart): (N, H, W) bool numpy arrays."""
        check_batch(films, self.config)
        _in_eighths(films)
        self.network.eval()
        parts = [self.network(part.to(self.device)).float().sigmoid().cpu() for part in films.split(128)]
        lungs, heart = (torch.cat(parts) > SURE).numpy().transpose(1, 0, 2, 3)
        return lungs, heart


@door(masks=holding("Cardiomegaly", "Pleural Effusion"), table=table_of("path"), size=whole())
def outlines(table, masks, size=64):
    """What the network should find: (N, 2, size, size) float32, 1 on aerated lung, on the heart.

    table, masks: as `simulator.sample` returns them, upright (PA) films with at most one finding. Fluid takes
    lung away; a large heart is the heart and what its growth changed.
    """
    for name in ("Cardiomegaly", "Pleural Effusion"):
        if (found := np.shape(masks[name])) != (len(table), size, size):
            raise ValueError(
                f"masks of {name} are {found}: expected {(len(table), size, size)}, as size says"
            )
    organs = simulator.organ_map(table, size)
    lungs, heart = organs[:, simulator.ORGANS.index("lungs")], organs[:, simulator.ORGANS.index("heart")]
    heart = (heart > HEART) | masks["Cardiomegaly"]
    lungs = (lungs > LUNG) & ~heart & ~masks["Pleural Effusion"]
    return np.stack([lungs, heart], axis=1).astype(np.float32)


# ---------------------------------------------------------------- the measures
def _organ(*axes):
    """An organ's mask with these axes: probabilities would be measured like a mask."""

    def rule(name, value):
        shaped(*axes)(name, value)
        if "bool" not in str(value.dtype):
            raise TypeError(f"{name} is {value.dtype}: expected bool, as Outliner.predict gives it")

    return rule


@door(lungs=_organ("N", "H", "W"), heart=_organ("N", "H", "W"))
def measure(lungs, heart):
    """One row per film of lungs and heart (N, H, W) bool: `cardiothoracic_ratio`, `aerated` (share of the
    film), `depth left`, `depth right` (see `recess_depth`). Left is the viewer's left."""
    if lungs.shape != heart.shape:
        raise ValueError(f"lungs {lungs.shape} and heart {heart.shape}: expected those of the same films")
    half = lungs.shape[2] // 2
    right = np.arange(lungs.shape[2]) >= half
    return pd.DataFrame({
        "cardiothoracic ratio": [cardiothoracic_ratio(*pair) for pair in zip(lungs, heart, strict=True)],
        "aerated": lungs.mean((1, 2)),
        "aerated left": (lungs & ~right).mean((1, 2)),
        "aerated right": (lungs & right).mean((1, 2)),
        "depth left": [recess_depth(lung & ~right) for lung in lungs],
        "depth right": [recess_depth((lung & right)[:, ::-1]) for lung in lungs],
    })  # fmt: skip


@door(lungs=_organ("H", "W"), heart=_organ("H", "W"))
def cardiothoracic_ratio(lungs, heart):
    """Widest heart over widest chest, both (H, W) bool; on a radiologist's ruler a heart is
    large above .5 (but see above). nan: none found."""
    across = [np.flatnonzero(organ.any(0)) for organ in (heart, lungs | heart)]
    if not len(across[0]):
        return np.nan
    widths = [places[-1] - places[0] + 1 for places in across]
    return widths[0] / widths[1]


@door(lung=_organ("H", "W"))
def recess_depth(lung):
    """How far the outer part of a lung reaches below its inner part, in units of the lung's height.

    lung: (H, W) bool, the outer side on the left. A sharp costophrenic angle lies below the dome of the
    diaphragm: above 0; blunted by fluid: 0 or less (but see above). nan where there is no lung.
    """
    columns, rows = np.flatnonzero(lung.any(0)), np.flatnonzero(lung.any(1))
    if len(columns) < 4:
        return np.nan
    border = columns[0] + round(OUTER * len(columns))
    outer, inner = lung[:, :border], lung[:, border:]
    if not (outer.any() and inner.any()):
        return np.nan
    lowest = [np.flatnonzero(part.any(1))[-1] for part in (outer, inner)]
    return (lowest[0] - lowest[1]) / len(rows)
