import functools
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from sklearn.metrics import roc_auc_score

from medgan_helpers import chexpert, classifier, training


def films(n=8, size=32, seed=0):
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def targets(n=8, findings=14, seed=0):
    labels = (torch.rand(n, findings, generator=torch.Generator().manual_seed(seed)) < 0.4).float()
    labels[0, findings // 2] = float("nan")
    return labels


def narrow(**options):
    return classifier.DenseNet(preset="narrow", device="cpu", precision="fp32", **options)


@functools.cache
def official():
    return classifier.DenseNet(preset="densenet121", device="cpu", precision="fp32")


def count(model):
    return sum(p.numel() for p in model.parameters())


def test_parameter_counts():
    assert count(official()) == 6_961_934  # torchxrayvision's, 14 findings, 1 channel
    assert 130_000 < count(narrow()) < 150_000
    assert classifier.DenseNet().config["preset"] == "densenet121"


@pytest.mark.parametrize(("size", "cells"), [(32, 8), (64, 8), (128, 16)])
def test_the_narrow_grid_is_fine_enough_for_small_findings(size, cells):
    grid, maps, logits = narrow().read(films(2, size))
    assert grid.shape[-2:] == maps.shape[-2:] == (cells, cells)
    assert logits.shape == (2, 14)


def test_findings_are_named_in_chexperts_order():
    assert narrow().findings == tuple(chexpert.FINDINGS)
    assert narrow(findings=["Fracture", "Edema"]).findings == ("Fracture", "Edema")
    assert narrow(findings=5).predict(films(2)).shape == (2, 5)


@pytest.mark.slow
def test_the_official_network_is_torchxrayvisions_on_its_own_range():
    import torchxrayvision as xrv

    reference = xrv.models.DenseNet(num_classes=14, in_channels=1).eval()
    reference.features.load_state_dict(official().network.features.state_dict())
    reference.classifier.load_state_dict(official().network.classifier.state_dict())
    with torch.no_grad():
        expected = reference(films(2, 64) * 1024)
    assert torch.allclose(official().logits(films(2, 64)), expected, atol=1e-3)


def test_masked_labels_and_weights_by_hand():
    logits, nan = torch.tensor([[0.0, 2.0], [1.0, -1.0]]), float("nan")
    labels = torch.tensor([[1.0, nan], [0.0, 1.0]])
    weights = torch.tensor([0.5, 1.5])
    each = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(), reduction="none")
    expected = (0.5 * each[0, 0] + 0.5 * each[1, 0] + 1.5 * each[1, 1]) / 3
    assert classifier.masked_bce(logits, labels, weights) == pytest.approx(expected.item())
    assert classifier.masked_bce(logits, torch.full((2, 2), nan), weights) == 0


def test_a_masked_finding_teaches_nothing():
    model, labels = narrow(), torch.full((4, 14), float("nan"))
    labels[:, 4] = 1
    loss = classifier.masked_bce(model.read(films(4))[2], labels, model.weights)
    loss.backward()
    gradient = model.network.classifier.weight.grad.abs().sum(1)
    assert gradient[4] > 0
    assert gradient[torch.arange(14) != 4].max() == 0


def test_weights_belong_to_names():
    weights = dict(zip(chexpert.FINDINGS, classifier.finding_weights(chexpert.FINDINGS), strict=True))
    assert weights["Fracture"] == weights["Lung Lesion"] == weights["Pleural Other"]
    assert weights["Fracture"] == pytest.approx(5 * weights["Edema"])
    assert sum(weights.values()) / 14 == pytest.approx(1)
    assert len(set(classifier.finding_weights(chexpert.FINDINGS, emphasis=()).tolist())) == 1


@pytest.mark.slow
def test_it_learns_a_bright_corner():
    images, labels = films(64), torch.zeros(64, 2)
    labels[::2, 0] = 1
    images[::2, :, 2:8, 2:8] = 1
    model = narrow(findings=2, emphasis=(), steps=20)
    history = training.fit(model, [(images, labels)], steps=20)
    assert history.loss.iloc[-1] < 0.5 * 0.69
    fresh = films(32, seed=5)
    fresh[::2, :, 2:8, 2:8] = 1
    truth = np.arange(32) % 2 == 0
    assert roc_auc_score(truth, model.predict(fresh)[:, 0]) > 0.95


def test_a_seed_gives_the_weights_and_leaves_torchs_random_state_alone():
    before = torch.get_rng_state()
    first, again, other = (narrow(seed=s).network.classifier.weight for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_calibration_turns_scores_into_frequencies_and_keeps_ranks():
    rng = np.random.default_rng(0)
    probability = rng.uniform(0.02, 0.6, 4000)
    labels = torch.tensor(rng.random((4000, 1)) < probability[:, None]).float()
    overconfident = torch.tensor(3 * np.log(probability / (1 - probability)) + 2)[:, None]
    ((temperature, shift),) = classifier.platt(overconfident, labels)
    assert temperature == pytest.approx(3, rel=0.15)
    assert shift == pytest.approx(-2 / 3, abs=0.15)
    model = narrow(findings=1)
    before = model.predict(films(6))
    model.calibrate(films(32), targets(32, 1))
    assert torch.equal(before.argsort(0), model.predict(films(6)).argsort(0))
    assert list(classifier.platt(torch.randn(5, 1), torch.ones(5, 1))) == [(1.0, 0.0)]


def test_the_schedule_rises_then_falls():
    rate = [classifier.one_cycle(100)(step) for step in range(120)]
    assert rate[0] < 0.1
    assert max(rate) == pytest.approx(1, abs=0.01)
    assert rate.index(max(rate)) == 15
    assert rate[99] < 0.01
    assert rate[119] > 0


@pytest.mark.slow
def test_torchxrayvisions_weights_are_taken_by_name(tmp_path):
    import torchxrayvision.models as xrv

    name = "densenet121-res224-chex"
    saved = xrv.DenseNet(num_classes=18, in_channels=1)
    torch.save(saved, tmp_path / Path(xrv.model_urls[name]["weights_url"]).name)
    model = classifier.DenseNet(weights=name, cache=tmp_path, device="cpu", precision="fp32")
    conv = model.network.features.conv0.weight
    assert torch.equal(conv, saved.features.conv0.weight)
    column = xrv.model_urls[name]["labels"].index("Effusion")
    row = chexpert.FINDINGS.index("Pleural Effusion")
    assert torch.equal(model.network.classifier.weight[row], saved.classifier.weight[column])
    with torch.no_grad():
        expected = saved.eval()(films(2, 64) * 1024)[:, column]  # a logit: no rescaled sigmoid
    assert torch.allclose(model.logits(films(2, 64))[:, row], expected, atol=1e-3)


@pytest.mark.slow
def test_imagenet_weights_fold_into_one_channel(monkeypatch):
    source = torchvision.models.densenet121()
    monkeypatch.setattr(torchvision.models, "densenet121", lambda weights: source)
    model = classifier.DenseNet(weights="imagenet", device="cpu", precision="fp32")
    film = films(2, 64)
    rgb = ((film + 1) / 2 / 0.226).expand(-1, 3, -1, -1)
    first = F.conv2d(rgb - rgb.mean(), source.features.conv0.weight)
    ours = F.conv2d((film - film.mean()) * 1024, model.network.features.conv0.weight)
    assert torch.allclose(first, ours, atol=1e-4)


def test_offline_says_what_to_fetch_and_where_to_put_it(monkeypatch, tmp_path):
    import torchxrayvision.utils

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(torchxrayvision.utils, "download", offline)
    with pytest.raises(ConnectionError, match=r"fetch https://.*save it as .*train from scratch"):
        classifier.DenseNet(weights="densenet121-res224-all", cache=tmp_path)
    monkeypatch.setattr(torchvision.models, "densenet121", offline)
    with pytest.raises(ConnectionError, match="imagenet"):
        classifier.DenseNet(weights="imagenet")


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="narrow, densenet121"):
        classifier.DenseNet(preset="resnet")
    with pytest.raises(ValueError, match="3 columns"):
        narrow().step((films(4), targets(4, 3)))
    with pytest.raises(ValueError, match="unknown weights"):
        classifier.DenseNet(weights="densenet121-res224-mars")
    with pytest.raises(ValueError, match="densenet121"):
        narrow(weights="imagenet")
