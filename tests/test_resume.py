"""Resuming to the bit: every model of the course, interrupted half way, ends as if it had not been."""

import pytest
import torch

from medgan_helpers import classifier, dcgan, flow, lesion_gan, pix2pix, stargan, stargan_robust, training
from medgan_helpers.training import checkpoints

CPU = {"seed": 3, "device": "cpu", "precision": "fp32"}
SMALL = CPU | {"image_size": 32, "width": 4}
LOCAL = lesion_gan.Recipe(width=8, pretrain=2)
STEPS = 6


def films(seed):
    return torch.rand((4, 1, 32, 32), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def labels(count, seed):
    return (torch.rand((4, count), generator=torch.Generator().manual_seed(seed)) < 0.5).float()


def squares():
    grey = torch.randint(0, 256, (12, 1, 64, 64), generator=torch.Generator().manual_seed(0))
    centres = torch.tensor([[20, 20], [30, 40], [60, 5]])
    positives = {k: (torch.arange(3 * k, 3 * k + 3), centres) for k in range(2)}
    return lesion_gan.Squares(grey.to(torch.uint8), positives, torch.arange(6, 12), batch_size=6)


def pairs():
    return [(films(n) * 0.5, films(n)) for n in range(3)]


def labelled(count):
    return [(films(n), labels(count, n)) for n in range(3)]


def make_pix2pix(adversarial):
    options = {"norm": "batch", "dropout": 0.5, "decay_steps": STEPS}
    return pix2pix.Pix2Pix(**SMALL, **options, adversarial=adversarial)


def make_stargan():
    options = {"domains": 2, "blocks": 1, "critic_steps": 2, "pretrain": 2, "decay_steps": STEPS}
    return stargan.StarGAN(**SMALL, **options)


def make_robust():
    examiner = stargan_robust.Examiner(2, steps=STEPS, **CPU)
    return stargan_robust.RobustStarGAN(32, 2, width=8, examiner=examiner, decay_steps=STEPS, **CPU)


def lessons():
    grey = torch.randint(0, 256, (16, 32, 32), generator=torch.Generator().manual_seed(0))
    marked = torch.eye(2).repeat(4, 1)  # eight films have a finding, eight have none
    return stargan_robust.Lessons(grey.byte(), torch.cat([torch.zeros(8, 2), marked]), 8, halves=True)


MODELS = {  # {name: (make the model, make its batches)}
    "dcgan": (lambda: dcgan.DCGAN(**SMALL), lambda: [films(n) for n in range(7)]),
    "dcgan few films": (
        lambda: dcgan.DCGAN(**SMALL, recipe=dcgan.FEW_FILMS, decay_steps=STEPS),
        lambda: [films(n) for n in range(7)],
    ),
    "flow": (lambda: flow.Flow(**SMALL | {"width": 8}), lambda: [films(n) for n in range(3)]),
    "unet": (lambda: make_pix2pix(0.0), pairs),
    "pix2pix": (lambda: make_pix2pix(1.0), pairs),
    "stargan": (make_stargan, lambda: labelled(2)),
    "stargan robust": (make_robust, lessons),
    "lesion_gan": (lambda: lesion_gan.LesionGAN(["a", "b"], LOCAL, **CPU), squares),
    "classifier": (lambda: classifier.DenseNet(preset="narrow", steps=STEPS, **CPU), lambda: labelled(14)),
}


@pytest.mark.parametrize("name", MODELS)
def test_half_and_half_are_one_whole(name, tmp_path):
    make, batches = MODELS[name]
    whole, first, resumed = make(), make(), make()
    training.fit(whole, batches(), STEPS)
    training.fit(first, batches(), STEPS // 2, checkpoint=tmp_path)
    history = training.fit(resumed, batches(), STEPS, checkpoint=tmp_path)
    assert history["step"].tolist() == [STEPS // 2, STEPS]
    one, other = (checkpoints.tensors(model.state_dict()) for model in (whole, resumed))
    assert one.keys() == other.keys() and one
    assert [key for key in one if not torch.equal(one[key], other[key])] == []
    for key, part in whole.parts().items():  # learning rates and counts too
        if isinstance(part, torch.optim.lr_scheduler.LRScheduler):
            assert part.get_last_lr() == getattr(resumed, key).get_last_lr()


@pytest.mark.parametrize("name", ["dcgan few films", "flow", "unet", "pix2pix", "stargan", "lesion_gan"])
def test_the_average_follows_every_generator(name):
    make, batches = MODELS[name]
    model = make()
    before = {key: value.clone() for key, value in model.ema.network.state_dict().items()}
    training.fit(model, batches(), STEPS)
    average, current = model.ema.network.state_dict(), model.generator.state_dict()
    moved = [key for key in average if not torch.equal(average[key], before[key])]
    assert moved and model.ema.updates
    assert [key for key in moved if not torch.equal(average[key], current[key])], "a copy is no average"
