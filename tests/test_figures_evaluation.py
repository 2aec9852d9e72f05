import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import figures
from medgan_helpers.figures import maps, paper

FILMS = np.random.default_rng(0).integers(0, 256, (3, 16, 16), dtype=np.uint8)
MAPS = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
CHANCE = pd.DataFrame({"value": [0.6], "low": [0.5], "high": [0.7], "chance": [0.1]}, index=["Fracture"])
GRID = pd.DataFrame({"arm": ["none", "none", "gan"], "seed": [0, 1, 0], "rare": [0.6, 0.7, 0.7]})
DRAWINGS = {
    "overlays": lambda alt: figures.overlays(
        FILMS, {"CAM": MAPS}, FILMS > 200, ["a", "b", "c"], alt=alt
    ),
    "against_chance": lambda alt: figures.against_chance(CHANCE, "hit rate", alt),
    "arms": lambda alt: figures.arms(GRID, ["rare"], alt),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_figure_carries_its_words(name, monkeypatch):
    pictures = []
    monkeypatch.setattr(paper, "display", lambda data, raw, metadata: pictures.append((data, metadata)))
    DRAWINGS[name]("what is seen")
    data, metadata = pictures[0]
    assert metadata["image/png"]["alt"] == data["text/plain"] == "what is seen"


def test_a_map_covers_only_what_it_marks():
    """Where a map is below its median the film shows through untouched."""
    values = np.zeros((8, 8))
    values[2, 2] = 1
    _, axes = figures.canvas(1, 1, (2, 2), squeeze=False)
    maps._draw_map(axes[0, 0], values)
    alpha = axes[0, 0].images[0].get_array()[..., 3]
    assert alpha[2, 2] == pytest.approx(0.65)
    assert alpha.sum() == pytest.approx(0.65)
