"""The self-checks of chapter 9, reading a paper with its code open; what a check is stands in `check`."""

import re

import numpy as np

from .. import paper_faults
from .check import check

# The script of exercise 4: why a line is a fault, or why it is not.
FAULTS = {
    "D": "the generator learns from every film with the finding, the test patients' included",
    "F": "validation is drawn film by film, after the synthetic films were mixed in",
    "G": "equal epochs: the arm with more films takes more steps",
    "I": "the learning rate is chosen by the test score that is then reported",
}
INNOCENT = {
    "A": "it reads a table",
    "B": "it draws whole patients from a seeded generator",
    "C": "these are all films of the patients that are not in the test",
    "E": "the films are drawn for one finding; nothing is wrong with that",
    "H": "it looks the finding up by its name",
}


@check  # exercise 1
def what_it_measures(function):
    """function(name, printed, columns) -> the finding whose labels the score printed as `name` is about."""
    for name in ("Lung Lesion", "Fracture", "Cardiomegaly"):
        answer = function(name, list(paper_faults.PRINTED), list(paper_faults.COLUMNS))
        place = paper_faults.PRINTED.index(name)
        if answer == paper_faults.COLUMNS[place]:
            continue
        if answer == name:
            return f"{name} is printed beside output {place}, and output {place} has another label"
        if answer == paper_faults.PRINTED[paper_faults.COLUMNS.index(name)]:
            return f"the other way round: you found the name under which {name} itself is printed"
        return f"{name} is printed beside output {place}; that is not {answer}"


@check  # exercise 2
def steps_taken(function):
    """function(films, added, epochs, batch) -> steps without, steps with them, fair number of epochs."""
    for films, added, epochs, batch in ((1713, 1550, 10, 16), (100, 100, 4, 10)):
        plain, augmented, fair = function(films, added, epochs, batch)
        steps = epochs * films / batch
        more = steps * (films + added) / films
        for arm, found, expected in (("without", plain, steps), ("with", augmented, more)):
            if not abs(found - expected) <= 0.02 * expected:  # a last batch that is not full may count or not
                return f"{epochs} epochs {arm} added films: {expected:.0f} steps, not {found:.0f}"
        if not abs(fair - epochs * films / (films + added)) <= 0.02 * epochs:
            return f"{fair:.1f} epochs with added films are not {steps:.0f} steps"


@check  # exercise 3
def winners_curse(function):
    """function(labels, settings, rng) -> mean test AUROC of the best of so many guessing networks."""
    labels = np.repeat([1.0, 0.0], [20, 180])
    for settings in (1, 6, 18):
        answer = function(labels, settings, np.random.default_rng(settings))
        if settings > 1 and abs(answer - 0.5) < 0.01:
            return "one half is the mean of the networks; what does the best of them score?"
        expected = _best_guess(labels, settings)
        if not abs(answer - expected) <= 0.02:
            return f"the best of {settings} that guess scores about {expected:.2f}, not {answer:.2f}"


def _best_guess(labels, settings):
    rng = np.random.default_rng(0)
    guesses = (rng.random((len(labels), settings)) for _ in range(200))
    return np.mean([paper_faults.area(labels, guess).max() for guess in guesses])


@check  # exercise 4
def audited_script(answer):
    """answer: the letters of the lines that are faults, such as "AC"."""
    said = re.sub(r"\bAND\b", "", (answer if isinstance(answer, str) else " ".join(answer)).upper())
    letters = {letter for letter in said if letter.isalpha()}
    strangers = letters - set(FAULTS) - set(INNOCENT)
    if strangers:
        return f"there is no line {', '.join(sorted(strangers))}"
    for letter in sorted(letters & set(INNOCENT)):
        return f"line {letter} is innocent: {INNOCENT[letter]}"
    missing = len(set(FAULTS) - letters)
    if missing:
        return f"what you found is right, but there are {missing} more"


@check  # exercise 5
def audit_with_sizes(answer):
    """answer: {what you looked at: "sound", or its size as (gain, low, high)}."""
    sizes = {what: found for what, found in answer.items() if found != "sound"}
    if len(sizes) == len(answer):
        return 'nothing is "sound": write down as carefully what you checked and found in order'
    if not sizes:
        return "no fault has a size: reproduce the most serious suspicion in miniature"
    for what, found in sizes.items():
        if isinstance(found, str) or len(found) != 3:
            return f'"{what}" is neither "sound" nor a gain with its interval, (gain, low, high)'
        gain, low, high = found
        if not low <= gain <= high:
            return f'of "{what}" the gain {gain} does not lie within {low} to {high}'
