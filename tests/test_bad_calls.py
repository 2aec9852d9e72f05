"""Bad calls: each ends at the door with one sentence that says what came or what was expected.

A row of the table is (function, its arguments, words of the message): a tuple of arguments in their order, or
a dict of them by name. ValueError, TypeError and FileNotFoundError are messages for people; anything else,
torch's own errors among them, is a hole in the door.
"""

import functools
import json
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from medgan_helpers import (
    artifacts,
    augmentation,
    cam,
    chest_measures,
    chexpert,
    classifier,
    dcgan,
    degradation,
    diffaugment,
    display,
    experiments,
    figures,
    flow,
    images,
    lesion_gan,
    local_contrast,
    metrics,
    paper_faults,
    paragraphs,
    pix2pix,
    profiles,
    reader_study,
    real_films,
    real_trial,
    repair_trial,
    restoration,
    restorers,
    session,
    shortcut,
    simulator,
    slabs,
    stargan,
    stargan_robust,
    stargan_trial,
    tomography,
    training,
)
from medgan_helpers.exercises import check
from medgan_helpers.experiments import (
    arms,
    conclusion,
    own,
    real_cells,
    real_results,
    sentences,
    trial,
    verdicts,
)
from medgan_helpers.experiments import films as films_of
from medgan_helpers.simulator import projection, rows, thorax

NAN = float("nan")
CPU = {"device": "cpu", "precision": "fp32"}
SMALL = CPU | {"image_size": 32, "width": 4}
FILMS = torch.zeros(4, 1, 32, 32)
GREY = np.zeros((4, 32, 32), np.uint8)
RGB = torch.zeros(4, 3, 32, 32)
BYTES = FILMS.to(torch.uint8)
KSPACE = FILMS.to(torch.complex64)
LABELS = np.array([0, 1, 0, 1])
SCORES = np.array([0.1, 0.9, 0.2, 0.4])
PEOPLE = np.arange(4)
FRAME = pd.DataFrame({"path": list("abcd"), "patient": list("abcd"), **dict.fromkeys(chexpert.FINDINGS, 0.0)})

PAIRS = reader_study.make({"a": (GREY, GREY + 1)}, 2)
BOXES = FRAME[["path"]].assign(x=0.0, y=0.0, width=0.5, height=0.5)
TWO = ["Edema", "Fracture"]
TABLE = pd.DataFrame({"Edema": [0, 1, 0, 1], "Fracture": [1, 0, 0, 1]})
GUESSES = TABLE + 0.1
SICK = simulator.sample(3, 24, 0, twins=False, masks=False)[3]
LEFT = ["left"] * 2  # answers to PAIRS
MIDDLES = torch.full((4, 2), 16)


@functools.cache
def model(kind):
    """One small model of each kind; it is never trained here."""
    options = {stargan.StarGAN: {"domains": 2, "blocks": 1}, flow.Flow: {"width": 8}}.get(kind, {})
    if kind is classifier.DenseNet:
        return kind(preset="narrow", **CPU)
    if kind is lesion_gan.LesionGAN:
        return kind(["Edema"], **CPU)
    if kind is stargan_robust.RobustStarGAN:
        return kind(domains=2, width=4, **CPU)
    return kind(**SMALL | options)


def method(kind, name):
    """A method of a small model, made when it is called; carries the name it is listed under."""

    @functools.wraps(getattr(kind, name))
    def call(*arguments, **options):
        return getattr(model(kind), name)(*arguments, **options)

    return call


class NoModel:
    """Something that cannot be trained."""


class Seekable:
    """Batches that are never drawn."""

    seek = None


class Restorer:
    """Something that looks like a restorer."""

    restore = trained = None


NAMED = restorers.Bench.__new__(restorers.Bench)  # a bench of nothing
NAMED.modality, NAMED.clean = "xray", {}
MR = restorers.Bench.__new__(restorers.Bench)
MR.modality, MR.clean = "mr", {}
SQUARES = torch.zeros(4, 1, 64, 64)
STRANGERS = stargan_trial.Case(FILMS, FILMS, PEOPLE, PEOPLE, False)
TWINS = stargan_trial.Case(FILMS, FILMS, PEOPLE, PEOPLE, True)
POSITIVES = films_of.Films(GREY, FRAME[list(chexpert.FINDINGS)] + 1)
CELL = experiments.Cell.complete({})
NOISE = torch.rand(40, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
LARGE = torch.zeros(1, 1, 512, 512)
BENCH = paper_faults.Bench(PEOPLE, PEOPLE + 4, PEOPLE + 8, PEOPLE + 12)
DATA = paper_faults.Data(None, np.zeros((16, 2)), np.arange(16) % 2, np.arange(16) // 4)
TWICE = pd.DataFrame({"value": [0.7, 0.9], "low": 0.6, "high": 1.0}, index=["none", "none"])
CONFIRMED = dict.fromkeys(stargan_trial.WITNESSES, (0.9, 0.8, 1.0))
SEEN = types.SimpleNamespace(frame=FRAME, store=GREY)
LOOKED = pd.DataFrame({"kind": ["made", "healthy", "true"], "finding": ["Edema", "none", "Edema"],
                       "answer": "Edema", "film": [1, 2, 3], "reader": "Ada"})  # fmt: skip
CURVE = pd.DataFrame({"step": [1, 2], "d_real": 0.5, "d_fake": 0.5, "diversity": 0.5})
SPLITS = pd.DataFrame({"split by film": [0.8], "split by patient": [0.7]})
RUNS = pd.DataFrame(columns=["percent", "arm", "seed", "resamples", *verdicts.COLUMNS])
DRAWN = pd.DataFrame({"error": [1.0], "sharpness": [1.0], "in place": [0.3]}, index=["L1 alone"])
KIDS = pd.DataFrame([[1.0, 0.5, 2.0]], [("imagenet", "unet")], ["KID x 1000", "low", "high"])
gan, unet = method(dcgan.DCGAN, "step"), method(pix2pix.Pix2Pix, "step")
star, reader = method(stargan.StarGAN, "step"), method(classifier.DenseNet, "step")

BAD_CALLS = {
    "profiles and artifacts": [
        (profiles.get, ("huge",), "smoke, class, full"),
        (profiles.get, (3,), "unknown profile 3"),
        (profiles.get, ("Smoke",), "smoke"),
        (artifacts.activate, ("gigantic",), "unknown profile"),
        (artifacts.record, ("", 1.0), "name=''"),
        (artifacts.record, (None, 1.0), "name=None"),
        (artifacts.record, ("auc", "good"), "'good'"),
        (artifacts.record, ("auc", None), "expected a number"),
        (artifacts.record, ("auc", (0.7, 0.6)), "got 2 numbers"),
        (artifacts.record, ("auc", {}), "estimates is empty"),
        (artifacts.record, ("auc", {"a": "b"}), "'b'"),
        (artifacts.record, ("auc", pd.DataFrame({"value": [1]})), "no column 'low'"),
        (artifacts.record, ("auc", 0.7, "low"), "'low'"),
        (artifacts.estimate_table, ({},), "estimates is empty"),
        (artifacts.estimate_table, (None,), "estimates is a NoneType"),
        (artifacts.folder, (None,), "kind is None"),
        (artifacts.scores, (5,), "prefix is 5"),
        (artifacts.committed, (None,), "name is None"),
        (artifacts.write_csv, ("", []), "path is ''"),
        (artifacts.write_json, (3, {}), "path is 3"),
        (artifacts.estimate_table, ({"a": (1, 2, 3, 4)},), "got 4 numbers"),
        (profiles.get, (FRAME,), "unknown profile a DataFrame"),
        (profiles.get, (["smoke"],), "unknown profile .*: choose one of"),
        (artifacts.activate, ("smoke", "simulated", 3), "notebook is 3: expected words"),
        (artifacts.atomic, (None,), "path is None: expected the name of a file"),
        (artifacts.atomic, ("/",), "path is '/', a folder: expected the name of a file"),
        (artifacts.write_json, ("/", {}), "path is '/', a folder"),
        (artifacts.write_csv, ("/", FRAME), "path is '/', a folder"),
        (artifacts.lock, (3,), "path is 3: expected the name of a file"),
        (artifacts.record, ("auc", "0.7"), "got '0.7'|got .*'0.7'"),
        (artifacts.record, ("auc", {"a": 0.7}, 0.6), "low and high are those of a number"),
        (artifacts.record, {"name": "auc", "value": 0.7, "n": {"a": 3}}, "n is .*: expected a number"),
        (artifacts.record, {"name": "auc", "value": {"a": 0.7, "b": 1}, "n": {"a": 3, "B": 3}}, "n has 'B'"),
        (artifacts.read_csv, ("nowhere.csv",), "path is 'nowhere.csv': No such file"),
        (artifacts.record, {"name": "auc", "value": {"a": 0.7}, "n": {"b": 3}}, "n has .*expected names of"),
        (
            artifacts.estimate_table,
            (pd.DataFrame({"value": ["a"], "low": 1, "high": 1}),),
            "expected numbers",
        ),
    ],
    "session": [
        (session.start, ("03-dcgan", "tiny"), "unknown profile 'tiny'"),
        (session.start, ("03-dcgan", "smoke", "mimic"), "unknown data set 'mimic'"),
        (session.start, ("03-dcgan", "smoke", "chexpert"), "needs DATA_ROOT"),
        (session.start, ("03-dcgan", "smoke", "", "", "a"), "seed is 'a'"),
        (session.start, ("03-dcgan", "smoke", "", "", -1), "seed is -1"),
        (
            session.start,
            ("03-dcgan", "smoke", "", "/my/films"),
            "DATA_ROOT is '/my/films', but DATASET is sim",
        ),
        (session.start, ("03-dcgan", "smoke", "folder", __file__), "a file: expected the folder that holds"),
        (session.films, (0,), "count is 0"),
        (session.films, ("all",), "count is 'all'"),
        (session.start, ("03-dcgan", "smoke", 5), "5"),
        (session.start, ("03-dcgan", "smoke", FRAME), "dataset is a DataFrame: expected one of"),
        (session.machine, ("cpu",), "device is 'cpu': expected a torch.device"),
    ],
    "label tables": [
        (chexpert.read, ("nowhere.csv",), "no label table at nowhere.csv"),
        (chexpert.read, (None,), "None"),
        (chexpert.read, ("x.csv", None, "side"), "'frontal', 'lateral', 'all'"),
        (chexpert.label_table, ("side",), "'frontal', 'lateral', 'all'"),
        (chexpert.labels, (FRAME, "one"), "'ones', 'zeros', 'ignore'"),
        (chexpert.labels, (FRAME, "ones", "none"), "blank='none'"),
        (chexpert.labels, (FRAME[["path"]],), "No Finding"),
        (chexpert.labels, ([1, 2],), "list"),
        (chexpert.labels, (None,), "NoneType"),
        (chexpert.labels, (FRAME, "ones", "zeros", ["Flu"]), "Flu"),
        (chexpert.split, (FRAME, (0.9, 0.1)), "three"),
        (chexpert.split, (FRAME, (0.9, 0.2, 0.1)), "sum to 1"),
        (chexpert.split, (FRAME, (1.2, -0.1, -0.1)), "sum to 1"),
        (chexpert.split, (FRAME, None), "None"),
        (chexpert.split, (FRAME[:2],), "2 patients are too few"),
        (chexpert.split, (FRAME[["path"]],), "patient"),
        (chexpert.split, (None,), "NoneType"),
        (chexpert.regimen, (FRAME, 0), "percent is 0"),
        (chexpert.regimen, (FRAME, 101), "percent is 101"),
        (chexpert.regimen, (FRAME, NAN), "percent is nan"),
        (chexpert.regimen, (FRAME, "ten"), "percent is 'ten'"),
        (chexpert.regimen, ([1], 10), "list"),
        (chexpert.unlabelled, ({},), "dict"),
        (chexpert.box_masks, (pd.DataFrame({"path": []}), [], 0), "size is 0"),
        (chexpert.box_masks, (FRAME, ["a"], 8), "x"),
        (chexpert.box_masks, (BOXES.assign(x="a"), ["a"], 8), "boxes is .*: expected numbers"),
        (chexpert.box_masks, (BOXES.assign(x=NAN), ["a"], 8), "boxes are blank or reach far out"),
        (chexpert.box_masks, (BOXES, 3, 8), "paths is a int: expected a list"),
        (chexpert.read, {"csv": "nowhere.csv", "skip_bad": "no"}, "skip_bad is 'no': expected True or"),
        (chexpert.split, (FRAME, FRAME), "fractions is a DataFrame: expected three numbers"),
    ],
    "films": [
        (images.ImageStore, (FRAME[:0], ".", 64), "no rows"),
        (images.ImageStore, (FRAME.assign(path="a\0.png"), ".", 64), "holds a byte 0: expected the path"),
        (images.ImageStore, (FRAME, ".", 4), "size=4"),
        (images.ImageStore, (FRAME, ".", 64.5), "size=64.5"),
        (images.ImageStore, (FRAME, ".", "64"), "size='64'"),
        (images.ImageStore, (FRAME, ".", None), "size=None"),
        (images.ImageStore, ([1], ".", 64), "list"),
        (images.ImageStore, (FRAME[["patient"]], ".", 64), "path"),
        (images.decode, ("nowhere.png", 64), "nowhere.png"),
        (images.read_film, ("nowhere.png",), "nowhere.png"),
        (images.signed_batch, (FILMS,), "torch.float32"),
        (images.signed_batch, (np.zeros((2, 8, 8)),), "float64"),
        (images.signed_batch, (np.zeros(8, np.uint8),), r"\(8,\)"),
        (images.signed_batch, (np.zeros((2, 3, 8, 8), np.uint8),), r"\(2, 3, 8, 8\)"),
        (images.signed_batch, (None,), "None"),
        (images.signed_batch, ("film",), "film"),
        (images.unit_batch, (FILMS,), "torch.float32"),
        (images.unit_batch, (torch.zeros(2, 8, 8, dtype=torch.int64),), "int64"),
        (images.grey_films, (RGB,), r"\(4, 3, 32, 32\)"),
        (images.grey_films, (FILMS[0],), r"\(1, 32, 32\)"),
        (images.grey_films, (GREY,), "expected films"),
        (images.signed_to_unit, (BYTES,), "uint8"),
        (images.signed_to_unit, (None,), "NoneType"),
        (images.unit_to_signed, (GREY,), "uint8"),
        (images.signed_to_uint8, ("film",), "images is str"),
        (images.signed_to_uint8, (GREY + 200.0,), "images reach 200"),
        (images.ImageStore, (FRAME, ".", float("inf")), "size=inf"),
        (images.ImageStore, (FRAME.assign(path=3), ".", 64), "a path of frame is 3: expected words"),
        (images.ImageStore, (FRAME.assign(path=None), ".", 64), "a path of frame is None"),
        (images.read_film, (None,), "path is None: expected the name of a file"),
        (images.read_film, ("/",), "path is '/', a folder: expected the name of a file in it"),
        (images.read_film, (__file__,), "cannot identify image file .*: expected a film"),
        (images.read_film, (__file__, "32"), "at_least is '32': expected a whole number"),
        (images.check_pixels, ("a", 3), "width is 'a': expected a whole number"),
    ],
    "simulator": [
        (simulator.sample, (0,), "0 films"),
        (simulator.sample, (-3,), "-3 films"),
        (simulator.sample, (2.5,), "2.5 films"),
        (simulator.sample, ("many",), "'many' films"),
        (simulator.sample, (2, 8), "8"),
        (simulator.sample, (2, 100_000), "100000"),
        (simulator.sample, (2, 64, 0, None, "side"), "views is 'side'"),
        (simulator.sample, (None, 64, 0, pd.DataFrame({"Flu": [1]})), "Flu"),
        (simulator.sample, (None, 64, 0, pd.DataFrame({"Edema": [7]})), "1, 0, -1 or blank"),
        (simulator.sample, (2, "64"), "'64'"),
        (simulator.sample, (2, 64, -1), "seed is -1"),
        (simulator.sample, (2, 64, "x"), "seed is 'x'"),
        (simulator.sample, (True,), "True films"),
        (simulator.sample, (10**9,), "at most"),
        (simulator.sample, (None, 64, 0, [1]), "labels is a list"),
        (simulator.sample, (None, 64, 0, pd.DataFrame({"Edema": []})), "labels is empty"),
        (simulator.sample, (None, 64, 0, pd.DataFrame({"Edema": ["yes"]})), "1, 0, -1 or blank"),
        (simulator.sample, (None, 64, 0, pd.DataFrame({"Edema": [1], "age": ["old"]})), "number of years"),
        (simulator.ct_slices, (0,), "n is 0"),
        (simulator.ct_slices, (2, 9), "size=9"),
        (simulator.ct_slices, (2, 64, -1), "seed is -1"),
        (simulator.ct_slices, {"n": 2, "slices_per_patient": 0}, "slices_per_patient is 0"),
        (simulator.organ_map, (None,), "table is a NoneType"),
        (simulator.organ_map, (FRAME,), "no truth"),
        (simulator.organ_map, (SICK.drop(columns="path"),), "table has no column 'path'"),
        (simulator.organ_map, (SICK.assign(path="a.jpg"),), "'a.jpg' is not among the films that `sample`"),
        (simulator.draw_rows, (4, "x"), "seed is 'x'"),
        (simulator.plan, (9, 0, 2.0), "rare is 2.0"),
        (simulator.plan, (9, 0, {"Flu": 1}), "rare is 'Flu'"),
        (simulator.plan, (9, 0, {"Fracture": 1.5}), "Fracture is 1.5"),
        (simulator.one_each, ("Edema",), "a list of names"),
        (simulator.one_each, ([],), "a list of names"),
        (simulator.one_each, (["Flu"],), "findings is 'Flu'"),
        (simulator.one_each, (["Edema"], 0), "each is 0"),
        (simulator.one_each, (["Edema"], 1, "side"), "AP, PA, Lateral"),
        (slabs.ct, (1, 8), "size is 8"),
        (slabs.mr, ("two",), "n is 'two'"),
        (simulator.write, (None,), "root is None"),
        (simulator.write, {"root": "out", "workers": 0}, "workers is 0"),
        (simulator.write, ("out", 0), "0 films"),
        (simulator.write, ("out", 10, 4), "4"),
        (simulator.write, {"root": "out", "images": 10, "prevalence": "half"}, "prevalence is 'half'"),
        (simulator.write, {"root": "out", "images": 10, "rare_boost": 0}, "rare_boost is 0"),
        (simulator.write, {"root": "out", "images": 10, "views": "back"}, "views is 'back'"),
        (simulator.write, {"root": "out", "images": 10, "twins": "no"}, "twins is 'no': expected True or"),
        (simulator.sample, {"n": 2, "masks": "no"}, "masks is 'no': expected True or False"),
        (simulator.sample, (3, 64, 0, pd.DataFrame({"Edema": [1]})), "n is 3: expected 1"),
        (simulator.sample, (None, 64, 0, pd.DataFrame({"age": [-5]})), "age must be .* 0 to 130"),
        (simulator.sample, (None, 64, 0, pd.DataFrame({"patient": [None]})), "patient is blank in a row"),
        (rows.from_labels, ([1],), "labels is a list: expected a DataFrame"),
        (rows.draw_truth, (FRAME[["path"]],), "rows has no column 'patient'"),
        (thorax.load, (0,), "size is 0: expected 1"),
        (thorax.load, (24, "up"), "along is 'up': choose one of x, y, z"),
        (projection.draw_patient, (None, "Unknown", 50), "sex is 'Unknown': choose one of Male, Female"),
        (projection.draw_exposure, (None, "side"), "view is 'side': choose one of AP, PA, Lateral"),
    ],
    "scans": [
        (degradation.apply, (FILMS, "pet"), "xray, ct, mr"),
        (degradation.apply, (FILMS - 1, "xray"), "expected"),
        (degradation.apply, (FILMS + 2, "xray"), r"\[2, 2\]"),
        (degradation.apply, (FILMS * NAN, "xray"), "nan"),
        (degradation.apply, (BYTES, "xray"), "divide bytes"),
        (degradation.apply, (RGB, "xray"), r"\(4, 3, 32, 32\)"),
        (degradation.apply, (FILMS[0, 0], "xray"), "one slice"),
        (degradation.apply, (GREY, "xray"), r"\(4, 32, 32\)"),
        (degradation.apply, (None, "xray"), "NoneType"),
        (degradation.apply, {"images": FILMS, "modality": "xray", "spokes": 3}, "spokes"),
        (
            degradation.apply,
            {"images": FILMS, "modality": "xray", "focal_spot": 600.0},
            "focal_spot is 600.0: expected 0 to 32",
        ),
        (degradation.apply, {"images": FILMS, "modality": "xray", "dose": -1}, "dose is -1"),
        (degradation.apply, {"images": FILMS, "modality": "xray", "dose": NAN}, "dose is nan"),
        (degradation.apply, {"images": FILMS, "modality": "xray", "dose": "low"}, "dose is 'low'"),
        (degradation.strengths_of, ("pet",), "xray, ct, mr"),
        (restoration.METHODS["median"], (RGB,), r"\(4, 3, 32, 32\)"),
        (restoration.METHODS["gaussian"], (BYTES,), "divide bytes"),
        (restoration.METHODS["tv"], (None,), "NoneType"),
        (degradation.apply, (FILMS, "ct", "x"), "seed is 'x'"),
        (degradation.apply, {"images": FILMS, "modality": "ct", "views": 0}, "views is 0"),
        (degradation.apply, {"images": FILMS, "modality": "xray", "motion": float("inf")}, "motion is inf"),
        (degradation.apply, {"images": FILMS, "modality": "mr", "acceleration": 0}, "acceleration is 0"),
        (degradation.apply, {"images": FILMS, "modality": "mr", "acceleration": 0.25}, "expected 1 or more"),
        (degradation.gaussian_blur, (FILMS, -1), "sigma is -1"),
        (degradation.motion_blur, (FILMS, NAN, None), "length is nan"),
        (degradation.add_scatter, (BYTES, 1), "uint8"),
        (degradation.quantum_noise, (None, 1, None), "exposure is NoneType"),
        (degradation.grid_lines, (FILMS, 2), "0 to 1"),
        (degradation.coarser, (FILMS, 0), "factor is 0"),
        (degradation.coarser, (FILMS, 5), "downsample=5"),
        (degradation.coarser, (FILMS, 1.5), "factor is 1.5: expected a whole number"),
        (degradation.finer, (FILMS, 2.9), "factor is 2.9: expected a whole number"),
        (degradation.finer, (FILMS, "two"), "factor is 'two'"),
        (degradation.radial_mask, ((32, 32), 0), "spokes is 0"),
        (degradation.bias_field, (FILMS, -1, None), "spread is -1"),
        (tomography.radon, (FILMS, 0), "views is 0"),
        (tomography.radon, (GREY, 8), r"\(4, 32, 32\)"),
        (tomography.radon, (BYTES, 8), "uint8"),
        (tomography.filtered_back_projection, (FILMS, 32), "B, views, detectors"),
        (tomography.filtered_back_projection, (FILMS[0], -1), "size is -1"),
        (tomography.filtered_back_projection, (FILMS[0], 32), "rays has 32 detectors: expected 46"),
        (tomography.penalised, (FILMS[0], 32, 0.3), "rays has 32 detectors: expected 46"),
        (tomography.penalised, (FILMS[0], 32, 0), "weight is 0"),
        (tomography.nepers, (0,), "size is 0"),
        (restoration.METHODS["pwls"], (FILMS, FILMS[:, 0]), r"measured is .*\(4, views, 46\)"),
        (tomography.radon, (RGB, 8), r"images is \(4, 3, 32, 32\): expected a tensor \(B, 1, N, N\)"),
        (degradation.apply, (FILMS[:0], "xray"), r"images: expected a tensor .*found \(0, 1, 32, 32\)"),
        (degradation.apply, {"images": FILMS, "modality": "xray", "motion": 1e12}, "motion is 1.* 0 to 1000"),
        (degradation.apply, {"images": FILMS, "modality": "xray", "grid": 2}, "grid is 2: expected 0 to 1"),
        (degradation.apply, {"images": FILMS, "modality": "mr", "spokes": 10**12}, "spokes is 1.* to 10000"),
        (degradation.measure, (FILMS, FRAME), "modality is a DataFrame: choose one of xray, ct, mr"),
        (degradation.measure, (None, "ct"), "images: expected a tensor .*found NoneType"),
        (degradation.xray, (FILMS - 1, torch.Generator()), "images reaches -1: expected 0 or more"),
        (degradation.ct, (FILMS, None), "generator is None: expected torch.Generator"),
        (degradation.mr, (RGB, torch.Generator()), r"images is \(4, 3, 32, 32\)"),
        (degradation.ct_rays, {"images": FILMS, "generator": torch.Generator(), "metal": []}, "metal is"),
        (degradation.sinogram, (FILMS * NAN, torch.Generator()), "images reaches nan"),
        (
            degradation.mr_kspace,
            {"images": FILMS, "generator": torch.Generator(), "ghosts": -1},
            "ghosts is -1",
        ),
        (degradation.metal_pin, (FILMS, 2, None), "generator is None"),
        (degradation.bias_field, (FILMS, 0.2, None), "generator is None"),
        (degradation.quantum_noise, (FILMS * NAN, 3, torch.Generator()), "exposure reaches nan"),
        (
            degradation.gaussian_blur,
            (RGB, 1),
            r"images is \(4, 3, 32, 32\): expected a tensor \(B, 1, H, W\)",
        ),
        (degradation.gaussian_blur, (FILMS[..., :0], 1), r"images is \(4, 1, 32, 0\)"),
        (degradation.motion_blur, (FILMS, 1e12, torch.Generator()), "length is 1.*: expected 0 to 1000"),
        (degradation.finer, (FILMS, 10**12), "factor is 1.*: expected 1 to 4096"),
        (degradation.from_kspace, (None,), "kspace is a NoneType: expected a tensor"),
        (degradation.to_kspace, (torch.zeros(3),), r"images is \(3,\): expected a tensor \(..., H, W\)"),
        (degradation.motion_ghosts, (FILMS, 2, torch.Generator()), "kspace is torch.float32, not complex"),
        (degradation.motion_ghosts, (KSPACE, 2, None), "generator is None"),
        (degradation.cartesian_mask, ([32, 32], 4), r"shape is \[32, 32\]: expected \(H, W\)"),
        (degradation.cartesian_mask, ((0, 32), 4), "a side of shape is 0"),
        (degradation.cartesian_mask, ((32, 32), [1, 2]), r"acceleration is \[1, 2\]: expected a number"),
        (degradation.radial_mask, ((10**6, 10**6), 5), "a side of shape is 1000000"),
        (restoration.METHODS["gaussian"], (FILMS, FILMS), "measured is given to gaussian"),
        (restoration.METHODS["gaussian"], {"images": FILMS, "sigma": 1e12}, "sigma is 1.*at most 1000"),
        (restoration.METHODS["median"], {"images": FILMS, "size": 10**12}, "size is 1.*: expected 1 to 64"),
        (restoration.METHODS["sart"], (FILMS, "rays"), "measured is str: expected a tensor"),
        (restoration.METHODS["sart"], (FILMS, FILMS[:, 0]), r"measured is .*\(4, views, 46\)"),
        (restoration.METHODS["compressed_sensing"], (FILMS, FILMS), "measured is torch.float32, not complex"),
        (restoration.METHODS["compressed_sensing"], (FILMS, KSPACE[:2]), r"measured is \(2, 1, 32, 32\)"),
        (restoration.enlarge, (None, (64, 64), "bicubic"), "image is NoneType"),
        (restoration.enlarge, (FILMS[0, 0], (64,), "bicubic"), r"shape is \(64,\): expected \(H, W\)"),
        (restoration.enlarge, (FILMS[0, 0], (64, 64), "cubic"), "filter_ is 'cubic': choose one of bicubic"),
        (restoration.consistent, (None, KSPACE, 0.5), "images is NoneType: expected a tensor"),
        (restoration.consistent, (FILMS, KSPACE, NAN), "trust is nan: expected 0 or more"),
        (restoration.equal_noise, (FILMS, "no"), "back is 'no': expected True or False"),
        (restoration.tune, ("xray", None, FILMS), "degraded: expected a tensor .*found NoneType"),
        (restoration.tune, ("xray", FILMS, FILMS + 3), r"clean: expected \[0, 1\], found \[3, 3\]"),
        (
            restoration.tune,
            {"modality": "xray", "degraded": FILMS, "clean": FILMS, "spokes": 3},
            "xray has no strength 'spokes'",
        ),
        (restoration.Tuned, ("bm3d", {}), "name is 'bm3d': choose one of"),
        (restoration.Tuned, ("tv", "weight"), "parameters is 'weight': expected a dict"),
        (restoration.Tuned, ("tv", {}, "no"), "stabilise is 'no': expected True or False"),
        (degradation.exposure_of, (GREY / 255,), "images is a ndarray: expected a tensor"),
        (degradation.grey_of, (None,), "exposure is a NoneType: expected a tensor"),
        (images.check_space, (None, 3), "folder is None: expected the name of a file or folder"),
        (restoration.Tuned, {"name": "tv", "parameters": {}, "factor": 0}, "factor is 0: expected 1 to 64"),
        (restoration.Tuned("tv", {}), (BYTES,), "images: expected floats"),
        (restoration.calibrated, ("tv", FILMS, FILMS, None), "trial is 'tv': expected a Tuned"),
        (restorers.ct, (2, 1, 1, 64, -1), "seed is -1"),
        (restorers.Bench, ("pet", {}, []), "modality is 'pet'"),
        (restorers.Bench, ("xray", {"train": FILMS}, []), "clean has no 'valid'"),
        (
            restorers.Bench,
            ("xray", dict.fromkeys(("train", "valid", "test"), FILMS), [1]),
            r"patients is \(1,\)",
        ),
        (restorers.start, ("xray", None, None), "degraded is NoneType: expected a tensor"),
        (restorers.Pairs, {"bench": NAMED, "batch": 10**12}, "batch is 1.*: expected 1 to 100000"),
        (restorers.Pairs(NAMED).seek, (-1,), "number is -1: expected 0 or more"),
        (restorers.Sheets, (FILMS, None), "films is NoneType: expected a tensor"),
        (restorers.Sheets, (FILMS, FILMS[:2]), "4 maps and 2 films"),
        (restorers.Sheets(FILMS, FILMS).seek, (None,), "number is None: expected a whole number"),
        (restorers.train, (None, 4, 1), "bench is None: expected a Bench"),
        (
            restorers.train,
            {"bench": MR, "width": 4, "steps": 1, "dose": 3},
            "dose is given: the lessons of CT and MR",
        ),
        (restorers.go_on, (Restorer(), NAMED, "9"), "steps is '9': expected a whole number"),
        (restorers.repair, (Restorer(), NAMED, "test", "half"), "trust is 'half': expected a number"),
        (restorers.drawers, ("64",), "size is '64': expected a whole number"),
        (restorers.ready, (NAMED, "smoke"), "profile is 'smoke': expected a Profile"),
    ],
    "training": [
        (training.fit, (NoModel(), [], 1), "no step"),
        (training.fit, (None, [], 1), "NoneType"),
        (training.choose_device, ("gpu",), "'gpu'"),
        (training.choose_device, (5.5,), "5.5"),
        (training.choose_device, ("hpu",), 'device is "hpu", and this machine has none: choose "cpu"'),
        (training.choose_device, ("meta",), 'device is "meta", and this machine has none'),
        (training.choose_device, ("cpu", "fp16"), "'fp16'"),
        (training.choose_device, ("cpu", 32), "32"),
        (training.load, (dcgan.DCGAN, "nowhere"), "no card.json in nowhere"),
        (training.shipped, (dcgan.DCGAN, "nowhere"), "no card.json"),
        (training.shipped, (dcgan.DCGAN, "stargan"), "holds a StarGAN"),
        (training.shipped, (dcgan.DCGAN, None, 512), "for 512 px"),
        (training.diagnose, (None,), "NoneType"),
        (training.diagnose, ("history",), "str"),
        (training.diagnose, ({"loss": [1, 2], "d": [1]},), "lists of one length"),
        (training.fit, (dcgan.DCGAN, [FILMS], 1), r"model is the class DCGAN: expected a model, as DCGAN\("),
        (training.fit, (model(dcgan.DCGAN), list, 1), "batches is <class 'list'>: expected a list"),
        (training.diagnose, ({"loss": 3.0},), "lists of one length"),
        (training.save, (model(dcgan.DCGAN), __file__, {}), "which is a file: give the name of a folder"),
        (training.mix, (0.5,), "numbers is 0.5: expected a whole number"),
        (training.to_device, ("film", "cpu"), "batch is 'film': expected a tensor, or a tuple"),
        (training.one_step, (None,), r"update is None: expected a method"),
        (training.linear_decay, (None, 10), "optimizer is None: expected an optimizer"),
        (training.Model, ({}, "cpu"), "config is empty"),
        (training.Model, ({"width": 4}, "cpu"), "config has no 'seed'"),
        (training.Model, ({"seed": 0}, "cpu", "fp32", "no"), "compile is 'no': expected True or False"),
        (method(dcgan.DCGAN, "place"), (None,), "network is None: expected a network"),
        (method(dcgan.DCGAN, "descend"), (3.0, None), "loss is a float: expected a tensor"),
        (method(dcgan.DCGAN, "load_state_dict"), ({},), "expected what state_dict"),
        (training.EMA.update, (None, None), "network is None: expected the network that is averaged"),
        (training.EMA.load_state_dict, (None, {"updates": 1}), "expected what state_dict"),
    ],
    "networks": [
        (dcgan.DCGAN, {"image_size": 48}, "48"),
        (dcgan.DCGAN, {"image_size": 0}, "image_size is 0"),
        (dcgan.DCGAN, {"image_size": "64"}, "image_size is '64'"),
        (dcgan.DCGAN, SMALL | {"width": 0}, "width is 0"),
        (dcgan.DCGAN, SMALL | {"width": -4}, "width is -4"),
        (dcgan.DCGAN, SMALL | {"width": 2.5}, "width is 2.5"),
        (dcgan.DCGAN, SMALL | {"width": True}, "width is True"),
        (dcgan.DCGAN, SMALL | {"latent": 0}, "latent is 0"),
        (dcgan.DCGAN, SMALL | {"seed": -1}, "seed is -1"),
        (dcgan.DCGAN, SMALL | {"seed": "x"}, "seed is 'x'"),
        (dcgan.DCGAN, SMALL | {"decay_steps": -5}, "decay_steps is -5"),
        (dcgan.DCGAN, SMALL | {"device": "tpu9"}, "'tpu9'"),
        (dcgan.DCGAN, SMALL | {"device": "cuda:77"}, "cuda:77"),
        (dcgan.DCGAN, SMALL | {"precision": "int8"}, "'int8'"),
        (dcgan.Generator, {"image_size": 50}, "50"),
        (dcgan.Generator, {"upsample": "cubic"}, "'cubic'"),
        (dcgan.Discriminator, {"norm": "layer"}, "'layer'"),
        (pix2pix.Pix2Pix, SMALL | {"image_size": 48}, "48"),
        (pix2pix.Pix2Pix, SMALL | {"width": 0}, "width is 0"),
        (pix2pix.Pix2Pix, SMALL | {"in_channels": 0}, "in_channels is 0"),
        (pix2pix.Pix2Pix, SMALL | {"in_channels": "grey"}, "in_channels is 'grey'"),
        (pix2pix.Pix2Pix, SMALL | {"layers": 7}, "layers is 7"),
        (pix2pix.Pix2Pix, SMALL | {"norm": "group"}, "'group'"),
        (pix2pix.Pix2Pix, SMALL | {"seed": -2}, "seed is -2"),
        (pix2pix.Generator, {"image_size": 100}, "100"),
        (pix2pix.Discriminator, {"layers": 0}, "layers is 0"),
        (stargan.StarGAN, SMALL | {"image_size": 48}, "48"),
        (stargan.StarGAN, SMALL | {"width": 0}, "width is 0"),
        (stargan.StarGAN, SMALL | {"domains": 0}, "domains is 0"),
        (stargan.StarGAN, SMALL | {"domains": "two"}, "domains is 'two'"),
        (stargan.StarGAN, SMALL | {"blocks": -1}, "blocks is -1"),
        (stargan.StarGAN, SMALL | {"critic_steps": 0}, "critic_steps is 0"),
        (lesion_gan.LesionGAN, CPU | {"findings": []}, "findings"),
        (lesion_gan.LesionGAN, CPU | {"findings": ["a"], "recipe": {"width": 0}}, "width is 0"),
        (classifier.DenseNet, CPU | {"findings": 0}, "findings"),
        (classifier.DenseNet, CPU | {"findings": []}, "findings"),
        (classifier.DenseNet, CPU | {"preset": "resnet"}, "narrow, densenet121"),
        (classifier.DenseNet, CPU | {"preset": "narrow", "steps": 0}, "steps is 0"),
        (classifier.DenseNet, CPU | {"preset": "narrow", "weights": "imagenet"}, "densenet121"),
        (classifier.DenseNet, CPU | {"weights": "mars"}, "unknown weights 'mars'"),
        (dcgan.DCGAN, SMALL | {"width": 10**12}, "width is 1000000000000: expected 1 to 4096"),
        (dcgan.DCGAN, SMALL | {"width": None}, "width is None: expected a whole number"),
        (dcgan.DCGAN, SMALL | {"seed": None}, "seed is None"),
        (dcgan.DCGAN, SMALL | {"compile": "no"}, "compile is 'no'"),
        (dcgan.DCGAN, SMALL | {"norm": "layer"}, "norm is 'layer': choose one of batch, spectral, none"),
        (dcgan.stages, (SCORES,), "image_size is"),
        (dcgan.double, (None, 4, "nearest"), "inputs is None"),
        (pix2pix.Pix2Pix, SMALL | {"critic_norm": 3}, "critic_norm is 3: choose one of batch"),
        (pix2pix.Pix2Pix, SMALL | {"coarse": 0}, "coarse is 0: expected 1 to 8"),
        (pix2pix.Pix2Pix, SMALL | {"in_channels": None}, "in_channels is None"),
        (pix2pix.Generator, {"dropout": "much"}, "dropout is 'much'"),
        (pix2pix.Generator, {"residual": 3}, "residual is 3: expected True or False"),
        (pix2pix.Discriminator, {"layers": True}, "layers is True"),
        (pix2pix.normalise, (None, "batch"), "channels is None"),
        (stargan.StarGAN, SMALL | {"generator": ["norm"]}, "generator is .*: choose one of concat"),
        (stargan.StarGAN, SMALL | {"targets": "all"}, "targets is 'all': choose one of permuted"),
        (stargan.StarGAN, SMALL | {"pretrain": None}, "pretrain is None"),
        (stargan.Discriminator, {"contrast": "no"}, "contrast is 'no'"),
        (
            stargan_robust.RobustStarGAN,
            CPU | {"image_size": 50},
            "image_size is 50: expected a multiple of 16",
        ),
        (stargan_robust.RobustStarGAN, CPU | {"image_size": None}, "image_size is None"),
        (stargan_robust.RobustStarGAN, CPU | {"noise": 2.5}, "noise is 2.5"),
        (stargan_robust.RobustStarGAN, CPU | {"settings": "few"}, "settings is 'few': expected a Recipe"),
        (stargan_robust.RobustStarGAN, CPU | {"settings": {"soft_label": 5}}, "soft_label is 5"),
        (stargan_robust.RobustStarGAN, CPU | {"examiner": "it"}, "examiner is 'it': expected a trained Ex"),
        (
            stargan_robust.RobustStarGAN,
            CPU | {"domains": 2, "examiner": model(classifier.DenseNet), "columns": [0, 99]},
            "columns is 99: expected 0 to 13",
        ),
        (stargan_robust.Painter, {"noise": -1}, "noise is -1"),
        (lesion_gan.LesionGAN, CPU | {"findings": None}, "findings is None: expected a list of names"),
        (lesion_gan.LesionGAN, CPU | {"findings": ["a", "a"]}, "each once"),
        (lesion_gan.LesionGAN, CPU | {"findings": [1]}, "findings is 1: expected words"),
        (lesion_gan.LesionGAN, CPU | {"findings": ["a"], "recipe": "SMALL"}, "recipe is 'SMALL'"),
        (lesion_gan.Generator, {"classes": 0}, "classes is 0"),
        (lesion_gan.Classifier, ("Edema",), "classes is 'Edema'"),
        (lesion_gan.Discriminator, (2, None), "width is None"),
        (flow.Flow, CPU | {"width": None}, "width is None"),
        (flow.Velocity, {"width": "32"}, "width is '32'"),
        (classifier.DenseNet, CPU | {"findings": 10**12}, "expected 1 to 1000"),
        (classifier.DenseNet, CPU | {"findings": [3, 4]}, "findings is 3: expected words"),
        (classifier.DenseNet, CPU | {"findings": ["a"], "emphasis": None}, "emphasis is None"),
        (classifier.Narrow, (None,), "findings is None"),
        (classifier.shipped, ("all",), "steps is 'all'"),
        (chest_measures.Outliner, CPU | {"learning_rate": "fast"}, "learning_rate is 'fast'"),
        (chest_measures.OutlineNet, ("16",), "width is '16'"),
    ],
    "steps and use": [
        (gan, (RGB,), r"expected \(B, 1, H, W\)"),
        (gan, (BYTES,), "torch.uint8"),
        (gan, (FILMS[..., :16],), "made for 32"),
        (gan, (FILMS[0],), r"\(1, 32, 32\)"),
        (gan, (FILMS[:0],), "at least one"),
        (gan, (None,), "NoneType"),
        (gan, (GREY,), "ndarray"),
        (gan, ((FILMS, LABELS),), "ndarray"),
        (unet, ((FILMS, FILMS[..., :16, :16]),), "made for 32"),
        (unet, ((FILMS, FILMS[:2]),), "as many rows"),
        (unet, ((RGB, FILMS),), r"expected \(B, 1, H, W\)"),
        (unet, ((BYTES, FILMS),), "torch.uint8"),
        (star, ((FILMS, torch.zeros(4, 3)),), r"labels \(4, 3\)"),
        (star, ((FILMS, torch.zeros(3, 2)),), "as many rows"),
        (star, ((RGB, torch.zeros(4, 2)),), r"expected \(B, 1, H, W\)"),
        (star, ((BYTES, torch.zeros(4, 2)),), "torch.uint8"),
        (star, ((FILMS, None),), "NoneType"),
        (reader, ((FILMS, torch.zeros(4, 3)),), "3 columns"),
        (reader, ((RGB, torch.zeros(4, 14)),), r"expected \(B, 1, H, W\)"),
        (reader, ((BYTES, torch.zeros(4, 14)),), "torch.uint8"),
        (reader, ((FILMS, torch.zeros(2, 14)),), "as many rows"),
        (method(pix2pix.Pix2Pix, "restore"), (torch.zeros(1, 1, 64, 64),), "made for"),
        (method(stargan.StarGAN, "translate"), (FILMS, torch.zeros(4, 5)), r"\(4, 5\)"),
        (method(stargan.StarGAN, "translate"), (torch.zeros(4, 1, 64, 64), torch.zeros(4, 2)), "made for"),
        (unet, ((FILMS, RGB),), r"clean are \(3, 32, 32\)"),
        (method(pix2pix.Pix2Pix, "restore"), (None,), "degraded is NoneType"),
        (method(pix2pix.Pix2Pix, "restore"), (FILMS[:0],), "at least one image"),
        (method(stargan.StarGAN, "translate"), (None, torch.zeros(4, 2)), "images is NoneType"),
        (method(stargan.StarGAN, "mask"), (FILMS, torch.zeros(4, 2)), 'only "residual" draws a mask'),
        (method(stargan.StarGAN, "mask"), (FILMS, torch.full((4, 2), NAN)), "hold nan"),
        (method(stargan_robust.RobustStarGAN, "translate"), (None, torch.zeros(4, 2)), "images is NoneType"),
        (method(dcgan.DCGAN, "generate"), (10**12,), "n is 1000000000000: expected 1 to 100000"),
        (method(dcgan.DCGAN, "draw"), (torch.full((2, 100), NAN),), "latents hold nan"),
        (method(dcgan.DCGAN, "slope"), (RGB,), r"films is \(4, 3, 32, 32\)"),
        (method(flow.Flow, "generate"), (10**12,), "expected 1 to 100000"),
        (method(flow.Flow, "noise"), (None,), "n is None"),
        (method(flow.Flow, "path"), (None,), "noise is NoneType"),
        (method(flow.Flow, "path"), (FILMS, 10**12), "steps is 1000000000000: expected 1 to 10000"),
        (method(classifier.DenseNet, "loss"), (None, torch.zeros(4, 14)), "images is NoneType"),
        (method(classifier.DenseNet, "calibrate"), (None, torch.zeros(4, 14)), "images is NoneType"),
        (method(classifier.DenseNet, "read"), (None,), "films is NoneType"),
        (method(lesion_gan.LesionGAN, "draw"), (SQUARES, "Edema", MIDDLES.numpy()), "centres is ndarray"),
        (method(lesion_gan.LesionGAN, "draw"), (SQUARES.repeat(1, 3, 1, 1), "Edema", MIDDLES), "films is"),
        (dcgan.discriminator_loss, (None, SCORES, "hinge"), "real is a NoneType: expected a tensor"),
        (dcgan.generator_loss, (FILMS.numpy(), "hinge"), "fake is a ndarray: expected a tensor"),
        (dcgan.opinions, (FILMS[:, 0, 0, 0], None, FILMS, FILMS), "d_fake is NoneType"),
        (
            stargan.class_loss,
            (torch.zeros(4, 2), torch.zeros(3, 2)),
            r"labels is \(3, 2\): expected \(4, 2\)",
        ),
        (stargan.class_skill, (torch.zeros(4, 2), LABELS), "labels is a ndarray"),
        (stargan.gradient_penalty, (None, FILMS, FILMS, torch.Generator()), "critic is None"),
        (stargan.gradient_penalty, (len, FILMS, FILMS[:2], torch.Generator()), "as real"),
        (stargan.flip_one, (torch.zeros(4, 2), None), "rng is None: expected torch.Generator"),
        (stargan.flip_or_leave, (LABELS, torch.Generator()), "labels is"),
        (stargan.permute, (torch.zeros(4, 2), 0), "rng is 0"),
        (stargan.balanced, (FRAME[["Edema"]], "x"), "seed is 'x'"),
        (stargan_robust.others, (None, torch.Generator()), "labels is NoneType"),
        (stargan_robust.through_haze, (GREY, torch.Generator()), r"films is \(4, 32, 32\)"),
        (diffaugment.blur, (BYTES, 1.0), "uint8"),
        (stargan_robust.Lessons, (GREY, np.full((4, 5), 7.0), 4), "labels is .*: expected 0 to 1"),
        (stargan_robust.Lessons, (GREY / 2, np.ones((4, 5)), 4), "films are float64: expected uint8"),
        (lesion_gan.cut, (None, MIDDLES, 16), "films is NoneType"),
        (lesion_gan.cut, (FILMS, MIDDLES[:2], 16), "2 centres, films .*: expected as many"),
        (lesion_gan.cut, (FILMS, MIDDLES, 99), "99 px"),
        (lesion_gan.put, (FILMS, MIDDLES, None), "squares is NoneType"),
        (lesion_gan.contrast_of, (FILMS, None), "centres is NoneType"),
        (lesion_gan.add_blob, (FILMS, MIDDLES, 5, 0.5), "radii is int"),
        (lesion_gan.add_blob, (FILMS, MIDDLES, torch.ones(4), "strong"), "strength is 'strong'"),
        (lesion_gan.ring, (0,), "size is 0"),
        (lesion_gan.marks_of, (np.full((3, 32, 32), 200.0),), "masks hold 200: .* take masks > 127"),
        (lesion_gan.marks_of, (torch.rand(3, 32, 32),), "masks hold .*: expected True and False"),
        (lesion_gan.marks_of, (np.full((3, 32, 32), "1"),), "expected True and False"),
        (lesion_gan.box_centres, (BOXES.assign(x="left"), 64), "boxes is .*: expected numbers"),
        (lesion_gan.box_centres, (BOXES.assign(x=120.0), 64), "boxes is .*: expected 0 to 1"),
        (lesion_gan.Squares, (BYTES, {0: ([0], MIDDLES[:1])}, torch.tensor([1])), r"positives is \[0\]"),
        (lesion_gan.Squares, (BYTES, {0: None}, torch.tensor([1])), "positives is None"),
        (lesion_gan.Squares, (BYTES, {0: (torch.tensor([0]), MIDDLES[:1])}, None), "negatives is None"),
        (lesion_gan.Squares, (RGB, {}, None), r"films is \(4, 3, 32, 32\)"),
        (lesion_gan.discriminator_loss, (torch.zeros(2), 1), "on_fake is a int"),
        (flow.between, (FILMS, FILMS[:2], torch.rand(4)), "film is .*, as noise"),
        (flow.waves, (FILMS,), "expected a tensor of times"),
        (flow.follow, (len, FILMS, 10**12), "expected 1 to 10000"),
        (
            flow.follow,
            (lambda x, t: x[..., :16], FILMS, 2),
            r"what velocity gives is \(4, 1, 32, 16\): expected",
        ),
        (
            flow.follow,
            (lambda x, t: x.mean(), FILMS, 2),
            r"what velocity gives is \(\): expected \(4, 1, 32, 32\)",
        ),
        (flow.follow, (lambda x, t: 0.0, FILMS, 2), "what velocity gives is float: expected"),
        (flow.pace, ("one", 10), "step is 'one'"),
        (classifier.masked_bce, (torch.zeros(4, 2), torch.zeros(4, 3), torch.ones(2)), "as logits"),
        (classifier.masked_bce, (torch.zeros(4, 2), torch.zeros(4, 2), None), "weights is NoneType"),
        (classifier.average, (None,), "maps is NoneType"),
        (classifier.soft_maximum, (GREY,), r"maps is \(4, 32, 32\)"),
        (classifier.platt, (None, None), "logits is NoneType"),
        (classifier.platt, (torch.zeros(4, 2), torch.zeros(3, 2)), "as logits"),
        (classifier.finding_weights, (["Edema"], ("Flu",)), "emphasis is 'Flu'"),
        (chest_measures.outlines, (FRAME, {"Edema": None}), "masks has no 'Cardiomegaly'"),
    ],
    "augmentation": [
        (augmentation.rotate, (FILMS[0], 5.0), "one film is"),
        (augmentation.rotate, (BYTES, 5.0), "torch.uint8"),
        (augmentation.rotate, (GREY, 5.0), r"\(4, 32, 32\)"),
        (augmentation.rotate, (None, 5.0), "NoneType"),
        (augmentation.rotate, (FILMS, torch.zeros(3)), "3"),
        (augmentation.zoom, (BYTES, 1.1), "torch.uint8"),
        (augmentation.zoom, (FILMS, torch.ones(2, 2)), r"\(2, 2\)"),
        (augmentation.brighten, (BYTES, 0.1), "torch.uint8"),
        (augmentation.brighten, (FILMS, torch.zeros(7)), "7"),
        (augmentation.contrast, (FILMS[0], 1.1), "one film is"),
        (augmentation.add_noise, (BYTES, 0.1, torch.Generator()), "torch.uint8"),
        (augmentation.rotate, (FILMS, NAN), "finite"),
        (augmentation.rotate, (FILMS, None), "finite|expected numbers"),
        (augmentation.rotate, (FILMS, "left"), "'left'"),
        (augmentation.rotate, (FILMS[:0], 5.0), "at least one film"),
        (augmentation.shift, (FILMS, {}), "expected numbers"),
        (augmentation.zoom, (FILMS, 0), "0.01 or more"),
        (augmentation.zoom, (FILMS, -1), "0.01 or more"),
        (augmentation.contrast, (FILMS, -1), "0 or more"),
        (augmentation.brighten, (FILMS, float("inf")), "finite"),
        (augmentation.add_noise, (FILMS, -0.1, torch.Generator()), "0 or more"),
        (augmentation.add_noise, (FILMS, 0.1, 7), "generator is 7"),
        (augmentation.mirror, (GREY,), r"\(4, 32, 32\)"),
        (augmentation.warp, (FILMS, torch.zeros(2, 2, 3)), "2 matrices for 4 films"),
        (augmentation.warp, (FILMS, torch.zeros(4, 2, 3), "black"), "border, zeros"),
        (augmentation.invert, (None,), "matrices is NoneType"),
        (augmentation.Augmentation, (-7.0,), "rotation is -7.0"),
        (augmentation.Augmentation, {"noise": NAN}, "noise is nan"),
        (augmentation.Augmentation, {"strength": 9}, "below 1"),
        (augmentation.Augmentation(), (FILMS, None), "generator is None"),
        (augmentation.Augmented, ([1],), "with seek"),
        (augmentation.Augmented, ([1], None, -1), "seed is -1"),
        (
            augmentation.Augmented,
            (Seekable(), augmentation.Augmentation),
            "augmentation is the class Augmentation: expected an Augmentation, or None",
        ),
        (augmentation.Augmented(Seekable()).seek, (-1,), "step is -1: expected 0 or more"),
        (augmentation.rotate, (FILMS, True), "the amount is True: expected numbers"),
        (augmentation.mirror, (FILMS[..., :0],), r"at least one film, found \(4, 1, 32, 0\)"),
        (
            augmentation.invert,
            (torch.zeros(4, 1, 3),),
            r"matrices is \(4, 1, 3\): expected a tensor \(B, 2, 3\)",
        ),
        (augmentation.invert, (torch.zeros(4, 2, 3),), "matrices flatten a film to a line"),
        (augmentation.warp, (FILMS, torch.zeros(4, 2, 3) * NAN), "matrices hold nan"),
        (diffaugment.brightness, (GREY, torch.Generator()), r"x is \(4, 32, 32\)"),
        (diffaugment.contrast, (BYTES, torch.Generator()), "x is torch.uint8: expected floats"),
        (diffaugment.shift, (None, torch.Generator()), "x is NoneType: expected a tensor"),
        (diffaugment.cutout, (FILMS, None), "rng is None: expected torch.Generator"),
        (local_contrast.LocalContrast(), (None,), "films are NoneType: expected floats"),
        (local_contrast.LocalContrast(), (RGB,), r"\(4, 3, 32, 32\): expected floats \(B, 1, H, W\)"),
    ],
    "intervals and classification": [
        (metrics.auroc, (LABELS, SCORES[:3], PEOPLE), "4, 3 and"),
        (
            metrics.macro_auroc,
            (TABLE, GUESSES[TWO[::-1]], PEOPLE),
            r"scores and labels differ in a column, 'Fracture' and 'Edema': .*scores\[labels.columns\]",
        ),
        (
            metrics.macro_auroc,
            (TABLE, GUESSES[::-1], PEOPLE),
            r"a row, 3 and 0: .*scores.loc\[labels.index\]",
        ),
        (metrics.macro_auroc, (TABLE, GUESSES[TWO[:1]], PEOPLE), "a column, '1 of them' and 2"),
        (
            metrics.macro_auroc,
            (TABLE, GUESSES, pd.Series(PEOPLE)[::-1]),
            "patients and labels differ in a row",
        ),
        (metrics.macro_auroc, (TABLE, GUESSES, PEOPLE, GUESSES[::-1]), "others and labels differ in a row"),
        (metrics.auroc, (TABLE.Edema, GUESSES.Edema.sort_values(), PEOPLE), "a row, 0 and 0|a row, 2 and 1"),
        (metrics.auprc, (TABLE.Edema, GUESSES.Edema[::-1], PEOPLE), "differ in a row, 3 and 0"),
        (metrics.auroc_difference, (TABLE.Edema, SCORES, GUESSES.Edema[::-1], PEOPLE), "others and labels"),
        (
            metrics.auroc_by_group,
            (TABLE, GUESSES, PEOPLE, pd.Series(PEOPLE)[::-1]),
            "groups and labels differ",
        ),
        (metrics.reliability, (TABLE.Edema, TABLE.Edema[::-1]), "probabilities and labels differ in a row"),
        (metrics.threshold_for, (TABLE.Edema, GUESSES.Edema[::-1]), "scores and labels differ in a row"),
        (metrics.operating_point, (TABLE.Edema, GUESSES.Edema[::-1], 0.5), "scores and labels differ"),
        (
            metrics.reliability,
            (LABELS * NAN, SCORES),
            r"every label is masked \(nan\): leave this finding out",
        ),
        (metrics.calibration_error, (LABELS * NAN, SCORES), "every label is masked"),
        (
            metrics.auroc,
            (LABELS, torch.tensor(SCORES, requires_grad=True), PEOPLE),
            r"scores is a Tensor: expected numbers, as scores\.detach\(\)\.cpu\(\)",
        ),
        (metrics.auroc, (LABELS, SCORES * NAN, PEOPLE), "scores are nan"),
        (metrics.auroc, (LABELS * 0, SCORES, PEOPLE), "both classes"),
        (metrics.auroc, (LABELS * 2, SCORES, PEOPLE), "labels 0, 1 or nan"),
        (metrics.auroc, (LABELS - 1, SCORES, PEOPLE), "chexpert.labels"),
        (metrics.auroc, ([], [], []), "both classes"),
        (metrics.auroc, (LABELS[:, None], SCORES[:, None], PEOPLE), "one finding"),
        (metrics.auprc, (LABELS, SCORES[:2], PEOPLE), "4, 2 and"),
        (metrics.auprc, (LABELS * 0, SCORES, PEOPLE), "both classes"),
        (metrics.auprc, (LABELS, SCORES * NAN, PEOPLE), "scores are nan"),
        (metrics.auroc_difference, (LABELS, SCORES, SCORES[:3], PEOPLE), "4, 3 and"),
        (metrics.auroc_difference, (LABELS, SCORES, SCORES * NAN, PEOPLE), "scores are nan"),
        (metrics.macro_auroc, (LABELS, SCORES, PEOPLE), r"\(N, F\)"),
        (metrics.macro_auroc, (LABELS[:, None], np.zeros((4, 2)), PEOPLE), r"\(4, 1\) and \(4, 2\)"),
        (metrics.macro_auroc, (np.zeros((4, 0)), np.zeros((4, 0)), PEOPLE), r"\(4, 0\)"),
        (metrics.mean_interval, ([],), "one value per image"),
        (metrics.mean_interval, ([1, 2], [1]), "as many patients"),
        (metrics.mean_interval, ([[1, 2]],), r"\(1, 2\)"),
        (metrics.proportion, (1, 0), "1 hits among 0"),
        (metrics.proportion, (0, 0), "at least 1 try"),
        (metrics.proportion, (5, 4), "5 hits among 4"),
        (metrics.proportion, (-1, 4), "-1 hits"),
        (metrics.proportion, ("one", 4), "hits is 'one'"),
        (metrics.auroc, (LABELS, ["a"] * 4, PEOPLE), "scores is"),
        (metrics.auroc, (None, SCORES, PEOPLE), "labels is None"),
        (metrics.auroc, (LABELS, SCORES, PEOPLE, -1), "seed is -1"),
        (metrics.mean_interval, (["a"],), "values is"),
        (metrics.reliability, (LABELS, SCORES, 0), "bins is 0"),
        (metrics.reliability, (LABELS, SCORES, 2.5), "bins is 2.5"),
        (metrics.reliability, (LABELS, SCORES + 1), r"in \[0, 1\]"),
        (metrics.threshold_for, (LABELS, SCORES, 90), "sensitivity is 90"),
        (metrics.threshold_for, (LABELS, SCORES, NAN), "sensitivity is nan"),
        (metrics.operating_point, (LABELS, SCORES, NAN), "threshold is nan"),
        (metrics.operating_point, (LABELS, SCORES, "half"), "threshold is 'half'"),
        (metrics.predictive_values, (0.9, 0.8, 1.5), "prevalence is 1.5"),
        (metrics.predictive_values, (-1, 0.8, 0.5), "sensitivity is -1"),
        (metrics.predictive_values, (0.9, "high", 0.5), "specificity is 'high'"),
        (metrics.age_bands, (None,), "ages is None: expected one age a film"),
        (metrics.intervals.patient_weights, ([], 0), "patients is .*: expected one identity an image"),
        (metrics.intervals.patient_weights, (PEOPLE, "x"), "seed is 'x'"),
        (metrics.mean_interval, (SCORES, 5), "as many patients"),
        (metrics.interval, (SCORES, SCORES), "value is .*: expected numbers, one of them"),
        (
            metrics.auroc_by_group,
            (LABELS[:, None] - 1, SCORES[:, None], PEOPLE, PEOPLE),
            "labels is .*0 to 1",
        ),
        (metrics.first_look, ("few",), "seeds is 'few'"),
        (metrics.gap_in_words, (None, FRAME), "kind is None: expected words"),
        (metrics.auroc_by_group, (LABELS, SCORES, PEOPLE, list("FMFM")), r"labels and scores \(N, F\)"),
    ],
    "restored and generated films": [
        (metrics.psnr, (FILMS, FILMS[:2]), "one shape"),
        (metrics.psnr, (FILMS, FILMS - 1), "6 dB"),
        (metrics.psnr, (FILMS[0], FILMS[0]), r"\(B, C, H, W\)"),
        (metrics.psnr, (FILMS * NAN, FILMS), "nan"),
        (metrics.psnr, (FILMS[:0], FILMS[:0]), "empty"),
        (metrics.ssim, (FILMS, FILMS[:2]), "one shape"),
        (metrics.ssim, (FILMS, FILMS + 2), r"\[2.00, 2.00\]"),
        (metrics.ssim, (FILMS * NAN, FILMS), "nan"),
        (metrics.kid, (FILMS, FILMS), "at least 32"),
        (metrics.kid, (FILMS[:0], FILMS), r"real are \(0, 1"),
        (metrics.density_coverage, (FILMS, FILMS), "at least 6"),
        (metrics.realism_table, (FILMS, {"made": FILMS}), "at least 32"),
        (metrics.features, (FILMS, "clip"), "unknown feature space 'clip'"),
        (metrics.features, (FILMS[0],), r"\(1, 32, 32\)"),
        (metrics.features, (BYTES,), "uint8"),
        (metrics.features, (torch.zeros(2, 2, 8, 8),), r"\(2, 2, 8, 8\)"),
        (metrics.features, (FILMS[:0], "thumbnails"), r"\(0, 1, 32, 32\)"),
        (metrics.nearest, (FILMS, FILMS[0], "thumbnails"), r"\(1, 32, 32\)"),
        (metrics.memorisation, (FILMS, BYTES, FILMS, "thumbnails"), "uint8"),
        (metrics.diversity, (FILMS[:1],), "at least two"),
        (metrics.diversity, (FILMS, 0, 0), "pairs is 0"),
        (metrics.kid, {"real": FILMS, "fake": FILMS, "subsets": 0}, "subsets is 0"),
        (metrics.diversity, (FILMS[..., :8, :8],), "11 px"),
        (metrics.diversity, (FILMS[0],), r"\(1, 32, 32\)"),
        (metrics.features, (None,), "images is None: expected numbers"),
        (metrics.features, ("films",), "images is 'films'"),
        (metrics.kid, (None, FILMS), "real is None"),
        (
            metrics.kid,
            (FILMS.repeat(9, 1, 1, 1), RGB.repeat(9, 1, 1, 1), "thumbnails"),
            "real and fake differ",
        ),
        (metrics.density_coverage, (FILMS, "films"), "fake is 'films'"),
        (metrics.nearest, (FILMS, RGB, "thumbnails"), "images and reference differ"),
        (metrics.memorisation, (FILMS, FILMS, None), "held_out is None"),
        (metrics.memorisation, (FILMS, FILMS, FILMS), "held_out films are training films: expected others"),
        (metrics.realism_table, (FILMS, {"made": None}), "made is None"),
        (metrics.diversity, (None,), "images is None"),
        (metrics.diversity, (FILMS, 0, 10**12), "pairs is 1000000000000"),
        (metrics.diversity, (FILMS + 200,), "images reach 200"),
    ],
    "experiments": [
        (experiments.Cell.complete, ({"arm": "magic"},), "unknown arm 'magic'"),
        (experiments.Cell.complete, ({"colour": 1},), "colour"),
        (experiments.Cell.complete, ({"percent": 0},), "more than 0"),
        (experiments.Cell.complete, ({"percent": "ten"},), "percent is 'ten'"),
        (experiments.Cell.complete, ({"seed": -1},), "seed is -1"),
        (experiments.Cell.complete, ({"films": 2.5},), "films is 2.5"),
        (experiments.Cell.complete, ({"steps": NAN},), "steps is nan"),
        (experiments.Cell.complete, (None,), "cell is None"),
        (experiments.kept_classifier, ({"colour": 1},), "colour"),
        (experiments.kept_classifier, (None,), "expected a Cell"),
        (experiments.kept_films, ("none",), "expected a Cell"),
        (experiments.test_scores, ({}, ("Edema",), "nowhere.csv"), "no scores at"),
        (experiments.test_scores, ({}, ("Flu",), "nowhere.csv"), "findings is 'Flu': choose one of"),
        (experiments.difference, ({}, {}, ("Edema",), "nowhere.csv"), "no scores at"),
        (experiments.run, (None, "grid.csv"), "cells is None"),
        (experiments.run, ([], None), "out is None"),
        (experiments.Cell.complete, ({"percent": 200},), "at most 100"),
    ],
    "readers and papers": [
        (reader_study.make, ({"a": (GREY, GREY[:, :8, :8])},), "real films"),
        (reader_study.make, ({"a": (GREY, GREY[:0])},), "make no pair"),
        (reader_study.make, ({"a": (GREY, GREY)},), "a: 1 synthetic films are real ones too: expected two"),
        (reader_study.make, ({"a": (GREY / 2, GREY)},), "float64"),
    ],
    "figures": [
        (figures.films, {"images": GREY, "alt": ""}, "cannot see it"),
        (figures.films, {"images": GREY[:0], "alt": "none"}, r"\(0, 32, 32\)"),
        (figures.films, {"images": GREY, "titles": ["a"], "alt": "four"}, "1 titles for 4 films"),
        (figures.film_rows, ({}, "none"), "rows is empty"),
        (figures.grey, (np.zeros(3),), r"\(3,\)"),
        (figures.intervals, ({}, "AUROC", "none"), "estimates is empty"),
        (figures.intervals, ({"a": "b"}, "AUROC", "one"), "'b'"),
        (figures.intervals, (pd.DataFrame({"value": [1]}), "AUROC", "one"), "no column 'low'"),
        (figures.intervals, ({"a": 1}, "AUROC", ""), "cannot see it"),
        (figures.curves, ({}, "none"), "panels is empty"),
        (figures.curves, ({"a": [1]}, "one"), "panel 'a'"),
        (figures.heat_map, ([1], "%", "one"), "table is a list"),
        (figures.heat_map, (pd.DataFrame({"a": []}), "%", "none"), "table is empty"),
        (figures.bars, (None, "%", "none"), "table is a NoneType"),
        (figures.overview, (FRAME,), "no column 'view'"),
        (figures.label_values, ([1], "one"), "frame is a list"),
        (figures.value_counts, (FRAME[["path"]],), "No Finding"),
        (figures.films, {"images": GREY, "columns": 0}, "columns is 0"),
        (figures.film_rows, (None, "none"), "rows is a NoneType"),
        (figures.twins, ({}, "none"), "rows is empty"),
        (figures.overlays, (GREY, {}), "rows is empty"),
        (figures.against_chance, (pd.DataFrame({"value": [1]}), "%", "one"), "no column 'low'"),
        (figures.arms, (pd.DataFrame({"arm": ["none"]}), ["a"], "one"), "no column 'seed'"),
        (figures.gallery, ([], "none"), "pictures is a list"),
        (figures.before_and_after, (None, "none"), "rows is a NoneType"),
        (figures.trade_off, ({}, "none"), "points is empty"),
        (figures.spectra, ([FILMS], "one"), "sets is a list"),
        (figures.spectrum, (FILMS[0],), r"films is \(1, 32, 32\)"),
        (figures.spectrum, (BYTES,), "uint8"),
        (figures.vital_signs, ({}, "none"), "runs is empty"),
    ],
    "what outsiders tried": [
        (method(dcgan.DCGAN, "generate"), (0,), "n is 0"),
        (method(dcgan.DCGAN, "generate"), (-2,), "n is -2"),
        (method(dcgan.DCGAN, "generate"), ("3",), "n is '3'"),
        (method(dcgan.DCGAN, "generate"), (2.0,), "n is 2.0"),
        (method(dcgan.DCGAN, "generate"), (2, None), "seed is None"),
        (method(dcgan.DCGAN, "draw"), (torch.zeros(2, 7),), r"expected \(n, 100\)"),
        (method(flow.Flow, "generate"), (0,), "n is 0"),
        (method(flow.Flow, "generate"), {"n": 2, "steps": 0}, "steps is 0"),
        (flow.Flow, CPU | {"image_size": 20}, "image_size is 20"),
        (flow.Flow, CPU | {"width": 0}, "width is 0"),
        (method(classifier.DenseNet, "logits"), (GREY,), "ndarray"),
        (method(classifier.DenseNet, "logits"), (BYTES,), "torch.uint8"),
        (method(classifier.DenseNet, "predict"), (RGB,), r"expected \(B, 1, H, W\)"),
        (method(classifier.DenseNet, "predict"), (FILMS[:0],), "at least one"),
        (reader, (FILMS,), r"expected a tuple \(films, labels\)"),
        (star, (FILMS,), r"expected a tuple \(films, labels\)"),
        (unet, (FILMS,), r"expected a tuple \(degraded, clean\)"),
        (unet, ((FILMS, FILMS, FILMS),), "the batch has 3 parts"),
        (method(pix2pix.Pix2Pix, "restore"), (BYTES,), "torch.uint8"),
        (method(stargan.StarGAN, "translate"), (FILMS, [[1, 0]] * 4), "list"),
        (method(stargan.StarGAN, "translate"), (FILMS, torch.full((4, 2), NAN)), "nan"),
        (classifier.DenseNet, CPU | {"findings": "Edema"}, "'Edema'"),
        (classifier.DenseNet, CPU | {"findings": ["a", "a"]}, "each once"),
        (lesion_gan.LesionGAN, CPU | {"findings": "Edema"}, "a list of names"),
        (metrics.proportion, (1.5, 3), "whole numbers"),
        (metrics.ssim, (torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)), "11 px"),
        (metrics.auroc, (LABELS, SCORES, None), "patients is None"),
        (metrics.auroc, (SCORES, LABELS, PEOPLE), "scores only 0 and 1: swapped"),
        (metrics.auroc_by_group, (LABELS, SCORES, PEOPLE, None), "groups or patients is None"),
        (metrics.proportion, (7, 10.5), "n is 10.5: expected a whole number"),
        (metrics.psnr, (BYTES, FILMS), "restored is torch.uint8"),
        (metrics.ssim, (FILMS, FILMS * NAN), "clean holds nan"),
        (metrics.age_bands, (["067Y"],), "ages hold '067Y'"),
        (metrics.operating_point, (LABELS * 0, SCORES, 0.5), "0 of 4 films"),
        (metrics.realism_table, (FILMS, {}), "sets is empty"),
        (chexpert.split, (FRAME, (0.9, 0.05, NAN)), "fractions is nan"),
        (chexpert.split, (FRAME, ("a", "b", "c")), "fractions is 'a'"),
        (chexpert.labels, (FRAME, "ones", "zeros", "Fracture"), "expected a list of findings"),
        (chexpert.labels, (FRAME, ["ones"]), "choose one of"),
        (chexpert.labels, (pd.concat([FRAME, FRAME[["Edema"]]], axis=1),), "two columns 'Edema'"),
        (chexpert.box_masks, (BOXES, "a", 8), "paths is a str"),
        (training.shipped, ("dcgan",), "kind is 'dcgan': expected a class"),
        (training.load, ("dcgan", "nowhere"), "kind is 'dcgan': expected a class"),
        (session.films, (None, "no"), "simulated is 'no'"),
        (artifacts.record, ("auc", 0.7, 0.8, 0.6), "low is 0.8, above high"),
        (artifacts.record, ("auc", True), "got "),
        (metrics.auroc_by_group, (LABELS, SCORES, PEOPLE, ["F"]), "one of each a film"),
        (session.real_films, (0,), "size is 0"),
        (session.real_films, ("a",), "size is 'a'"),
        (session.real_films, (64, -1), "count is -1"),
        (slabs.ct, (0,), "n is 0"),
        (slabs.mr, (2, 64, 0, "dev"), "train, valid, test"),
        (figures.curves, ([1], "none"), "panels is a list"),
        (figures.bars, (pd.DataFrame(), "%", "none"), "table is empty"),
    ],
    "on another scale, or of another shape": [
        (gan, (FILMS + 200,), "images reach 200"),
        (gan, (FILMS * NAN,), "images hold nan"),
        (unet, ((FILMS, FILMS + 200),), "images reach 200"),
        (star, ((FILMS - 200, torch.zeros(4, 2)),), "images reach 200"),
        (reader, ((FILMS, torch.zeros(4, 14) - 1),), "-1"),
        (reader, ((FILMS, torch.zeros(4, 14) + 2),), "labels outside 0 to 1"),
        (method(classifier.DenseNet, "predict"), (FILMS + 200,), "images reach 200"),
        (method(classifier.DenseNet, "embed"), (FILMS[:, 0],), r"expected \(B, 1, H, W\)"),
        (method(classifier.DenseNet, "loss"), (FILMS, np.zeros((4, 14))), "labels is a ndarray"),
        (method(classifier.DenseNet, "loss"), (FILMS, torch.zeros(4, 3)), "3 columns"),
        (method(classifier.DenseNet, "calibrate"), (FILMS, torch.zeros(2, 14)), "2 rows of labels to 4"),
        (method(classifier.DenseNet, "begin"), (0, 1e-3), "steps is 0"),
        (method(classifier.DenseNet, "begin"), (10, -1), "rate is -1"),
        (classifier.DenseNet, CPU | {"emphasis": ("Flu",)}, "emphasis is 'Flu'"),
        (classifier.DenseNet, CPU | {"emphasis": "Edema"}, "expected a list of names"),
        (cam.pointing_game, (torch.full((4, 4, 4), NAN), FILMS[:, 0] + 1), "maps hold nan"),
        (cam.energy_inside, (torch.full((4, 4, 4), NAN), FILMS[:, 0] + 1), "maps hold nan"),
        (cam.dilate, ([1], 1), "masks is list"),
        (cam.dilate, (FILMS[0, 0], 1), r"masks is \(32, 32\)"),
        (shortcut.mark, (FILMS, [0, 1, 0, 1]), "expected a bool for each of 4 films"),
        (shortcut.mark, (FILMS, [True, False]), "expected a bool for each of 4 films"),
        (shortcut.mark, (BYTES, [True] * 4), "uint8"),
        (shortcut.letter, (4,), "size is 4"),
        (shortcut.planted, ([1, 7], 0), "labels is"),
        (reader_study.make, ({},), "sources is empty"),
        (reader_study.make, ({"a": (GREY, GREY)}, 0), "pairs is 0"),
        (reader_study.score, (PAIRS, ["L", "R"]), "'L' is not left or right"),
        (reader_study.agreement, (pd.DataFrame([["L"], ["R"]]),), "'L' is not left or right"),
        (
            reader_study.agreement,
            (pd.DataFrame({"Ada": ["left", "right"], "Bob": ["left", "left"]}),),
            "readers as columns: expected one row per reader",
        ),
        (reader_study.detail, (5,), "film is int"),
        (reader_study.by_rule, (PAIRS, "sharp"), "measure is 'sharp'"),
        (figures.grey, (FILMS + 200,), "images reach 200"),
        (figures.grey, (GREY + 200.0,), "films reach 200"),
        (figures.film_rows, ({"a": FILMS}, "four", ["a"]), "titles is a list"),
        (restoration.METHODS["median"], {"images": FILMS, "size": 0}, "size is 0"),
        (restoration.METHODS["nlm"], {"images": FILMS, "h": -1}, "h is -1"),
        (restoration.METHODS["wavelet"], {"images": FILMS, "shifts": 0.5}, "shifts is 0.5"),
        (chest_measures.measure, (None, None), "lungs is NoneType"),
        (chest_measures.measure, (GREY > 0, GREY[:2] > 0), "of the same films"),
        (chest_measures.cardiothoracic_ratio, (GREY, GREY), r"lungs is \(4, 32, 32\)"),
        (chest_measures.recess_depth, (None,), "lung is NoneType"),
        (chest_measures.outlines, (None, None), "masks is a NoneType"),
        (experiments.cells, {"arms": "none"}, "arms is 'none': expected a list"),
        (experiments.cells, {"percents": 5}, "percents is 5: expected a list"),
        (display.show_source, ("dcgan.DCGAN",), "not its name"),
        (display.diagram, ("picasso",), "no diagram 'picasso'"),
        (display.diagram, (["gan"],), r"no diagram \['gan'\]: choose among"),
        (display.diagram_html, (None,), "path is None: expected the name of a file"),
        (display.say, (None,), "text is None: expected words"),
        (display.say, ("found", "yes"), "finding is 'yes': expected True or False"),
        (display.show_source, (len,), "len.* has no source in Python"),
        (real_films.card, (3,), "asset is 3: expected the name of a file or folder"),
        (real_films.unpack, ("nowhere",), "no card.json in nowhere"),
        (images.signed_to_uint8, (FILMS + 200,), "images reach 200"),
        (images.grey_films, (FILMS + 200,), "images reach 200"),
        (images.signed_batch, (np.zeros((64, 64, 3), np.uint8),), r"\(64, 64, 3\)"),
        (method(flow.Flow, "draw"), (torch.zeros(4, 1, 64, 64),), "made for 32"),
        (stargan_trial.twins, ("Flu", 3), "finding is 'Flu'"),
        (lesion_gan.cut, (FILMS, torch.full((4, 2), 0.5), 16), "expected pixels"),
        (lesion_gan.cut, (FILMS, torch.full((4, 2), 500.0), 16), "centres reach 500.0: expected pixels of"),
        (training.save, (model(dcgan.DCGAN), "folder", "mine"), "card is 'mine': expected a dict"),
        (chexpert.read, (Path(__file__).parent,), "is a folder: expected a label table in it"),
    ],
    "labels, batches and curves": [
        (star, ((FILMS, torch.full((4, 2), -1.0)),), "-1"),
        (method(stargan.StarGAN, "translate"), (FILMS, torch.full((4, 2), 7.0)), "labels outside 0 to 1"),
        (stargan.balanced, (np.eye(3), 0), "expected a DataFrame of findings"),
        (training.diagnose, (pd.DataFrame({"step": range(6)}),), "expected losses"),
        (training.diagnose, (pd.DataFrame({"d_real": [0.5] * 6}),), "both, or neither"),
        (training.diagnose, ({"loss": list("abcdef")},), "text in loss: expected numbers"),
        (training.shipped, (dcgan.DCGAN, 3), "name is 3"),
        (training.shipped, (dcgan.DCGAN, None, "64"), "image_size is '64'"),
        (images.Batches, (GREY, 2.5, 0, "cpu", FRAME), "batch_size is 2.5"),
        (images.Batches, (GREY, "4", 0, "cpu", FRAME), "batch_size is '4'"),
        (images.Batches, (GREY, 4, -1, "cpu", FRAME), "seed is -1"),
        (images.Batches, (GREY, 4, 0, "cpu", LABELS), "labels is a ndarray"),
        (images.Batches, (GREY, 4, 0, "cpu", FRAME), "store is .*: expected an ImageStore"),
        (images.Batches, (GREY, 10**12, 0, "cpu", FRAME), "batch_size is 1.*: expected 1 to 1000000"),
        (images.Batches, (GREY, 4, 0, 77, FRAME), 'device is "cuda:77", and this machine has none'),
        (images.ImageStore, (FRAME, ".", 64, "no"), "skip_bad is 'no'"),
        (images.uint8_to_signed, (FILMS,), "converted before?"),
        (images.unit_to_signed, (GREY + 200.0,), "reach 200"),
        (images.signed_to_unit, (GREY + 200.0,), "reach 200"),
        (images.signed_to_xrv, (GREY,), "images is uint8"),
        (chexpert.labels, (FRAME.assign(Edema=2.0),), "Edema is 2.0 in a row"),
        (chexpert.labels, (FRAME.assign(Edema="positive"),), "Edema is 'positive' in a row"),
        (chexpert.split, (FRAME.assign(patient=[None, "b", "c", "d"]),), "1 rows have no patient"),
        (chexpert.regimen, (FRAME.assign(patient=[None, "b", "c", "d"]), 50), "1 rows have no patient"),
        (chexpert.box_masks, (BOXES, FRAME, 8), "paths is a DataFrame"),
        (artifacts.record, ("auc\nb", 0.7), "expected words"),
        (artifacts.write_json, ("x.json", {"auc": torch.tensor(0.7)}), "x.json cannot hold this"),
    ],
    "activation maps": [
        (cam.activation_map, (NoModel(), FILMS, "Edema"), "reads no findings"),
        (cam.upsample, (GREY, 8), r"maps is|expected"),
        (cam.upsample, (FILMS[:, 0], 0), "size is 0"),
        (cam.dilate, (FILMS[:, 0], -1), "reach is -1"),
        (cam.pointing, (None, FILMS[:, 0]), "maps is None"),
        (cam.energy_inside, ("map", FILMS[:, 0]), "maps is 'map'"),
        (cam.localisation, (FILMS[:, 0], "mask"), "masks is 'mask'"),
        (cam.agreement, (FILMS[:, 0], FILMS[:2, 0]), "two of each film"),
        (cam.agreement, (None, FILMS[:, 0]), "first is NoneType"),
        (reader_study.pairs_needed, (0.5,), "more than 0.51 and at most 1"),
        (cam.pointing_game, (torch.zeros(2, 4, 4), torch.zeros(3, 32, 32, dtype=torch.bool)), "2"),
        (cam.pointing_game, (torch.zeros(2, 4, 4), torch.zeros(2, 32, 32, dtype=torch.bool)), "no film with"),
        (cam.upsample, (FILMS[:, 0], 10**12), "size is 1000000000000: expected 1 to 4096"),
        (cam.dilate, (FILMS[:, 0], 10**12), "reach is 1000000000000"),
        (cam.beside_chance, (None,), "scores is None: expected {finding"),
        (cam.beside_chance, ({"Edema": None},), "Edema is a NoneType"),
        (cam.who_points, ({},), "scores is empty"),
        (cam.depends_on_learning, ({"random": "low"},), "random is 'low': expected a number"),
    ],
    "what a second outsider tried": [
        (dcgan.DCGAN, SMALL | {"recipe": "SMALL"}, "recipe is 'SMALL': expected PAPER, SMALL"),
        (pix2pix.Pix2Pix, SMALL | {"settings": "REPAIR"}, "settings is 'REPAIR': expected PAPER, DRAW"),
        (stargan.StarGAN, SMALL | {"recipe": "SMALL"}, "recipe is 'SMALL': expected PAPER, SMALL"),
        (stargan_robust.Lessons, (GREY, np.zeros((3, 5)), 4), "4 films and 3 rows of labels"),
        (stargan_robust.Lessons, (GREY, np.zeros((4, 5)), 4.5), "size is 4.5: expected a whole number"),
        (diffaugment.blur, (FILMS, -1), "sigma is -1: expected more than 0"),
        (stargan_robust.lesson_rows, (-2, 0), "count is -2"),
        (stargan_robust.Examiner, CPU | {"findings": 0}, "findings is 0: expected 1 to 1000"),
        (method(stargan_robust.RobustStarGAN, "translate"), (FILMS, torch.eye(4), -4), "seed is -4"),
        (method(stargan_robust.RobustStarGAN, "translate"), (FILMS, torch.eye(4), 0, 0), "part is 0"),
        (lesion_gan.copy_paste, (FILMS, FILMS[:3], MIDDLES[:3], MIDDLES), "4 negatives, 3 positives"),
        (lesion_gan.add_blob, (FILMS, MIDDLES, torch.tensor([-3.0] * 4), 0.5), "radii is .*0 or more"),
        (lesion_gan.box_centres, (BOXES, "64"), "size is '64'"),
        (lesion_gan.Squares, (FILMS, {"Edema": ([0], [[3, 3]])}, [1]), "the classes by number"),
        (method(lesion_gan.LesionGAN, "draw"), (FILMS, "Edema", [[9, 9]] * 4), "centres is list"),
        (flow.follow, (FILMS, len, 3), "velocity is a Tensor: expected a function"),
        (flow.waves, (0.5,), "t is 0.5: expected a tensor of times"),
        (restoration.consistent, (FILMS, FILMS, 0.5), "kspace is torch.float32, not complex"),
        (restoration.consistent, (FILMS, FILMS, -1), "trust is -1: expected 0 or more"),
        (degradation.cartesian_mask, (64, 4), r"shape is 64: expected \(H, W\)"),
        (degradation.radial_mask, ((64,), 5), r"shape is \(64,\): expected \(H, W\)"),
        (degradation.quantum_noise, (FILMS, 100, 0), "generator is 0: expected torch.Generator"),
        (degradation.to_kspace, (GREY,), "images is a ndarray: expected a tensor"),
        (diffaugment.diff_augment, (BYTES, torch.Generator()), "x is torch.uint8: expected floats"),
        (diffaugment.diff_augment, (FILMS, None), "rng is None: expected torch.Generator"),
        (local_contrast.LocalContrast(), (BYTES,), "films are torch.uint8"),
        (local_contrast.LocalContrast(), (FILMS[:, 0],), r"\(4, 32, 32\): expected floats"),
        (augmentation.contrast, (FILMS, "2"), "the amount is '2': expected numbers"),
        (augmentation.Augmented, ([FILMS],), "batches is a list: expected batches with seek"),
        (cam.who_points, ({"Edema": 0.5},), "Edema is a float"),
        (cam.beside_chance, ({}, "hits"), "score is 'hits': choose one of hit, energy"),
        (metrics.mean_interval, ([0.5, NAN, 0.7],), "1 of 3 values are nan"),
        (metrics.auroc, (LABELS, SCORES, [NAN] * 4), "4 of 4 patients are blank"),
        (metrics.gap, (0.7, 0.8), "first is 0.7: expected an estimate"),
        (metrics.age_bands, ([-5, 300],), "ages hold -5: expected years, 0 to 130"),
        (metrics.kid, (FILMS.repeat(9, 1, 1, 1) + 99, FILMS.repeat(9, 1, 1, 1)), "real reach 99"),
        (metrics.features, (FILMS, None), "unknown feature space None"),
        (metrics.features, (FILMS, lambda films: 3), "what space returns is int"),
        (metrics.diversity, ([1, 2],), r"found \(2,\)"),
        (metrics.gap_in_words, ("sex", None), "table is a NoneType"),
        (metrics.interval, ("a", [1, 2]), "value is 'a': expected numbers"),
        (stargan_trial.wish, ("Effusion", ["Edema", "Fracture"], 3), "choose one of Edema, Fracture"),
        (stargan_trial.wish, ("Edema", "Edema", 3), "findings is 'Edema': expected a list"),
        (stargan_trial.overlap, ([], []), "0 numbers beside 0"),
        (stargan_trial.mean_of, ([],), "values is empty"),
        (stargan_trial.strangers, (None, "Edema", ["Edema"], 3), "films is None: expected a data set"),
        (chest_measures.measure, (GREY / 2, GREY / 2), "lungs is float64: expected bool"),
        (chest_measures.cardiothoracic_ratio, (GREY[0] / 2, GREY[0] / 2), "expected bool"),
        (paper_faults.features, (GREY / 2,), "films are float64: expected uint8"),
        (paper_faults.benches, (FRAME, np.zeros((4, 14)), 2), r"labels is \(4, 14\)"),
        (paper_faults.SmallNetwork, (0,), "findings is 0"),
        (paper_faults.near_copies, (GREY, -3, None), "count is -3"),
        (paper_faults.size, (0.1,), "estimate is 0.1: expected an estimate"),
        (shortcut.planted, (np.zeros((4, 2)), 0), r"labels is \(4, 2\)"),
        (classifier.finding_weights, ("Edema",), "findings is 'Edema'"),
        (classifier.one_cycle, (0,), "steps is 0"),
        (reader_study.make, ({"a": (GREY,)},), "expected two sets of films"),
        (reader_study.read_answers, ("ada.csv", PAIRS), "files is 'ada.csv': expected a list"),
        (reader_study.read_answers, ([], PAIRS), "files is empty"),
        (reader_study.read_answers, (["/nowhere.csv"], PAIRS), "nowhere.csv is no file"),
        (reader_study.read_answers, (["/"], PAIRS), "is no file"),
        (reader_study.score, (PAIRS, pd.DataFrame(LEFT)), "answers is .*: expected a list of left or right"),
        (reader_study.score, (PAIRS, None), "answers is None"),
        (reader_study.write_answers, ("a.csv", PAIRS, "", LEFT), "reader is '': expected words"),
        (reader_study.write_answers, ("a.csv", PAIRS, "Ada", LEFT[:1]), "1 answers to a test of 2 pairs"),
        (reader_study.verdict, (reader_study.score(PAIRS, LEFT),), "expected one row"),
        (reader_study.ask, ("test",), "test is 'test': expected a test"),
        (reader_study.form, (None,), "test is None: expected a test"),
        (figures.curves, ({"loss": {"G": [1, 2, 3]}}, "one"), r"line 'G': expected \(steps, values\)"),
        (figures.heat_map, (pd.DataFrame({"a": ["x"]}), "%", "one"), "table is .*: expected numbers"),
        (figures.bars, (pd.DataFrame({"a": ["x"]}), "%", "one"), "table is .*: expected numbers"),
        (figures.overlays, (FILMS, {"m": FILMS[:3, 0]}), "m: 3 maps for 4 films"),
        (figures.show, (None, "none"), "fig is None: expected a figure"),
        (figures.trade_off, ({"a": 3}, "one"), r"a: expected \(x, y\)"),
        (paragraphs.leak, (pd.DataFrame({"a": [1]}), True), "no column 'split by film'"),
        (paragraphs.distance, (pd.DataFrame({"value": [1], "low": 0, "high": 2}),), "no row 'real: other"),
        (paragraphs.difference, (0.03,), "estimate is 0.03: expected an estimate"),
        (paragraphs.untrained, ("many", 0.5, 0.7), "weights is 'many'"),
        (paragraphs.operating, (0.5,), "point is 0.5: expected a metrics.OperatingPoint"),
        (paper_faults.what_the_winner_loses, ({25: 0.1},), "expected an estimate"),
        (reader_study.verdicts, ({"Ada": 5}, None), "expected one row"),
        (paragraphs.calibration, ({"a": 1},), "errors is a dict: expected a DataFrame"),
        (repair_trial.by_heart, (0.1, "0.2"), "new is '0.2': expected a number"),
        (repair_trial.detail, (GREY,), r"films is \(4, 32, 32\)"),
        (repair_trial.sharpness, (GREY,), r"images is \(4, 32, 32\)"),
        (repair_trial.best_trust, (None, None), "bench is None: expected a Bench"),
        (repair_trial.lead, ("xray", "tv", {"SSIM": 1}), r"found has no 'PSNR \(dB\)'"),
        (repair_trial.Lesions, ({}, 64, 0), "methods is empty"),
        (real_trial.restorer_verdict, ("x",), "table is a str: expected a DataFrame"),
        (real_trial.copies, ({"fake": 1},), "memory has no 'held_out'"),
        (restorers.Pairs, (None,), "bench is None: expected a Bench"),
        (restorers.doubled, (GREY,), r"images is \(4, 32, 32\)"),
        (restorers.xray, (None, 2, 2, 2), "films is None: expected a data set"),
        (dcgan.discriminator_loss, (torch.zeros(2), torch.zeros(3), "relativistic"), "real is"),
        (dcgan.generator_loss, (torch.zeros(2), "relativistic"), "real is NoneType"),
        (pix2pix.discriminator_loss, (torch.zeros(2), 1), "fake is a int: expected a tensor of floats"),
        (method(dcgan.DCGAN, "slope"), (FILMS[0],), r"films is \(1, 32, 32\)"),
        (films_of.only, ("Lesion", 3), "finding is 'Lesion'"),
        (films_of.join, (), "no films to join"),
        (films_of.Films, (GREY, np.zeros((4, 14))), "labels is a ndarray: expected a DataFrame"),
        (experiments.run, ([], "grid.csv", "fifo"), "scheduler is 'fifo'"),
        (experiments.name, ("none",), "cell is 'none': expected a Cell"),
        (training.EMA, (NoModel(),), "network is .*: expected a network"),
        (training.what_curves_say, ({"a": "healthy"},), "verdicts is {'a': 'healthy'}: expected a Series"),
        (session.start, ("03-dcgan", "smoke", "chexpert", 3), "data_root is 3"),
    ],
    "what a third outsider tried: files": [
        (artifacts.write_csv, ("a.csv", None), "table is None: expected a DataFrame"),
        (artifacts.write_csv, ("a.csv", []), r"table is \[\]"),
        (artifacts.write_csv, ("a.csv", [1]), r"table is \[1\]"),
        (reader_study.ask, (PAIRS, "/path/page"), "name is '/path/page': expected a name"),
        (reader_study.ask, (PAIRS, "../.."), r"name is '../..': expected a name"),
        (reader_study.write_answers, ("a.csv", PAIRS, "Bob", ["links", "left"]), "'links' is not left"),
    ],
    "what passed in silence": [
        (session.start, (3, "smoke"), "notebook is 3: expected words"),
        (session.start, ("03", "smoke", "chexpert", "/no/such"), "/no/such does not exist. CheXpert"),
        (artifacts.record, {"name": "auc", "value": 0.8, "n": "many"}, "n is 'many'"),
        (artifacts.record, {"name": "auc", "value": {"a": 0.8}, "n": {"a": -1}}, "n is -1"),
        (artifacts.record, {"name": "auc", "value": 0.8, "unit": 5}, "unit is 5"),
        (chexpert.box_masks, (BOXES.assign(x=120, width=300), ["a"], 64), "not pixels"),
        (images.signed_to_xrv, (FILMS + 200,), "images reach 200"),
        (augmentation.contrast, (FILMS + 200, 1.2), "images reach 200"),
        (augmentation.rotate, (FILMS + 200, 1.2), "images reach 200"),
        (augmentation.Augmentation(), (FILMS * NAN, torch.Generator()), "images hold nan"),
        (dcgan.discriminator_loss, (torch.zeros(2), torch.zeros(2), "Hinge"), "kind is 'Hinge'"),
        (dcgan.generator_loss, (torch.zeros(2), "wasserstein"), "kind is 'wasserstein'"),
        (stargan.StarGAN, SMALL | {"pretrain": -5}, "pretrain is -5"),
        (flow.Flow, CPU | {"learning_rate": (1e-3, 1e-3)}, "learning_rate is"),
        (dcgan.DCGAN, SMALL | {"penalty": -1.0}, "penalty is -1"),
        (dcgan.DCGAN, SMALL | {"augment": "yes"}, "augment is 'yes': expected True or False"),
        (pix2pix.Pix2Pix, SMALL | {"dropout": 50}, "dropout is 50: expected 0 to 1"),
        (pix2pix.Pix2Pix, SMALL | {"l1": NAN}, "l1 is nan"),
        (stargan.StarGAN, SMALL | {"cycle_weight": -10}, "cycle_weight is -10"),
        (stargan_robust.RobustStarGAN, CPU | {"settings": {"change_weight": "much"}}, "change_weight is"),
        (lesion_gan.LesionGAN, CPU | {"findings": ["a"], "recipe": {"class_weight": -1}}, "class_weight"),
        (restorers.improve, (Restorer(), FILMS - 0.5), r"expected \[0, 1\], found \[-0.5"),
        (restorers.doubled, (FILMS - 0.5,), r"found \[-0.5"),
        (method(pix2pix.Pix2Pix, "restore"), (FILMS + 200,), "images reach 200"),
        (method(stargan.StarGAN, "translate"), (FILMS + 200, torch.zeros(4, 2)), "images reach 200"),
        (method(stargan_robust.RobustStarGAN, "translate"), (SQUARES + 200, torch.zeros(4, 2)), "reach 200"),
        (method(lesion_gan.LesionGAN, "draw"), (SQUARES + 200, "Edema", MIDDLES), "images reach 200"),
        (lesion_gan.marks_of, (np.zeros((3, 32, 32), bool),), "3 of 3 masks are empty"),
        (metrics.psnr, (FILMS - 1, FILMS), r"restored images in \[0, 1\], found \[-1.00"),
        (metrics.ssim, (FILMS + 2, FILMS), r"found \[2.00"),
        (metrics.mean_interval, ([float("inf"), 30, 31],), "1 of 3 values are nan or infinite"),
        (cam.pointing_game, (torch.zeros(4, 8, 8), FILMS[:, 0] + 0.3), "more than 0 and 1"),
        (cam.energy_inside, ((GREY > 0).astype(float), np.full((4, 8, 8), 0.3)), "are they the maps"),
        (films_of.Films, (GREY, FRAME[chexpert.FINDINGS][:3]), "4 films and 3 labels"),
        (sentences.against, (pd.DataFrame(), "lesiongan"), "arm is 'lesiongan': choose one of none"),
        (sentences.gains, (pd.DataFrame(), "gan"), "arm is 'gan'"),
        (sentences.finished_arms, (pd.DataFrame(), ["lesiongan"]), "arms is 'lesiongan'"),
        (repair_trial.drawings, (FILMS, {}), "drawn is empty"),
        (paper_faults.out_of_fold, (None, None, "patients"), "by is 'patients': choose one of film"),
        (stargan_trial.removal, (STRANGERS, FILMS), "case is of strangers"),
        (stargan_trial.variety, (STRANGERS, FILMS), "case is of strangers"),
        (stargan_robust.Lessons, (GREY, np.ones((4, 5)), 4, 0, True), "for halves others without"),
    ],
    "what nobody could read": [
        (chexpert.labels, {"frame": FRAME, "unlabelled": None}, "unlabelled is None"),
        (images.Batches, (GREY, 4, 0, "gpu", FRAME), "device is 'gpu'"),
        (images.decode, ("a.png", "32"), "size is '32'"),
        (augmentation.Augmented, (Seekable(), "strong"), "augmentation is 'strong'"),
        (
            restoration.tune,
            {"modality": "xray", "degraded": FILMS, "clean": FILMS, "names": "nlm"},
            "a list of names",
        ),
        (restoration.tune, ("pet", FILMS, FILMS), "modality is 'pet'"),
        (degradation.motion_blur, (FILMS, 3.0, 0), "generator is 0: expected torch.Generator"),
        (dcgan.DCGAN, SMALL | {"learning_rates": 2e-4}, "learning_rates is 0.0002: expected two numbers"),
        (dcgan.DCGAN, SMALL | {"learning_rates": ("a", 1)}, "learning_rates is 'a'"),
        (pix2pix.Pix2Pix, SMALL | {"learning_rate": (2e-4, 2e-4)}, "learning_rate is"),
        (method(flow.Flow, "generate"), {"n": 2, "steps": "4"}, "steps is '4'"),
        (restorers.repair, (Restorer(), NAMED, "validation"), "part is 'validation': choose one of valid"),
        (method(stargan_robust.RobustStarGAN, "translate"), (FILMS, np.zeros((4, 2))), "labels is a ndarray"),
        (classifier.DenseNet, CPU | {"findings": 5.0}, "findings is 5.0"),
        (classifier.finding_weights, (["Fracture"], None), "emphasis is None: expected a list"),
        (training.save, ("folder", model, {}), "model is 'folder': expected a model"),
        (cam.who_reads, ({"Edema": 0.8},), "Edema is 0.8: expected an estimate"),
        (cam.believes, ("Edema", [0.5], [1.5], [0.5]), "after is .*: expected 0 to 1"),
        (stargan_trial.may_judge, ({"Edema": 0.8},), "Edema is 0.8: expected an estimate"),
        (films_of.Films(GREY, FRAME[chexpert.FINDINGS]).positives, ("fracture",), "finding is 'fracture'"),
        (experiments.run, ([], "/"), "/ is a folder: expected the name of a csv"),
        (real_cells.cells, {"arms": "none"}, "arms is 'none': expected a list"),
        (real_cells.Cell, ("none", "0", 0), "fold is '0'"),
        (real_cells.Cell, ("none", 5, 0), "fold is 5: expected 0 to 4"),
        (real_cells.Cell, ("none", 0, 0, "train"), "part is 'train'"),
        (
            verdicts.differences,
            (pd.DataFrame({"percent": [1], "arm": "a", "seed": 0}),),
            "no column 'resamples'",
        ),
        (figures.spectra, (dict.fromkeys("abcdefghij", FILMS), "ten"), "10 sets: expected at most"),
        (figures.vital_signs, ({"flow": pd.DataFrame({"step": [1], "loss": 1})}, "a"), "no column 'd_real'"),
        (figures.twins, ({"Edema": (GREY[0], GREY[0])}, "one"), r"Edema: expected \(film, twin, mask\)"),
        (paragraphs.gap, ({"without": [1, 2], "with": [1, 2]},), "without is"),
        (paragraphs.gap, ({"without": [(1, 2, 3)]},), "curves has no 'with'"),
        (cam.who_points, ([("Edema", 1)],), r"scores is \[.*localisation"),
        (own.checklist, ({"none": 0.7}, None, 1), "found is .*: expected what own.run found"),
        (own.table, ({"none": 0.7},), "expected what own.run found"),
        (own.looks, (FRAME,), "films is .*: expected a data set"),
        (paper_faults.benches, (FRAME, LABELS[:3], 2), "3 labels for 4 films"),
        (paper_faults.skill, (paper_faults.Data(*[None] * 4), {"train": [0]}), "expected a Bench"),
        (paper_faults.features, (np.zeros((3, 8, 8), np.uint8),), r"\(8, 8\) pixels: expected at least 16"),
        (real_trial.skill, (NoModel(), None), "network is .*: expected a classifier"),
        (repair_trial.discriminator_effect, ("xray", None, {}, (1, 1)), "diagnosis is None"),
        (repair_trial.sharp_and_right, (DRAWN, {}), "table has no row 'D alone'"),
        (repair_trial.held_by_l1, (DRAWN,), "table has no row 'D alone'"),
        (repair_trial.realism, (KIDS,), r"no row \('imagenet', 'pix2pix'\)"),
        (restorers.unit, (GREY, 2.5), "count is 2.5"),
        (restorers.start, ("MR", FILMS, None), "modality is 'MR'"),
        (artifacts.committed, ("../../gate.csv",), "expected a name of letters"),
        (cam.depends_on_learning, ({},), "agreements is empty"),
        (repair_trial.helped, ({}, None, 5, {}, 36), "gains is empty"),
        (repair_trial.tuned_how, ({}, 36), "late has no 'degraded'|late is empty"),
        (repair_trial.critics_weight, ({"xray": 0.0},), "xray is 0.0"),
        (repair_trial.elsewhere, ({"dose": 5}, "100", 32), "dose is 5: expected an estimate"),
        (repair_trial.tuning_steps, (None,), "profile is None: expected a profile"),
        (display.show_settings, (pix2pix, ["BESIDES"]), "pix2pix sets no BESIDES: it sets SIZES"),
        (display.show_settings, ("pix2pix", ["BESIDE"]), "module is 'pix2pix': expected a module"),
        (shortcut.verdict, ({"cheat": 1}, {}), "scores has no 'honest'"),
        (paper_faults.what_the_bench_reads, ({"Edema": 0.7},), "Edema is 0.7: expected an estimate"),
        (restorers.go_on, (NoModel(), NAMED, 1), "unet is .*: expected a Pix2Pix"),
        (method(dcgan.DCGAN, "draw"), ([[0.0] * 100],), "z is list: expected a tensor"),
        (flow.between, (FILMS, FILMS, 0.5), "t is float"),
        (stargan.balanced, (FRAME, 0), "the columns of findings alone"),
        (restoration.consistent, (FILMS, torch.zeros(4, 1, 8, 8, dtype=torch.complex64), 1.0), "kspace is"),
    ],
    "figures, cell by cell": [
        (
            figures.films,
            {"images": GREY, "titles": [1, 2, 3, 4], "alt": "four"},
            "titles is 1: expected",
        ),
        (figures.film_rows, ({"a": FILMS}, "four", {"a": 5}), "a is 5: expected a list"),
        (figures.grey, (RGB,), r"films are \(4, 3, 32, 32\): expected \(n, 1, h, w\)"),
        (figures.grey, (GREY.astype(str),), "expected films"),
        (figures.twins, ({"Edema": None}, "one"), r"Edema: expected \(film, twin, mask\)"),
        (
            figures.twins,
            ({"a": (GREY[0], GREY[0, :4], GREY[0] > 0)}, "one"),
            "a: expected film, twin",
        ),
        (figures.neighbours, (FILMS, FILMS, "four", ("one",)), "labels is .*: expected two"),
        (figures.intervals, ({"a": 1}, 5, "one"), "unit is 5: expected words"),
        (figures.intervals, ({"a": 1}, "AUROC", "one", [1]), "reference is a list"),
        (figures.intervals, ({"a": 1}, "AUROC", "one", {"r": "x"}), "r is 'x': expected a number"),
        (figures.intervals, {"estimates": {"a": 1}, "unit": "u", "alt": "one", "size": 5}, "size is 5"),
        (figures.intervals, {"estimates": {"a": 1}, "unit": "u", "alt": "one", "size": (0, 1)}, "size is 0"),
        (figures.draw_intervals, (None, FRAME, "u"), "axis is None: expected an axis"),
        (figures.curves, ({"a": {"l": ([1, 2], [1])}}, "one"), "line 'l': 2 steps and 1 values"),
        (figures.curves, ({"a": {"l": (["x"], ["y"])}}, "one"), "line 'l' is .*: expected numbers"),
        (figures.curves, ({"a": dict.fromkeys("abcdefghijk", ([1], [1]))}, "one"), "panel 'a' has 11 lines"),
        (figures.curves, {"panels": {"a": {"l": ([1], [1])}}, "alt": "a", "xlabel": ["x", "y"]}, "xlabel is"),
        (figures.toy_game, (SCORES, SCORES, [], "none"), "snapshots is empty"),
        (figures.toy_game, (SCORES, SCORES, [(1, 2)], "one"), "snapshots holds .*: expected"),
        (figures.toy_game, (SCORES, SCORES[:2], [(1, SCORES, SCORES)], "one"), r"lengths \[2, 4\]"),
        (figures.overlays, (FILMS, {"m": FILMS}), r"m is \(4, 1, 32, 32\): expected"),
        (figures.overlays, (FILMS, {"m": FILMS[:, 0]}, GREY[:3]), "masks: 3 maps for 4 films"),
        (figures.arms, (pd.DataFrame({"arm": ["a"], "seed": 0, "s": 1}), ["s"], "one"), "the arm none"),
        (figures.arms, (pd.DataFrame({"arm": ["none"], "seed": 0}), ["s"], "one"), "no column 's'"),
        (figures.canvas, (0,), "rows is 0"),
        (figures.canvas, (1, 1, "big"), "size is 'big'"),
        (figures.gallery, ({"a": "x"}, "one"), "a is 'x': expected numbers"),
        (figures.gallery, ({"a": GREY[0], "b": GREY[0, :8, :8]}, "two"), "expected one size"),
        (figures.before_and_after, ({"a": {"clean": GREY[0]}}, "one"), "a has no 'degraded'"),
        (figures.method_scores, (DRAWN, "one"), r"table has no column 'PSNR \(dB\)'"),
        (figures.trade_off, ({"a": ("x", "y")}, "one"), "a is .*: expected numbers"),
        (figures.spectrum, (FILMS[..., :8],), "expected square films"),
        (figures.vital_signs, ({c: CURVE for c in "abc"}, "three"), "3 runs: expected at most 2"),
        (figures.vital_signs, ({"a": CURVE.astype(str)}, "one"), "a, column 'step', is .*: expected numbers"),
        (
            figures.overview,
            (FRAME.assign(view="PA", sex="Male", age="old"),),
            "column .age.*expected",
        ),
        (figures.value_counts, (FRAME.assign(Edema="yes"),), "column 'Edema'.*expected numbers"),
        (figures.bars, (pd.DataFrame([range(11)]), "%", "one"), "table has 11 columns"),
        (figures.heat_map, (pd.DataFrame(index=[0]), "%", "one"), "table has no columns"),
    ],
    "paragraphs, readers, the letter": [
        (paragraphs.leak, (SPLITS.astype(str), True), "column 'split by film'.*expected numbers"),
        (paragraphs.leak, (SPLITS, "yes"), "patients_have_one_film is 'yes': expected True or False"),
        (paragraphs.gap, ({"without": [(1, 2)], "with": [(1, 2)]},), r"without is \(1, 2\): expected rows"),
        (paragraphs.gap, ({"without": [list("abc")], "with": [(1, 2, 3)]},), "without is .*expected numbers"),
        (paragraphs.calibration, (pd.DataFrame({"before": ["a"], "after": ["b"]}),), "expected numbers"),
        (
            reader_study.make,
            ({"a": (GREY, GREY + 1), "b": (GREY[:, :8, :8], GREY[:, 8:16, :8] + 1)},),
            "expected one size",
        ),
        (reader_study.real_round, (0,), "pairs is 0"),
        (reader_study.real_round, (2, "x"), "seed is 'x'"),
        (reader_study.read_answers, ([None], PAIRS), "files is None: expected the name of a file"),
        (reader_study.detail, (GREY[0].astype(str),), "film is .*: expected numbers"),
        (reader_study.by_rule, (None, len), "test is None: expected a test"),
        (reader_study.by_rule, (PAIRS, lambda film: "x"), "what measure returns is 'x'"),
        (reader_study.by_coin, (None,), "test is None: expected a test"),
        (reader_study.by_coin, (PAIRS, "x"), "seed is 'x'"),
        (reader_study.widget, ("test",), "test is 'test': expected a test"),
        (reader_study.verdict, (None,), "row is None: expected one row"),
        (reader_study.verdict, ({"hits": 1},), "row has no 'n'"),
        (shortcut.letter, (10**12,), "size is 1000000000000: expected 16 to 4096"),
        (shortcut.mark, (RGB, [True] * 4), "of one channel"),
        (shortcut.mark, (FILMS, None), "which is None: expected a bool"),
        (shortcut.around, (32, None), "count is None"),
        (shortcut.around, (32, -1), "count is -1"),
        (shortcut.train_pair, (None, "Edema", 1, 4, "narrow", 0), "films is None: expected Films"),
        (shortcut.train_pair, (POSITIVES, "Edema", 0, 4, "narrow", 0), "steps is 0"),
        (shortcut.exam, ({"cheat": None}, FILMS, LABELS, PEOPLE, 0), "cheat is None: expected a classifier"),
        (shortcut.exam, ({}, FILMS, LABELS, PEOPLE, 0), "pair is empty"),
        (shortcut.places, ([], FILMS, "Edema"), "pair is a list"),
        (shortcut.verdict, ({"cheat": 5, "honest": 5}, {}), "cheat is a int"),
    ],
    "experiments, part by part": [
        (films_of.pool, (0, 32), "films is 0"),
        (films_of.pool, (10**12, 32), "films is 1000000000000"),
        (films_of.patients_with, (3, 32, -1), "seed is -1"),
        (films_of.test_pool, ("three", 32), "test is 'three'"),
        (films_of.parts, (FRAME, 0, 0, 3), "percent is 0"),
        (films_of.take, (None, FRAME), "source is None: expected a Pool"),
        (films_of.join, (FRAME,), "what is joined is .*expected Films"),
        (films_of.Films, (FILMS, FRAME), r"films is \(4, 1, 32, 32\): expected"),
        (arms.added, ({}, {}), "cell is {}: expected a Cell"),
        (arms.duplicate, (CELL, {"train": None}), "films has no 'valid'"),
        (arms.in_turn, ([], 3, 0), "choices is empty"),
        (arms.findings_of, (FRAME,), "real is .*: expected Films"),
        (arms.train_stargan, (POSITIVES, "Edema", 3, 0), "findings is 'Edema'"),
        (trial.run_cell, ({},), "cell is {}: expected a Cell"),
        (trial.train_classifier, ([], 0, "narrow", 0), "steps is 0"),
        (trial.score, (LABELS, SCORES, PEOPLE), r"labels is \(4,\)"),
        (real_cells.Cell, ("none", 0, 0, "test", 0), "steps is 0: expected 1 or more"),
        (real_cells.run_cell, ({},), "cell is {}: expected a Cell of real_cells"),
        (real_cells.fold_of, ("a",), "patients is 'a': expected a list"),
        (real_cells.begin, (None,), "cell is None: expected a Cell of real_cells"),
        (real_results.holm, (["a"],), "values is .*: expected numbers"),
        (real_results.holm, ([7.0],), "expected 0 to 1"),
        (real_results.p_value, (np.array([NAN]),), "differences holds no number"),
        (real_results.summary, (None, {}, []), "labels is a NoneType"),
        (real_results.verdict, (FRAME,), "summary has no column 'arm'"),
        (real_results.progress, (None,), "summary is a NoneType"),
        (verdicts.read, (None,), "out is None"),
        (verdicts.read_earlier, ("nowhere.csv", 450), "csv is nowhere.csv: no such table"),
        (verdicts.differences, (RUNS, [("gan", "none")]), "pairs is 'gan'"),
        (verdicts.holm, (["a"],), "p is .*: expected numbers"),
        (verdicts.verdict, ({"first": "a"},), "row has no 'second'"),
        (verdicts.gaps, (FRAME,), "table has no column 'percent'"),
        (verdicts.mean_scores, (RUNS, "one"), "percent is 'one'"),
        (verdicts.verdict_table, (FRAME, 1), "judged has no column 'percent'"),
        (sentences.summary, (None,), "judged is a NoneType"),
        (sentences.answer, (pd.DataFrame(), "one"), "percent is 'one'"),
        (sentences.headroom, (FRAME,), "judged has no column 'percent'"),
        (sentences.gap, (FRAME,), "table has no column 'percent'"),
        (sentences.live, (pd.DataFrame(),), "cells has no column 'steps'"),
        (sentences.words, (5,), "name is 5: expected words"),
        (conclusion.table, (None, FRAME), "judged is a NoneType"),
        (conclusion.table, (pd.DataFrame(), FRAME), "cells has no column 'percent'"),
        (conclusion.costs, (RUNS, "one"), "percent is 'one'"),
        (conclusion.three_sentences, (FRAME, RUNS), "judged has no column 'percent'"),
        (conclusion.largest_loss, (None, FRAME), "judged is a NoneType"),
        (conclusion.price, (FRAME,), "cells has no column 'percent'"),
        (conclusion.machines, (FRAME, FRAME, FRAME), "judged has no column 'percent'"),
        (verdicts.one_machine, (RUNS, "gan"), "arm is 'gan'"),
        (conclusion.twice, (FRAME, FRAME), "table has no column 'percent'"),
        (conclusion.across, (FRAME, FRAME, []), "cells has no column 'percent'"),
        (conclusion.folded, (5, "one"), "title is 5: expected words"),
        (verdicts.from_none, (RUNS, 5), "column is 5: expected words"),
        (paragraphs.learnt, ({"thumbnails": (1, 2, 3)},), "distances has no 'imagenet'"),
        (paragraphs.learnt, ({"thumbnails": (1, 2), "imagenet": (1, 2, 3)},), "expected \\(value, low, high"),
        (functools.partial(display.show_source, fold=5), (display.say,), "fold is 5: expected words"),
        (figures.circle, (None, ("a", 1), 3), "place is"),
        (figures.circle, (None, (1, 2), 0), "radius is 0: expected more than 0"),
        (own.run, (None, None), "films is None: expected a data set"),
        (own.train, (None, None, 0), "films is None: expected a data set"),
        (own.verdict, (DRAWN, 3), "rows has no column 'value'"),
        (own.scorable, (FRAME[["path"]],), "labels has no column"),
    ],
    "witnesses, repairs and faults": [
        (stargan_trial.twins, ("Edema", 10**12), "count is 1000000000000"),
        (stargan_trial.twins, {"finding": "Edema", "count": 2, "views": ["side"]}, "views is 'side'"),
        (stargan_trial.hazy, (GREY,), r"films is \(4, 32, 32\)"),
        (stargan_trial.recognised, (NoModel(), 0, STRANGERS, FILMS), "network is .*: expected a classifier"),
        (stargan_trial.removal, (None, FILMS), "case is None: expected a Case"),
        (stargan_trial.variety, (TWINS, FILMS[:3]), r"made is \(3, 1, 32, 32\): expected \(4, 1, 32, 32\)"),
        (stargan_trial.mean_of, ("abc",), "values is 'abc': expected a list"),
        (stargan_trial.nearer, ((1, 2), (1, 2, 3)), r"made is \(1, 2\): expected \(value, low, high\)"),
        (stargan_trial.verdict, ({"kid_made": (1, 2, 3)},), "rows has no 'kid_untouched'"),
        (stargan_trial.ruler, ({"Edema": {}}, "ratio"), "measures has no 'Cardiomegaly'"),
        (stargan_trial.ruler, ({"Edema": {}}, "length"), "name is 'length': choose one of ratio"),
        (stargan_trial.doubts, ({"classified": 5},), "found has no 'classified_blurred'"),
        (stargan_trial.bribed, ({"Edema": 5},), "Edema is 5: expected {measure"),
        (stargan_trial.readings, ({"Edema": {}},), "measures has no 'Cardiomegaly'"),
        (stargan_trial.named, (FRAME,), "table has no column 'kind'"),
        (repair_trial.difference, (NAMED, {"a": FILMS}, "a", "b"), "restored has no 'b'"),
        (repair_trial.lead, ("xray", "tv", {"PSNR (dB)": 1, "SSIM": 1}), "is 1: expected an estimate"),
        (repair_trial.beside_l1, (FILMS, {"L1 alone": FILMS}), "drawn has no 'both'"),
        (repair_trial.per_film, (FILMS, FILMS[:3]), r"made is \(3, 1, 32, 32\): expected"),
        (repair_trial.drawings, (FILMS, {"a": FILMS[:3]}), r"a is \(3, 1, 32, 32\): expected"),
        (repair_trial.Lesions, ({"a": 5}, 32, 2), "a is 5: expected a function"),
        (repair_trial.mean_auroc, (np.zeros((2, 4, 1)), LABELS, PEOPLE), r"truth is \(4,\)"),
        (repair_trial.erased_or_invented, ({}, {}, {}, "tv", 64), "kept is empty"),
        (repair_trial.heavier, (["pet"],), "modalities is 'pet'"),
        (repair_trial.invented_in_short, ({}, {}, {}, 64), "kept is empty"),
        (repair_trial.leads, ({"ct": "tv"}, {"ct": {}}), "ct is empty"),
        (real_trial.copies, ({"fake": 1, "held_out": "x", "copies": 0},), "held_out is 'x'"),
        (real_trial.restorer_scores, (DRAWN,), "table has no column 'method'"),
        (real_trial.case, (None, "Edema", 3), "real is None: expected a data set"),
        (real_trial.translated, ("Edema", {}), "rows is empty"),
        (real_trial.usual_lungs, (0,), "size is 0"),
        (paper_faults.area, (LABELS, SCORES[:2]), "4 labels and 2 scores"),
        (paper_faults.area, (LABELS, 5), "scores is 5: expected several numbers"),
        (paper_faults.benches, (FRAME, LABELS * 200, 2), "labels is .*: expected 0 to 1"),
        (paper_faults.over_benches, (5,), "values is 5: expected several numbers"),
        (paper_faults.near_copies, (GREY[:0], 3, None), "films is .* of 0: expected an array"),
        (paper_faults.near_copies, (GREY, 3, 0), "rng is 0: expected a generator"),
        (paper_faults.features, (torch.zeros(3, 32, 32, dtype=torch.uint8),), "films is a Tensor of 3"),
        (paper_faults.positives, (None, PEOPLE), "data is None: expected a Data"),
        (paper_faults.leaky_generator, (None, None, None), "data is None: expected a Data"),
        (paper_faults.prepared, (GREY, "yes"), "squash is 'yes'"),
        (paper_faults.told_apart, (SCORES, SCORES, None), r"cropped is \(4,\)"),
        (paper_faults.train_small, (RGB, LABELS, PEOPLE, 1, 0), "of one channel"),
        (paper_faults.Ledger().note, ("a", 0.5, "what", "protects", 3), "estimate is 0.5"),
        (paper_faults.Ledger().largest, (), "the ledger is empty"),
        (paper_faults.what_the_leak_was, (0.1, 0.2), "test is 0.1: expected an estimate"),
    ],
    "scales and sizes that differ": [
        (figures.grey, (GREY - 1.0,), "films reach -1, and an array of floats .*: give a tensor"),
        (figures.films, (GREY - 1.0,), "films reach -1, and an array of floats"),
        (metrics.kid, (NOISE, NOISE / 2 + 0.5), r"fake lie in \[0, 1\], the others reach below"),
        (metrics.memorisation, (NOISE, NOISE, NOISE / 2 + 0.5), r"held_out lie in \[0, 1\]"),
        (metrics.diversity, (NOISE / 2 + 0.5,), r"images lie in \[0, 1\]: expected \[-1, 1\]"),
        (restoration.METHODS["bicubic"], {"images": FILMS, "factor": 3}, "factor is 3: expected a divisor"),
        (restoration.METHODS["lanczos"], {"images": FILMS, "factor": 5}, "factor is 5: expected a divisor"),
        (restoration.Tuned("tv", {}, factor=3), (FILMS,), "downsample=3: expected 1, 2 or 4, a divisor"),
        (cam.pointing_game, (FILMS[:, 0], torch.ones(4, 96, 64)), r"masks are \(96, 64\) pixels: .* square"),
        (cam.localisation, (FILMS[:, 0], torch.ones(4, 96, 64)), r"masks are \(96, 64\) pixels: .* square"),
        (
            chest_measures.outlines,
            (SICK, dict.fromkeys(("Cardiomegaly", "Pleural Effusion"), np.zeros((3, 24, 24))), 32),
            r"masks of Cardiomegaly are \(3, 24, 24\): expected \(3, 32, 32\)",
        ),
        (
            chest_measures.Outliner(4, **CPU).predict,
            (FILMS[..., 2:, 2:],),
            r"\(30, 30\) pixels: expected mult",
        ),
        (
            chest_measures.Outliner(4, **CPU).step,
            ((FILMS[..., 2:, 2:], FILMS[..., 2:, 2:].expand(-1, 2, -1, -1)),),
            r"\(30, 30\) pixels: expected multiples of 8",
        ),
        (
            method(lesion_gan.LesionGAN, "draw"),
            (torch.zeros(4, 1, 100, 100), "Edema", MIDDLES),
            "films are 100 pixels: expected a multiple of 8",
        ),
        (
            lesion_gan.Squares,
            (torch.zeros(4, 1, 100, 100).byte(), {0: (torch.arange(2), MIDDLES[:2])}, torch.arange(2)),
            "films are 100 pixels: expected a multiple of 8",
        ),
        (lesion_gan.soft_disc, (32.0,), "size is 32.0: expected a whole number"),
        (stargan_robust.Lessons, (GREY, np.eye(4, 2), 1, 0, True), "size is 1: halves need an even number"),
        (stargan_robust.Lessons, (GREY, np.eye(4, 2), 7, 0, True), "size is 7: halves need an even number"),
        (
            degradation.apply,
            {"images": LARGE, "modality": "ct", "views": 720},
            "512 px and 720 views .* 70 GB",
        ),
        (degradation.measure, {"images": LARGE, "modality": "ct", "views": 720}, "take at most 164 views"),
        (tomography.filtered_back_projection, (torch.zeros(1, 720, 725), 512), "512 px and 720 views"),
        (restoration.METHODS["sart"], {"images": LARGE, "views": 720}, "512 px and 720 views"),
    ],
    "labels that are not known, names that are there twice": [
        (paper_faults.benches, (FRAME, np.array([0, 1, NAN, 1]), 1), "1 of 4 labels are nan: leave out"),
        (paper_faults.train_small, (FILMS, torch.full((4, 2), NAN), PEOPLE, 1, 0), "8 of 8 labels are nan"),
        (paper_faults.copies_bring, (FILMS, torch.zeros(4, 3), BENCH, 3, 0), "column is 3: expected 0 to 2"),
        (paper_faults.known_patients, (DATA, BENCH), "rows are of 2 patients: expected at least 5"),
        (paper_faults.out_of_fold, (DATA, np.arange(4), "film"), "rows are of 4 films: expected at least 5"),
        (paper_faults.out_of_fold, (DATA, PEOPLE, "film", 2**32), "seed is 4294967296: expected 0 to 42949"),
        (own.scorable, (FRAME.assign(Edema=-1.0),), "labels hold -1, uncertain: .* as chexpert.labels"),
        (
            verdicts.weighted_auroc,
            (LABELS - 1, SCORES, np.ones((1, 4))),
            "labels are .*: expected 0, 1 or nan",
        ),
        (real_results.ranks_in_fold, (FILMS[:, 0, 0], [0, 1, 2, 5]), r"folds are \[0, 1, 2, 5\]: .* 0 to 4"),
        (real_results.ranks_in_fold, (FILMS[:, 0, 0], [0, 1]), "2 folds and 4 rows of logits"),
        (artifacts.record, ("auc", TWICE), "value has 'none' twice: the first score would be lost"),
        (artifacts.record, ("auc", {1: 0.5, "1": 0.6}), "value has .*1.* twice"),
        (artifacts.record, ("auc", TWICE[["value", *TWICE]]), "estimates has two columns 'value'"),
        (figures.intervals, (TWICE[["value", *TWICE]], "x", "alt"), "estimates has two columns 'value'"),
        (repair_trial.realism, (pd.concat([KIDS, KIDS]),), r"table has two rows \('imagenet'"),
        (verdicts.differences, (RUNS[["arm", *RUNS]],), "table has two columns 'arm'"),
        (
            paragraphs.distance,
            (
                pd.DataFrame(
                    {"value": 1.0, "low": NAN, "high": 2.0},
                    index=["real: other real patients", "real: simulated"],
                ),
            ),
            "1 of 2 distances are nan",
        ),
    ],
    "names, seeds and places": [
        (
            session.start,
            {"notebook": "03-dcgan", "profile": "smoke", "seed": 2**64},
            "seed is 1844.*: expected",
        ),
        (degradation.apply, (FILMS, "ct", 2**64), "seed is 1844.*: expected 0 to"),
        (method(dcgan.DCGAN, "generate"), (1, 2**64), "seed is 1844.*: expected 0 to"),
        (method(flow.Flow, "generate"), (1, 2**64), "seed is 1844.*: expected 0 to"),
        (stargan_trial.doubts, (CONFIRMED, "cardiomegaly"), "finding is 'cardiomegaly': choose one of"),
        (stargan_trial.seen_by_ruler, ({"a": 1}, "cardiomegaly"), "finding is 'cardiomegaly': choose one of"),
        (
            real_trial.boxed,
            (None, SEEN, BOXES.assign(finding="Edema"), ["edema"]),
            "is 'edema': choose one of",
        ),
        (stargan_trial.blind_look, (LOOKED[:2],), "table has no film of kind 'true'"),
        (
            stargan_trial.blind_look,
            (LOOKED.assign(finding="Edema"),),
            "a healthy film shows 'Edema': .* 'none'",
        ),
        (training.what_curves_say, (pd.Series({"a": "ill"}),), "what is said of 'a' is 'ill': choose one of"),
        (training.checkpoints.write, ("nowhere", {"weight": FILMS}), "value has no 'step': it has weight"),
        (training.checkpoints.write, ("nowhere", {"step": "1"}), "step is '1': expected a whole number"),
        (experiments.run, ([], "grid"), "out is 'grid': expected the name of a csv, as grid.csv"),
        (
            experiments.run,
            ([], f"{__file__}/grid.csv"),
            "test_bad_calls.py is a file: expected a folder there",
        ),
        (reader_study.score, (PAIRS, pd.Series(LEFT, index=[1, 7])), "each of 1 to 2 once"),
        (reader_study.score, (PAIRS, pd.Series(LEFT, index=[1, 1])), "each of 1 to 2 once"),
    ],
}
ROWS = [pytest.param(*row, id=f"{part}: {getattr(row[0], '__name__', 'call')} {number}")
        for part, rows in BAD_CALLS.items() for number, row in enumerate(rows)]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "words"), ROWS)
def test_a_bad_call_gets_one_clear_sentence(function, arguments, words):
    given = ((), arguments) if isinstance(arguments, dict) else (arguments, {})
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=words):
        function(*given[0], **given[1])


@pytest.mark.parametrize("reader", ["Bob", "ada"])
def test_answers_of_another_reader_stay(tmp_path, reader):
    path = tmp_path / "answers.csv"
    for answers in (LEFT, ["left", "right"]):  # one's own may be given anew
        reader_study.write_answers(path, PAIRS, "Ada", answers)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"holds the answers of 'Ada': give '{reader}' a file"):
        reader_study.write_answers(path, PAIRS, reader, LEFT)
    path.with_name("films.csv").write_text("film,finding\n1,none\n")
    with pytest.raises(ValueError, match="expected the columns reader"):
        reader_study.write_answers(path.with_name("films.csv"), PAIRS, "Ada", LEFT)
    assert path.read_bytes() == before


@pytest.mark.parametrize("finding", ["Flu", 99, -1])
def test_a_map_of_an_unknown_finding_names_the_known(finding):
    with pytest.raises(ValueError, match="it reads No Finding, "):
        cam.activation_map(model(classifier.DenseNet), FILMS, finding)


def test_the_table_is_long():
    assert len(ROWS) >= 200


@pytest.mark.parametrize(("name", "value"), [("steps", -1), ("steps", 2.5), ("every", 0), ("samples", 3)])
def test_training_counts_in_whole_steps(name, value):
    counts = {"steps": 1, "every": 1} | {name: value}
    with pytest.raises((ValueError, TypeError), match=f"{name} is {value}"):
        training.fit(model(dcgan.DCGAN), [FILMS], **counts)


def test_batches_that_are_none_are_named():
    with pytest.raises(TypeError, match="batches is None"):
        training.fit(model(dcgan.DCGAN), None, 1)


def test_a_checkpoint_that_is_a_file_is_named_before_training(tmp_path):
    (tmp_path / "junk").write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"junk is a file"):
        training.fit(model(dcgan.DCGAN), [FILMS], 1, checkpoint=tmp_path / "junk")


def test_a_card_that_is_junk_is_named(tmp_path):
    (tmp_path / "card.json").write_text("junk")
    with pytest.raises(ValueError, match=r"card.json is not the card of a trained model"):
        training.load(dcgan.DCGAN, tmp_path)


@pytest.mark.parametrize("column", ["x", "width"])
@pytest.mark.parametrize("length", [300, float("inf")])
def test_boxes_in_pixels_are_named(tmp_path, column, length):
    (tmp_path / "train").mkdir()
    box = dict(path="a", finding="Edema", x=0.1, y=0.1, width=0.2, height=0.2) | {column: length}
    pd.DataFrame([box]).to_csv(tmp_path / "boxes.csv")
    with pytest.raises(ValueError, match="row 0: expected a finding and four shares of the side"):
        chexpert.read_boxes(tmp_path)


def test_a_check_that_is_given_a_value_wants_a_function(capsys):
    wants = check.check(lambda answer: None if answer(1) == 1 else "no")
    assert not wants(5) and "wants a function" in capsys.readouterr().out
    assert wants(lambda x: x)


def test_a_check_without_the_chapters_data_does_not_blame_the_answer(capsys):
    same = check.check(lambda answer, train: None if answer == train.sum() else "no")
    assert not same(5, None) and "run the chapter's cells above" in capsys.readouterr().out
    assert same(5, np.array([2, 3]))


def test_a_saved_model_leaves_no_history_of_another(tmp_path):
    training.save(model(dcgan.DCGAN), tmp_path, {}, pd.DataFrame({"step": [10], "d_loss": [1.0]}))
    assert (tmp_path / "history.csv").exists()
    training.save(model(flow.Flow), tmp_path, {})
    assert not (tmp_path / "history.csv").exists()


def test_curves_of_nan_are_not_healthy():
    names = ("d_loss", "g_loss", "d_real", "d_fake", "diversity")
    good = pd.DataFrame(np.linspace(1, 2, 20)[:, None].repeat(5, 1), columns=names)
    assert not training.diagnose(good).startswith("diverged")
    for first in (0, 10):  # nan from the first row on, and from the middle
        assert training.diagnose(good.head(first).reindex(good.index)).startswith("diverged")
    part = good.assign(g_loss=np.nan)  # a loss that is not known everywhere changes nothing
    assert training.diagnose(part) == training.diagnose(good)


@pytest.mark.parametrize(
    ("card", "history"),
    [("my best", None), ({"kid": np.float32(3)}, None), ({}, [{"step": 1}])],
)
def test_a_good_model_stays_where_another_cannot_be_saved(tmp_path, card, history):
    training.save(model(dcgan.DCGAN), tmp_path, {"data": "x"})
    other = dcgan.DCGAN(**SMALL | {"seed": 5})
    with pytest.raises(TypeError, match=r"card|history"):
        training.save(other, tmp_path, card, history)
    kept = training.load(dcgan.DCGAN, tmp_path, device="cpu")
    assert kept.config["seed"] == model(dcgan.DCGAN).config["seed"]


def test_a_checkpoint_beside_a_saved_model_leaves_it(tmp_path):
    training.save(model(dcgan.DCGAN), tmp_path, {"data": "x"})
    training.fit(dcgan.DCGAN(**SMALL), [torch.rand(4, 1, 32, 32)], 1, checkpoint=tmp_path)
    assert training.load(dcgan.DCGAN, tmp_path, device="cpu")


@pytest.mark.parametrize(
    "saved",
    [
        {"step": "1", "history": [], "state": {}},
        {"step": -3, "history": [], "state": {}},
        {"step": 1, "history": "x", "state": {}},
        {"step": 1, "history": [], "state": {}},
        {"step": 1, "history": [], "state": None},
    ],
)
def test_a_checkpoint_that_does_not_fit_is_named(tmp_path, saved):
    named = saved | {"step": 1}
    training.checkpoints.write(tmp_path, named)
    text = (tmp_path / "checkpoint.json").read_text()
    step = json.dumps(saved["step"])
    (tmp_path / "checkpoint.json").write_text(text.replace('"step",\n    1', f'"step",\n    {step}'))
    with pytest.raises(ValueError, match=r"checkpoint in .* is damaged"):
        training.fit(dcgan.DCGAN(**SMALL), [FILMS], 1, checkpoint=tmp_path)


@pytest.mark.parametrize("line", ["auc,1,,,,,03,y,z", "auc,1"])
def test_scores_with_a_ragged_row_are_left_as_they_are(line):
    path = artifacts.folder("results") / "scores.csv"
    path.write_text(",".join(artifacts.SCORE_COLUMNS) + f"\n{line}\n")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is not a table of scores"):
        artifacts.record("new", 0.5)
    assert path.read_bytes() == before
    path.unlink()


def table_of(tmp_path, columns=chexpert.COLUMNS, patients=("patient00001",), separator=","):
    rows = [f"train/{patient}/study1/view1_frontal.jpg,Male,50,Frontal,AP" for patient in patients]
    rows = [row + "," * (len(columns) - 5) for row in rows]
    path = tmp_path / "train.csv"
    path.write_text("\n".join([",".join(columns), *rows]).replace(",", separator))
    return path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"separator": ";"}, "separated by semicolons"),
        ({"columns": [*chexpert.COLUMNS, "Edema"]}, "two columns 'Edema'"),
        ({"patients": ("patient00001", "patient1")}, "row 1: .*this patient's number otherwise"),
    ],
)
def test_a_label_table_that_would_be_misread_is_named(tmp_path, options, words):
    assert len(chexpert.read(table_of(tmp_path))) == 1
    with pytest.raises(ValueError, match=words):
        chexpert.read(table_of(tmp_path, **options))


def test_a_label_table_in_another_encoding_is_named(tmp_path):
    path = table_of(tmp_path)
    path.write_bytes(path.read_text().encode("utf-16"))
    with pytest.raises(ValueError, match="no text in UTF-8: save it as a csv in UTF-8"):
        chexpert.read(path)


def test_a_checkpoint_of_another_kind_of_model_is_named(tmp_path):
    films = torch.rand(4, 1, 32, 32) - 0.5
    training.fit(model(dcgan.DCGAN), [films], 1, checkpoint=tmp_path)
    other = flow.Flow(32, 8)
    with pytest.raises(ValueError, match=r"another kind of model, .* latent.*; a Flow has"):
        training.fit(other, [films], 1, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="noise hold nan"):
        other.draw(other.noise(1) * torch.nan)


def test_a_card_whose_config_the_class_refuses_is_named(tmp_path):
    training.save(model(dcgan.DCGAN), tmp_path, {})
    assert training.load(dcgan.DCGAN, tmp_path, device="cpu").config["image_size"] == 32
    card = json.loads((tmp_path / "card.json").read_text())
    card["config"] |= {"colour": 1}
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match=r"the config in .*card.json makes no DCGAN: .*colour"):
        training.load(dcgan.DCGAN, tmp_path)


def test_shipped_weights_that_hold_nan_are_named(tmp_path):
    broken = dcgan.DCGAN(**SMALL)
    with torch.no_grad():
        next(broken.trained.parameters()).fill_(NAN)
    training.save(broken, tmp_path, {})
    with pytest.raises(ValueError, match="holds nan"):
        training.load(dcgan.DCGAN, tmp_path, device="cpu")


@pytest.mark.parametrize("text", ["[]", "{}", '{"weights": 3, "tree": 4}'])
def test_a_checkpoint_that_is_junk_is_damaged(tmp_path, text):
    (tmp_path / "checkpoint.json").write_text(text)
    with pytest.raises(ValueError, match="is damaged"):
        training.fit(model(dcgan.DCGAN), [FILMS], 1, checkpoint=tmp_path)


def test_a_checkpoint_of_something_else_is_named(tmp_path):
    training.checkpoints.write(tmp_path, {"step": 1, "history": []})
    with pytest.raises(ValueError, match="is no training's"):
        training.fit(model(dcgan.DCGAN), [FILMS], 1, checkpoint=tmp_path)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "name,value,low,high,n,unit,notebook\na,good,,,,,\n"])
def test_scores_of_another_table_are_named(text):
    (artifacts.folder("results") / "scores.csv").write_text(text)
    with pytest.raises(ValueError, match="is not a table of scores"):
        artifacts.scores()


NETWORKS = [
    (dcgan.Generator, {"width": 0}), (dcgan.Generator, {"latent": -1}), (dcgan.Discriminator, {"width": 2.5}),
    (pix2pix.Generator, {"width": 0}), (pix2pix.Generator, {"in_channels": 0}),
    (pix2pix.Discriminator, {"channels": 0}), (stargan.Generator, {"domains": 0}),
    (stargan.Generator, {"blocks": True}), (stargan.Discriminator, {"width": "64"}),
]  # fmt: skip


@pytest.mark.parametrize(("network", "arguments"), NETWORKS)
def test_a_bare_network_checks_its_sizes(network, arguments):
    (name,) = arguments
    with pytest.raises((TypeError, ValueError), match=f"{name} is .*expected"):
        network(**arguments)


def test_a_checkpoint_removes_its_own_weights_alone(tmp_path):
    mine = ["unet-step-500.safetensors", "step-1-notes.safetensors", "step-500.safetensors"]
    for name in mine:
        (tmp_path / name).write_text("mine")
    (tmp_path / ".step-00000001.host-1-ab.partial.safetensors").write_text("half")
    for step in (1, 2):
        training.checkpoints.write(tmp_path, {"step": step})
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted([*mine, "checkpoint.json", "step-00000002.safetensors"])


@pytest.mark.parametrize("name", ["card.json", "weights.safetensors", "history.csv"])
@pytest.mark.parametrize("history", [None, pd.DataFrame({"step": [1]})])
def test_a_model_is_not_saved_over_somebody_elses_files(tmp_path, name, history):
    (tmp_path / name).write_text('{"name": "my card"}')
    with pytest.raises(ValueError, match=rf"holds a {name} that training.save did not write"):
        training.save(model(dcgan.DCGAN), tmp_path, {}, history)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == '{"name": "my card"}'


def test_a_save_that_was_killed_is_repeated(tmp_path):
    for _ in range(2):
        training.save(model(dcgan.DCGAN), tmp_path, {})
        (tmp_path / "card.json").unlink()
    training.save(model(dcgan.DCGAN), tmp_path, {})
    assert training.load(dcgan.DCGAN, tmp_path, device="cpu")


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_training_without_gradients_is_refused(mode):
    with mode(), pytest.raises(ValueError, match=r"outside of torch\.no_grad"):
        training.fit(model(dcgan.DCGAN), [FILMS], 1)


def test_groups_of_numbers_with_a_blank_are_sorted():
    groups = np.array([50.0] * 20 + [NAN] * 20 + [7.0] * 20)
    labels = np.tile([[0], [1]], (30, 1))
    table = metrics.auroc_by_group(labels, labels + 0.0, np.arange(60), groups)
    assert table.index.tolist() == [7.0, 50.0, "unknown"] and (table.n == 20).all()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_grad_cam_has_gradients_wherever_it_is_called(mode):
    reader_of, films = model(classifier.DenseNet), torch.rand(2, 1, 32, 32)
    there = cam.grad_cam(reader_of, films, "Edema")
    with mode():
        here = cam.grad_cam(reader_of, torch.rand(2, 1, 32, 32) * 0 + films, "Edema")
    assert torch.equal(there, here)


def test_a_film_keeps_its_organs_in_any_order():
    table = simulator.sample(3, 24, 0, twins=False, masks=False)[3]
    maps = simulator.organ_map(table, 24)
    for rows_of in (table[::-1], table[::-1].reset_index(drop=True)):
        np.testing.assert_array_equal(simulator.organ_map(rows_of, 24), maps[::-1])


@pytest.mark.parametrize("name", ["None", "NA", "nan", "null"])
def test_a_score_keeps_a_name_that_pandas_would_take_for_a_blank(name):
    artifacts.record(name, 0.5)
    artifacts.record("b/x", 0.6, n=3)
    table = artifacts.scores()
    assert table.value[name] == 0.5 and np.isnan(table.n[name]) and table.n["b/x"] == 3
    assert artifacts.scores("b").index.tolist() == ["b/x"]


def test_a_folder_of_the_environment_is_not_ignored(monkeypatch):
    monkeypatch.setenv("DATA_ROOT", "/my/films")
    with pytest.raises(ValueError, match="name the data set, as DATASET=folder"):
        session.start("03-dcgan", "smoke")


@pytest.mark.parametrize("kind", ["folder", "quote"])
def test_scores_that_cannot_be_read_are_named_and_stay(kind):
    path = artifacts.folder("results") / "scores.csv"
    artifacts.record("a", 0.5)
    text = path.read_text() + '"b,0.5,,,,,' + "x" * 200_000 + "\n"
    path.unlink()
    path.mkdir() if kind == "folder" else path.write_text(text)
    for call in (lambda: artifacts.record("c", 0.5), artifacts.scores):
        with pytest.raises(ValueError, match=r"scores\.csv is (a folder|not a table of scores)"):
            call()
    assert path.is_dir() if kind == "folder" else path.read_text() == text


class Wrong:
    """A model whose step gives something else than tensors of one number."""

    def __init__(self, given):
        self.given = given

    def step(self, batch):
        return self.given


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"loss": 0.5}, "gave 0.5 under 'loss': expected a tensor of one number"),
        ({"loss": torch.zeros(2)}, r"gave a tensor \(2,\) under 'loss'"),
        (None, "gave None: expected {name: tensor}"),
        ({}, "gave {}: expected {name: tensor}"),
    ],
)
def test_a_step_that_gives_no_tensor_is_told_so(given, words):
    with pytest.raises(TypeError, match=words):
        training.fit(Wrong(given), [FILMS], 3)


@pytest.mark.parametrize("variable", ["MEDGAN_BUILD", "MEDGAN_CACHE"])
@pytest.mark.parametrize("below", ["", "/deep/down"])
def test_a_folder_of_the_environment_that_is_a_file_is_named(tmp_path, monkeypatch, variable, below):
    (tmp_path / "notes.txt").write_text("mine")
    Image.fromarray(np.arange(1024, dtype=np.uint8).reshape(32, 32)).save(tmp_path / "a.png")
    monkeypatch.setenv(variable, f"{tmp_path / 'notes.txt'}{below}")
    with pytest.raises(ValueError, match=rf"{variable} is .*notes\.txt.* is a file: expected a folder"):
        images.ImageStore(pd.DataFrame({"path": ["a.png"]}), tmp_path, 16)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("out", ["grid", "notes/grid.csv", "kept.csv"])
def test_no_cell_is_trained_where_its_row_could_not_be_written(tmp_path, monkeypatch, out):
    (tmp_path / "notes").write_text("mine")
    (tmp_path / "kept").write_text("mine")  # where the scores of kept.csv would go
    monkeypatch.setattr(experiments.trial, "run_cell", lambda cell: pytest.fail("a cell was trained"))
    with pytest.raises(ValueError, match=r"out is .*: expected|but .* is a file"):
        experiments.run([{"arm": "none"}], tmp_path / out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "notes"]


def test_a_finding_is_looked_for_in_a_tuple_as_in_a_list():
    asked = []

    def labels(frame, uncertain):
        asked.append(frame)
        return FRAME[list(chexpert.FINDINGS)].assign(Edema=[0.0, 0.0, 1.0, 1.0])

    store = types.SimpleNamespace(subset=lambda part: GREY[: len(part)])
    films = types.SimpleNamespace(splits={"test": FRAME}, store=store, labels=labels)
    for findings in (["Edema", "Fracture"], ("Edema", "Fracture")):
        case = stargan_trial.strangers(films, "Edema", findings, 4)
        assert case.healthy_patients.tolist() == ["a", "b"] and case.ill_patients.tolist() == ["c", "d"]


def test_labels_of_lessons_may_be_a_table():
    table = pd.DataFrame({"Edema": [0.0, 0, 1, 1], "Fracture": [0.0, 0, 0, 1]})
    one, other = (next(iter(stargan_robust.Lessons(GREY, given, 4, halves=True)))
                  for given in (table, table.to_numpy()))  # fmt: skip
    assert torch.equal(one[1], other[1]) and torch.equal(one[0], other[0])


def test_masked_labels_are_left_out_of_every_auroc():
    labels, scores = np.array([1, 1, 0, 0, NAN, NAN]), np.array([0.9, 0.15, 0.2, 0.1, 0.95, -0.99])
    known = labels[:4], scores[:4]
    expected = metrics.auroc(labels, scores, np.arange(6)).value
    assert paper_faults.area(labels, scores) == paper_faults.area(*known) == expected == 0.75
    assert paper_faults.area(pd.Series(labels), scores) == expected
    both = np.stack([scores, -scores], axis=1)
    assert paper_faults.area(labels, both).tolist() == [0.75, 0.25]
    assert verdicts.weighted_auroc(labels, scores, np.ones((1, 6))) == expected
    assert np.isnan(paper_faults.area(np.full(4, NAN), SCORES))


def test_what_was_not_measured_has_no_p_value_and_no_verdict():
    assert np.isnan(verdicts.two_sided(np.full(100, NAN)))
    drawn = np.array([1.0, 2.0, -1.0, 3.0])
    assert verdicts.two_sided(np.append(drawn, [NAN] * 9)) == verdicts.two_sided(drawn)
    nothing = metrics.Estimate(NAN, NAN, NAN)
    assert "Nothing was measured" in paragraphs.difference(nothing)
    assert "not measured" in paper_faults.what_the_leak_was(nothing, metrics.Estimate(0.1, 0.0, 0.2))


def test_the_ledger_takes_a_row_and_leaves_out_what_has_no_number():
    ledger = paper_faults.Ledger()
    ledger.note("alone", paper_faults.over_benches([0.03]), "what", "protects", 1)
    with pytest.raises(ValueError, match="no fault in the ledger has a number"):
        ledger.largest()
    row = pd.DataFrame({"low": [-0.01], "value": [0.01], "high": [0.03]}, index=["leak"]).loc["leak"]
    ledger.note("leak", row, "what", "protects", 10)
    assert ledger.table().loc["leak", ["value", "low", "high"]].tolist() == [0.01, -0.01, 0.03]
    assert artifacts.scores().loc["audit/leak", ["value", "low"]].tolist() == [0.01, -0.01]
    assert "leak" not in ledger.largest() and "Illusion on the test: none is shown." in ledger.largest()
    assert paper_faults.size(row) == "**+0.010** (-0.010 to +0.030)"


def test_curves_may_be_told_by_all_that_diagnose_said():
    said = ["healthy: neither network has won; look at the images", "not started: no loss has moved"]
    long = pd.Series([*said, "collapse: samples"], index=["a D too fast", "no EMA", "one class"])
    short = long.str.split(":").str[0]
    assert training.what_curves_say(long) == training.what_curves_say(short)
    assert "**1 of 3**" in training.what_curves_say(long)


def test_answers_are_brought_into_the_order_of_their_pairs(tmp_path):
    test = reader_study.make({"a": (GREY + np.arange(4, dtype=np.uint8)[:, None, None], GREY + 9)}, 4, 3)
    right = np.array(reader_study.SIDES)[test.truth]
    for first in (0, 1):
        named = pd.Series(right, index=range(first, first + 4))
        for answers in (named, named[::-1], named.sort_values(kind="stable")):
            assert reader_study.score(test, answers).loc["all", "hits"] == 4
            reader_study.write_answers(tmp_path / "Ada.csv", test, "Ada", answers)
            back = reader_study.read_answers([tmp_path / "Ada.csv"], test).loc["Ada"]
            assert back.tolist() == right.tolist()
    others = pd.Series(right, index=list("dcba"))  # no numbers: one a pair, in their order
    assert reader_study.score(test, others).loc["all", "hits"] == 4


def test_masks_and_bytes_are_drawn_as_arrays_of_them_are():
    masks = torch.zeros(2, 8, 8, dtype=torch.bool)
    masks[:, 2:4] = True
    for given in (masks, masks.byte() * 255):
        np.testing.assert_array_equal(figures.grey(given), figures.grey(given.numpy()))
    assert figures.grey(masks).sum() == 32
    assert figures.grey(np.full((1, 8, 8), -0.2)).min() == 0  # a restoration that overshoots
    noise = 0.5 + 0.5 * np.random.default_rng(0).standard_normal((1, 64, 64))
    assert figures.grey(noise).max() == 1  # about grey, as a flow begins


def test_a_check_that_wants_a_module_is_given_its_class(capsys):
    class Block(torch.nn.Module):
        def forward(self, x):
            return x

    wants = check.check(lambda answer: None if answer(1) == 1 else "no")
    assert not wants(Block) and "you gave the class Block" in capsys.readouterr().out
    assert wants(Block()) and wants(int)
