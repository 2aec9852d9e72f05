"""A network as a classic script for the live figures; the command that writes them all is live_data.py.

Every network becomes a classic script FOLDER/<name>.js: a list of named operations, found by torch.export by
following the network once, and its weights in base64, halves where that loses nothing. A page opened from a
disc may load scripts and nothing else. `book/_assets/live/layers.js` runs them.
"""

import base64
import json
import operator
import re
from pathlib import Path

import numpy as np
import torch

BOOK = Path(__file__).resolve().parents[1]
LAYERS = BOOK / "_assets" / "live" / "layers.js"
# What torch notes on the way and what changes nothing when a network is used in float32.
NOTHING = {
    "to",
    "_assert_tensor_metadata",
    "detach",
    "alias",
    "contiguous",
    "clone",
    "dropout",
    "lift_fresh_copy",
}
# Other names of the same elements in another shape; the shape is known, so one operation does.
RESHAPES = {"view", "reshape", "flatten", "unsqueeze", "squeeze", "unflatten", "_unsafe_view"}
PARTS = {"chunk", "split", "split_with_sizes"}
BLOCKS = ("wrap_with_autocast", "wrap_with_set_grad_enabled")  # a part of the network under a switch


class Live:
    """A value that depends on the inputs: known by name only until the figure runs."""

    def __init__(self, name, shape):
        self.name, self.shape = name, list(shape)


class Export:
    """The operations and weights of `module` for inputs like `examples` ({name of the argument: tensor}).

    What does not depend on the inputs is computed here, once. Raises ValueError for an operation that
    layers.js does not know, and for batches.
    """

    def __init__(self, module, examples):
        self.steps, self.tensors, self.known = [], {}, operations()
        module.eval()
        with torch.no_grad():
            module(**examples)  # fills caches with real numbers; torch.export would keep placeholders in them
            program = torch.export.export(module, (), kwargs=examples, strict=False)
        self.inputs = {name: list(example.shape) for name, example in examples.items()}
        if any(shape[0] != 1 for shape in self.inputs.values()):
            raise ValueError(f"inputs {self.inputs}: a live figure shows one image at a time (1, ...)")
        values = [Live(name, shape) for name, shape in self.inputs.items()]
        with torch.no_grad():
            self.outputs = [self.reference(value) for value in self.follow(program.module(), values)]

    def follow(self, graph_module, given):
        """Go through a graph in order; returns what it returns, a list of tensors and Lives."""
        values, given = {}, iter(given)
        for node in graph_module.graph.nodes:
            if node.op == "placeholder":
                values[node] = next(given)
            elif node.op == "get_attr":
                values[node] = operator.attrgetter(node.target)(graph_module)
            elif node.op == "call_function":
                values[node] = self.call(node, torch.fx.map_arg(node.args, values.get), values)
            elif node.op == "output":
                found = torch.fx.map_arg(node.args[0], values.get)
                return list(found) if isinstance(found, list | tuple) else [found]
        raise ValueError("the network returns nothing")

    def call(self, node, args, values):
        """The value of one call: computed now if nothing in it is live, otherwise noted as a step."""
        if node.target is operator.getitem:
            return args[0][args[1]]
        name = getattr(node.target, "_opname", str(node.target)).removesuffix("_")
        if name in BLOCKS:
            inner = next(k for k, arg in enumerate(args) if isinstance(arg, torch.fx.GraphModule))
            return self.follow(args[inner], args[inner + 1 :])
        live = [arg for arg in flat(args) if isinstance(arg, Live)]
        if not live:
            return node.target(*args, **torch.fx.map_arg(node.kwargs, values.get))
        if name in NOTHING:
            return live[0]
        return self.step(node, name, positional(node, args))

    def step(self, node, name, args):
        if name in PARTS:
            return self.parts(node, args)
        shape = node.meta["val"].shape
        if name in RESHAPES:
            name, args = "reshape", [args[0], list(shape)]
        elif name in ("expand", "expand_as"):
            name = "expand"
            args = [args[0], list(shape)]
        if name not in self.known:
            raise ValueError(
                f"layers.js has no operation {name!r} ({node.target}): add it to `operations` there"
            )
        if name.startswith("conv") and (args[6:7] or [1])[0] != 1:
            raise ValueError("layers.js knows no grouped convolutions")
        out = Live(f"{node.name}.{len(self.steps)}", shape)
        self.steps.append([out.name, name, *map(self.reference, args)])
        return out

    def parts(self, node, args):
        """Cut into parts along a dimension (chunk, split): slices, one after the other."""
        dimension, start, cut = (args[2:] or [0])[0], 0, []
        for part in node.meta["val"]:
            out = Live(f"{node.name}.{len(self.steps)}", part.shape)
            stop = start + part.shape[dimension]
            self.steps.append([out.name, "slice", args[0].name, dimension, start, stop])
            cut.append(out)
            start = stop
        return cut

    def reference(self, value):
        """What stands in the list for an argument: a name, or the number itself."""
        if isinstance(value, Live):
            return value.name
        if isinstance(value, torch.Tensor):
            for name, tensor in self.tensors.items():
                if tensor is value:
                    return name
            self.tensors[f"weight.{len(self.tensors)}"] = value
            return f"weight.{len(self.tensors) - 1}"
        if isinstance(value, list | tuple):
            return [self.reference(item) for item in value]
        return value

    def script(self, name):
        """The text of <name>.js."""
        table, pieces, start = {}, [], 0
        for key, value in self.tensors.items():
            value = value.detach().float().contiguous()
            kind = "F16" if torch.equal(value.half().float(), value) else "F32"
            raw = value.numpy().astype(np.float16 if kind == "F16" else np.float32).tobytes()
            raw += bytes(-len(raw) % 4)  # a Float32Array starts at a multiple of four
            table[key] = [kind, start, list(value.shape)]
            pieces.append(raw)
            start += len(raw)
        parts = {"inputs": self.inputs, "outputs": self.outputs, "steps": self.steps, "tensors": table}
        return put(name, parts | {"data": base64.b64encode(b"".join(pieces)).decode()})


def put(name, value):
    """A classic script that hands `value` to the figures under `name`."""
    return f"(self.medganData = self.medganData || {{}})[{json.dumps(name)}] = {json.dumps(value)};\n"


def operations():
    """The names that layers.js knows: one per line in its table."""
    table = LAYERS.read_text().split("const operations = {")[1].split("\n  };")[0]
    return set(re.findall(r"^    (\w+)[:,]", table, re.MULTILINE))


def flat(args):
    for arg in args:
        yield from flat(arg) if isinstance(arg, list | tuple) else [arg]


def positional(node, args):
    """The arguments in the order of torch's own declaration, keywords among them."""
    args, names = list(args), [argument.name for argument in node.target._schema.arguments]
    for name, value in node.kwargs.items():
        place = names.index(name)
        defaults = [
            argument.default_value for argument in node.target._schema.arguments[len(args) : place + 1]
        ]
        args += defaults
        args[place] = value
    return args
