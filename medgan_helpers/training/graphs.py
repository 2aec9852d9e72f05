"""Training steps recorded as CUDA graphs: a GPU that does not wait for Python.

A step of a small network is some hundred kernels of a few microseconds each, and Python takes longer to ask
for one than the GPU to run it. A graph holds the whole step (losses, gradients, optimizers) and is asked for
once. It runs the same operations on the same memory every time, so whatever changes from step to step has
to lie on the GPU: the batch, the random numbers, the learning rate.
"""

import os
import warnings
from collections import Counter

import torch

from .processes import rank_and_world

WARM = 3  # steps of each kind that run as usual first: libraries choose their kernels in them


def graphs_for(device, compiled):
    """Graphs where they can help and work: on a GPU, in one process, of networks that are not compiled.

    MEDGAN_GRAPHS=0 in the environment does without.
    """
    wanted = os.environ.get("MEDGAN_GRAPHS") != "0" and not compiled
    return Graphs(device) if wanted and device.type == "cuda" and rank_and_world()[1] == 1 else None


class Graphs:
    """The recorded steps of one model: one for each plan (see `Model.plan`) and shape of batch."""

    def __init__(self, device):
        self.graphs, self.seen, self.recording, self.averages = {}, Counter(), False, False
        self.stream, self.prepared = torch.cuda.Stream(device), False

    def step(self, model, update, batch, plan):
        """The losses of update(model, batch): run as usual, recorded, or replayed."""
        parts = (batch,) if torch.is_tensor(batch) else batch
        kind = plan, *((tuple(part.shape), part.dtype) for part in parts)
        if not self.prepared:
            self.prepared = all(map(prepare, optimizers(model)))
        self.seen[kind] += 1
        if self.seen[kind] <= WARM:
            return self.beside(lambda: update(model, batch))
        if kind not in self.graphs:
            self.graphs[kind] = self.record(model, update, batch)
        if self.graphs[kind] is None:
            return update(model, batch)
        graph, memory, losses, averages = self.graphs[kind]
        for mine, given in zip(memory, parts, strict=True):
            mine.copy_(given)
        graph.replay()
        if averages:
            model.ema.update(model.generator)
        return {name: loss.clone() for name, loss in losses.items()}

    def beside(self, work):
        """Work in another stream than the first: what is recorded later must not have begun in that one."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            result = work()
        torch.cuda.current_stream().wait_stream(self.stream)
        return result

    def record(self, model, update, batch):
        """(graph, its memory for a batch, its losses, whether the step moves the average); None where CUDA
        cannot record this step: it then runs as usual."""
        memory = torch.empty_like(batch) if torch.is_tensor(batch) else tuple(map(torch.empty_like, batch))
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(model.rng)
        self.recording, self.averages = True, False
        try:
            with torch.cuda.graph(graph):
                losses = {name: loss.detach() for name, loss in update(model, memory).items()}
        except RuntimeError as error:
            for optimizer in optimizers(model):
                optimizer.zero_grad()
            warnings.warn(
                f"a step of {type(model).__name__} runs without a CUDA graph: {error}", stacklevel=2
            )
            return None
        finally:
            self.recording = False
        return graph, (memory,) if torch.is_tensor(batch) else memory, losses, self.averages


def optimizers(model):
    return [part for part in model.parts().values() if isinstance(part, torch.optim.Optimizer)]


def prepare(optimizer):
    """Rate and step count of an optimizer onto the GPU, where a graph can read them."""
    device = optimizer.param_groups[0]["params"][0].device
    for group in optimizer.param_groups:
        group["lr"], group["capturable"] = torch.tensor(float(group["lr"]), device=device), True
    for state in optimizer.state.values():
        state["step"] = state["step"].to(device)
    return True


def without_tensors(state):
    """An optimizer's state_dict as it would be without graphs, for a checkpoint."""
    if "param_groups" not in state or not any(torch.is_tensor(g["lr"]) for g in state["param_groups"]):
        return state
    groups = [g | {"lr": float(g["lr"]), "capturable": False} for g in state["param_groups"]]
    return state | {"param_groups": groups}
