"""Chapter 4's sentences say what the numbers say, and its networks get what the rivals get."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import (
    degradation,
    metrics,
    pix2pix,
    repair_trial,
    restoration,
    restorers,
    simulator,
    slabs,
    training,
)
from medgan_helpers.images import signed_batch
from medgan_helpers.metrics.intervals import Estimate

SMALL = {"many": 16, "few": 4, "tests": 6, "size": 32}


def found(dB, ssim):
    return {"PSNR (dB)": Estimate(dB, dB - 0.1, dB + 0.1), "SSIM": Estimate(ssim, ssim - 0.01, ssim + 0.01)}


def test_no_effect_of_a_discriminator_that_has_not_learnt():
    for diagnosis in (
        "not started: at the end D(x) and D(G(z)) are 0.010 apart",
        "discriminator won: D(x) is .9",
    ):
        text = repair_trial.discriminator_effect("mr", diagnosis, found(-0.5, -0.01), (0.8, 0.9))
        assert "nothing can be said" in text and diagnosis in text
        assert "changes PSNR" not in text and "-0.50" not in text


def test_the_effect_of_one_that_has():
    costly = repair_trial.discriminator_effect("ct", "healthy: look", found(-0.5, -0.02), (0.8, 0.9))
    free = repair_trial.discriminator_effect("ct", "healthy: look", found(0.02, 0.0), (0.8, 0.8))
    assert "-0.50 dB" in costly and "It costs closeness, and images become sharper" in costly
    assert "No cost in closeness has been shown, and images become no sharper" in free


def test_a_lead_that_is_missed_stands_in_bold():
    assert not repair_trial.lead("xray", "tv", found(1.2, 0.04)).startswith("**")
    short = repair_trial.lead("xray", "tv", found(1.2, 0.01))
    assert short.startswith("**") and "0.03 of SSIM" in short and "1 dB" not in short.split("lead by")[1]
    assert "loses" in repair_trial.lead("mr", "compressed_sensing", found(-0.4, 0.04))


def test_l1_holds_the_patient_only_where_the_error_says_so():
    def said(alone):
        return repair_trial.held_by_l1(
            pd.DataFrame({"error": {"L1 alone": 0.04, "D alone": alone, "both": 0.05}})
        )

    assert said(0.2).startswith("L1 does: *D alone* is 5.00 times") and "*both* 1.25 times" in said(0.2)
    assert said(0.04).startswith("Not shown")


def test_sharp_and_right_needs_both():
    def verdict(sharp, farther, placed=0.0):
        table = pd.DataFrame(
            {"error": [0.05, 0.1, 0.05 * (1 + farther)], "sharpness": [0.55, 1.4, sharp],
             "in place": [0.3, 0.1, 0.3 + placed]},
            index=["L1 alone", "D alone", "both"],
        )  # fmt: skip
        apart = {"sharper": sharp - 0.55, "farther": farther, "in place": placed}
        return repair_trial.sharp_and_right(
            table, {name: Estimate(value, value - 0.02, value + 0.02) for name, value in apart.items()}
        )

    assert verdict(0.95, 0.03).startswith("*Both* is: *both* has 95 % of the true films' fine detail")
    assert "*L1 alone* 55 %" in verdict(0.95, 0.03) and "by 3 % (1 to 5), *D alone* by 100 %" in verdict(
        0.95, 0.03
    )
    less = verdict(0.95, 0.03, -0.06)
    assert less.startswith("In shapes and greys *both* is, in fine detail it is not: *both* has 95 %")
    assert "detail 0.24, *L1 alone* 0.30; difference -0.060 (-0.080 to -0.040)" in less
    assert verdict(0.95, 0.3).endswith("pays for its detail with the patient.")
    assert verdict(0.56, 0.0).endswith("hardly sharper than *L1 alone*.")
    assert verdict(0.7, 0.0).startswith("None is yet") and verdict(1.5, 0.0).startswith("None is yet")


def test_what_is_learnt_by_heart_is_said():
    assert repair_trial.by_heart(0.05, 0.08).startswith(
        "*L1 alone* errs by 0.050 on the films it learnt from"
    )
    assert "exposures by heart" in repair_trial.by_heart(0.05, 0.08)
    assert repair_trial.by_heart(0.08, 0.081).endswith("nothing is learnt by heart.")


def test_a_blur_costs_sharpness_and_a_wrong_patient_costs_rightness():
    made, *_ = simulator.sample(8, 64, seed=3, twins=False, masks=False)
    films = signed_batch(made)
    noise = 0.05 * torch.randn(films.shape, generator=torch.Generator().manual_seed(0))
    drawn = {
        "blurred": films - repair_trial.detail(films),
        "noisy": (films + noise).clamp(-1, 1),
        "another's": films.roll(1, 0),
        "true": films,
    }
    table = repair_trial.drawings(films, drawn)
    assert (table.loc["true"] - torch.tensor([0.0, 1.0, 1.0]).numpy()).abs().max() < 1e-5
    assert table.sharpness["blurred"] < 0.7 and table.error["blurred"] < 0.01
    assert table.sharpness["noisy"] > 1.3 and table.error["noisy"] < 0.01
    assert 0.7 < table.sharpness["another's"] < 1.5 and table.error["another's"] > 0.05
    assert table["in place"]["another's"] < 0.3 < 0.5 < table["in place"]["noisy"]
    found = repair_trial.beside_l1(films, {"L1 alone": drawn["blurred"], "both": films})
    assert found["sharper"].low > 0.3 and found["farther"].high < 0 and found["in place"].low > 0


def shares(rows):
    """(shares with intervals, changes beside degraded) of made-up values."""
    table = {name: Estimate(value, value - 0.02, value + 0.02) for name, value in rows.items()}
    apart = {name: value - rows["degraded"] for name, value in rows.items() if name != "degraded"}
    return table, {name: Estimate(value, value - 0.03, value + 0.03) for name, value in apart.items()}


KEPT, TAKEN = shares({"degraded": 0.95, "unet": 0.84, "bilateral": 0.87, "pix2pix": 0.79})
INVENTED, ADDED = shares({"degraded": 0.36, "unet": 0.05, "bilateral": 0.27, "pix2pix": 0.56})


def test_what_is_erased_and_invented_is_said_beside_the_film_before_any_repair():
    def said(**changes):
        beside = {"kept": TAKEN, "invented": ADDED} | changes
        return repair_trial.erased_or_invented(KEPT, INVENTED, beside, "bilateral", 64)

    assert "before any repair 0.95 (0.93 to 0.97), the U-Net 0.84" in said()
    assert "Every repair takes contrast from true lesions: 0.79 to 0.87 of it are left, 0.95 before" in said()
    assert "in how many of 64 healthy films: before any repair 36 % (34 to 38), the U-Net 5 % (3 to" in said()
    assert "the best filter by PSNR (bilateral) 27 %" in said()
    assert "After Pix2Pix more films have one" in said() and "20 points of 100 (17 to 23)" in said()
    assert said().endswith("Whether such a patch looks like a lesion was not asked.")
    open_ = said(kept=TAKEN | {"unet": Estimate(-0.01, -0.04, 0.02)})
    assert "Not every repair is shown to take contrast" in open_


def test_more_films_too_bright_than_before_the_repair_is_said_only_where_it_is_shown():
    def said(low, high):
        beside = {"kept": TAKEN, "invented": {"pix2pix": Estimate((low + high) / 2, low, high)}}
        return repair_trial.erased_or_invented(KEPT, INVENTED, beside, "bilateral", 64)

    assert "it is not shown that more or fewer films have one" in said(-0.02, 0.4)
    assert "fewer films have one" in said(-0.4, -0.02)


def test_the_front_page_says_what_was_measured_before_and_after_repair():
    beside = {"kept": TAKEN, "invented": ADDED}
    said = repair_trial.invented_in_short(KEPT, INVENTED, beside, 64)
    first, shares, lesions = said.split(". ")
    assert first == (
        "Pix2Pix leaves a patch of lung too bright by more than half a lesion in 56 % of 64 healthy films, "
        "the U-Net in 5 %, the filter bilateral in 27 %; before repair 36 %"
    )
    assert shares.startswith("With intervals: Pix2Pix 56 % (54 to 58), U-Net 5 % (3 to 7), before 36 % (34")
    assert shares.endswith("bilateral 27 % (25 to 29)") and lesions.startswith("Every repair takes")


def test_near_films_are_a_warning_only_where_the_interval_is_above_chance():
    said = repair_trial.shines_through({"fake": 6.6, "held_out": 6.7, "copies": 13 / 128}, 128)
    assert "10.2 % of 128 (6.0 to 16.6; chance: 5 %). **More than chance, a warning" in said
    said = repair_trial.shines_through({"fake": 6.6, "held_out": 6.7, "copies": 9 / 128}, 128)
    assert "a warning" not in said and "is not shown." in said


def test_the_weight_of_the_discriminator_is_said_beside_the_papers():
    said = repair_trial.critics_weight({"xray": 20.0, "ct": 100.0, "mr": 20.0})
    assert "for CT as much (l1 = 100), for X-ray and MR 5 times as much (l1 = 20). The weights w" in said
    assert "no table" not in repair_trial.critics_weight({"ct": 100.0})


def test_the_networks_that_come_with_the_course_weigh_as_the_settings_say():
    for modality in ("xray", "ct", "mr"):
        l1 = restorers.BESIDE_OF.get(modality, {}).get("l1", pix2pix.BESIDE.l1)
        assert training.shipped(pix2pix.Pix2Pix, f"pix2pix-{modality}")[0].recipe.l1 == l1


def test_at_other_settings_a_loss_stands_in_bold():
    leads = {"50 photons": Estimate(1, 0.5, 1.5), "pixel width 1": Estimate(-4, -5, -3)}
    said = repair_trial.elsewhere(leads, "100 photons", 32)
    assert (
        "trained for 100 photons. At" in said and "(32 films): 50 photons +1.00 dB (+0.50 to +1.50);" in said
    )
    assert said.endswith("**pixel width 1 -4.00 dB (-5.00 to -3.00), the filter wins**.")


def test_a_change_of_realism_is_judged_as_a_pair_in_both_spaces():
    def said(seen, small):
        rows = {("imagenet", "unet"): (812, 700, 940), ("imagenet", "pix2pix"): (770, 670, 910)}
        rows |= {("imagenet", "pix2pix minus unet"): seen, ("thumbnails", "pix2pix minus unet"): small}
        return repair_trial.realism(pd.DataFrame(rows, index=["KID x 1000", "low", "high"]).T)

    assert "from 812 to 770; the change on the same films, -42 (-88 to +3), shows **no** gain" in said(
        (-42, -88, 3), (23, 13, 35)
    )
    assert said((-42, -88, 3), (23, 13, 35)).endswith("+23 (+13 to +35), is a loss of realism.")
    assert "-42 (-60 to -20), is a gain in realism" in said((-42, -60, -20), (23, 13, 35))


def test_the_front_page_is_told_in_words_what_the_numbers_say():
    table = {"ct": found(1.2, 0.04), "mr": found(-0.4, 0.04), "xray": found(1.85, 0.04)}
    gan = {"ct": found(0.05, 0), "mr": found(-0.8, 0), "xray": found(1.0, 0)}
    said = repair_trial.led(table, gan)
    assert "for CT and X-ray, by 1.20 to 1.85 dB, on simulated images spoilt as in training; as" in said
    assert "on test images spoilt" in repair_trial.led(table, gan, simulated=False)
    near = {"ct": found(0.96, 0.04), "mr": found(0.96, 0.04)}
    assert "by 0.96 dB, on" in repair_trial.led(near, gan), "not 1.0, where 1 dB was missed"
    weight = "(MR and X-ray at 5 times the paper's adversarial weight)"
    assert said.endswith(f"as a GAN it does so for X-ray and loses for MR {weight}.")
    assert repair_trial.led(table, {"ct": found(0.05, 0)}).endswith("as a GAN it does not.")
    assert repair_trial.led({"mr": found(-0.4, 0.04)}, gan).startswith("No U-Net")


def test_the_gans_own_answer_names_its_losses_and_the_critics_that_learnt_nothing():
    gan = {"ct": found(0.5, 0), "mr": found(-0.8, 0), "xray": found(1.0, 0)}
    rivals = {"ct": "pwls", "mr": "compressed_sensing", "xray": "tv"}
    learnt = {"ct": "not started: D has learnt nothing", "mr": "healthy: look", "xray": "healthy: look"}
    said = repair_trial.gan_leads(rivals, gan, learnt)
    assert "**MR -0.80 dB (-0.90 to -0.70), it loses to compressed sensing**" in said
    assert "CT +0.50 dB (+0.40 to +0.60), but its discriminator has not learnt: no GAN" in said
    assert "X-ray +1.00 dB" in said and "X-ray +1.00 dB (+0.90 to +1.10), but" not in said


def test_help_is_claimed_only_where_the_interval_is_above_zero():
    def helped(gains, shipped, seeds, late=(0.7, 0.5)):
        losses = {"degraded": late, "unet": (0.6, 0.4)}
        return repair_trial.helped(gains, shipped, seeds, losses, 36)

    better, worse = Estimate(0.02, 0.01, 0.03), Estimate(0.02, -0.01, 0.05)
    said = helped({"degraded": better}, worse, 5)
    assert "The repair helped" in said and "alone, is not shown to be helped" in said
    few = helped({"degraded": better}, worse, 3)
    assert "3 seeds: a first look, no verdict" in few and "The repair helped" not in few
    assert "No help" in helped({"degraded": worse}, better, 5)
    assert "alone, is helped" in helped({"degraded": worse}, better, 3)
    assert "alone, is harmed" in helped({"degraded": worse}, Estimate(-0.2, -0.3, -0.1), 3)
    assert "short, 36 steps" in said and "from 0.70 to 0.50 on degraded films, from 0.60 to 0.40 on" in said
    assert "It still fell on degraded ones: part of the gain may be an under-tuned opponent." in said
    assert "still fell" not in helped({"degraded": better}, worse, 5, late=(0.5, 0.5))
    assert repair_trial.tuned_how({"degraded": (0.7, 0.5)}, 36).endswith(
        "kind; its loss on degraded ones was still falling"
    )
    assert repair_trial.tuned_how({"degraded": (0.5, 0.5)}, 36) == (
        "it learnt from clean films, then for 36 more steps from films of each kind"
    )


def test_the_mean_of_several_classifiers_carries_their_spread():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (200, 2)).astype(float)
    near = np.stack([truth + rng.normal(0, 1, truth.shape) for _ in range(2)])
    apart = np.stack([truth + rng.normal(0, 0.6, truth.shape), truth + rng.normal(0, 3, truth.shape)])
    patients = np.arange(200)
    narrow, wide = (repair_trial.mean_auroc(g, truth, patients) for g in (near, apart))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    same = repair_trial.mean_auroc(near, truth, patients, rival=near)
    assert same.value == 0


@pytest.mark.parametrize("make", [slabs.ct, slabs.mr])
def test_slices_are_reproducible_and_in_range(make):
    first = make(5, 32, seed=1, part="test")
    assert first.shape == (5, 1, 32, 32) and torch.equal(first, make(5, 32, seed=1, part="test"))
    assert first.min() >= 0 and first.max() <= 1 and torch.pdist(first.flatten(1)).min() > 0.1
    with pytest.raises(ValueError, match="train, valid, test"):
        make(1, 32, part="holdout")


def test_parts_lie_apart():
    mr = {part: {6 * slab + k for slab in which for k in range(4)} for part, which in slabs.MR.items()}
    ct = {part: [edge for slab in which for edge in slab] for part, which in slabs.CT.items()}
    for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
        assert min(abs(a - b) for a in mr[one] for b in mr[other]) >= 3  # two slices of nobody between
        assert min(abs(a - b) for a in ct[one] for b in ct[other]) >= 12  # mm: two voxels at 64 px


@pytest.mark.parametrize("make", [restorers.ct, restorers.mr])
def test_where_little_was_measured_the_network_starts_from_the_measurement(make):
    bench = make(**SMALL)
    given = restorers.start(bench.modality, bench.degraded["test"], bench.measured["test"])
    dB = [metrics.psnr(x, bench.clean["test"]).mean() for x in (bench.degraded["test"], given)]
    assert dB[1] > dB[0] + 1.5
    assert torch.equal(restorers.start("xray", bench.degraded["test"], None), bench.degraded["test"])


def test_batches_go_on_where_they_were_sought():
    bench = restorers.ct(**SMALL)
    stream = iter(restorers.Pairs(bench, batch=2))
    pairs = [next(stream) for _ in range(3)]
    sought = restorers.Pairs(bench, batch=2)
    sought.seek(2)
    for whole, again in zip(pairs[2], next(iter(sought)), strict=True):
        assert torch.equal(whole, again) and whole.shape == (2, 1, 64, 64) and whole.min() >= -1


def test_unet_and_pix2pix_take_the_same_steps_from_the_same_weights():
    bench = restorers.ct(**SMALL)
    first, _ = restorers.train(bench, 2, 4)
    control, _ = restorers.go_on(first, bench, 4, adversarial=0.0)
    both, history = restorers.go_on(first, bench, 4)
    assert control.discriminator is None and both.discriminator is not None
    assert control.steps_done == both.steps_done == 4 and "d_real" in history
    rates = {model.recipe.learning_rate for model in (control, both)}
    assert len(rates) == 1 and control.recipe.l1 == both.recipe.l1
    repaired = restorers.repair(both, bench, "test")
    assert repaired.shape == bench.clean["test"].shape and 0 <= repaired.min() <= repaired.max() <= 1


def test_what_apply_shows_is_what_measure_measured():
    clean = slabs.mr(2, 32)
    kspace = degradation.measure(clean, "mr", seed=4)
    image = degradation.from_kspace(kspace).abs().clamp(0, 1)
    assert torch.allclose(image, degradation.apply(clean, "mr", seed=4), atol=1e-6)
    rays = degradation.measure(clean, "ct", seed=4)
    slices = degradation.filtered_back_projection(rays, 32).clamp(0, 1)
    assert torch.allclose(slices, degradation.apply(clean, "ct", seed=4), atol=1e-6)
    with pytest.raises(ValueError, match="no strength"):
        degradation.measure(clean, "mr", dose=3)


def test_the_trust_in_the_measurement_weighs_closeness_and_structure(monkeypatch):
    """Of two trusts, one a little better in dB and far worse in SSIM, the other one is taken."""
    found = {0.0: (28.9, 0.95), 1.0: (29.1, 0.82)}
    monkeypatch.setattr(restorers, "TRUSTS", tuple(found))
    monkeypatch.setattr(restorers, "repair", lambda network, bench, part: 0.0)
    monkeypatch.setattr(restoration, "consistent", lambda images, measured, trust: trust)
    measures = {
        name: (short, lambda trust, clean, k=k: torch.tensor(found[trust][k]), unit)
        for k, (name, (short, _, unit)) in enumerate(repair_trial.MEASURES.items())
    }
    monkeypatch.setattr(repair_trial.measures, "MEASURES", measures)
    bench = SimpleNamespace(modality="mr", clean={"valid": None}, measured={"valid": None})
    assert repair_trial.best_trust(None, bench) == 0.0
    found[1.0] = (29.1, 0.95)
    assert repair_trial.best_trust(None, bench) == 1.0


def test_the_leads_are_one_sentence():
    found = {"PSNR (dB)": Estimate(1.5, 1, 2), "SSIM": Estimate(0.02, 0.01, 0.03)}
    said = repair_trial.leads({"ct": "sart", "mr": "compressed_sensing"}, {"ct": found, "mr": found})
    assert "on test images: CT +1.50 dB, SSIM +0.020 (sart); MR" in said
    assert said.endswith("(compressed sensing).")


def test_a_circle_stands_where_most_was_invented_and_where_least_was_kept():
    def spot(films):  # too bright at one place of the third film, and nowhere else
        films = films.clone()
        films[2, 0, 20:24, 12:16] += 0.5
        return films

    lesions = repair_trial.Lesions({"unet": spot}, 32, 4)
    lesions.mask = torch.ones_like(lesions.mask)  # the lungs are everywhere
    lesions.fixed["unet"]["plain"] = spot(lesions.clean["plain"])
    lesions.mask[:, :, :, :10] = 0
    rows, where = lesions.worst("unet"), lesions.where("unet")
    assert where.keys() == rows.keys()
    added, faint = where.values()
    assert abs(added[0] - 21.5) <= 1 and abs(added[1] - 13.5) <= 1, "the middle of the spot"
    assert faint == (15.5, 20.5), "the middle of the lesion's mask"
    assert lesions.strays("unet").argmax() == 2


def test_each_method_is_compared_with_the_same_films_before_any_repair():
    lesions = repair_trial.Lesions({"degraded": lambda x: x, "flat": torch.zeros_like}, 32, 6)
    lesions.fixed["bright"] = {which: (x + 0.5).clamp(0, 1) for which, x in lesions.clean.items()}
    beside = lesions.beside_degraded()
    assert set(beside["kept"]) == set(beside["invented"]) == {"flat", "bright"}
    shares = {name: lesions.invented()[name].value for name in lesions.fixed}
    assert beside["invented"]["bright"].value == pytest.approx(shares["bright"] - shares["degraded"])
    assert shares["bright"] == 1 and beside["kept"]["flat"].high < 0
