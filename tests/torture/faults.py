"""The suite proves itself: ten faults, each planted into a copy of the tree, each turns named tests red.

They are the faults that make published work wrong and that no crash betrays. A fault whose text is no longer
in the file, or whose tests are red without it, proves nothing and is a failure of its own.
"""

import os
import shutil
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from . import ROOT, Count
from .processes import Process

SLOW = ("torch", "torchvision", "torchmetrics", "sklearn", "scipy.stats", "matplotlib.pyplot")  # to import
NOT_COPIED = shutil.ignore_patterns("build", ".venv*", ".git", "__pycache__", ".*_cache", "results-*")


class Fault(NamedTuple):
    """`old` becomes `new` in `file`, and `test` must notice."""

    name: str
    file: str
    old: str
    new: str
    test: str


FAULTS = [
    Fault(
        "two findings' names swapped", "medgan_helpers/chexpert.py",
        '    "Lung Lesion",\n    "Edema",\n', '    "Edema",\n    "Lung Lesion",\n',
        "test_chexpert.py::test_findings_stand_in_the_order_of_chexperts_own_columns",
    ),
    Fault(
        "a patient in train and in test", "medgan_helpers/chexpert.py",
        '"test": rows.index[:test]}', '"test": rows.index[: test + 1]}',
        "test_chexpert.py::test_small_frames_split_without_loss",
    ),
    Fault(
        "a missing detach", "medgan_helpers/dcgan.py",
        "self.judge(fake.detach())", "self.judge(fake)",
        "test_dcgan.py::test_the_generator_stands_still_while_the_discriminator_learns",
    ),
    Fault(
        "no moving average", "medgan_helpers/training/model.py",
        "            self.ema.update(self.generator)", "            pass",
        "test_resume.py::test_the_average_follows_every_generator",
    ),
    Fault(
        "wrong range of the films", "medgan_helpers/images.py",
        "float() / 127.5 - 1", "float() / 255",
        "test_images.py::test_films_of_a_store_become_batches_and_come_back",
    ),
    Fault(
        "activation maps shifted by a cell", "medgan_helpers/cam.py",
        "(size, size), mode=\"bilinear\", align_corners=False)[:, 0]",
        "(size, size), mode=\"bilinear\", align_corners=False)[:, 0].roll(1, 1)",
        "test_cam.py::test_upsampling_does_not_shift",
    ),
    Fault(
        "test films in training", "medgan_helpers/experiments/films.py",
        '"train": chexpert.regimen(split["train"], percent, seed=seed)',
        '"train": chexpert.regimen(pd.concat([split["train"], split["valid"]]), percent, seed=seed)',
        "test_experiments.py::test_patients_never_cross_and_regimens_are_nested",
    ),
    Fault(
        "an interval of 90 % called 95 %", "medgan_helpers/metrics/intervals.py",
        "QUANTILES = (0.025, 0.975)", "QUANTILES = (0.05, 0.95)",
        "test_metrics.py::test_an_interval_leaves_out_what_is_not_defined",
    ),
    Fault(
        "figures without alt text", "medgan_helpers/figures/basics.py",
        'metadata={"image/png": told}', "metadata={}",
        "test_figures.py::test_every_figure_is_one_png_with_its_alt_text",
    ),
    Fault(
        "a live figure that differs from torch", "book/_assets/live/layers.js",
        "(v > 0 ? v : slope * v)", "(v > 0 ? v : 0.2 * v)",
        "test_live_figures.py::test_every_operation_computes_what_torch_computes",
    ),
]  # fmt: skip


def counts(short, folder):
    """Plant the faults one after the other; short: the first three that need no browser and no pool."""
    for name in SLOW:
        import_module(name)
    copy = folder / "tree"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    chosen = FAULTS[:3] if short else FAULTS
    red = run(copy, [fault.test for fault in chosen])
    yield Count("their tests, without a fault", len(chosen), [f"red without a fault:\n{red}"] if red else [])
    for fault in chosen:
        yield Count(fault.name, 1, plant(copy, fault), fault.test.split("::")[1])


def plant(copy, fault):
    """The sentences that say why the fault went unnoticed: none, if its test turned red."""
    file = copy / fault.file
    text = file.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        return [f"{fault.file} no longer holds {fault.old!r} once: the fault was not planted"]
    try:
        file.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
        return [] if run(copy, [fault.test]) else [f"{fault.name}: {fault.test} stayed green"]
    finally:
        file.write_text(text, encoding="utf-8")


def run(copy, tests):
    """What pytest printed if a test failed; "" if all passed. Raises RuntimeError if it ran no test."""
    process = Process(partial(test, copy, [f"tests/{name}" for name in tests]))
    status = process.wait()
    if status not in (0, 1):
        raise RuntimeError(f"pytest could not run {tests}:\n{process.words()}")
    return process.words() if status else ""


def test(copy, names):
    """Run tests of the copy in this forked process, which has loaded everything but the course."""
    for name, module in list(sys.modules.items()):
        if is_ours(getattr(module, "__file__", None)):
            del sys.modules[name]
    sys.path[:] = [str(copy), *(path for path in sys.path if not is_ours(path or "."))]
    os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    os.chdir(copy)
    return int(pytest.main(["-x", "-p", "no:cacheprovider", *names]))


def is_ours(path):
    """Whether a file belongs to this checkout, and not to its environment."""
    place = Path(path or sys.prefix).absolute()
    return place.is_relative_to(ROOT) and not place.is_relative_to(sys.prefix)
