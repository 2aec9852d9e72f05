"""training: resuming to the bit, surviving kills, naming the step that broke, reading the curves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import training
from medgan_helpers.dcgan import DCGAN
from medgan_helpers.pix2pix import Pix2Pix
from medgan_helpers.stargan import StarGAN
from medgan_helpers.training import checkpoints, loop

SMALL = {"image_size": 32, "width": 4, "seed": 3, "device": "cpu", "precision": "fp32"}


def films(count=7, size=32):
    rng = torch.Generator().manual_seed(1)
    return [torch.rand((4, 1, size, size), generator=rng) * 2 - 1 for _ in range(count)]


def assert_same(one, other):
    one, other = checkpoints.tensors(one.state_dict()), checkpoints.tensors(other.state_dict())
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


class Counter:
    """The smallest model: its state is a number; its loss is NaN at step `broken`."""

    def __init__(self, broken=None):
        self.value, self.broken = torch.zeros(()), broken

    def step(self, batch):
        self.value += batch.sum()
        return {"loss": torch.tensor(float("nan")) if self.broken == batch.item() else self.value.clone()}

    def state_dict(self):
        return {"value": self.value}

    def load_state_dict(self, state):
        self.value = state["value"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [DCGAN, Pix2Pix, StarGAN])
def test_compiled_networks_train_alike(kind, monkeypatch):
    traced = torch.nn.Module.compile  # with "aot_eager" it traces as by default, but needs no C++ compiler
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network: traced(network, backend="aot_eager"))
    films = torch.rand((4, 1, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1
    labels = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    options = {"domains": 2, "blocks": 1, "critic_steps": 1} if kind is StarGAN else {}
    batch = {DCGAN: films, Pix2Pix: (-films, films), StarGAN: (films, labels)}[kind]
    plain, compiled = (kind(**SMALL | options, compile=choice) for choice in (False, True))
    for _ in range(2):
        losses, same = plain.step(batch), compiled.step(batch)
        assert losses.keys() == same.keys()
        for name in losses:
            assert same[name].item() == pytest.approx(losses[name].item(), rel=1e-3, abs=1e-4), name
    assert plain.state_dict()["parts"].keys() == compiled.state_dict()["parts"].keys()
    compiled.load_state_dict(plain.state_dict())  # a checkpoint of either fits the other


def test_a_finished_run_is_not_run_again(tmp_path):
    model = Counter()
    training.fit(model, [torch.ones(1)], 5, checkpoint=tmp_path)
    training.fit(again := Counter(), [torch.ones(1)], 5, checkpoint=tmp_path)
    assert again.value == model.value == 5


def test_seek_is_used_instead_of_reading_on():
    class Seekable:
        def __init__(self):
            self.number, self.sought = 0, []

        def seek(self, step):
            self.number = step
            self.sought.append(step)

        def __iter__(self):
            return self

        def __next__(self):
            self.number += 1
            return torch.full((1,), float(self.number))

    batches, model = Seekable(), Counter()
    model.steps_done = 4
    training.fit(model, batches, 6)
    assert batches.sought == [4] and model.value == 5 + 6


def test_a_generator_that_runs_out_is_explained():
    with pytest.raises(ValueError, match="ran out after 3"):
        training.fit(Counter(), (torch.ones(1) for _ in range(3)), 5)


def test_nan_stops_at_its_step_and_keeps_the_last_good_checkpoint(tmp_path):
    numbered = [torch.full((1,), float(n)) for n in range(1, 30)]
    with pytest.raises(FloatingPointError, match="loss is not finite at step 17"):
        training.fit(Counter(broken=17), numbered, 29, checkpoint=tmp_path, every=4)
    assert checkpoints.read(tmp_path)["step"] == 16


def test_weights_that_are_not_finite_never_replace_a_checkpoint(tmp_path):
    model = DCGAN(**SMALL)
    training.fit(model, films(), 2, checkpoint=tmp_path)
    with torch.no_grad():
        next(model.generator.parameters()).fill_(float("inf"))
    with pytest.raises(FloatingPointError, match=r"generator.*not finite at step 2"):
        loop.keep_checkpoint(model, tmp_path, 2, [])
    kept = checkpoints.read(tmp_path)["state"]["parts"]["generator"]
    assert all(torch.isfinite(weights).all() for weights in kept.values())


def test_no_pickle_and_one_weights_file(tmp_path):
    training.fit(DCGAN(**SMALL), films(), 4, checkpoint=tmp_path, every=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.json", "step-00000004.safetensors"]
    assert json.loads((tmp_path / "checkpoint.json").read_text())["weights"] == "step-00000004.safetensors"


def test_another_models_checkpoint_is_refused_by_name(tmp_path):
    training.fit(DCGAN(**SMALL), films(), 1, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"'width': \(4, 8\)"):
        training.fit(DCGAN(**SMALL | {"width": 8}), films(), 2, checkpoint=tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path):
    training.fit(Counter(), [torch.ones(1)], 2, checkpoint=tmp_path)
    next(tmp_path.glob("*.safetensors")).write_bytes(b"half")
    with pytest.raises(ValueError, match="damaged"):
        checkpoints.read(tmp_path)


def killed_at_file_operation(number, folder):
    """Write checkpoint 2 over checkpoint 1 in a child that dies at its `number`-th file operation."""
    child = os.fork()
    if child == 0:
        calls = iter(range(number))

        def dying(operation):
            def call(*arguments, **options):
                if next(calls, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                return operation(*arguments, **options)

            return call

        os.replace, Path.unlink, os.unlink = dying(os.replace), dying(Path.unlink), dying(os.unlink)
        checkpoints.write(folder, {"step": 2, "w": torch.full((3,), 2.0)})
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


@pytest.mark.slow
def test_a_kill_between_any_two_file_operations_leaves_a_whole_checkpoint(tmp_path):
    found = []
    for number in range(20):
        folder = tmp_path / str(number)
        checkpoints.write(folder, {"step": 1, "w": torch.full((3,), 1.0)})
        killed = killed_at_file_operation(number, folder)
        value = checkpoints.read(folder)
        assert torch.equal(value["w"], torch.full((3,), float(value["step"])))
        found.append(value["step"])
        if not killed:
            break
    assert found[0] == 1 and found[-1] == 2 and len(found) < 20


TRAIN = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_training import DCGAN, SMALL, films, training
training.fit(DCGAN(**SMALL), films(), int(sys.argv[3]), checkpoint=sys.argv[2], every=1)
"""


@pytest.mark.slow
def test_a_run_killed_at_any_moment_goes_on_as_if_nothing_had_happened(tmp_path):
    def start(folder, steps):
        command = [sys.executable, "-c", TRAIN, str(Path(__file__).parent), str(folder), str(steps)]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    run = start(tmp_path, 10_000)
    while not (tmp_path / "checkpoint.json").exists():
        assert run.poll() is None, "the run ended before its first checkpoint"
        time.sleep(0.01)
    time.sleep(np.random.default_rng().uniform(0.05, 0.4))  # any moment at all
    run.kill()
    run.wait()
    reached = checkpoints.read(tmp_path)["step"]
    assert start(tmp_path, reached + 3).wait() == start(tmp_path / "whole", reached + 3).wait() == 0
    resumed, whole = (checkpoints.tensors(checkpoints.read(at)) for at in (tmp_path, tmp_path / "whole"))
    assert resumed.keys() == whole.keys()
    assert whole and all(torch.equal(resumed[name], whole[name]) for name in whole)


PARALLEL = """
import sys, torch
sys.path.insert(0, sys.argv[1])
from test_training import DCGAN, SMALL, films, training, checkpoints
from pathlib import Path
model = DCGAN(**SMALL, norm="batch", augment=False)
training.fit(model, films(8), 3, checkpoint=sys.argv[2], every=1)
rank = training.rank_and_world()[0]
checkpoints.write(Path(sys.argv[2]) / f"rank{rank}", {"step": 3, "state": model.state_dict()})
"""


@pytest.mark.slow
def test_two_processes_end_with_equal_weights(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(PARALLEL)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run = subprocess.run(
        [*command, str(script), str(Path(__file__).parent), str(tmp_path / "run")],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    ranks = [checkpoints.tensors(checkpoints.read(tmp_path / "run" / f"rank{r}")["state"]) for r in (0, 1)]
    assert all(torch.equal(ranks[0][name], ranks[1][name]) for name in ranks[0])
    assert checkpoints.read(tmp_path / "run")["step"] == 3
    alone = DCGAN(**SMALL, norm="batch", augment=False)
    training.fit(alone, films(8), 3)
    assert not torch.equal(ranks[0]["/parts/generator/layers.0.weight"], alone.generator.layers[0].weight)


def test_every_process_gets_batches_of_its_own():
    stream = loop.batches_from(list(range(10)), 4)
    assert [next(stream) for _ in range(8)] == [4, 5, 6, 7, 8, 9, 0, 1]


def test_the_global_random_state_is_neither_read_nor_moved():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    model = DCGAN(**SMALL)
    model.step(films(1)[0])
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    other = DCGAN(**SMALL)
    other.step(films(1)[0])
    assert_same(model, other)


def test_precision_is_chosen_or_refused():
    assert training.choose_device("cpu", "fp32") == (torch.device("cpu"), torch.float32)
    assert training.choose_device("cpu", "auto")[1] in (torch.float32, torch.bfloat16)
    with pytest.raises(ValueError, match="fp64"):
        training.choose_device("cpu", "fp64")


def test_ema_warms_up_and_follows():
    network = torch.nn.Linear(1, 1, bias=False)
    ema = training.EMA(network, decay=0.5)
    with torch.no_grad():
        network.weight.fill_(1.0)
        ema.network.weight.fill_(0.0)
    ema.update(network)
    assert ema.network.weight.item() == pytest.approx(0.9)  # warm-up: d = 1 / 10
    for _ in range(20):
        ema.update(network)
    assert ema.network.weight.item() == pytest.approx(1.0, abs=1e-4)


def test_linear_decay_ends_at_zero():
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = training.linear_decay(optimizer, 10)
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])


def test_shipped_models_come_back(tmp_path):
    model = DCGAN(**SMALL)
    training.fit(model, films(), 3)
    training.save(model, tmp_path, {"data": "noise"})
    back = training.load(DCGAN, tmp_path, device="cpu", precision="fp32")
    assert torch.allclose(back.generate(3), model.generate(3), atol=2e-3)
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["data"] == "noise" and card["config"]["seed"] == 3
    (tmp_path / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="not the file its card describes"):
        training.load(DCGAN, tmp_path)


def test_weights_of_another_network_are_refused_in_words(tmp_path):
    training.save(DCGAN(**SMALL), tmp_path, {})
    card = json.loads((tmp_path / "card.json").read_text())
    card["config"]["width"] *= 2
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="remove that folder and train again"):
        training.load(DCGAN, tmp_path, device="cpu", precision="fp32")


def curves(**columns):
    rows = 30
    base = {"step": np.arange(rows), "d_loss": np.linspace(2, 1, rows), "d_real": 0.6, "d_fake": 0.4}
    return pd.DataFrame(base | {"diversity": 0.9} | columns, index=range(rows))


@pytest.mark.parametrize(
    ("columns", "verdict"),
    [
        ({}, "healthy"),
        ({"diversity": 0.05}, "collapse"),
        ({"d_real": 0.99, "d_fake": 0.01}, "discriminator won"),
        ({"d_real": [0.1, 0.9] * 15, "d_fake": [0.9, 0.1] * 15}, "oscillation"),
        ({"d_loss": 1.0}, "not started"),
        ({"d_real": 0.5, "d_fake": 0.49}, "not started: at the end D(x) and D(G(z)) are 0.010 apart"),
        ({"d_real": np.append([0.6] * 10, [0.51] * 20), "d_fake": 0.49}, "not started: at the end"),
        ({"class_skill": 0.01, "change": 0.001}, "critic has not learnt the findings"),
        ({"class_skill": 0.6, "change": 0.001}, "identity collapse"),
    ],
)
def test_diagnose_says_it_in_words(columns, verdict):
    assert training.diagnose(curves(**columns)).startswith(verdict)
    assert training.diagnose(curves(**columns).head(2)).startswith("not started")


def test_the_verdict_on_the_curves_names_what_they_hid():
    verdicts = pd.Series({"collapse": "collapse", "checkerboard": "healthy", "copies": "not started"})
    words = training.what_curves_say(verdicts)
    assert "**1 of 3**" in words and "healthy: **checkerboard**" in words
    assert "healthy" not in training.what_curves_say(verdicts[["collapse"]])


def test_diagnose_speaks_of_samples_only_where_their_variety_was_measured():
    assert "samples vary" in training.diagnose(curves())
    assert "samples" not in training.diagnose(curves().drop(columns="diversity"))


# Ten rows each of five runs like those of chapter 8, rounded: verdict, advice, D(x), D(G(z)), diversity.
RECORDED = {
    "healthy": (
        "healthy", "look at them",
        [0.71, 0.77, 0.70, 0.66, 0.68, 0.63, 0.61, 0.67, 0.63, 0.60],
        [0.53, 0.51, 0.55, 0.54, 0.58, 0.56, 0.51, 0.59, 0.59, 0.50],
        [0.54, 0.40, 0.47, 0.58, 0.57, 0.66, 0.68, 0.63, 0.76, 0.75],
    ),
    "its first third": (
        "collapse", "train on",
        [0.70, 0.84, 0.84, 0.80, 0.79, 0.75, 0.73, 0.73, 0.74, 0.73],
        [0.49, 0.48, 0.45, 0.50, 0.52, 0.55, 0.58, 0.59, 0.60, 0.59],
        [0.22, 0.20, 0.17, 0.17, 0.18, 0.20, 0.23, 0.26, 0.28, 0.31],
    ),
    "saturating loss, D too fast": (
        "discriminator won", "slow it",
        [0.95, *[1.00] * 9],
        [0.07, *[0.00] * 9],
        [0.23, 0.25, 0.25, 0.25, 0.24, 0.25, 0.24, 0.26, 0.25, 0.24],
    ),
    "G too fast": (
        "collapse", "no more than before",
        [0.51, 0.52, 0.49, 0.50, 0.49, 0.49, 0.50, 0.50, 0.49, 0.50],
        [0.53, 0.56, 0.50, 0.50, 0.50, 0.50, 0.50, 0.50, 0.50, 0.50],
        [0.17, 0.71, 0.40, 0.25, 0.21, 0.21, 0.18, 0.19, 0.18, 0.17],
    ),
    "real films of 0 to 255": (
        "collapse", "wrong range",
        [0.90, 1.00, 1.00, 1.00, 1.00, 1.00, 0.97, 0.81, 0.88, 0.82],
        [0.52, 0.54, 0.53, 0.52, 0.52, 0.51, 0.50, 0.50, 0.50, 0.50],
        [0.002] * 10,
    ),
}  # fmt: skip


@pytest.mark.parametrize("run", RECORDED)
def test_diagnose_is_right_about_real_runs(run):
    verdict, advice, d_real, d_fake, diversity = RECORDED[run]
    said = training.diagnose({"d_real": d_real, "d_fake": d_fake, "diversity": diversity})
    assert said.startswith(verdict) and advice in said
