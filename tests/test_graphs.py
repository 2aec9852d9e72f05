"""A recorded step is the step: same weights, same checkpoint, on a GPU and only there."""

import pytest
import torch

from medgan_helpers import classifier, dcgan, flow, lesion_gan, pix2pix, stargan, training
from medgan_helpers.training import graphs

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need an NVIDIA GPU")
SIZE, STEPS = 32, 9


def films(count=8):
    return torch.rand((count, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(1)) * 2 - 1


def labels(findings, count=8):
    return torch.randint(0, 2, (count, findings), generator=torch.Generator().manual_seed(2)).float()


def squares():
    return films()[..., :16, :16], torch.arange(8) % 3, films()[..., 16:, 16:], torch.arange(8) % 2


MODELS = {
    "classifier": (lambda: classifier.DenseNet(preset="narrow", steps=STEPS), (films(), labels(14))),
    "dcgan": (lambda: dcgan.DCGAN(SIZE, 8, recipe=dcgan.SMALL, decay_steps=STEPS), films()),
    "dcgan, few films": (lambda: dcgan.DCGAN(SIZE, 8, recipe=dcgan.FEW_FILMS), films()),
    "dcgan, modern": (lambda: dcgan.DCGAN(SIZE, 8, recipe=dcgan.MODERN), films()),
    "dcgan, no average": (lambda: dcgan.DCGAN(SIZE, 8), films()),
    "flow": (lambda: flow.Flow(SIZE, 8), films()),
    "pix2pix": (
        lambda: pix2pix.Pix2Pix(SIZE, 8, settings=pix2pix.DRAW, decay_steps=STEPS),
        (films(), films().flip(3)),
    ),
    "stargan": (
        lambda: stargan.StarGAN(SIZE, 2, 8, recipe=stargan.SMALL, pretrain=5, decay_steps=STEPS),
        (films(), labels(2)),
    ),
}


def weights(model):
    return torch.cat([p.detach().float().flatten().cpu() for p in model.trained.state_dict().values()])


@needs_gpu
@pytest.mark.parametrize("name", MODELS)
def test_a_recorded_step_is_the_step(name, monkeypatch):
    make, batch = MODELS[name]
    recorded = make()
    monkeypatch.setenv("MEDGAN_GRAPHS", "0")
    usual = make()
    start = weights(usual)
    assert recorded.graphs and usual.graphs is None
    for _ in range(3 * STEPS):
        mine, other = recorded.step(batch), usual.step(batch)
    assert any(recorded.graphs.graphs.values())  # something was recorded
    assert list(mine) == list(other)
    # Half precision rounds sums that are taken in another order: not the same bits, but the same way.
    apart, way = (weights(recorded) - weights(usual)).norm(), (weights(usual) - start).norm()
    assert apart < 0.1 * way, (apart, way)


@needs_gpu
def test_a_recorded_training_resumes(tmp_path):
    def train(steps):
        model = dcgan.DCGAN(SIZE, 8, recipe=dcgan.SMALL, decay_steps=20)
        training.fit(model, [films(), films().flip(3)], steps, tmp_path / f"{steps}", every=5)
        return model

    whole = train(20)
    begun = dcgan.DCGAN(SIZE, 8, recipe=dcgan.SMALL, decay_steps=20)
    training.fit(begun, [films(), films().flip(3)], 10, tmp_path / "cut", every=5)
    again = dcgan.DCGAN(SIZE, 8, recipe=dcgan.SMALL, decay_steps=20)
    training.fit(again, [films(), films().flip(3)], 20, tmp_path / "cut", every=5)
    assert torch.allclose(weights(whole), weights(again), atol=2e-3)


@needs_gpu
def test_lesion_gan_is_recorded():
    model = lesion_gan.LesionGAN(["a", "b"], lesion_gan.Recipe(pretrain=5))
    for _ in range(14):
        losses = model.step(squares())
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert set(model.graphs.graphs) and all(model.graphs.graphs.values())


def test_no_graphs_on_a_cpu_nor_of_compiled_networks(monkeypatch):
    assert graphs.graphs_for(torch.device("cpu"), False) is None
    assert graphs.graphs_for(torch.device("cuda"), True) is None
    monkeypatch.setenv("MEDGAN_GRAPHS", "0")
    assert graphs.graphs_for(torch.device("cuda"), False) is None


def test_a_checkpoint_knows_nothing_of_graphs():
    """An optimizer whose rate lies on the device writes the state of one whose rate is a number."""
    network = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(network.parameters(), 0.5)
    plain = optimizer.state_dict()
    optimizer.param_groups[0] |= {"lr": torch.tensor(0.5), "capturable": True}
    assert graphs.without_tensors(optimizer.state_dict()) == plain
