import functools

import numpy as np
import pytest
import torch
from scipy import stats

from medgan_helpers import cam, classifier, metrics


@functools.cache
def reader(preset):
    return classifier.DenseNet(preset=preset, device="cpu", precision="fp32")


def films(n=3, size=64, seed=0):
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_mean_plus_bias_is_the_logit_with_average_pooling():
    model = reader("densenet121")
    maps = cam.activation_map(model, films(size=96), "Fracture")
    number = model.findings.index("Fracture")
    logit = maps.mean((1, 2)) + model.network.classifier.bias[number].detach()
    assert maps.shape == (3, 3, 3)
    assert torch.allclose(logit, model.logits(films(size=96))[:, number], atol=1e-5)


def test_logsumexp_plus_bias_is_the_logit_with_the_narrow_preset():
    model = reader("narrow")
    with torch.no_grad():
        model.network.classifier.bias.normal_(generator=torch.Generator().manual_seed(0))
    for number, finding in enumerate(model.findings):
        maps = cam.activation_map(model, films(), finding)
        logit = maps.flatten(1).exp().mean(1).log() + model.network.classifier.bias[number].detach()
        assert torch.allclose(logit, model.logits(films())[:, number], atol=1e-4)
    assert maps.shape == (3, 8, 8)


def test_grad_cam_is_cams_positive_part_with_average_pooling():
    model = reader("densenet121")
    expected = cam.activation_map(model, films(size=96), 4).relu() / 9
    assert torch.allclose(cam.grad_cam(model, films(size=96), 4), expected, atol=1e-6)


def test_grad_cam_is_cams_positive_part_with_logsumexp_too():
    """The shares of the cells in the logit add up to 1, so their mean gradient is w / cells here as well."""
    model = reader("narrow")
    for finding in ("Edema", "Fracture"):
        expected = cam.activation_map(model, films(), finding).relu() / 64
        assert torch.allclose(cam.grad_cam(model, films(), finding), expected, atol=1e-6)


def test_upsampling_does_not_shift():
    for cell in range(8):
        maps = torch.zeros(1, 8, 8)
        maps[0, cell, 2] = 1
        large = cam.upsample(maps, 64)[0]
        rows = torch.arange(64) + 0.5
        inside = large[cell * 8 : cell * 8 + 8].sum() / large.sum()
        assert inside > 0.6  # a bilinear tent keeps most of its mass in its own cell
        if 0 < cell < 7:
            centre = (large.sum(1) * rows).sum() / large.sum()
            assert centre == pytest.approx(cell * 8 + 4, abs=1e-3)


def squares(n=4, size=64):
    masks = torch.zeros(n, size, size, dtype=torch.bool)
    for i in range(n):
        masks[i, 8 * i : 8 * i + 8, 40:48] = True
    return masks


def test_maps_that_point_at_the_finding_hit_and_others_do_not():
    masks = squares()
    right = torch.stack([m.float() for m in masks])
    assert cam.pointing_game(right, masks) == (4, 4, 0)  # the masks do not overlap: chance is nought
    assert cam.pointing_game(-right, masks)[0] == 0
    coarse = torch.nn.functional.avg_pool2d(right, 8)
    hits, n, chance = cam.pointing_game(coarse, masks)
    assert (hits, n) == (4, 4)
    assert chance > 0  # masks have grown by half a cell, into their neighbours


def test_chance_is_the_hit_rate_after_shuffling_masks_between_films():
    rng = torch.Generator().manual_seed(0)
    masks = squares(8)[torch.randint(8, (60,), generator=rng)]
    maps = masks.float() + torch.rand(60, 64, 64, generator=rng) * 0.5
    _, _, chance = cam.pointing_game(maps, masks)
    peaks = maps.flatten(1).argmax(1)
    shuffled = []
    for _ in range(300):
        order = torch.randperm(60, generator=rng)
        moved = order != torch.arange(60)
        shuffled.append(masks.flatten(1)[order, peaks][moved].float().mean())
    assert chance == pytest.approx(torch.stack(shuffled).mean().item(), abs=0.01)


def test_knowing_the_usual_place_does_not_count():
    """The finding lies in one place in nine of ten films; a map that always points there has no lead."""
    masks = squares(2)[[0] * 18 + [1] * 2]
    maps = squares(1).float().repeat(20, 1, 1)
    scores = cam.localisation(maps, masks)
    assert scores["hit"].value == 0.9
    assert scores["lead"].low <= 0.001 and abs(scores["lead"].value) < 0.01
    right = cam.localisation(masks.float(), masks)
    assert right["hit"].value == 1 and right["lead"].low > 0


def test_films_without_the_finding_are_left_out():
    masks = squares()
    masks[0] = False
    assert cam.pointing_game(masks.float(), masks)[1] == 3
    with pytest.raises(ValueError, match="no film with a mask"):
        cam.pointing_game(masks.float(), torch.zeros_like(masks))
    with pytest.raises(ValueError, match="same films"):
        cam.pointing_game(masks.float(), masks[:2])


def test_energy_inside_by_hand():
    masks = squares(2)
    maps = torch.full((2, 64, 64), 1.0)
    flat = cam.energy_inside(maps, masks)
    assert flat[0][0] == flat[1][0] == pytest.approx(1 / 64)  # flat: the area, of its own mask as of others'
    maps[0, :4] = 2  # 256 pixels stand out by 1, 32 of them in the first mask
    own, others = cam.energy_inside(maps, masks)
    assert own[0] == pytest.approx(32 / 256) and others[0] == 0
    assert cam.energy_inside(3 * maps - 20, masks)[0][0] == pytest.approx(32 / 256)  # negative all over, too
    maps[0, masks[0]] = 5
    assert cam.energy_inside(maps, masks)[0][0] == pytest.approx(64 * 4 / (64 * 4 + 224))


def test_agreement_is_a_rank_correlation():
    maps = torch.rand(5, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(cam.agreement(maps, maps.exp()), torch.ones(5), atol=1e-6)
    assert torch.allclose(cam.agreement(maps, -maps), -torch.ones(5), atol=1e-6)
    other = torch.rand(5, 8, 8, generator=torch.Generator().manual_seed(1))
    assert cam.agreement(maps, other).abs().max() < 0.5


def test_agreement_shares_ranks_among_ties_and_is_undefined_for_blank_maps():
    """Grad-CAM is nought in much of a film, and all over in some."""
    random = torch.rand(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    first, second = (random - 0.6).relu()
    pairs = zip(first.flatten(1), second.flatten(1), strict=True)
    expected = [stats.spearmanr(*pair).statistic for pair in pairs]
    assert cam.agreement(first, second).tolist() == pytest.approx(expected, abs=1e-6)
    first[1] = second[1] = second[2] = 0
    assert cam.agreement(first, second).isnan().tolist() == [False, True, True, False]


def test_an_unknown_finding_is_named():
    with pytest.raises(ValueError, match="Broken Heart"):
        cam.activation_map(reader("narrow"), films(), "Broken Heart")


def test_localisation_holds_both_scores_beside_their_chance():
    masks = squares()
    masks[0] = False
    maps = torch.stack([m.float() for m in masks])
    maps[3] = 1 - maps[3]
    scores = cam.localisation(maps, masks)
    assert scores["n"] == 3
    assert scores["hit"] == pytest.approx(metrics.proportion(2, 3))
    assert scores["chance"].value == 0
    assert scores["energy"].value == pytest.approx(2 / 3, abs=0.01)
    assert scores["energy"].low < scores["energy"].value < scores["energy"].high
    table = cam.beside_chance({"Fracture": scores})
    assert table.loc["Fracture"].tolist() == pytest.approx([*scores["hit"], 0])
    energy = cam.beside_chance({"Fracture": scores}, "energy")
    assert energy.loc["Fracture", "value"] == scores["energy"].value
    for few in (torch.zeros_like(masks), masks[:2]):  # none, and a single one
        nothing = cam.localisation(maps[: len(few)], few)
        assert nothing.pop("n") < 2 and np.isnan(list(nothing.values())).all()


def test_sentences_say_what_the_intervals_allow():
    sure, unsure = metrics.Estimate(0.3, 0.1, 0.5), metrics.Estimate(0.1, -0.1, 0.3)
    half, full = metrics.Estimate(0.5, 0.4, 0.6), metrics.Estimate(1.0, 1.0, 1.0)
    rows = {"Edema": {"lead": sure, "chance": half}, "Fracture": {"lead": unsure, "chance": half}}
    words = cam.who_points(rows)
    assert "1 of 2" in words and "Edema (+0.30" in words and "Not shown for Fracture" in words
    assert "Not shown for Edema" in cam.who_points(
        {"Edema": dict.fromkeys(("lead", "chance"), metrics.Estimate(*[np.nan] * 3))}
    )
    assert cam.pointed(rows).startswith("For 1 of 2 findings the map")
    rows["Cardiomegaly"] = {"lead": metrics.Estimate(0.0, -0.1, 0.0), "chance": full}
    assert cam.pointed(rows).startswith("For 1 of the 2 findings that could be tested, of 3, the map")
    words = cam.who_points(rows)
    assert "**1 of 2 findings that could be tested, of 3**: Edema" in words
    assert words.endswith("For Cardiomegaly the usual place always suffices (chance is 1): nothing to test.")
    skill = {"Edema": metrics.Estimate(0.9, 0.8, 0.95), "Fracture": metrics.Estimate(0.6, 0.4, 0.7)}
    words = cam.who_reads(skill)
    assert "1 of 2" in words and "guessing: Fracture" in words
    assert "All 1 are read" in cam.who_reads({"Edema": metrics.Estimate(0.9, 0.8, 0.95)})
    wrong = {"Pneumonia": metrics.Estimate(0.42, 0.36, 0.48)}
    words = cam.who_reads(skill | wrong)
    assert "1 of 3 the interval reaches down to guessing: Fracture. For 1 of 3 it lies wholly below" in words
    assert "worse than guessing: Pneumonia." in words
    assert "reaches" not in cam.who_reads(wrong) and "wrong way round: Pneumonia." in cam.who_reads(wrong)
    said = cam.believes("Edema", torch.tensor([0.1, 0.6]), torch.tensor([0.4, 0.9]), torch.ones(2))
    assert "Edema more likely than not in **1 of 2** made films, in 2 of their true twins and in 1 of" in said
    assert "or the networks that they are compared with" in cam.depends_on_learning({"random weights": 0.1})
    assert "too much" in cam.depends_on_learning({"random weights": 0.1, "shuffled labels": 0.7})


def test_all_findings_together_weigh_as_their_films():
    sure, chance = metrics.Estimate(1.0, 0.9, 1.0), metrics.Estimate(0.5, 0.4, 0.6)
    none = metrics.Estimate(0.0, 0.0, 0.1)
    rows = {"a": {"hit": sure, "chance": chance, "n": 30}, "b": {"hit": none, "chance": none, "n": 10}}
    both = cam.pooled(rows)
    assert both["hit"] == metrics.proportion(30, 40)
    assert both["chance"].value == pytest.approx(0.375) and both["chance"].low == pytest.approx(0.3)
    assert cam.pooled({"a": rows["a"]})["chance"] == pytest.approx(chance)
    assert cam.together(rows).startswith("All 40 maps together hit in a share of 0.75")
    assert "Without" not in cam.together(rows)
    rows["c"] = {"hit": sure, "chance": metrics.Estimate(1.0, 1.0, 1.0), "n": 20}
    assert list(cam.possible(rows)) == ["a", "b"]
    assert "Without the 20 of findings whose chance is 1, 40 maps: 0.75" in cam.together(rows)


def test_boxes_of_radiologists_are_said_to_be_followed_only_where_it_is_shown():
    row = {"hit": metrics.Estimate(0.4, 0.3, 0.5), "chance": metrics.Estimate(0.2, 0.1, 0.3), "n": 34}
    for low, words in ((0.05, "is shown."), (-0.05, "is not shown.")):
        long, short = cam.in_boxes({"Edema": row | {"lead": metrics.Estimate(0.2, low, 0.4)}})
        assert short == f"On 34 real films with a radiologist's box (Edema) that {words}"
        assert "0.40 (0.30 to 0.50), by chance 0.20" in long
