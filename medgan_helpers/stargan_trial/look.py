"""Somebody looks: what readers named in films that the shipped StarGAN drew, in true and in healthy ones."""

import json

import pandas as pd

from .. import artifacts, metrics
from ..checks import door
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
