"""The networks that the package ships, and the script that trained them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import train_networks

from medgan_helpers import (
    classifier,
    dcgan,
    flow,
    metrics,
    pix2pix,
    repair_trial,
    restorers,
    stargan,
    stargan_robust,
    training,
)
from medgan_helpers.repair_trial import sentences
from medgan_helpers.training.checkpoints import ASSETS

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = [(dcgan.DCGAN, None), (stargan.StarGAN, None)]
SHIPPED += [(stargan_robust.RobustStarGAN, "stargan_robust"), (classifier.DenseNet, "classifier")]
SHIPPED += [(stargan_robust.RobustStarGAN, "stargan_real"), (classifier.DenseNet, "classifier_real")]
SHIPPED += [(flow.Flow, None)] if (ASSETS / "flow").is_dir() else []
SHIPPED += [(pix2pix.Pix2Pix, path.name) for path in sorted(ASSETS.glob("unet-*"))]
SHIPPED += [(pix2pix.Pix2Pix, path.name) for path in sorted(ASSETS.glob("pix2pix-*"))]


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_a_shipped_network_loads_and_its_card_says_what_it_is(kind, name):
    model, history, card = training.shipped(kind, name)
    assert model.steps_done == card["steps"] == history["step"].iloc[-1]
    assert card["model"] == kind.__name__ and card["config"]["seed"] == 0
    assert "not for diagnosis" in card["use"]
    assert "training patients" in card["data"] or "no patient in two parts" in card["data"]
    assert (ROOT / card["command"].removeprefix("python ").split(",")[0].split()[0]).is_file()


def test_the_shipped_dcgan_draws_varied_films():
    model, _, card = training.shipped(dcgan.DCGAN)
    films = model.generate(8, seed=1)
    assert films.shape == (8, 1, 64, 64) and films.abs().max() <= 1
    assert films.std(0).mean() > 0.1  # not one film eight times
    assert card["kid_by_step"][-1]["imagenet"] < card["kid_by_step"][0]["imagenet"] / 2


def test_the_shipped_stargan_changes_a_film_a_little():
    model, _, card = training.shipped(stargan.StarGAN)
    film = torch.zeros(1, 1, 64, 64)
    for number, _ in enumerate(card["findings"]):
        target = torch.zeros(1, len(card["findings"]))
        target[0, number] = 1
        change = (model.translate(film, target) - film).abs().mean()
        assert 0.001 < change < 0.3


def test_the_shipped_robust_stargan_draws_what_its_noise_says():
    model, _, card = training.shipped(stargan_robust.RobustStarGAN, "stargan_robust")
    film = torch.zeros(1, 1, 64, 64)
    target = torch.tensor([[float(name == "Pleural Effusion") for name in card["findings"]]])
    once, again = (model.translate(film, target, seed) for seed in (1, 2))
    assert 0.001 < (once - again).abs().mean() < 0.3
    assert set(card["measures"]) == set(card["measures_128"]) == set(card["findings"])
    large = torch.zeros(1, 1, 128, 128)
    drawn = model.translate(large, target, 1, part=2)
    assert drawn.shape == large.shape and 0.001 < (drawn - large).abs().mean() < 0.3


def test_films_from_organ_maps_are_sharp_and_right_with_l1_and_a_discriminator():
    maps, films = restorers.organs(48, 64, seed=1300)  # patients that no choice and no figure knows
    networks, cards = restorers.drawers(64)
    drawn = {name: model.restore(maps) for name, model in networks.items()}
    found, table = repair_trial.beside_l1(films, drawn), repair_trial.drawings(films, drawn)
    assert found["sharper"].low > 0.1 and found["farther"].high < 0.1
    low, high = sentences.SHARP
    assert low < table.sharpness["both"] < high and table.sharpness["L1 alone"] < low
    both, gan = (repair_trial.per_film(films, drawn[name])["in place"] for name in ("both", "D alone"))
    assert table.sharpness["D alone"] > high  # a chessboard is more detail than a film has,
    assert metrics.mean_interval(both - gan).low > 0  # and less of it is where it should be
    said = repair_trial.sharp_and_right(table, found)
    assert said.startswith("In shapes and greys *both* is, in fine detail it is not")
    assert len({(card["steps_before"], card["steps"]) for card in cards.values()}) == 1  # equal steps
    assert restorers.drawers(32) == ({}, {})


def test_another_size_than_the_shipped_one_is_refused():
    with pytest.raises(ValueError, match="for 64 px, this profile for 32 px: set TRAIN = True"):
        training.shipped(dcgan.DCGAN, image_size=32)


def test_the_shipped_networks_stay_small():
    assert sum(path.stat().st_size for path in ASSETS.rglob("*.safetensors")) < 25e6


@pytest.mark.slow
def test_the_script_names_the_networks_it_knows():
    script = [sys.executable, str(ROOT / "data_scripts" / "train_networks.py"), "cyclegan"]
    run = subprocess.run(script, capture_output=True, text=True)
    assert run.returncode == 2
    assert f"unknown network cyclegan: choose of {', '.join(train_networks.NETWORKS)}" in run.stderr


def test_a_card_names_a_commit_of_this_history():
    """Another could not be checked out, and not make the network again."""
    known = {}
    for path in ASSETS.glob("*/card.json"):
        made = json.loads(path.read_text()).get("made")
        if isinstance(made, dict):
            asked = ["git", "merge-base", "--is-ancestor", made["commit"], "HEAD"]
            known[path.parent.name] = subprocess.run(asked, cwd=ROOT, capture_output=True).returncode == 0
    if not any(known.values()):
        pytest.skip("the history is not here")
    assert [name for name, found in known.items() if not found] == []
