"""Do the findings that a StarGAN draws look like findings? Measures that a pattern nobody sees cannot bribe.

    python studies/findings_that_look.py            # of both networks that the package ships
    python studies/findings_that_look.py stargan    # of one of them

Writes book/results/findings.csv, a row a measure: network, finding, measure, value, low, high, n. Measures:

classified, classified_blurred: AUROC of a witness, a classifier of another kind that never saw a made film,
    for healthy films against the same with the finding drawn; and again after a blur of 1 pixel and grain of
    3 grey levels. classified_true, classified_blurred_true: of true films.
kid_made, kid_untouched, kid_floor: distance (KID x 1,000) to true films of other patients, in thumbnails, of
    made films, of healthy films as they are, of other true films. With kid_photographs_ the same in the eyes
    of a network trained on photographs.
ratio, aerated, recess: cardiothoracic ratio, aerated lung and the deeper side's costophrenic recess of
    upright films (see `chest_measures`), _healthy, _made and _true; _overlap_: with the true ones.
one_side: share of films whose change lies on one side (four fifths of it); size: the mean change.
removed: distance to the healthy twin after removal, as a share of that before.
nothing: mean absolute change where nothing is asked for, of [-1, 1].

No film of this study was trained on. A killed run goes on: a network that stands in the csv is not measured
again (delete its rows to repeat).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock

from medgan_helpers import artifacts, chest_measures, metrics, simulator, stargan, stargan_robust, training
from medgan_helpers.training import Model, one_step, seeded

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "book" / "results" / "findings.csv"
WORK = ROOT / "build" / "findings"
NETWORKS = {"stargan": stargan.StarGAN, "stargan_robust": stargan_robust.RobustStarGAN}
SIZE, COUNT, SEED = 64, 256, 4000
WITNESS_FILMS, WITNESS_STEPS = 2500, 500
OUTLINE_FILMS, OUTLINE_STEPS = (500, 350, 350), 350  # healthy, effusion, large heart
GRAIN = 3 / 127.5  # three grey levels
ONE_SIDE = 0.8  # of the change


# ---------------------------------------------------------------- who judges
class Witness(Model):
    """A small residual network (He et al. 2016) with average pooling: nothing in common with the examiner."""

    def __init__(self, findings=5, seed=100, **machine):
        super().__init__({"findings": findings, "seed": seed}, **machine)
        with seeded(seed):
            self.network = self.place(residual_network(findings))
        self.optimizer = torch.optim.AdamW(self.network.parameters(), 2e-3, weight_decay=1e-3)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, 4e-3, WITNESS_STEPS + 1)

    @one_step
    def step(self, batch):
        films, labels = batch
        self.network.train()
        loss = nn.functional.binary_cross_entropy_with_logits(self.network(standard(films)).float(), labels)
        self.descend(loss, self.optimizer)
        return {"loss": loss}

    @torch.no_grad()
    def logits(self, films):
        self.network.eval()
        return torch.cat([self.network(standard(part)).float() for part in films.split(128)])


def standard(films):
    """Mean 0 and variance 1, each film by itself: exposure is no finding."""
    return (films - films.mean((2, 3), keepdim=True)) / films.std((2, 3), keepdim=True)


def residual_network(findings, width=24):
    layers, before = [nn.Conv2d(1, width, 5, 2, 2, bias=False), nn.BatchNorm2d(width), nn.ReLU()], width
    for after, stride in ((width, 1), (2 * width, 2), (4 * width, 2), (4 * width, 1)):
        way = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        layers.append(BasicBlock(before, after, stride, way))
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, findings))


def cached(name, make):
    """Arrays made once: a dict, kept in WORK."""
    path = WORK / f"{name}.npz"
    if not path.exists():
        arrays = make()
        WORK.mkdir(parents=True, exist_ok=True)
        with artifacts.atomic(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, **arrays)
    return dict(np.load(path))


def batches(films, answers, size, seed):
    """A list of random batches, begun again at its end."""
    rng = np.random.default_rng(seed)
    films, answers = signed(films), torch.from_numpy(answers)
    parts = [torch.from_numpy(rng.integers(0, len(films), size)) for _ in range(800)]
    return Chosen([(films, answers, part) for part in parts])


class Chosen(list):
    """Batches cut out when they are asked for."""

    def __iter__(self):
        return ((films[part], answers[part]) for films, answers, part in super().__iter__())


def signed(films):
    return torch.from_numpy(films)[:, None].float() / 127.5 - 1


def witness():
    def make():
        rows = stargan_robust.lesson_rows(WITNESS_FILMS, SEED)
        films, *_ = simulator.sample(None, SIZE, SEED, labels=rows, twins=False, masks=False)
        return {"films": films, "labels": rows[list(stargan_robust.FIVE)].to_numpy(np.float32)}

    data, model = cached("witness", make), Witness()
    training.fit(model, batches(data["films"], data["labels"], 48, 1), WITNESS_STEPS, WORK / "witness")
    return model


def outliner():
    def make():
        films, answers, rng = [], [], np.random.default_rng(3)
        for number, (name, count) in enumerate(
            zip((None, "Pleural Effusion", "Cardiomegaly"), OUTLINE_FILMS, strict=True)
        ):
            rows = varied(pd.DataFrame({name or "No Finding": [1.0] * count}), rng, ["PA"])
            images, _, masks, table = simulator.sample(None, SIZE, 700 + number, rows, twins=False)
            films.append(images)
            answers.append(chest_measures.outlines(table, masks, SIZE))
        return {"films": np.concatenate(films), "outlines": np.concatenate(answers)}

    data, model = cached("outlines", make), chest_measures.Outliner()
    stream = batches(data["films"], data["outlines"], 32, 2)
    training.fit(model, stream, OUTLINE_STEPS, WORK / "outliner")
    return model


def varied(rows, rng, views):
    """Label rows with sex, age and view drawn."""
    n = len(rows)
    rows = rows.assign(sex=rng.choice(["Male", "Female"], n), age=rng.integers(25, 90, n).astype(float))
    return rows.assign(view=views[0] if len(views) == 1 else rng.choice(views, n))


def pairs(finding, views=("PA", "AP"), count=COUNT):
    """True films with one finding and their healthy twins: two (count, 1, SIZE, SIZE) in [-1, 1]."""
    number = SEED + 100 + stargan_robust.FIVE.index(finding) + 10 * len(views)

    def make():
        rows = varied(pd.DataFrame({finding: [1.0] * count}), np.random.default_rng(number), list(views))
        true, healthy, *_ = simulator.sample(None, SIZE, number, labels=rows, masks=False)
        return {"true": true, "healthy": healthy}

    data = cached(f"pairs-{finding}-{len(views)}", make)
    return signed(data["true"]), signed(data["healthy"])


# ---------------------------------------------------------------- the measures
def hazy(films, seed=0):
    """A blur of one pixel and grain of three grey levels: what a finding survives and a bribe does not."""
    grain = torch.randn(films.shape, generator=torch.Generator().manual_seed(seed))
    return (stargan_robust.blur(films, 1.0) + GRAIN * grain).clamp(-1, 1)


def recognised(judge, finding, healthy, made, true):
    """{measure: AUROC with interval}."""
    column = stargan_robust.FIVE.index(finding)
    labels, patients = np.repeat([0.0, 1.0], len(healthy)), np.tile(np.arange(len(healthy)), 2)

    def area(films, see):
        scores = judge.logits(see(torch.cat([healthy, films])))[:, column].numpy()
        return metrics.auroc(labels, scores, patients)

    return {
        "classified": area(made, lambda x: x), "classified_blurred": area(made, hazy),
        "classified_true": area(true, lambda x: x), "classified_blurred_true": area(true, hazy),
    }  # fmt: skip


def distances(healthy, made, true):
    """{measure: KID x 1,000 with interval}: true films of the first half of the patients against the rest."""
    half, rows = len(true) // 2, {}
    for space, name in (("thumbnails", "kid"), ("imagenet", "kid_photographs")):
        for what, films in (("made", made), ("untouched", healthy), ("floor", true)):
            estimate = metrics.kid(true[:half], films[half:], space)
            rows[f"{name}_{what}"] = [1000 * value for value in estimate]
    return rows


def measured(outlines, healthy, made, true):
    """{measure: mean with interval} of what a radiologist measures, and how far the distributions overlap."""
    rows = {}
    tables = {name: chest_measures.measure(*outlines.predict(films)) for name, films in
              (("healthy", healthy), ("made", made), ("true", true))}  # fmt: skip
    for table in tables.values():
        table["recess"] = table[["depth left", "depth right"]].min(axis=1)
    for short, column in (("ratio", "cardiothoracic ratio"), ("aerated", "aerated"), ("recess", "recess")):
        for name, table in tables.items():
            rows[f"{short}_{name}"] = mean_of(table[column].dropna())
        for name in ("healthy", "made"):
            rows[f"{short}_overlap_{name}"] = [overlap(tables[name][column], tables["true"][column])] * 3
    return rows


def overlap(some, others):
    """1 minus the Kolmogorov-Smirnov distance of two sets of numbers: 1 for the same distribution."""
    some, others = np.sort(some.dropna()), np.sort(others.dropna())
    at = np.concatenate([some, others])
    below = [np.searchsorted(values, at, side="right") / len(values) for values in (some, others)]
    return 1 - np.abs(below[0] - below[1]).max()


def variety(healthy, made, true):
    rows = {}
    for name, films in (("made", made), ("true", true)):
        change = (films - healthy).abs()[:, 0]
        left = change[:, :, : change.shape[2] // 2].sum((1, 2)) / change.sum((1, 2)).clamp(min=1e-6)
        rows[f"one_side_{name}"] = mean_of(((left > ONE_SIDE) | (left < 1 - ONE_SIDE)).float().numpy())
        rows[f"size_{name}"] = mean_of(change.mean((1, 2)).numpy())
        rows[f"size_spread_{name}"] = [change.mean((1, 2)).std().item()] * 3
    return rows


def mean_of(values, seed=0):
    """Mean and 95 % interval from drawing films with replacement."""
    values = np.asarray(values, float)
    draws = np.random.default_rng(seed).integers(0, len(values), (1000, len(values)))
    return [values.mean(), *np.quantile(values[draws].mean(1), [0.025, 0.975])]


def removal(healthy, true, without):
    before, after = ((films - healthy).abs().mean((1, 2, 3)).numpy() for films in (true, without))
    draws = np.random.default_rng(0).integers(0, len(before), (1000, len(before)))
    ratios = after[draws].mean(1) / before[draws].mean(1)
    return {"removed": [after.mean() / before.mean(), *np.quantile(ratios, [0.025, 0.975])]}


def measure(name, judge, outlines):
    """All rows of one network."""
    model, _, card = training.shipped(NETWORKS[name], name)
    rows = []
    for finding in card["findings"]:
        target = torch.tensor([[float(other == finding) for other in card["findings"]]])
        true, healthy = pairs(finding)
        made, without, same = (
            model.translate(films, labels.expand(len(films), -1)) for films, labels in
            ((healthy, target), (true, 0 * target), (healthy, 0 * target))
        )  # fmt: skip
        found = recognised(judge, finding, healthy, made, true) | distances(healthy, made, true)
        found |= variety(healthy, made, true) | removal(healthy, true, without)
        found["nothing"] = mean_of((same - healthy).abs().mean((1, 2, 3)))
        if finding in ("Cardiomegaly", "Pleural Effusion"):
            true, healthy = pairs(finding, views=("PA",))
            made = model.translate(healthy, target.expand(len(healthy), -1))
            found |= measured(outlines, healthy, made, true)
        rows += [
            dict(zip(("network", "finding", "measure", "value", "low", "high", "n"),
                     (name, finding, what, *(round(float(v), 4) for v in values), len(true)), strict=True))
            for what, values in found.items()
        ]  # fmt: skip
    return rows


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("network", nargs="*", default=list(NETWORKS), help=f"of {', '.join(NETWORKS)}")
    options = parser.parse_args()
    unknown = set(options.network) - set(NETWORKS)
    if unknown:
        parser.error(f"unknown network {', '.join(sorted(unknown))}: choose of {', '.join(NETWORKS)}")
    torch.set_num_threads(1)
    judge, outlines = witness(), outliner()
    for name in options.network:
        known = pd.read_csv(OUT).to_dict("records") if OUT.exists() else []
        if any(row["network"] == name for row in known):
            print(f"{name} is measured already")
            continue
        artifacts.write_csv(OUT, [*known, *measure(name, judge, outlines)])


if __name__ == "__main__":
    main()
