"""Who is nearest at equal cost: what the table of studies/generators.py allows to say."""

from ..checks import door
from ..checks import table as table_of

MODELS = {"dcgan": "DCGAN", "relativistic": "the modern loss (R3GAN)", "flow": "the flow"}
SPACES = {"imagenet": "features of photographs", "thumbnails": "thumbnails"}
KID = "KID x 1000"
STUDY = table_of("model", "seconds", "space", KID, "low", "high")


@door(study=STUDY)
def largest_cost(study):
    """The most seconds that all models of the study reached."""
    reached = study[study["seconds"] > 0].groupby("seconds")["model"].nunique()
    return reached[reached == reached.max()].index.max()


@door(study=STUDY)
def who_wins(study):
    """A sentence for each feature space, at the largest cost: who is nearest, who is farthest.

    Models whose intervals overlap are not told apart.
    """
    seconds = largest_cost(study)
    spaces = study[study["seconds"] == seconds].groupby("space")
    told = " ".join(f"In {SPACES.get(space, space)} {_order(part)}." for space, part in spaces)
    return f"KID x 1000 after {seconds:g} processor seconds; smaller is nearer. {told}"


def _order(part):
    rows = part.sort_values(KID).to_dict("records")
    first, last, others = rows[0], rows[-1], rows[:-1]
    level = [_told(row) for row in rows if row["low"] <= first["high"]]
    said = f"{level[0]} is nearest to the training films"
    if len(level) > 1:
        said = f"{', '.join(level[:-1])} and {level[-1]} cannot be told apart: their intervals overlap"
    if others and last["low"] > max(row["high"] for row in others):
        said += f"; {_told(last)} is last"
    return said


def _told(row):
    name = MODELS.get(row["model"], row["model"])
    return f"**{name}** {row[KID]:.0f} ({row['low']:.0f} to {row['high']:.0f})"
