"""Paragraphs of chapters 1 to 3 whose wording depends on what was measured; each returns Markdown."""

import numpy as np

from .checks import bounds, door, each, estimate, having, number, numbers, shaped, switch, table, whole


@door(scores=table("split by film", "split by patient", numeric=True), patients_have_one_film=switch)
def leak(scores, patients_have_one_film):
    """Chapter 1: scores, a row per split, columns "split by film" and "split by patient"."""
    gap = scores["split by film"] - scores["split by patient"]
    if patients_have_one_film:
        meaning = "says nothing here: every film counts as a patient of its own, so both splits are the same"
    elif gap.mean() > 0:
        meaning = "is not skill. It is recognition"
    else:
        meaning = "shows no leak: these films are too few, or too little alike, for this crude model"
    return (
        f"Same films, same model: **{scores['split by film'].mean():.3f}** when films are split, "
        f"**{scores['split by patient'].mean():.3f}** when patients are. The difference, {gap.mean():+.3f} "
        f"({(gap > 0).sum()} of {len(gap)} splits in favour of the leak), {meaning}."
    )


@door(
    table=table("value", "low", "high", rows=("real: other real patients", "real: simulated"), numeric=True)
)
def distance(table):
    """Chapter 1: table, KID x 1000 (columns value, low, high) of the rows "real: other real patients",
    "real: simulated", "simulated: other simulated patients", "simulated: real"."""
    floor, far = table.loc["real: other real patients"], table.loc["real: simulated"]
    numbers(known=True)("distances", [floor["high"], far["low"]])  # nan would pass for likeness
    if far["low"] > floor["high"]:
        meaning = "the simulated films are **not** like real ones"
    else:
        meaning = (
            "with so few films the two cannot be told apart by this measure; that is no proof of likeness"
        )
    return (
        f"KID × 1000, a distance between sets of films: from real films to other patients' real films it is "
        f"{floor['value']:.0f} ({floor['low']:.0f} to {floor['high']:.0f}), to simulated ones "
        f"{far['value']:.0f} ({far['low']:.0f} to {far['high']:.0f}): {meaning}."
    )


@door(weights=whole(), probability=number(0, 1), loss=number(0))
def untrained(weights, probability, loss):
    """Chapter 2: what a network says before any training; its mean probability, and its loss per finding."""
    return (
        f"{weights:,} weights; probabilities about {probability:.2f}; loss {loss:.2f}, of saying one half "
        f"always: {np.log(2):.2f}."
    )


def _curve(name, value):
    """Rows of (step, training loss, validation loss), at least one."""
    numbers()(name, value)
    shaped("steps", "3", kind="rows")(name, np.asarray(value))
    if (found := np.shape(value))[0] == 0 or found[1] != 3:
        raise ValueError(f"{name} is {found}: expected rows (step, training loss, validation loss)")


@door(curves=each(_curve, "without", "with"))
def gap(curves):
    """Chapter 2: curves, {"without": rows, "with": rows} of (step, training loss, validation loss)."""
    curves = {name: np.asarray(curve) for name, curve in curves.items()}
    gaps = {name: curve[-1, 2] - curve[-1, 1] for name, curve in curves.items()}
    if gaps["with"] < gaps["without"]:
        meaning = "Augmentation kept the network from learning its films by heart."
    else:
        meaning = "Here it did not close the gap: training was too short to learn the films by heart."
    return (
        f"The **gap**, validation minus training loss, ends at {gaps['without']:+.3f} without augmentation "
        f"and at {gaps['with']:+.3f} with it. {meaning} Validation loss itself ends at "
        f"{curves['without'][-1, 2]:.3f} without and {curves['with'][-1, 2]:.3f} with augmentation."
    )


@door(estimate=estimate)
def difference(estimate):
    """Chapter 2: AUROC with augmentation minus AUROC without, a metrics.Estimate."""
    if estimate.low > 0:
        meaning = "Augmentation helped."
    elif estimate.high < 0:
        meaning = "Augmentation hurt."
    elif not estimate.low <= 0 <= estimate.high:  # nan
        return (
            "**Nothing was measured**: with and without augmentation there is no difference to speak of yet."
        )
    else:
        meaning = "The interval holds zero: here **no difference has been shown**."
    return (
        f"With minus without, on the same test films: **{estimate.value:+.3f}**, 95 % interval "
        f"{estimate.low:+.3f} to {estimate.high:+.3f}. {meaning}"
    )


@door(estimate=estimate)
def difference_in_short(estimate):
    """The same without the answer, which the chapter asks its reader to predict: how sharp is the test?"""
    half = (estimate.high - estimate.low) / 2
    if not half >= 0:  # nan
        return difference(estimate)
    return (
        f"The test films tell what augmentation does to the AUROC to about ±{half:.3f}: a difference smaller "
        "than that cannot be shown here."
    )


@door(errors=table("before", "after", numeric=True))
def calibration(errors):
    """Chapter 2: calibration error, a row per finding, columns "before" and "after" Platt scaling."""
    better = int((errors["after"] < errors["before"]).sum())
    worst = errors["before"].idxmax()
    mean = errors.mean()
    if mean["after"] < mean["before"]:
        meaning = "On the whole the claims came nearer to what was seen"
    else:
        meaning = "On the whole the claims did **not** come nearer to what was seen"
    return (
        f"Farthest off: {worst}, by {errors.loc[worst, 'before']:.1%} of certainty on average before "
        f"scaling and {errors.loc[worst, 'after']:.1%} after. {meaning}: {mean['before']:.1%} before, "
        f"{mean['after']:.1%} after, smaller for {better} of {len(errors)} findings. Where a finding is "
        "rare, a few films decide: its curve is as rough as it looks."
    )


@door(point=having("threshold", "sensitivity", "specificity", kind="a metrics.OperatingPoint"))
def operating(point):
    """Chapter 2: what a threshold does on films that did not choose it."""
    return (
        f"Threshold {point.threshold:.2f}: sensitivity {point.sensitivity:.2f}, specificity "
        f"{point.specificity:.2f}."
    )


@door(distances=each(bounds, "thumbnails", "imagenet"))
def learnt(distances):
    """Chapter 3: KID x 1000 to the training films, (untrained, trained, other patients) of each ruler."""
    rulers = {"thumbnails": "where lungs and heart are", "imagenet": "texture: ribs, vessels, grain"}
    told = []
    for name, sees in rulers.items():
        start, end, floor = distances[name]
        way = "fell" if end < start else "did not fall: it went"
        left = f" ({100 * end / start:.0f} % of it)" if 0 < end < start else ""
        told.append(
            f"By the ruler that sees {sees}, it {way} from {start:.0f} to **{end:.0f}**{left}; films of "
            f"other patients are at {floor:.0f}."
        )
    return (
        "How far are drawn films from the training films, before training and after it? The distance (KID × "
        f"1000; 0: no difference is seen) is measured in two ways. {' '.join(told)} The distance of other "
        "patients is the *floor*: no generator can be asked to come nearer."
    )


@door(distances=each(bounds, "thumbnails", "imagenet"))
def learnt_in_short(distances):
    """The same without what each ruler sees, which the chapter asks its reader to predict."""
    told = [
        f"from {start:.0f} to **{end:.0f}** (films of other patients: {floor:.0f})"
        for start, end, floor in (distances[name] for name in ("thumbnails", "imagenet"))
    ]
    return (
        "How far are drawn films from the training films, before training and after it? The distance (KID × "
        f"1000; 0: no difference is seen) went by one ruler {told[0]}, by another {told[1]}. What does each "
        "of them see?"
    )
