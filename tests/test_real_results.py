"""Statistics of the experiment on real films, on made-up scores whose answer is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medgan_helpers import chexpert
from medgan_helpers.experiments import real_cells, real_results


@pytest.fixture(scope="module")
def made():
    """300 films of 150 patients; the arm `standard` sees every finding, `none` and `duplicate` see little."""
    rng = np.random.default_rng(0)
    patients = np.repeat([f"patient{n:05d}" for n in range(150)], 2)
    labels = pd.DataFrame(rng.random((300, 14)) < 0.3, columns=chexpert.FINDINGS).astype("float32")

    def scores(skill, seed):
        return skill * labels.to_numpy() + np.random.default_rng(seed).normal(size=(300, 14))

    arms = {"none": 0.3, "standard": 2.5, "duplicate": 0.3}
    return labels, {arm: {s: scores(skill, s) for s in range(1, 6)} for arm, skill in arms.items()}, patients


def test_a_real_difference_is_shown_and_a_missing_one_is_not(made):
    summary = real_results.summary(*made)
    said = real_results.verdict(summary)
    assert said.count("**standard is better**") == 3 and "3 of 6 differences: no difference is shown" in said
    chosen = summary[(summary.arm == "standard") & (summary.against == "none")]
    assert (chosen.low > 0).all() and (chosen.value.between(chosen.low, chosen.high)).all()


def test_the_table_has_an_arm_a_line_and_an_interval_a_cell(made):
    table = real_results.table(real_results.summary(*made))
    assert list(table.index) == ["none", "standard", "duplicate"]
    assert list(table) == ["Lung Lesion", "Pleural Other", "all nine"]
    assert table.loc["standard", "all nine"].count("0.9") >= 2


def test_the_committed_table_follows_from_the_committed_ranks():
    folder = Path(__file__).parents[1] / "book" / "results"
    table, ranks = pd.read_csv(folder / "real_auc.csv"), np.load(folder / "real_auc.npz")
    alone = table[table["against"].isna()].set_index(["arm", "finding"])
    _, films = real_cells.real_table_and_films(16)
    assert {key.split("/")[0] for key in ranks} == set(alone.index.get_level_values("arm"))
    for column, finding in enumerate(real_results.FINDINGS):
        truth = films.frame[finding].to_numpy()
        for arm in alone.index.unique("arm"):
            seeds = [ranks[key][:, column] for key in ranks if key.startswith(f"{arm}/")]
            values = [roc_auc_score(truth, scores) for scores in seeds]
            row = alone.loc[(arm, finding)]
            assert len(seeds) == row["seeds"] and np.mean(values) == pytest.approx(row["value"], abs=1e-3)


def test_differences_are_a_table_of_their_own(made):
    table = real_results.differences(real_results.summary(*made))
    assert list(table.index) == ["standard minus none", "duplicate minus none"]
    assert list(table) == list(real_results.FAMILY)


def test_seeds_that_disagree_widen_the_interval(made):
    labels, scores, patients = made
    truth = labels["Edema"].to_numpy()
    column = chexpert.FINDINGS.index("Edema")
    alike = np.stack([scores["standard"][1][:, column]] * 3)
    apart = np.stack([scores["standard"][1][:, column], scores["none"][2][:, column], -alike[0]])
    widths = [np.ptp(np.quantile(real_results.resampled(truth, s, patients)[1], (0.025, 0.975)))
              for s in (alike, apart)]  # fmt: skip
    assert widths[1] > 2 * widths[0]


def test_only_seeds_that_both_arms_have_are_compared(made):
    labels, scores, patients = made
    fewer = scores | {"none": {1: scores["none"][1]}}
    summary = real_results.summary(labels, fewer, patients)
    assert set(summary[summary.against == "none"].seeds) == {1}
    assert set(summary[(summary.arm == "standard") & (summary.against == "")].seeds) == {5}
    assert "1 seed: a first look, no verdict" in real_results.verdict(summary)


def test_holm_by_hand():
    np.testing.assert_allclose(real_results.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(real_results.holm([0.6, 0.9]), [1.0, 1.0])


def test_p_values_are_two_sided_and_never_zero():
    assert real_results.p_value(np.ones(1000)) == pytest.approx(0.002)
    assert real_results.p_value(np.linspace(-1, 1, 1001)) == pytest.approx(1.0, abs=0.01)


def test_ranks_are_taken_within_a_fold():
    logits, folds = np.array([[1.0], [2.0], [100.0], [200.0]]), np.array([0, 0, 3, 3])
    np.testing.assert_allclose(real_results.ranks_in_fold(logits, folds)[:, 0], [0.5, 1, 0.5, 1])


# --- the cells -------------------------------------------------------------------------------------


def test_folds_keep_patients_together_and_are_of_like_size():
    patients = np.repeat([f"patient{n:05d}" for n in range(961)], 2)
    folds = real_cells.fold_of(patients)
    assert (folds[::2] == folds[1::2]).all() and (folds == real_cells.fold_of(patients)).all()
    assert (np.bincount(folds) > 0.8 * len(folds) / 5).all()


@pytest.mark.parametrize("part", ("test", "valid"))
def test_nobody_is_trained_on_and_read(part):
    patients = np.repeat([f"patient{n:05d}" for n in range(400)], 2)
    read = []
    for fold in range(real_cells.FOLDS):
        inside, outside = real_cells.parts(real_cells.Cell("none", fold, 0, part), patients)
        assert not set(patients[inside]) & set(patients[outside])
        if part == "valid":
            assert (real_cells.fold_of(patients)[outside] != fold).all(), "the test fold is not looked at"
        read.extend(outside)
    if part == "test":
        assert sorted(read) == list(range(800)), "every film is read once"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"arm": "gan"}, "arm is 'gan': choose one of"),
        ({"fold": 5}, "0 to 4"),
        ({"part": "train"}, "one of test, valid"),
    ],
)
def test_impossible_cells_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        real_cells.Cell(**({"arm": "none", "fold": 0, "seed": 0} | wrong))


@pytest.mark.parametrize("arm", ("none", "duplicate + standard", "pretrained", "stargan", "lesion_gan"))
def test_a_cell_reads_the_films_that_were_left_out(arm, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDGAN_BUILD", str(tmp_path))
    monkeypatch.setattr(real_cells, "POOL", 120)
    cell = real_cells.Cell(arm, 1, 0, steps=2, size=32, extra=4, generator_steps=4, batch_size=8)
    logits = real_cells.run_cell(cell)
    frame, _ = real_cells.real_table_and_films(32)
    assert logits.shape == ((real_cells.fold_of(frame.patient) == 1).sum(), 14) and np.isfinite(logits).all()
