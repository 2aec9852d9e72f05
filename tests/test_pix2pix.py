"""pix2pix: the published networks to the parameter, resuming, and the same image in training and in use."""

import pytest
import torch

from medgan_helpers import pix2pix, training
from medgan_helpers.pix2pix import Discriminator, Generator, Pix2Pix

SMALL = {
    "image_size": 32, "width": 4, "device": "cpu", "precision": "fp32", "settings": pix2pix.DRAW, "layers": 2,
    "l1": 100.0, "learning_rate": 2e-4,
}  # fmt: skip


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def pairs(count=3):
    rng = torch.Generator().manual_seed(0)
    clean = [torch.rand((4, 1, 32, 32), generator=rng) * 2 - 1 for _ in range(count)]
    return [(image * 0.5, image) for image in clean]


@pytest.mark.parametrize(
    ("size", "channels", "norm", "expected"),
    [
        (256, 1, "batch", 54_407_809),
        (256, 3, "batch", 54_413_955),
        (128, 1, "batch", 41_822_849),
        (64, 1, "batch", 29_237_889),
        (256, 1, "instance", 54_403_457),
        (64, 1, "instance", 29_235_585),
    ],
)
def test_official_u_net_counts(size, channels, norm, expected):
    assert parameters(Generator(size, channels, channels, norm=norm)) == expected


@pytest.mark.parametrize(
    ("channels", "norm", "expected"),
    [(2, "batch", 2_764_609), (6, "batch", 2_768_705), (2, "instance", 2_763_713)],
)
def test_official_patchgan_counts(channels, norm, expected):
    assert parameters(Discriminator(channels, norm=norm)) == expected


@pytest.mark.parametrize(("layers", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_its_patch_only(layers, patch):
    network = Discriminator(1, width=2, layers=layers, norm="none").double()
    image = torch.rand(1, 1, 160, 160, dtype=torch.float64, requires_grad=True)
    logits = network(image)[0, 0]
    logits[logits.shape[0] // 2, logits.shape[1] // 2].backward()
    touched = image.grad[0, 0].abs().sum(0).nonzero().flatten()
    assert touched.max() - touched.min() + 1 == patch


@pytest.mark.parametrize("size", pix2pix.SIZES)
@pytest.mark.parametrize("residual", [False, True])
def test_shapes_and_range(size, residual):
    image = torch.rand(2, 3, size, size) * 2 - 1
    out = Generator(size, 3, 1, width=2, norm="instance")(image)
    assert out.shape == (2, 1, size, size) and out.abs().max() <= 1
    if residual:
        out = Generator(size, 3, 3, width=2, residual=True)(image)
        assert out.shape == image.shape and out.abs().max() <= 1


def test_the_same_image_in_training_and_in_use():
    model = Pix2Pix(**SMALL)
    image = pairs(1)[0][0]
    with torch.no_grad():
        assert torch.equal(model.generator.train()(image), model.generator.eval()(image))
    assert torch.allclose(model.restore(image)[:1], model.restore(image[:1]), atol=1e-6)


def test_without_adversarial_weight_there_is_no_discriminator():
    model = Pix2Pix(**SMALL, adversarial=0.0)
    assert model.discriminator is None and set(model.step(pairs(1)[0])) == {"l1"}
    assert set(Pix2Pix(**SMALL).step(pairs(1)[0])) == {"l1", "d_loss", "g_loss", "d_real", "d_fake"}


@pytest.mark.slow
def test_it_learns_to_brighten():
    model = Pix2Pix(**SMALL | {"width": 8}, residual=True)
    rng = torch.Generator().manual_seed(0)
    batches = [(torch.rand((8, 1, 32, 32), generator=rng) - 0.8,) for _ in range(8)]
    history = training.fit(model, [(dark, dark + 0.4) for (dark,) in batches], 60)
    assert history["l1"].iloc[-1] < history["l1"].iloc[0] * 0.75


@pytest.mark.parametrize(
    ("options", "words"),
    [({"image_size": 48}, "48"), ({"norm": "layer"}, "layer"), ({"layers": 5}, "layers is 5")],
)
def test_what_is_not_there_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Pix2Pix(**SMALL | options)


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 64, 64\).*made for \(1, 32, 32\)"):
        Pix2Pix(**SMALL).restore(torch.zeros(1, 1, 64, 64))
