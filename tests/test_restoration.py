"""The conventional methods restore, and tuning finds the best of them."""

import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import degradation, figures, restoration, tomography
from medgan_helpers.exercises import chapter04
from medgan_helpers.figures import film, restorations
from medgan_helpers.simulator import brain


@pytest.fixture(scope="module")
def clean():
    return brain.slices(4, 32, seed=3)


def psnr(restored, clean):
    return -10 * torch.log10(((restored - clean) ** 2).mean((1, 2, 3))).mean()


def noisy(images, sigma=0.08):
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return (images + sigma * noise).clamp(0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", restoration.METHODS)
def test_every_method_keeps_shape_range_and_type(name, clean):
    restored = restoration.METHODS[name](clean)
    assert restored.shape == clean.shape and restored.dtype == clean.dtype
    assert restored.min() >= 0 and restored.max() <= 1 and torch.isfinite(restored).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", restoration.DENOISERS)
def test_denoisers_denoise(name, clean):
    smooth = degradation.gaussian_blur(clean, 1.0)  # 32 pixels a brain are too few for a median otherwise
    tuned = restoration.tune("mr", noisy(smooth), smooth, names=[name])[name]
    assert psnr(tuned(noisy(smooth)), smooth) > psnr(noisy(smooth), smooth) + 0.5


def test_the_bilateral_filter_is_a_gaussian_where_greys_count_for_nothing_and_keeps_edges(clean):
    middle = slice(4, 28)  # the borders are padded in two ways
    smooth = restoration.METHODS["bilateral"](clean, sigma_color=1e3, sigma_spatial=1.0)
    gaussian = restoration.gaussian.__wrapped__(clean[0, 0].double().numpy(), 1.0)
    assert np.abs(smooth[0, 0].numpy() - gaussian)[middle, middle].max() < 0.05  # it ends at two sigma
    step = torch.zeros(1, 1, 16, 16)
    step[..., 8:] = 1
    assert torch.allclose(restoration.METHODS["bilateral"](step, sigma_color=0.1), step, atol=1e-6)


@pytest.mark.parametrize("name", ["wiener", "richardson_lucy"])
def test_deblurring_sharpens(name, clean):
    blurred = degradation.gaussian_blur(clean, 0.8)
    tuned = restoration.tune("mr", blurred, clean, names=[name])[name]
    assert psnr(tuned(blurred), clean) > psnr(blurred, clean) + 1


def test_interpolation_beats_repeated_pixels(clean):
    coarse = degradation.apply(clean, "xray", dose=0, downsample=2)
    for name in ("bicubic", "lanczos"):
        assert psnr(restoration.METHODS[name](coarse), clean) > psnr(coarse, clean) + 0.5


@pytest.mark.slow
def test_sart_from_the_measurement_beats_back_projection_and_re_projection(clean):
    few = {"views": 16, "dose": 0}
    rays = degradation.sinogram(clean, torch.Generator().manual_seed(0), **few)
    degraded = degradation.apply(clean, "ct", **few)
    measured = restoration.METHODS["sart"](degraded, measured=rays)
    projected = restoration.METHODS["sart"](degraded, views=16)
    assert psnr(measured, clean) > psnr(degraded, clean) + 2
    assert psnr(measured, clean) > psnr(projected, clean)


def test_pwls_from_the_measurement_beats_back_projection_and_sart(clean):
    degraded = degradation.apply(clean, "ct", views=16)
    rays = degradation.measure(clean, "ct", views=16)
    pwls = restoration.METHODS["pwls"](degraded, rays)
    assert psnr(pwls, clean) > psnr(degraded, clean) + 3
    assert psnr(pwls, clean) > psnr(restoration.METHODS["sart"](degraded, rays), clean)
    assert psnr(pwls, clean) > psnr(restoration.METHODS["pwls"](degraded, views=16), clean)


def test_pwls_finds_the_least_of_what_it_promises(clean):
    rays = degradation.measure(clean[:2], "ct", views=16)
    found = tomography.penalised(rays, 32, weight=0.35, iterations=300)
    rng = torch.Generator().manual_seed(0)
    best = penalty(found, rays, 0.35)
    for size in (1e-3, 1e-2):
        other = (found + size * torch.randn(found.shape, generator=rng)).clamp(0, 1)
        assert (penalty(other, rays, 0.35) > best).all()
    assert (penalty(tomography.penalised(rays, 32, weight=0.1), rays, 0.35) > best).all()
    assert (penalty(clean[:2], rays, 0.35) > best).all()


def penalty(slices, rays, weight):
    """What `tomography.penalised` makes small, written out."""
    trust = torch.exp(-tomography.nepers(slices.shape[-1]) * rays.clamp_min(0))
    trust = trust / trust.mean((1, 2), keepdim=True)
    fit = (trust * (tomography.radon(slices, rays.shape[1]) - rays) ** 2).sum((1, 2)) / 2
    dy, dx = torch.zeros_like(slices), torch.zeros_like(slices)
    dy[..., :-1, :], dx[..., :-1] = slices.diff(dim=-2), slices.diff(dim=-1)
    return fit + weight * torch.hypot(dy, dx).sum((1, 2, 3))


def test_compressed_sensing_from_the_measurement_beats_the_image_and_its_transform(clean):
    degraded = degradation.apply(clean, "mr", acceleration=2.0)
    kspace = degradation.measure(clean, "mr", acceleration=2.0)
    sense = restoration.METHODS["compressed_sensing"]
    measured, again = sense(degraded, kspace), sense(degraded, acceleration=2.0)
    assert psnr(measured, clean) > psnr(degraded, clean) + 4
    assert psnr(measured, clean) > psnr(again, clean) + 1


@pytest.mark.slow
def test_compressed_sensing_keeps_what_was_measured(clean):
    kspace = degradation.measure(clean, "mr", acceleration=2.0, noise=0.0)
    degraded = degradation.apply(clean, "mr", acceleration=2.0, noise=0.0)
    restored = restoration.METHODS["compressed_sensing"](degraded, kspace, weight=1e-3)
    off = (degradation.to_kspace(restored) - kspace)[kspace != 0]
    assert off.abs().max() < 0.05 * kspace.abs().max()


def test_consistency_puts_the_measured_rows_back(clean):
    kspace = degradation.measure(clean, "mr", noise=0.0)
    smooth = degradation.gaussian_blur(clean, 1.0)
    assert torch.equal(restoration.consistent(smooth, kspace, 0.0), smooth)
    trusts = 0, 1, float("inf")
    distances = [(restoration.consistent(smooth, kspace, t) - clean).abs().mean() for t in trusts]
    assert distances == sorted(distances, reverse=True)
    assert torch.allclose(restoration.consistent(clean, kspace, float("inf")), clean, atol=1e-5)


def test_equal_noise_is_inverted_and_stabilises():
    images = torch.linspace(degradation.DARKEST, 1 - degradation.DARKEST, 50).view(1, 1, 5, 10)
    there = restoration.equal_noise(images)
    assert there.min() >= 0 and there.max() <= 1
    assert torch.allclose(restoration.equal_noise(there, back=True), images, atol=1e-5)
    films = torch.tensor([0.1, 0.5]).view(2, 1, 1, 1).expand(2, 1, 80, 80)
    spread = degradation.apply(films, "xray", dose=500, downsample=1).std((1, 2, 3))
    stable = restoration.equal_noise(degradation.apply(films, "xray", dose=500, downsample=1)).std((1, 2, 3))
    assert spread[1] / spread[0] > 1.8
    assert stable[1] / stable[0] == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_tuning_picks_the_best_and_knows_the_detector(clean):
    strengths = {"dose": 300.0, "downsample": 2, "scatter": 0.5}
    degraded = degradation.apply(clean, "xray", seed=1, **strengths)
    tuned = restoration.tune("xray", degraded, clean, **strengths)
    assert list(tuned) != [] and set(tuned) == set(restoration.SUITABLE["xray"])
    quality = [best.psnr for best in tuned.values()]
    assert quality == sorted(quality, reverse=True)
    first = next(iter(tuned.values()))
    assert first.factor == 2
    assert psnr(first(degraded), clean) == pytest.approx(first.psnr, abs=1e-3)
    for weight in restoration.GRIDS["tv"]["weight"]:  # no other weight of the grid is better
        other = restoration.calibrated(
            restoration.Tuned("tv", {"weight": weight}, tuned["tv"].stabilise, 2), degraded, clean, None
        )
        assert other.psnr <= tuned["tv"].psnr + 1e-6


@pytest.mark.slow
def test_ct_is_tuned_with_and_without_the_measurement(clean):
    views = {"views": 12, "dose": 1e4}
    degraded = degradation.apply(clean, "ct", seed=2, **views)
    rays = degradation.sinogram(clean, torch.Generator().manual_seed(2), **views)
    assert torch.allclose(degradation.filtered_back_projection(rays, 32).clamp(0, 1), degraded, atol=1e-5)
    image_only = restoration.tune("ct", degraded, clean, names=["sart"], **views)["sart"]
    measured = restoration.tune("ct", degraded, clean, rays, names=["sart"], **views)["sart"]
    assert image_only.parameters["views"] == 12 and measured.psnr > image_only.psnr
    assert psnr(measured(degraded, rays), clean) == pytest.approx(measured.psnr, abs=1e-3)


@pytest.mark.parametrize("bad,words", [
    (lambda x: restoration.METHODS["tv"](2 * x - 1), "expected"),
    (lambda x: restoration.METHODS["tv"](np.zeros((4, 4))), "expected a tensor"),
    (lambda x: restoration.tune("mr", x[:2], x), "pairs must match"),
    (lambda x: restoration.tune("mr", x, x, names=["bm3d"]), "choose one of"),
    (lambda x: restoration.tune("pet", x, x), "modality is .pet.: choose one of"),
])  # fmt: skip
def test_bad_input_says_what_was_expected(bad, words, clean):
    with pytest.raises(ValueError, match=words):
        bad(clean)


# --- chapter 4's self-checks and figures --------------------------------------------------------------


def test_self_checks_tell_right_from_wrong():
    checks = chapter04
    right = lambda restored, clean: -10 * torch.log10(((restored - clean) ** 2).mean())  # noqa: E731
    assert checks.decibels(right)
    assert not checks.decibels(lambda a, b: right(a, b) / 2)
    assert not checks.decibels(lambda a, b: None)
    assert checks.patch_field(lambda layers: {1: 16, 2: 34, 3: 70}[layers])
    assert not checks.patch_field(lambda layers: 4 ** (layers + 1))
    strays = torch.tensor([0.1, 0.05, 0.3])
    assert checks.worst_invention(2, strays)
    assert not checks.worst_invention(0, strays)
    assert not checks.worst_invention(..., strays)


def test_figures_carry_their_words(monkeypatch, clean):
    shown = []
    for module in (film, restorations):
        monkeypatch.setattr(module, "show", lambda fig, alt: shown.append((len(fig.axes), alt)))
    figures.gallery({"a": clean[0], "b": clean[1]}, "two slices, no empty third", columns=3)
    row = {"clean": clean[0], "degraded": clean[1], "tv": clean[2]}
    figures.before_and_after({"mr": row, "ct": row}, "before and after")
    estimate = {(unit, k): [1.0, 2.0] for unit in ("PSNR (dB)", "SSIM") for k in ("value", "low", "high")}
    figures.method_scores(pd.DataFrame(estimate, index=["tv", "pix2pix"]), "scores")
    figures.trade_off({"tv": (1, 2), "pix2pix": (2, 1)}, "trade-off")
    names = "two slices, no empty third", "before and after", "scores", "trade-off"
    assert shown == list(zip((2, 14, 2, 1), names, strict=True))


def test_a_trade_off_with_intervals_starts_at_zero(monkeypatch):
    axes = []
    monkeypatch.setattr(restorations, "show", lambda fig, alt: axes.append(fig.axes[0]))
    figures.trade_off({"tv": (1, 20, 18, 22), "pix2pix": (2, 25)}, "with")
    figures.trade_off({"tv": (1, 20), "pix2pix": (2, 25)}, "without")
    figures.trade_off({"tv": (1, 0.5, -1, 2)}, "below zero")
    assert [axis.get_ylim()[0] for axis in axes] == [0, pytest.approx(19.25), -1]


def test_fista_finds_the_least_of_a_fit_and_a_roughness_and_sooner_than_plain_steps():
    """Of (x - 3)^2 / 2 * slope + |x|: the least is known, and one slope is a hundredth of the other."""
    slopes, steepest = np.array([1.0, 0.01]), 1.0
    least = np.maximum(3 - 0.001 / slopes, 0)

    def agree(x):
        return x - slopes * (x - 3) / steepest

    def smooth(x):
        return np.sign(x) * np.maximum(np.abs(x) - 0.001 / steepest, 0)

    plain = np.zeros(2)
    for _ in range(100):
        plain = smooth(agree(plain))
    fast = restoration.fista(np.zeros(2), agree, smooth, 100)
    assert np.abs(fast - least).max() < 0.1 * np.abs(plain - least).max()
    np.testing.assert_allclose(restoration.fista(np.zeros(2), agree, smooth, 3000), least, atol=1e-6)
