"""stargan: the published networks to the parameter, the critic's lessons, resuming, what is refused."""

import pytest
import torch

from medgan_helpers import stargan, training
from medgan_helpers.stargan import Discriminator, Generator, StarGAN

CPU = {"device": "cpu", "precision": "fp32"}
SMALL = CPU | {"image_size": 32, "domains": 2, "width": 4, "blocks": 1, "critic_steps": 2}


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def batches(count=3, size=16):
    """Films of noise; the first label lights up the top, the second the bottom."""
    rng = torch.Generator().manual_seed(0)
    made = []
    for _ in range(count):
        labels = torch.randint(0, 2, (size, 2), generator=rng).float()
        films = 0.1 * torch.randn((size, 1, 32, 32), generator=rng) - 0.5
        films[:, 0, 4:12] += labels[:, 0, None, None] * 0.8
        films[:, 0, 20:28] += labels[:, 1, None, None] * 0.8
        made.append((films.clamp(-1, 1), labels))
    return made


@pytest.mark.parametrize(
    ("channels", "domains", "generator", "discriminator"),
    [(1, 5, 8_417_984, 44_760_000), (3, 5, 8_430_528, 44_762_048), (1, 14, 8_446_208, 44_833_728)],
)
def test_official_parameter_counts(channels, domains, generator, discriminator):
    assert parameters(Generator(channels, domains)) == generator
    assert parameters(Discriminator(128, channels, domains)) == discriminator


@pytest.mark.parametrize("size", stargan.SIZES)
@pytest.mark.parametrize("kind", stargan.GENERATORS)
def test_shapes_range_and_that_the_labels_matter(size, kind):
    network = stargan.GENERATORS[kind](1, 3, 4, 1)
    films, none, all_three = torch.rand(2, 1, size, size) * 2 - 1, torch.zeros(2, 3), torch.ones(2, 3)
    if kind == "residual":
        assert torch.equal(network(films, all_three), films)  # before training nothing is changed
        torch.nn.init.normal_(network.film.weight, 0, 0.02)
    out = network(films, none)
    assert out.shape == films.shape and out.abs().max() <= 1
    assert not torch.allclose(out, network(films, all_three))
    assert torch.equal(out, network.eval()(films, none))
    realness, classes = Discriminator(size, 1, 3, 4)(films)
    assert realness.shape == (2, 2, 2) and classes.shape == (2, 3)


def test_a_linear_critic_of_unit_slope_has_no_penalty():
    rng, real = torch.Generator().manual_seed(0), torch.rand(4, 1, 8, 8)

    def critic(slope):
        return lambda x: (slope * x.flatten(1).sum(1) / 8, None)  # 64 pixels: gradient norm = slope

    assert stargan.gradient_penalty(critic(1.0), real, -real, rng) == pytest.approx(0, abs=1e-6)
    assert stargan.gradient_penalty(critic(3.0), real, -real, rng) == pytest.approx(4, rel=1e-5)


def test_labels_that_are_nan_do_not_count():
    logits = torch.tensor([[5.0, -2.0], [0.3, 1.0]])
    labels = torch.tensor([[1.0, float("nan")], [float("nan"), 0.0]])
    expected = torch.nn.functional.softplus(torch.tensor([-5.0, 1.0])).sum() / 2
    assert torch.allclose(stargan.class_loss(logits, labels), expected)


def test_skill_is_zero_at_chance_and_one_when_sure():
    labels = torch.tensor([[1.0], [0.0], [0.0], [0.0]])
    chance = torch.full((4, 1), -1.0986)  # the logit of 1/4
    assert stargan.class_skill(chance, labels) == pytest.approx(0, abs=1e-3)
    assert stargan.class_skill((labels - 0.5) * 40, labels) == pytest.approx(1, abs=1e-3)


def test_targets():
    labels, rng = torch.randint(0, 2, (500, 4)).float(), torch.Generator().manual_seed(0)
    flipped, left = stargan.flip_one(labels, rng), stargan.flip_or_leave(labels, rng)
    assert ((flipped - labels).abs().sum(1) == 1).all() and set(flipped.unique().tolist()) == {0.0, 1.0}
    flips = (left - labels).abs()
    counts = [*flips.sum(0), (flips.sum(1) == 0).sum()]  # of each finding, and of none: a fifth of the films
    assert flips.sum(1).max() == 1 and all(70 < count < 130 for count in counts)
    permuted = stargan.permute(labels, rng)
    assert sorted(map(tuple, permuted.tolist())) == sorted(map(tuple, labels.tolist()))


def test_in_the_first_steps_only_the_critic_learns():
    model = StarGAN(**SMALL, pretrain=2)
    before = [p.clone() for p in model.generator.parameters()]
    assert all(set(model.step(batch)) == {"penalty", "class_real", "class_skill"} for batch in batches(2))
    assert all(torch.equal(a, b) for a, b in zip(before, model.generator.parameters(), strict=True))
    assert "distance" in model.step(batches(1)[0]) and "cycle" in model.step(batches(1)[0])


def test_a_critic_that_exposes_learns_the_label_that_was_taken_away():
    blind, wary = (StarGAN(**SMALL, expose_weight=weight) for weight in (0.0, 1.0))
    films, labels = batches(1)[0]
    target = 1 - labels
    for model in (blind, wary):
        with torch.no_grad():  # a generator whose films cannot be told apart from what went in
            model.generator.forward = lambda x, c: x * 0.9
        for _ in range(30):
            model.critic_update(films, torch.full_like(labels, torch.nan), target)
    # Without labels of real films there is nothing to learn, and with labels nan nothing was taken away.
    assert blind.discriminator(films)[1].allclose(wary.discriminator(films)[1])
    for _ in range(30):
        blind.critic_update(films, labels, target)
        wary.critic_update(films, labels, target)
    with torch.no_grad():
        losses = [stargan.class_loss(m.discriminator(films * 0.9)[1], labels).item() for m in (blind, wary)]
    assert losses[1] < losses[0]


@pytest.mark.slow
def test_it_learns_to_add_what_the_label_says():
    options = SMALL | {"width": 8, "generator": "residual", "targets": "single-flip", "learning_rate": 1e-3}
    model = StarGAN(**options, pretrain=20, cycle_weight=1.0)
    history = training.fit(model, batches(8, size=8), 200)
    films, labels = batches(1)[0]
    healthy = films[labels.sum(1) == 0]
    wanted = torch.tensor([[1.0, 0.0]]).expand(len(healthy), 2)
    change = (model.translate(healthy, wanted) - healthy).mean((0, 1, 3))
    assert change[4:12].mean() > 0.2 and change[4:12].mean() > 3 * change[20:28].abs().mean()
    assert history["class_skill"].iloc[-1] > 0.8


def test_where_the_mask_is_closed_the_film_stays():
    model = StarGAN(**SMALL, generator="residual")
    films, labels = batches(1)[0]
    torch.nn.init.normal_(model.trained.film.weight, 0, 0.05)
    mask, changed = model.mask(films, labels), model.translate(films, labels) != films
    assert mask.shape == films.shape and 0 < mask.min() < mask.max() < 1 and changed.any()
    torch.nn.init.constant_(model.trained.film.bias[-1:], -200.0)  # closed everywhere
    assert model.mask(films, labels).max() == 0 and torch.equal(model.translate(films, labels), films)


def test_films_that_do_not_fit_are_refused():
    model = StarGAN(**SMALL)
    with pytest.raises(ValueError, match=r"made for \(4, 1, 32, 32\) and \(4, 2\)"):
        model.translate(torch.zeros(4, 1, 64, 64), torch.zeros(4, 2))
    with pytest.raises(ValueError, match=r"labels \(4, 3\)"):
        model.step((torch.zeros(4, 1, 32, 32), torch.zeros(4, 3)))


@pytest.mark.parametrize("options", [{"image_size": 48}, {"generator": "film"}, {"targets": "random"}])
def test_what_is_not_there_is_refused(options):
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        StarGAN(**SMALL | options)
