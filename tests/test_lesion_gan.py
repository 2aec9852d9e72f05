import math

import pandas as pd
import pytest
import torch

from medgan_helpers import lesion_gan, training
from medgan_helpers.experiments import arms


def films(n=12, size=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 1, size, size), generator=generator).to(torch.uint8)


def signed(grey):
    return grey.float() / 127.5 - 1


def squares(**options):
    centres = torch.tensor([[20, 20], [30, 40], [60, 5]])
    positives = {k: (torch.arange(3 * k, 3 * k + 3), centres) for k in range(2)}
    return lesion_gan.Squares(films(), positives, torch.arange(6, 12), batch_size=6, **options)


def model(pretrain=250, **options):
    recipe = lesion_gan.Recipe(width=8, pretrain=pretrain)
    return lesion_gan.LesionGAN(["a", "b"], recipe, device="cpu", precision="fp32", **options)


def test_a_square_put_back_where_it_was_cut_changes_nothing():
    images, centres = signed(films(4)), torch.tensor([[20, 30], [0, 0], [63, 63], [32, 5]])
    pieces = lesion_gan.cut(images, centres, 32)
    assert pieces.shape == (4, 1, 32, 32)
    assert torch.equal(pieces[0, 0], images[0, 0, 4:36, 14:46])
    assert torch.equal(pieces[2, 0], images[2, 0, 32:, 32:])  # moved inside
    assert torch.equal(lesion_gan.put(images, centres, pieces), images)


def test_marks_are_where_a_mask_is_densest_and_as_large_as_it():
    masks = torch.zeros(2, 64, 64, dtype=torch.bool)
    masks[0, 10:20, 40:50] = True  # a square beside a hair
    masks[0, 50, :] = True
    masks[1, 31:34, 31:34] = True
    centres, radii = lesion_gan.marks_of(masks.numpy())
    assert (centres - torch.tensor([[14, 44], [32, 32]])).abs().max() <= 4
    assert torch.allclose(radii, torch.tensor([164 / math.pi, 9 / math.pi]).sqrt())


def test_the_disc_leaves_the_rim_alone():
    disc = lesion_gan.soft_disc(32)
    assert disc[16, 16] == 1
    rim = torch.cat([disc[0], disc[-1], disc[:, 0], disc[:, -1]])
    assert rim.abs().max() == 0


def test_a_drawn_finding_changes_its_square_only():
    images, centres = signed(films(4)), torch.full((4, 2), 20)
    drawn = model().draw(images, "b", centres, seed=1)
    changed = (drawn != images).any(0)[0]
    assert changed.any()
    assert not changed[36:].any()
    assert not changed[:, 36:].any()
    assert drawn.abs().max() <= 1
    assert torch.equal(drawn, model().draw(images, "b", centres, seed=1))
    assert not torch.equal(drawn, model().draw(images, "b", centres, seed=2))


def a_lesion(side):
    """A dark ground, and a film with a bright square of `side` pixels in its middle."""
    ground, source = torch.full((1, 1, 64, 64), -0.5), torch.zeros(1, 1, 64, 64)
    source[0, 0, 32 - side // 2 : 32 + side // 2, 32 - side // 2 : 32 + side // 2] = 0.8
    return ground, source


@pytest.mark.parametrize("side", [4, 14])
def test_pasting_keeps_the_contrast_of_the_finding_however_large_it_is(side):
    ground, source = a_lesion(side)
    mark, target = torch.tensor([[32, 32]]), torch.tensor([[30, 33]])
    pasted = lesion_gan.copy_paste(ground, source, mark, target)
    assert pasted[0, 0, 30, 33] == pytest.approx(-0.5 + 0.8, abs=0.02)  # moved to the target
    assert pasted[0, 0, 15, 18] == pytest.approx(-0.5, abs=0.01)


def test_a_blob_has_the_strength_and_the_size_that_were_asked_for():
    ground, _ = a_lesion(4)
    film = lesion_gan.add_blob(ground, torch.tensor([[32, 32]]), torch.tensor([4.0]), 0.4)
    assert film[0, 0, 32, 32] == pytest.approx(-0.1, abs=1e-4)
    assert film[0, 0, 32, 36] == pytest.approx(-0.5 + 0.4 / math.e, abs=0.01)  # at the radius
    assert film[0, 0, 32, 49] == -0.5


def test_a_blob_stands_out_as_the_findings_do():
    ground, marks, radii = torch.full((3, 1, 64, 64), -0.5), torch.full((3, 2), 32), torch.full((3,), 5.0)
    ill = lesion_gan.add_blob(ground, marks, radii, torch.tensor(0.4))
    assert arms.height(ill, ground, marks, radii).item() == pytest.approx(0.4, abs=1e-3)
    assert arms.height(ground, ill, marks, radii) == 0  # darker than its surroundings: nothing is drawn


def test_contrast_is_that_of_the_middle_over_the_ring():
    _, source = a_lesion(16)
    assert lesion_gan.contrast_of(source, torch.tensor([[32, 32]])).item() == pytest.approx(0.8, abs=0.1)
    assert lesion_gan.contrast_of(torch.zeros(1, 1, 64, 64), torch.tensor([[9, 60]])).item() == 0


def test_boxes_drawn_by_hand_give_centres():
    boxes = pd.DataFrame({"x": [0.25], "y": [0.5], "width": [0.5], "height": [0.25]})
    assert lesion_gan.box_centres(boxes, 64).tolist() == [[40, 32]]


def test_classes_come_in_equal_numbers_and_batches_resume():
    batches = squares(seed=3)
    real, classes, healthy, targets = next(batches)
    assert real.shape == healthy.shape == (6, 1, 32, 32)
    assert classes.bincount().tolist() == [2, 2, 2]
    assert targets.bincount().tolist() == [3, 3]
    next(batches)
    third = next(batches)
    resumed = squares(seed=3)
    resumed.seek(2)
    for expected, found in zip(third, next(resumed), strict=True):
        assert torch.equal(expected, found)


def test_only_the_classifier_learns_while_warming_up():
    gan = model(pretrain=5)
    before = [p.clone() for p in gan.generator.parameters()]
    history = training.fit(gan, squares(), 5)
    assert all(torch.equal(a, b) for a, b in zip(before, gan.generator.parameters(), strict=True))
    assert history.d_loss.iloc[-1] == 0
    assert history.class_loss.iloc[-1] > 0
