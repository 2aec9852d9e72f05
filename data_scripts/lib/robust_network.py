"""The robust StarGAN of chapter 5, and its examiner, as the package ships them."""

import numpy as np

from medgan_helpers import artifacts, examiner, simulator, stargan_robust, training

SEED = 0
FIVE = list(stargan_robust.FIVE)
FOUR = ["Cardiomegaly", "Edema", "Consolidation", "Pleural Effusion"]  # what the shipped network draws
LESSON_PARTS, EXAMINER_STEPS = 7, 600


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


def train(steps, assets):
    """Chapter 5's generator whose examiner cannot be bribed goes on from the painter that is shipped.

    studies/findings_that_look.py measures it. The card says what it began as.
    """
    films, labels = lesson_films()
    here, exam = artifacts.folder("artifacts"), trained_examiner(films, labels)
    columns = [FIVE.index(finding) for finding in FOUR]
    known = labels[:, [FIVE.index(finding) for finding in FIVE if finding not in FOUR]].sum(1) == 0
    model = stargan_robust.RobustStarGAN(
        64, len(FOUR), seed=SEED, decay_steps=steps, examiner=exam, columns=columns
    )
    before, _, old = training.shipped(stargan_robust.RobustStarGAN, "stargan_robust")
    model.load_trained(before.trained.state_dict())
    films, labels = films[known], labels[known][:, columns]
    sure = examiner.certainty(exam, films, columns)
    lessons = stargan_robust.Lessons(films, labels, 12, seed=2, halves=True, sure=sure)
    history = training.fit(model, lessons, steps, here / "stargan-robust-long", every=250)
    began = {name: old[name] for name in ("sha256", "steps", "command")}
    card = {
        "data": f"{len(films)} of {len(known)} simulated films of training patients (seeds 500 on)",
        "command": f"python data_scripts/train_networks.py stargan_robust --steps {steps}",
        "use": "teaching; adds findings to synthetic chest films, not for diagnosis",
        "findings": FOUR,
        "began_as": began | {"commit": old["made"]["commit"]},
    }
    training.save(model, assets / "stargan_robust", card, history)


def trained_examiner(films, labels):
    """The examiner of simulated films, trained once."""
    exam = examiner.Examiner(FIVE, EXAMINER_STEPS)
    lessons = stargan_robust.Lessons(films, labels, 48, seed=1)
    training.fit(exam, lessons, EXAMINER_STEPS, artifacts.folder("artifacts") / "examiner", every=100)
    return exam
