"""The study of restorers on real films: paired scores on made-up restorations whose answer is known."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

SCRIPT = Path(__file__).resolve().parents[1] / "studies" / "real_restoration.py"


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("real_restoration_study", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def made():
    """Twelve smooth films of six patients, restored with little (real), more (simulated) and most noise."""
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(12, 1, 4, 4, generator=rng)
    clean = torch.nn.functional.interpolate(coarse, size=32, mode="bilinear")
    noise = {"degraded": 0.2, "tv": 0.1, "unet_simulated": 0.05, "unet_real": 0.02, "unet_tuned": 0.02}

    def spoil(sigma):
        return (clean + sigma * torch.randn(clean.shape, generator=rng)).clamp(0, 1)

    return {name: [spoil(s), spoil(s)] for name, s in noise.items()}, clean, np.repeat(np.arange(6), 2)


def test_methods_are_ranked_and_paired(study, made):
    table = study.compare(*made)
    psnr = table[(table["metric"] == "psnr") & (table["against"] == "")].set_index("method")["value"]
    assert list(psnr.sort_values().index[:3]) == ["degraded", "tv", "unet_simulated"]
    duels = table[(table["metric"] == "psnr") & (table["against"] != "")].set_index(["method", "against"])
    assert duels.loc[("unet_simulated", "unet_real"), "high"] < 0
    assert duels.loc[("unet_simulated", "tv"), "low"] > 0, "against the best conventional method"
    assert abs(duels.loc[("unet_tuned", "unet_real"), "value"]) < 0.5, "the same noise, the same PSNR"


def test_a_network_starts_where_another_stopped(study):
    films = torch.rand(6, 1, 16, 16)
    bench = study.restorers.Bench("xray", dict.fromkeys(("train", "valid", "test"), films), np.arange(6))
    begin = study.train(bench, 1, "begin")
    again = study.train(study.replace(bench, seed=5), 0, "again", begin)
    weights = [next(iter(model.trained.parameters())) for model in (begin, again)]
    assert torch.equal(*weights)


def test_only_the_rows_of_one_size_are_replaced(study, made, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "RESULTS", tmp_path)
    table = study.compare(*made)
    for size in (64, 128, 64):
        study.keep("real_restoration.csv", table.assign(size=size), size)
    kept = study.pd.read_csv(tmp_path / "real_restoration.csv")
    assert kept["size"].value_counts().to_dict() == {64: len(table), 128: len(table)}
