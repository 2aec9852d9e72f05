"""What each fault of `paper_faults` was worth: the ledger of chapter 9, and the sentences on its numbers."""

import numpy as np
import pandas as pd

from .. import artifacts, checks
from ..checks import door, whole, words

# Measured on fresh patients: real differences, under a wrong heading
REAL = ("equal epochs", "squeezed synthetic films", "no duplicate control")
EXAM = ("synthetic films in validation", "validation split by film")  # scores that no table should show
NAMING = ("names swapped",)  # another finding's score: not to be compared in size with what moves one


class Ledger:
    """What each fault was worth: kept for the table at the end, and among the course's scores."""

    def __init__(self):
        self.rows = {}

    @door(fault=words, estimate=checks.estimate, what=words, protects=words, n=whole(0))
    def note(self, fault, estimate, what, protects, n):
        """Keep one fault's Estimate; what: in words, what was measured; protects: what prevents it."""
        said = {"what is measured here": what, "what protects you": protects}
        found = {name: getattr(estimate, name) for name in ("value", "low", "high")}
        self.rows[fault] = said | found
        artifacts.record(f"audit/{fault}", **found, n=n, unit="AUROC")

    def table(self):
        """One row a fault: value, low, high, and the words."""
        return pd.DataFrame(self.rows).T

    def largest(self):
        """A sentence: the largest illusions on test films, changes on fresh patients (REAL) and errors among
        validation's scores (EXAM), of those that are shown. NAMING is in none of these groups."""
        if not self.rows:
            raise ValueError("the ledger is empty: note a fault first")
        rows = self.table()[["value", "low", "high"]].astype(float).dropna()
        if not len(rows):
            raise ValueError("no fault in the ledger has a number: measure one on two benches or more")
        kinds = {"Change on fresh patients": REAL, "Error of a validation score": EXAM}
        groups = {what: rows[rows.index.isin(names)] for what, names in kinds.items()}
        groups = {"Illusion on the test": rows[~rows.index.isin(REAL + EXAM + NAMING)]} | groups
        found = [_most(what, part) for what, part in groups.items() if len(part)]
        return " ".join([*found, "This holds for these films, this finding and these classifiers."])

    def in_short(self):
        """The same without names, which the chapter asks its reader to predict."""
        rows = self.table()[["value", "low", "high"]].astype(float).dropna()
        return f"Faults that are measured here: {len(rows)}. Shown to move the AUROC: {len(_shown(rows))}."


def _shown(rows):
    """The rows whose interval does not hold 0."""
    return rows[(rows["low"] > 0) | (rows["high"] < 0)]


def _most(what, rows):
    """Which of one kind is the largest that is shown; alike: each value lies in the interval of the other."""
    shown = _shown(rows)
    if not len(shown):
        return f"{what}: none is shown."
    ends = np.sort(shown[["low", "high"]].mul(np.sign(shown["value"]), axis=0))  # sizes, whatever their sign
    sizes = pd.DataFrame({"value": shown["value"].abs(), "low": ends[:, 0], "high": ends[:, 1]})
    top = sizes.loc[sizes["value"].idxmax()]
    holds_top = (sizes["low"] <= top["value"]) & (top["value"] <= sizes["high"])
    alike = holds_top & sizes["value"].between(top["low"], top["high"])
    names = [f"**{name}** ({value:.2f})" for name, value in sizes["value"][alike].items()]
    if len(names) > 1:
        return f"{what}: {', '.join(names[:-1])} and {names[-1]} are alike."
    return f"{what}: {names[0]} is the largest that is shown."


@door(estimate=checks.estimate)
def size(estimate):
    """An estimate in words: **+.012** (-.003 to +.027)."""
    return f"**{estimate.value:+.3f}** ({estimate.low:+.3f} to {estimate.high:+.3f})"


@door(skills=checks.estimates)
def what_the_bench_reads(skills):
    """A sentence on {finding: Estimate of AUROC on fresh patients}: can the faults be told from noise?"""
    parts = [f"{name} **{e.value:.2f}** ({e.low:.2f} to {e.high:.2f})" for name, e in skills.items()]
    blind = [name for name, estimate in skills.items() if not estimate.low > 0.5]
    sentence = f"Without any fault the bench reads, on fresh patients: {', '.join(parts)}. "
    if blind:
        return sentence + f"It does not read {' and '.join(blind)}: no fault measured there means anything."
    return sentence + "It reads: a change of this score can mean something."


@door(test=checks.estimate, fresh=checks.estimate)
def what_the_leak_was(test, fresh):
    """A sentence on the leak's gain on the test and on fresh patients, two Estimates."""
    said = f"On the test the leak is worth {size(test)}, on fresh patients {size(fresh)}. "
    if test.value != test.value or fresh.value != fresh.value:  # nan: fewer than two benches
        return said + "One of the two was not measured: nothing follows."
    if test.low > 0 and test.low > fresh.high:
        return said + "The classifier has met the test patients: that is recognition, not skill."
    return said + "The two intervals overlap: these benches do not tell recognition from skill."


@door(lost=checks.estimates)
def what_the_winner_loses(lost):
    """A sentence on {films in the test: Estimate of the lead that is lost on fresh patients}."""
    parts = [f"with {films} test films by {size(estimate)}" for films, estimate in lost.items()]
    melts = all(estimate.low > 0 for estimate in lost.values())
    head = "the winner's lead melts" if melts else "the winner's lead is not always shown to melt"
    return f"When fresh patients come, {head}: {', '.join(parts)}."


@door(blends=checks.estimate, known=checks.estimate)
def what_the_loss_shows(blends, known):
    """A sentence on the change of a validation loss, two Estimates, each against real films of others: with
    blends of these patients added, and on a share of the augmented training set."""
    told = f"With blends of *other* patients the loss changes by {size(blends)}"
    rest = f"with films of patients that the network knows as well, by {size(known)}"
    if not blends.high < 0:
        fall = "that it falls is not shown"
        owed = "the fall comes with the known patients" if known.high < 0 else "no fall is shown there either"
        return f"{told}: {fall}; {rest}: {owed}."
    more = ": most of it comes with the known patients" if known.value < 2 * blends.value else ""
    return f"{told}: it falls by blends alone; {rest}{more}."


@door(brought=checks.estimates)
def what_copies_bring(brought):
    """A sentence on {"equal epochs", "equal steps": Estimate}: is a gain of mere copies shown?"""
    epochs, steps = brought["equal epochs"], brought["equal steps"]
    said = f"At equal epochs the copies 'bring' {size(epochs)}; at equal steps {size(steps)}. "
    if epochs.low > 0:
        return said + "A gain by more steps alone is shown."
    return said + "The first interval holds zero: a gain by more steps alone is not shown with these films."
