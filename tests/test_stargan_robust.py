"""stargan_robust: what the painter, the judge and the examiner promise; what is refused."""

from functools import cache

import numpy as np
import pytest
import torch

from medgan_helpers import diffaugment, stargan_robust, training
from medgan_helpers.stargan_robust import Examiner, Lessons, Painter, RobustStarGAN

CPU = {"device": "cpu", "precision": "fp32"}


def lessons(size=8, halves=True):
    """Films of noise, half of them with a bright band, which is the finding."""
    rng = np.random.default_rng(0)
    labels = np.repeat([[0.0], [1.0]], 32, axis=0).astype(np.float32)
    films = rng.integers(90, 110, (64, 32, 32))
    films[32:, 18:26, 6:26] += 90
    return Lessons(films.astype(np.uint8), labels, size, halves=halves)


@cache
def examiner():
    learnt = Examiner(1, steps=30, **CPU)
    training.fit(learnt, lessons(16, halves=False), 30)
    return learnt


def model(**settings):
    return RobustStarGAN(32, 1, width=8, examiner=examiner(), **settings, **CPU)


def test_before_training_the_painter_returns_the_film():
    painter, films = Painter(2, 8, 4), torch.rand(3, 1, 64, 64) * 2 - 1
    painted = painter(films, torch.ones(3, 2), torch.randn(3, 4))
    assert torch.allclose(painted, films, atol=1e-5)


def test_a_shown_film_leaves_out_what_is_faint_and_a_film_to_learn_from_does_not():
    painter, films = Painter(2, 8, 4), torch.rand(3, 1, 64, 64) * 2 - 1
    wish = torch.ones(3, 2), torch.randn(3, 4)
    torch.nn.init.constant_(painter.move.bias, 0.02)  # .2 tanh(.02): an eighth of a pixel
    assert torch.allclose(painter(films, *wish), films, atol=1e-5)
    assert not torch.allclose(painter.draw(films, *wish)[0], films, atol=1e-3)
    torch.nn.init.constant_(painter.paint.bias, 2.0)  # a bright grey that covers nine tenths
    assert painter(films, *wish).mean() > 0.7 > 0.2 > films.mean().abs()


def test_what_is_covered_is_hidden():
    black, white = torch.full((1, 1, 8, 8), -1.0), torch.ones(1, 1, 8, 8)
    grey, all_of_it, still = torch.full((1, 1, 8, 8), 0.4), torch.ones(1, 1, 8, 8), torch.zeros(1, 2, 8, 8)
    for film in (black, white):
        made, change = stargan_robust.covered(film, grey, all_of_it, still)
        assert torch.allclose(made, grey) and torch.allclose(change, grey - film)


def test_tissue_comes_from_where_the_move_says():
    film = torch.zeros(1, 1, 16, 16)
    film[0, 0, 4, 10] = 1
    across = torch.zeros(1, 2, 16, 16)
    across[:, 0] = 2 * 2 / 15  # two pixels from the right, of 15 steps on a side of length 2
    assert stargan_robust.moved(film, across)[0, 0, 4, 8] == pytest.approx(1, abs=1e-5)


def test_labels_and_noise_both_matter():
    painter, films = Painter(2, 8, 4), torch.rand(2, 1, 32, 32) * 2 - 1
    torch.nn.init.normal_(painter.paint.weight)
    none, z = torch.zeros(2, 2), torch.randn(2, 4)
    assert not torch.allclose(painter(films, none, z), painter(films, 1 - none, z))
    assert not torch.allclose(painter(films, none, z), painter(films, none, -z))


def test_haze_keeps_the_shape_and_blur_keeps_the_mean():
    films, rng = torch.rand(4, 1, 64, 64), torch.Generator().manual_seed(0)
    assert stargan_robust.through_haze(films, rng).shape == films.shape
    flat = torch.full((1, 1, 16, 16), 0.3)
    assert torch.allclose(diffaugment.blur(flat, 1.0), flat)
    point = torch.zeros(1, 1, 16, 16)
    point[0, 0, 8, 8] = 1
    blurred = diffaugment.blur(point, 1.0)
    assert blurred.sum() == pytest.approx(1, abs=1e-5) and blurred.max() < 0.2


def test_what_one_half_lacks_the_other_is_asked_for():
    labels = torch.cat([torch.zeros(600, 2), torch.ones(600, 2)])
    rng = torch.Generator().manual_seed(1)
    target = stargan_robust.others(labels, rng)
    assert 0.1 < (target == labels).all(1).float().mean() < 0.6
    assert set(target.unique().tolist()) == {0.0, 1.0}


def test_lessons_come_in_halves_and_can_be_sought():
    stream = lessons()
    films, labels = next(iter(stream))
    assert films.shape == (8, 1, 32, 32) and labels[:4].sum() == 0 and labels[4:].sum() == 4
    stream.seek(0)
    again, _ = next(iter(stream))
    assert torch.equal(films, again)


def test_rows_hold_no_finding_one_or_two():
    counts = stargan_robust.lesson_rows(2000, 0)[list(stargan_robust.FIVE)].sum(axis=1)
    assert set(counts) == {0, 1, 2}
    assert (counts == 0).mean() == pytest.approx(0.3, abs=0.04)


def test_the_examiner_learns_nothing_during_the_game():
    game = model()
    before = {name: value.clone() for name, value in game.examiner.network.state_dict().items()}
    history = training.fit(game, lessons(), 4)
    after = game.examiner.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert {"judge_real", "judge_made", "class_made", "cycle", "change", "variety"} <= set(history)


def test_another_seed_is_another_picture_and_the_same_the_same():
    game = model()
    torch.nn.init.normal_(game.trained.paint.weight)  # as after many steps
    films, labels = torch.zeros(2, 1, 32, 32), torch.ones(2, 1)
    once, again, other = (game.translate(films, labels, seed) for seed in (1, 1, 2))
    assert torch.equal(once, again) and not torch.equal(once, other)
    assert once.shape == films.shape and once.abs().max() <= 1


def test_a_film_of_twice_the_size_gets_the_same_change():
    game = model()
    painter = game.trained
    torch.nn.init.normal_(painter.paint.weight)
    films, labels = torch.rand(2, 1, 32, 32) - 0.5, torch.ones(2, 1)
    large = films.repeat_interleave(2, 2).repeat_interleave(2, 3)
    small, drawn = game.translate(films, labels), game.translate(large, labels, part=2)
    assert drawn.shape == large.shape
    difference = torch.nn.functional.avg_pool2d(drawn, 2) - small
    assert difference.abs().mean() < 0.3 * (small - films).abs().mean()
    with pytest.raises(ValueError, match=r"made for \(2, 1, 32, 32\)"):
        game.translate(large, labels)


def test_without_an_examiner_it_does_not_train():
    with pytest.raises(ValueError, match="needs an examiner"):
        RobustStarGAN(32, 1, width=8, **CPU).step((torch.zeros(2, 1, 32, 32), torch.zeros(2, 1)))


def test_films_that_do_not_fit_are_refused():
    game = RobustStarGAN(32, 2, width=8, **CPU)
    with pytest.raises(ValueError, match=r"made for \(4, 1, 32, 32\) and \(4, 2\)"):
        game.translate(torch.zeros(4, 1, 64, 64), torch.zeros(4, 2))
