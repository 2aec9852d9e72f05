import itertools

import pandas as pd
import pytest
import torch
import torchvision.transforms.v2.functional as tv

from medgan_helpers import augmentation
from medgan_helpers.images import Batches


def films(n=4, size=32, seed=0):
    coarse = torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=size, mode="bicubic").clamp(-1, 1)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_rotation_agrees_with_torchvision():
    images, middle = films(), slice(8, 24)
    expected = tv.rotate(images, 10, interpolation=tv.InterpolationMode.BILINEAR)
    ours = augmentation.rotate(images, 10)
    assert torch.allclose(ours[..., middle, middle], expected[..., middle, middle], atol=1e-4)


def test_shifts_and_zooms_agree_with_torchvision():
    images, middle = films(), slice(8, 24)
    for across, down, scale in ((0.125, -0.0625, 1.0), (0.0, 0.0, 1.25), (0.125, 0.0625, 0.9)):
        expected = tv.affine(images, 0, [int(across * 32), int(down * 32)], scale, [0, 0],
                             interpolation=tv.InterpolationMode.BILINEAR)  # fmt: skip
        ours = augmentation.warp(images, augmentation.affine(images, 0, across, down, scale))
        assert torch.allclose(ours[..., middle, middle], expected[..., middle, middle], atol=1e-4)


def test_each_film_gets_its_own_number():
    images = films(1).expand(3, -1, -1, -1)
    turned = augmentation.rotate(images, torch.tensor([0.0, 90.0, 180.0]))
    assert torch.allclose(turned[0], images[0], atol=1e-5)
    assert torch.allclose(turned[1], torch.rot90(images[1], 1, (1, 2)), atol=1e-4)
    assert torch.allclose(turned[2], torch.rot90(images[2], 2, (1, 2)), atol=1e-4)


def test_a_warp_can_be_undone():
    images = films(size=64)
    matrices = augmentation.affine(images, degrees=6, across=0.03, down=-0.02, scale=1.05)
    back = augmentation.warp(augmentation.warp(images, matrices), augmentation.invert(matrices))
    middle = slice(8, 56)
    assert (back - images)[..., middle, middle].abs().max() < 0.1


def test_intensity_by_hand():
    images = torch.tensor([-0.5, 0.5]).reshape(1, 1, 1, 2)
    assert augmentation.brighten(images, 0.75).flatten().tolist() == [0.25, 1.0]
    assert augmentation.contrast(images, 1.5).flatten().tolist() == [-0.75, 0.75]
    noisy = augmentation.add_noise(torch.zeros(64, 1, 32, 32), 0.1, generator())
    assert noisy.std() == pytest.approx(0.1, rel=0.02)


def test_augmentation_keeps_range_and_shape_and_follows_its_seed():
    augment, images = augmentation.Augmentation(strength=2), films()
    before = torch.get_rng_state()
    first, again, other = (augment(images, generator(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())
    assert first.shape == images.shape
    assert first.min() >= -1
    assert first.max() <= 1
    assert torch.allclose(augmentation.Augmentation(strength=0)(images, generator()), images, atol=1e-5)


def test_augmentation_never_mirrors():
    lateral = torch.full((200, 1, 16, 16), -1.0)
    lateral[..., :4] = 1  # a marker at the left edge
    plain = augmentation.Augmentation(rotation=0, translation=0, scale=0, noise=0)
    side = plain(lateral, generator())[..., 0].mean((1, 2))
    assert (side > 0.5).all()


def test_what_comes_from_outside_is_the_edge_or_nothing():
    white = torch.ones(1, 1, 8, 8)
    moved = augmentation.affine(white, across=0.5)
    assert augmentation.warp(white, moved).min() == 1
    assert augmentation.warp(white, moved, outside="zeros").mean() == pytest.approx(0.5)


class Store:
    frame = pd.DataFrame(index=range(5))
    pixels = ((films(5)[:, 0] + 1) * 127.5).to(torch.uint8).numpy()

    def __len__(self):
        return 5

    def __getitem__(self, chosen):
        return self.pixels[chosen]


def test_augmented_batches_resume_where_they_stopped():
    def batches():
        labels = pd.DataFrame(torch.eye(5).numpy())
        return augmentation.Augmented(Batches(Store(), 2, 0, "cpu", labels), seed=3)

    whole = list(itertools.islice(batches(), 6))
    resumed = batches()
    resumed.seek(4)
    for (images, labels), expected in zip(itertools.islice(resumed, 2), whole[4:], strict=True):
        assert torch.equal(images, expected[0])
        assert torch.equal(labels, expected[1])
