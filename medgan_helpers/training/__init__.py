"""Training: the model that every network is (`model`), the loop (`loop`), what is kept (`checkpoints`),
several processes (`processes`), how many threads (`threads`), and what a GAN's curves say (`gan_curves`)."""

from .checkpoints import load, save, shipped
from .gan_curves import curves_in_short, diagnose, what_curves_say
from .loop import fit
from .model import (
    EMA,
    Model,
    choose_device,
    linear_decay,
    mix,
    one_step,
    seeded,
    to_device,
)
from .processes import rank_and_world

__all__ = [
    "EMA",
    "Model",
    "choose_device",
    "curves_in_short",
    "diagnose",
    "fit",
    "linear_decay",
    "load",
    "mix",
    "one_step",
    "rank_and_world",
    "save",
    "seeded",
    "shipped",
    "to_device",
    "what_curves_say",
]
