"""Who is nearest at equal cost: what the table of studies/generators.py allows to say."""

from ..checks import door, each, estimates, holding, whole
from ..checks import table as table_of

MODELS = {"dcgan": "DCGAN", "relativistic": "the modern loss (R3GAN)", "flow": "the flow"}
SPACES = {"imagenet": "features of photographs", "thumbnails": "thumbnails"}
KID = "KID x 1000"
OTHERS = "films of other patients"
STUDY = table_of("model", "seconds", "space", KID, "low", "high")


@door(study=STUDY)
def largest_cost(study):
    """The most seconds that all models of the study reached."""
    reached = study[study["seconds"] > 0].groupby("seconds")["model"].nunique()
    return reached[reached == reached.max()].index.max()


@door(study=STUDY)
def who_wins(study):
    """A sentence for each feature space, at the largest cost: who is nearest, who is farthest.

    Where intervals overlap no order is given: the study keeps no draws to test the difference.
    """
    seconds = largest_cost(study)
    spaces = study[study["seconds"] == seconds].groupby("space")
    told = " ".join(f"In {SPACES.get(space, space)} {_order(part)}." for space, part in spaces)
    return f"KID x 1000 after {seconds:g} processor seconds; smaller is nearer. {told}"


@door(study=STUDY)
def still_falling(study):
    """A sentence: in each space, whose distance fell so far in the last stretch that its intervals part."""
    last = largest_cost(study)
    before = study.loc[(study["seconds"] > 0) & (study["seconds"] < last), "seconds"].max()
    ends = [study[study["seconds"] == at].set_index(["space", "model"]) for at in (before, last)]
    told = []
    for space in sorted(set(ends[1].index.get_level_values("space"))):
        first, second = (end.loc[space] if space in end.index else end.iloc[:0] for end in ends)
        both = [name for name in second.index if name in first.index]
        fell = [name for name in both if second.loc[name, "high"] < first.loc[name, "low"]]
        said = " and ".join(
            f"{MODELS.get(n, n)} ({first.loc[n, KID]:.0f} to {second.loc[n, KID]:.0f})" for n in fell
        )
        told += [f"in {SPACES.get(space, space)} {said or 'of none'}"] if both else []
    if not told:
        return "There is no earlier cost to compare with."
    return f"From {before:g} to {last:g} s the distance is shown to fall still: {'; '.join(told)}."


@door(told=each(estimates), films=whole())
def how_far(told, films):
    """How far the flow's films are from the training films. told: {space: {who: Estimate of the KID}}, with
    "films of other patients", the yardstick."""
    parts = []
    for space, rows in told.items():
        holding(OTHERS)(space, rows)
        drawn = ", ".join(f"{who} **{kid.value:.0f}**" for who, kid in rows.items() if who != OTHERS)
        parts.append(f"in {space}, {drawn}, the yardstick {rows[OTHERS]:.0f}")
    return (
        f"How far {films} films are from the training films (KID x 1000; the yardstick is {OTHERS}): "
        f"{'; '.join(parts)}."
    )


def _order(part):
    rows = part.sort_values(KID).to_dict("records")
    first, last, others = rows[0], rows[-1], rows[:-1]
    level = [_told(row) for row in rows if row["low"] <= first["high"]]
    said = f"{level[0]} is nearest to the training films"
    if len(level) > 1:
        said = f"{', '.join(level[:-1])} and {level[-1]}: intervals overlap, the difference was not tested"
    if others and last["low"] > max(row["high"] for row in others):
        said += f"; {_told(last)} is last"
    return said


def _told(row):
    name = MODELS.get(row["model"], row["model"])
    return f"**{name}** {row[KID]:.0f} ({row['low']:.0f} to {row['high']:.0f})"
