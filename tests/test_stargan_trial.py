"""stargan_trial and chest_measures: witnesses that see what is there, measures by hand, sentences."""

import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import artifacts, chest_measures, simulator, training
from medgan_helpers import stargan_trial as trial
from medgan_helpers.images import signed_batch
from medgan_helpers.metrics import Estimate


def case(count=40, shift=0.4):
    rng = torch.Generator().manual_seed(0)
    healthy = 0.1 * torch.randn((count, 1, 32, 32), generator=rng)
    ill = healthy.clone()
    ill[:, :, 20:28, 4:12] += shift
    return trial.Case(healthy, ill, np.arange(count), np.arange(count), True)


class Corner:
    """A classifier that reads the brightness of the place where `case` draws."""

    def logits(self, films):
        return films[:, 0, 20:28, 4:12].mean((1, 2))[:, None]


def test_a_true_finding_is_recognised_in_haze_and_an_untouched_film_is_not():
    one = case()
    found = trial.recognised(Corner(), 0, one, one.healthy)
    assert found["classified_true"].value == 1 and found["classified_blurred_true"].value == 1
    assert found["classified"].value == pytest.approx(0.5)


def test_a_judge_that_cannot_read_is_not_asked():
    skill = {"Edema": Estimate(0.9, 0.8, 0.95), "Fracture": Estimate(0.55, 0.4, 0.7)}
    assert "Edema 0.90 (0.80 to 0.95)" in trial.may_judge(skill)
    assert "**Of Fracture it knows no more than a coin" in trial.may_judge(skill)
    assert "coin" not in trial.may_judge({"Edema": skill["Edema"]})


def test_haze_takes_a_chequered_pattern_and_leaves_a_patch():
    board = 0.1 * (1 - 2 * ((torch.arange(32)[:, None] + torch.arange(32)) % 2)).float()[None, None]
    patch = torch.zeros(1, 1, 32, 32)
    patch[..., 8:24, 8:24] = 0.1
    none = trial.hazy(torch.zeros(1, 1, 32, 32))
    left = [(trial.hazy(films) - none).abs().mean() / films.abs().mean() for films in (board, patch)]
    assert left[0] < 0.05 and left[1] > 0.7


def test_removal_is_a_share_of_the_way_to_the_twin():
    one = case()
    assert trial.removal(one, one.ill)["removed"][0] == pytest.approx(1)
    assert trial.removal(one, (one.ill + one.healthy) / 2)["removed"][0] == pytest.approx(0.5, abs=1e-5)


def test_sides_are_counted():
    one = case()
    both = one.ill.clone()
    both[:, :, 20:28, 20:28] += 0.4
    rows = trial.variety(one, both)
    assert rows["one_side_true"][0] == 1 and rows["one_side_made"][0] == 0
    assert rows["size_made"][0] == pytest.approx(2 * rows["size_true"][0], rel=1e-4)


def test_overlap_is_one_for_the_same_and_zero_for_strangers():
    assert trial.overlap([1, 2, 3], [1, 2, 3]) == 1
    assert trial.overlap([1, 2, 3, np.nan], [4, 5]) == 0
    assert trial.overlap([1, 2, 3, 4], [3, 4, 5, 6]) == pytest.approx(0.5)


def test_twins_differ_by_the_finding_only():
    one = trial.twins("Pleural Effusion", 3, 32)
    change = (one.ill - one.healthy).abs()
    assert one.twins and change.max() > 0.1 and change[:, :, :6].mean() < 0.1 * change[:, :, 12:].mean()


def rows(made, removed, seen=0.95):
    return {
        "classified": (seen, 0.9, 1.0), "classified_blurred": (seen, 0.9, 1.0), "kid_made": made,
        "kid_untouched": (100, 90, 110), "removed": removed, "nothing": (0.01,) * 3, "size_true": (0.03,) * 3,
        "size_made": (0.04,) * 3,
        "kid_photographs_made": made, "kid_photographs_untouched": (100, 90, 110),
        "kid_photographs_floor": (5, 0, 40),
    }  # fmt: skip


def test_the_verdict_follows_the_intervals():
    good, bad = rows((20, 10, 30), (0.7, 0.6, 0.8)), rows((300, 250, 350), (1.2, 1.1, 1.3))
    unsure = rows((95, 85, 105), (1.0, 0.9, 1.1))
    assert "nearer to true films than" in trial.verdict(good)
    assert "film nearer to its twin" in trial.verdict(good)
    assert "further from true films" in trial.verdict(bad) and "further from its twin" in trial.verdict(bad)
    assert "no nearer" in trial.verdict(unsure) and "neither nearer" in trial.verdict(unsure)
    distances = ["distance in thumbnails", "distance in photographs' features"]
    assert trial.doubts(good) == [] and trial.doubts(bad) == trial.doubts(unsure) == [*distances, "the twin"]
    assert trial.judgement({"Edema": good, "Fracture": bad}).startswith("All witnesses confirm **Edema**")
    assert f"**Fracture** ({', '.join(distances)}, the twin)" in trial.judgement(
        {"Edema": good, "Fracture": bad}
    )
    assert trial.judgement({"Fracture": bad}).startswith("No finding")
    assert "B 0.010 unasked, 0.040 asked, 0.030 true" in trial.unasked({"B": bad})
    table = trial.convinced({"Edema": good, "Fracture": bad})
    assert set(table.loc["Edema"]) == {"yes", "not asked"} and table.loc["Fracture", "the twin"] == "no"
    weak = trial.unasked({"A": good, "B": bad | {"size_made": (0.02,) * 3}})
    assert "A 0.010 unasked, 0.040 asked, 0.030 true; B 0.010 unasked, 0.020 asked (**not twice" in weak
    assert trial.doubts(rows((20, 10, 30), (0.7, 0.6, 0.8), seen=0.7)) == ["the classifier", "haze"]


def test_made_films_must_not_leave_the_floor_where_untouched_ones_do_not():
    found = rows((20, 10, 30), (0.7, 0.6, 0.8)) | {"kid_photographs_untouched": (10, 5, 50)}
    assert trial.doubts(found | {"kid_photographs_made": (60, 38, 90)}) == []
    worse = found | {"kid_photographs_made": (80, 41, 120)}
    assert trial.doubts(worse) == ["distance in photographs' features"]


def ruled(made, true):
    return {"ratio_healthy": (0.5, 0.48, 0.52), "ratio_made": made, "ratio_true": true}


def test_the_ruler_is_a_witness_where_it_can_tell_true_films_apart():
    good, large = rows((20, 10, 30), (0.7, 0.6, 0.8)), (0.7, 0.69, 0.71)
    assert trial.doubts(good | ruled(large, large), "Cardiomegaly") == []
    assert trial.doubts(good | ruled((0.5, 0.49, 0.51), large), "Cardiomegaly") == ["the ruler"]
    assert trial.doubts(good | ruled((0.3, 0.29, 0.31), large), "Cardiomegaly") == ["the ruler"]
    assert trial.doubts(good | ruled((0.5, 0.49, 0.51), (0.51, 0.49, 0.53)), "Cardiomegaly") == []


def test_what_the_ruler_reads_is_told_as_differences(monkeypatch):
    monkeypatch.setattr(trial.witnesses, "RULER", {"Cardiomegaly": {"ratio": "heart over chest"}})
    told = trial.readings({"Cardiomegaly": ruled((0.6, 0.59, 0.61), (0.7, 0.69, 0.71))})
    assert "0.500; from there made ones differ by +0.100, true ones by +0.200" in told
    assert "not asked" not in told
    told = trial.readings({"Cardiomegaly": ruled((0.6, 0.59, 0.61), (0.51, 0.49, 0.53))})
    assert "does not tell *true* films from healthy ones" in told


def test_a_bribe_is_named_only_where_haze_takes_it_away():
    seen = {"classified": (0.95, 0.9, 1.0), "classified_blurred": (0.93, 0.88, 0.98)}
    assert "no adversarial example" in trial.bribed({"Edema": seen})
    lost = seen | {"classified_blurred": (0.6, 0.5, 0.7)}
    text = trial.bribed({"Edema": seen, "Fracture": lost})
    assert "away from Fracture (0.95, in haze 0.60)**" in text and "Edema" not in text
    assert "cannot read" in trial.bribed({"Edema": {}})


# ---------------------------------------------------------------- chest_measures
def chest():
    """Two lungs and a heart between them, in a film of 40 by 40."""
    lungs, heart = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    lungs[5:30, 4:16] = lungs[5:30, 24:36] = True
    heart[18:30, 14:26] = True
    return lungs, heart


def test_ratio_of_heart_and_chest():
    lungs, heart = chest()
    assert chest_measures.cardiothoracic_ratio(lungs, heart) == pytest.approx(12 / 32)
    assert np.isnan(chest_measures.cardiothoracic_ratio(lungs, heart & False))


def test_a_sharp_recess_is_deep_and_fluid_blunts_it():
    lungs, heart = chest()
    lungs[30:34, 4:7] = True
    sharp = chest_measures.measure(lungs[None], heart[None])
    assert sharp["depth left"].item() == pytest.approx(4 / 29) and sharp["depth right"].item() == 0
    lungs[24:, 4:10] = False
    blunt = chest_measures.measure(lungs[None], heart[None])
    assert blunt["depth left"].item() < 0 and blunt["aerated"].item() < sharp["aerated"].item()


def test_the_outliner_learns_where_lungs_are():
    rows = simulator.one_each(["Cardiomegaly"], 4)
    films, _, masks, table = simulator.sample(None, 32, 1, rows, twins=False)
    truth = torch.from_numpy(chest_measures.outlines(table, masks, 32))
    films = signed_batch(films)
    model = chest_measures.Outliner(8, learning_rate=1e-2, device="cpu", precision="fp32")
    training.fit(model, [(films, truth)], 60)
    for found, known in zip(model.predict(films), truth.bool().numpy().transpose(1, 0, 2, 3), strict=True):
        assert 2 * (found & known).sum() / (found.sum() + known.sum()) > 0.7


def looked(answers):
    """A blinded reading of two made, two true and two healthy films, all of two findings."""
    films = [("made", "Edema"), ("made", "Cardiomegaly"), ("true", "Edema"), ("true", "Cardiomegaly")]
    rows = [
        (*film, answer) for film, answer in zip([*films, ("healthy", "none")] * 8, answers * 8, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["kind", "finding", "answer"])
    return table.assign(reader="a reader", film=range(len(table)))


def test_a_blinded_reading_is_counted_by_kind_and_finding():
    counted = trial.named(looked(["Edema", "none", "Edema", "Cardiomegaly", "none"]))
    assert counted.loc[("made", "any"), ["right", "n"]].tolist() == [8, 16]
    assert (
        counted.loc[("made", "Edema"), "right"] == 8 and counted.loc[("made", "Cardiomegaly"), "right"] == 0
    )
    assert counted.loc[("healthy", "none"), "value"] == 1


def test_a_blinded_reading_is_better_than_by_lot_or_not():
    good = trial.blind_look(looked(["Edema", "Cardiomegaly", "Edema", "Cardiomegaly", "none"]))
    assert "a reader named the right one in 16 of 16" in good and "better than by lot (50%)" in good
    assert "**not shown to be better than by lot**" in trial.blind_look(looked(["none"] * 5))


def test_the_committed_look_is_at_the_network_that_is_shipped():
    card, looked = trial.shipped_card(), artifacts.committed("blind_look.csv")
    assert set(looked["network"]) == {card["sha256"][:12]}
    assert set(card["findings"]) == set(looked.loc[looked["kind"] == "made", "finding"])


def test_a_film_read_twice_is_one_film_to_the_interval():
    once = looked(["Edema", "none", "Edema", "Cardiomegaly", "none"])
    twice = trial.named(pd.concat([once, once.assign(reader="another")]))
    assert twice.loc[("made", "any"), ["right", "n"]].tolist() == [16, 32]
    names = ["value", "low", "high"]
    assert twice[names].equals(trial.named(once)[names])


def readings_of(shares):
    """Ten made and ten true films, read once each: so many of each kind are named."""
    rows = [
        (kind, "Edema", "Edema" if n < shares[kind] else "none", n + 10 * (kind == "true"))
        for kind in shares
        for n in range(10)
    ]
    return pd.DataFrame(rows, columns=["kind", "finding", "answer", "film"])


def test_what_readers_named_of_a_variant_stands_beside_what_they_named_before():
    few, many = readings_of({"made": 2, "true": 9}), readings_of({"made": 9, "true": 9})
    said = trial.look_beside(few, many)
    assert "20% of the findings that the variant made, and 90%" in said and ": fewer (" in said
    assert ": more (" in trial.look_beside(many, few)
    assert "not shown to be fewer or more" in trial.look_beside(many, many)
    with pytest.raises(ValueError, match="no made film was read in both"):
        trial.look_beside(few, many.assign(film=many["film"] + 100))


def test_measures_of_a_variant_stand_beside_those_of_the_shipped_network():
    rows = [("Edema", "removed", 0.8), ("Edema", "size_spread_made", 0.01)]
    variant = pd.DataFrame(rows, columns=["finding", "measure", "value"])
    now = {"Edema": {"removed": (0.7, 0.6, 0.8), "size_spread_made": (0.02, 0.01, 0.03)}}
    table = trial.variant_beside(variant, now, names=("removed", "size_spread_made"))
    assert table.loc["Edema"].tolist() == [0.8, 0.7, 0.01, 0.02]
    with pytest.raises(ValueError, match="measure"):
        trial.variant_beside(variant.drop(columns="measure"), now, names=("removed",))
