"""Small folders of noise in the CheXpert layout, for tests of readers and importers."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from medgan_helpers import chexpert


def row(path, view="AP", sex="Female", age=50, **labels):
    """One line of a CheXpert table; unnamed findings are blank. Blanks in names become underscores."""
    side = "Lateral" if view == "Lateral" else "Frontal"
    facts = [path, sex, age, side, None if view == "Lateral" else view]
    findings = [labels.get(finding.replace(" ", "_")) for finding in chexpert.FINDINGS]
    return dict(zip(chexpert.COLUMNS, [*facts, *findings], strict=True))


def noise(shape, seed=0):
    """Smooth grey noise (h, w) uint8: like a film, it survives JPEG."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC))


def folder(root, films=12, shape=(40, 48), prefix="CheXpert-v1.0-small/", per_patient=2, name="train"):
    """Write `films` films, two a patient, with random labels; returns the csv."""
    rng, rows = np.random.default_rng(films), []
    for i in range(films):
        path = f"{name}/patient{i // per_patient + 1:05d}/study{i % per_patient + 1}/view1_frontal.jpg"
        labels = {f.replace(" ", "_"): rng.choice([1, 0, -1, np.nan]) for f in chexpert.FINDINGS[1:]}
        healthy = 1 if i % 4 == 0 else np.nan
        rows.append(row(prefix + path, view=("AP", "PA")[i % 2], No_Finding=healthy, **labels))
        file = Path(root) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(shape, seed=i)).save(file, quality=95)
    csv = Path(root) / f"{name}.csv"
    pd.DataFrame(rows).to_csv(csv, index=False)
    return csv
