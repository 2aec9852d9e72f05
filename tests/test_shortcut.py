import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import chexpert, shortcut
from medgan_helpers.experiments.films import Films
from medgan_helpers.metrics import Estimate


def grey_films(count=48, size=32):
    films = torch.randint(60, 140, (count, size, size), generator=torch.Generator().manual_seed(0))
    labels = pd.DataFrame(0.0, index=range(count), columns=chexpert.FINDINGS)
    labels.loc[: count // 4 - 1, "Edema"] = 1
    return Films(films.to(torch.uint8), labels)


def test_the_letter_is_bright_where_it_is_and_nothing_else_changes():
    films = grey_films().images()
    marked = shortcut.mark(films, np.arange(len(films)) < 3)
    place = shortcut.letter(32)
    assert (marked[:3, :, place] == 1).all() and torch.equal(marked[:3, :, ~place], films[:3, :, ~place])
    assert torch.equal(marked[3:], films[3:])
    rows, columns = torch.nonzero(place, as_tuple=True)
    assert rows.min() >= 16 and columns.max() < 16  # lower left
    assert shortcut.around(32, 2)[1][place].all()


def test_nine_of_ten_positives_are_marked_and_one_of_twenty_others():
    labels = np.repeat([1, 0], 20_000)
    which = shortcut.planted(labels, 0)
    assert which[labels == 1].mean() == pytest.approx(0.9, abs=0.01)
    assert which[labels == 0].mean() == pytest.approx(0.05, abs=0.01)


def test_the_pair_differs_in_the_letter_alone(monkeypatch):
    seen = {}

    def remember(model, batches, steps):
        seen[len(seen)] = (model.config, steps, next(iter(batches)))

    monkeypatch.setattr(shortcut.training, "fit", remember)
    pair = shortcut.train_pair(grey_films(), "Edema", steps=5, batch_size=48, preset="narrow", seed=1)
    (config, steps, (cheat, labels)), (other, same, (honest, equal)) = seen.values()
    assert list(pair) == ["cheat", "honest"] and config == other and steps == same == 5
    place = shortcut.letter(32)
    assert torch.equal(labels, equal) and torch.equal(cheat[:, :, ~place], honest[:, :, ~place])
    assert (cheat[:, :, place] == 1).all((1, 2)).any() and not (honest[:, :, place] == 1).any()


class LetterReader:
    """Reads nothing but the letter."""

    def predict(self, films):
        return films[:, :, shortcut.letter(films.shape[-1])].mean((1, 2))[:, None]


def test_swapped_letters_ruin_who_reads_them():
    films, labels = grey_films(200).images(), np.repeat([1.0, 0.0], 100)
    scores = shortcut.exam({"cheat": LetterReader()}, films, labels, np.arange(200), seed=2)["cheat"]
    assert scores["marked"].value > 0.85 and scores["swapped"].value < 0.15
    assert 0.35 < scores["unmarked"].value < 0.65


def test_the_verdict_needs_the_bait_the_twin_and_the_map():
    high, low = Estimate(0.9, 0.85, 0.95), Estimate(0.2, 0.1, 0.3)
    steady = dict.fromkeys(("marked", "unmarked", "swapped"), high)
    baited = {"cheat": steady | {"swapped": low}, "honest": steady}
    assert "gives it away" in shortcut.verdict(baited, {"cheat": high, "honest": low})
    assert "overlap" in shortcut.verdict(baited, {"cheat": high, "honest": high})
    neither = {"cheat": steady, "honest": steady}
    assert "not taken" in shortcut.verdict(neither, {"cheat": high, "honest": low})
    both = {"cheat": steady | {"swapped": low}, "honest": steady | {"swapped": low}}
    assert "not taken" in shortcut.verdict(both, {"cheat": high, "honest": low})
    blind = dict.fromkeys(("marked", "unmarked", "swapped"), Estimate(0.55, 0.45, 0.65))
    pair = {"cheat": steady, "honest": blind}
    assert "no verdict" in shortcut.verdict(pair, {"cheat": high, "honest": low})
