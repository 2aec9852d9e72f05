"""Train the networks that the package ships, longer than a notebook can.

    python data_scripts/train_networks.py dcgan      # one of them
    python data_scripts/train_networks.py            # all: about an hour on one CPU core

Films, widths, batches and seed are those of the class profile in chapters 3 and 5. The steps are more and
the learning rates fall; the StarGAN learns five findings, and its critic goes to school for a third of the
steps. The robust StarGAN learns four, from many more films of its own; after it run
studies/findings_that_look.py, which measures both and writes the measures into their cards.
Written to medgan_helpers/assets/<name>: weights in half precision, the history of the training, and a card
with data, command, metrics and hash. A killed run goes on from its checkpoint in build/class/artifacts.
Of the restorers of chapter 4, unet and pix2pix of each modality go on from one U-Net for as many steps
again: unet with L1 alone, pix2pix with a discriminator; its card says whether that has learnt. So do the
three that draw a film from an organ map, the third with the discriminator alone.
"""

import argparse
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import torch
from lib import classifier_films, real_networks
from lib.measurements import lowest, note, noted

from medgan_helpers import (
    artifacts,
    chexpert,
    classifier,
    dcgan,
    flow,
    images,
    metrics,
    pix2pix,
    repair_trial,
    restorers,
    session,
    simulator,
    stargan,
    stargan_robust,
    training,
)
from medgan_helpers.checks import option, whole
from medgan_helpers.training.checkpoints import ASSETS

SEED = 0
EVERY = 1000  # steps between two measurements
FLOW_EVERY = 100  # steps between two checkpoints of the flow
FIVE = ["Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion"]  # of CheXpert's contest
JUDGE_STEPS = 450
CLASSIFIER_EVERY = 200  # steps between two measurements of the validation loss
FOUR = ["Cardiomegaly", "Edema", "Consolidation", "Pleural Effusion"]  # what the robust one draws
LESSON_PARTS, EXAMINER_STEPS = 7, 600
SHEETS, DRAWER_WIDTH = 2000, 12  # films with organ maps; channels of the networks that draw from maps
JOIN = 1500  # steps of the second part of their training, where a discriminator joins


def signed(store, count=None):
    return images.signed_batch(store[:count])


def train_dcgan(steps):
    """Chapter 3's generator, of simulated films."""
    here, films, _ = simulated_films("03-dcgan")
    dcgan_of("dcgan", films, dcgan.SMALL, here.profile, steps)


def train_dcgan_real(steps):
    """Chapter 3's generator of real films: few, so its expert sees none twice. Does it copy? The card says.

    Without spectral norm: with it D told nothing apart in 1,500 steps (D(x) .52, D(G(z)) .51).
    """
    here = session.start("03-dcgan", "class", "simulated", seed=SEED)
    films = session.real_films(here.profile.image_size)
    dcgan_of("dcgan_real", films, replace(dcgan.SMALL, augment=True), here.profile, steps)


def dcgan_of(name, films, recipe, profile, steps):
    """Train and ship a DCGAN; the KID of its films to those it learnt from, every EVERY steps."""
    train = films.store.subset(films.splits["train"])
    real = signed(train, profile.evaluation_films)
    model = dcgan.DCGAN(profile.image_size, profile.width, SEED, recipe=recipe, decay_steps=steps)
    path = artifacts.folder("artifacts") / f"{name}-long" / "kid.csv"

    def measure(model, step):
        made = {"made": model.generate(len(real), seed=SEED + 1)}
        table = metrics.realism_table(real, made, SEED)["KID x 1000"]
        note(path, {"step": step} | {space: round(value, 1) for (space, _), value in table.items()})

    batches = train.batches(dcgan.SMALL_BATCH, seed=SEED, device=model.device)
    history = training.fit(model, batches, steps, path.parent, every=min(EVERY, steps), samples=measure)
    card = noise_card(name, model, films, real) | {"kid_by_step": noted(path)}
    training.save(model, ASSETS / name, card, history)


def train_flow(steps):
    """Chapter 10's rectified flow. Its rate is constant: a run of more steps goes on from the last one."""
    here, films, train = simulated_films("10-after-gans")
    model = flow.Flow(here.profile.image_size, here.profile.width, SEED)
    batches = train.batches(flow.BATCH, seed=SEED, device=model.device)
    checkpoint = artifacts.folder("artifacts") / "flow-long"
    history = training.fit(model, batches, steps, checkpoint, every=FLOW_EVERY)
    card = noise_card("flow", model, films, signed(train, here.profile.evaluation_films))
    training.save(model, ASSETS / "flow", card, history)


def simulated_films(notebook):
    """The session of a chapter in the class profile, its films, and the store of the training patients."""
    here = session.start(notebook, "class", "simulated", seed=SEED)
    films = session.films()
    return here, films, films.store.subset(films.splits["train"])


def noise_card(name, model, films, real):
    """What the card of a generator of whole films says: data, command, and its films against `real` ones."""
    unseen = films.store.subset(pd.concat([films.splits["valid"], films.splits["test"]]))
    made = model.generate(len(real), seed=SEED + 1)
    sets = {"made": made, "other patients": signed(unseen, len(real))}
    table = metrics.realism_table(real, sets, SEED).round(2)
    print(table)
    train, kind = films.store.subset(films.splits["train"]), "simulated" if films.simulated else "real (NIH)"
    return {
        "data": f"{len(train)} {kind} films of the training patients (class profile, seed {SEED})",
        "command": f"python data_scripts/train_networks.py {name} --steps {model.steps_done}",
        "use": "teaching; draws synthetic chest films, not for diagnosis",
        "memorisation": metrics.memorisation(made, signed(train), signed(unseen), "thumbnails"),
        "realism": {f"{space}: {kind}": row.to_dict() for (space, kind), row in table.iterrows()},
    }


def train_stargan(steps):
    """Chapter 5's generator for five findings; how well a classifier of true films sees each that it adds."""
    here = session.start("05-stargan", "class", "simulated", seed=SEED)
    films = session.films()
    train = films.store.subset(films.splits["train"])
    labels = films.labels(train.frame, uncertain="ignore")[FIVE]
    rows = stargan.balanced(labels, SEED)
    size, width = here.profile.image_size, here.profile.width // 2
    model = stargan.StarGAN(
        size, len(FIVE), width, SEED, recipe=stargan.SMALL, pretrain=steps // 3, decay_steps=steps
    )
    lessons = films.store.subset(train.frame.loc[rows])
    batches = lessons.batches(stargan.BATCH, seed=SEED, device=model.device, labels=labels.loc[rows])
    history = training.fit(model, batches, steps, artifacts.folder("artifacts") / "stargan-long", every=EVERY)
    judge = classifier.DenseNet(FIVE, preset="narrow", steps=JUDGE_STEPS, emphasis=FIVE, seed=SEED)
    training.fit(judge, train.batches(64, seed=SEED, device=judge.device, labels=labels), JUDGE_STEPS)
    card = {
        "data": f"{len(train)} simulated films of the training patients (class profile, seed {SEED})",
        "command": f"python data_scripts/train_networks.py stargan --steps {steps}",
        "use": "teaching; adds findings to synthetic chest films, not for diagnosis",
        "findings": FIVE,
        "auroc_of_a_classifier": {finding: recognised(model, judge, finding) for finding in FIVE},
    }
    training.save(model, ASSETS / "stargan", card, history)
    print(card["auroc_of_a_classifier"])


def lesson_films():
    """(films (N, 64, 64) uint8, labels (N, 5)) that the robust StarGAN learns from, made once."""
    artifacts.activate("class", "simulated", "train_networks")
    films, labels = [], []
    for part in range(LESSON_PARTS):
        path = artifacts.folder("data") / f"lessons-{part}-{simulator.version()}.npz"
        if not path.exists():
            rows = stargan_robust.lesson_rows(3000, 500 + part)
            made, *_ = simulator.sample(None, 64, 500 + part, labels=rows, twins=False, masks=False)
            with artifacts.atomic(path) as temporary, open(temporary, "wb") as file:
                np.savez(file, x=made, y=rows[FIVE].to_numpy(np.float32))
        kept = np.load(path)
        films.append(kept["x"])
        labels.append(kept["y"])
    return np.concatenate(films), np.concatenate(labels)


def train_stargan_robust(steps):
    """Chapter 5's generator whose examiner cannot be bribed; studies/findings_that_look.py measures it."""
    films, labels = lesson_films()
    here, examiner = artifacts.folder("artifacts"), trained_examiner(films, labels)
    columns = [FIVE.index(finding) for finding in FOUR]
    known = labels[:, [FIVE.index(finding) for finding in FIVE if finding not in FOUR]].sum(1) == 0
    model = stargan_robust.RobustStarGAN(
        64, len(FOUR), seed=SEED, decay_steps=steps, examiner=examiner, columns=columns
    )
    lessons = stargan_robust.Lessons(films[known], labels[known][:, columns], 12, seed=2, halves=True)
    history = training.fit(model, lessons, steps, here / "stargan-robust-long", every=250)
    card = {
        "data": f"{known.sum()} of {len(films)} simulated films of training patients (lesson_rows, seeds "
        f"500 to {499 + LESSON_PARTS})",
        "command": f"python data_scripts/train_networks.py stargan_robust --steps {steps}",
        "use": "teaching; adds findings to synthetic chest films, not for diagnosis",
        "findings": FOUR,
    }
    training.save(model, ASSETS / "stargan_robust", card, history)


def trained_examiner(films, labels):
    """The examiner of simulated films, trained once."""
    examiner = stargan_robust.Examiner(FIVE, EXAMINER_STEPS)
    lessons = stargan_robust.Lessons(films, labels, 48, seed=1)
    training.fit(examiner, lessons, EXAMINER_STEPS, artifacts.folder("artifacts") / "examiner", every=100)
    return examiner


def train_stargan_real(steps):
    """Chapter 5's generator that goes on with real films."""
    examiner = trained_examiner(*lesson_films())
    real_networks.train_stargan(steps, examiner, ASSETS)


def recognised(model, judge, finding, count=256):
    """AUROC of `judge` for healthy simulated patients against the same with `finding` added: made, true."""
    rows = simulator.draw_rows(count, seed=SEED + 2000)
    rows[chexpert.FINDINGS] = 0.0
    rows[finding] = 1.0
    size = model.config["image_size"]
    true, healthy, *_ = simulator.sample(None, size, SEED + 2000, labels=rows, masks=False)
    true, healthy = (images.signed_batch(x) for x in (true, healthy))
    target = torch.tensor([[float(name == finding) for name in FIVE]] * count)
    labels, patients = np.repeat([0.0, 1.0], count), np.tile(np.arange(count), 2)
    scores = {}
    for name, films in (("made", model.translate(healthy, target)), ("true", true)):
        seen = judge.predict(torch.cat([healthy, films])).numpy()[:, FIVE.index(finding)]
        scores[name] = round(metrics.auroc(labels, seen, patients).value, 3)
    return scores


def train_classifier(steps):
    """The classifier that the chapters use: of all findings, at the best validation loss, calibrated."""
    artifacts.activate("class", "simulated", "train_networks")
    folder = artifacts.folder("artifacts") / "classifier-best"
    films, labels, _ = classifier_films.films("train")
    valid, valid_labels, _ = classifier_films.films("valid")
    found = chexpert.FINDINGS[1:]
    model = classifier.DenseNet(found, preset="narrow", steps=steps, emphasis=found, seed=SEED)
    path = folder / "validation.csv"

    def measure(model, step):
        note(path, {"step": step, "validation_loss": round(model.loss(valid, valid_labels), 5)})
        if step == lowest(noted(path)):
            training.save(model, folder / "best", {})

    lessons = stargan_robust.Lessons(images.signed_to_uint8(films)[:, 0], labels, 64, seed=SEED)
    history = training.fit(model, lessons, steps, folder, every=CLASSIFIER_EVERY, samples=measure)
    ship_classifier(training.load(classifier.DenseNet, folder / "best"), history, noted(path))


def ship_classifier(model, history, by_step):
    """Calibrate the network of the best step on films as they come, test it on others, save it."""
    model.steps_done = lowest(by_step)
    model.calibrate(*classifier_films.films("calibration")[:2])
    said, exam = classifier_films.examine(model)
    card = {
        "data": f"training patients: {classifier_films.card('train')}; step chosen on "
        f"{classifier_films.card('valid')}; calibrated, and thresholds chosen, on "
        f"{classifier_films.card('calibration')}; tested on {classifier_films.card('test')}",
        "command": f"python data_scripts/train_networks.py classifier --steps {history['step'].iloc[-1]}",
        "use": "teaching; reads simulated chest films, not for diagnosis",
        "image_size": classifier_films.SIZE,
        "validation_loss_by_step": by_step,
        "test": exam,
    }
    training.save(model, ASSETS / "classifier", card, history[history["step"] <= model.steps_done])
    artifacts.write_csv(ASSETS / "classifier" / "test.csv", said)
    print(pd.DataFrame(exam).T)


def train_restorers(steps):
    """Chapter 4's restorers for the three modalities; PSNR and SSIM on validation and test images."""
    here = session.start("04-pix2pix", "class", "simulated", seed=SEED)
    films, size, tests = session.films(), here.profile.image_size, here.profile.restoration_test
    many = here.profile.restoration_images
    benches = [
        restorers.xray(films, many, tests // 4, tests, SEED),
        restorers.ct(many, tests // 4, tests, size, SEED),
        restorers.mr(2 * many, tests // 4, tests, size, SEED),
    ]
    for bench in benches:
        train_restorer(bench, here.profile.pix2pix_width, steps)


def train_restorer(bench, width, steps):
    """One modality: a U-Net, then the same steps more without and with a discriminator."""
    folder = artifacts.folder("artifacts")
    first, _ = restorers.train(bench, width, steps, folder / f"first-{bench.modality}-long")
    for name, changes in (("unet", {"adversarial": 0.0}), ("pix2pix", {})):
        place = folder / f"{name}-{bench.modality}-long"
        model, history = restorers.go_on(first, bench, steps, place, **changes)
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
        training.save(model, ASSETS / f"{name}-{bench.modality}", card | found, history)


def closeness(model, bench, part):
    """Means over a part, before data consistency."""
    repaired, clean = restorers.repair(model, bench, part), bench.clean[part]
    measures = {"PSNR (dB)": metrics.psnr, "SSIM": metrics.ssim}
    return {name: round(function(repaired, clean).mean().item(), 3) for name, function in measures.items()}


def sheets(count, seed):
    """Organ maps and their films, made once."""
    path = artifacts.folder("data") / f"sheets-{count}-{seed}-{simulator.version()}.npz"
    if not path.exists():
        maps, films = restorers.organs(count, 64, seed)
        with artifacts.atomic(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, maps=maps.numpy(), films=films.numpy())
    kept = np.load(path)
    return torch.from_numpy(kept["maps"]), torch.from_numpy(kept["films"])


def train_organs(steps):
    """Chapter 4's films from organ maps: L1 alone, then JOIN steps more with L1, D, or both.

    Settings were chosen on the validation films, which no figure and no test shows; but the weight of L1
    was doubled after 24 other films (seed 900) had shown too much error. Tests ask films of another seed.
    """
    artifacts.activate("class", "simulated", "train_networks")
    (maps, films), (new_maps, new_films) = sheets(SHEETS, SEED + 100), sheets(96, SEED + 700)
    lessons, folder = restorers.Sheets(maps, films, SEED), artifacts.folder("artifacts")
    first = drawer(None, steps, adversarial=0.0)
    training.fit(first, lessons, steps, folder / "first-organs-long")
    for name, changes in restorers.DRAWERS.values():
        model = drawer(first, JOIN, **changes)
        history = training.fit(model, lessons, JOIN, folder / f"{name}-long")
        far = partial(drawn_well, model)
        card = {
            "data": f"{SHEETS} simulated films of training patients (seed {SEED + 100}) and their organ maps",
            "command": f"python data_scripts/train_networks.py organs --steps {steps}",
            "use": "teaching; draws a film from an organ map, not for diagnosis",
            "steps_before": steps,
            "discriminator": training.diagnose(history) if model.recipe.adversarial else "none",
            "training": far(films[:96], maps[:96]),
            "validation": far(new_films, new_maps),
        }
        print(name, card["validation"], card["discriminator"])
        training.save(model, ASSETS / name, card, history)


def drawn_well(model, films, maps):
    """{measure: mean} of what it draws from these maps."""
    found = repair_trial.drawings(films, {"made": model.restore(maps)}).loc["made"]
    return {measure: round(float(value), 4) for measure, value in found.items()}


def drawer(first, steps, **changes):
    """A Pix2Pix for organ maps. first: the network from whose weights it goes on, at half the rate, so that
    a discriminator at four times that keeps up; None: a new one."""
    rates = {"learning_rate": 5e-4, "critic_rate": 2e-3} if first else {"learning_rate": 1e-3}
    options = {"in_channels": len(simulator.ORGANS), "decay_steps": steps} | rates | changes
    model = pix2pix.Pix2Pix(64, DRAWER_WIDTH, SEED, settings=pix2pix.DRAW, **options)
    if first:
        model.load_trained(first.trained.state_dict())
    return model


NETWORKS = {
    "dcgan": (train_dcgan, 4000),
    "dcgan_real": (train_dcgan_real, 2000),
    "flow": (train_flow, 4000),
    "stargan": (train_stargan, 2400),
    "classifier": (train_classifier, 1800),
    "classifier_real": (partial(real_networks.train_classifier, assets=ASSETS), 900),
    "stargan_robust": (train_stargan_robust, 3600),
    "stargan_real": (train_stargan_real, 3000),
    "pix2pix": (train_restorers, 1500),
    "organs": (train_organs, 4000),
}


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("network", nargs="*", help=f"of {', '.join(NETWORKS)} (default: all)")
    usual = ", ".join(f"{name} {steps}" for name, (_, steps) in NETWORKS.items())
    parser.add_argument("--steps", type=int, help=f"other than {usual}")
    parser.add_argument("--threads", type=option(int, whole(1, 1024)), default=torch.get_num_threads())
    options = parser.parse_args()
    unknown = set(options.network) - set(NETWORKS)
    if unknown:
        parser.error(f"unknown network {', '.join(sorted(unknown))}: choose of {', '.join(NETWORKS)}")
    if options.threads < 1 or (options.steps is not None and options.steps < 1):
        parser.error(f"--steps {options.steps}, --threads {options.threads}: expected 1 or more")
    torch.set_num_threads(options.threads)
    for name in options.network or NETWORKS:
        train, steps = NETWORKS[name]
        train(options.steps or steps)


if __name__ == "__main__":
    main()
