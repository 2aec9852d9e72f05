"""Chapter 4's sentences say what the numbers say, and its networks get what the rivals get."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import degradation, metrics, repair_trial, restoration, restorers, simulator, slabs
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
    def verdict(sharp, farther):
        table = pd.DataFrame(
            {"error": [0.05, 0.1, 0.05 * (1 + farther)], "sharpness": [0.55, 1.4, sharp]},
            index=["L1 alone", "D alone", "both"],
        )
        apart = {"sharper": sharp - 0.55, "farther": farther}
        return repair_trial.sharp_and_right(
            table, {name: Estimate(value, value - 0.02, value + 0.02) for name, value in apart.items()}
        )

    assert verdict(0.95, 0.03).startswith("*Both* is: *both* has 95 % of the true films' fine detail")
    assert "*L1 alone* 55 %" in verdict(0.95, 0.03) and "by 3 % (1 to 5), *D alone* by 100 %" in verdict(
        0.95, 0.03
    )
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
    assert found["sharper"].low > 0.3 and found["farther"].high < 0


def test_what_is_erased_and_invented_is_said_of_three_methods():
    rows = {"unet": 0.84, "bilateral": 0.7, "pix2pix": 0.79, "degraded": 0.9}
    table = {name: Estimate(value, 0.0, 1.0) for name, value in rows.items()}
    said = repair_trial.erased_or_invented(table, table, "bilateral")
    assert (
        "the U-Net 0.84" in said
        and "the best filter by PSNR (bilateral) in 70 %" in said
        and "0.90" not in said
        and "most often" not in said
    )
    more = table | {"nlm": Estimate(0.85, 0.0, 1.0)}
    said = repair_trial.erased_or_invented(more, more, "bilateral")
    assert said.endswith("non-local means (nlm), which averages patches that look alike, in 85 %.")


def test_the_front_page_is_told_in_words_what_the_numbers_say():
    table = {"ct": found(1.2, 0.04), "mr": found(-0.4, 0.04), "xray": found(1.85, 0.04)}
    gan = {"ct": found(0.05, 0), "mr": found(-0.8, 0), "xray": found(1.0, 0)}
    assert "for CT and X-ray, by 1.2 to 1.9 dB; with a" in repair_trial.led(table, gan)
    assert repair_trial.led(table, gan).endswith("as a GAN, it does so for X-ray and loses for MR.")
    assert repair_trial.led(table, {"ct": found(0.05, 0)}).endswith("as a GAN, it does not.")
    assert repair_trial.led({"mr": found(-0.4, 0.04)}, gan).startswith("No U-Net")
    shares = {"unet": Estimate(0.05, 0.02, 0.08), "pix2pix": Estimate(0.56, 0.5, 0.62)}
    assert "invents a shadow that is not there in 56 % of" in repair_trial.invented_in_short(shares)
    assert "invents" not in repair_trial.invented_in_short(dict.fromkeys(shares, shares["unet"]))
    assert "most often" not in repair_trial.invented_in_short(shares | {"tv": shares["unet"]})
    more = shares | {"nlm": Estimate(0.7, 0.6, 0.8)}
    one, other = repair_trial.invented_in_short(more).split(". ")
    assert "the U-Net in 5 %" in one and "non-local means (nlm), which averages" in other and "70 %." in other


def test_the_gans_own_answer_names_its_losses_and_the_critics_that_learnt_nothing():
    gan = {"ct": found(0.5, 0), "mr": found(-0.8, 0), "xray": found(1.0, 0)}
    rivals = {"ct": "pwls", "mr": "compressed_sensing", "xray": "tv"}
    learnt = {"ct": "not started: D has learnt nothing", "mr": "healthy: look", "xray": "healthy: look"}
    said = repair_trial.gan_leads(rivals, gan, learnt)
    assert "**MR -0.80 dB (-0.90 to -0.70), it loses to compressed sensing**" in said
    assert "CT +0.50 dB (+0.40 to +0.60), but its discriminator has not learnt: no GAN" in said
    assert "X-ray +1.00 dB" in said and "X-ray +1.00 dB (+0.90 to +1.10), but" not in said


def test_help_is_claimed_only_where_the_interval_is_above_zero():
    better, worse = Estimate(0.02, 0.01, 0.03), Estimate(0.02, -0.01, 0.05)
    said = repair_trial.helped({"degraded": better}, worse, 5)
    assert "The repair helped" in said and "alone, is not shown to be helped" in said
    few = repair_trial.helped({"degraded": better}, worse, 3)
    assert "3 seeds: a first look, no verdict" in few and "The repair helped" not in few
    assert "No help" in repair_trial.helped({"degraded": worse}, better, 5)
    assert "alone, is helped" in repair_trial.helped({"degraded": worse}, better, 3)
    assert "alone, is harmed" in repair_trial.helped({"degraded": worse}, Estimate(-0.2, -0.3, -0.1), 3)


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
