"""What the full profile costs on all of CheXpert at 64, 128 and 224 px: counted work, a core, prices.

    python studies/cost.py            # count and measure: book/results/work.csv
    python studies/cost.py --price    # minutes and money, from work.csv and machines.csv: cost.csv

The floating-point operations of a training step at 64 px are counted by torch; they grow with the pixels.
The speed of a core is measured here, with the classifier, in CPU seconds of one thread. A GPU's peak and the
share of it that training reaches are those of book/results/bench.csv; prices are assumptions. Both stand in
studies/machines.csv, to be changed.
"""

import argparse
import time
from pathlib import Path

import grid
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from medgan_helpers import artifacts, checks, classifier, dcgan, flow, pix2pix, profiles, stargan

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
MACHINES = Path(__file__).with_name("machines.csv")
COUNTED, SIZES = 64, (64, 128, 224)  # a convolution's work grows with the pixels: it is counted at one size
BATCH = 2
ROUND = 5  # steps: StarGAN's generator takes one in five


def network(name, size, profile):
    """The model `name` at its full width and a batch for it."""
    films = torch.rand(BATCH, 1, size, size) * 2 - 1
    if name == "dcgan":
        return dcgan.DCGAN(size, profile.width), films
    if name == "flow":
        return flow.Flow(size), films
    if name == "pix2pix":
        return pix2pix.Pix2Pix(size, profile.pix2pix_width), (films, films)
    labels = torch.randint(0, 2, (BATCH, 5 if name == "stargan" else 14)).float()
    if name == "stargan":
        return stargan.StarGAN(size, domains=5, width=profile.width), (films, labels)
    return classifier.DenseNet(findings=14, preset=profile.preset), (films, labels)


def trainings(profile):
    """How many trainings of how many steps the course takes of each network: {name: (number, steps)}."""
    return {
        "dcgan": (1, profile.dcgan_steps),
        "flow": (1, profile.flow_steps),
        "pix2pix": (3, profile.pix2pix_steps),  # a modality each
        "stargan": (1, profile.stargan_steps),
        "classifier": (len(grid.planned()), profile.grid_steps),  # the cells of chapter 6
    }


class Everywhere:
    """In the place of FlopCounterMode's tracker of modules, whose hooks StarGAN's gradient penalty breaks."""

    parents = frozenset({"Global"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def count(name, profile):
    """A row of work.csv; GFLOP and CPU seconds are for one image of one training step at 64 px."""
    model, batch = network(name, COUNTED, profile)
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = Everywhere()
    with counter:
        for _ in range(ROUND):
            model.step(batch)
    row = {"network": name, "size": COUNTED, "gflop": counter.get_total_flops() / ROUND / BATCH / 1e9}
    if name == "classifier":  # the speed of a core
        begun = time.process_time()
        model.step(batch)
        row["cpu_seconds"] = (time.process_time() - begun) / BATCH
    number, steps = trainings(profile)[name]
    return row | {"trainings": number, "steps": steps, "batch": profile.batch_size}


def priced(work, machines):
    """Minutes and money of every machine at every size; a training is never split.

    work: rows of `count`; machines: machines.csv. Each training runs on one GPU or one node.
    """
    work = work.assign(petaflop=work.gflop * work.steps * work.batch / 1e6)
    network = work[work.network == "classifier"].iloc[0]
    core = network.gflop / network.cpu_seconds / 1e6  # PFLOP/s
    rows = []
    for machine in machines.itertuples():
        on_gpu = machine.peak_tflops * machine.share_of_peak / 1e3
        speed = machine.cores * core if machine.cores > 0 else on_gpu
        for size in SIZES:
            needed = work.petaflop * (size / COUNTED) ** 2 / speed / 60  # minutes, a training
            whole = (needed * work.trainings).sum()
            minutes = max(whole / machine.count, needed.max())
            money = whole / 60 * machine.hourly_price  # a machine that has finished is given back
            rows.append({"machine": machine.machine, "size": size, "minutes": minutes, "money": money})
    return pd.DataFrame(rows)


def machines(path=MACHINES):
    """The table of machines; raises ValueError that names a row and what is blank in it, or no number."""
    table = artifacts.read_csv(path)
    checks.table("machine", "cores", "count", "hourly_price", "peak_tflops", "share_of_peak")(
        path.name, table
    )
    for number, row in enumerate(table.to_dict("records")):
        speed = ["peak_tflops", "share_of_peak"] if pd.isna(row["cores"]) else ["cores"]
        for name in ("count", "hourly_price", *speed):
            if not pd.to_numeric(row[name], errors="coerce") >= 0:
                raise ValueError(f"{path}, row {number}: {name} is {row[name]}: fill it in")
    return table


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--price", action="store_true", help="from the work that was counted before")
    options = parser.parse_args()
    if not options.price:
        torch.set_num_threads(1)
        profile = profiles.get("full")
        made = {"commit": artifacts.provenance().get("commit", ""), "command": "python studies/cost.py"}
        rows = [count(name, profile) | made for name in trainings(profile)]
        artifacts.write_csv(RESULTS / "work.csv", pd.DataFrame(rows).round(4))
    try:
        cost = priced(pd.read_csv(RESULTS / "work.csv"), machines())
    except (ValueError, KeyError, FileNotFoundError) as error:
        parser.error(f"no price: {error}")
    artifacts.write_csv(RESULTS / "cost.csv", cost.round(1))
    print(cost.round(1).to_string(index=False))


if __name__ == "__main__":
    main()
