"""Would you be fooled? A blinded test: two films side by side, one of them synthetic. Which one?

    test = reader_study.make({"DCGAN": (real, synthetic)}, pairs=8, seed=0)
    reader_study.ask(test)             # a widget in a live notebook, else a page that needs no kernel
    answers = reader_study.read_answers(files, test)  # what several readers sent in
    reader_study.score(test, answers.loc["Ada"]) ; reader_study.agreement(answers)

Two films and a forced choice (Green & Swets, Signal Detection Theory, 1966) in place of one film and a yes
or no: a reader who calls everything synthetic gains nothing, and guessing is right in exactly one half.
"""

from .rules import SIDES, by_coin, by_rule, detail, pairs_needed
from .study import (
    COLUMNS,
    LIVE,
    PAGE,
    QUICK,
    REAL,
    Test,
    agreement,
    ask,
    form,
    make,
    read_answers,
    real_round,
    score,
    verdict,
    verdicts,
    widget,
    write_answers,
)

__all__ = [
    "COLUMNS",
    "LIVE",
    "PAGE",
    "QUICK",
    "REAL",
    "SIDES",
    "Test",
    "agreement",
    "ask",
    "by_coin",
    "by_rule",
    "detail",
    "form",
    "make",
    "pairs_needed",
    "read_answers",
    "real_round",
    "score",
    "verdict",
    "verdicts",
    "widget",
    "write_answers",
]
