"""Half precision is another precision, not another algorithm."""

import torch

from medgan_helpers import dcgan


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
