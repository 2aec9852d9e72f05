"""Training in several processes: torchrun starts them, these functions hold them together.

On its own, without torchrun, each of them does nothing.
"""

import itertools
import os

import torch
import torch.distributed as dist
from torch import nn


def join_processes():
    """Under torchrun, join the other processes (nccl on GPUs, gloo on CPUs); on its own, do nothing."""
    if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not dist.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def rank_and_world():
    """(number of this process, number of processes): (0, 1) without torchrun."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def from_first(make):
    """What make() returns in process 0, in every process: hosts need have no disk in common."""
    if not dist.is_initialized():
        return make()
    found = [make() if dist.get_rank() == 0 else None]
    dist.broadcast_object_list(found)
    return found[0]


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
