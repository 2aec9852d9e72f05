"""Somebody looks: what readers named in films that the shipped StarGAN drew, in true and in healthy ones.

And a variant that pleased the other measures, and was not shipped for what readers saw.
"""

import json

import numpy as np
import pandas as pd

from .. import artifacts, metrics
from ..checks import bounds, door, each, whole
from ..checks import table as table_of


def shipped_card():
    """The card of the shipped robust StarGAN: findings in the order of its labels, hash, measures."""
    return json.loads((artifacts.ASSETS / "stargan_robust" / "card.json").read_text())


READ = table_of("kind", "finding", "answer", "film")


def _read(name, table):
    """A reading, or None where there is none."""
    if table is not None:
        table_of("kind", "finding", "answer", "film", "reader")(name, table)


@door(table=READ)
def named(table):
    """How many findings were named, by kind of film and finding: right, n, value, low, high (Wilson).

    n counts readings; a film that several have read is one film to the interval.
    table: rows of book/results/blind_look.csv. The finding "any" is all of a kind that show one.
    """
    rows = {}
    for kind, part in table.groupby("kind"):
        whole = {} if kind == "healthy" else {"any": part}
        for finding, films in (whole | dict(list(part.groupby("finding")))).items():
            right = int((films["answer"] == films["finding"]).sum())
            count = films["film"].nunique()
            _, low, high = metrics.proportion(round(right * count / len(films)), count)
            rows[kind, finding] = [right, len(films), right / len(films), low, high]
    return pd.DataFrame(rows, index=["right", "n", "value", "low", "high"]).T


@door(table=_read)
def blind_look(table):
    """A sentence on a blinded reading of made, true and healthy films: are findings named better than by lot?

    By lot: one of the findings, by somebody who knows that there is one. Readers had "none" to choose, too.
    table: None where the repository is not at hand.
    """
    if table is None:
        return "The answers are in the repository, in book/results/blind_look.csv."
    for kind in ("made", "true", "healthy"):
        if not (table["kind"] == kind).any():
            expected = "readings of made, true and healthy ones"
            raise ValueError(f"table has no film of kind {kind!r}: expected {expected}")
    if odd := set(table.loc[table["kind"] == "healthy", "finding"]) - {"none"}:
        raise ValueError(f"a healthy film shows {sorted(map(str, odd))[0]!r}: expected the finding 'none'")
    counted = named(table)
    chance = 1 / table.loc[table["kind"] == "made", "finding"].nunique()
    made = counted.loc[("made", "any")]

    def share(kind, finding="any"):
        row = counted.loc[(kind, finding)]
        return f"{row.right:.0f} of {row.n:.0f} ({row.value:.0%}, {row.low:.0%} to {row.high:.0%})"

    better = "better than by lot" if made.low > chance else "**not shown to be better than by lot**"
    return (
        f"Told which findings there are, and no film's label, {' and '.join(table['reader'].unique())} "
        f"named the right one in {share('made')} made films, {better} ({chance:.0%}), and in "
        f"{share('true')} true ones; {share('healthy', 'none')} healthy films were called healthy."
    )


@door(variant=READ, shipped=READ, seed=whole(0))
def look_beside(variant, shipped, seed=0):
    """A sentence: how often made findings were named that a variant drew, and those of the shipped network,
    on films of the same patients; the difference with an interval over films. Then the same of true films,
    which were the same: what other readers on another day make of them."""
    said = {}
    for kind in ("made", "true"):
        rights = [
            part.assign(right=part["answer"] == part["finding"]).groupby("film")["right"].mean()
            for part in (table[table["kind"] == kind] for table in (variant, shipped))
        ]
        gap = (rights[0] - rights[1]).dropna().to_numpy()
        if not len(gap):
            raise ValueError(f"no {kind} film was read in both tables: expected readings of the same films")
        draws = np.random.default_rng(seed).integers(0, len(gap), (2000, len(gap)))
        low, high = np.quantile(gap[draws].mean(1), [0.025, 0.975])
        said[kind] = (*(right.mean() for right in rights), gap.mean(), low, high)
    one, other, gap, low, high = said["made"]
    words = "fewer" if high < 0 else "more" if low > 0 else "not shown to be fewer or more"
    return (
        f"Readers named {one:.0%} of the findings that the variant made, and {other:.0%} of those of the "
        f"shipped network on the same patients: {words} (difference {100 * gap:+.0f} points, "
        f"{100 * low:+.0f} to {100 * high:+.0f}, over films, not over readers). The true films were the same "
        f"for both: {said['true'][0]:.0%} and {said['true'][1]:.0%}, by other readers."
    )


@door(measures=each(each(bounds, "removed", "size_spread_made")))
def variant_beside(variant, measures, names):
    """A row per finding: `names` of a variant (rows of book/results/findings_variant.csv) beside those of the
    shipped network, {finding: {measure: (value, low, high)}}."""
    table_of("finding", "measure", "value")("variant", variant)
    other = variant.set_index(["finding", "measure"])["value"]
    return pd.DataFrame({
        finding: {(name, whose): value for name in names
                  for whose, value in (("variant", other[finding, name]), ("shipped", found[name][0]))}
        for finding, found in measures.items()
    }).T  # fmt: skip
