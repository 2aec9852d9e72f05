"""Chapters on real films: sentences on made-up numbers, and measures on the shipped films themselves."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import artifacts, cam, classifier, metrics, real_trial, session, training


def duel(method, against, metric, value, low, high):
    return {"method": method, "against": against, "metric": metric, "value": value, "low": low, "high": high,
            "films": 180, "patients": 144, "steps": 650, "seeds": 1}  # fmt: skip


def table(beats, behind):
    rows = [duel(name, np.nan, key, 20, 19, 21) for name in ("tv", "unet_real") for key in ("psnr", "ssim")]
    rows += [
        duel("unet_simulated", "tv", "psnr", *beats),
        duel("unet_simulated", "unet_real", "psnr", *behind),
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    "beats, behind, words",
    [
        ((-0.2, -0.3, 0.1), (-1, -2, -0.5), "not enough here"),
        ((1.0, 0.5, 1.5), (-1, -2, -0.5), "costs 1.00 dB (0.50 to 2.00)"),
        ((1.0, 0.5, 1.5), (-0.1, -0.3, 0.1), "Simulation is enough here"),
    ],
)
def test_the_verdict_on_simulation_follows_the_intervals(beats, behind, words):
    text = real_trial.restorer_verdict(table(beats, behind))
    assert words in text and "180 real films of 144 patients" in text
    assert text.startswith("1 seed: a first look, no verdict. ")
    five = table(beats, behind).assign(seeds=5)
    assert real_trial.restorer_verdict(five).startswith("**Simulation is")


def test_a_missing_table_is_said_to_be_missing():
    assert "not been run yet: `python studies/real_restoration.py`" in real_trial.restorer_verdict(None)
    assert artifacts.committed("no-such-table.csv") is None


def test_where_a_classifier_looked_is_told_by_the_intervals():
    without = (0.5, 0.4, 0.6)
    shares = {"Edema": {"with": (0.8, 0.7, 0.9)}, "Pneumonia": {"with": (0.5, 0.4, 0.6)}}
    shares = {name: share | {"without": without} for name, share in shares.items()}
    assert "where the finding is for Edema; not shown for Pneumonia." in real_trial.looked(shares)
    assert "not shown to lie elsewhere" in real_trial.looked({"Pneumonia": shares["Pneumonia"]})


@pytest.mark.parametrize(
    ("large", "words"),
    [((0.9, 0.85, 0.95), "official network reads better"), ((0.5, 0.4, 0.55), "narrow network reads better"),
     ((0.7, 0.6, 0.8), "do not tell them apart")],
)  # fmt: skip
def test_two_networks_are_compared_by_their_intervals(large, words):
    facts = {"parameters": 1000, "epochs": 4, "minutes": 1.0, "films": 180}
    rows = [
        {"network": name, **dict(zip(("value", "low", "high"), triple, strict=True)), **facts}
        for name, triple in (("narrow", (0.7, 0.6, 0.8)), ("densenet121", large))
    ]
    assert words in real_trial.official(pd.DataFrame(rows))
    assert "not been run yet" in real_trial.official(None)
    with pytest.raises(ValueError, match="no row of densenet121"):
        real_trial.official(pd.DataFrame(rows[:1]))


def test_whom_the_classifier_believes_is_held_against_the_distance():
    rows = {"a": {"classified": (0.6, 0.5, 0.7), "kid_made": (9, 8, 10)}}
    rows["b"] = {"classified": (0.5, 0.4, 0.6), "kid_made": (5, 4, 6)}
    assert "believed more than *a*, whose films have the largest KID" in real_trial.most_moved(rows)
    rows["b"] = {"classified": (0.3, 0.2, 0.4), "kid_made": (12, 11, 13)}
    assert "*a* most; *b* has the largest KID to true films." in real_trial.most_moved(rows)
    assert real_trial.one_each(["p", "p", "q", "r"], 2) == [0, 2]


def test_few_films_are_counted():
    said = real_trial.few({"Edema": 3, "Pneumonia": 4})
    assert said.endswith("few of them: 3 with Edema and 4 with Pneumonia.")


def read(gain, last=0.04):
    names = ("clean", "degraded", *real_trial.REPAIRED)
    alone = [(name, np.nan, 0.6, 0.5, 0.7) for name in names]
    gains = [(name, "degraded", *gain) for name in real_trial.REPAIRED]
    gains += [(name, "clean", -0.1, -0.2, -0.05) for name in real_trial.REPAIRED]
    columns = ["method", "against", "value", "low", "high"]
    means = pd.DataFrame(alone + gains, columns=columns).assign(finding="all nine")
    one = means[means["against"] == "degraded"].assign(finding="Edema", p_holm=[0.01] * 3 + [0.2], p=0.001)
    other = one.assign(finding="Atelectasis", value=-0.2, p_holm=0.4, p=[0.01, 0.02, 0.03, last])
    clean = [("clean", np.nan, value, value - 0.1, value + 0.1) for value in (0.9, 0.55)]
    clean = pd.DataFrame(clean, columns=columns).assign(finding=["Edema", "Atelectasis"])
    blur = one[:1].assign(method="gaussian", p_holm=np.nan)
    return pd.concat([means, one, other, clean, blur]).assign(seeds=3, films=180)


def test_help_for_a_reader_follows_the_intervals():
    said = real_trial.reading_verdict(read((0.05, -0.01, 0.11)))
    assert "no repair is shown to help it.**" in said and "a gain of 0.09 four times in five" in said
    assert "over 8: Edema is read better after bilateral, unet_simulated, unet_real (+0.05" in said
    assert "no merit" not in said, "the blur's interval holds zero"
    assert "reads 1 of these 2 findings (the interval does not reach 0.5): Edema." in said
    assert "mean gain from degraded films is *bilateral* +0.050, *unet_sim" in said and "no interval" in said
    all_read = read((0.05, -0.01, 0.11)).replace({"Atelectasis": "Edema"})
    assert "no interval" not in real_trial.reading_verdict(all_read.assign(low=0.6, high=0.9))
    said = real_trial.by_finding(read((0.05, 0.01, 0.1)))
    assert (
        "A Gaussian blur changes the reading of Edema by +0.05 (+0.01 to +0.10): this is no merit of" in said
    )
    assert "Atelectasis is read worse after each of them by -0.20 to -0.20 (p 0.010 to 0.040, unc" in said
    assert "Atelectasis" not in real_trial.by_finding(read((0.05, 0.01, 0.1), last=0.06)), "not after all"
    assert "it is helped by bilateral, unet_sim" in real_trial.reading_verdict(read((0.05, 0.01, 0.1)))
    assert "not been run yet" in real_trial.reading_verdict(None) and real_trial.reading_in_short(None) == ""
    assert "(nine findings, of which it reads 1)" in real_trial.reading_in_short(read((0.05, -0.01, 0.11)))
    assert "not shown to be helped by any repair." in real_trial.reading_in_short(read((0.05, -0.01, 0.1)))
    assert "by films that bilateral, unet_sim" in real_trial.reading_in_short(read((0.05, 0.01, 0.1)))
    with pytest.raises(ValueError, match="no row of clean"):
        real_trial.reading_scores(read((0.05, 0.01, 0.1)).query("method != 'clean'"))


def test_the_committed_reading_names_the_filter_that_repairs_best():
    table = artifacts.committed("real_restoration.csv")
    alone = table[table["against"].isna() & (table["metric"] == "psnr")].set_index("method")["value"]
    filters = alone[[name for name in alone.index if not name.startswith("unet_")]]
    assert filters.idxmax() == real_trial.REPAIRED[0]
    assert len(real_trial.reading_scores(artifacts.committed("real_reading.csv"))) == 6


def test_methods_stand_once_in_the_scores():
    scores = real_trial.restorer_scores(table((1, 0, 2), (1, 0, 2)))
    assert list(scores.index) == ["tv", "unet_real"] and scores.notna().all(axis=None)


def test_copies_are_called_a_warning():
    assert "warning" not in real_trial.copies({"fake": 1.0, "held_out": 2.0, "copies": 0.04})
    text = real_trial.copies({"fake": 1.0, "held_out": 2.0, "copies": 0.3})
    assert text.startswith("**A warning: 30% of") and "0.50 times" in text


def rows(made, true, made_kid=(5, 4, 6), plain_kid=(9, 8, 10)):
    return {"classified": made, "classified_true": true, "kid_made": made_kid, "kid_untouched": plain_kid}


def test_what_a_translated_real_film_is_said_to_be():
    text = real_trial.translated("Edema", rows((0.95, 0.9, 0.99), (0.6, 0.51, 0.7)))
    assert "believes more in what was drawn" in text and "nearer to true films" in text
    text = real_trial.translated("Edema", rows((0.6, 0.5, 0.7), (0.9, 0.8, 1.0), (9, 8, 10), (5, 4, 6)))
    assert "believes less" in text and "further from true films" in text
    assert "do not tell these two apart" in real_trial.translated(
        "Edema", rows((0.6, 0.5, 0.7), (0.7, 0.6, 0.8))
    )
    assert "counts for nothing" in real_trial.translated("Edema", rows((0.9, 0.8, 1.0), (0.5, 0.4, 0.6)))


@pytest.mark.slow
def test_cases_are_of_patients_that_no_shipped_network_has_seen():
    real = session.real_films(16)
    case = real_trial.case(real, "Cardiomegaly", 100)
    learnt = set(real.splits["train"].patient)
    assert not learnt & (set(case.healthy_patients) | set(case.ill_patients)) and not case.twins
    positive = real.frame[real.labels()["Cardiomegaly"] == 1]
    assert len(case.ill) == (~positive.patient.isin(learnt)).sum() and len(case.healthy) == 100
    assert len(real_trial.everybody_with(real, "Cardiomegaly", 1000)) == len(positive)


@pytest.mark.slow
def test_the_shipped_reader_is_scored_on_every_real_film_and_box():
    real = session.real_films(64)
    network = training.load(classifier.DenseNet, artifacts.ASSETS / "classifier")
    skill = real_trial.skill(network, real)
    assert set(skill) == set(real_trial.LABELLED)
    assert all(0 <= estimate.low <= estimate.value <= estimate.high <= 1 for estimate in skill.values())
    lungs = real_trial.usual_lungs(64, patients=4)
    assert 0.1 < lungs.mean() < 0.6 and not lungs[0].any(), "lungs are in the middle of the film"
    share = real_trial.inside(network, real, "Edema", lungs)["with"]
    everywhere = real_trial.inside(network, real, "Edema", np.ones_like(lungs))["with"]
    assert 0 < share.value < everywhere.value == pytest.approx(1)


def test_maps_are_held_against_the_boxes_of_their_finding(monkeypatch):
    frame = pd.DataFrame({"path": ["a", "b", "c"]})
    films = np.zeros((3, 8, 8), np.uint8)
    store = SimpleNamespace(subset=lambda part: Store(films[part.index], part))

    class Store:
        def __init__(self, pixels, part):
            assert len(part), "as the real store, which refuses to be empty"
            self.pixels, self.frame = pixels, part

        def __len__(self):
            return len(self.pixels)

        def __getitem__(self, key):
            return self.pixels[key]

    maps = torch.zeros(2, 8, 8)
    maps[0, 1, 1] = maps[1, 6, 6] = 1
    monkeypatch.setattr(cam, "activation_map", lambda network, films, name: maps)
    boxes = pd.DataFrame({"path": ["a", "b", "c"], "finding": ["Edema", "Edema", "Fracture"],
                          "x": [0, 0.6, 0], "y": [0, 0.6, 0], "width": 0.3, "height": 0.3})  # fmt: skip
    asked = ["Edema", "Fracture", "Cardiomegaly"]  # of the last there is no box at all
    found = real_trial.boxed(None, SimpleNamespace(frame=frame, store=store), boxes, asked)
    assert list(found) == ["Edema"], "one film alone has nothing to compare with"
    assert found["Edema"]["hit"] == metrics.proportion(2, 2) and found["Edema"]["chance"].value == 0
