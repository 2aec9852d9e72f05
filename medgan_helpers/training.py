"""One training loop for every model of the course, and what it needs: precision, averages, checkpoints.

A model is anything with `step(batch) -> {name: tensor}`, `state_dict()` and `load_state_dict()`.

    history = training.fit(model, batches, steps=900, checkpoint=artifacts.folder("artifacts") / "dcgan")
    print(training.diagnose(history))

Run again after a crash or a kill, the same line goes on from the last checkpoint, and on the CPU it ends with
the very bits of a run that was never interrupted. Under `torchrun` every process trains on its own batches.
"""

import copy
import functools
import itertools
import os
import time
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from torch import nn
from tqdm import tqdm

from . import checkpoints
from .checkpoints import load, save, shipped  # noqa: F401  (as training.save, training.load, ...)
from .diagnosis import diagnose  # noqa: F401

AT_ONCE = 128  # images that a trained network works on at a time; bounds its memory
LOG_EVERY = 10  # steps; losses stay on the device in between: reading one makes the CPU wait for the GPU


# ---------------------------------------------------------------- the machine
def choose_device(device="auto", precision="auto"):
    """Return (torch.device, torch.dtype) for `device` ("auto", "cpu", "cuda", ...) and `precision`.

    precision: "fp32", "bf16", or "auto": bf16 where the hardware multiplies it natively (NVIDIA from Ampere
    on, CPUs with AVX512-BF16), fp32 elsewhere, where bf16 would be emulated and slower.
    """
    join_processes()
    if device == "auto":
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    device = torch.device(device)
    if precision == "auto":
        native = (
            torch.cuda.get_device_capability(device)[0] >= 8
            if device.type == "cuda"
            else device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
        )
        precision = "bf16" if native else "fp32"
    if precision not in ("fp32", "bf16"):
        raise ValueError(f'precision is {precision!r}: choose "auto", "fp32" or "bf16"')
    return device, {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]


def join_processes():
    """Under torchrun, join the other processes (nccl on GPUs, gloo on CPUs); on its own, do nothing."""
    if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not dist.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def rank_and_world():
    """(number of this process, number of processes): (0, 1) without torchrun."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


@contextmanager
def seeded(*numbers):
    """Inside the block, torch's global random numbers follow from `numbers`; outside they are untouched.

    For the two places that accept no torch.Generator of ours: the initial weights, and nn.Dropout.
    """
    gpu = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=gpu):
        torch.manual_seed(mix(*numbers))
        yield


def mix(*numbers):
    """One well-mixed seed out of several small numbers (seed, process, step)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


# ---------------------------------------------------------------- what the models share
class EMA:
    """Exponential moving average of a network's weights: w_ema <- d w_ema + (1 - d) w after every step.

    Late GAN iterates circle around the equilibrium; their mean is nearer to it than any of them (Yazici et
    al., ICLR 2019). decay .999 remembers about the last 1,000 steps. Warm-up: d = min(decay, (1+t) / (10+t)),
    so that short runs are no average with the initial noise. Batch-norm statistics are averaged like weights.
    """

    def __init__(self, network, decay=0.999):
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network):
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        average, current = self.network.state_dict(), network.state_dict()
        floats = [name for name in current if current[name].is_floating_point()]
        torch._foreach_lerp_([average[n] for n in floats], [current[n] for n in floats], 1 - decay)

    def state_dict(self):
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load_state_dict(self, state):
        self.network.load_state_dict(state["network"])
        self.updates = state["updates"]


class Model:
    """What DCGAN, Pix2Pix and StarGAN share. Every attribute that has a state_dict belongs to the checkpoint:
    networks, averages, optimizers, schedules.

    config: the arguments the model was made with, "seed" among them. The random numbers of step t follow from
    (seed, process, t) alone: so two integers hold the random state, on every process and after every resume.
    compile: torch.compile the networks, which takes a minute first; for long runs, on a GPU above all.
    """

    def __init__(self, config, device="auto", precision="auto", compile=False):
        self.config = config
        self.device, self.dtype = choose_device(device, precision)
        self.compile = compile
        self.rng = torch.Generator(self.device)
        self.steps_done = 0

    def place(self, network, compile=True):
        """Move a network to the device, channels last (the layout of fast convolutions); maybe compile it."""
        network = network.to(self.device, memory_format=torch.channels_last)
        if self.compile and compile:
            network.compile()
        return network

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    def descend(self, loss, optimizer):
        """One optimizer step down the gradient of `loss`, in the parameters of this optimizer only."""
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        optimizer.zero_grad()
        loss.backward(inputs=parameters)  # the opponent's weights need no gradient now: a third less work
        average_gradients(parameters)
        optimizer.step()

    def update_average(self):
        if self.ema:
            self.ema.update(self.generator)

    @property
    def trained(self):
        """The network to use and to ship: the moving average of the generator, if there is one."""
        return self.ema.network if self.ema else self.generator

    @torch.no_grad()
    def in_parts(self, ask, *tensors):
        """ask(*tensors) of the trained network, AT_ONCE rows at a time; the answers where the tensors are."""
        self.trained.eval()
        parts = zip(*(tensor.split(AT_ONCE) for tensor in tensors), strict=True)
        with self.autocast():
            answers = [ask(*to_device(part, self.device)).to(tensors[0].device) for part in parts]
        self.generator.train()
        return torch.cat(answers)

    def load_trained(self, weights):
        self.generator.load_state_dict(weights)
        self.trained.load_state_dict(weights)

    def parts(self):
        return {name: part for name, part in vars(self).items() if hasattr(part, "state_dict")}

    def state_dict(self):
        parts = {name: part.state_dict() for name, part in self.parts().items()}
        return {"config": self.config, "steps_done": self.steps_done, "parts": parts}

    def load_state_dict(self, state):
        """Raises ValueError if `state` came from a model made with other arguments, naming them."""
        saved, mine = state["config"], self.config
        other = {k: (saved.get(k), mine.get(k)) for k in saved | mine if saved.get(k) != mine.get(k)}
        if other:
            raise ValueError(
                f"the checkpoint belongs to another {type(self).__name__}: (checkpoint, this) = {other}. "
                "Make the model with the checkpoint's arguments, or give another checkpoint folder"
            )
        for name, part in self.parts().items():
            part.load_state_dict(state["parts"][name])
        self.steps_done = state["steps_done"]


def one_step(update):
    """Decorator of Model.step: batch to the device, this step's random numbers, mixed precision, counting."""

    @functools.wraps(update)
    def step(self, batch):
        batch = to_device(batch, self.device)
        self.rng.manual_seed(mix(self.config["seed"], rank_and_world()[0], self.steps_done))
        with self.autocast():
            losses = update(self, batch)
        for part in self.parts().values():
            if isinstance(part, torch.optim.lr_scheduler.LRScheduler) and part.optimizer.state:
                part.step()  # not before the first step of its optimizer
        self.steps_done += 1
        return {name: value.detach() for name, value in losses.items()}

    return step


def to_device(batch, device):
    """Tensors of a batch (one tensor, or a tuple of them) on the device, images channels last."""
    if not torch.is_tensor(batch):
        return tuple(to_device(item, device) for item in batch)
    batch = batch.to(device, non_blocking=True)
    return batch.contiguous(memory_format=torch.channels_last) if batch.dim() == 4 else batch


def linear_decay(optimizer, steps):
    """The schedule of Pix2Pix and StarGAN: constant for half of `steps`, then down to 0. None: constant."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, 2 * max(0.0, 1 - step / steps)) if steps else 1.0
    )


def average_gradients(parameters):
    """Replace gradients by their mean over the processes: what DistributedDataParallel does, which does not
    support the second derivatives of StarGAN's gradient penalty."""
    if dist.is_initialized():
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient) / dist.get_world_size())


def share_buffers(model):
    """Give every process the batch-norm statistics of process 0 (weights are equal already)."""
    if dist.is_initialized():
        networks = [getattr(part, "network", part) for part in model.parts().values()]
        for buffer in itertools.chain(*(n.buffers() for n in networks if isinstance(n, nn.Module))):
            dist.broadcast(buffer, 0)


# ---------------------------------------------------------------- the loop
def fit(model, batches, steps, checkpoint=None, every=500, samples=None):
    """Train `model` until it has done `steps` steps; return its history.

    batches: an iterator with seek(number) (images.ImageStore.batches) or an iterable, begun again at its end;
        the same in every process of torchrun, which shares them out: rank, rank + world, ...
    checkpoint: a folder; resumed from if it holds a checkpoint, written every `every` steps and at the end.
    samples: samples(model, step), called before the first step, every `every` steps and at the end.
    Returns a DataFrame, one row per LOG_EVERY steps: step, seconds, images_per_second, mean losses.
    Raises FloatingPointError naming the step when a loss is not finite, or a weight that would be written;
    the last checkpoint stays.
    """
    rank, world = rank_and_world()
    start, rows = _resume(model, checkpoint)
    stream = itertools.islice(_stream(batches, start * world), rank, None, world)
    log = _Log(rows, world)
    if samples and start == 0:
        samples(model, 0)
    text = {"desc": type(model).__name__, "unit": "step", "mininterval": 1}  # seconds between two bars
    bar = tqdm(total=steps, initial=min(start, steps), disable=rank > 0, **text)
    for step in range(start + 1, steps + 1):
        batch = next(stream)
        log.add(model.step(batch), batch)
        at_mark = step % every == 0 or step == steps
        if step % LOG_EVERY == 0 or at_mark:
            bar.set_postfix(log.row(step), refresh=False)
        if at_mark:
            _keep(model, checkpoint, step, rows)
        if at_mark and samples:
            samples(model, step)
        bar.update()
    bar.close()
    return pd.DataFrame(rows)


def _resume(model, checkpoint):
    """(steps already done, rows of the history so far)."""
    saved = checkpoints.read(checkpoint) if checkpoint else None
    if saved is None:
        return getattr(model, "steps_done", 0), []
    model.load_state_dict(saved["state"])
    return saved["step"], saved["history"]


def _keep(model, checkpoint, step, rows):
    """Write the checkpoint, once, from process 0; nothing that is not finite replaces a good one."""
    if not checkpoint:
        return
    if dist.is_initialized():
        share_buffers(model)
    state = model.state_dict()
    broken = [name for name, tensor in checkpoints.tensors(state).items() if not torch.isfinite(tensor).all()]
    if broken:
        raise FloatingPointError(_not_finite(step, broken[0]))
    if rank_and_world()[0] == 0:
        checkpoints.write(checkpoint, {"step": step, "history": rows, "state": state})
    if dist.is_initialized():
        dist.barrier()


def _stream(batches, start):
    """Endless batches from number `start` on."""
    if hasattr(batches, "seek"):
        batches.seek(start)
        yield from batches
        return
    number = 0
    while True:
        before = number
        for batch in batches:
            number += 1
            if number > start:
                yield batch
        if number == before:
            raise ValueError(
                f"the batches ran out after {number}: give a list, a DataLoader or ImageStore.batches, "
                "which can be begun again, instead of a generator, which cannot"
            )


class _Log:
    """Collects the losses of every step; `row` turns those since the last row into one row of the history."""

    def __init__(self, rows, world):
        self.rows, self.world = rows, world
        self.losses, self.images, self.clock = [], 0, time.perf_counter()

    def add(self, losses, batch):
        self.losses.append(losses)
        self.images += len(batch if torch.is_tensor(batch) else batch[0]) * self.world

    def row(self, step):
        first = step - len(self.losses) + 1
        entries = [(first + i, *pair) for i, losses in enumerate(self.losses) for pair in losses.items()]
        values = torch.stack([value.float() for *_, value in entries]).tolist()  # the only wait for the GPU
        for (at, name, _), value in zip(entries, values, strict=True):
            if not np.isfinite(value):
                raise FloatingPointError(_not_finite(at, name))
        means = pd.Series(values).groupby([name for _, name, _ in entries], sort=False).mean().to_dict()
        now = time.perf_counter()
        seconds = (self.rows[-1]["seconds"] if self.rows else 0.0) + now - self.clock
        rate = self.images / (now - self.clock)
        self.rows.append({"step": step, "seconds": seconds, "images_per_second": rate} | means)
        self.losses, self.images, self.clock = [], 0, now
        return {"images_per_second": rate} | means


def _not_finite(step, name):
    return (
        f"{name} is not finite at step {step}: training stopped, the last checkpoint is as it was. Lower the "
        'learning rate, check the images for values outside [-1, 1], or try precision="fp32"'
    )
