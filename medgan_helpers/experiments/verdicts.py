"""What a table of cells allows to say, and nothing more: differences, their intervals, and verdicts.

    table = verdicts.read("grid.csv")              # what is finished, with resampled scores
    judged = verdicts.differences(table)           # a row per regimen, pair of arms and finding
    say(sentences.summary(judged))

An interval holds the luck of the seeds (patients of the regimen, first weights, all that is drawn) and of the
test patients together: seeds are drawn first, then patients. A difference is *suggested* if it stays after
Holm's correction for all that are printed (Holm 1979), which with five seeds is no claim at 5 %: the
bootstrap is too confident so deep in the tail. It is *shown* (it beats, it is worse) if it stays after the
strictest count too: Student's t over the seeds alone, corrected for as many. All but harm needs headroom.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import scipy
from sklearn.metrics import roc_auc_score

from .. import chexpert
from ..checks import door, holding, listed, names, number, numbers, one_of, path, shaped, told, whole, words
from ..checks import table as table_of
from ..metrics.intervals import LEAST_SEEDS, Estimate, interval, patient_weights
from .cell import ARMS, KEY
from .grid import finished
from .results import scores_file, test_scores

COLUMNS = (*chexpert.RARE, "rare")  # "rare": the mean of the three
DRAWS = 20_000  # of seeds and patients together
LEVEL = 0.05  # of Holm's correction, for the whole table
HEADROOM = ("oracle", "duplicate")
SHOWN, SUGGESTED = ("beats", "is worse than"), ("suggested better", "suggested worse")  # verdicts
ON_CPU = ("lesion_gan_standard",)  # arms that ran on another machine than their likes: see `one_machine`
PAIRS = (  # what is compared, StarGAN first: it is nearest to what was published
    HEADROOM,
    ("stargan", "none"), ("stargan", "standard"), ("stargan", "duplicate"),
    ("stargan", "duplicate_standard"), ("stargan", "copypaste"),
    ("lesion_gan", "none"), ("lesion_gan", "standard"), ("lesion_gan", "duplicate"),
    ("lesion_gan", "duplicate_standard"), ("lesion_gan", "copypaste"), ("lesion_gan", "blob"),
    ("lesion_gan_standard", "duplicate_standard"), ("lesion_gan_standard", "lesion_gan"),
    ("leaky", "lesion_gan"), ("duplicate_standard", "none"), ("oracle", "duplicate_standard"),
    ("blob", "none"),
)  # fmt: skip


# ---------------------------------------------------------------- what is expected
PERCENT = number(most=100, above=0)
CELLS = table_of("percent", "arm", "seed", "resamples", *COLUMNS, least=0)
KEYED = table_of("percent", "arm", "seed", least=0)
LOSSES = table_of("percent", "arm", "seed", "train", "valid", least=0)
RESAMPLED = shaped("seeds", "resamples", "columns")


def JUDGED(name, value):
    """What `differences` gives; without any row, it has no columns."""
    table_of(least=0)(name, value)
    if len(value):
        table_of("percent", "first", "second", "finding", "value", "low", "high", "seeds", "verdict")(
            name, value
        )


def _pairs(name, value):
    listed(name, value)
    for pair in value:
        names(*ARMS)(name, pair)
        if len(pair) != 2:
            raise ValueError(f"{name} hold {pair!r}: expected two arms each, as (stargan, none)")


def _labels(name, value):
    shaped("N")(name, value)
    if not (np.isin(value, (0, 1)) | pd.isna(value)).all():
        raise ValueError(f"{name} are {told(value)}: expected 0, 1 or nan (masked)")


# ---------------------------------------------------------------- scores, resampled
@door(out=path)
def read(out):
    """The finished cells of a csv that have their scores beside it, as a DataFrame, in the order of ARMS.

    Columns of the csv, and "resamples": (BOOTSTRAPS, 4) AUROCs of COLUMNS on resampled test patients, the
    same patients for every cell; "macro" from the scores, where the csv has none. An empty table where
    nothing is finished.
    """
    out, rows, order = Path(out), [], list(ARMS)
    cells = sorted(finished(out).items(), key=lambda c: (c[0].percent, order.index(c[0].arm), c[0].seed))
    for cell, row in cells:
        if pd.isna([row.get(column) for column in COLUMNS]).any():
            raise ValueError(f"{out}: {cell.arm}, seed {cell.seed}, has a blank score: remove that line")
        if scores_file(cell, out).exists():
            macro = row["macro"] if "macro" in row else _macro(cell, out)
            rows.append(row | {"macro": macro, "resamples": resample(cell, out)})
    columns = [*KEY, *COLUMNS, "train", "valid", "probe", "n", "resamples"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)


def _macro(cell, out):
    labels, logits, _ = test_scores(cell, chexpert.FINDINGS, out=out)
    both = [k for k, column in enumerate(labels.T) if 0 < column.sum() < len(column)]
    return float(np.mean([roc_auc_score(labels[:, k], logits[:, k]) for k in both]))


@door(out=path)
def resample(cell, out):
    """AUROCs of COLUMNS on resampled test patients: (BOOTSTRAPS, 4)."""
    labels, logits, patients = test_scores(cell, out=out)
    weights = np.concatenate(list(patient_weights(patients, seed=0)))
    columns = [weighted_auroc(labels[:, k], logits[:, k], weights) for k in range(labels.shape[1])]
    return np.stack([*columns, np.mean(columns, axis=0)], axis=1)


@door(labels=_labels, scores=shaped("N"), weights=shaped("R", "N"))
def weighted_auroc(labels, scores, weights):
    """The share of pairs of a positive and a negative film that are ranked rightly, for each row of weights.

    labels, scores: (N,), a label nan is left out; weights: (R, N), how often each film was drawn. Ties count
    one half.
    """
    positive, negative = labels == 1, labels == 0
    above = scores[positive][:, None] > scores[negative]
    equal = scores[positive][:, None] == scores[negative]
    wins = (above + 0.5 * equal).astype(np.float32)
    ours, theirs = (weights[:, part].astype(np.float32) for part in (positive, negative))
    return ((ours @ wins) * theirs).sum(1) / (ours.sum(1) * theirs.sum(1))


@door(resamples=RESAMPLED)
def seeds_and_patients(resamples, seed=0):
    """Means over drawn seeds on drawn patients: (seeds, BOOTSTRAPS, columns) -> (DRAWS, columns).

    One seed fewer is drawn than there are: with as many, the interval would be too narrow by
    sqrt((seeds - 1) / seeds) (Rao & Wu 1988). Of a single seed only the patients are drawn.

    Still too narrow for few seeds, the more so the deeper in the tail and the smaller the patients' luck is
    beside the seeds' (tests/test_grid_verdicts.py simulates it). Hence LEAST_SEEDS, and the count by seeds
    alone.
    """
    rng = np.random.default_rng(seed)
    count = len(resamples)
    seeds = rng.integers(count, size=(DRAWS, max(1, count - 1)))
    patients = rng.integers(resamples.shape[1], size=(DRAWS, 1))
    return resamples[seeds, patients].mean(1)


# ---------------------------------------------------------------- arms and differences
@door(csv=path, steps=whole())
def read_earlier(csv, steps):
    """The earlier grid's rows that took `steps` steps; its test scores were not kept.

    Without resampled patients, intervals hold the luck of the seeds alone (Student's t).
    """
    if not Path(csv).is_file():
        raise FileNotFoundError(f"csv is {csv}: no such table")
    table = pd.read_csv(csv)
    table_of("steps", "extra", *KEY)("csv", table)
    usual = table["extra"].mode()[0]
    chosen = table[(table["steps"] == steps) & (table["extra"] == usual)]
    return chosen.assign(resamples=None).reset_index(drop=True)


@door(table=CELLS, percent=PERCENT)
def of_arm(table, percent, arm):
    """{seed: (values (4,), resamples (BOOTSTRAPS, 4) or None)} of an arm's finished cells."""
    rows = table[(table["percent"] == percent) & (table["arm"] == arm)]
    return {row["seed"]: (row[list(COLUMNS)].to_numpy(float), row["resamples"]) for _, row in rows.iterrows()}


@door(values=shaped("seeds", "columns"))
def estimates(values, resamples):
    """Estimate and p value of a mean over seeds, a list with one of COLUMNS each.

    values: (seeds, 4); resamples: (seeds, BOOTSTRAPS, 4), or None: seeds alone, by Student's t.
    """
    if resamples is None:
        return [_t_estimate(column) for column in values.T]
    drawn = seeds_and_patients(resamples)
    means = values.mean(0)
    return [(interval(means[k], drawn[:, k]), two_sided(drawn[:, k])) for k in range(len(means))]


def _t_estimate(values):
    if len(values) < 2:
        return Estimate(float(values.mean()), np.nan, np.nan), 1.0
    low, high = scipy.stats.t.interval(0.95, len(values) - 1, values.mean(), scipy.stats.sem(values))
    return Estimate(float(values.mean()), low, high), float(scipy.stats.ttest_1samp(values, 0).pvalue)


@door(table=CELLS, percent=PERCENT)
def mean_scores(table, percent):
    """AUROC of every arm of a regimen, {arm: {column: Estimate}}, over its seeds."""
    scores = {}
    for arm in [arm for arm in ARMS if arm in set(table["arm"][table["percent"] == percent])]:
        cells = list(of_arm(table, percent, arm).values())
        found = estimates(np.stack([values for values, _ in cells]), _stacked([r for _, r in cells]))
        scores[arm] = {column: estimate for column, (estimate, _) in zip(COLUMNS, found, strict=True)}
    return scores


def _stacked(resamples):
    return None if any(part is None for part in resamples) else np.stack(resamples)


@door(table=KEYED, again=KEYED, arm=one_of(*ARMS))
def one_machine(table, arm, again=None):
    """The cells that `arm` is compared with. again: cells computed a second time, on the machine of the arms
    ON_CPU, or None. For such an arm they stand in the place of the first ones; the rest of the table stays.
    """
    if arm not in ON_CPU or again is None or not len(again):
        return table
    first, second = (pd.MultiIndex.from_frame(cells[["percent", "arm"]]) for cells in (table, again))
    return pd.concat([table[~first.isin(second)], again], ignore_index=True)


@door(table=CELLS, pairs=_pairs, again=CELLS)
def differences(table, pairs=PAIRS, again=None):
    """Every pair of arms in every regimen, finding by finding: a DataFrame, empty if no pair is finished.

    Columns: percent, first, second, finding, value, low, high, p, alone (p of the seeds alone, Student's t),
    seeds (that both arms have), again (is the second arm's run on the first one's machine used: see
    `one_machine`), room (is there headroom for this finding in this regimen, by its corrected p), holm and
    strict (p and alone after correction), verdict.
    """
    rows = []
    for percent in sorted(set(table["percent"])):
        for first, second in pairs:
            cells = one_machine(table, first, again)
            moved = cells is not table and second in set(again["arm"][again["percent"] == percent])
            rows += [row | {"again": moved} for row in _pair(cells, percent, first, second)]
    judged = pd.DataFrame(rows)
    if len(judged):
        judged["holm"], judged["strict"] = holm(judged["p"]), holm(judged["alone"].fillna(1))
        shown = (judged["holm"] < LEVEL) & (judged["value"] > 0)
        shown &= (judged["first"] == HEADROOM[0]) & (judged["second"] == HEADROOM[1])
        judged["room"] = shown.groupby([judged["percent"], judged["finding"]]).transform("any")
        judged["verdict"] = [verdict(row) for row in judged.to_dict("records")]
    return judged


def _pair(table, percent, first, second):
    """A row for each column of the difference of two arms, over the seeds that both have; none: no rows."""
    mine, other = of_arm(table, percent, first), of_arm(table, percent, second)
    seeds = sorted(set(mine) & set(other))
    if not seeds:
        return []
    values = np.stack([mine[seed][0] - other[seed][0] for seed in seeds])
    both = [_stacked([arm[seed][1] for seed in seeds]) for arm in (mine, other)]
    resamples = None if any(part is None for part in both) else both[0] - both[1]
    rows = []
    for k, (estimate, p) in enumerate(estimates(values, resamples)):
        row = {"percent": percent, "first": first, "second": second, "finding": COLUMNS[k]}
        alone = _t_estimate(values[:, k])[1]
        rows.append(row | estimate._asdict() | {"p": p, "alone": alone, "seeds": len(seeds)})
    return rows


@door(drawn=shaped("draws"))
def two_sided(drawn):
    """How unlikely equally far draws on the other side of 0 are: a p value, never quite 0. Draws that are nan
    are left out; where there is no other, p is nan."""
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return np.nan
    below, above = (drawn <= 0).sum(), (drawn >= 0).sum()
    return min(1.0, 2 * (min(below, above) + 1) / (len(drawn) + 1))


@door(p=numbers(0, 1))
def holm(p):
    """p values corrected for their number (Holm 1979): the smallest times n, the next times n - 1, ..."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(steps, 1)
    return corrected


@door(row=holding("first", "second", "seeds", "holm", "strict", "value", "room"))
def verdict(row):
    """What one row of `differences` allows to say. Harm needs no headroom: it can be seen without."""
    is_headroom = (row["first"], row["second"]) == HEADROOM
    if row["seeds"] < LEAST_SEEDS:
        return "too few seeds"
    better, worse = SHOWN if row["strict"] < LEVEL else SUGGESTED
    if row["holm"] < LEVEL and row["value"] < 0:
        return worse
    if not (row["room"] or is_headroom):
        return "no headroom"
    return better if row["holm"] < LEVEL else "not separable"


# ---------------------------------------------------------------- gap and probe
@door(table=LOSSES, percent=PERCENT)
def gaps(table, percent=1):
    """Validation minus training loss by arm: a DataFrame with value, low, high (Student's t over the seeds)
    and seeds. One seed has no interval."""
    table = table[table["percent"] == percent]
    gap = table["valid"] - table["train"]
    rows = {arm: _t(gap[table["arm"] == arm]) for arm in dict.fromkeys(table["arm"])}
    return pd.DataFrame(rows, index=["value", "low", "high", "seeds"]).T


@door(table=LOSSES, percent=PERCENT)
def gap_differences(table, percent=1):
    """The gap of every arm minus that of "none", over the seeds that both have; columns as in `gaps`."""
    return from_none(table.assign(gap=table["valid"] - table["train"]), "gap", percent)


@door(table=KEYED, column=words, percent=PERCENT)
def from_none(table, column, percent=1):
    """A column of every arm minus that of "none", over the seeds that both have; columns as in `gaps`."""
    wide = table[table["percent"] == percent].pivot_table(index="seed", columns="arm", values=column)
    if "none" not in wide:
        return pd.DataFrame(columns=["value", "low", "high", "seeds"])
    others = [arm for arm in wide if arm != "none"]
    rows = {arm: _t((wide[arm] - wide["none"]).dropna()) for arm in others}
    return pd.DataFrame(rows, index=["value", "low", "high", "seeds"]).T


def _t(values):
    """Mean, its 95 % interval by Student's t, and the number of values, as a dict."""
    estimate = Estimate(values.mean() if len(values) else np.nan, np.nan, np.nan)
    if len(values) > 1:
        ends = scipy.stats.t.interval(0.95, len(values) - 1, values.mean(), values.sem())
        estimate = Estimate(estimate.value, *ends)
    return estimate._asdict() | {"seeds": len(values)}


# ---------------------------------------------------------------- tables and scores
@door(judged=JUDGED, percent=PERCENT)
def verdict_table(judged, percent):
    """Differences and verdicts as text: a row per pair of arms, a column per finding; grey: no verdict."""
    part = judged[judged["percent"] == percent] if len(judged) else judged
    cells = {}
    for row in part.to_dict("records"):
        text = f"{row['value']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f}), {row['verdict']}"
        cells.setdefault(f"{row['first']} − {row['second']}", {})[row["finding"]] = text
    table = pd.DataFrame(cells).T.reindex(columns=list(COLUMNS))
    silent = ("no headroom", "too few seeds")
    return table.style.map(lambda text: "opacity: 0.75" if str(text).endswith(silent) else "")


@door(table=CELLS, percent=PERCENT)
def scores_to_record(table, percent):
    """{"<arm>/<finding>": Estimate} of the arms with at least LEAST_SEEDS seeds; "macro", the mean of all
    findings, has an interval over seeds alone."""
    rows = table[table["percent"] == percent].groupby("arm")
    seeds, scores = rows["seed"].nunique(), mean_scores(table, percent)
    if "macro" in table:
        for arm, values in rows["macro"]:
            scores[arm]["macro"] = _t_estimate(values.to_numpy(float))[0]
    return {
        f"{arm}/{column}": estimate
        for arm, row in scores.items()
        for column, estimate in row.items()
        if seeds[arm] >= LEAST_SEEDS
    }
