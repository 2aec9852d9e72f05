"""Doors: a bad argument ends here in one sentence, before anything is computed.

    @door(n=whole(1), part=one_of("train", "valid", "test"))
    def slices(n, size=64, seed=0, part="train"): ...

A rule is a function (name, value) that raises TypeError or ValueError: what came, what was expected. An
argument that is its own default passes, None where that is the default; a `seed` is always checked.
"""

import functools
import inspect
import math
import os
import re
from dataclasses import fields
from numbers import Integral, Real

import numpy as np

SANE = 10  # noise of a billion pixels stays below


def door(**rules):
    """Decorate a function: the arguments that `rules` names are checked before it runs."""

    def wrap(function):
        signature = inspect.signature(function)
        checked = {name: rule for name, rule in ({"seed": whole(0)} | rules).items()
                   if name in signature.parameters}  # fmt: skip
        assert not (strangers := rules.keys() - checked), f"{function.__name__} has no {strangers}"

        @functools.wraps(function)
        def call(*arguments, **options):
            try:
                given = signature.bind(*arguments, **options).arguments
            except TypeError:  # too many or too few: Python itself says so best
                return function(*arguments, **options)
            for name, rule in checked.items():
                if name in given and given[name] is not signature.parameters[name].default:
                    rule(name, given[name], *([given] if hasattr(rule, "beside") else []))
            return function(*arguments, **options)

        return call

    return wrap


def told(value):
    """A value as a message shows it: as Python writes it where that is short, else what it is."""
    said = repr(value)
    return said if len(said) <= 60 and "\n" not in said else f"a {type(value).__name__}"


def plain(value):
    """Python's own number of a NumPy or torch scalar; anything else as it is."""
    return value.item() if getattr(value, "shape", None) == () else value


def whole(least=1, most=math.inf):
    """A whole number from `least` to `most`."""

    def rule(name, value):
        value = plain(value)
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} is {told(value)}: expected a whole number, {_between(least, most)}")
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}: expected {_between(least, most)}")

    return rule


def number(least=-math.inf, most=math.inf, above=None):
    """A finite number from `least` to `most`, and larger than `above`."""

    def rule(name, value):
        value, expected = plain(value), _between(least, most)
        if above is not None:
            expected = f"more than {above}" + (f" and at most {most}" if most < math.inf else "")
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} is {told(value)}: expected a number, {expected}")
        if not (math.isfinite(value) and least <= value <= most and (above is None or value > above)):
            raise ValueError(f"{name} is {value}: expected {expected}")

    return rule


def _between(least, most):
    if least == -math.inf:
        return "finite"
    return f"{least} or more" if most == math.inf else f"{least} to {most}"


def one_of(*known):
    """One of some names."""

    def rule(name, value):
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{name} is {told(value)}: choose one of {', '.join(known)}")

    return rule


def names(*known):
    """A list of names out of these, at least one."""
    each = one_of(*known)

    def rule(name, value):
        if isinstance(value, str) or not hasattr(value, "__len__") or len(value) == 0:
            raise TypeError(f"{name} is {told(value)}: expected a list of names, out of {', '.join(known)}")
        for one in value:
            each(name, one)

    return rule


def distinct(least=1):
    """A list of words, each once, at least so many."""

    def rule(name, value):
        if isinstance(value, str | dict) or not hasattr(value, "__len__"):
            raise TypeError(f"{name} is {value!r}: expected a list of names")
        for one in value:
            words(name, one)
        if not least <= len(set(value)) == len(value):
            raise ValueError(f"{name} is {value!r}: expected a list of names, at least {least}, each once")

    return rule


def words(name, value):
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{name} is {told(value)}: expected words")


def path(name, value):
    """The name of a file or folder."""
    if not isinstance(value, str | os.PathLike) or not str(value).strip():
        raise TypeError(f"{name} is {told(value)}: expected the name of a file or folder")


def file(name, value):
    """The name of a file that is there."""
    path(name, value)
    if not os.path.isfile(value):
        raise FileNotFoundError(f"{name} is {str(value)!r}: No such file")


def target(name, value):
    """The name of a file to write: not that of a folder."""
    path(name, value)
    if os.path.isdir(value):
        raise ValueError(f"{name} is {str(value)!r}, a folder: expected the name of a file")


def switch(name, value):
    """True or False."""
    if not isinstance(plain(value), bool):
        raise TypeError(f"{name} is {told(value)}: expected True or False")


def listed(name, value):
    """Several: a list, a tuple, a range or the like, and not a single word."""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name} is {told(value)}: expected a list, as in {name}=[{told(value)}]")


def pair(name, value):
    """Two numbers, 0 or more: what two networks have of a thing."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{name} is {told(value)}: expected two numbers, as (2e-4, 4e-4)")
    for one in value:
        number(0)(name, one)


def settings(recipe, **rules):
    """Refuse a dataclass of settings one of whose numbers is none, or below 0; rules: of single settings."""
    usual = {float: number(0), int: whole(0), bool: switch}
    for field in fields(recipe):
        if rule := rules.get(field.name, usual.get(field.type)):
            rule(field.name, getattr(recipe, field.name))


def plain_name(name, value):
    """The name of a file or folder without the way to it: nothing that leads elsewhere."""
    words(name, value)
    if not re.fullmatch(r"\w[\w .+-]*", value):
        raise ValueError(f"{name} is {told(value)}: expected a name of letters and digits, without a folder")


def table(*columns, rows=(), least=1):
    """A DataFrame of `least` rows, and with these columns; `rows`: names of rows that it must have."""

    def rule(name, value):
        if not hasattr(value, "columns"):
            raise TypeError(f"{name} is a {type(value).__name__}: expected a DataFrame")
        if missing := [column for column in columns if column not in value.columns]:
            raise ValueError(
                f"{name} has no column {missing[0]!r}: it has {', '.join(map(str, value.columns))}"
            )
        if len(value) < least:
            raise ValueError(f"{name} is empty: expected a DataFrame with rows")
        if missing := [row for row in rows if row not in value.index]:
            raise ValueError(f"{name} has no row {missing[0]!r}: it has {', '.join(map(str, value.index))}")

    return rule


def records(name, value):
    """A DataFrame with columns, or a list of rows as dicts, at least one."""
    dicts = isinstance(value, list) and all(hasattr(row, "keys") for row in value)
    if len(value if dicts else getattr(value, "columns", ())) == 0:
        raise TypeError(f"{name} is {told(value)}: expected a DataFrame with columns, or a list of dicts")


def named(name, value):
    """Something under each name: {name: ...}."""
    if not hasattr(value, "items") or len(value) == 0:
        found = "empty" if hasattr(value, "items") else f"a {type(value).__name__}"
        raise ValueError(f"{name} is {found}: expected {{name: ...}}, at least one")


def holding(*keys):
    """{key: ...} with these keys."""

    def rule(name, value):
        named(name, value)
        if missing := [key for key in keys if key not in value]:
            raise ValueError(f"{name} has no {missing[0]!r}: it has {', '.join(map(str, value.keys()))}")

    return rule


def having(*attributes, kind):
    """An object with these attributes; `kind` says in words what it is and who makes it."""

    def rule(name, value):
        if not all(hasattr(value, attribute) for attribute in attributes):
            raise TypeError(f"{name} is {told(value)}: expected {kind}")

    return rule


def shaped(*axes, kind="an array or a tensor", only="shape"):
    """An array or a tensor with these axes, only the first of which may be empty; "3": an axis so long. only:
    an attribute that it must have, as "is_floating_point" of torch's tensors."""
    wanted = [int(axis) if axis.isdigit() else None for axis in axes]

    def rule(name, value):
        found = tuple(value.shape) if hasattr(value, only) else type(value).__name__
        wrong = isinstance(found, str) or len(found) != len(axes) or 0 in found[1:]
        if wrong or any(w not in (None, side) for w, side in zip(wanted, found, strict=True)):
            raise ValueError(f"{name} is {found}: expected {kind} ({', '.join(axes)})")

    return rule


def like(other):
    """An array or a tensor of the shape of `other`."""

    def rule(name, value):
        if (found := getattr(value, "shape", type(value).__name__)) != other.shape:
            found = found if isinstance(found, str) else tuple(found)
            raise ValueError(f"{name} is {found}: expected {tuple(other.shape)}, as what it is compared with")

    return rule


def tensor(*axes):
    """A torch tensor of floats with these axes; without any, of whatever shape."""
    right = shaped(*axes, kind="a tensor")

    def rule(name, value):
        if axes:
            right(name, value)
        if not hasattr(value, "is_floating_point"):
            shape = f" ({', '.join(axes)})" if axes else " of floats"
            raise TypeError(f"{name} is a {type(value).__name__}: expected a tensor{shape}")
        floats(name, value)

    return rule


def alike(parameter):
    """A tensor of floats of the shape of another argument, `parameter`."""

    def rule(name, value, given):
        tensor()(name, value)
        if (shape := getattr(given[parameter], "shape", None)) != value.shape:
            expected = shape if shape is None else tuple(shape)
            raise ValueError(f"{name} is {tuple(value.shape)}: expected {expected}, as {parameter}")

    rule.beside = parameter
    return rule


def planes(name, value):
    """A tensor whose last two axes are a plane."""
    found = tuple(value.shape) if hasattr(value, "is_floating_point") else f"a {type(value).__name__}"
    if isinstance(found, str) or len(found) < 2 or 0 in found:
        raise TypeError(f"{name} is {found}: expected a tensor (..., H, W)")


def kspace(name, value):
    """What an MR machine measures: complex numbers (B, 1, H, W)."""
    found = str(getattr(value, "dtype", type(value).__name__))
    if not hasattr(value, "is_complex") or "complex" not in found:
        raise TypeError(f"{name} is {found}, not complex: expected what degradation.measure returns")
    shaped("B", "1", "H", "W", kind="a tensor")(name, value)


def height_width(name, value):
    """Two sides in pixels."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise TypeError(f"{name} is {told(value)}: expected (H, W), as images.shape[-2:]")
    for side in value:
        whole(1, 4096)(f"a side of {name}", side)


def in_range(images, name="images"):
    """Refuse films on another scale than [-1, 1]; generators and noise may overshoot, up to SANE.

    Looks at tensors on the CPU only: elsewhere it would wait for the GPU.
    """
    if images.device.type == "cpu" and images.numel() and not (reach := images.abs().max()) <= SANE:
        raise ValueError(
            f"{name} reach {reach:.4g}: expected films in [-1, 1], as images.signed_batch makes them"
        )


def films(least=1):
    """Films as they lie in a store: (N, H, W) of uint8, at least so many pixels a side."""

    def rule(name, value):
        shaped("N", "H", "W")(name, value)
        if str(value.dtype).split(".")[-1] != "uint8":
            raise TypeError(f"{name} are {value.dtype}: expected uint8, 0 to 255")
        if min(value.shape[1:]) < least:
            raise ValueError(f"{name} are {tuple(value.shape[1:])} pixels: expected at least {least} a side")

    return rule


def rows(name, value):
    """Numbers of rows, in a torch tensor, at least one."""
    if not str(getattr(value, "dtype", "")) == "torch.int64" or value.dim() != 1 or not len(value):
        raise TypeError(f"{name} is {told(value)}: expected a tensor of row numbers, at least one")


def floats(name, value):
    """An array or a tensor of floats: bytes would be taken for numbers far outside of their range."""
    if "float" not in (found := str(getattr(value, "dtype", type(value).__name__))):
        raise TypeError(f"{name} is {found}: expected floats")


def numbers(least=-math.inf, most=math.inf):
    """Numbers, one or many, none outside of `least` to `most`; nan passes."""

    def rule(name, value):
        try:
            found = np.asarray(value)
            text, found = found.dtype.kind in "US", found.astype(float, copy=False)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TypeError(f"{name} is {told(value)}: expected numbers") from error
        if value is None or isinstance(value, bool) or text:  # numpy would read the text "2" as a number
            raise TypeError(f"{name} is {told(value)}: expected numbers")
        if ((found < least) | (found > most)).any():
            raise ValueError(f"{name} is {told(value)}: expected {_between(least, most)}")

    return rule


def estimates(name, value):
    """An estimate under each name."""
    named(name, value)
    for key, one in value.items():
        estimate(key, one)


images = tensor("B", "C", "H", "W")
estimate = having("value", "low", "high", kind="an estimate with value, low and high, as metrics gives it")
data_set = having("splits", "store", kind="a data set, as session.films gives it")
generator = having("manual_seed", "get_state", kind="torch.Generator().manual_seed(seed)")
