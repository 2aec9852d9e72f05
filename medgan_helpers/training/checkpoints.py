"""Checkpoints without pickle: tensors in a safetensors file, everything else in JSON beside it.

A checkpoint is a folder with `checkpoint.json` and the weights file it names. The JSON is written last and
renamed into place: whatever moment a run is killed at, it names a complete weights file, the old or the new.
"""

import hashlib
import json
import re
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as as_bytes
from torch.nn.modules.module import register_module_parameter_registration_hook

from .. import artifacts, checks

ASSETS = artifacts.ASSETS
WEIGHTS = re.compile(r"step-\d{8}\.safetensors")  # the names that `write` gives
UNFINISHED = re.compile(r"\.step-\d{8}\..+\.partial\.safetensors")  # and those of what a kill left
CARD = ("model", "config", "parameters", "sha256", "made", "warning")  # what `save` adds to every card
TIMES, SMALL = 20, 10_000_000  # a model has so many times the parameters of what it ships, and that many more


def _counted(name, value):
    checks.holding("step")(name, value)
    checks.whole(0)("step", value["step"])


@checks.door(folder=checks.path, value=_counted)
def write(folder, value):
    """Write `value` (nested dicts and lists of tensors, numbers, strings) as the folder's checkpoint."""
    folder = Path(folder)
    leaves = {}
    tree = _encode(value, "", leaves)
    weights = folder / f"step-{value['step']:08d}.safetensors"
    _save_tensors(weights, leaves)
    artifacts.write_json(folder / "checkpoint.json", {"weights": weights.name, "tree": tree})
    # Weights of checkpoints before, and what a kill left, by this file's exact names; what else lies there is
    # somebody's.
    for left in folder.iterdir():
        if (WEIGHTS.fullmatch(left.name) and left != weights) or UNFINISHED.fullmatch(left.name):
            left.unlink(missing_ok=True)


def read(folder):
    """The value written last, or None if there is no checkpoint.

    Raises ValueError if it is damaged, or if `folder` is a file.
    """
    if Path(folder).is_file():
        raise ValueError(f"{folder} is a file: a checkpoint is a folder, give another name")
    path = Path(folder) / "checkpoint.json"
    if not path.exists():
        return None
    try:
        head = json.loads(path.read_text())
        value = _decode(head["tree"], load_file(path.with_name(head["weights"])))
        if not isinstance(value, dict):  # None would begin anew, and write over it
            raise TypeError(f"its tree is {checks.told(value)}")
        return value
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise ValueError(
            f"the checkpoint in {folder} is damaged ({error}): remove it and train again"
        ) from error


def tensors(value):
    """{path: tensor} of all floating-point tensors in a nested value."""
    leaves = {}
    _encode(value, "", leaves)
    return {name: leaf for name, leaf in leaves.items() if leaf.is_floating_point()}


def _save_tensors(path, leaves):
    plain = {name: leaf.detach().cpu().contiguous().clone() for name, leaf in leaves.items()}
    with artifacts.atomic(path) as temporary:
        temporary.write_bytes(as_bytes(plain))  # a kill would leave save_file's own temporary


def _encode(value, name, leaves):
    """JSON for `value`; its tensors go into `leaves` under their path. The memory layout is kept too: a sum
    taken in another order would end in other bits."""
    if torch.is_tensor(value):
        leaves[name] = value
        nhwc = value.dim() == 4 and not value.is_contiguous()
        return {
            "tensor": name,
            "channels_last": nhwc and value.is_contiguous(memory_format=torch.channels_last),
        }
    if isinstance(value, dict):  # pairs, since an optimizer's keys are numbers
        return {"items": [[key, _encode(item, f"{name}/{key}", leaves)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [_encode(item, f"{name}/{number}", leaves) for number, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"{name} is a {type(value).__name__}: a checkpoint holds tensors, numbers, strings, lists, dicts"
    )


def _decode(tree, leaves):
    if isinstance(tree, list):
        return [_decode(item, leaves) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if "items" in tree:
        return {key: _decode(item, leaves) for key, item in tree["items"]}
    leaf = leaves[tree["tensor"]]
    return leaf.contiguous(memory_format=torch.channels_last) if tree["channels_last"] else leaf


# ---------------------------------------------------------------- trained models to ship
@checks.door(model=checks.having("trained", "config", kind="a model, as DCGAN(...)"), folder=checks.path)
def save(model, folder, card, history=None):
    """Save the network a model works with (its moving average) for others to load: weights in half precision
    (a quarter of a grey level at most), a model card and, if given, the history of the training as a csv.

    card: what a reader must know: data, command, metrics; seed and configuration are added.
    An earlier model in the folder is replaced; raises ValueError where a file is not one that `save` wrote.
    """
    folder = Path(folder)
    for name, given, kinds in (("card", card, dict), ("history", history, pd.DataFrame | None)):
        if not isinstance(given, kinds):
            expected = "a dict" if name == "card" else "a DataFrame, as fit returns, or None"
            raise TypeError(f"{name} is {checks.told(given)}: expected {expected}")
    if folder.is_file():
        raise ValueError(f"folder is {folder}, which is a file: give the name of a folder")
    artifacts.as_json(folder / "card.json", card)  # before good weights are replaced
    weights = folder / "weights.safetensors"
    state = {
        name: leaf.half() if leaf.is_floating_point() else leaf
        for name, leaf in model.trained.state_dict().items()
    }
    if foreign := _foreign(folder, state):
        raise ValueError(
            f"{folder} holds a {foreign} that training.save did not write: give a folder of the model's own"
        )
    _save_tensors(weights, state)
    if history is not None:
        artifacts.write_csv(folder / "history.csv", history.round(5))
    else:  # one that lies there is another model's
        (folder / "history.csv").unlink(missing_ok=True)
    facts = {
        "model": type(model).__name__,
        "config": model.config,
        "steps": model.steps_done,
        "parameters": sum(p.numel() for p in model.trained.parameters()),
        "sha256": sha256_of(weights),
        "made": artifacts.provenance(),
        "warning": "Trained for teaching: not for diagnosis. Images that it makes or changes are synthetic.",
    }
    artifacts.write_json(folder / "card.json", card | facts)


def _foreign(folder, state):
    """The name of a file in `folder` that `save` would replace, and has not written; None if there is none.

    A save that was killed leaves the weights of this very network, `state`, without a card.
    """
    card, weights, history = (folder / name for name in ("card.json", "weights.safetensors", "history.csv"))
    ours = card.is_file() and _is_card(card)
    if card.exists() and not ours:
        return card.name
    if weights.exists() and not ours and _names_in(weights) != set(state):
        return weights.name
    if history.exists() and not history.read_bytes().startswith(b"step,"):
        return history.name
    return None


def _is_card(path):
    try:
        return set(CARD) <= set(json.loads(path.read_text()))
    except (ValueError, TypeError, RecursionError):
        return False


def _names_in(weights):
    try:
        with safe_open(weights, "pt") as file:
            return set(file.keys())
    except (SafetensorError, OSError):
        return set()


@contextmanager
def _at_most(count):
    """Inside the block no more than `count` parameters are made: ValueError before memory is filled."""
    left = count

    def counted(module, name, parameter):
        nonlocal left
        left -= parameter.numel()
        if left < 0:
            raise ValueError(f"it would have more than {count:,} parameters, far more than the weights there")

    handle = register_module_parameter_registration_hook(counted)
    try:
        yield
    finally:
        handle.remove()


def _a_class(name, value):
    if not isinstance(value, type):
        raise TypeError(f"{name} is {value!r}: expected a class, such as dcgan.DCGAN")


@checks.door(kind=_a_class, folder=checks.path)
def load(kind, folder, **arguments):
    """Make a model of class `kind` from what `save` saved in `folder`. arguments: device, precision, ...

    Raises ValueError if the card names another class or the weights are not the ones it describes.
    """
    path = Path(folder) / "card.json"
    if not path.exists():
        raise FileNotFoundError(f"no card.json in {folder}: train the model (TRAIN = True) or check the path")
    try:
        card = json.loads(path.read_text())
        name, expected, config = card["model"], card["sha256"], dict(card["config"])
        commit = card["made"]["commit"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} is not the card of a trained model ({error}): save the model, or fetch it, again"
        ) from error
    weights = path.with_name("weights.safetensors")
    if name != kind.__name__:
        raise ValueError(f"{folder} holds a {name}, not a {kind.__name__}")
    if not weights.is_file() or sha256_of(weights) != expected:
        raise ValueError(f"{weights} is not the file its card describes: fetch both again, or train")
    try:
        with _at_most(TIMES * weights.stat().st_size // 2 + SMALL):  # two bytes each
            model = kind(**config, **arguments)
    except (TypeError, ValueError, RuntimeError, MemoryError) as error:
        given = "".join(f" with {option}={value!r}" for option, value in arguments.items())
        raise ValueError(f"the config in {path}{given} makes no {name}: {error}") from error
    try:
        state = load_file(weights)
    except SafetensorError as error:
        raise ValueError(f"{weights} holds no weights ({error}): fetch it again, or train") from error
    try:
        model.load_trained(state)
    except (RuntimeError, MemoryError) as error:  # torch's list of shapes helps nobody
        raise ValueError(
            f"the weights in {folder} do not fit this version's {kind.__name__} (they were made with commit "
            f"{commit}): remove that folder and train again"
        ) from error
    if not all(leaf.isfinite().all() for leaf in state.values()):
        raise ValueError(f"{weights} holds nan or infinity: the training had diverged, train again")
    return model


@checks.door(kind=_a_class, name=checks.words, image_size=checks.whole())
def shipped(kind, name=None, image_size=None):
    """(model, history, card) of a network that comes with the package (data_scripts/train_networks.py).

    kind: its class; name: its folder (default: the class in small letters); image_size: what it must be made
    for. history: a DataFrame as from `training.fit`. Raises ValueError for another size.
    """
    folder = ASSETS / (name or kind.__name__.lower())
    model, card = load(kind, folder), json.loads((folder / "card.json").read_text())
    made_for = card["config"].get("image_size", card.get("image_size"))  # a classifier reads any size
    if image_size not in (None, made_for):
        raise ValueError(
            f"the {kind.__name__} that the package ships is for {made_for} px, this profile for {image_size} "
            "px: set TRAIN = True, or PROFILE = class"
        )
    model.steps_done = card["steps"]
    return model, pd.read_csv(folder / "history.csv"), card


def sha256_of(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
