"""What the cells of `real_cells` say: out-of-fold AUROC with intervals over seeds and patients, differences
between arms, Holm's correction, and the sentences that the book prints.

    summary = real_results.summary(labels, scores, patients)      # what studies/real_cells.py writes
    real_results.table(summary) ; real_results.verdict(summary)   # what chapter 6 shows
"""

import numpy as np
import pandas as pd

from ..checks import door, each, listed, named, numbers, shaped, told
from ..checks import table as table_of
from ..metrics import LEAST_SEEDS, first_look, interval
from ..metrics.classification import _bootstrap, _weighted_auroc
from ..real_trial import LABELLED as FINDINGS
from ..real_trial import NOT_RUN
from .real_cells import ARMS, FOLDS, RARE

CONTROLS = {  # an arm, and those that it must beat
    "standard": ("none",),
    "duplicate": ("none",),
    "duplicate + standard": ("standard",),
    "stargan": ("duplicate", "none"),
    "lesion_gan": ("duplicate", "none"),
    "pretrained": ("standard",),
}
SETS = {**{f: (f,) for f in FINDINGS}, "rare two": RARE, "all nine": FINDINGS}
SUMMARY = table_of("arm", "against", "finding", "value", "low", "high", "p_holm", "seeds")
FAMILY = (*RARE, "all nine")  # whose differences are printed: one family for Holm


def _folds(name, value):
    listed(name, value)
    if not np.isin(np.asarray(value), range(FOLDS)).all():
        raise ValueError(f"{name} are {told(value)}: expected 0 to {FOLDS - 1}")


@door(logits=shaped("n", "F"), folds=_folds)
def ranks_in_fold(logits, folds):
    """(n, F) logits as ranks within each fold, 0 to 1: five classifiers have five scales."""
    if len(folds) != len(logits):
        raise ValueError(f"{len(folds)} folds and {len(logits)} rows of logits: expected one each")
    ranks = np.empty(np.shape(logits))
    for fold in range(FOLDS):
        inside = np.asarray(folds) == fold
        ranks[inside] = pd.DataFrame(np.asarray(logits)[inside]).rank(pct=True).to_numpy()
    return ranks


@door(labels=shaped("n"), patients=listed)
def resampled(labels, scores, patients, seed=0):
    """AUROC of one finding, once as it is and in every resample: value, (R,).

    labels: (n,) 0 or 1; scores: (S, n), one row a training seed. Each resample draws patients with
    replacement and, apart from them, one training seed fewer than there are, as `verdicts` does: an arm must
    be better for other patients *and* for other first weights. All seeds and arms meet the same draws.
    """
    pairs = [_bootstrap(_weighted_auroc, labels, row, patients, seed) for row in np.asarray(scores)]
    values, each = [value for value, _ in pairs], np.stack([draws for _, draws in pairs])  # (S,), (S, R)
    count = max(1, len(each) - 1)
    drawn = np.random.default_rng([seed, 1]).integers(len(each), size=(each.shape[1], count))
    return float(np.mean(values)), each[drawn.T, np.arange(each.shape[1])].mean(0)


def _draws(name, value):
    shaped("R")(name, value)
    if not np.isfinite(value).any():
        raise ValueError(f"{name} holds no number: expected the resamples of a difference")


@door(differences=_draws)
def p_value(differences):
    """Two-sided, from the resamples of a difference; never below one in their number."""
    differences = differences[np.isfinite(differences)]
    beyond = min((differences <= 0).mean(), (differences >= 0).mean())
    return float(min(1.0, 2 * max(beyond, 1 / len(differences))))


@door(values=numbers(0, 1))
def holm(values):
    """Holm's step-down correction (1979) of p-values, in their order."""
    values = np.asarray(values, dtype=float)
    order, corrected, worst = np.argsort(values), np.empty(len(values)), 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = worst
    return corrected


@door(labels=table_of(*FINDINGS), scores=each(named), patients=listed)
def summary(labels, scores, patients, seed=0):
    """One row per arm and finding, and per difference: arm, against, finding, value, low, high, p, p_holm.

    labels: DataFrame (n, findings); scores: {arm: {training seed: (n, F) ranks, columns as labels}};
    patients: (n,). A difference uses the training seeds that both arms have.
    """
    if len(patients) != len(labels):
        raise ValueError(f"{len(patients)} patients for {len(labels)} films: expected one each")
    rows = []
    for arm, of_seed in scores.items():
        rows += _rows(arm, "", labels, of_seed, None, patients, seed)
        for control in CONTROLS.get(arm, ()):
            shared = sorted(set(of_seed) & set(scores.get(control, ())))
            if shared:
                first, second = ({s: given[s] for s in shared} for given in (of_seed, scores[control]))
                rows += _rows(arm, control, labels, first, second, patients, seed)
    table = pd.DataFrame(rows)
    family = (table["against"] != "") & table["finding"].isin(FAMILY)
    table.loc[family, "p_holm"] = holm(table.loc[family, "p"])
    return table


def _rows(arm, against, labels, first, second, patients, seed):
    """The rows of one arm, or of its difference to another, for every finding and both means."""
    of_finding = {}
    for finding in FINDINGS:
        column, truth = list(labels).index(finding), labels[finding].to_numpy()
        pair = [np.stack([s[:, column] for s in part.values()]) for part in (first, second) if part]
        drawn = [resampled(truth, part, patients, seed) for part in pair]
        of_finding[finding] = drawn[0] if len(drawn) == 1 else [a - b for a, b in zip(*drawn, strict=True)]
    rows = []
    for name, members in SETS.items():
        value = np.mean([of_finding[f][0] for f in members])
        draws = np.mean([of_finding[f][1] for f in members], axis=0)
        estimate = interval(value, draws)
        row = {"arm": arm, "against": against, "finding": name} | estimate._asdict()
        row |= {"p": p_value(draws) if second else np.nan, "seeds": len(first), "films": len(labels)}
        rows.append(row | {"positives": int(np.nansum(labels[list(members)].to_numpy()))})
    return rows


# ---------------------------------------------------------------- what the book shows
@door(summary=SUMMARY, findings=listed)
def table(summary, findings=(*RARE, "all nine")):
    """Arms down, findings across: "0.712 (0.68 to 0.74)". A DataFrame of text."""
    alone = summary[summary["against"].fillna("").eq("") & summary["finding"].isin(findings)]
    text = [f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})" for row in alone.itertuples()]
    wide = alone.assign(text=text).pivot(index="arm", columns="finding", values="text")
    return wide.loc[list(dict.fromkeys(alone["arm"])), list(findings)]


@door(summary=SUMMARY)
def differences(summary):
    """Arm minus control down, the printed findings across: "+0.021 (0.006 to 0.035)". A DataFrame of text."""
    chosen = _family(summary)
    text = [f"{row.value:+.3f} ({row.low:+.3f} to {row.high:+.3f})" for row in chosen.itertuples()]
    names = chosen["arm"] + " minus " + chosen["against"]
    wide = chosen.assign(text=text, name=names).pivot(index="name", columns="finding", values="text")
    return wide.loc[list(dict.fromkeys(names)), list(FAMILY)].rename_axis(None)


def _family(summary):
    return summary[summary["against"].fillna("").ne("") & summary["finding"].isin(FAMILY)]


def verdict(summary):
    """What may be said of the printed differences, in Markdown; "better": p < .05 after Holm, and no fewer
    than LEAST_SEEDS seeds. summary None: the table has not been made, and the sentence says so.
    """
    if summary is None:
        return NOT_RUN.format(command="python studies/real_cells.py cells")
    SUMMARY("summary", summary)
    chosen = _family(summary)
    enough, lines = chosen["seeds"] >= LEAST_SEEDS, []
    for row in chosen[enough].itertuples():
        if row.p_holm < 0.05:
            word = "better" if row.value > 0 else "worse"
            lines.append(f"- {_named(row)}: **{row.arm} is {word}**.")
    if rest := int(enough.sum()) - len(lines):
        lines.append(f"- {rest} of {len(chosen)} differences: no difference is shown, after Holm.")
    for seeds, rows in chosen[~enough].groupby("seeds"):
        hints = "; ".join(_named(row) for row in rows[rows["p_holm"] < 0.05].itertuples())
        lines.append(
            f"- {len(rows)} of {len(chosen)} differences, {first_look(seeds)}. With p < .05 after Holm over "
            f"{len(chosen)}, so worth more seeds: {hints or 'none'}."
        )
    return "\n".join(lines)


def _named(row):
    return (
        f"{row.finding}, *{row.arm}* minus *{row.against}* {row.value:+.3f} ({row.low:+.3f} to "
        f"{row.high:+.3f}), p = {row.p_holm:.2g}"
    )


@door(summary=SUMMARY)
def progress(summary):
    """A sentence: which arms are in the table, of how many seeds, and which are not finished."""
    alone = summary[summary["against"].fillna("").eq("")]
    seeds = alone.groupby("arm", sort=False)["seeds"].first()
    missing = [arm for arm in ARMS if arm not in seeds.index]
    text = f"Finished, with seeds: {', '.join(f'{arm} {count}' for arm, count in seeds.items())}."
    return text + (f" **Not run yet: {', '.join(missing)}.**" if missing else "")
