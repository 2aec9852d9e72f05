"""flow: the straight line, the way along a field, and what is refused."""

import pytest
import torch

from medgan_helpers import flow
from medgan_helpers.flow import Flow, Velocity

SMALL = {"image_size": 32, "width": 8, "seed": 3, "device": "cpu", "precision": "fp32"}


def test_the_network_of_the_chapter_has_664_100_parameters():
    assert sum(p.numel() for p in Velocity(64, 32).parameters()) == 664_100


@pytest.mark.parametrize("size", flow.SIZES)
def test_shapes_and_a_first_velocity_of_nearly_nothing(size):
    velocity = Velocity(size, 8)(torch.randn(2, 1, size, size), torch.tensor([0.0, 0.7]))
    assert velocity.shape == (2, 1, size, size) and velocity.abs().max() < 1


@pytest.mark.parametrize(("options", "words"), [({"image_size": 48}, "48"), ({"width": 12}, "multiple of 8")])
def test_what_is_not_there_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Flow(**SMALL | options)
    with pytest.raises(ValueError, match="steps is 0"):
        Flow(**SMALL).generate(1, steps=0)


def test_between_starts_at_noise_and_ends_at_film():
    noise, film = torch.zeros(3, 1, 4, 4), torch.ones(3, 1, 4, 4)
    points = flow.between(noise, film, torch.tensor([0.0, 0.25, 1.0]))
    assert points[:, 0, 0, 0].tolist() == [0.0, 0.25, 1.0]


def test_follow_is_exact_on_a_straight_field_and_second_order_on_a_curved_one():
    x = torch.ones(2, 1)
    assert torch.allclose(flow.follow(lambda x, t: torch.full_like(x, 3.0), x, 3)[-1], x + 3)
    errors = [abs(flow.follow(lambda x, t: t[:, None], x, n)[-1][0, 0].item() - 1.5) for n in (4, 8)]
    assert errors[0] == pytest.approx(1 / 32)  # the last step alone is Euler's: half a square of its length
    assert errors[1] == pytest.approx(1 / 128)


def test_a_step_learns_and_the_same_seed_learns_the_same():
    films = torch.ones(8, 1, 32, 32)
    one, other = Flow(**SMALL), Flow(**SMALL)
    losses = [one.step(films)["loss"] for _ in range(40)]
    assert losses[-1] < losses[0] / 2
    assert torch.equal(other.step((films, torch.zeros(8, 14)))["loss"], losses[0])


def test_a_trained_flow_draws_the_film_it_learnt():
    """Of one grey film the velocity at x_t is (film - x_t) / (1 - t): also where noise has never been."""
    model = Flow(**SMALL)
    for _ in range(80):
        model.step(torch.full((8, 1, 32, 32), 0.5))
    films = model.generate(4, seed=1)
    assert films.shape == (4, 1, 32, 32) and films.abs().max() <= 1
    assert (films.mean() - 0.5).abs() < 0.1
    assert torch.equal(films, model.generate(4, seed=1))
    assert not torch.equal(films, model.generate(4, seed=2))
    way = model.path(model.noise(4, 1))
    assert way.shape == (4, 5, 1, 32, 32) and torch.equal(way[:, 0], model.noise(4, 1))
    assert torch.equal(way[:, -1].clamp(-1, 1), films) and model.generator.training


def test_the_rate_rises_stays_and_falls():
    assert [flow.pace(k, None) for k in (0, 49, 500)] == [1 / 50, 1, 1]
    falling = [flow.pace(k, 1000) for k in (500, 750, 1000)]
    assert falling[0] == 1 and falling[1] == pytest.approx(0.5**0.5) and falling[2] == pytest.approx(0)
