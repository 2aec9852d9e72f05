"""Doors, and rules for single values: numbers, names, files, what is under a name, things with attributes."""

import argparse
import csv
import functools
import inspect
import math
import os
import re
import zipfile
from dataclasses import fields
from numbers import Integral, Real


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
            raise TypeError(f"{name} is {told(value)}: expected a whole number, {between(least, most)}")
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}: expected {between(least, most)}")

    return rule


torch_seed = whole(0, 2**64 - 1)  # what torch's generators take; NumPy's take any


def number(least=-math.inf, most=math.inf, above=None):
    """A finite number from `least` to `most`, and larger than `above`."""

    def rule(name, value):
        value, expected = plain(value), between(least, most)
        if above is not None:
            expected = f"more than {above}" + (f" and at most {most}" if most < math.inf else "")
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} is {told(value)}: expected a number, {expected}")
        if not (math.isfinite(value) and least <= value <= most and (above is None or value > above)):
            raise ValueError(f"{name} is {value}: expected {expected}")

    return rule


def between(least, most):
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
            raise TypeError(f"{name} is {told(value)}: expected a list of names")
        for one in value:
            words(name, one)
        if not least <= len(set(value)) == len(value):
            twice = sorted({one for one in value if list(value).count(one) > 1})
            what = f"has {', '.join(twice[:3])} more than once" if twice else f"holds {len(value)}"
            raise ValueError(f"{name} {what}: expected a list of names, at least {least}, each once")

    return rule


def words(name, value):
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{name} is {told(value)}: expected words")


def times(name, value):
    """How many times as wide: a whole number, also as a float, 2.0."""
    number(1, 4096)(name, value)
    if value != int(value):
        raise ValueError(f"{name} is {value}: expected a whole number")


def path(name, value):
    """The name of a file or folder."""
    if not isinstance(value, str | os.PathLike) or not str(value).strip():
        raise TypeError(f"{name} is {told(value)}: expected the name of a file or folder")


def file(name, value):
    """The name of a file that is there."""
    path(name, value)
    if os.path.isdir(value):
        raise FileNotFoundError(f"{name} is {str(value)!r}, a folder: expected the name of a file in it")
    if not os.path.isfile(value):
        raise FileNotFoundError(f"{name} is {str(value)!r}: No such file")


def target(name, value):
    """The name of a file to write: not that of a folder."""
    path(name, value)
    if os.path.isdir(value):
        raise ValueError(f"{name} is {str(value)!r}, a folder: expected the name of a file")


def csv_of(*columns):
    """The name of a csv to write: there is none yet, an empty one, or one with these columns, made before."""

    def rule(name, value):
        target(name, value)
        if not os.path.exists(value):
            return
        try:
            with open(value, newline="", encoding="utf-8") as table:
                found = next(csv.reader(table), [])
        except (OSError, ValueError, csv.Error):
            found = None
        if found not in ([], [*columns]):
            raise ValueError(
                f"{name} is {str(value)!r}, no table of this command: it would be lost; expected a new "
                f"name, or a csv with the columns {', '.join(columns)}"
            )

    return rule


def npz_of(*arrays):
    """The name of an npz file to write: there is none yet, or one that holds these arrays, made before."""

    def rule(name, value):
        target(name, value)
        if not os.path.exists(value):
            return
        found = zipfile.ZipFile(value).namelist() if zipfile.is_zipfile(value) else []
        if {f"{array}.npy" for array in arrays} != set(found):
            raise ValueError(
                f"{name} is {str(value)!r}, not made by this command: it would be lost; expected a new "
                f"name, or an npz file of {', '.join(arrays)}"
            )

    return rule


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
        if isinstance(value, type):
            raise TypeError(f"{name} is the class {value.__name__}: expected {kind}")
        if not all(hasattr(value, attribute) for attribute in attributes):
            raise TypeError(f"{name} is {told(value)}: expected {kind}")

    return rule


def text(name, value):
    """A text, which may be empty."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is {told(value)}: expected words")


def function(name, value):
    """Something to call."""
    if not callable(value):
        raise TypeError(f"{name} is {told(value)}: expected a function")


def each(right, *keys):
    """Under each name something that the rule `right` allows; with names, under these."""

    def rule(name, value):
        holding(*keys)(name, value)
        for key in keys or value:
            right(key, value[key])

    return rule


def every(right):
    """Several, and each of them such that the rule `right` allows it."""

    def rule(name, value):
        listed(name, value)
        for one in () if iter(value) is value else value:  # an iterator can be looked at only once
            right(name, one)

    return rule


def option(kind, right):
    """The type of an option of argparse: a number, int or float, that the rule `right` allows."""

    def read(word):
        value = kind(word)
        try:
            right("it", value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    read.__name__ = kind.__name__  # in argparse's own message
    return read


estimate = having("value", "low", "high", kind="an estimate with value, low and high, as metrics gives it")
data_set = having("splits", "store", kind="a data set, as session.films gives it")
estimates = each(estimate)
generator = having("manual_seed", "get_state", kind="torch.Generator().manual_seed(seed)")
