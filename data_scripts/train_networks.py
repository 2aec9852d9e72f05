"""Train the networks that the package ships, longer than a notebook can.

    python data_scripts/train_networks.py dcgan      # one of them
    python data_scripts/train_networks.py            # all: about an hour on one CPU core

Films, widths, batches and seed are those of the class profile in chapters 3 and 5. The steps are more and
the learning rates fall; the StarGAN learns five findings, and its critic goes to school for a third of the
steps.
Written to medgan_helpers/assets/<name>: weights in half precision, the history of the training, and a card
with data, command, metrics and hash. A killed run goes on from its checkpoint in build/class/artifacts.
Of the restorers of chapter 4, unet and pix2pix of each modality go on from one U-Net for a third of the steps
more: unet with L1 alone, pix2pix with a discriminator. pix2pix ships only where the discriminator has learnt.
"""

import argparse

import numpy as np
import pandas as pd
import torch

from medgan_helpers import (
    artifacts,
    chexpert,
    classifier,
    dcgan,
    images,
    metrics,
    restorers,
    session,
    simulator,
    stargan,
    training,
)
from medgan_helpers.training.checkpoints import ASSETS

SEED = 0
EVERY = 1000  # steps between two measurements
FIVE = ["Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion"]  # of CheXpert's contest
READER_STEPS = 450
TESTED = 600  # fresh simulated films, of which the classifier's ROC curves are drawn


def signed(store, count=None):
    return images.uint8_to_signed(store[:count])[:, None]


def noted(path):
    """The rows of a table of measurements, none where there is no table yet."""
    return pd.read_csv(path).to_dict("records") if path.exists() else []


def note(path, row):
    """Add a measurement to the table; those of its step and later ones came from a run that was killed."""
    with artifacts.atomic(path) as temporary:
        kept = [old for old in noted(path) if old["step"] < row["step"]]
        pd.DataFrame([*kept, row]).to_csv(temporary, index=False)


def train_dcgan(steps):
    """Chapter 3's generator; the KID of its films to those it learnt from, every EVERY steps."""
    here = session.start("03-dcgan", "class", "simulated", seed=SEED)
    films = session.films()
    train = films.store.subset(films.splits["train"])
    count = here.profile.evaluation_films
    real = signed(train, count)
    unseen = films.store.subset(pd.concat([films.splits["valid"], films.splits["test"]]))
    size, width = here.profile.image_size, here.profile.width
    model = dcgan.DCGAN(size, width, SEED, **dcgan.SMALL, decay_steps=steps)
    path = artifacts.folder("artifacts") / "dcgan-long" / "kid.csv"

    def measure(model, step):
        made = {"made": model.generate(count, seed=SEED + 1)}
        table = metrics.realism_table(real, made, SEED)["KID x 1000"]
        note(path, {"step": step} | {space: round(value, 1) for (space, _), value in table.items()})

    batches = train.batches(dcgan.SMALL_BATCH, seed=SEED, device=model.device)
    history = training.fit(model, batches, steps, path.parent, every=EVERY, samples=measure)
    table = metrics.realism_table(
        real, {"made": model.generate(count, seed=SEED + 1), "other patients": signed(unseen, count)}, SEED
    )
    card = {
        "data": f"{len(train)} simulated films of the training patients (class profile, seed {SEED})",
        "command": f"python data_scripts/train_networks.py dcgan --steps {steps}",
        "use": "teaching; draws synthetic chest films, not for diagnosis",
        "realism": {f"{space}: {name}": row.round(2).to_dict() for (space, name), row in table.iterrows()},
        "kid_by_step": noted(path),
    }
    training.save(model, ASSETS / "dcgan", card, history)
    print(table.round(2))


def train_stargan(steps):
    """Chapter 5's generator for five findings; how well a reader of real films sees each that it adds."""
    here = session.start("05-stargan", "class", "simulated", seed=SEED)
    films = session.films()
    train = films.store.subset(films.splits["train"])
    labels = films.labels(train.frame, uncertain="ignore")[FIVE]
    rows = stargan.balanced(labels, SEED)
    size, width = here.profile.image_size, here.profile.width // 2
    model = stargan.StarGAN(
        size, len(FIVE), width, SEED, **stargan.SMALL, pretrain=steps // 3, decay_steps=steps
    )
    lessons = films.store.subset(train.frame.loc[rows])
    batches = lessons.batches(stargan.BATCH, seed=SEED, device=model.device, labels=labels.loc[rows])
    history = training.fit(model, batches, steps, artifacts.folder("artifacts") / "stargan-long", every=EVERY)
    reader = classifier.DenseNet(FIVE, preset="narrow", steps=READER_STEPS, emphasis=FIVE, seed=SEED)
    training.fit(reader, train.batches(64, seed=SEED, device=reader.device, labels=labels), READER_STEPS)
    card = {
        "data": f"{len(train)} simulated films of the training patients (class profile, seed {SEED})",
        "command": f"python data_scripts/train_networks.py stargan --steps {steps}",
        "use": "teaching; adds findings to synthetic chest films, not for diagnosis",
        "findings": FIVE,
        "auroc_of_a_reader": {finding: recognised(model, reader, finding) for finding in FIVE},
    }
    training.save(model, ASSETS / "stargan", card, history)
    print(card["auroc_of_a_reader"])


def recognised(model, reader, finding, count=256):
    """AUROC of `reader` for healthy simulated patients against the same with `finding` added: made, true."""
    rows = simulator.draw_rows(count, seed=SEED + 2000)
    rows[chexpert.FINDINGS] = 0.0
    rows[finding] = 1.0
    size = model.config["image_size"]
    true, healthy, *_ = simulator.sample(None, size, SEED + 2000, labels=rows, masks=False)
    true, healthy = (images.uint8_to_signed(x)[:, None] for x in (true, healthy))
    target = torch.tensor([[float(name == finding) for name in FIVE]] * count)
    labels, patients = np.repeat([0.0, 1.0], count), np.tile(np.arange(count), 2)
    scores = {}
    for name, films in (("made", model.translate(healthy, target)), ("true", true)):
        seen = reader.predict(torch.cat([healthy, films])).numpy()[:, FIVE.index(finding)]
        scores[name] = round(metrics.auroc(labels, seen, patients).value, 3)
    return scores


def train_classifier(steps):
    """The classifier of chapter 7's live figure: of all findings, calibrated, tested on fresh films."""
    here = session.start("07-cam-interpretation", "class", "simulated", seed=SEED)
    films = session.films()
    train, valid = (films.store.subset(films.splits[part]) for part in ("train", "valid"))
    found = chexpert.FINDINGS[1:]
    model = classifier.DenseNet(found, preset="narrow", steps=steps, emphasis=found, seed=SEED)
    labels = films.labels(train.frame)[found]
    batches = train.batches(64, seed=SEED, device=model.device, labels=labels)
    folder = artifacts.folder("artifacts") / "classifier-long"
    history = training.fit(model, batches, steps, folder, every=EVERY)
    model.calibrate(signed(valid), torch.tensor(films.labels(valid.frame)[found].to_numpy()))
    said, aurocs = tested(model, here.profile.image_size)
    card = {
        "data": f"{len(train)} simulated films of the training patients (class profile, seed {SEED})",
        "command": f"python data_scripts/train_networks.py classifier --steps {steps}",
        "use": "teaching; reads simulated chest films, not for diagnosis",
        "auroc": aurocs,
        "auroc_films": TESTED,
    }
    training.save(model, ASSETS / "classifier", card, history)
    artifacts.write_csv(ASSETS / "classifier" / "test.csv", said)
    print(aurocs)


def tested(model, size):
    """What a classifier says of TESTED fresh simulated films: one row a finding and film (finding, label,
    logit), and the AUROC of each finding."""
    seed = SEED + 3000
    films, _, _, table = simulator.sample(TESTED, size, seed, twins=False, masks=False)
    truth = chexpert.labels(table)[list(model.findings)].to_numpy()
    logits = model.logits(images.uint8_to_signed(films)[:, None]).numpy()
    rows, aurocs = [], {}
    for k, finding in enumerate(model.findings):
        pairs = zip(truth[:, k], logits[:, k], strict=True)
        rows += [{"finding": finding, "label": int(l), "logit": round(float(x), 3)} for l, x in pairs]
        aurocs[finding] = round(metrics.auroc(truth[:, k], logits[:, k], table["patient"]).value, 3)
    return rows, aurocs


def train_restorers(steps):
    """Chapter 4's restorers for the three modalities; PSNR and SSIM on validation and test images."""
    here = session.start("04-pix2pix", "class", "simulated", seed=SEED)
    films, size, tests = session.films(), here.profile.image_size, here.profile.restoration_test
    many = here.profile.restoration_images
    benches = [
        restorers.xray(films, many, tests // 4, tests, SEED),
        restorers.ct(many, tests // 4, tests, size, SEED),
        restorers.mr(many // 2, tests // 4, tests, size, SEED),
    ]
    for bench in benches:
        train_restorer(bench, here.profile.pix2pix_width, steps)


def train_restorer(bench, width, steps):
    """One modality: a U-Net, then the same steps more without and with a discriminator."""
    folder = artifacts.folder("artifacts")
    first, _ = restorers.train(bench, width, steps, folder / f"first-{bench.modality}-long")
    for name, changes in (("unet", {"adversarial": 0.0}), ("pix2pix", {})):
        place = folder / f"{name}-{bench.modality}-long"
        model, history = restorers.go_on(first, bench, steps // 3, place, **changes)
        found = {part: closeness(model, bench, part) for part in ("valid", "test")}
        card = {
            "data": f"{len(bench.clean['train'])} {bench.modality} images of the training patients "
            f"(class profile, simulated, seed {SEED})",
            "command": f"python data_scripts/train_networks.py pix2pix --steps {steps}",
            "use": "teaching; its repairs are guesses, not for diagnosis",
            "steps_before": steps,
            "discriminator": training.diagnose(history) if changes == {} else "none",
        }
        print(bench.modality, name, found, card["discriminator"])
        if card["discriminator"] == "none" or card["discriminator"].startswith("healthy"):
            training.save(model, ASSETS / f"{name}-{bench.modality}", card | found, history)


def closeness(model, bench, part):
    """Means over a part, before data consistency."""
    repaired, clean = restorers.repair(model, bench, part), bench.clean[part]
    measures = {"PSNR (dB)": metrics.psnr, "SSIM": metrics.ssim}
    return {name: round(function(repaired, clean).mean().item(), 3) for name, function in measures.items()}


NETWORKS = {
    "dcgan": (train_dcgan, 4000),
    "stargan": (train_stargan, 2400),
    "classifier": (train_classifier, 1200),
    "pix2pix": (train_restorers, 1500),
}


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("network", nargs="*", help=f"of {', '.join(NETWORKS)} (default: all)")
    usual = ", ".join(f"{name} {steps}" for name, (_, steps) in NETWORKS.items())
    parser.add_argument("--steps", type=int, help=f"other than {usual}")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    unknown = set(options.network) - set(NETWORKS)
    if unknown:
        parser.error(f"unknown network {', '.join(sorted(unknown))}: choose of {', '.join(NETWORKS)}")
    torch.set_num_threads(options.threads)
    for name in options.network or NETWORKS:
        train, steps = NETWORKS[name]
        train(options.steps or steps)


if __name__ == "__main__":
    main()
