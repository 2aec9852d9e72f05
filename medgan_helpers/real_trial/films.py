"""The real films as the chapters ask for them, and the DCGAN that learnt from them (chapter 3)."""

from dataclasses import replace

import pandas as pd

from .. import artifacts, dcgan, metrics, training
from ..checks import door, each, having, number
from ..checks import names as names_of

NOT_RUN = "This has not been run yet: `{command}` writes the table."
CLASSIFIER = having("logits", "findings", kind="a classifier, as DenseNet")
REAL = having("frame", "store", kind="a data set, as session.real_films gives it")
PARTED = having("splits", "store", "labels", kind="a data set, as session.real_films gives it")
LABELLED = (  # what NIH labels, under CheXpert's names; without No Finding and the collective Lung Opacity
    "Lung Lesion", "Pleural Other", "Cardiomegaly", "Edema", "Consolidation", "Pneumonia", "Atelectasis",
    "Pneumothorax", "Pleural Effusion",
)  # fmt: skip


@door(real=PARTED, parts=names_of("train", "valid", "test"))
def held_out(real, parts=("valid", "test")):
    """The films of the validation and test patients, from which nothing that is shipped has learnt: a data
    set whose only part is "test". (The classifier of real films chose its step by the validation films.)"""
    frame = pd.concat([real.splits[part] for part in parts])
    return replace(real, frame=frame, store=real.store.subset(frame), splits={"test": frame})


def drawer():
    """The shipped DCGAN that learnt from real films; None where it has not been trained."""
    there = (artifacts.ASSETS / "dcgan_real").is_dir()
    return training.shipped(dcgan.DCGAN, "dcgan_real")[0] if there else None


@door(memory=each(number(0), "fake", "held_out", "copies"))
def copies(memory):
    """A sentence on `metrics.memorisation` of a generator of real films: did it store patients?"""
    share = memory["copies"]
    ratio = memory["fake"] / memory["held_out"]
    near = f"{share:.0%} of its films are nearer to a training film than all but 5 % of other patients' films"
    nearer = f"the median distance is {ratio:.2f} times that of other patients"
    if share > 0.1:
        return f"**A warning: {near}**; {nearer}. Such films must not leave the hospital."
    return f"{near}; {nearer}. In this space, thumbnails, no copying shows; a shifted copy would not show."


def estimate_of(row):
    """The Estimate in a row of a table with the columns value, low and high."""
    return metrics.Estimate(*(float(row[name]) for name in ("value", "low", "high")))
