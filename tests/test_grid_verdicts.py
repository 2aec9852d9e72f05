"""What a table allows to say: nothing without headroom, without seeds, or that luck alone would give."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from medgan_helpers import experiments, metrics
from medgan_helpers.experiments import Cell, conclusion, results, sentences, trial, verdicts


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
    assert "beside nothing added, a gain is shown for the lesion GAN; none is shown for StarGAN." in heads
    assert "no verdict against repeating" in heads and "finding by finding" not in heads
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
     (0.62, "the lesion GAN is shown to be better than repeating"), (0.79, "no generator, is better.")],
)  # fmt: skip
def test_the_short_answer_names_the_control_that_needs_no_generator(control, says):
    judged = verdicts.differences(table(CLEAR | {"duplicate_standard": control}))
    if control == CLEAR["lesion_gan"]:  # two arms that are alike
        judged.loc[judged["second"] == "duplicate_standard", "verdict"] = "not separable"
    assert says in sentences.in_short(judged)


def test_the_headline_is_of_the_mean_and_then_names_the_findings_with_a_verdict():
    judged = verdicts.differences(table(CLEAR | {"duplicate_standard": 0.7}))
    beside = (judged["first"] == "lesion_gan") & (judged["second"] == "duplicate_standard")
    judged.loc[beside, "verdict"] = ["not separable", "suggested worse", "beats", "not separable"]
    judged.loc[beside, "value"] = [0.01, -0.068, 0.043, 0.0]
    said = sentences.in_short(judged)
    assert said.startswith("With 1 % of the films, by the mean of the three rare findings: no generator is")
    assert (
        "which needs none; finding by finding, the lesion GAN is better for Fracture (+0.043), and suggested "
        "to be worse for Pleural Other (-0.068). By" in said
    )
    alone = judged.copy()
    assert sentences.in_short(judged, alone) == said, "the CPU's rerun says the same"
    alone.loc[beside & (alone["finding"] == "Fracture"), ["value", "verdict"]] = 0.042, "not separable"
    assert (
        "better for Fracture (+0.043), though not separable in the CPU's rerun of the same seeds (+0.042), "
        "and suggested to be worse for Pleural Other (-0.068). By" in sentences.in_short(judged, alone)
    )
    judged.loc[beside, "verdict"] = ["not separable", "suggested worse", "not separable", "not separable"]
    assert "which needs none. By the same mean" in sentences.in_short(judged), "worse is no exception"
    judged.loc[beside, "verdict"] = "suggested better"
    said = sentences.in_short(judged)
    assert "no generator is shown to be better" in said and "it is suggested of the lesion GAN;" in said


def test_the_largest_loss_is_told_without_a_cause():
    sizes = {1.0: (0.65, 1020, 0.9, 450), 10.0: (0.4, 10200, 0.6, 1500)}
    parts = [
        table(CLEAR | {"stargan": score}, seeds=2).assign(
            percent=percent, added=added, probe=probe, steps=steps, films=200_000
        )
        for percent, (score, added, probe, steps) in sizes.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    judged = verdicts.differences(rows)
    told = conclusion.largest_loss(judged, rows, 10)
    assert "StarGAN minus nothing added" in told and "(-0." in told and "first look" in told
    assert "We do not know why" in told and "The steps differ too" in told
    assert "at 10 % (share 36 %, probe 0.60, 1,500 steps)" in told
    assert "The share is the same in all" in told and "neither suspect explains" in told
    assert conclusion.largest_loss(judged, rows, 1) == ""
    rows.loc[rows["percent"] == 10, "added"] *= 2
    assert "The share is the same" not in conclusion.largest_loss(judged, rows, 10)
    rows = rows.assign(added=1020 * rows["percent"], probe=rows["percent"] / 100)
    assert "neither suspect explains" not in conclusion.largest_loss(judged, rows, 10)


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


@pytest.mark.slow
def test_with_five_seeds_the_bootstrap_is_far_too_confident_deep_in_the_tail():
    """Without a difference, how often p passes the first step of Holm for 124; luck of patients: a tenth."""
    rng, tenth, level, repeats = np.random.default_rng(4), 0.1, verdicts.LEVEL / 124, 1000
    found = 0
    for number in range(repeats):
        seeds, patients = rng.normal(size=(5, 1, 1)), rng.normal(0, tenth, (1, 500, 1))
        drawn = verdicts.seeds_and_patients(seeds + patients + rng.normal(0, tenth), seed=number)
        found += verdicts.two_sided(drawn[:, 0]) < level
    assert found / repeats > 10 * level


def test_five_seeds_on_one_side_are_enough_for_the_bootstrap_alone():
    seeds = np.array([0.01, 0.02, 0.03, 0.2, 0.4])[:, None, None] + np.zeros((1, 200, 1))
    assert verdicts.two_sided(verdicts.seeds_and_patients(seeds)[:, 0]) < verdicts.LEVEL / 124
    assert stats.ttest_1samp(seeds[:, 0, 0], 0).pvalue > 0.1


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


def test_a_headroom_of_other_steps_is_not_put_down_to_the_films():
    rows = pd.concat([table(CLEAR), table(CLEAR).assign(percent=10.0)], ignore_index=True)
    judged = verdicts.differences(rows)
    assert "steps" not in sentences.regimens(judged) + sentences.regimens(judged, rows)
    rows.loc[rows["percent"] == 10, "steps"] = 1500
    assert "The steps differ too (450 and 1,500), and steps alone can" in sentences.regimens(judged, rows)


def test_differences_across_machines_are_named_and_matched():
    arms, scores = ("leaky", "lesion_gan"), {0: (0.6, 0.5), 1: (0.6, 0.6), 2: (0.5, 0.6)}
    grid = pd.DataFrame(
        {"percent": 1.0, "arm": arm, "seed": seed, "rare": pair[k]}
        for seed, pair in scores.items() for k, arm in enumerate(arms)
    )  # fmt: skip
    again = grid[grid["arm"] == "lesion_gan"].assign(rare=0.5)
    told = conclusion.across(grid, again, ["leaky 1 % seed 1"])
    assert "1 of 3 seeds of the leaky GAN at 1 %, minus the lesion GAN" in told
    assert "differs by +0.033 (-0.2" in told and "instead of +0.000" in told
    there = ["leaky 1 % seed 1", "lesion_gan 1 % seed 1"]
    assert conclusion.across(grid, again, there) == "" == conclusion.across(grid[:0], again, there)
    assert "instead" not in conclusion.across(grid, again[:0], ["leaky 1 % seed 1"])


def test_cells_computed_twice_are_compared():
    one = pd.DataFrame({"percent": 1.0, "arm": ["none", "none", "oracle"], "seed": [0, 1, 0]})
    here, there = one.assign(rare=[0.5, 0.6, 0.7]), one.assign(rare=[0.52, 0.58, 0.73])
    told = conclusion.twice(here, there)
    assert "3 of these cells" in told and "0.026" in told and "at most 0.030" in told
    more = [rows.assign(Fracture=rows["rare"] * 2) for rows in (here, there)]
    assert "0.026 (standard deviation; Fracture 0.053), the mean" in conclusion.twice(*more)
    assert conclusion.twice(here, there.assign(seed=7)) == "No cell was computed twice."
    with pytest.raises(ValueError, match="no column 'rare'"):
        conclusion.twice(here, one)


def test_the_price_of_added_films_is_told():
    one = {"percent": 1.0, "films": 200_000, "rare": 0.7, "added": 1020}
    made = pd.DataFrame({"arm": ["none", "oracle", "blob"] * 2, "seed": [0, 0, 0, 1, 1, 1]}).assign(**one)
    made["macro"] = [0.7, 0.76, 0.6, 0.7, 0.77, 0.61]
    said = conclusion.price(made)
    assert "lower in 1 of 2 of the arms" in said and "fresh films +0.083" in said and "36 % of" in said
    assert "lower in all arms" in conclusion.price(made[made["arm"] != "oracle"])
    assert conclusion.price(made[made["arm"] == "none"]) == "" == conclusion.price(made[:0])


@pytest.mark.parametrize(("sign", "verdict"), [(1, "suggested better"), (-1, "suggested worse")])
def test_what_the_seeds_alone_do_not_show_is_only_suggested(sign, verdict):
    made = table({"none": 0.6, "duplicate": 0.6, "oracle": 0.8, "lesion_gan": 0.6})
    for seed, by in enumerate((0.02, 0.03, 0.02, 0.03, 0.2)):  # all on one side, one of them far
        row = made.index[(made["arm"] == "lesion_gan") & (made["seed"] == seed)][0]
        made.loc[row, list(verdicts.COLUMNS)] += sign * by
        made.at[row, "resamples"] = made.at[row, "resamples"] + sign * by
    judged = verdicts.differences(made)
    assert said(judged, "lesion_gan", "none") == {verdict}
    assert said(judged, "oracle", "duplicate") == {"beats"}
    assert conclusion.table(judged, made).data["beside nothing added"].str.startswith("suggested: h").all()
    assert "suggested" in sentences.in_short(judged)


def test_an_arm_of_another_machine_is_compared_with_cells_of_its_own():
    arms = CLEAR | {"duplicate_standard": 0.7, "lesion_gan_standard": 0.7}
    made = table(arms).assign(macro=0.6)
    again = table({"none": 0.6, "duplicate_standard": 0.75, "lesion_gan": 0.6}).assign(macro=0.7)
    judged, mixed = verdicts.differences(made, again=again), verdicts.differences(made)
    assert said(judged, "lesion_gan_standard", "duplicate_standard") == {"is worse than"}
    assert said(judged, "lesion_gan_standard", "lesion_gan") == {"beats"}
    others = judged["first"] != "lesion_gan_standard"
    assert judged["again"].tolist() == (~others).tolist() and not mixed["again"].any()
    assert judged[others]["value"].tolist() == mixed[others]["value"].tolist()
    assert "Against (both on one machine) repeated" in sentences.answer(judged)
    assert "5 seeds, on one machine:" in sentences.against(judged, "lesion_gan_standard")
    cheaper = conclusion.costs(made).loc["lesion_gan_standard", "value"]
    assert conclusion.costs(made, again=again).loc["lesion_gan_standard", "value"] < cheaper - 0.1
    assert (
        conclusion.costs(made, again=again).loc["lesion_gan"].equals(conclusion.costs(made).loc["lesion_gan"])
    )


def test_the_arms_that_are_said_to_have_run_on_a_cpu_did():
    folder = Path(__file__).resolve().parents[1] / "book" / "results"
    there = json.loads((folder / "grid.json").read_text())["on_the_2_cores"]["cells"]
    grid, again = (pd.read_csv(folder / name) for name in ("grid.csv", "grid_again.csv"))
    for row in grid[grid["arm"].isin(verdicts.ON_CPU)].itertuples():
        cell = f"{row.arm} {row.percent:g} % seed {row.seed}"
        assert row.percent not in set(again["percent"]) or cell in there, cell


def test_what_one_machine_says_is_told_beside_what_two_say():
    made = table(CLEAR | {"duplicate_standard": 0.65, "lesion_gan_standard": 0.7})
    again = table(
        {"none": 0.6, "duplicate": 0.6, "duplicate_standard": 0.75, "lesion_gan": 0.6, "oracle": 0.8}
    )
    judged, mixed = verdicts.differences(made, again=again), verdicts.differences(made)
    alone = verdicts.differences(pd.concat([again, made[made["arm"].isin(verdicts.ON_CPU)]]))
    told = conclusion.machines(judged, mixed, alone)
    assert "minus repeated and augmented real films -0.0" in told and "across machines +0.0" in told
    assert "depend" not in told
    assert "are shown there too: not the lesion GAN against no augmentation, Lung Lesion" in told
    hung = alone["first"] == "lesion_gan_standard"
    alone.loc[hung & (alone["second"] == "lesion_gan"), "verdict"] = "not separable"
    told = conclusion.machines(judged, mixed, alone)
    assert (
        f"the {len(alone)} between the CPU's cells alone or all {len(judged)}: minus the lesion GAN" in told
    )
    assert f"not separable among {len(alone)}, shown better among {len(judged)}" in told
    assert conclusion.machines(mixed, mixed, alone) == "" == conclusion.machines(judged[:0], mixed, alone)


def test_the_strictest_count_says_what_is_shown_and_why():
    judged = verdicts.differences(table(CLEAR))
    judged.loc[judged["first"] == "stargan", "verdict"] = "suggested worse"
    shown = judged["verdict"].isin(verdicts.SHOWN).sum()
    told = conclusion.strict(judged)
    assert f"{shown} are *shown*" in told and "The other 8 are *suggested*" in told
    largest = judged[judged["first"] == "stargan"]["alone"].max()
    assert "StarGAN" not in told and f"a p of up to {largest:.3f}" in told
    assert "with 5 seeds is far too confident" in told and "once in 16" in told and "no claim at 5 %" in told
    firm = judged[judged["first"] != "stargan"]
    assert conclusion.strict(firm).endswith("None is only *suggested*.")
    assert conclusion.strict(judged[:0]) == ""
    assert "it is suggested to be worse than" in sentences.answer(judged)
    assert "is suggested to be worse than" in sentences.summary(judged)
