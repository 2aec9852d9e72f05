"""Half precision is another precision, not another algorithm."""

import pytest
import torch

from medgan_helpers import classifier, dcgan, flow, pix2pix, stargan

CPU = {"device": "cpu", "precision": "bf16"}


def test_the_generator_meets_the_discriminator_that_has_just_learnt(monkeypatch):
    """Autocast keeps copies of the weights: those from before D's step must not judge G's films."""
    model = dcgan.DCGAN(32, 8, norm="batch", device="cpu", precision="bf16")
    layer = next(m for m in model.discriminator.modules() if isinstance(m, torch.nn.Conv2d))
    stale, convolve = [], torch.nn.functional.conv2d

    def spy(films, weight, *rest, **more):
        answer = convolve(films, weight, *rest, **more)
        if weight is layer.weight:
            now = convolve(films.bfloat16(), weight.detach().bfloat16(), *rest, **more)
            stale.append((answer.detach() - now).abs().max().item())
        return answer

    monkeypatch.setattr(torch.nn.functional, "conv2d", spy)
    for _ in range(3):
        model.step(torch.rand(4, 1, 32, 32) * 2 - 1)
    assert len(stale) == 9 and max(stale) == 0


def layouts(network, work):
    """In which memory formats the layers of a network hand on their pictures while `work` runs."""
    seen = set()

    def look(layer, inputs, output):
        if torch.is_tensor(output) and output.dim() == 4 and min(output.shape[1:]) > 3:
            seen.add("last" if output.is_contiguous(memory_format=torch.channels_last) else "first")

    for layer in network.modules():
        if not list(layer.children()):
            layer.register_forward_hook(look)
    work()
    return seen


@pytest.mark.parametrize("name", ["dcgan", "pix2pix", "stargan", "flow", "classifier"])
def test_a_network_has_one_layout_from_end_to_end(name):
    """On a CPU what lies between two layouts is slower (see training.model.layout)."""
    films, labels = torch.zeros(4, 1, 64, 64), torch.eye(4, 14)
    model, batch = {
        "dcgan": lambda: (dcgan.DCGAN(64, 8, **CPU), films),
        "pix2pix": lambda: (pix2pix.Pix2Pix(64, 8, settings=pix2pix.DRAW, **CPU), (films, films)),
        "stargan": lambda: (stargan.StarGAN(64, 2, 8, critic_steps=1, **CPU), (films, labels[:, :2])),
        "flow": lambda: (flow.Flow(64, 8, **CPU), films),
        "classifier": lambda: (classifier.DenseNet(preset="narrow", **CPU), (films, labels)),
    }[name]()
    networks = [value for value in vars(model).values() if isinstance(value, torch.nn.Module)]
    for network in networks:
        assert len(layouts(network, lambda: model.step(batch))) <= 1
