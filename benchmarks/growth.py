"""How the cost of films and of a training grows, for `table.py growth`: points for a log-log plot.

Each series is {amount: seconds}. The slope of the logarithm of the seconds over that of the amount is 1 where
twice as much takes twice as long, and -1 where twice as many processes take half as long.
"""

import argparse
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from medgan_helpers import dcgan, training
from medgan_helpers.simulator import sample, write

COUNTS, SIZES, PROCESSES = (25, 50, 100, 200, 400), (32, 64, 128, 256), (1, 2, 4)
WRITTEN = 800  # films that processes share
BATCH, IMAGES, WARM = 32, 2560, 4  # of a training; steps before its clock starts


def series():
    """{what: {amount: seconds}}"""
    return {
        "films": {count: drawn(count, 64, False) for count in COUNTS},
        "films with twins and masks": {count: drawn(count, 64, True) for count in COUNTS},
        "pixels of a film": {size**2: drawn(16, size, False) for size in SIZES},
        "processes that draw films": {number: shared(number) for number in PROCESSES},
        "processes of one training": {number: trained(number) for number in PROCESSES[:2]},
    }


def slope(seconds):
    """Of one series, on a log-log plot."""
    return float(np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0])


def drawn(count, size, more):
    """Seconds for `count` films, one thread, the least of three."""
    number = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = []
    for turn in range(3):
        begun = time.perf_counter()
        sample(count, size, turn, twins=more, masks=more)
        seconds.append(time.perf_counter() - begun)
    torch.set_num_threads(number)
    return min(seconds)


def shared(processes):
    """Seconds for WRITTEN films by so many processes; they start before, and remember the thorax."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = []
        for turn in range(3):  # the first one is the start
            begun = time.perf_counter()
            write(Path(folder) / str(turn), WRITTEN, 64, 0, workers=processes, progress=False)
            seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])


def trained(processes):
    """Seconds that one DCGAN takes for IMAGES, shared by so many processes, after they have started."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*torchrun, str(processes), __file__, "--train"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return max(map(float, done.stdout.split()))


def main():
    """In one of the processes that `trained` starts: print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", action="store_true", required=True, help="one process of a training")
    parser.parse_args()
    model = dcgan.DCGAN(64, 32)
    _, processes = training.rank_and_world()
    noise = itertools.repeat(torch.rand(BATCH, 1, 64, 64) * 2 - 1)
    training.fit(model, noise, WARM)
    begun = time.perf_counter()
    training.fit(model, noise, WARM + IMAGES // BATCH // processes)
    sys.stdout.write(f"{time.perf_counter() - begun}\n")  # at once: another process writes too


def peak(count):
    """Megabytes at the most, after drawing `count` films one batch after the other."""
    torch.set_num_threads(1)
    for start in range(0, count, 50):
        sample(50, 64, start, twins=False, masks=False)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
