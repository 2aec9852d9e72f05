"""What the live figures need beside their code: networks, films and numbers, as classic scripts.

    python book/scripts/live_data.py FOLDER     # writes them to FOLDER
    python book/scripts/live_data.py --tune     # tunes the bilateral filter: book/results/live_bilateral.csv

They are made when the pages are staged and lie in no repository: the weights are there once, as safetensors.
"""

import base64
import csv
import hashlib
import json
import shutil
from pathlib import Path

import command
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from export_live import BOOK, Export, put
from torch import nn

from medgan_helpers import artifacts, degradation, restoration, simulator, training
from medgan_helpers.classifier import DenseNet
from medgan_helpers.dcgan import DCGAN
from medgan_helpers.flow import Flow
from medgan_helpers.images import unit_batch
from medgan_helpers.pix2pix import Pix2Pix
from medgan_helpers.simulator import dataset, rows
from medgan_helpers.stargan_robust import RobustStarGAN

ROOT = BOOK.parent
TUNED = BOOK / "results" / "live_bilateral.csv"
DOSES, WIDTHS = (10, 25, 50, 100, 200, 400, 800), (1, 2, 4)
TRAINED = {"dose": 100, "width": 2}  # the strengths of `degradation.xray`, with which chapter 4 trains
SEED = 4100  # of the films that the figures show: of patients that no network has seen
PATIENTS = 6
CLASSIFIER, FILM = artifacts.ASSETS / "classifier", 64  # its folder, and the side of the films that it reads


def text(films):
    """uint8 films (n, size, size) as base64, one string each."""
    return [base64.b64encode(film.tobytes()).decode() for film in films]


# --- walk -------------------------------------------------------------------------------------------------


def dcgan():
    model, *_ = training.shipped(DCGAN)
    return model.trained, {"z": torch.zeros(1, model.generator.latent)}


def walk():
    """The two orthonormal directions of the noise that change DCGAN's films most."""
    model, *_ = training.shipped(DCGAN)
    return {"size": model.config["image_size"], "directions": leading_directions(model).tolist()}


def leading_directions(model, n=1024):
    """(2, latent): the best straight line from noise to film, film = mean + z W (least squares, since z has
    unit covariance: W = z' film / n), and the directions that W stretches most (its singular vectors)."""
    z = torch.randn(n, model.generator.latent, generator=torch.Generator().manual_seed(SEED))
    films = F.avg_pool2d(model.draw(z), 2).flatten(1)
    slopes = z.T @ (films - films.mean(0)) / n
    return torch.linalg.svd(slopes, full_matrices=False)[0].T[:2]


# --- repair -----------------------------------------------------------------------------------------------


class Doubled(nn.Module):
    """A restorer for twice the side, as chapter 4 uses it: each pixel four times, means afterwards."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return F.avg_pool2d(self.network(F.interpolate(image, scale_factor=2.0)), 2)


def restorer():
    model, *_ = training.shipped(Pix2Pix, "unet-xray")
    size = model.config["image_size"] // 2
    return Doubled(model.trained), {"image": torch.zeros(1, 1, size, size)}


def repair():
    """Films to spoil, and the best settings of the bilateral filter."""
    size = restorer()[1]["image"].shape[-1]
    films, *_ = simulator.sample(PATIENTS, size, SEED, twins=False, masks=False)
    return {"films": text(films), "tuned": tuned(size), "trained": TRAINED}


def tuned(size):
    """The rows of live_bilateral.csv. Raises ValueError if they were tuned for films of another size."""
    with open(TUNED, newline="") as file:
        found = [{key: json.loads(value) for key, value in row.items()} for row in csv.DictReader(file)]
    if {row["size"] for row in found} != {size}:
        raise ValueError(f"{TUNED} is not for {size} px: run book/scripts/live_data.py --tune")
    return [row | {"stabilise": bool(row["stabilise"])} for row in found]


def tune(size=64, n=16):
    """The bilateral filter at its best for every dose and pixel width, on n films of other patients."""
    films, *_ = simulator.sample(n, size, SEED + 1, twins=False, masks=False)
    clean, found = unit_batch(films), []
    for dose in DOSES:
        for width in WIDTHS:
            strengths = {"dose": dose, "downsample": width}
            spoilt = degradation.apply(clean, "xray", SEED, **strengths)
            best = restoration.tune("xray", spoilt, clean, names=["bilateral"], **strengths)["bilateral"]
            row = {"size": size, "dose": dose, "width": width, **best.parameters}
            row |= {"stabilise": int(best.stabilise), "gain": round(best.gain, 4)}
            found.append(row | {"offset": round(best.offset, 4), "psnr": round(best.psnr, 2)})
    artifacts.write_csv(TUNED, found)


# --- translate --------------------------------------------------------------------------------------------


def painter():
    model, *_ = training.shipped(RobustStarGAN, "stargan_robust")
    size, domains, noise = (model.config[name] for name in ("image_size", "domains", "noise"))
    shapes = {"x": (1, 1, size, size), "labels": (1, domains), "z": (1, noise)}
    return model.trained, {name: torch.zeros(shape) for name, shape in shapes.items()}


def translate():
    """Patients with each finding alone and without any, all else being equal."""
    model, _, card = training.shipped(RobustStarGAN, "stargan_robust")
    size, findings = model.config["image_size"], card["findings"]
    healthy, ill = patients(findings, size)
    return {
        "size": size,
        "findings": findings,
        "healthy": text(healthy),
        "ill": [text(films) for films in ill],
    }


def patients(findings, size):
    """Films (PATIENTS, size, size) without finding, and (PATIENTS, findings, size, size) with one each: the
    same person, exposure and noise."""
    table = rows.from_labels(simulator.one_each(findings))
    truth = rows.draw_truth(table, SEED)
    healthy, ill = [], []
    for patient in range(PATIENTS):
        sex, age = ("Female", "Male")[patient % 2], 35.0 + 8 * patient
        same = {"film": SEED + patient, "number": SEED + patient}
        made = [
            dataset.render(row | {"sex": sex, "age": age}, true | same, size, twin=True)[:2]
            for row, true in dataset.pairs(table, truth)
        ]
        healthy.append(made[0][1])
        ill.append(np.stack([film for film, _ in made]))
    return np.stack(healthy), np.stack(ill)


# --- read -------------------------------------------------------------------------------------------------


class MapsAndLogits(nn.Module):
    """The classifier's maps (1, findings, h, w) and logits (1, findings) of a film (1, 1, H, W)."""

    def __init__(self, model):
        super().__init__()
        self.network, self.pool = model.network, model.pool

    def forward(self, film):
        weight, bias = self.network.classifier.weight, self.network.classifier.bias
        maps = F.conv2d(self.network.grid(film), weight[:, :, None, None])
        return maps, self.pool(maps) + bias


def classifier():
    model = training.load(DenseNet, CLASSIFIER)
    return MapsAndLogits(model), {"film": torch.zeros(1, 1, FILM, FILM)}


def read():
    """Films with one finding each, and what the classifier said of films that it never saw (test.csv)."""
    model = training.load(DenseNet, CLASSIFIER)
    findings = list(model.findings)
    tested = pd.read_csv(CLASSIFIER / "test.csv").groupby("finding")
    tests = {name: {"labels": rows.label.tolist(), "logits": rows.logit.tolist()} for name, rows in tested}
    healthy, ill = patients(findings, FILM)
    films = [{"name": "no finding", "film": text(healthy)[0]}]
    films += [
        {"name": f"with {name}", "film": text(ill[:, k])[k % PATIENTS]} for k, name in enumerate(findings)
    ]
    cells = classifier()[0](torch.zeros(1, 1, FILM, FILM))[0][0, 0].numel()
    return {
        "size": FILM, "findings": findings, "films": films, "tests": {"cells": cells, "films": tests},
        "temperature": model.network.temperature.tolist(), "shift": model.network.shift.tolist(),
    }  # fmt: skip


# --- sample -----------------------------------------------------------------------------------------------


def flow():
    model, *_ = training.shipped(Flow)
    size = model.config["image_size"]
    return model.trained, {"x": torch.zeros(1, 1, size, size), "t": torch.zeros(1)}


# --- writing ----------------------------------------------------------------------------------------------

# The networks: each function returns the module and examples of its inputs. And what the figures know beside.
NETWORKS = {"dcgan": dcgan, "restorer": restorer, "painter": painter, "classifier": classifier, "flow": flow}
FIGURES = {"walk": walk, "repair": repair, "translate": translate, "read": read}


def fingerprint():
    """Changes when a network, the code that makes it or this script does."""
    package = Path(simulator.__file__).parents[1]
    read = [
        *sorted(package.rglob("*.py")),
        *sorted(package.rglob("card.json")),
        *BOOK.glob("scripts/*live*.py"),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in [*read, TUNED])).hexdigest()[:16]


def write(folder):
    """Write <name>.js for every figure to `folder`, from build/live if nothing has changed since."""
    made = ROOT / "build" / "live" / fingerprint()
    if not (made / "done").exists():
        shutil.rmtree(made.parent, ignore_errors=True)
        made.mkdir(parents=True)
        for name, make in NETWORKS.items():
            (made / f"{name}.js").write_text(Export(*make()).script(name))
        for name, facts in FIGURES.items():
            (made / f"{name}.js").write_text(put(name, facts()))
        (made / "done").touch()
    shutil.copytree(made, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("done"))


def main(folder):
    if folder == "--tune":
        tune()
    else:
        write(folder)


if __name__ == "__main__":
    command.run(main, __doc__, "--tune")
