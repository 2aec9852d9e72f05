"""How good is it? Restored films (`restoration`), classifiers (`classification`, `calibration`) and generated
films (`realism`), each with its uncertainty (`intervals`)."""

from .calibration import (
    OperatingPoint,
    calibration_error,
    operating_point,
    predictive_values,
    reliability,
    threshold_for,
)
from .classification import (
    LEAST_PER_GROUP,
    age_bands,
    auprc,
    auroc,
    auroc_by_group,
    auroc_difference,
    gap,
    gap_in_words,
    macro_auroc,
)
from .equal_cost import MODELS, how_far, largest_cost, still_falling, who_wins
from .intervals import BOOTSTRAPS, LEAST_SEEDS, Estimate, first_look, interval, mean_interval, proportion
from .realism import (
    KID_LEAST,
    SPACES,
    density_coverage,
    diversity,
    features,
    kid,
    memorisation,
    nearest,
    realism_table,
)
from .restoration import psnr, ssim

__all__ = [
    "BOOTSTRAPS",
    "KID_LEAST",
    "LEAST_PER_GROUP",
    "LEAST_SEEDS",
    "MODELS",
    "SPACES",
    "Estimate",
    "OperatingPoint",
    "age_bands",
    "auprc",
    "auroc",
    "auroc_by_group",
    "auroc_difference",
    "calibration_error",
    "density_coverage",
    "diversity",
    "features",
    "first_look",
    "gap",
    "gap_in_words",
    "how_far",
    "interval",
    "kid",
    "largest_cost",
    "macro_auroc",
    "mean_interval",
    "memorisation",
    "nearest",
    "operating_point",
    "predictive_values",
    "proportion",
    "psnr",
    "realism_table",
    "reliability",
    "ssim",
    "still_falling",
    "threshold_for",
    "who_wins",
]
