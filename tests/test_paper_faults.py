"""Each fault in miniature does what its name says, on films whose truth is known."""

import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import artifacts, chexpert, paper_faults
from medgan_helpers.metrics import Estimate

SIZE = 32
PATIENTS = 240  # with three films each


@pytest.fixture(scope="module")
def table():
    """Patients with three films each; every third patient is ill."""
    patient = np.repeat(np.arange(PATIENTS), 3)
    frame = pd.DataFrame({"patient": [f"patient{p:05d}" for p in patient]})
    return frame, (patient % 3 == 0).astype(np.float32)


@pytest.fixture(scope="module")
def data(table):
    """Noise films without any sign of illness, but every patient has a look of his or her own."""
    frame, labels = table
    rng = np.random.default_rng(0)
    looks = np.kron(rng.integers(40, 215, (PATIENTS, 8, 8)), np.ones((4, 4)))
    noise = rng.normal(0, 8, (3 * PATIENTS, SIZE, SIZE))
    films = (np.repeat(looks, 3, axis=0) + noise).clip(0, 255).astype(np.uint8)
    return paper_faults.Data(films, paper_faults.features(films), labels, frame["patient"].to_numpy())


@pytest.fixture(scope="module")
def benches(table, data):
    return paper_faults.benches(table[0], data.labels, count=4, seed=1)


def test_the_printed_names_are_the_audited_ones():
    measured = dict(zip(paper_faults.PRINTED, paper_faults.COLUMNS, strict=True))
    rare = [measured[name] for name in chexpert.RARE]
    assert rare == ["Edema", "Pneumonia", "Pneumothorax"]
    assert measured["Cardiomegaly"] == "Cardiomegaly" and len(measured) == 13


def test_benches_share_no_patient_and_repeat_from_their_seed(table, data, benches):
    assert len(benches) == 4
    patients = [set(data.patients[rows]) for bench, _ in benches for rows in bench]
    assert sum(map(len, patients)) == len(set.union(*patients)) == PATIENTS  # none in two parts or benches
    for bench, _ in benches:
        assert all(paper_faults.FEW <= data.labels[rows].sum() < len(rows) for rows in bench)
    (again, rng), (same, other) = (paper_faults.benches(table[0], data.labels, 4, 1)[0] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(again, same, strict=True))
    assert rng.random() == other.random()


def test_too_few_positives_are_refused(table):
    labels = np.zeros(len(table[0]), np.float32)
    labels[0] = 1
    with pytest.raises(ValueError, match="1 positives of 720"):
        paper_faults.benches(table[0], labels, count=2)


def test_the_mean_over_benches_has_a_t_interval():
    value, low, high = paper_faults.over_benches([0.0, 1.0, np.nan, 2.0])
    assert value == 1 and high - 1 == pytest.approx(1 - low) == pytest.approx(4.303 / np.sqrt(3), abs=1e-3)
    assert np.isnan(paper_faults.over_benches([1.0, np.nan])).all()


def test_the_bench_says_whether_it_reads(data, benches):
    nothing = paper_faults.over_benches([paper_faults.skill(data, bench) for bench, _ in benches])
    assert nothing.low < 0.6  # noise films: no sign of illness to read
    seen = data._replace(x=data.x + 9 * data.labels[:, None])
    assert paper_faults.skill(seen, benches[0][0]) > 0.95
    words = paper_faults.what_the_bench_reads({"Edema": Estimate(0.8, 0.7, 0.9)})
    assert "Edema **0.80**" in words and "can mean something" in words
    assert "does not read Edema" in paper_faults.what_the_bench_reads({"Edema": Estimate(0.55, 0.4, 0.7)})


def test_the_leak_is_called_recognition_only_where_the_intervals_part():
    sure, near = Estimate(0.2, 0.15, 0.25), Estimate(0.1, 0.0, 0.2)
    assert "recognition, not skill" in paper_faults.what_the_leak_was(sure, Estimate(0.0, -0.05, 0.05))
    assert "overlap" in paper_faults.what_the_leak_was(sure, near)


def test_a_fall_of_the_loss_is_laid_to_whom_it_comes_with():
    flat, low = Estimate(-0.002, -0.02, 0.01), Estimate(-0.1, -0.12, -0.08)
    said = paper_faults.what_the_loss_shows(flat, low)
    assert "not shown" in said and said.endswith("the fall comes with the known patients.")
    assert "no fall is shown there either" in paper_faults.what_the_loss_shows(flat, flat)
    assert "by blends alone" in paper_faults.what_the_loss_shows(low, low)
    assert "most of it" not in paper_faults.what_the_loss_shows(low, low)


def test_the_ledger_keeps_and_ranks(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDGAN_BUILD", str(tmp_path))
    ledger = paper_faults.Ledger()
    ledger.note("small", Estimate(0.01, 0.0, 0.02), "a", "b", n=4)
    ledger.note("large", Estimate(-0.2, -0.3, -0.1), "c", "d", n=4)
    ledger.note("names swapped", Estimate(0.3, 0.2, 0.4), "e", "f", n=4)  # of another finding
    ledger.note("equal epochs", Estimate(0.02, 0.0, 0.04), "g", "h", n=4)
    ledger.note("validation split by film", Estimate(0.4, 0.3, 0.5), "i", "j", n=4)
    assert "Illusion on the test: **large** (0.20) is the largest that is shown." in ledger.largest()
    assert "Change on fresh patients: none is shown." in ledger.largest()
    assert "Error of a validation score: **validation split by film** (0.40) is" in ledger.largest()
    assert "names swapped" not in ledger.largest()
    assert ledger.in_short().endswith("Shown to move the AUROC: 3."), "a row of one name has no size to rank"
    ledger.note("as large", Estimate(0.15, 0.08, 0.22), "k", "l", n=4)
    assert "test: **large** (0.20) and **as large** (0.15) are alike." in ledger.largest()
    ledger.note("as large", Estimate(0.15, 0.12, 0.18), "k", "l", n=4)  # its interval does not hold 0.20
    assert "**large** (0.20) is the largest" in ledger.largest()
    assert ledger.table().loc["large", "value"] == -0.2
    assert artifacts.scores("audit/").loc["audit/small", "high"] == 0.02


def test_area_is_the_auroc():
    labels = np.array([0.0, 1.0, 0.0, 1.0])
    scores = np.array([[0.1, 0.5, 9.0], [0.9, 0.5, 1.0], [0.2, 0.5, 8.0], [0.3, 0.5, 2.0]])
    assert paper_faults.area(labels, scores).tolist() == [1.0, 0.5, 0.0]
    assert np.isnan(paper_faults.area(np.zeros(4), scores)).all()


def test_features_are_brightness_and_texture_of_cells():
    films = np.zeros((1, 64, 64), np.uint8)
    films[0, :4, :4] = 255  # the first cell
    films[0, 4:8, :2] = 255  # half of the cell below it
    x = paper_faults.features(films)[0]
    assert x.shape == (512,)
    assert x[0] == 1 and x[16] == 0.5 and x[1] == 0
    assert x[256 + 16] > x[256] == x[256 + 1]


def test_toy_generators_return_new_films_near_those_they_saw(data):
    rng = np.random.default_rng(0)
    seen = data.films[:6]
    for generator in (paper_faults.near_copies, paper_faults.blends):
        made = generator(seen, 20, rng)
        assert made.shape == (20, SIZE, SIZE) and made.dtype == np.uint8
    copies = paper_faults.near_copies(seen[:1], 5, rng).astype(float)
    strangers = np.abs(data.films[30:60].astype(float) - seen[0]).mean()
    assert not (copies == seen[0]).all((1, 2)).any()
    assert np.abs(copies - seen[0]).mean() < 0.5 * strangers


def test_a_leak_helps_on_the_test_and_not_on_fresh_patients(data, benches):
    arms = [paper_faults.leaky_generator(data, *bench) for bench in benches]
    test, fresh = (np.mean([a["leaky"][k] - a["honest"][k] for a in arms]) for k in (0, 1))
    assert test > 0.05 and test > fresh + 0.05


def test_a_lead_melts_where_every_interval_says_so():
    sure, unsure = Estimate(0.05, 0.01, 0.09), Estimate(0.02, -0.01, 0.05)
    said = paper_faults.what_the_winner_loses({25: sure, 100: sure})
    assert "lead melts: with 25 test films by **+0.050** (+0.010 to +0.090), with 100" in said
    assert "not always shown to melt" in paper_faults.what_the_winner_loses({25: sure, 100: unsure})


def test_the_winner_of_equal_runs_leads_where_it_was_chosen(data, benches):
    leads = []
    for bench, rng in benches:
        scores = paper_faults.runs_of_one_setting(data, bench, rng, count=8)
        assert scores.shape == (3 * PATIENTS, 8)
        leads.append(paper_faults.winners_lead(data, scores, bench.test, bench.fresh))
    on_test, on_fresh = np.mean(leads, axis=0)
    assert on_test > 0.05 and on_test > on_fresh + 0.05


def test_synthetic_films_make_validation_easy(data, benches):
    scores = [paper_faults.synthetic_validation(data, *bench) for bench in benches]
    augmented, real = (np.nanmean([s[name] for s in scores], axis=0) for name in ("augmented", "real"))
    assert augmented[0] > 0.8 > 0.65 > real[0]
    assert augmented[1] < real[1]
    others = np.nanmean([s["others augmented"] for s in scores], axis=0)
    assert real[0] < others[0] < augmented[0]  # blends are told from real films; known patients add to it


@pytest.mark.parametrize(("low", "words"), [(0.01, "is shown."), (-0.01, "is not shown with these films")])
def test_a_gain_of_copies_is_claimed_only_where_its_interval_leaves_zero(low, words):
    brought = {"equal epochs": Estimate(0.02, low, 0.05), "equal steps": Estimate(0.0, -0.01, 0.01)}
    assert words in paper_faults.what_copies_bring(brought)


def test_folds_by_film_let_the_reader_recognise_patients(data):
    rows = np.arange(len(data.labels))
    scores = {by: paper_faults.out_of_fold(data, rows, by) for by in ("film", "patient")}
    by_film, by_patient = (paper_faults.area(data.labels, score) for score in scores.values())
    assert by_film > by_patient + 0.15


def test_arms_of_the_null_augmentation_differ_in_steps_alone(monkeypatch):
    asked = {}

    def remember(films, labels, rows, steps, seed):
        asked[len(asked)] = (rows, steps, seed)

    monkeypatch.setattr(paper_faults.faults, "train_small", remember)
    paper_faults.null_augmentation(None, None, np.arange(100), seed=3)
    (plain, steps, _), (more, longer, _), (same, equal, _) = asked.values()
    assert steps == equal == 40 and longer == 60
    assert np.array_equal(more, same) and set(more) == set(plain) and len(more) == 190


def test_the_small_reader_repeats_and_its_map_adds_up(data):
    films, labels = paper_faults.small_films(data.films), torch.from_numpy(data.labels)[:, None]
    first, second = (
        paper_faults.train_small(films, labels, np.arange(40), steps=3, seed=5) for _ in range(2)
    )
    maps, logits = paper_faults.activation_maps(first, films[:4], 0)
    assert torch.equal(logits, paper_faults.activation_maps(second, films[:4], 0)[1])
    assert maps["CAM"].shape == (4, 8, 8)
    assert torch.allclose(maps["CAM"].mean((1, 2)) + first.head.bias[0], logits, atol=1e-5)
    assert not torch.allclose(maps["as released"].mean((1, 2)), logits, atol=1e-3)


def test_a_probe_tells_squeezed_from_cropped_films(data, benches):
    x = np.linspace(-1, 1, SIZE)
    chest = 255 * np.exp(-8 * (x[None] ** 2 + x[:, None] ** 2))  # bright: narrower when squeezed
    films = (0.2 * data.films + 0.8 * chest).astype(np.uint8)
    pictures = {squash: paper_faults.prepared(films, squash) for squash in (False, True)}
    assert all(made.shape == films.shape and made.dtype == np.uint8 for made in pictures.values())
    cropped, squashed = (paper_faults.features(made) for made in pictures.values())
    assert paper_faults.told_apart(cropped, squashed, benches[0][0]) > 0.9
    assert abs(paper_faults.told_apart(cropped, cropped, benches[0][0]) - 0.5) < 0.1


def test_arms_are_scored_on_fresh_patients(data, benches):
    bench, rng = benches[0]
    arms = paper_faults.controls(data, bench, rng)
    assert list(arms) == ["none", "duplicate", "generator"]
    assert all(0 <= value <= 1 for value in arms.values())
    same = paper_faults.perfect_generator(data, data.x, data.x, bench)
    assert same["cropped"] == same["squashed"] and list(same) == ["none", "cropped", "squashed"]
