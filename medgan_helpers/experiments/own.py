"""Three arms on films of your own: the ones that need neither marks nor films on demand.

    found = own.run(films, profile, seeds=(0, 1))     # films: session.films()
    own.table(found) ; own.verdict(rows, seeds) ; own.checklist(found, films)
    own.report(found, films, prediction)              # Markdown to hand in

Chapter 6 trains the arms on your data set, the capstone makes a report of them. A finding that your data do
not label is masked: unknown, not absent.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import artifacts, augmentation, chexpert, metrics, repair_trial
from ..checks import data_set, door, every, having, switch, text, whole
from ..checks import table as table_of
from ..images import signed_batch
from .films import only
from .trial import train_classifier

ARMS = ("none", "standard", "duplicate")
PROFILE = having("batch_size", "grid_steps", kind="a profile, as session.start gives it")
JUDGED = table_of("value", "low", "high", rows=[f"{arm} − none" for arm in ARMS[1:]])
FOUND = having("truth", "guesses", kind="what own.run found")
LEAST = 4  # films with a finding, and without, that a test must hold to score it


@dataclass(frozen=True)
class Found:
    """What the arms said of the films of patients that they never saw."""

    findings: list  # that the test can score
    truth: np.ndarray  # (n, findings) 0, 1, nan
    patients: np.ndarray  # (n,)
    guesses: dict  # {arm: (seeds, n, findings)}
    steps: dict  # {arm: optimiser steps of each seed}
    repeated: list  # findings whose films `duplicate` repeats


@door(films=data_set)
def repeated(films):
    """The findings that `duplicate` repeats: the course's rare ones, else the three rarest here."""
    count = films.labels(films.splits["train"])[chexpert.FINDINGS[1:]].sum()
    count = count[count >= 2].sort_values()
    return [name for name in chexpert.RARE if name in count] or list(count.index[:3])


@door(films=data_set, profile=PROFILE)
def train(films, profile, seed):
    """{arm: classifier}, trained on the training patients for the same number of steps."""
    part = films.store.subset(films.splits["train"])
    targets, size = films.labels(part.frame), profile.batch_size
    rows = {n: np.resize(np.flatnonzero(targets[n] == 1), profile.grid_extra) for n in repeated(films)}
    more = films.store.subset(pd.concat([part.frame, *(part.frame.iloc[r] for r in rows.values())]))
    labels = pd.concat([targets, *(only(n, len(r)) for n, r in rows.items())]).set_axis(more.frame.index)
    batches = {
        "none": part.batches(size, seed, labels=targets),
        "standard": augmentation.Augmented(part.batches(size, seed, labels=targets), seed=seed),
        "duplicate": more.batches(size, seed, labels=labels),
    }
    return {a: train_classifier(b, profile.grid_steps, profile.preset, seed) for a, b in batches.items()}


@door(films=data_set)
def unseen(films):
    """The films of validation and test patients together: nothing is chosen here, so both are a test."""
    return films.store.subset(pd.concat([films.splits["valid"], films.splits["test"]]))


def _resolved(name, value):
    table_of(*chexpert.FINDINGS[1:], least=0)(name, value)
    if (value[list(chexpert.FINDINGS[1:])] == -1).any(axis=None):
        raise ValueError(f"{name} hold -1, uncertain: expected 0, 1 or nan, as chexpert.labels makes them")


@door(labels=_resolved)
def scorable(labels):
    """The findings that at least LEAST films have, and LEAST lack; labels: DataFrame, nan is not known."""
    known, positive = labels.notna().sum(), labels.sum()
    return [n for n in chexpert.FINDINGS[1:] if LEAST <= positive[n] <= known[n] - LEAST]


@door(films=data_set, profile=PROFILE, seeds=every(whole(0)))
def run(films, profile, seeds=(0, 1)):
    """Train the three arms with each seed; let them read the films of patients that they never saw.

    Raises ValueError where no finding is labelled, present and absent often enough to be scored.
    """
    test = unseen(films)
    labels = films.labels(test.frame)
    findings = scorable(labels)
    if not findings:
        raise ValueError(
            f"none of the findings has {LEAST} films with it and {LEAST} without among the {len(test)} films "
            "of validation and test patients: bring more films, or more labels"
        )
    pictures, columns = signed_batch(test[:]), [chexpert.FINDINGS.index(n) for n in findings]
    guesses, steps = {arm: [] for arm in ARMS}, {arm: [] for arm in ARMS}
    for seed in seeds:
        for arm, model in train(films, profile, seed).items():
            guesses[arm].append(model.logits(pictures).numpy()[:, columns])
            steps[arm].append(model.steps_done)
    guesses = {arm: np.stack(logits) for arm, logits in guesses.items()}
    patients = test.frame.patient.to_numpy()
    return Found(findings, labels[findings].to_numpy(), patients, guesses, steps, repeated(films))


# ---------------------------------------------------------------- what it says
@door(found=FOUND)
def table(found):
    """Mean AUROC of each arm, and each minus none, paired: columns value, low, high (seeds and patients)."""
    guesses, facts = found.guesses, (found.truth, found.patients)
    rows = {arm: repair_trial.mean_auroc(logits, *facts) for arm, logits in guesses.items()}
    rows |= {
        f"{arm} − none": repair_trial.mean_auroc(guesses[arm], *facts, guesses["none"]) for arm in ARMS[1:]
    }
    return pd.DataFrame(rows, index=["value", "low", "high"]).T


@door(rows=JUDGED, seeds=whole())
def verdict(rows, seeds):
    """What may be said of each difference in `table`, of so many seeds, in Markdown."""
    lines = []
    for name, row in rows.loc[[f"{arm} − none" for arm in ARMS[1:]]].iterrows():
        arm = name.split(" ")[0]
        said = "helps" if row.low > 0 else "harms" if row.high < 0 else ""
        said = f"**{arm} {said}**" if said else "nothing is shown"
        said = metrics.first_look(seeds) if seeds < metrics.LEAST_SEEDS else said
        lines.append(f"- {name}: {row.value:+.3f} ({row.low:+.3f} to {row.high:+.3f}): {said}.")
    return "\n".join(lines)


@door(films=data_set)
def copies(films):
    """Number of test films whose pixels are those of a training film, of whatever patient."""

    def prints(store):
        return [hashlib.sha256(film.tobytes()).digest() for film in store[:]]

    trained = set(prints(films.store.subset(films.splits["train"])))
    return sum(print_ in trained for print_ in prints(unseen(films)))


@door(films=data_set)
def looks(films):
    """How often a report on these films was begun on this machine, this time included; kept below build/."""
    mark = hashlib.sha256("".join(sorted(films.frame.path)).encode()).hexdigest()[:12]
    path = artifacts.folder("results") / f"looks-{mark}.json"
    try:
        count = 1 + (int(path.read_text()) if path.exists() else 0)
    except ValueError as error:
        raise ValueError(f"{path} holds no number: write there how often you have looked") from error
    artifacts.write_json(path, count)
    return count


@door(found=FOUND, films=data_set, looked=whole(), shipped=switch)
def checklist(found, films, looked, shipped=False):
    """Chapter 9's checklist as this run answers it: DataFrame question, answer, good (None: yours).

    looked: as from `looks`; shipped: the real films that the course carries, which other chapters score too.
    """
    often = f"{looked} times on this machine" + (
        "; chapters 4 and 7 scored these films too" if shipped else ""
    )
    parts = {name: set(frame.patient) for name, frame in films.splits.items()}
    shared = len(parts["train"] & (parts["valid"] | parts["test"]))
    positives = pd.Series(np.nansum(found.truth, 0), found.findings)
    fewest, seeds, same = positives.idxmin(), len(found.guesses["none"]), copies(films)
    done = {step for steps in found.steps.values() for step in steps}
    commit = artifacts.provenance()["commit"] or "unknown"
    rows = [
        ("Are names joined by name?", f"{len(found.findings)} findings, looked up in CheXpert's list", True),
        ("How many positives stand behind it?", f"fewest: {fewest}, {positives[fewest]:.0f} films",
         bool(positives.min() >= 30)),
        ("Is there an interval, and are differences paired?", "over patients and seeds, paired", True),
        ("Split by patient?", f"{shared} patients on both sides", shared == 0),
        ("Are test films among the training films?", f"{same} with the same pixels", same == 0),
        ("Test on real films only?", "no film is made here; duplicate repeats training films", True),
        ("How often was the test looked at?", often, looked == 1 and not shipped),
        ("Equal optimizer steps?", " and ".join(map(str, sorted(done))), len(done) == 1),
        ("A control that needs no generator?", f"duplicate: {', '.join(found.repeated)}", True),
        ("How many seeds?", str(seeds), seeds >= metrics.LEAST_SEEDS),
        ("Which commit made the table?", commit, commit != "unknown"),
        ("What are these films no sample of?", "you know, the run does not", None),
        ("Who allowed their use?", "you know, the run does not", None),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["question", "answer", "good"])


@door(
    found=FOUND, films=data_set, prediction=text, rows=JUDGED, checks=table_of("question", "answer", "good")
)
def report(found, films, prediction, rows, checks):
    """The report to hand in, Markdown: films, prediction, table, verdict, checklist, limits."""
    marks = {True: "yes", False: "**no**", None: "*for you to answer*"}
    numbers = "\n".join(f"| {n} | {r.value:.3f} | {r.low:.3f} to {r.high:.3f} |" for n, r in rows.iterrows())
    listed = "\n".join(f"| {r.question} | {r.answer} | {marks[r.good]} |" for r in checks.itertuples())
    unknown = ", ".join(films.unlabelled) or "none"
    return f"""# Report

{len(films.frame):,} films of {films.frame.patient.nunique():,} patients, {len(found.truth)} of them read by \
classifiers that never saw their patient. Not labelled, so unknown: {unknown}. Not for diagnosis.

**Predicted before the run:** {prediction.strip() or "*nothing was written down*"}

Mean AUROC of {len(found.findings)} findings: {", ".join(found.findings)}.

| arm | value | 95 % interval |
| --- | --- | --- |
{numbers}

{verdict(rows, len(found.guesses["none"]))}

| question | answer | good? |
| --- | --- | --- |
{listed}

What this report does not say: whether it holds at another hospital, with a larger network, or for more steps.
"""
