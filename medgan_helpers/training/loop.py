"""One training loop for every model of the course, resumable and the same under torchrun.

    history = training.fit(model, batches, steps=900, checkpoint=artifacts.folder("artifacts") / "dcgan")
    print(training.diagnose(history))

Run again after a crash or a kill, the same line goes on from the last checkpoint, and on the CPU with a fixed
number of threads (OMP_NUM_THREADS) it ends with the very bits of a run that was never interrupted. Under
`torchrun` every process trains on its own batches.
"""

import itertools
import time

import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from tqdm import tqdm

from .. import checks
from . import checkpoints
from .model import check_count
from .processes import from_first, rank_and_world, share_buffers
from .threads import Threads, choices

CPU = torch.device("cpu")
LOG_EVERY = 10  # steps; losses stay on the device in between: reading one makes the CPU wait for the GPU


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
    _check(model, steps, checkpoint, every, samples)
    rank, world = rank_and_world()
    start, rows = _resume(model, checkpoint)
    stream = itertools.islice(batches_from(batches, start * world), rank, None, world)
    log = _Log(rows, world)
    if samples and start == 0:
        samples(model, 0)
    text = {"desc": type(model).__name__, "unit": "step", "mininterval": 1}  # seconds between two bars
    bar = tqdm(total=steps, initial=min(start, steps), disable=rank > 0, **text)
    with Threads(choices(getattr(model, "device", CPU))) as threads:
        for step in range(start + 1, steps + 1):
            batch = next(stream)
            with threads.timed():
                log.add(model.step(batch), batch)
            at_mark = step % every == 0 or step == steps
            if step % LOG_EVERY == 0 or at_mark:
                bar.set_postfix(log.row(step), refresh=False)
            if at_mark:
                keep_checkpoint(model, checkpoint, step, rows)
            if at_mark and samples:
                samples(model, step)
            bar.update()
    bar.close()
    return pd.DataFrame(rows)


def _check(model, steps, checkpoint, every, samples):
    """Refuse, before anything is read or trained, what would end somewhere inside."""
    if not hasattr(model, "step"):
        raise TypeError(f"{type(model).__name__} has no step(batch): expected a model, as dcgan.DCGAN()")
    if isinstance(model, type):
        raise TypeError(f"model is the class {model.__name__}: expected a model, as {model.__name__}(...)")
    check_count("steps", steps, 0)
    check_count("every", every)
    if checkpoint is not None:
        checks.path("checkpoint", checkpoint)
    if samples is not None and not callable(samples):
        raise TypeError(f"samples is {samples!r}: expected a function of (model, step)")
    if not torch.is_grad_enabled():
        raise ValueError(
            "training needs gradients: call fit outside of torch.no_grad() and torch.inference_mode()"
        )


def _resume(model, checkpoint):
    """(steps already done, rows of the history so far)."""
    saved = from_first(lambda: checkpoints.read(checkpoint)) if checkpoint else None
    if saved is None:
        return getattr(model, "steps_done", 0), []
    if not isinstance(saved, dict) or not {"step", "history", "state"} <= set(saved):
        raise ValueError(f"the checkpoint in {checkpoint} is no training's: remove it and train again")
    step, rows = saved["step"], saved["history"]
    try:
        if not isinstance(step, int) or step < 0:
            raise TypeError(f"its step is {step!r}")
        pd.DataFrame.from_records(rows)
        model.load_state_dict(saved["state"])
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(
            f"the checkpoint in {checkpoint} is damaged ({error}): remove it and train again"
        ) from error
    return step, rows


def keep_checkpoint(model, checkpoint, step, rows):
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


def batches_from(batches, start):
    """Endless batches from number `start` on."""
    if hasattr(batches, "seek"):
        batches.seek(start)
        yield from batches
        return
    if not hasattr(batches, "__iter__") or isinstance(batches, type):
        raise TypeError(
            f"batches is {checks.told(batches)}: expected a list, a DataLoader or ImageStore.batches"
        )
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
        if not self.losses:  # once a row: a step gives the same names every time
            _check_losses(losses)
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


def _check_losses(losses):
    """Refuse what is not {name: tensor of one number}: the log keeps tensors, and reads them all at once."""
    if not isinstance(losses, dict) or not losses:
        raise TypeError(f"step() gave {checks.told(losses)}: expected {{name: tensor}}, at least one")
    for name, value in losses.items():
        if not torch.is_tensor(value) or value.dim():
            found = checks.told(value) if not torch.is_tensor(value) else f"a tensor {tuple(value.shape)}"
            raise TypeError(
                f"step() gave {found} under {name!r}: expected a tensor of one number, as loss.detach()"
            )


def _not_finite(step, name):
    return (
        f"{name} is not finite at step {step}: training stopped, the last checkpoint is as it was. Lower the "
        'learning rate, check the images for values outside [-1, 1], or try precision="fp32"'
    )
