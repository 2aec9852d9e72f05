"""Do the findings that a StarGAN draws look like findings? Measures that a pattern nobody sees cannot bribe.

    python studies/findings_that_look.py            # of both networks that the package ships
    python studies/findings_that_look.py stargan    # of one of them, or of stargan_robust_128

Writes book/results/findings.csv, one row per measure: network, finding, measure, value, low, high, n; and
the same into the card of each network. Measures:

classified, classified_blurred: AUROC of a witness, a classifier of another kind that never saw a made film,
    for healthy films against the same with the finding drawn; and again after a blur of 1 pixel and grain of
    3 grey levels. classified_true, classified_blurred_true: of true films.
kid_made, kid_untouched, kid_floor: distance (KID x 1,000) to true films of other patients, in thumbnails, of
    made films, of healthy films as they are, of other true films. With kid_photographs_ the same in the eyes
    of a network trained on photographs.
ratio, aerated, recess: cardiothoracic ratio, aerated lung and depth of the shallower costophrenic angle of
    upright films (see `chest_measures`), _healthy, _made and _true; _overlap_: with the true ones.
one_side: share of films whose change lies on one side (four fifths of it); size: the mean change.
removed: distance to the healthy twin after removal, as a share of that before.
nothing: mean absolute change where nothing is asked for, of [-1, 1].

stargan_robust_128 is the same network given films of 128 px; it draws the change at 64 px: distances,
sides and sizes, removal and `nothing`. Witness and ruler read 64 px.

No film of this study was trained on. A killed run goes on: a network that stands in the csv is not measured
again (delete its rows to repeat).
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock

from medgan_helpers import artifacts, chest_measures, simulator, stargan, stargan_robust, training
from medgan_helpers import stargan_trial as trial
from medgan_helpers.images import signed_batch
from medgan_helpers.training import Model, one_step, seeded
from medgan_helpers.training.checkpoints import ASSETS

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "book" / "results" / "findings.csv"
WORK = ROOT / "build" / "findings"
ENLARGED = "stargan_robust_128"
NETWORKS = {"stargan": stargan.StarGAN, "stargan_robust": stargan_robust.RobustStarGAN}
SIZE, COUNT, SEED = 64, 2000, 4000
LARGE, LARGE_COUNT = 128, 600  # side, and films of a finding, of what is drawn into larger films
WITNESS_FILMS, WITNESS_STEPS = 2500, 500
OUTLINE_FILMS, OUTLINE_STEPS = (500, 350, 350), 350  # healthy, effusion, large heart


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
    return signed_batch(films)


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


def twins(finding, views=("PA", "AP"), count=COUNT, size=SIZE):
    """A trial.Case of so many patients."""

    def make():
        case = trial.twins(finding, count, size, SEED + len(views), views)
        return {"healthy": case.healthy.numpy(), "ill": case.ill.numpy()}

    data = cached(f"twins-{finding}-{len(views)}-{count}-{size}", make)
    films = (torch.from_numpy(data[name]) for name in ("healthy", "ill"))
    return trial.Case(*films, np.arange(count), np.arange(count), True)


# ---------------------------------------------------------------- the measures
def measured(outlines, case, made):
    """{measure: mean with interval} of what a radiologist measures, and how far the distributions overlap."""
    rows, sets = {}, {"healthy": case.healthy, "made": made, "true": case.ill}
    tables = {name: chest_measures.measure(*outlines.predict(films)) for name, films in sets.items()}
    for table in tables.values():
        table["recess"] = table[["depth left", "depth right"]].min(axis=1)
    for short, column in (("ratio", "cardiothoracic ratio"), ("aerated", "aerated"), ("recess", "recess")):
        for name, table in tables.items():
            rows[f"{short}_{name}"] = trial.mean_of(table[column].dropna())
        for name in ("healthy", "made"):
            shared = trial.overlap(tables[name][column], tables["true"][column])
            rows[f"{short}_overlap_{name}"] = [shared] * 3
    return rows


def compared(model, findings, finding, case, part=1):
    """(films made, what distances and twins say of them)."""
    target = trial.wish(finding, findings, len(case.healthy))
    asked = ((case.healthy, target), (case.ill, 0 * target), (case.healthy, 0 * target))
    options = {} if part == 1 else {"part": part}  # the paper's StarGAN knows one size
    made, without, same = (model.translate(films, wish, **options) for films, wish in asked)
    rows = trial.distances(case, made) | trial.variety(case, made) | trial.removal(case, without)
    return made, rows | {"nothing": trial.mean_of((same - case.healthy).abs().mean((1, 2, 3)))}


def measure(name, judge, outlines):
    """{finding: {measure: (value, low, high)}} of one network."""
    model, _, card = training.shipped(NETWORKS[name], name)
    found = {}
    for finding in card["findings"]:
        case, upright = twins(finding), twins(finding, views=("PA",))
        made, rows = compared(model, card["findings"], finding, case)
        rows |= trial.recognised(judge, stargan_robust.FIVE.index(finding), case, made)
        if finding in trial.RULER:
            target = trial.wish(finding, card["findings"], COUNT)
            rows |= measured(outlines, upright, model.translate(upright.healthy, target))
        found[finding] = rounded(name, finding, rows)
    return found


def measure_large():
    """The same of the robust network given larger films, without witness and ruler."""
    model, _, card = training.shipped(stargan_robust.RobustStarGAN, "stargan_robust")
    found = {}
    for finding in card["findings"]:
        case = twins(finding, count=LARGE_COUNT, size=LARGE)
        rows = compared(model, card["findings"], finding, case, part=LARGE // SIZE)[1]
        found[finding] = rounded(ENLARGED, finding, rows)
    return found


def rounded(name, finding, rows):
    found = {what: [round(float(v), 4) for v in values] for what, values in rows.items()}
    print(name, finding, {what: values[0] for what, values in found.items()}, flush=True)
    return found


def keep(name, found):
    """Write the rows to the csv, and the measures into the network's card."""
    large = name == ENLARGED
    rows = [
        {"network": name, "finding": finding, "measure": what, "value": v, "low": low, "high": high}
        for finding, measures in found.items()
        for what, (v, low, high) in measures.items()
    ]
    known = pd.read_csv(OUT).to_dict("records") if OUT.exists() else []
    rows = [row | {"n": LARGE_COUNT if large else COUNT} for row in rows]
    artifacts.write_csv(OUT, [*(row for row in known if row["network"] != name), *rows])
    path = ASSETS / ("stargan_robust" if large else name) / "card.json"
    said = {f"measures_{LARGE}": found} if large else {"measures": found, "films_per_finding": COUNT}
    artifacts.write_json(path, json.loads(path.read_text()) | said)


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    names = [*NETWORKS, ENLARGED]
    parser.add_argument("network", nargs="*", default=names, help=f"of {', '.join(names)}")
    options = parser.parse_args()
    unknown = set(options.network) - set(names)
    if unknown:
        parser.error(f"unknown network {', '.join(sorted(unknown))}: choose of {', '.join(names)}")
    torch.set_num_threads(1)
    judge, outlines = witness(), outliner()
    for name in options.network:
        if OUT.exists() and (pd.read_csv(OUT)["network"] == name).any():
            print(f"{name} is measured already")
            continue
        keep(name, measure_large() if name == ENLARGED else measure(name, judge, outlines))


if __name__ == "__main__":
    main()
