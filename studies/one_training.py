"""One DCGAN on one machine or on many processes: the same command, alone or under torchrun.

    python studies/one_training.py --steps 100
    torchrun --standalone --nproc-per-node 2 studies/one_training.py --steps 100

Every process trains on batches of its own; gradients are averaged, so that all end with the same weights. The
checkpoint in build/<profile>/artifacts is written by the first one, and the next start goes on from it.
"""

import argparse
import hashlib

from medgan_helpers import artifacts, dcgan, profiles, session, training


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--profile", default="class", choices=("smoke", "class", "full"))
    options = parser.parse_args()
    if options.steps < 1:
        parser.error(f"--steps is {options.steps}: expected 1 or more")
    here = session.start("one-training", options.profile, "simulated", "", 0)
    films = session.films()
    profile = profiles.get(options.profile)
    model = dcgan.DCGAN(here.profile.image_size, profile.width, recipe=dcgan.SMALL)
    train = films.store.subset(films.splits["train"])
    batches = train.batches(profile.batch_size, seed=0, device=model.device)
    training.fit(model, batches, options.steps, checkpoint=artifacts.folder("artifacts") / "one-training")
    rank, world = training.rank_and_world()
    weights = b"".join(p.detach().cpu().numpy().tobytes() for p in model.generator.parameters())
    digest = hashlib.sha256(weights).hexdigest()[:12]
    print(f"process {rank + 1} of {world}: {model.steps_done} steps, weights {digest}", flush=True)


if __name__ == "__main__":
    main()
