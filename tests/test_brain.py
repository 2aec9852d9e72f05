"""The MR slices: reproducible, varied, and no voxel shared between train and test."""

from pathlib import Path

import numpy as np
import pytest
import rebuild_brain as rebuild
import torch

from medgan_helpers.simulator import brain

ROOT = Path(__file__).resolve().parents[1]


def test_slices_are_reproducible_varied_and_in_range():
    first, again = brain.slices(6, 32, seed=1), brain.slices(6, 32, seed=1)
    assert first.shape == (6, 1, 32, 32) and torch.equal(first, again)
    assert first.min() >= 0 and 0.5 < first.max() <= 1
    assert torch.pdist(first.flatten(1)).min() > 0.5
    assert torch.equal(brain.slices(3, 32, seed=1), first[:3])  # more slices do not change the first ones


def test_parts_read_different_voxels(monkeypatch):
    t1, spacing = brain.volume()
    slabs = [set(slabs) for slabs in brain.PARTS.values()]
    assert sum(map(len, slabs)) == len(set.union(*slabs)) == 10
    for part in brain.PARTS:
        keep = torch.zeros_like(t1)
        for slab in brain.PARTS[part]:
            start = brain.SLICES[0] + brain.SLAB * slab
            keep[start : start + brain.SLAB] = t1[start : start + brain.SLAB]
        monkeypatch.setattr(brain, "volume", lambda: (t1, spacing))
        whole = brain.slices(20, 32, seed=2, part=part)
        monkeypatch.setattr(brain, "volume", lambda keep=keep: (keep, spacing))
        assert torch.equal(brain.slices(20, 32, seed=2, part=part), whole)  # the other slabs are never read


@pytest.mark.parametrize("bad", [{"part": "holdout"}, {"size": 8}])
def test_bad_input_is_refused(bad):
    with pytest.raises(ValueError, match=r"train, valid, test|expected 16"):
        brain.slices(2, **bad)


@pytest.mark.slow
def test_rebuild_is_the_same_whole_number_arithmetic_every_time():
    template = np.random.default_rng(0).integers(0, 256, (197, 233, 189), dtype=np.uint8)
    t1 = rebuild.volume(template)
    assert t1.shape == (78, 186, 150) == tuple(brain.volume()[0].shape)
    z, y, x = 10, 20, 30  # by hand: two template voxels, top row anterior, left column right
    pair = template[24 + 149 - x, 25 + 185 - y, 2 * z : 2 * z + 2].astype(int)
    assert t1[z, y, x] == (pair.sum() + 1) // 2
    assert rebuild.to_npz(t1[:2]) == rebuild.to_npz(t1[:2])
    with pytest.raises(SystemExit, match="no such file"):
        rebuild.template(Path("absent.whl"))
    with pytest.raises(SystemExit, match="expected"):
        rebuild.template(ROOT / "pyproject.toml")
