"""What every trained model of the course shares: device and precision, random numbers, averages, one step.

A model is anything with `step(batch) -> {name: tensor}`, `state_dict()` and `load_state_dict()`; `Model`
gives all of that to a class that makes its networks and optimizers and says what one step is.
"""

import copy
import functools
import os
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from ..checks import device as known_device
from ..checks import door, having, holding, in_range, number, switch, tensor, told, whole
from .graphs import graphs_for, without_tensors
from .processes import average_gradients, join_processes, rank_and_world

SIZES = (
    "image_size",
    "width",
    "channels",
    "in_channels",
    "out_channels",
    "latent",
    "noise",
    "domains",
    "blocks",
)  # settings of models that say how large a network is
STEPS = ("critic_steps", "steps", "decay_steps")  # and how long something lasts
LARGEST = 4096  # of SIZES: a slip, as 1e12, would ask for more memory than there is
MANY = 100_000  # images that one call makes
AT_ONCE = 32  # images that a trained network works on at a time; bounds its memory


def choose_device(device="auto", precision="auto"):
    """Return (torch.device, torch.dtype) for `device` ("auto", "cpu", "cuda", ...) and `precision`.

    precision: "fp32", "bf16", or "auto": bf16 where the hardware multiplies it natively (NVIDIA from Ampere
    on, CPUs with AVX512-BF16), fp32 elsewhere, where bf16 would be emulated and slower.
    """
    join_processes()
    if device == "auto":
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    known_device("device", device)
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


def check_config(config):
    """Refuse sizes and counts of a model that are not whole numbers above 0, and a seed below 0.

    Raises TypeError or ValueError that names the argument. A schedule, decay_steps, may be None.
    """
    rules = dict.fromkeys(SIZES, whole(1, LARGEST)) | dict.fromkeys(STEPS, whole())
    for name, rule in (rules | dict.fromkeys(("seed", "pretrain"), whole(0))).items():
        if name in config and not (name == "decay_steps" and config[name] is None):
            rule(name, config[name])
    if config.get("findings") == []:
        raise ValueError("findings is empty: expected at least one finding, a number or a list of names")


def check_count(name, value, least=1):
    """Refuse what is no whole number, or one below `least`: TypeError or ValueError that names it."""
    whole(least)(name, value)


def check_batch(batch, config, needs=()):
    """Refuse a batch that is not made of tensors of one length, with float images of the model's size.

    needs: the names of its parts, where the model cannot do with images alone. Values are looked at on the
    CPU only (`in_range`): it costs some microseconds and no wait for a GPU.
    """
    parts = batch if isinstance(batch, tuple | list) else (batch,)
    if not parts or not all(torch.is_tensor(part) for part in parts):
        found = [type(part).__name__ for part in parts]
        raise TypeError(f"the batch is {found or 'empty'}: expected a tensor, or a tuple of tensors")
    if needs and len(parts) != len(needs):
        raise TypeError(f"the batch has {len(parts)} parts: expected a tuple ({', '.join(needs)})")
    lengths = {len(part) if part.dim() else 0 for part in parts}
    if len(lengths) > 1 or 0 in lengths:
        shapes = [tuple(part.shape) for part in parts]
        raise ValueError(f"the parts of the batch are {shapes}: expected as many rows in each, at least one")
    for image in (part for part in parts if part.dim() == 4):
        _check_images(image, config.get("image_size"))
    expected = config.get("in_channels", config.get("channels", 1))
    if parts[0].dim() != 4 or parts[0].shape[1] != expected:
        raise ValueError(f"images are {tuple(parts[0].shape)}: expected (B, {expected}, H, W)")


def _check_images(images, size):
    if not images.is_floating_point():
        raise TypeError(
            f"images are {images.dtype}: expected floats in [-1, 1], as images.signed_batch makes them"
        )
    if size and images.shape[-2:] != (size, size):
        raise ValueError(f"images are {tuple(images.shape[-2:])} pixels, this model was made for {size}")
    in_range(images)


@contextmanager
def seeded(*numbers):
    """Inside the block, torch's global random numbers follow from `numbers`; outside they are untouched.

    For the two places that accept no torch.Generator of ours: the initial weights, and nn.Dropout.
    """
    gpu = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=gpu):
        torch.manual_seed(mix(*numbers))
        yield


def _seeds(name, values):
    for value in values:
        whole(0)(name, value)


@door(numbers=_seeds)
def mix(*numbers):
    """One well-mixed seed out of several small numbers (seed, process, step)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _state(*keys):
    """What state_dict() gives, with these keys; a damaged checkpoint is a TypeError (see `loop`)."""

    def rule(name, value):
        if not isinstance(value, dict) or not set(keys) <= set(value):
            raise TypeError(f"{name} is {told(value)}: expected what state_dict() gives")

    return rule


class EMA:
    """Exponential moving average of a network's weights: w_ema <- d w_ema + (1 - d) w after every step.

    Late GAN iterates circle around the equilibrium; their mean is nearer to it than any of them (Yazici et
    al., ICLR 2019). decay .999 remembers about the last 1,000 steps. Warm-up: d = min(decay, (1+t) / (10+t)),
    so that short runs are no average with the initial noise. Batch-norm statistics are averaged like weights.
    """

    @door(network=having("eval", "requires_grad_", kind="a network, torch.nn.Module"), decay=number(0, 1))
    def __init__(self, network, decay=0.999):
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @door(network=having("state_dict", kind="the network that is averaged"))
    @torch.no_grad()
    def update(self, network):
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        average, current = self.network.state_dict(), network.state_dict()
        floats = [name for name in current if current[name].is_floating_point()]
        torch._foreach_lerp_([average[n] for n in floats], [current[n] for n in floats], 1 - decay)

    def state_dict(self):
        return {"network": self.network.state_dict(), "updates": self.updates}

    @door(state=_state("network", "updates"))
    def load_state_dict(self, state):
        self.network.load_state_dict(state["network"])
        self.updates = state["updates"]


def layout(network, device, dtype):
    """The memory format for a network: channels last, in which convolutions are fastest.

    Not on a CPU with a norm of single images: instance norm gives its output back channels first, group norm
    is slow in half precision, and what lies between two layouts is slower.
    """
    norms = nn.InstanceNorm2d if dtype == torch.float32 else (nn.InstanceNorm2d, nn.GroupNorm)
    mixed = device.type == "cpu" and any(isinstance(module, norms) for module in network.modules())
    return torch.contiguous_format if mixed else torch.channels_last


OPTIMIZER = having("param_groups", kind="an optimizer, as torch.optim.Adam(network.parameters())")


class Model:
    """What the generative models share. Every attribute that has a state_dict belongs to the checkpoint:
    networks, averages, optimizers, schedules.

    config: the arguments the model was made with, "seed" among them. The random numbers of step t follow from
    (seed, process, t) alone: so two integers hold the random state, on every process and after every resume.
    compile: torch.compile the networks, which takes a minute first; for long runs, on a GPU above all.
    """

    @door(config=holding("seed"), compile=switch)
    def __init__(self, config, device="auto", precision="auto", compile=False):
        check_config(config)
        self.config = config
        self.device, self.dtype = choose_device(device, precision)
        self.compile = compile
        self.rng = torch.Generator(self.device)
        self.steps_done = 0
        self.graphs = graphs_for(self.device, compile)

    def plan(self):
        """What kind of step comes next: steps of one plan run the same operations, so that a GPU can replay
        them (see `graphs`). None: not known beforehand."""
        return None

    @door(network=having("to", "compile", kind="a network, torch.nn.Module"), compile=switch)
    def place(self, network, compile=True):
        """Move a network to the device, in the layout that is fastest there; maybe compile it."""
        network = network.to(self.device, memory_format=layout(network, self.device, self.dtype))
        if self.compile and compile:
            network.compile()
        return network

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    @door(loss=tensor(), optimizer=OPTIMIZER)
    def descend(self, loss, optimizer):
        """One optimizer step down the gradient of `loss`, in the parameters of this optimizer only."""
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        optimizer.zero_grad()
        loss.backward(inputs=parameters)  # the opponent's weights need no gradient now: a third less work
        average_gradients(parameters)
        optimizer.step()
        torch.clear_autocast_cache()  # else bf16 goes on with copies of the weights from before this step

    def update_average(self):
        if self.graphs and self.graphs.recording:
            # after each replay, since how far it moves depends on the step
            self.graphs.averages = self.ema is not None
        elif self.ema:
            self.ema.update(self.generator)

    @property
    def trained(self):
        """The network to use and to ship: the moving average of the generator, if there is one."""
        return self.ema.network if self.ema else self.generator

    @torch.no_grad()
    def in_parts(self, ask, *tensors):
        """ask(*tensors) of the trained network, AT_ONCE rows at a time; the answers where the tensors are."""
        if strangers := [t for t in tensors if not torch.is_tensor(t) or not t.is_floating_point()]:
            found = getattr(strangers[0], "dtype", type(strangers[0]).__name__)
            raise TypeError(f"expected tensors of floats, as images.signed_batch makes them, got {found}")
        for films in (given for given in tensors if given.dim() == 4):
            in_range(films)
        if not len(tensors[0]):
            raise ValueError(f"{tuple(tensors[0].shape)}: expected at least one image")
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
        parts = {name: without_tensors(part.state_dict()) for name, part in self.parts().items()}
        return {"config": self.config, "steps_done": self.steps_done, "parts": parts}

    @door(state=_state("config", "steps_done", "parts"))
    def load_state_dict(self, state):
        """Raises ValueError if `state` came from a model made with other arguments, naming them."""
        saved, mine = state["config"], self.config
        if set(saved) != set(mine):
            raise ValueError(
                f"the checkpoint belongs to another kind of model, with the settings {', '.join(saved)}; a "
                f"{type(self).__name__} has {', '.join(mine)}. Give another checkpoint folder"
            )
        other = {k: (saved[k], mine[k]) for k in mine if saved[k] != mine[k]}
        if other:
            raise ValueError(
                f"the checkpoint belongs to another {type(self).__name__}: (checkpoint, this) = {other}. "
                "Make the model with the checkpoint's arguments, or give another checkpoint folder"
            )
        for name, part in self.parts().items():
            part.load_state_dict(state["parts"][name])
        self.steps_done = state["steps_done"]
        self.graphs = graphs_for(self.device, self.compile)  # recorded with the optimizers of before


@door(update=having("__call__", kind="a method (self, batch) -> losses"))
def one_step(update):
    """Decorator of Model.step: batch to the device, this step's random numbers, mixed precision, counting."""

    @functools.wraps(update)
    def step(self, batch):
        check_batch(batch, self.config, getattr(self, "needs", ()))
        batch = to_device(batch, self.device)
        self.rng.manual_seed(mix(self.config["seed"], rank_and_world()[0], self.steps_done))
        plan = self.plan() if self.graphs else None
        with self.autocast():
            losses = update(self, batch) if plan is None else self.graphs.step(self, update, batch, plan)
        for part in self.parts().values():
            if isinstance(part, torch.optim.lr_scheduler.LRScheduler) and part.optimizer.state:
                part.step()  # not before the first step of its optimizer
        self.steps_done += 1
        return {name: value.detach() for name, value in losses.items()}

    return step


def to_device(batch, device):
    """Tensors of a batch (one tensor, or a tuple of them) on the device, images channels last."""
    if not torch.is_tensor(batch):
        if not isinstance(batch, tuple | list):
            raise TypeError(f"batch is {told(batch)}: expected a tensor, or a tuple of them")
        return tuple(to_device(item, device) for item in batch)
    batch = batch.to(device, non_blocking=True)
    return batch.contiguous(memory_format=torch.channels_last) if batch.dim() == 4 else batch


@door(optimizer=OPTIMIZER, steps=whole())
def linear_decay(optimizer, steps=None):
    """The schedule of Pix2Pix and StarGAN: constant for half of `steps`, then down to 0. None: constant."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, 2 * max(0.0, 1 - step / steps)) if steps else 1.0
    )
