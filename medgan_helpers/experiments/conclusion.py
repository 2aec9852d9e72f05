"""How chapter 6 ends: a table and three sentences, from whatever is finished; the rest in a fold."""

import pandas as pd

from .. import chexpert
from ..checks import door, text
from ..checks import table as table_of
from ..metrics import LEAST_SEEDS
from .sentences import GENERATORS, MAIN, in_short, words
from .verdicts import COLUMNS, JUDGED, PERCENT, from_none

SCORED = table_of("percent", "arm", "seed", least=0)
BESIDE = {"none": "beside nothing added", "duplicate_standard": "beside repeated, augmented films"}
KINDS = {  # a verdict -> what it says of the generator
    "beats": "helps",
    "is worse than": "harms",
    "not separable": "not shown",
    "no headroom": "not shown, no headroom",
    "too few seeds": "no verdict",
}
SHOWN = ("helps", "harms")
LEFT = [{"selector": "th", "props": "text-align: left"}]
COST = "cost: AUROC of the other findings"


@door(judged=JUDGED, cells=SCORED)
def table(judged, cells):
    """A row for each generator and finding, as text: does it help, at which regimen, and at what cost."""
    finished = [arm for arm in GENERATORS if len(judged) and arm in set(judged["first"])]
    rows = []
    for arm in finished:
        mine, paid = judged[judged["first"] == arm], _cost(cells, arm)
        for finding in COLUMNS:
            part = mine[mine["finding"] == finding]
            beside = {title: _told(part[part["second"] == other]) for other, title in BESIDE.items()}
            rows.append({"arm": words(arm), "finding": words(finding)} | beside | {COST: paid})
    told = pd.DataFrame(rows, columns=["arm", "finding", *BESIDE.values(), COST]).style.hide(axis="index")
    told = told.map(lambda text: "font-weight: 600" if str(text).startswith(SHOWN) else "")
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


def _cost(cells, arm):
    """What an arm's films cost the findings that they were not added for, where there are seeds enough."""
    paid = {percent: costs(cells, percent) for percent in sorted(set(cells["percent"]))}
    paid = {percent: found.loc[arm] for percent, found in paid.items() if arm in found.index}
    told = [f"at {p:g} %{_size(row)}" for p, row in paid.items() if _size(row)]
    return ", ".join(told) or "no verdict"


@door(cells=SCORED, percent=PERCENT)
def costs(cells, percent=1):
    """The mean AUROC of the findings that nothing is added for, each arm minus "none", over the seeds that
    both have: value, low, high (Student's t) and seeds. Empty where the cells do not hold it."""
    if not {"macro", "rare"} <= {*cells}:
        return pd.DataFrame(columns=["value", "low", "high", "seeds"])
    every, three = len(chexpert.FINDINGS), len(chexpert.RARE)
    others = (every * cells["macro"] - three * cells["rare"]) / (every - three)
    return from_none(cells.assign(others=others), "others", percent).query("seeds > 0")


@door(judged=JUDGED, cells=SCORED)
def three_sentences(judged, cells):
    """Beside the control that needs no generator, beside nothing added, and what a gain costs."""
    found = costs(cells, MAIN)
    paid = found.loc[[arm for arm in GENERATORS if arm in found.index]]
    told = [in_short(judged)]
    if len(paid) and (paid["seeds"] >= LEAST_SEEDS).all() and len(judged):
        low, high = paid["value"].min(), paid["value"].max()
        if (paid["high"] < 0).all():
            told.append(
                f"The price: the findings that nothing was added for are read worse with each generator's "
                f"films (mean AUROC {high:+.3f} to {low:+.3f}{_of_control(found)})."
            )
        else:
            told.append(
                "That each generator has a price, in findings that nothing was added for, is not shown "
                f"(mean AUROC {high:+.3f} to {low:+.3f})."
            )
    return " ".join(told)


def _of_control(found):
    """What the control that needs no generator costs, in words; "" while it has too few seeds."""
    control = "duplicate_standard"
    if control not in found.index or found.loc[control, "seeds"] < LEAST_SEEDS:
        return ""
    return f"; with {words(control)} {found.loc[control, 'value']:+.3f}"


@door(title=text)
def folded(title, *paragraphs):
    """Paragraphs of Markdown in a fold of that name; empty ones are left out."""
    return "\n\n".join([f"<details><summary>{title}</summary>", *filter(None, paragraphs), "</details>"])
