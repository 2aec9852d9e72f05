"""The sentences of chapter 6: each says what `verdicts` allows, whatever that is, and what is missing."""

from ..checks import door, holding, names, one_of, text
from ..checks import table as table_of
from ..metrics import LEAST_SEEDS, first_look
from .cell import ARMS
from .verdicts import COLUMNS, HEADROOM, JUDGED, PERCENT, SHOWN, SUGGESTED, gap_differences, gaps

GAPS = table_of("percent", "arm", "seed", "train", "valid", "rare", least=0)
MAIN = 1  # percent: the regimen of the chapter's verdict
NAMES = {
    "none": "no augmentation", "standard": "standard augmentation", "duplicate": "repeated real films",
    "duplicate_standard": "repeated and augmented real films", "stargan": "StarGAN",
    "copypaste": "copy-paste", "blob": "a plain bright blob", "lesion_gan": "the lesion GAN",
    "lesion_gan_standard": "the lesion GAN with augmentation",
    "leaky": "the leaky GAN", "oracle": "fresh films", "rare": "the mean of the three",
}  # fmt: skip


@door(name=text)
def words(name):
    """An arm, or a column of scores, in words."""
    return NAMES.get(name, name)


@door(row=holding("value", "low", "high"))
def number(row):
    """A difference with its interval: +.050 (+.010 to +.090)."""
    return f"{row['value']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"


@door(judged=JUDGED, percent=PERCENT)
def headroom(judged, percent=1):
    """Where a generator has anything to win: oracle minus duplicate, finding by finding."""
    rows = _rows(judged, percent, *HEADROOM)
    if not len(rows):
        return f"At {percent:g} % the oracle or its control is not finished: no verdict on any generator."
    seeds = rows["seeds"].iloc[0]
    text = [f"**Headroom** at {percent:g} %, fresh films minus repeated real ones, {_seeds(seeds)}:"]
    text.append("; ".join(f"{words(row['finding'])} {number(row)}" for row in rows.to_dict("records")) + ".")
    if len(more := _rare(_rows(judged, percent, "oracle", "duplicate_standard"))):
        text.append(f"Beside repeated films that are augmented, the mean's lead is {number(more.iloc[0])}.")
    closed = [words(row["finding"]) for row in rows.to_dict("records") if not row["room"]]
    if closed:
        text.append(f"None can be shown for {_list(closed)}: no verdict there, except where an arm harms.")
    if len(found := rows[rows["verdict"].isin(SHOWN + SUGGESTED)]):
        firm = [words(row.finding) for row in found.itertuples() if row.verdict in SHOWN]
        text.append(
            f"To count, it has to be *suggested*; it is *shown* for {_list(firm or ['none of them'])}."
        )
    if seeds < LEAST_SEEDS:
        text.append(f"{first_look(seeds)}; {LEAST_SEEDS} seeds are needed.")
    return " ".join(text)


@door(judged=JUDGED, arm=one_of(*ARMS), percent=PERCENT)
def against(judged, arm, percent=1):
    """What may be said of an arm: one sentence for every arm it was compared with, finding by finding."""
    rows = judged[(judged["percent"] == percent) & (judged["first"] == arm)] if len(judged) else judged
    if not len(rows):
        return f"At {percent:g} % {words(arm)} is not finished: nothing is said about it."
    lines = []
    for second, part in rows.groupby("second", sort=False):
        said = [_said(row) for row in part.to_dict("records")]
        where = ", on one machine" if part["again"].any() else ""
        seeds = _seeds(part["seeds"].iloc[0])
        lines.append(f"- against **{words(second)}**, {seeds}{where}: {'; '.join(said)}.")
    title = words(arm)[0].upper() + words(arm)[1:]
    return "\n".join([f"**{title}** at {percent:g} %", "", *lines])


@door(judged=JUDGED, arms=names(*ARMS), percent=PERCENT)
def finished_arms(judged, arms, percent=1):
    """`against` for each of these arms that is finished, and the names of the others."""
    rows = judged[judged["percent"] == percent] if len(judged) else judged
    done = [arm for arm in arms if len(rows) and arm in set(rows["first"])]
    missing = [words(arm) for arm in arms if arm not in done]
    told = [against(judged, arm, percent) for arm in done]
    told += [f"Not finished, and so nothing is said about: {_list(missing)}."] if missing else []
    return "\n\n".join(told)


def _said(row):
    says = {"beats": "**better**", "is worse than": "**worse**"}
    return f"{words(row['finding'])} {number(row)}, {says.get(row['verdict'], row['verdict'])}"


GENERATORS = ("stargan", "lesion_gan", "lesion_gan_standard")
NO_VERDICT = "At {:g} % no generator is finished: **there is no verdict yet**."


@door(judged=JUDGED, percent=PERCENT)
def summary(judged, percent=1):
    """Does a generator help, does it beat what is simpler, and at whose cost: finding by finding."""
    made = _generators(judged, percent)
    told = [_summary_of(rows, arm, lambda part: _findings(part["finding"])) for arm, rows in made.items()]
    return " ".join(told) or NO_VERDICT.format(percent)


@door(judged=JUDGED, percent=PERCENT)
def answer(judged, percent=1):
    """The same in short and in plain words: the mean of the three rare findings, with its differences."""
    made = _generators(judged, percent)
    if not made:
        return NO_VERDICT.format(percent)
    told = [_answer_of(_rare(rows), arm) for arm, rows in made.items()]
    return (
        f"At {percent:g} % of the films, by the mean AUROC of the three rare findings: {' '.join(told)} "
        "An interval is of one difference alone. *Suggested*: it survives the correction for all "
        f"{len(judged)} of the table (Holm) by a bootstrap that with five seeds is far too confident so deep "
        "in the tail; by Student's t over the seeds alone it does not. *Shown*: by Student's t, too."
    )


@door(judged=JUDGED, alone=JUDGED)
def in_short(judged, alone=None):
    """The same for a headline: beside the control without a generator, finding by finding where a generator
    is better there, and beside nothing added, in every regimen. alone: `differences` of the CPU's rerun,
    which is named wherever it says something else of a finding."""
    made = {words(arm): rows for arm, rows in _generators(judged, MAIN).items()}
    if not made:
        return NO_VERDICT.format(MAIN)
    mean = {arm: _rare(rows) for arm, rows in made.items()}
    against = "; ".join(filter(None, [_beside_control(mean), _by_finding(made, alone)]))
    told = [against + ".", _beside_nothing(judged)]
    return f"With {MAIN} % of the films, by the mean of the three rare findings: {' '.join(told)}".strip()


def _arms_by_verdict(made, second):
    """{verdict: [arms in words]} against one other arm."""
    found = {}
    for arm, rows in made.items():
        for verdict in rows[rows["second"] == second]["verdict"]:
            found.setdefault(verdict, []).append(arm)
    return found


CONTROL, SIMPLE = "duplicate_standard", "repeating and augmenting the real films"
HEADS = {
    "beats": "better", "suggested better": "suggested to be better",
    "is worse than": "worse", "suggested worse": "suggested to be worse",
}  # fmt: skip


def _beside_control(made):
    found = _arms_by_verdict(made, CONTROL)
    if "beats" in found:
        return f"{_list(found['beats'])} is shown to be better than {SIMPLE}, which needs no generator"
    if "suggested better" in found:
        arms = _list(found["suggested better"])
        return f"no generator is shown to be better than {SIMPLE}; it is suggested of {arms}"
    if set(found) - {"is worse than", "no headroom", "too few seeds"}:
        return f"no generator is shown to be better than {SIMPLE}, which needs none"
    if "is worse than" in found:
        return f"{SIMPLE}, which needs no generator, is better"
    return f"there is no verdict against {SIMPLE}, which needs no generator"


def _by_finding(made, alone):
    """The findings with a verdict beside the control, of each generator that is better for one of them."""
    told = []
    for arm, rows in made.items():
        rows = rows[(rows["second"] == CONTROL) & (rows["finding"] != "rare")]
        kinds = [
            f"{head} for {_list([_of_finding(row, alone) for row in part.to_dict('records')])}"
            for verdict, head in HEADS.items() if len(part := rows[rows["verdict"] == verdict])
        ]  # fmt: skip
        if rows["verdict"].isin((SHOWN[0], SUGGESTED[0])).any():
            told.append(f"{arm} is {_list(kinds, ', and ')}")
    return "finding by finding, " + "; ".join(told) if told else ""


def _of_finding(row, alone):
    """A finding with its difference, and what the CPU's rerun says of it where that is another verdict."""
    said, keys = f"{row['finding']} ({row['value']:+.3f})", ["percent", "first", "second", "finding"]
    if alone is None or not len(alone) or row["again"]:
        return said
    second = alone[(alone[keys] == [row[key] for key in keys]).all(axis=1)].to_dict("records")
    other = [r for r in second if r["verdict"] not in (row["verdict"], "too few seeds")]
    says = HEADS | {"no headroom": "without headroom", "suggested better": "only suggested to be better"}
    told = [f"{says.get(r['verdict'], r['verdict'])} in the CPU's rerun of the same seeds" for r in other]
    return said + "".join(f", though {t} ({r['value']:+.3f})" for t, r in zip(told, other, strict=True))


def _beside_nothing(judged):
    """By the mean of the three, regimen by regimen; those behind the first one with the sizes."""
    heads = {
        "beats": "a gain is shown for {}", "suggested better": "a gain is suggested for {}",
        "not separable": "none is shown for {}", "is worse than": "a loss is shown for {}",
        "suggested worse": "a loss is suggested for {}",
    }  # fmt: skip
    told = []
    for percent in sorted(set(judged["percent"]), key=lambda percent: (percent != MAIN, percent)):
        other = percent != MAIN
        made = {arm: _rare(rows) for arm, rows in _generators(judged, percent).items()}
        made = {f"{words(arm)}{_size(rows) if other else ''}": rows for arm, rows in made.items()}
        found = _arms_by_verdict(made, "none")
        kinds = [text.format(_list(found[verdict])) for verdict, text in heads.items() if verdict in found]
        told += [(f"at {percent:g} % " if other else "") + "; ".join(kinds)] if kinds else []
    return f"By the same mean, beside nothing added, {'; '.join(told)}." if told else ""


def _size(rows):
    """The difference from nothing added, in brackets."""
    return "".join(f" ({value:+.3f})" for value in rows[rows["second"] == "none"]["value"])


def _rare(rows):
    return rows[rows["finding"] == "rare"]


def _answer_of(rows, arm):
    """An arm in one line: over what a gain is shown, then every difference with its interval."""
    numbers = ", ".join(f"{words(row['second'])} {_beside(row)}" for row in rows.to_dict("records"))
    where = " (both on one machine)" if rows["again"].any() else ""
    return f"**{_head_of(rows, arm)}.** Against{where} {numbers}."


def _beside(row):
    """A difference with its interval; where that leaves out zero and still shows nothing, why."""
    alone = row["verdict"] == "not separable" and (row["low"] > 0 or row["high"] < 0)
    return number(row) + (", not after the correction" if alone else "")


def _head_of(rows, arm):
    kinds = {
        "beats": "a gain is shown over {}", "suggested better": "a gain is suggested over {}",
        "is worse than": "it is shown to be worse than {}",
        "suggested worse": "it is suggested to be worse than {}",
        "too few seeds": f"too few seeds ({rows['seeds'].min()}) for a verdict against {{}}",
        "not separable": "no gain is shown over {}",
        "no headroom": "without headroom no verdict against {}",
    }  # fmt: skip
    others = {kind: [words(row.second) for row in rows.itertuples() if row.verdict == kind] for kind in kinds}
    joint = {"not separable": ", nor over "}
    heads = [
        text.format(_list(others[kind], joint.get(kind, " and ")))
        for kind, text in kinds.items() if others[kind]
    ]  # fmt: skip
    return f"{words(arm)[0].upper()}{words(arm)[1:]}: {'; '.join(heads)}"


@door(judged=JUDGED)
def has_verdict(judged):
    """Whether a generator's arm has the seeds for a verdict at the regimen MAIN."""
    return any((rows["seeds"] >= LEAST_SEEDS).all() for rows in _generators(judged, MAIN).values())


def _generators(judged, percent):
    """{generator: its rows} at one regimen, of those that have any."""
    part = judged[judged["percent"] == percent] if len(judged) else judged
    made = {arm: part[part["first"] == arm] for arm in GENERATORS if len(part)}
    return {arm: rows for arm, rows in made.items() if len(rows)}


def _summary_of(rows, arm, inside):
    """One sentence on an arm: what it beats, what beats it, what it cannot be told from.

    inside: rows against one other -> the words in brackets behind its name."""
    kinds = {
        "beats": "beats {}", "suggested better": "is suggested to be better than {}",
        "is worse than": "is worse than {}", "suggested worse": "is suggested to be worse than {}",
        "not separable": "cannot be told from {}",
        "no headroom": "gets no verdict against {}, since there is no headroom",
        "too few seeds": "has too few seeds for a verdict against {}",
    }  # fmt: skip
    parts = []
    for verdict, words_of in kinds.items():
        chosen = rows[rows["verdict"] == verdict]
        named = [f"{words(second)} ({inside(part)})" for second, part in chosen.groupby("second", sort=False)]
        if named:
            parts.append(words_of.format(_list(named)))
    name = words(arm)[0].upper() + words(arm)[1:]
    return f"**{name}** " + "; it ".join(parts) + "."


@door(table=GAPS, percent=PERCENT)
def gap(table, percent=1):
    """The verdict on the paper's Figure 3: does a smaller gap show that a generator helps?"""
    means, changes = gaps(table, percent), gap_differences(table, percent)
    if "none" not in means.index or len(means) < 2:
        return f"At {percent:g} % too little is finished to compare gaps."
    text = [f"Without augmentation the gap is {means.loc['none', 'value']:.3f} at {percent:g} %."]
    for arm in ("stargan", "lesion_gan", "duplicate", "standard", "oracle"):
        if arm in changes.index:
            text.append(f"{words(arm)[0].upper()}{words(arm)[1:]}: {_change(changes.loc[arm])}.")
    part = table[table["percent"] == percent]
    best, smallest = part.groupby("arm")["rare"].mean().idxmax(), means["value"].astype(float).idxmin()
    text.append(
        f"The smallest gap has {words(smallest)}, the best AUROC has {words(best)}. A gap shrinks when real "
        "films are fitted less closely (added films take their place in each batch, augmentation changes "
        "them) as well as when unseen ones are read better: it does not say which."
    )
    return " ".join(text)


def _change(row):
    if row["seeds"] < 2:
        return f"{row['value']:+.3f}, one seed, no interval"
    kind = "smaller" if row["high"] < 0 else "larger" if row["low"] > 0 else "no clear change"
    return f"{number(row)}, {kind}"


@door(table=table_of("percent", "arm", "probe", least=0), percent=PERCENT)
def probe(table, percent=1):
    """How easily added films are told from real ones, beside the oracle's floor."""
    means = table[table["percent"] == percent].groupby("arm")["probe"].mean().dropna()
    if "oracle" not in means:
        return "The probe needs the oracle as its floor, which is not finished."
    others = [arm for arm in means.sort_values().index if arm != "oracle"]
    spread = table[table["percent"] == percent].groupby("arm")["probe"].std().mean()
    listed = ", ".join(f"{words(arm)} {means[arm]:.2f}" for arm in others)
    return (
        f"**Probe** at {percent:g} %: fresh films {means['oracle']:.2f} (the floor); "
        f"{listed or 'no other'}. From seed to seed it moves by {spread:.2f}. "
        "The further above the floor, the easier a classifier can learn the mark of the making."
    )


@door(cells=table_of("steps"))
def live(cells):
    """What a live run of one seed may say: nothing on augmentation, whatever its numbers are."""
    steps = cells["steps"].iloc[0]
    return (
        f"One seed and {steps} steps: this run shows *how* it is done. It carries **no verdict**; the "
        "committed grid below trains longer, with several seeds."
    )


@door(judged=JUDGED, cells=table_of("percent", "steps", least=0))
def regimens(judged, cells=None):
    """The headroom of every regimen; where their cells took other numbers of steps, that these differ."""
    rows = judged[(judged["finding"] == "rare")] if len(judged) else judged
    rows = [row for row in rows.to_dict("records") if (row["first"], row["second"]) == HEADROOM]
    if not rows:
        return ""
    if len(rows) < 2:
        return "Only one regimen is finished: whether it changes from one to another is not said."
    listed = "; ".join(
        f"{row['percent']:g} %: {number(row)}, {_seeds_or_first_look(row['seeds'])}" for row in rows
    )
    steps = {} if cells is None else cells.groupby("percent")["steps"].first().to_dict()
    taken = [steps.get(row["percent"]) for row in rows]
    told = f"Headroom for {words('rare')} by regimen: {listed}."
    if None in taken or len(set(taken)) < 2:
        return told
    return (
        f"{told} The steps differ too ({_list([f'{some:,}' for some in taken])}), and steps alone can move "
        "it (see below): what changes is not put down to the number of films."
    )


def _findings(columns):
    return "every finding" if len(columns) == len(COLUMNS) else _list([words(column) for column in columns])


def _rows(judged, percent, first, second):
    if not len(judged):
        return judged
    return judged[(judged["percent"] == percent) & (judged["first"] == first) & (judged["second"] == second)]


def _seeds(count):
    return f"{count} seeds" if count != 1 else "one seed"


def _seeds_or_first_look(count):
    return first_look(count) if count < LEAST_SEEDS else _seeds(count)


def _list(names, joint=" and "):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + joint + names[-1]


@door(table=table_of("percent", "arm", "seed", "steps", least=0))
def progress(table):
    """Which arms and regimens are finished, with how many seeds."""
    if not len(table):
        return "No cell of the final table is finished here: nothing below is shown, and nothing is said."
    counts = table.groupby(["percent", "arm"])["seed"].nunique()
    parts = []
    for percent, part in counts.groupby(level="percent"):
        listed = ", ".join(f"{arm} {count}" for (_, arm), count in part.items())
        steps = table[table["percent"] == percent]["steps"].iloc[0]
        parts.append(f"{percent:g} % ({steps} steps): {listed}")
    return "Finished, with the number of seeds: " + "; ".join(parts) + ". What is not listed is not finished."


@door(judged=JUDGED, arm=one_of(*ARMS))
def gains(judged, arm):
    """{finding: "+.050 (+.010 to +.090)"} of an arm against none, at 1 %."""
    return {row["finding"]: number(row) for row in _rows(judged, 1, arm, "none").to_dict("records")}
