"""The label table, its policies and splits, on the real CheXpert table wherever that is possible."""

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import fake_films
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medgan_helpers import chexpert

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def table():
    return chexpert.label_table()


def test_label_table_is_chexperts_own(table):
    assert len(table) == 223_414 and table.patient.nunique() == 64_540
    assert (table[list(chexpert.RARE)] == 1).sum().tolist() == [9_186, 3_523, 9_040]
    views = {"AP": 161_590, "PA": 29_420, "Lateral": 32_387, "LL": 16, "RL": 1}
    assert table.view.value_counts().to_dict() == views
    assert table.index.equals(pd.RangeIndex(len(table)))
    assert list(table) == ["path", "patient", "study", "view", "sex", "age", *chexpert.FINDINGS]
    assert table.path[0] == "train/patient00001/study1/view1_frontal.jpg"


def test_findings_stand_in_the_order_of_chexperts_own_columns():
    """A trained network's outputs have no names, only places."""
    package = Path(importlib.util.find_spec("torchxrayvision").origin).parent
    head = pd.read_csv(package / "data" / "chexpert_train.csv.gz", nrows=0)
    assert [name for name in head if name in chexpert.FINDINGS] == chexpert.FINDINGS
    assert list(head)[-14:] == chexpert.FINDINGS


def test_frontal_films_of_the_table(table):
    frontal = chexpert.label_table("frontal")
    assert len(frontal) == 191_027
    pd.testing.assert_frame_equal(frontal, table[table.view != "Lateral"])
    with pytest.raises(ValueError, match="'frontal', 'lateral', 'all'"):
        chexpert.label_table("side")


# --- policies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("uncertain, value", [("ones", 1), ("zeros", 0), ("ignore", np.nan)])
@pytest.mark.parametrize("blank, empty", [("zeros", 0), ("ignore", np.nan)])
def test_policies_change_only_what_they_name(table, uncertain, value, blank, empty):
    targets = chexpert.labels(table, uncertain=uncertain, blank=blank)
    given = table[chexpert.FINDINGS]
    assert list(targets) == chexpert.FINDINGS and targets.index.equals(table.index)
    assert (targets.dtypes == np.float32).all()
    expected = given.replace({-1: value}).where(given.notna(), empty)
    pd.testing.assert_frame_equal(targets, expected.astype("float32"))


def test_what_a_set_does_not_label_is_never_a_negative(table):
    frame = table[:500].assign(Fracture=np.nan, **{"Support Devices": np.nan})
    silent = chexpert.unlabelled(frame)
    assert silent == ["Fracture", "Support Devices"] and chexpert.unlabelled(table) == []
    assert (chexpert.labels(frame)["Fracture"] == 0).all(), "the policy alone does not know"
    targets = chexpert.labels(frame, unlabelled=silent)
    assert targets[silent].isna().all(axis=None) and (targets.dtypes == np.float32).all()
    others = [finding for finding in chexpert.FINDINGS if finding not in silent]
    pd.testing.assert_frame_equal(targets[others], chexpert.labels(frame)[others])


def test_unknown_policies_are_named(table):
    with pytest.raises(ValueError, match=r"uncertain='one'.*'ones', 'zeros', 'ignore'"):
        chexpert.labels(table, uncertain="one")
    with pytest.raises(ValueError, match="blank=None"):
        chexpert.labels(table, blank=None)


def test_labels_leave_the_frame_alone(table):
    before = table.copy()
    chexpert.labels(table, uncertain="ignore")
    pd.testing.assert_frame_equal(table, before)


# --- splits and regimens ------------------------------------------------------------------------


@pytest.mark.slow
@few
@given(seed=seeds, fractions=st.sampled_from([(0.9, 0.05, 0.05), (0.7, 0.1, 0.2), (0.5, 0.25, 0.25)]))
def test_split_keeps_patients_together_and_fractions(table, seed, fractions):
    parts = chexpert.split(table, fractions, seed)
    patients = [set(part.patient) for part in parts.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 64_540
    assert sum(map(len, parts.values())) == len(table)
    for part, fraction in zip(parts.values(), fractions, strict=True):
        assert abs(len(part) / len(table) - fraction) < 0.005


@pytest.mark.slow
@few
@given(seed=seeds)
def test_regimens_are_nested_whole_patients(table, seed):
    train = chexpert.split(table, seed=seed)["train"]
    inner = set()
    for percent in (1, 10, 50, 100):
        part = chexpert.regimen(train, percent, seed)
        assert abs(len(part) / len(train) - percent / 100) < 0.005
        assert inner <= set(part.index)
        assert not set(part.patient) & set(train.drop(part.index).patient)
        inner = set(part.index)
    assert len(part) == len(train)


def test_seeds_differ_and_row_order_does_not_matter(table):
    frame = table[:5000]
    first, other = chexpert.regimen(frame, 10, seed=0), chexpert.regimen(frame, 10, seed=1)
    assert set(first.patient) != set(other.patient)
    shuffled = frame.sample(frac=1, random_state=0)
    assert set(chexpert.regimen(shuffled, 10, seed=0).index) == set(first.index)


@pytest.mark.slow
def test_split_is_the_same_in_another_process_and_hash_seed(table):
    code = (
        "import hashlib; from medgan_helpers import chexpert as c; t = c.label_table()[:20000]; "
        "print(*(hashlib.sha256(' '.join(p.path).encode()).hexdigest() for p in c.split(t, seed=7).values()))"
    )
    env = os.environ | {"PYTHONHASHSEED": "123"}
    outside = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    here = chexpert.split(table[:20000], seed=7).values()
    assert outside.stdout.split() == [hashlib.sha256(" ".join(p.path).encode()).hexdigest() for p in here]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=3, max_size=40), seeds)
def test_small_frames_split_without_loss(sizes, seed):
    patients = [f"patient{p:05d}" for p, size in enumerate(sizes) for _ in range(size)]
    frame = pd.DataFrame({"patient": patients})
    parts = chexpert.split(frame, (0.6, 0.2, 0.2), seed)
    assert sorted(i for part in parts.values() for i in part.index) == list(frame.index)
    assert all(len(part) for part in parts.values())
    assert len(chexpert.regimen(frame, 0.1, seed)) > 0


def test_impossible_splits_are_refused():
    frame = pd.DataFrame({"patient": ["a", "a", "b"]})
    with pytest.raises(ValueError, match="2 patients are too few"):
        chexpert.split(frame)
    with pytest.raises(ValueError, match="sum to 1"):
        chexpert.split(frame, (0.9, 0.2, 0.1))
    for percent in (0, -1, 101):
        with pytest.raises(ValueError, match="more than 0 and at most 100"):
            chexpert.regimen(frame, percent)


# --- folders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["CheXpert-v1.0-small/", "CheXpert-v1.0/", ""])
@pytest.mark.parametrize("below", ["", "CheXpert-v1.0-small", "CheXpert-v1.0"])
def test_every_usual_root_is_found(tmp_path, prefix, below):
    csv = fake_films.folder(tmp_path / below, films=4, prefix=prefix)
    frame = chexpert.read(csv, root=tmp_path)
    assert frame.path[0] == "train/patient00001/study1/view1_frontal.jpg"
    assert frame.patient.tolist() == ["patient00001"] * 2 + ["patient00002"] * 2
    assert frame.study.tolist() == [1, 2, 1, 2] and frame.view.tolist() == ["AP", "PA"] * 2
    assert (chexpert.find_root(tmp_path) / frame.path[3]).is_file()


def test_rows_keep_their_number_in_the_file(tmp_path):
    lateral = fake_films.row("train/patient00001/study1/view2_lateral.jpg", "Lateral")
    frontal = fake_films.row("train/patient00001/study1/view1_frontal.jpg", "PA", Fracture=-1)
    pd.DataFrame([lateral, frontal]).to_csv(tmp_path / "train.csv", index=False)
    frame = chexpert.read(tmp_path / "train.csv")
    assert frame.index.tolist() == [1] and frame.loc[1, "Fracture"] == -1
    assert chexpert.read(tmp_path / "train.csv", views="lateral").view.tolist() == ["Lateral"]


# --- the same as torchxrayvision ----------------------------------------------------------------


@pytest.mark.slow
def test_agrees_with_torchxrayvision(tmp_path):
    """Same films and labels as CheX_Dataset, through our bridge to its intensities."""
    import torchxrayvision as xrv

    from medgan_helpers import images, simulator

    csv = simulator.write(tmp_path / "films", images=16, size=32, seed=0)
    theirs = xrv.datasets.CheX_Dataset(
        imgpath=str(csv.parent), csvpath=str(csv), views=["PA", "AP"], unique_patients=False
    )
    frame = chexpert.read(csv, root=csv.parent)
    targets = chexpert.labels(frame, uncertain="ignore", blank="ignore")
    healthy = frame["No Finding"] == 1  # its own rule: blank is 0 in films labelled No Finding
    for finding in set(chexpert.FINDINGS) - {"No Finding", "Support Devices"}:
        targets.loc[healthy & frame[finding].isna(), finding] = 0
    names = [{"Effusion": "Pleural Effusion"}.get(name, name) for name in theirs.pathologies]
    np.testing.assert_array_equal(targets[names].to_numpy(), theirs.labels)
    store = images.ImageStore(frame, csv.parent, 32)
    for i in range(len(frame)):
        ours = images.signed_to_xrv(images.uint8_to_signed(store[i]))
        np.testing.assert_array_equal(ours.numpy(), theirs[i]["img"][0])


# --- boxes --------------------------------------------------------------------------------------
BOX = pd.DataFrame(
    [("a.png", "Fracture", 0.25, 0.5, 0.25, 0.125), ("a.png", "Fracture", 0.0, 0.0, 0.125, 0.125)],
    columns=chexpert.BOX_COLUMNS,
)


def test_boxes_become_masks():
    masks = chexpert.box_masks(BOX, ["b.png", "a.png"], 16)
    assert masks.shape == (2, 16, 16) and not masks[0].any()
    expected = np.zeros((16, 16), bool)
    expected[8:10, 4:8] = True  # rows are y, columns are x
    expected[:2, :2] = True
    assert (masks[1] == expected).all()
    assert not chexpert.box_masks(BOX.assign(x=1.2), ["a.png"], 16).any()  # outside the centred square


def test_boxes_are_read_or_absent_or_refused(tmp_path):
    assert chexpert.read_boxes(tmp_path) is None
    BOX.to_csv(tmp_path / "boxes.csv", index=False)
    pd.testing.assert_frame_equal(chexpert.read_boxes(tmp_path), BOX)
    BOX.assign(width=[0.1, "wide"]).to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(ValueError, match=r"boxes\.csv, row 1: expected a finding and four shares"):
        chexpert.read_boxes(tmp_path)
    BOX.assign(finding=["Fracture", "Mass"]).to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(ValueError, match="row 1"):
        chexpert.read_boxes(tmp_path)
    BOX.drop(columns="y").to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(ValueError, match=r"lacks the columns \['y'\]"):
        chexpert.read_boxes(tmp_path)
