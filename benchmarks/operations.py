"""What a training step and a film ask of the machine: their operations, counted, for `table.py`.

A step's are counted on a CPU, where it asks for nearly the same ones as on a GPU: everything that computes or
copies, forward and backward, but for the optimizers, which a GPU runs in a few kernels for all weights.
"""

import time

import torch
from torch.optim import optimizer
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

LOOKS = ("empty", "detach", "alias", "lift", "set_")  # with views: what computes nothing
CALLS = 2  # since StarGAN's generator learns at every second one


class Count(TorchDispatchMode):
    """Counts operations that compute something, outside of optimizers, and the bytes they read and write."""

    operations, moved, learning = 0, 0, False

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        answer = function(*args, **(kwargs or {}))
        written = list(filter(torch.is_tensor, tree_leaves(answer)))
        looks = function.is_view or any(name in str(function) for name in LOOKS)
        if written and not looks and not self.learning:
            read = filter(torch.is_tensor, tree_leaves((args, kwargs)))
            self.operations += 1
            self.moved += sum(part.nbytes for part in (*read, *written))
        return answer

    def begins(self, *given):
        self.learning = True

    def ends(self, *given):
        self.learning = False


def count(step, batch):
    """(operations of one step, bytes that one of them moves): means over CALLS."""
    step(batch)  # the first one makes what lasts
    with Count() as counted:
        hooks = [
            optimizer.register_optimizer_step_pre_hook(counted.begins),
            optimizer.register_optimizer_step_post_hook(counted.ends),
        ]
        for _ in range(CALLS):
            step(batch)
    for hook in hooks:
        hook.remove()
    return counted.operations / CALLS, counted.moved / counted.operations


def inside(work):
    """(operations of work(), share of its time inside of them): the rest is Python, which asks for them."""
    work()  # fills caches
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        begun = time.perf_counter()
        work()
        whole = time.perf_counter() - begun
    found = seen.key_averages()
    return sum(each.count for each in found), sum(each.self_cpu_time_total for each in found) / 1e6 / whole
