"""training.threads: the number that is fastest now is found, and found again when another program comes."""

import pytest
import torch

from medgan_helpers import classifier, dcgan, flow, pix2pix, stargan
from medgan_helpers.training import threads

ALL = {"image_size": 32, "width": 4, "seed": 0, "device": "cpu", "precision": "fp32"}


class Machine:
    """A clock that only steps move; what a step takes depends on the number of threads that torch has."""

    def __init__(self, seconds):
        self.now, self.seconds = 0.0, seconds

    def __call__(self):
        return self.now

    def train(self, chooser, steps):
        """The number of threads of every step."""
        used = []
        for _ in range(steps):
            with chooser.timed():
                used.append(torch.get_num_threads())
                self.now += self.seconds[used[-1]]
        return used


def test_the_fastest_number_is_kept_and_looked_for_again():
    before = torch.get_num_threads()
    machine = Machine({1: 1.0, 2: 0.55})
    with threads.Threads([2, 1], machine) as chooser:
        assert machine.train(chooser, 40)[2 * threads.TRIAL :] == [2] * (40 - 2 * threads.TRIAL)
        machine.seconds = {1: 1.0, 2: 2.1}  # another program takes a core
        assert machine.train(chooser, 40)[-20:] == [1] * 20
        machine.seconds = {1: 1.0, 2: 0.55}  # and ends
        used = machine.train(chooser, 200)
        assert used[-100:].count(2) > 80
    assert torch.get_num_threads() == before


def test_a_number_that_was_set_from_outside_stays(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert len(threads.choices(torch.device("cpu"))) == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert len(threads.choices(torch.device("cuda"))) == 1
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert threads.choices(torch.device("cpu")) == [8, 4, 1]


FILMS = torch.rand((8, 1, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1
LABELS = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(4, 1)
MODELS = {
    "dcgan": (lambda: dcgan.DCGAN(**ALL), FILMS),
    "pix2pix": (lambda: pix2pix.Pix2Pix(**ALL), (FILMS, FILMS.flip(3))),
    "stargan": (lambda: stargan.StarGAN(domains=2, **ALL), (FILMS, LABELS)),
    "flow": (lambda: flow.Flow(**ALL | {"width": 8}), FILMS),
    "classifier": (
        lambda: classifier.DenseNet(["Edema", "Fracture"], "narrow", seed=0, precision="fp32"),
        (FILMS, LABELS),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_another_number_of_threads_changes_the_last_digits_only(name):
    """Sums over a batch are taken in another order, so weights differ; the losses of three steps by 1 %."""
    make, batch = MODELS[name]
    before, ends = torch.get_num_threads(), []
    for number in (1, 2):
        torch.set_num_threads(number)
        model = make()
        ends.append([model.step(batch) for _ in range(3)])
    torch.set_num_threads(before)
    for one, two in zip(*ends, strict=True):
        for key, loss in one.items():
            assert loss.item() == pytest.approx(two[key].item(), rel=0.01, abs=1e-4), key
