"""What each fault of `paper_faults` was worth: the ledger of chapter 9, and the sentences on its numbers."""

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
        """A sentence: the largest illusion on test films, among validation's scores (EXAM), and the largest
        change on fresh patients (REAL). NAMING is in none of these groups."""
        if not self.rows:
            raise ValueError("the ledger is empty: note a fault first")
        size = self.table()["value"].astype(float).abs().dropna()
        if not len(size):
            raise ValueError("no fault in the ledger has a number: measure one on two benches or more")
        kinds = {"change on fresh patients": REAL, "error of a validation score": EXAM}
        groups = {what: size[size.index.isin(names)] for what, names in kinds.items()}
        groups = {"illusion on the test": size[~size.index.isin(REAL + EXAM + NAMING)]} | groups
        found = [f"largest {what}: **{part.idxmax()}**" for what, part in groups.items() if len(part)]
        return f"The {', the '.join(found)}. They hold for these films, this finding and these classifiers."

    def in_short(self):
        """The same without names, which the chapter asks its reader to predict."""
        rows = self.table()[["value", "low", "high"]].astype(float).dropna()
        shown = rows[(rows["low"] > 0) | (rows["high"] < 0)]
        most = f", the largest by {shown['value'].abs().max():.2f}" if len(shown) else ""
        return f"Faults that are measured here: {len(rows)}. Shown to move the AUROC: {len(shown)}{most}."


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


@door(brought=checks.estimates)
def what_copies_bring(brought):
    """A sentence on {"equal epochs", "equal steps": Estimate}: is a gain of mere copies shown?"""
    epochs, steps = brought["equal epochs"], brought["equal steps"]
    said = f"At equal epochs the copies 'bring' {size(epochs)}; at equal steps {size(steps)}. "
    if epochs.low > 0:
        return said + "A gain by more steps alone is shown."
    return said + "The first interval holds zero: a gain by more steps alone is not shown with these films."
