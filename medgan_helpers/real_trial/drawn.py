"""Chapter 5 on real films: what can be known of a finding that was drawn into a patient's film."""

import numpy as np
import pandas as pd

from .. import stargan_trial
from ..checks import bounds, door, each, listed, one_of, whole
from ..checks import images as films_of
from ..images import signed_batch
from .films import CLASSIFIER, LABELLED, PARTED, REAL, held_out


@door(real=PARTED, finding=one_of(*LABELLED), count=whole())
def case(real, finding, count):
    """A `stargan_trial.Case` of real films from which no shipped network has learnt: at most `count` with the
    finding, as many with none of LABELLED, of validation and test patients. Nobody has a twin.
    """
    return stargan_trial.strangers(held_out(real), finding, list(LABELLED), count)


@door(real=REAL, finding=one_of(*LABELLED), count=whole())
def everybody_with(real, finding, count):
    """At most `count` films (n, 1, size, size) in [-1, 1] with a finding, of all parts: KID needs many."""
    return signed_batch(real.store.subset(real.frame[real.labels()[finding] == 1])[:count])


@door(case=stargan_trial.CASE, made=each(films_of), classifier=CLASSIFIER, true=films_of)
def evidence(case, made, classifier, finding, true):
    """What can be known without a twin, {network: {name: (value, low, high)}}: how well a classifier tells
    made and true films from healthy ones; KID x 1,000 of made and of untouched healthy films to `true` ones,
    in two spaces. made: {network: case.healthy with the finding drawn}.
    """
    one_of(*classifier.findings)("finding", finding)
    column = classifier.findings.index(finding)
    apart = stargan_trial.kids(true, {"untouched": case.healthy, **made})
    rows = {}
    for network, films in made.items():
        rows[network] = stargan_trial.recognised(classifier, column, case, films)
        for name in stargan_trial.SPACES:
            rows[network] |= {f"{name}_made": apart[name, network]}
            rows[network] |= {f"{name}_untouched": apart[name, "untouched"]}
    return rows


@door(patients=listed, count=whole())
def one_each(patients, count):
    """Row numbers of the first film of each of the first `count` patients."""
    return pd.Series(np.asarray(patients)).drop_duplicates().index[:count].tolist()


@door(rows=each(each(bounds, "classified", "kid_made")))
def most_moved(rows):
    """A sentence on {network: its `evidence`}, of one finding: is the one whose films have the largest KID to
    true ones believed no less than the others?"""
    believed = max(rows, key=lambda network: rows[network]["classified"][0])
    furthest = max(rows, key=lambda network: rows[network]["kid_made"][0])
    if len(rows) == 1 or rows[furthest]["classified"][2] < rows[believed]["classified"][1]:
        return f"The classifier believes *{believed}* most; *{furthest}* has the largest KID to true films."
    others = [row["kid_made"][2] for network, row in rows.items() if network != furthest]
    apart = "" if max(others) < rows[furthest]["kid_made"][1] else " (intervals overlap)"
    return (
        f"No network is shown to be believed more than *{furthest}*, whose films have the largest KID to "
        f"true ones{apart}: the classifier's word alone is no evidence."
    )


@door(counts=each(whole(0)))
def few(counts):
    """A sentence on {finding: training films}, as the card of a StarGAN of real films counts them."""
    seen = " and ".join(f"{count} with {finding}" for finding, count in counts.items())
    return f"The network that was trained further on real films has seen few of them: {seen}."


@door(rows=each(bounds, "classified", "classified_true", "kid_made", "kid_untouched"))
def translated(finding, rows):
    """A sentence on one finding drawn into real films, from `evidence`."""
    made, true = rows["classified"], rows["classified_true"]
    believes = f"made films from healthy ones with AUROC {made[0]:.2f} ({made[1]:.2f} to {made[2]:.2f})"
    reads = f"{true[0]:.2f} ({true[1]:.2f} to {true[2]:.2f})"
    doubt = (
        "**it cannot read these films, so its word counts for nothing**"
        if not true[1] > 0.5
        else "it believes more in what was drawn than in what patients have"
        if made[1] > true[2]
        else "it believes less in what was drawn than in what patients have"
        if made[2] < true[1]
        else "the intervals do not tell these two apart"
    )
    doubt += " (what was drawn *lowers* its belief)" if made[2] < 0.5 else ""
    where = stargan_trial.nearer(rows["kid_made"], rows["kid_untouched"])
    return (
        f"**{finding}**: the classifier of real films tells {believes}, and *true* films of patients with "
        f"{reads}: {doubt}. A made film is {where}."
    )
