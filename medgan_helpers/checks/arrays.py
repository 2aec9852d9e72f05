"""Rules for arrays, tensors and tables: axes, kinds of numbers, ranges."""

import math

import numpy as np

from .values import between, number, told, whole

SANE = 10  # noise of a billion pixels stays below


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


def within(parameter):
    """A number of pixels, from 0 to the shorter side of the images that another argument holds."""

    def rule(name, value, given):
        number(0, min(given[parameter].shape[-2:]))(name, value)

    rule.beside = parameter
    return rule


def beside(parameter, right=None):
    """What the rule `right` allows, taken with another argument by place: where both are of pandas, their
    rows and columns must have the same names in one order."""

    def rule(name, value, given):
        if right:
            right(name, value)
        other = given[parameter]
        for axis, one, order in (("index", "row", ".loc"), ("columns", "column", "")):
            mine, theirs = getattr(value, axis, None), getattr(other, axis, None)
            if not hasattr(mine, "equals") or not hasattr(theirs, "equals") or mine.equals(theirs):
                continue
            differ = [pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]]
            a, b = differ[0] if differ else (f"{len(mine)} of them", len(theirs))
            raise ValueError(
                f"{name} and {parameter} differ in a {one}, {told(a)} and {told(b)}: expected the same in "
                f"both and in one order, as {name}{order}[{parameter}.{axis}]"
            )

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


def one_channel(name, value):
    """A tensor of grey films (N, 1, H, W)."""
    images(name, value)
    if value.shape[1] != 1:
        raise ValueError(f"{name} are {tuple(value.shape)}: expected (N, 1, H, W), of one channel")


def in_range(images, name="images"):
    """Refuse films on another scale than [-1, 1]; generators and noise may overshoot, up to SANE.

    Looks at tensors on the CPU only: elsewhere it would wait for the GPU.
    """
    if images.device.type == "cpu" and images.numel() and not (reach := images.abs().max()) <= SANE:
        if reach.isnan():
            raise ValueError(f"{name} hold nan: find where a number was divided by nothing, or is not known")
        raise ValueError(
            f"{name} reach {reach:.4g}: expected films in [-1, 1], as images.signed_batch makes them"
        )


def masks(name, value):
    """Masks (N, H, W): True, or 1, where something shows, elsewhere False, or 0."""
    shaped("N", "H", "W")(name, value)
    found = np.asarray(value)
    if found.dtype.kind not in "biuf":
        raise TypeError(f"{name} is {told(value)}: expected True and False")
    odd = found[(found != 0) & (found != 1)]
    if odd.size:
        raise ValueError(
            f"{name} hold {odd.flat[0]:g}: expected True and False, or 1 and 0; of a picture in 0 to 255 "
            f"take {name} > 127"
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


def device(name, value):
    """A device of torch that this machine has: "cpu", "cuda", "cuda:0", ..."""
    import torch  # the rules for numbers do without it

    try:
        found = torch.device(value)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f'{name} is {told(value)}: choose "cpu" or "cuda"') from error
    try:
        torch.Generator(found)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        raise ValueError(f'{name} is "{found}", and this machine has none: choose "cpu"') from error


def rows(name, value):
    """Numbers of rows, in a torch tensor, at least one."""
    if not str(getattr(value, "dtype", "")) == "torch.int64" or value.dim() != 1 or not len(value):
        raise TypeError(f"{name} is {told(value)}: expected a tensor of row numbers, at least one")


def floats(name, value):
    """An array or a tensor of floats: bytes would be taken for numbers far outside of their range."""
    if "float" not in (found := str(getattr(value, "dtype", type(value).__name__))):
        raise TypeError(f"{name} is {found}: expected floats")


def numbers(least=-math.inf, most=math.inf, known=False):
    """Numbers, one or many, none outside of `least` to `most`; nan passes, unless all must be known."""

    def rule(name, value):
        try:
            found = np.asarray(value)
            loose = found.dtype.kind == "O"  # as in a table that was read as text
            said = found.dtype.kind in "US" or (loose and any(isinstance(one, str) for one in found.flat))
            found = found.astype(float, copy=False)
        except (TypeError, ValueError, RuntimeError) as error:
            expected = f"numbers, as {name}.detach().cpu()" if hasattr(value, "detach") else "numbers"
            raise TypeError(f"{name} is {told(value)}: expected {expected}") from error
        if value is None or isinstance(value, bool) or said:  # numpy would read the text "2" as a number
            raise TypeError(f"{name} is {told(value)}: expected numbers")
        if ((found < least) | (found > most)).any():
            raise ValueError(f"{name} is {told(value)}: expected {between(least, most)}")
        if known and (blank := int(np.isnan(found).sum())):
            raise ValueError(f"{blank} of {found.size} {name} are nan: leave out what is not known")

    return rule


def bounds(name, value):
    """Three numbers, a value and the ends of its interval."""
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 3:
        raise TypeError(f"{name} is {told(value)}: expected (value, low, high)")
    numbers()(name, value)


def table(*columns, rows=(), least=1, numeric=False):
    """A DataFrame of `least` rows, and with these columns; `rows`: names of rows that it must have.

    numeric: these columns hold numbers.
    """

    def rule(name, value):
        if not hasattr(value, "columns"):
            raise TypeError(f"{name} is a {type(value).__name__}: expected a DataFrame")
        if missing := [column for column in columns if column not in value.columns]:
            raise ValueError(
                f"{name} has no column {missing[0]!r}: it has {', '.join(map(str, value.columns))}"
            )
        for part, axis, wanted in (("columns", value.columns, columns), ("rows", value.index, rows)):
            if twice := [one for one in wanted if not axis.is_unique and list(axis).count(one) > 1]:
                raise ValueError(f"{name} has two {part} {twice[0]!r}: expected each once")
        if len(value) < least:
            raise ValueError(f"{name} is empty: expected a DataFrame with rows")
        if missing := [row for row in rows if row not in value.index]:
            raise ValueError(f"{name} has no row {missing[0]!r}: it has {', '.join(map(str, value.index))}")
        for column in columns if numeric else ():
            numbers()(f"{name}, column {column!r},", value[column])

    return rule


def records(name, value):
    """A DataFrame with columns, or a list of rows as dicts, at least one."""
    dicts = isinstance(value, list) and all(hasattr(row, "keys") for row in value)
    if len(value if dicts else getattr(value, "columns", ())) == 0:
        raise TypeError(f"{name} is {told(value)}: expected a DataFrame with columns, or a list of dicts")


images = tensor("B", "C", "H", "W")
