"""The faults of an audited paper in miniature (chapter 9): each function does what the fault it names does.

    data = paper_faults.Data(films, paper_faults.features(films), labels, patients)
    for bench, rng in paper_faults.benches(frame, data.labels, count=10, seed=0):
        paper_faults.leaky_generator(data, bench, rng)

Classifiers are small on purpose: a ridge regression on the brightness and texture of 16 x 16 cells of a film,
in one place a network of three convolutions. A fault that shows with them needs no large network to fool
anyone. Rows are positions in `data`; rng is a numpy Generator; scores are AUROCs of one finding.
"""

from .bench import FEW, Bench, Data, benches, over_benches
from .faults import (
    BATCH,
    COLUMNS,
    EPOCHS,
    PRINTED,
    SETTINGS,
    SmallNetwork,
    activation_maps,
    added,
    area,
    blends,
    controls,
    copies_bring,
    features,
    known_patients,
    lead_by_test_size,
    leaky_generator,
    learner,
    near_copies,
    null_augmentation,
    out_of_fold,
    perfect_generator,
    positives,
    prepared,
    runs_of_one_setting,
    skill,
    small_films,
    some_patients,
    synthetic_validation,
    told_apart,
    train_small,
    winners_lead,
)
from .ledger import Ledger, size, what_the_bench_reads, what_the_leak_was

__all__ = [
    "BATCH",
    "COLUMNS",
    "EPOCHS",
    "FEW",
    "PRINTED",
    "SETTINGS",
    "Bench",
    "Data",
    "Ledger",
    "SmallNetwork",
    "activation_maps",
    "added",
    "area",
    "benches",
    "blends",
    "controls",
    "copies_bring",
    "features",
    "known_patients",
    "lead_by_test_size",
    "leaky_generator",
    "learner",
    "near_copies",
    "null_augmentation",
    "out_of_fold",
    "over_benches",
    "perfect_generator",
    "positives",
    "prepared",
    "runs_of_one_setting",
    "size",
    "skill",
    "small_films",
    "some_patients",
    "synthetic_validation",
    "told_apart",
    "train_small",
    "what_the_bench_reads",
    "what_the_leak_was",
    "winners_lead",
]
