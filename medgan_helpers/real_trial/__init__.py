"""What the chapters do once more on the real films that the package carries, and the sentences that follow.

What the shipped networks of simulated films know, patients put to the test here; beside them stand networks
that learnt from the training patients among these. What takes longer than a chapter stands in tables below
book/results that scripts in studies/ wrote; a table that is missing, or a row of it, is said to be missing.
"""

from .classifiers import (
    IN_LUNGS,
    boxed,
    inside,
    looked,
    official,
    skill,
    usual_lungs,
)
from .drawn import (
    case,
    everybody_with,
    evidence,
    few,
    most_moved,
    one_each,
    translated,
)
from .films import (
    LABELLED,
    NOT_RUN,
    copies,
    drawer,
    held_out,
)
from .repairs import (
    REPAIRED,
    by_finding,
    reading_in_short,
    reading_scores,
    reading_verdict,
    restorer_scores,
    restorer_verdict,
)

__all__ = [
    "IN_LUNGS",
    "LABELLED",
    "NOT_RUN",
    "REPAIRED",
    "boxed",
    "by_finding",
    "case",
    "copies",
    "drawer",
    "everybody_with",
    "evidence",
    "few",
    "held_out",
    "inside",
    "looked",
    "most_moved",
    "official",
    "one_each",
    "reading_in_short",
    "reading_scores",
    "reading_verdict",
    "restorer_scores",
    "restorer_verdict",
    "skill",
    "translated",
    "usual_lungs",
]
