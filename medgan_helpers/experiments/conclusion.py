"""How chapter 6 ends: a table and three sentences, from whatever is finished; the rest in a fold."""

import itertools

import numpy as np
import pandas as pd

from .. import chexpert
from ..checks import door, text
from ..checks import listed as list_of
from ..checks import table as table_of
from ..metrics import LEAST_SEEDS, first_look
from .cell import ARMS
from .films import FRACTIONS
from .sentences import GENERATORS, MAIN, in_short, number, words
from .verdicts import (
    COLUMNS,
    JUDGED,
    KEYED,
    LEVEL,
    ON_CPU,
    PAIRS,
    PERCENT,
    SHOWN,
    SUGGESTED,
    from_none,
    one_machine,
)

SCORED = table_of("percent", "arm", "seed", "rare", least=0)
LOST = table_of("percent", "arm", "films", "steps", "added", "probe", least=0)
ADDING = [arm for arm in ARMS if arm not in ("none", "standard")]  # arms that add films
BESIDE = {"none": "beside nothing added", "duplicate_standard": "beside repeated, augmented films"}
KINDS = {  # a verdict -> what it says of the generator
    "beats": "helps",
    "suggested better": "suggested: helps",
    "is worse than": "harms",
    "suggested worse": "suggested: harms",
    "not separable": "not shown",
    "no headroom": "not shown, no headroom",
    "too few seeds": "no verdict",
}
BOLD = ("helps", "harms")
LEFT = [{"selector": "th", "props": "text-align: left"}]
COST = "cost: AUROC of the other findings"


@door(judged=JUDGED, cells=KEYED, again=KEYED)
def table(judged, cells, again=None):
    """A row for each generator and finding, as text: does it help, at which regimen, and at what cost."""
    finished = [arm for arm in GENERATORS if len(judged) and arm in set(judged["first"])]
    rows = []
    for arm in finished:
        mine, paid = judged[judged["first"] == arm], _cost(cells, arm, again)
        for finding in COLUMNS:
            part = mine[mine["finding"] == finding]
            beside = {title: _told(part[part["second"] == other]) for other, title in BESIDE.items()}
            rows.append({"arm": words(arm), "finding": words(finding)} | beside | {COST: paid})
    told = pd.DataFrame(rows, columns=["arm", "finding", *BESIDE.values(), COST]).style.hide(axis="index")
    told = told.map(lambda text: "font-weight: 600" if str(text).startswith(BOLD) else "")
    return told.set_properties(**{"text-align": "left"}).set_table_styles(LEFT)


def _told(rows):
    """The verdicts of one comparison, those that are alike together: "helps at 1 % (+0.150)"."""
    told = []
    for verdict, says in KINDS.items():
        at = rows[rows["verdict"] == verdict].sort_values("percent").to_dict("records")
        regimens = [f"{row['percent']:g} %{_size(row)}" for row in at]
        told += [f"{says} at {', '.join(regimens)}"] if regimens else []
    return "; ".join(told) or "not compared"


def _size(row):
    """A difference in brackets; "" of one that carries no verdict."""
    return f" ({row['value']:+.3f})" if row["seeds"] >= LEAST_SEEDS else ""


def _cost(cells, arm, again):
    """What an arm's films cost the findings that they were not added for, where there are seeds enough."""
    paid = {percent: costs(cells, percent, again) for percent in sorted(set(cells["percent"]))}
    paid = {percent: found.loc[arm] for percent, found in paid.items() if arm in found.index}
    told = [f"at {p:g} %{_size(row)}" for p, row in paid.items() if _size(row)]
    return ", ".join(told) or "no verdict"


@door(cells=KEYED, percent=PERCENT, again=KEYED)
def costs(cells, percent=1, again=None):
    """The mean AUROC of the findings that nothing is added for, each arm minus "none" (for the arms ON_CPU,
    that of `again`), over the seeds that both have: value, low, high (Student's t) and seeds. Empty where the
    cells do not hold it."""
    if not {"macro", "rare"} <= {*cells}:
        return pd.DataFrame(columns=["value", "low", "high", "seeds"])
    found = _costs(cells, percent)
    for arm in set(ON_CPU) & set(found.index):
        found.loc[arm] = _costs(one_machine(cells, arm, again), percent).loc[arm]
    return found.query("seeds > 0")


def _costs(cells, percent):
    every, three = len(chexpert.FINDINGS), len(chexpert.RARE)
    others = (every * cells["macro"] - three * cells["rare"]) / (every - three)
    return from_none(cells.assign(others=others), "others", percent)


@door(judged=JUDGED, cells=KEYED, again=KEYED, alone=JUDGED)
def three_sentences(judged, cells, again=None, alone=None):
    """Beside the control that needs no generator, beside nothing added, and what adding films costs.

    alone: `differences` of the CPU's rerun, as for `sentences.in_short`.
    """
    paid = _enough(costs(cells, MAIN, again)) if len(judged) else ()
    return " ".join(filter(None, [in_short(judged, alone), _price_in_short(paid, cells, again)]))


def _enough(paid):
    """`costs` of the arms that add films and of standard augmentation; none while one has too few seeds."""
    paid = paid.loc[[arm for arm in (*ADDING, "standard") if arm in paid.index]]
    return paid if (paid["seeds"] >= LEAST_SEEDS).all() else paid[:0]


def _price_in_short(paid, cells, again):
    """One sentence. paid: of the regimen MAIN."""
    adding = [arm for arm in ADDING if arm in paid.index] if len(paid) else []
    if not adding:
        return ""
    low, high = paid.loc[adding, "value"].min(), paid.loc[adding, "value"].max()
    if (paid.loc[adding, "high"] >= 0).any():
        return (
            f"At {MAIN} %, that adding films costs the other findings in every arm is not shown "
            f"(mean AUROC {high:+.3f} to {low:+.3f})."
        )
    told = (
        f"At {MAIN} %, adding films at a fixed budget of steps costs the other findings {-high:.3f} to "
        f"{-low:.3f} of mean AUROC"
    )
    told += f" (fresh patients {-paid.loc['oracle', 'value']:.3f})" if "oracle" in adding else ""
    if "standard" in paid.index and paid.loc["standard", "high"] < 0:
        told += f"; standard augmentation, which adds none, costs {-paid.loc['standard', 'value']:.3f}"
    for percent, free in _not_shown(cells, again).items():
        told += f"; at {percent:g} % no cost is shown for {free}"
    return f"{told}."


def _not_shown(cells, again):
    """{percent: arms that add films and are not shown to cost the others, in words}, where there are any."""
    found = {}
    for percent in sorted(set(cells["percent"]) - {MAIN}):
        paid = _enough(costs(cells, percent, again)).query("high >= 0").drop("standard", errors="ignore")
        if len(paid):
            found[percent] = "; ".join(f"{words(arm)}, {number(row)}" for arm, row in paid.iterrows())
    return found


@door(cells=KEYED, again=KEYED)
def price(cells, again=None):
    """What an arm costs the findings that no films were added for: all that are scored but the three."""
    paid = costs(cells, MAIN, again)
    adding = [arm for arm in ADDING if arm in paid.index]
    if not adding:
        return ""
    others = len(chexpert.FINDINGS) - len(chexpert.RARE)
    lower = [arm for arm in adding if paid.loc[arm, "value"] < 0]
    told = {arm: f"{words(arm)} {number(paid.loc[arm])}" for arm in paid.index}
    how_many = "all arms" if len(lower) == len(adding) else f"{len(lower)} of {len(adding)} of the arms"
    shares = share(cells[cells["arm"].isin(adding)])
    said = [
        f"**The price** at {MAIN} %, the mean AUROC of the *other* {others} findings minus that with nothing "
        f"added: {'; '.join(told[arm] for arm in adding)}. It is lower in {how_many} that add films; "
        f"{100 * shares[MAIN]:.0f} % of their training films are added ones, which count for one finding "
        "only and take a real film's place in the batch."
    ]
    said += [f"Without an added film: {told['standard']}."] if "standard" in told else []
    for percent, free in _not_shown(cells, again).items():
        said.append(
            f"At {percent:g} %, where the share is {100 * shares[percent]:.0f} %, no cost is shown for "
            f"{free}: the place that is taken does not explain it all."
        )
    return " ".join([*said, "Intervals are of one difference alone, over the seeds."])


@door(cells=table_of("percent", "films", "added", least=0))
def share(cells):
    """{percent: the share of a regimen's training films that was added}."""
    real = FRACTIONS[0] * cells["films"] * cells["percent"] / 100
    return (cells["added"] / (cells["added"] + real)).groupby(cells["percent"]).mean()


@door(judged=JUDGED, cells=LOST, percent=PERCENT)
def largest_loss(judged, cells, percent=10):
    """The generator that loses most beside nothing added, and what does not explain it; "" if none loses."""
    if not len(judged):
        return ""
    mean = judged[(judged["second"] == "none") & (judged["finding"] == "rare")]
    lost = mean[mean["first"].isin(GENERATORS) & (mean["percent"] == percent) & (mean["high"] < 0)]
    if not len(lost):
        return ""
    row = lost.loc[lost["value"].idxmin()]
    seeds = first_look(row["seeds"]) if row["seeds"] < LEAST_SEEDS else f"{row['seeds']} seeds"
    return (
        f"**The largest loss** at {percent:g} %: {words(row['first'])} minus nothing added, mean of the "
        f"three, {number(row)}; {seeds}. We do not know why. "
        + _suspects(mean[mean["first"] == row["first"]], cells[cells["arm"] == row["first"]])
    )


def _suspects(rows, cells):
    """What differs between the regimens of one arm, and what does not. rows: its differences from nothing."""
    means, shares = cells.groupby("percent")[["probe", "steps"]].mean(), share(cells)
    gained = rows.set_index("percent")["value"]
    told = "; ".join(
        f"{value:+.3f} at {percent:g} % (share {100 * shares[percent]:.0f} %, probe "
        f"{means.loc[percent, 'probe']:.2f}, {means.loc[percent, 'steps']:,.0f} steps)"
        for percent, value in gained.items()
    )
    said = [
        "Two suspects, neither tested: an added film counts as a positive whether or not it shows the "
        "finding (what matters is its share of the training films), and a film can be known by its making "
        f"(the probe). By regimen: {told}."
    ]
    several = len(gained) > 1
    same = shares.round(2).nunique() == 1
    innocent = means["probe"].loc[gained.index].idxmax() == gained.idxmax()
    if several and same and innocent:
        said.append(
            "The share is the same in all, and the probe is highest where least is lost: neither suspect "
            "explains the change from one regimen to the next."
        )
    if several and means["steps"].nunique() > 1:
        said.append("The steps differ too.")
    return " ".join(said)


@door(judged=JUDGED)
def strict(judged):
    """Which verdicts are shown, and why the others are only suggested."""
    called = judged[judged["verdict"].isin(SHOWN + SUGGESTED)] if len(judged) else judged
    if not len(called):
        return ""
    kept, rest = (called[called["verdict"].isin(some)] for some in (SHOWN, SUGGESTED))
    pairs = [f"{words(r.first)} against {words(r.second)} ({words(r.finding)})" for r in kept.itertuples()]
    told = (
        "**The strictest count**, Student's t over the seeds alone with the same correction: of the "
        f"{len(called)} differences that are called better or worse {len(kept)} are *shown*"
        f"{': ' + '; '.join(pairs) if pairs else ''}. "
    )
    if not len(rest):
        return f"{told}None is only *suggested*."
    seeds = rest["seeds"].min()
    return told + (
        f"The other {len(rest)} are *suggested*: they survive the correction by a bootstrap over seeds and "
        f"patients that with {seeds} seeds is far too confident so deep in the tail, and by Student's t they "
        f"do not. Where the patients' luck is small beside the seeds', {seeds} seeds on one side of zero are "
        f"enough for that bootstrap, and luck alone brings them once in {2 ** (seeds - 1)}. Before any "
        f"correction Student's t gives these {len(rest)} a p of up to {rest['alone'].max():.3f}. So "
        f"*suggested* is no claim at {100 * LEVEL:.0f} %."
    )


@door(judged=JUDGED, mixed=JUDGED, alone=JUDGED)
def machines(judged, mixed, alone):
    """What runs on one machine say, and on two. judged: with `again`, mixed: without; alone: the CPU's cells.

    For the arms ON_CPU: the differences across machines, and whether a verdict hangs on how many differences
    are corrected for. For the others: which verdicts that are shown are shown by the CPU's cells, too.
    """
    if not len(judged) or not judged["again"].any():
        return ""
    keys = ["percent", "first", "second", "finding"]
    both = judged[judged["again"]].merge(mixed, on=keys, suffixes=("", " mixed"))
    both = both.merge(alone, on=keys, suffixes=("", " alone")).to_dict("records")
    told = [
        f"minus {words(row['second'])} {number(row)}, across machines {row['value mixed']:+.3f} "
        f"({row['low mixed']:+.3f} to {row['high mixed']:+.3f})"
        for row in both if row["finding"] == "rare"
    ]  # fmt: skip
    changed = [
        f"minus {words(row['second'])}, {words(row['finding'])}: {_firm(row['verdict alone'])} among "
        f"{len(alone)}, {_firm(row['verdict'])} among {len(judged)}"
        for row in both if row["verdict"] != row["verdict alone"]
    ]  # fmt: skip
    arms = " and ".join(words(arm) for arm in ON_CPU)
    said = (
        f"**One machine.** {arms[0].upper()}{arms[1:]} ran on a CPU, most other "
        "cells on a GPU; so it is compared with cells that ran on that CPU too. Mean of the three, "
        f"{'; '.join(told)}."
    )
    if changed:
        said += (
            f" Its verdicts depend on how many differences are corrected for, the {len(alone)} between the "
            f"CPU's cells alone or all {len(judged)}: {'; '.join(changed)}."
        )
    return f"{said} {_twice_shown(judged, alone)}".strip()


def _firm(verdict):
    return {"beats": "shown better", "is worse than": "shown worse"}.get(verdict, verdict)


def _twice_shown(judged, alone):
    first = judged[judged["verdict"].isin(SHOWN) & ~judged["again"]]
    both = first.merge(alone, on=["percent", "first", "second", "finding"], suffixes=(" before", ""))
    other = [
        f"{words(row['first'])} against {words(row['second'])}, {words(row['finding'])}, {number(row)}, "
        f"{_firm(row['verdict'])}"
        for row in both[both["verdict"] != both["verdict before"]].to_dict("records")
    ]  # fmt: skip
    if not len(both):
        return ""
    return (
        f"Of the {len(both)} differences that are shown with the GPU's cells and can be had from the CPU's, "
        f"{len(both) - len(other)} are shown there too{': not ' + '; '.join(other) if other else ''}."
    )


@door(table=SCORED, again=SCORED)
def twice(table, again):
    """How far cells that were computed on two machines differ: a row is not quite a function of its cell."""
    both = table.merge(again, on=["percent", "arm", "seed"], suffixes=("", " again"))
    if len(both) < 2:
        return "No cell was computed twice."
    apart = both["rare again"] - both["rare"]
    each_one = ", ".join(
        f"{column} {(both[f'{column} again'] - both[column]).std():.3f}"
        for column in COLUMNS if column != "rare" and f"{column} again" in both
    )  # fmt: skip
    by_arm = apart.groupby([both["percent"], both["arm"]]).mean().abs()
    return (
        f"**Computed twice:** {len(both)} of these cells ran on a second machine too, in another precision. "
        f"A cell's mean AUROC of the three then differs by {apart.std():.3f} (standard deviation"
        f"{f'; {each_one}' if each_one else ''}), the mean of an arm by at most {by_arm.max():.3f}."
    )


@door(cells=SCORED, again=SCORED, there=list_of)
def across(cells, again, there):
    """Which differences set a CPU's cell beside a GPU's, but those of the arms ON_CPU; and the mean of the
    three where the CPU ran the second arm, too. there: the CPU's cells, as "leaky 1 % seed 2"."""
    mixed, same = {}, []
    for percent, (first, second) in itertools.product(sorted(set(cells["percent"])), PAIRS):
        part = cells[cells["percent"] == percent].pivot(index="seed", columns="arm", values="rare")
        if first in ON_CPU or not {first, second} <= {*part}:
            continue
        pair = part[[first, second]].dropna()
        ran = {arm: [f"{arm} {percent:g} % seed {seed}" in there for seed in pair.index] for arm in pair}
        other = pair.index[np.array(ran[first]) != np.array(ran[second])]
        if not len(other):
            continue
        told = f"{len(other)} of {len(pair)} seeds of {words(first)} at {percent:g} %"
        mixed.setdefault(told, []).append(words(second))
        rerun = again[(again["percent"] == percent) & (again["arm"] == second)].set_index("seed")["rare"]
        if not any(ran[second]) and {*other} <= {*rerun.index}:
            moved = pair.assign(**{second: rerun[other].combine_first(pair[second])})
            moved = moved.rename(columns={second: "none"}).melt(ignore_index=False, value_name="rare")
            value = number(from_none(moved.reset_index().assign(percent=percent), "rare", percent).loc[first])
            before = (pair[first] - pair[second]).mean()
            same.append(
                f"With the CPU's cells of {words(second)} beside those of {words(first)} the mean of the "
                f"three differs by {value} instead of {before:+.3f} (Student's t over the seeds)."
            )
    if not mixed:
        return ""
    listed = "; ".join(f"{told}, minus {', '.join(seconds)}" for told, seconds in mixed.items())
    return " ".join([f"**Across machines**, a CPU's cell minus a GPU's or the reverse: {listed}.", *same])


@door(title=text)
def folded(title, *paragraphs):
    """Paragraphs of Markdown in a fold of that name; empty ones are left out."""
    return "\n\n".join([f"<details><summary>{title}</summary>", *filter(None, paragraphs), "</details>"])
