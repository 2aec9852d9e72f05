"""Networks that learn from real films: a classifier, and a StarGAN that goes on from the shipped one.

Both learn from the training patients of the films that the package carries (`session.real_films`): whatever
chapters show of them is of validation and test patients, and what the cards measure, of test patients.
"""

import numpy as np
import pandas as pd
import torch

from medgan_helpers import (
    artifacts,
    augmentation,
    classifier,
    images,
    real_trial,
    session,
    stargan_robust,
    training,
)

from .classifier_films import measured
from .measurements import lowest, note, noted

SIZE, SEED, BATCH = 64, 0, 32
EVERY = 50  # steps between two measurements of the validation loss
BEGINNINGS = ("scratch", "simulated")  # from first weights, or from the shipped classifier's features
FINDINGS = list(real_trial.LABELLED)
FOUR = ["Cardiomegaly", "Edema", "Consolidation", "Pleural Effusion"]  # as the shipped StarGAN draws
EXAM_STEPS, EXAM_RATE = 300, 3e-3  # of an examiner that goes on from simulated films; by validation loss


def part(role):
    """(films (N, 1, 64, 64) in [-1, 1], labels (N, 9), patients) of one part of the real films."""
    films = session.real_films(SIZE)
    frame = films.splits[role]
    labels = films.labels(frame, uncertain="ignore")[FINDINGS]
    store = films.store.subset(frame)
    return images.signed_batch(store[:]), torch.tensor(labels.to_numpy(np.float32)), frame.patient.to_numpy()


# ---------------------------------------------------------------- the classifier
def train_classifier(steps, assets):
    """The classifier of real films: the better of two beginnings at its best step; calibrated."""
    artifacts.activate("class", "nih", "train_networks")
    valid, truth, _ = part("valid")
    folder = artifacts.folder("artifacts")
    tables = {}
    for beginning in BEGINNINGS:
        place = folder / f"classifier-real-{beginning}"
        table = place / "validation.csv"

        def measure(model, step, place=place, table=table):
            note(table, {"step": step, "validation_loss": round(model.loss(valid, truth), 5)})
            if step == lowest(noted(table)):
                training.save(model, place / "best", {})

        history = training.fit(start(beginning, steps), lessons(), steps, place, every=EVERY, samples=measure)
        tables[beginning] = history, noted(table)
    ship_classifier(tables, steps, folder, assets)


def start(beginning, steps):
    model = classifier.DenseNet(FINDINGS, preset="narrow", steps=steps, emphasis=FINDINGS, seed=SEED)
    if beginning == "simulated":
        model.network.features.load_state_dict(classifier.shipped().network.features.state_dict())
    return model


def lessons():
    """Endless batches of the training films, turned, shifted and recoloured anew at every step."""
    films = session.real_films(SIZE)
    frame = films.splits["train"]
    labels = films.labels(frame, uncertain="ignore")[FINDINGS]
    batches = films.store.subset(frame).batches(BATCH, SEED, labels=labels)
    return augmentation.Augmented(batches, seed=SEED)


def ship_classifier(tables, steps, folder, assets):
    """Of the better beginning the best step: calibrated on validation films, tested on test films, saved."""
    lows = {name: min(row["validation_loss"] for row in rows) for name, (_, rows) in tables.items()}
    chosen = min(lows, key=lows.get)
    history, by_step = tables[chosen]
    model = training.load(classifier.DenseNet, folder / f"classifier-real-{chosen}" / "best")
    model.steps_done = lowest(by_step)
    valid, truth, _ = part("valid")
    model.calibrate(valid, truth)
    said, exam = measured(model, (valid, truth), part("test"))
    counts = {role: len(part(role)[0]) for role in ("train", "valid", "test")}
    card = {
        "data": f"real films (NIH ChestX-ray14, `session.real_films`), no patient in two parts: "
        f"{counts['train']} to learn from; step and beginning chosen, calibrated, and thresholds chosen, on "
        f"{counts['valid']}; tested on {counts['test']}",
        "command": f"python data_scripts/train_networks.py classifier_real --steps {steps}",
        "use": "teaching; reads chest films badly, not for diagnosis",
        "image_size": SIZE,
        "beginning": chosen,
        "lowest_validation_loss": lows,
        "validation_loss_by_step": by_step,
        "test": exam,
    }
    training.save(model, assets / "classifier_real", card, history[history["step"] <= model.steps_done])
    artifacts.write_csv(assets / "classifier_real" / "test.csv", said)
    print(lows, chosen, model.steps_done, pd.DataFrame(card["test"]).T, sep="\n")


# ---------------------------------------------------------------- the StarGAN
def train_stargan(steps, examiner, assets):
    """The shipped robust StarGAN goes on with real films; examiner: the one that it learnt from.

    Both have learnt from simulated films. The examiner reads real ones first, through haze; then painter and
    judge play. Of all films that they meet, of training patients, half have none of the nine findings that
    NIH labels, the others at least one of those that are read, or drawn.
    """
    folder = artifacts.folder("artifacts")
    grey, labels = training_films()
    examiner.begin(EXAM_STEPS, EXAM_RATE)
    exam = lessons_of(grey, labels, examiner.findings, 48, seed=1)
    training.fit(examiner, exam, EXAM_STEPS, folder / "examiner-real", every=100)
    columns = [list(examiner.findings).index(finding) for finding in FOUR]
    model = stargan_robust.RobustStarGAN(
        SIZE, len(FOUR), seed=SEED, decay_steps=steps, examiner=examiner, columns=columns
    )
    before, _, card = training.shipped(stargan_robust.RobustStarGAN, "stargan_robust")
    model.load_trained(before.trained.state_dict())
    game = lessons_of(grey, labels, FOUR, 12, seed=2)
    history = training.fit(model, game, steps, folder / "stargan-real-long", every=250)
    card = {
        "data": f"{len(game.films)} of {len(grey)} real films of training patients (NIH ChestX-ray14, "
        f"`session.real_films`); began as stargan_robust, {card['steps']} steps with simulated films",
        "command": f"python data_scripts/train_networks.py stargan_real --steps {steps}",
        "use": "teaching; draws findings into real chest films, not for diagnosis",
        "findings": FOUR,
        "learnt_from": dict(zip(FOUR, game.labels.sum(0).int().tolist(), strict=True)),
    }
    artifacts.activate("class", "nih", "train_networks")  # what the card says
    training.save(model, assets / "stargan_real", card, history)
    print(card["learnt_from"])


def lessons_of(grey, labels, findings, size, seed):
    """Batches of which one half has none of the nine findings, the other at least one of `findings`."""
    asked = labels[:, [FINDINGS.index(finding) for finding in findings]]
    known = (labels.sum(1) == 0) | (asked.sum(1) > 0)
    return stargan_robust.Lessons(grey[known], asked[known], size, seed, halves=True)


def training_films():
    """(N, 64, 64) uint8 and labels (N, 9) of the training patients."""
    films, labels, _ = part("train")
    return images.signed_to_uint8(films)[:, 0].numpy(), labels.numpy()
