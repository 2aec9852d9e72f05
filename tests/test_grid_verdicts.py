"""What a table allows to say: nothing without headroom, without seeds, or that luck alone would give."""

import numpy as np
import pandas as pd
import pytest

from medgan_helpers import experiments, metrics
from medgan_helpers.experiments import Cell, results, sentences, trial, verdicts


def table(scores, spread=0.002, seeds=5):
    """Rows of arms with the given mean AUROCs; the four columns are alike, the patients are 200 resamples."""
    rng, rows = np.random.default_rng(0), []
    luck = rng.normal(0, 0.01, 200)  # of the test patients, shared by all arms
    for arm, score in scores.items():
        for seed in range(seeds):
            value = score + spread * rng.normal()
            row = {"percent": 1.0, "arm": arm, "seed": seed, "steps": 450, "train": 0.2, "probe": 0.5}
            row |= dict.fromkeys(verdicts.COLUMNS, value) | {"valid": 0.3 + 0.001 * rng.normal()}
            rows.append(row | {"resamples": np.repeat((value + luck)[:, None], 4, axis=1)})
    return pd.DataFrame(rows)


CLEAR = {"none": 0.6, "duplicate": 0.62, "oracle": 0.8, "lesion_gan": 0.7, "stargan": 0.6}


def said(judged, first, second):
    chosen = judged[(judged["first"] == first) & (judged["second"] == second)]
    return set(chosen["verdict"])


def test_a_clear_difference_is_called_one_and_a_small_one_is_not():
    judged = verdicts.differences(table(CLEAR))
    assert said(judged, "lesion_gan", "duplicate") == {"beats"}
    assert said(judged, "stargan", "duplicate") == {"is worse than"}
    assert said(judged, "stargan", "none") <= {"not separable"}
    assert "beats" in sentences.summary(judged)
    short = sentences.answer(judged)
    assert "The lesion GAN: a gain is shown over" in short and "shown to be worse than repeated" in short
    assert f"all {len(judged)} of the table (Holm)" in short
    heads = sentences.in_short(judged)
    assert "Beside nothing added a gain is shown for the lesion GAN; none is shown for StarGAN." in heads
    assert "no verdict against repeating" in heads and "+0" not in heads and "(" not in heads
    assert "Lung Lesion" not in short and len(short) < len(sentences.summary(judged)) + 600


def test_without_headroom_there_is_no_verdict():
    judged = verdicts.differences(table(CLEAR | {"oracle": 0.6}))
    assert said(judged, "lesion_gan", "duplicate") == {"no headroom"}
    assert "no verdict" in sentences.headroom(judged)
    assert "beats" not in sentences.summary(judged) + sentences.answer(judged)
    assert "no verdict yet" in sentences.answer(judged[:0]) and "no verdict yet" in sentences.in_short(
        judged[:0]
    )


@pytest.mark.parametrize(
    ("control", "says"),
    [(0.7, "no generator is shown to be better than repeating and augmenting"),
     (0.62, "the lesion GAN does better than repeating"), (0.79, "needs no generator, is better.")],
)  # fmt: skip
def test_the_short_answer_names_the_control_that_needs_no_generator(control, says):
    judged = verdicts.differences(table(CLEAR | {"duplicate_standard": control}))
    if control == CLEAR["lesion_gan"]:  # two arms that are alike
        judged.loc[judged["second"] == "duplicate_standard", "verdict"] = "not separable"
    assert says in sentences.in_short(judged)


def test_the_largest_loss_is_told_with_a_suspected_cause():
    rows = table(CLEAR | {"stargan": 0.4}, seeds=2).assign(added=1020)
    told = sentences.largest_loss(verdicts.differences(rows), rows, 1)
    assert "StarGAN minus nothing added" in told and "(-0." in told and "first look" in told
    assert "*suspect*" in told and "1,020 films" in told and "probe: 0.50 at 1 %" in told
    fine = table({"none": 0.4, "duplicate": 0.5, "oracle": 0.8, "stargan": 0.6}).assign(added=1020)
    assert sentences.largest_loss(verdicts.differences(fine), fine, 1) == ""


def test_an_interval_beside_zero_without_a_verdict_is_explained():
    judged = verdicts.differences(table(CLEAR))
    row = (judged["first"] == "stargan") & (judged["second"] == "none") & (judged["finding"] == "rare")
    assert row.sum() == 1 and "not after the correction" not in sentences.answer(judged)
    judged.loc[row, ["low", "high"]] = 0.01, 0.09
    assert "(+0.010 to +0.090), not after the correction, " in sentences.answer(judged)


def test_harm_needs_no_headroom():
    judged = verdicts.differences(table(CLEAR | {"oracle": 0.6, "lesion_gan": 0.5}))
    assert said(judged, "lesion_gan", "duplicate") == {"is worse than"}
    assert said(judged, "stargan", "none") == {"no headroom"}
    assert "**worse**" in sentences.against(judged, "lesion_gan")


def test_headroom_is_judged_after_the_correction():
    """An interval above zero is not enough: with few seeds its p does not survive Holm's correction."""
    judged = verdicts.differences(table(CLEAR | {"oracle": 0.66}, spread=0.03).assign(resamples=None))
    room = judged[(judged["first"] == "oracle") & (judged["finding"] == "rare")].iloc[0]
    assert room["low"] > 0 and room["holm"] > verdicts.LEVEL and not judged["room"].any()


def test_without_the_oracle_there_is_no_verdict():
    judged = verdicts.differences(table({k: v for k, v in CLEAR.items() if k != "oracle"}))
    assert said(judged, "lesion_gan", "duplicate") == {"no headroom"}
    assert "not finished" in sentences.headroom(judged)


def test_four_seeds_are_too_few():
    judged = verdicts.differences(table(CLEAR, seeds=4))
    assert set(judged["verdict"]) == {"too few seeds"} and judged["low"].notna().all()
    assert not sentences.has_verdict(judged) and not sentences.has_verdict(judged[:0])
    assert sentences.has_verdict(verdicts.differences(table(CLEAR)))
    assert "4 seeds: a first look, no verdict" in sentences.headroom(judged)
    assert verdicts.differences(table(CLEAR))["verdict"].isin(["beats"]).any()
    assert not verdicts.scores_to_record(table(CLEAR, seeds=2), 1)


def test_the_mean_of_all_findings_is_recorded_too():
    rows = table(CLEAR)
    recorded = verdicts.scores_to_record(rows.assign(macro=rows["rare"]), 1)
    assert recorded["oracle/macro"].value == pytest.approx(recorded["oracle/rare"].value)
    assert recorded["oracle/macro"].low < recorded["oracle/macro"].value < recorded["oracle/macro"].high


def test_an_empty_table_is_told_as_one(tmp_path):
    empty = verdicts.read(tmp_path / "grid.csv")
    judged = verdicts.differences(empty)
    for text in (
        sentences.summary(judged), sentences.headroom(judged), sentences.against(judged, "stargan"),
        sentences.gap(empty), sentences.probe(empty), sentences.progress(empty),
    ):  # fmt: skip
        silent = ("no verdict", "nothing", "not finished", "too little", "not said")
        assert any(word in text for word in silent)
    assert sentences.gains(judged, "stargan") == {}
    assert verdicts.verdict_table(judged, 1).data.empty


def test_without_scores_of_the_test_the_interval_is_student_s():
    rows = table(CLEAR).assign(resamples=None)
    judged = verdicts.differences(rows)
    assert said(judged, "lesion_gan", "duplicate") == {"beats"}
    assert np.isfinite(judged["low"]).all()


def test_holm_multiplies_the_smallest_most_and_never_turns_the_order():
    assert verdicts.holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert verdicts.holm([0.9, 0.8]).tolist() == [1, 1]


def test_an_interval_holds_the_luck_of_seeds_and_of_patients():
    rng = np.random.default_rng(1)
    seeds, patients = rng.normal(0, 0.02, (5, 1, 1)), rng.normal(0, 0.01, (1, 1000, 1))
    both = verdicts.seeds_and_patients(seeds + patients).std()
    assert both == pytest.approx(np.hypot(seeds.std(ddof=1) / 5**0.5, patients.std()), rel=0.05)
    assert verdicts.seeds_and_patients(seeds[:1] + patients).std() == pytest.approx(patients.std(), rel=0.05)


@pytest.mark.slow
def test_two_seeds_find_what_is_not_there_and_five_seldom():
    """False positives at 5 % without a difference; the luck of patients is about a third of a seed's."""
    rng, third = np.random.default_rng(4), 0.35

    def false_positives(count, repeats=300):
        found = 0
        for number in range(repeats):
            seeds, patients = rng.normal(size=(count, 1, 1)), rng.normal(0, third, (1, 500, 1))
            observed = seeds + patients + rng.normal(0, third)  # the test patients themselves are a draw
            drawn = verdicts.seeds_and_patients(observed, seed=number)
            found += verdicts.two_sided(drawn[:, 0]) < 0.05
        return found / repeats

    assert false_positives(2) > 0.13 > false_positives(metrics.LEAST_SEEDS)


def test_the_weighted_auroc_is_that_of_the_metrics():
    rng = np.random.default_rng(2)
    labels = (rng.random(80) < 0.4).astype(float)
    scores = np.round(rng.normal(size=80) + labels, 1)  # with ties
    ours = verdicts.weighted_auroc(labels, scores, np.ones((1, 80)))[0]
    assert ours == pytest.approx(metrics.auroc(labels, scores, np.arange(80)).value, abs=1e-6)


def test_kept_scores_are_read_back(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDGAN_PROFILE", "smoke")
    rng, out = np.random.default_rng(3), tmp_path / "grid.csv"
    labels = np.tile(np.arange(40)[:, None] % 2, 14).astype(float)
    arrays = {"labels": labels, "logits": rng.normal(size=(40, 14)), "patients": np.arange(40)}
    row = dict.fromkeys(verdicts.COLUMNS, 0.5) | {"scores": arrays}
    monkeypatch.setattr(trial, "run_cell", lambda cell: dict(row))
    experiments.run([{"arm": "none"}], out)
    kept = verdicts.read(out)
    assert kept["resamples"].iloc[0].shape == (metrics.BOOTSTRAPS, 4)
    cell = Cell.complete({"arm": "none"})
    assert results.test_scores(cell, out=out)[1].shape == (40, 3)


def test_cells_computed_twice_are_compared():
    one = pd.DataFrame({"percent": 1.0, "arm": ["none", "none", "oracle"], "seed": [0, 1, 0]})
    here, there = one.assign(rare=[0.5, 0.6, 0.7]), one.assign(rare=[0.52, 0.58, 0.73])
    told = sentences.twice(here, there)
    assert "3 of these cells" in told and "0.026" in told and "at most 0.030" in told
    assert sentences.twice(here, there.assign(seed=7)) == "No cell was computed twice."
    with pytest.raises(ValueError, match="no column 'rare'"):
        sentences.twice(here, one)


def test_the_price_of_added_films_is_told():
    made = pd.DataFrame({"percent": 1.0, "arm": ["none", "oracle", "blob"], "macro": [0.7, 0.76, 0.6]})
    made["rare"] = 0.7
    assert "lower in 1 of 2 of the arms" in sentences.price(made)
    assert "oracle" not in sentences.price(made) and "fresh films 0.776" in sentences.price(made)
    assert "lower in all arms" in sentences.price(made[made["arm"] != "oracle"])
    assert sentences.price(made[made["arm"] == "none"]) == ""


def test_seeds_alone_are_the_strictest_count():
    scores = {"none": 0.6, "duplicate": 0.6, "oracle": 0.8, "lesion_gan": 0.7}
    made = table(scores)
    judged = verdicts.differences(made)
    assert len(verdicts.by_seeds_alone(made, judged))  # equal in every seed but for a little luck
    apart = made.copy()
    for column in verdicts.COLUMNS:  # one seed on the other side
        apart.loc[(apart["arm"] == "lesion_gan") & (apart["seed"] == 0), column] = 0.5
    kept = verdicts.by_seeds_alone(apart, judged)
    assert "lesion_gan" not in set(kept["first"])
    assert f"{len(kept)} stay" in sentences.strict(apart, judged)
