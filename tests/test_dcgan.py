"""dcgan: the published networks to the parameter, the game, and what is refused."""

from dataclasses import replace

import pytest
import torch

from medgan_helpers import dcgan, diffaugment
from medgan_helpers.dcgan import DCGAN, Discriminator, Generator


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("options", "generator", "discriminator"),
    [
        ({}, 3_574_656, 2_763_520),
        ({"channels": 3}, 3_576_704, 2_765_568),
        ({"image_size": 128}, 12_784_512, 11_162_368),
    ],
)
def test_official_parameter_counts(options, generator, discriminator):
    assert parameters(Generator(**options)) == generator
    assert parameters(Discriminator(**options)) == discriminator


@pytest.mark.parametrize("size", dcgan.SIZES)
@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
def test_shapes_and_range(size, upsample):
    films = Generator(size, width=4, upsample=upsample)(torch.randn(2, 100))
    assert films.shape == (2, 1, size, size) and films.abs().max() <= 1
    for norm in ("batch", "spectral", "none"):
        assert Discriminator(size, width=4, norm=norm)(films).shape == (2,)


@pytest.mark.parametrize(
    "options", [{"image_size": 48}, {"loss": "wasserstein"}, {"norm": "layer"}, {"upsample": "bilinear"}]
)
def test_what_is_not_there_is_refused(options):
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        DCGAN(**{"image_size": 32, "width": 4} | options)


@pytest.mark.parametrize("loss", dcgan.LOSSES)
def test_losses_are_least_where_the_player_is_right(loss):
    sure = torch.full((4,), 3.0)
    assert dcgan.discriminator_loss(sure, -sure, loss) < dcgan.discriminator_loss(-sure, sure, loss)
    assert dcgan.generator_loss(sure, loss, -sure) < dcgan.generator_loss(-sure, loss, sure)


def test_equation_one():
    logits = torch.tensor([0.3, -1.2])
    d = logits.sigmoid()
    minus_value = -(d.log().mean() + (1 - d).log().mean())
    assert torch.allclose(dcgan.discriminator_loss(logits, logits, "non-saturating"), minus_value)
    assert torch.allclose(dcgan.generator_loss(logits, "saturating"), (1 - d).log().mean())


def test_the_relativistic_loss_judges_pairs_alone():
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([1.0, 3.0])
    expected = torch.tensor([-1.0, 4.0]).exp().log1p().mean()
    assert torch.allclose(dcgan.discriminator_loss(real, fake, "relativistic"), expected)
    assert torch.allclose(dcgan.discriminator_loss(real + 5, fake + 5, "relativistic"), expected)
    assert torch.allclose(dcgan.generator_loss(real, "relativistic", fake), expected)


def test_the_default_is_the_paper_and_the_class_knows_its_recipe():
    paper = DCGAN(32, 4).recipe
    assert paper == dcgan.PAPER and (paper.loss, paper.norm, paper.upsample) == (
        "non-saturating", "batch", "transposed",
    )  # fmt: skip
    assert paper.learning_rates == (2e-4, 2e-4) and not paper.average and not paper.augment
    model = DCGAN(32, 4, recipe=dcgan.SMALL, norm="none")
    assert model.recipe.norm == model.config["norm"] == "none" and model.config["loss"] == "hinge"
    with pytest.raises(TypeError, match="channels"):
        DCGAN(32, 4, channels=1)


def test_slope_is_the_squared_length_of_the_gradient_of_the_logit():
    model = DCGAN(32, 4, device="cpu", precision="fp32", recipe=dcgan.MODERN)
    weights = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    model.judge = lambda films: (films * weights).sum((1, 2, 3))
    assert torch.allclose(model.slope(torch.rand(3, 1, 32, 32)), weights.square().sum())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_penalty_makes_the_discriminator_flatter(precision):
    films = torch.rand((8, 1, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1
    steep = {}
    for penalty in (0.0, 100.0):
        recipe = replace(dcgan.MODERN, penalty=penalty, learning_rates=(5e-3, 4e-4))
        model = DCGAN(32, 4, 0, "cpu", precision, recipe=recipe)
        with torch.no_grad():
            for weight in model.discriminator.parameters():
                weight.mul_(6)  # so narrow a network is flat enough as it is
        losses = [model.step(films) for _ in range(12)][-1]
        assert all(torch.isfinite(value) for value in losses.values())
        steep[penalty] = model.slope(films).item()
    assert steep[100.0] < steep[0.0] / 2


def test_a_step_moves_both_networks_and_labels_are_not_needed():
    films = torch.rand(4, 1, 32, 32) * 2 - 1
    one, other = (DCGAN(32, 4, precision="fp32", device="cpu") for _ in range(2))
    before = [p.clone() for p in (*one.generator.parameters(), *one.discriminator.parameters())]
    losses, same = one.step(films), other.step((films, torch.zeros(4, 14)))
    assert set(losses) == {"d_loss", "g_loss", "d_real", "d_fake", "diversity"}
    assert all(torch.equal(losses[name], same[name]) and not losses[name].requires_grad for name in losses)
    after = (*one.generator.parameters(), *one.discriminator.parameters())
    moved = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert all(moved)


def test_the_generator_stands_still_while_the_discriminator_learns(monkeypatch):
    """Without detach, D's step would drag G's whole graph along: more memory and time, the same weights."""
    judged, judge = [], DCGAN.judge
    spy = lambda model, films: judged.append(films.requires_grad) or judge(model, films)  # noqa: E731
    monkeypatch.setattr(DCGAN, "judge", spy)
    DCGAN(32, 4, precision="fp32", device="cpu").step(torch.zeros(4, 1, 32, 32))
    assert judged == [False, False, True]


def test_generate_depends_on_its_seed_alone_and_leaves_training_alone():
    model = DCGAN(32, 4, device="cpu")
    films = model.generate(5, seed=1)
    assert films.shape == (5, 1, 32, 32) and films.dtype == torch.float32
    assert torch.equal(films, model.generate(5, seed=1)) and not torch.equal(films, model.generate(5, seed=2))
    assert torch.allclose(films[:2], model.generate(2, seed=1), atol=1e-2)
    assert model.generator.training


def test_the_discriminator_learns_to_tell_noise_from_a_disc():
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, 32)] * 2, indexing="ij")
    disc = ((x**2 + y**2 < 0.4).float() * 2 - 1).expand(8, 1, 32, 32)
    model = DCGAN(32, 8, device="cpu", precision="fp32", recipe=dcgan.FEW_FILMS)
    history = [model.step(disc) for _ in range(30)]
    assert history[-1]["d_real"] - history[-1]["d_fake"] > 0.2


def test_diffaugment_is_differentiable_seeded_and_never_flips():
    x = torch.rand(6, 1, 32, 32, requires_grad=True)
    one, other = (diffaugment.diff_augment(x, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, other) and one.shape == x.shape
    one.sum().backward()
    assert x.grad.abs().sum() > 0
    ramp = torch.arange(32.0).expand(20, 1, 32, 32) + 1  # rises to the right
    moved = diffaugment.shift(ramp, torch.Generator().manual_seed(0))
    steps = moved[..., 1:] - moved[..., :-1]
    inside = (moved[..., 1:] > 0) & (moved[..., :-1] > 0)
    assert (steps[inside] == 1).all() and moved[:, 0, 16, 16].unique().numel() > 3


def test_cutout_greys_out_a_square():
    cut = diffaugment.cutout(torch.ones(50, 1, 32, 32), torch.Generator().manual_seed(0))
    share = (cut == 0).float().mean((1, 2, 3))
    assert share.max() == 0.25 and share.min() >= 0.0625
