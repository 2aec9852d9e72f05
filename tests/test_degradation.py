"""The physics of the degradations against independent implementations and textbook statistics."""

import warnings

import numpy as np
import pytest
import torch
from skimage.data import shepp_logan_phantom
from skimage.transform import iradon, radon, resize

from medgan_helpers import degradation as d


def phantom(size=32, batch=3):
    image = resize(shepp_logan_phantom(), (size, size), anti_aliasing=True).astype("float32")
    return torch.from_numpy(np.stack([np.roll(image, k, 1) for k in range(batch)]))[:, None].clamp(0, 1)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("modality", d.MODALITIES)
def test_apply_keeps_shape_and_range_and_follows_the_seed(modality):
    images = phantom()
    first, again, other = (d.apply(images, modality, seed=s) for s in (1, 1, 2))
    assert first.shape == images.shape and first.dtype == images.dtype
    assert first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert (first - images).abs().mean() > 0.005  # it does degrade


def test_global_random_state_is_left_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    for modality in d.MODALITIES:
        d.apply(phantom(), modality)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("size,views", [(32, 12), (33, 7), (64, 20)])
def test_radon_and_inverse_agree_with_scikit_image(size, views):
    images = phantom(size)
    theta = np.arange(views) * 180 / views
    rays = d.radon(images, views)
    slices = d.filtered_back_projection(rays, size)
    for image, ray, slice_ in zip(images[:, 0].numpy(), rays.numpy(), slices[:, 0].numpy(), strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = radon(image, theta, circle=False)  # (detectors, views)
            back = iradon(ray.T, theta, output_size=size, circle=False)
        assert np.abs(ray.T - expected).max() < 1e-4 * expected.max()
        assert np.abs(slice_ - back)[1:-1, 1:-1].max() < 1e-4  # at the corners iradon cuts the last detector


def test_many_views_without_noise_give_the_slice_back():
    images = phantom(64)
    few, many = (d.apply(images, "ct", views=v, dose=0) for v in (16, 180))
    assert (many - images).abs().mean() < 0.02
    assert (few - images).abs().mean() > 2 * (many - images).abs().mean()


def test_quantum_noise_is_poisson():
    exposure = torch.full((1, 1, 200, 200), 0.2)
    noisy = d.quantum_noise(exposure, 500.0, generator())
    assert noisy.mean() == pytest.approx(0.2, rel=0.01)
    assert (500 * noisy).var() == pytest.approx(500 * 0.2, rel=0.05)  # variance = mean
    assert torch.equal(d.quantum_noise(exposure, 0, generator()), exposure)


def test_photon_noise_of_a_sinogram():
    image = torch.full((400, 1, 8, 8), 0.1)
    rays = d.sinogram(image, generator(), dose=1000.0, views=2, electronic=0.0)
    clean = d.radon(image[:1], 2)[0]
    nepers = 1.4 * 0.0206 * 340 / 8  # white is 400 HU, water's attenuation in 1/mm, a field of 340 mm
    expected = torch.sqrt(torch.exp(nepers * clean) / 1000) / nepers  # sd of -log(N) is 1 / sqrt(mean N)
    middle = clean.argmax()
    assert rays.std(0).flatten()[middle] == pytest.approx(expected.flatten()[middle].item(), rel=0.12)


def test_rings_are_detectors_and_metal_makes_streaks():
    images = torch.zeros(1, 1, 65, 65)
    y, x = torch.meshgrid(torch.arange(65) - 32, torch.arange(65) - 32, indexing="ij")
    images[0, 0][x**2 + y**2 < 28**2] = 0.5
    gains = d.sinogram(images, generator(), dose=0, ring=0.05) - d.sinogram(images, generator(), dose=0)
    assert gains.std(1).max() < 1e-4 < 1e-2 < gains.std(2).min()  # one gain a detector, in all views
    plain, ring, metal = (
        d.apply(images, "ct", views=90, dose=1e4, **s) for s in ({}, {"ring": 0.05}, {"metal": 2.0})
    )
    assert (ring - plain).abs().mean() > 0.005
    streaks = (metal - plain).abs()[0, 0]
    assert (streaks > 0.05).sum() > 3 * 3.14 * 2.0**2  # far more pixels than the pin itself


def test_kspace_agrees_with_numpy():
    images = phantom(32)
    expected = np.fft.fftshift(np.fft.fft2(images[0, 0].numpy(), norm="ortho"))
    assert np.allclose(d.to_kspace(images)[0, 0].numpy(), expected, atol=1e-4)
    assert torch.allclose(d.from_kspace(d.to_kspace(images)).real, images, atol=1e-5)


def test_undersampling_measures_the_rows_it_says():
    mask = d.cartesian_mask((64, 64), 4.0)
    assert mask.sum() == 16 and mask[30:35].all()
    images = phantom(64)
    reconstructed = d.apply(images, "mr", acceleration=4.0, noise=0.0)
    kspace = np.fft.fftshift(np.fft.fft2(images[0, 0].numpy())) * mask.numpy()
    expected = np.abs(np.fft.ifft2(np.fft.ifftshift(kspace))).clip(0, 1)
    assert np.allclose(reconstructed[0, 0], expected, atol=1e-4)
    assert torch.allclose(d.apply(images, "mr", acceleration=1.0, noise=0.0), images, atol=1e-5)


def test_radial_spokes_cross_the_centre():
    mask = d.radial_mask((64, 64), 20)
    assert mask[32, 32] == 1 and 0.1 < mask.mean() < 0.4
    few, many = (d.apply(phantom(64), "mr", spokes=s, noise=0.0) - phantom(64) for s in (10, 60))
    assert few.abs().mean() > 2 * many.abs().mean()


def test_background_noise_of_a_magnitude_image_is_rayleigh():
    black = torch.zeros(1, 1, 128, 128)
    noisy = d.apply(black, "mr", acceleration=1.0, noise=0.05)
    assert noisy.mean() == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.03)


def test_ghosts_shift_along_the_rows_and_keep_the_energy():
    kspace = d.to_kspace(phantom(64).to(torch.complex64))
    moved = d.motion_ghosts(kspace, 2.0, generator())
    assert torch.allclose(moved.abs(), kspace.abs(), atol=1e-4)
    still = torch.ones(1, 1, 64, 64)  # the same in every row: moving along the rows changes nothing
    assert torch.allclose(d.apply(still, "mr", acceleration=1.0, noise=0.0, ghosts=3.0), still, atol=1e-4)


def test_bias_field_is_smooth_and_of_the_spread_asked():
    images = torch.full((20, 1, 32, 32), 0.5)
    log = torch.log(d.bias_field(images, 0.3, generator()))
    assert log.std((-2, -1)).mean() == pytest.approx(0.3, rel=0.02)
    assert (log[..., 1:, :] - log[..., :-1, :]).abs().max() < 0.3


def test_blurs_keep_the_mean_and_widen_an_edge():
    edge = torch.zeros(1, 1, 33, 33)
    edge[..., 16:] = 1.0
    for blurred in (d.gaussian_blur(edge, 2.0), d.motion_blur(edge.expand(4, 1, 33, 33), 4.0, generator())):
        assert blurred.mean() == pytest.approx(edge.mean().item(), abs=0.03)
        assert ((blurred > 0.05) & (blurred < 0.95)).any()
    point = torch.zeros(1, 1, 33, 33)
    point[..., 16, 16] = 1.0
    spread = d.gaussian_blur(point, 2.0)[0, 0, 16]
    variance = (spread * (torch.arange(33) - 16) ** 2).sum() / spread.sum()
    assert variance == pytest.approx(2.0**2, rel=0.1)


def test_motion_is_as_far_in_a_wide_film_as_in_a_square_one():
    edge = torch.zeros(4, 1, 33, 99)
    edge[..., 16:, :] = 1.0  # the same in every column: only the vertical part of the motion is seen
    wide, square = (d.motion_blur(images, 8.0, generator()) for images in (edge, edge[..., :33]))
    assert torch.allclose(wide[..., :33], square, atol=1e-5)


def test_scatter_flattens_and_grid_lines_have_their_period():
    film = phantom(64)
    exposure = torch.exp(-d.FILM_RANGE * film)
    assert d.add_scatter(exposure, 1.0).std() < 0.8 * exposure.std()
    lines = d.grid_lines(torch.ones(1, 1, 1, 78), 0.2, period=2.6)
    spectrum = torch.fft.rfft(lines[0, 0, 0]).abs()[1:]
    assert spectrum.argmax() + 1 == 30 and lines.min() >= 0.8


def test_downsampling_repeats_block_means():
    film = phantom(32)
    coarse = d.apply(film, "xray", dose=0, downsample=4)
    blocks = coarse.reshape(3, 8, 4, 8, 4)
    assert torch.equal(blocks, blocks[:, :, :1, :, :1].expand_as(blocks))


@pytest.mark.parametrize("bad,words", [
    (lambda: d.apply(phantom()[0], "xray"), "expected a tensor"),
    (lambda: d.apply((phantom() * 255).byte(), "xray"), "divide bytes"),
    (lambda: d.apply(phantom() * 2 - 1, "ct"), r"\(images \+ 1\) / 2"),
    (lambda: d.apply(phantom() * float("nan"), "ct"), "expected"),
    (lambda: d.apply(phantom(), "pet"), "xray, ct, mr"),
    (lambda: d.apply(phantom(), "mr", dose=3), "acceleration"),
    (lambda: d.apply(phantom(), "xray", dose=-1), "0 or more"),
    (lambda: d.apply(phantom(), "ct", views=None), "views is None: expected a number, 1 to"),
    (lambda: d.apply(phantom(), "ct", electronic=float("nan")), "0 or more"),
    (lambda: d.apply(phantom(), "mr", noise="much"), "0 or more"),
    (lambda: d.apply(phantom(), "xray", downsample=5), "divisor"),
    (lambda: d.apply(phantom(), "ct", views=0), "views is 0"),
    (lambda: d.apply(phantom()[..., :20], "ct"), "square"),
])  # fmt: skip
def test_bad_input_says_what_was_expected(bad, words):
    with pytest.raises((TypeError, ValueError), match=words):
        bad()
