"""Chest films simulated from a real thoracic CT, with CheXpert's labels, finding-free twins and masks.

    images, twins, masks, labels = simulator.sample(16, size=64, seed=0)
    csv = simulator.write("films", images=2000, size=128, seed=0)      # a folder in the CheXpert layout

`thorax` holds the CT, `findings` draws thirteen findings into it, `projection` makes films of it, `rows`
draws labels from CheXpert's real table, `dataset` puts them together. Simulated films are not patients:
they are for teaching and for testing methods, not for diagnosis.
"""

from .dataset import ORGANS, ct_slices, organ_map, sample, version, write
from .rows import draw_rows, one_each, plan

__all__ = ["ORGANS", "ct_slices", "draw_rows", "one_each", "organ_map", "plan", "sample", "version", "write"]
