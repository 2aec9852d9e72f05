"""Which films to make: label rows drawn from CheXpert's real table, and the hidden truth behind their labels.

A label row has the columns of `chexpert.read`. The truth has one row per film: seed, film and patient number
(all a film depends on), and for each finding the severity that is drawn, 0 where it is absent:

label 1         drawn, severity .3 to 1
label 0, blank  not drawn; a blank finding is one the report does not mention, and here it is truly absent
label -1        drawn at even odds, at low severity (.1 to .35)
"""

from functools import lru_cache

import numpy as np
import pandas as pd

from .. import checks, chexpert

DRAWABLE = chexpert.FINDINGS[1:]  # all but No Finding
CHILDREN = ("Edema", "Consolidation", "Pneumonia", "Atelectasis", "Lung Lesion")  # opacities with a name
IMPLIES_OPACITY = ("Consolidation", "Pneumonia")
MOST = 10_000_000  # films of a set; more is a slip of the hand
VIEWS = ("frontal", "lateral", "all")


@lru_cache(maxsize=3)
def _table(views):
    """CheXpert's rows of a view, sorted by patient; the 17 films of odd views and unknown sex left out."""
    table = chexpert.label_table(views=views)
    table = table[table.view.isin(["AP", "PA", "Lateral"]) & table.sex.isin(["Female", "Male"])]
    return table.drop(columns="path").reset_index(drop=True)


@checks.door()
def draw_rows(n, seed=0, views="frontal", prevalence="real", rare_boost=1.0):
    """`n` label rows of CheXpert, whole patients at a time, under new patient numbers.

    prevalence: "real" (patients as they come) or "balanced" (every finding, and none, as often as any other);
    rare_boost: how much likelier than others a patient with one of the three rare findings is drawn.
    Beyond the length of the real table its patients come again, with other anatomies.
    """
    check(n, views, prevalence, rare_boost)
    table = _table(views)
    parts, rounds = [], 0
    while sum(map(len, parts)) < n:
        rng = np.random.default_rng([seed, 0, rounds])
        take = n - sum(map(len, parts))
        parts.append(
            _balanced(table, take, rng)
            if prevalence == "balanced"
            else _patients(table, take, rare_boost, rng)
        )
        parts[-1]["group"] = list(zip([rounds] * len(parts[-1]), parts[-1]["group"], strict=True))
        rounds += 1
    rows = pd.concat(parts, ignore_index=True)
    return _number(_consistent(rows))


def check(n, views, prevalence, rare_boost):
    """Raise ValueError for settings that no rows can be drawn with."""
    if isinstance(n, bool) or not (isinstance(n, int | np.integer) and 0 < n <= MOST):
        raise ValueError(f"{checks.told(n)} films: expected a whole number above 0, at most {MOST}")
    checks.one_of(*VIEWS)("views", views)
    checks.one_of("real", "balanced")("prevalence", prevalence)
    checks.number(above=0)("rare_boost", rare_boost)


def _patients(table, n, rare_boost, rng):
    """Whole patients in random order until `n` rows are reached (the last patient may be cut)."""
    code, patients = pd.factorize(table.patient)
    rare = np.zeros(len(patients), bool)
    rare[code[(table[list(chexpert.RARE)] == 1).any(axis=1)]] = True
    key = rng.exponential(size=len(patients)) / np.where(
        rare, rare_boost, 1.0
    )  # weighted, without replacement
    rank = key.argsort().argsort()[code]
    chosen = np.argsort(rank, kind="stable")[:n]
    return table.iloc[chosen].assign(group=code[chosen])


def _balanced(table, n, rng):
    """Rows picked for one finding after the other, each as a patient of its own."""
    names = [chexpert.FINDINGS[i % len(chexpert.FINDINGS)] for i in range(n)]
    fits = {name: np.flatnonzero(table[name] == 1) for name in chexpert.FINDINGS}
    chosen = [rng.choice(fits[name]) for name in names]
    return table.iloc[chosen].assign(group=range(n), study=1)


def _consistent(rows):
    """Apply CheXpert's hierarchy: consolidation and pneumonia are opacities; No Finding excludes others."""
    rows = rows.copy()
    rows.loc[(rows[list(IMPLIES_OPACITY)] == 1).any(axis=1), "Lung Opacity"] = 1.0
    others = [name for name in DRAWABLE if name != "Support Devices"]
    rows.loc[(rows[others] == 1).any(axis=1), "No Finding"] = np.nan
    return rows


def _number(rows):
    """Give patients, studies and views their new numbers, and films their paths."""
    rows["patient_number"] = pd.factorize(rows.group)[0] + 1
    studies = rows[["patient_number", "study"]].drop_duplicates()
    number = studies.groupby("patient_number").cumcount() + 1  # in the order in which they come
    study = pd.MultiIndex.from_frame(studies)
    rows["study"] = number.set_axis(study).reindex(pd.MultiIndex.from_frame(rows[studies.columns])).to_numpy()
    view = rows.groupby(["patient_number", "study"]).cumcount() + 1
    kind = np.where(rows.view == "Lateral", "lateral", "frontal")
    rows["patient"] = [f"patient{number:05d}" for number in rows.patient_number]
    rows["path"] = [
        f"train/{p}/study{s}/view{v}_{k}.jpg"
        for p, s, v, k in zip(rows.patient, rows.study, view, kind, strict=True)
    ]
    return rows[["path", "patient", "study", "view", "sex", "age", *chexpert.FINDINGS]]


def plan(n, seed=0, rare=None):
    """Label rows for experiments: as `draw_rows`, with the rare findings placed at will.

    rare: None leaves the rare labels as they come. A share (.04), or a dict {finding: number of films},
    clears all rare labels and then adds exactly one rare finding to that many rows picked by chance, so
    that the finding itself has to be seen and not its company.
    """
    rows = draw_rows(n, seed)
    if rare is None:
        return rows
    if not isinstance(rare, dict):
        checks.number(0, 1)("rare", rare)
        rare = dict.fromkeys(chexpert.RARE, round(rare * n))
    for finding, count in rare.items():
        checks.one_of(*chexpert.RARE)("rare", finding)
        checks.whole(0)(finding, count)
    if sum(rare.values()) > n:
        raise ValueError(f"rare={rare} in {n} films: expected counts of {chexpert.RARE} that fit together")
    rows[list(chexpert.RARE)] = 0.0
    order = np.random.default_rng([seed, 4]).permutation(n)
    start = 0
    for finding, count in rare.items():
        rows.loc[order[start : start + count], finding] = 1.0
        start += count
    return _consistent(rows)


@checks.door(
    findings=checks.names(*chexpert.FINDINGS),
    each=checks.whole(1, MOST),
    view=checks.one_of("AP", "PA", "Lateral"),
)
def one_each(findings, each=1, view="PA"):
    """Label rows of a single finding: `each` rows of the first, then as many of the next, for `sample`."""
    rows = pd.DataFrame(np.eye(len(findings)).repeat(each, axis=0), columns=list(findings))
    return rows.assign(view=view)


@checks.door(labels=checks.table(least=0))
def from_labels(labels):
    """Complete label rows from a DataFrame that may hold only some findings.

    Columns: any finding by its CheXpert name (1, 0, -1 or nan; absent columns: 0), and if given view, sex,
    age, patient, study; without patients, each row is a new one. Raises ValueError for others.
    """
    known = ["path", "patient", "study", "view", "sex", "age", *chexpert.FINDINGS]
    unknown = [name for name in labels.columns if name not in known]
    if unknown:
        raise ValueError(f"unknown finding {unknown}: the columns can be {known}")
    rows = labels.reset_index(drop=True).copy()
    for name in chexpert.FINDINGS:
        if name not in rows:
            rows[name] = np.nan if name == "No Finding" else 0.0
    wrong = rows[chexpert.FINDINGS].notna() & ~rows[chexpert.FINDINGS].isin([1, 0, -1])
    if wrong.any(axis=None):
        raise ValueError(f"labels must be 1, 0, -1 or blank; others in {list(wrong.columns[wrong.any()])}")
    rows[chexpert.FINDINGS] = rows[chexpert.FINDINGS].astype(float)
    for name, default in (("view", "PA"), ("sex", "Female"), ("age", 60.0), ("study", 1)):
        if name not in rows:
            rows[name] = default
    if not (rows.view.isin(["AP", "PA", "Lateral"]).all() and rows.sex.isin(["Female", "Male"]).all()):
        raise ValueError("view must be AP, PA or Lateral, and sex Female or Male")
    if not pd.to_numeric(rows.age, errors="coerce").between(0, 130).all():
        raise ValueError("age must be a number of years in every row, 0 to 130")
    if blank := [name for name in ("patient", "study") if name in rows and rows[name].isna().any()]:
        raise ValueError(f"{blank[0]} is blank in a row: expected one in every row, or no such column")
    rows["group"] = rows["patient"] if "patient" in rows else range(len(rows))
    return _number(_consistent(rows))


@checks.door(rows=checks.table("patient", *DRAWABLE))
def draw_truth(rows, seed=0):
    """The truth behind label rows: seed, film, patient number, and each finding's severity (see above)."""
    labels = rows[DRAWABLE].to_numpy(float)
    chance = np.empty((len(rows), 2, len(DRAWABLE)))
    for film in range(len(rows)):
        np.random.default_rng([seed, 5, film]).random(out=chance[film])
    sure = 0.3 + 0.7 * np.sqrt(chance[:, 1])  # square root: more severe ones than mild ones
    severity = np.where(labels == 1, sure, 0.0)
    severity = np.where((labels == -1) & (chance[:, 0] < 0.5), 0.1 + 0.25 * chance[:, 1], severity)
    truth = pd.DataFrame(severity, columns=DRAWABLE)
    implied = truth[list(IMPLIES_OPACITY)].max(axis=1)
    truth["Lung Opacity"] = np.maximum(truth["Lung Opacity"], implied)
    number = rows.patient.str.removeprefix("patient").astype(int).to_numpy()
    truth.insert(0, "number", number)
    truth.insert(0, "film", range(len(rows)))
    truth.insert(0, "seed", seed)
    return truth.round(4)
