"""All speeds of the course in one table, each beside a named peer: `make bench`, about ten minutes when idle.

    python benchmarks/table.py              # everything; prints and writes book/results/bench.csv
    python benchmarks/table.py steps busy   # some parts: PARTS, at the end of this file

Ours and the peer's take turns, and the ratio is the median over the pairs: another program slows both alike.
`busy` trains beside a program that takes one core: with each number of threads, and with the number that
`training.threads` finds (the few steps in which it looks, once a minute, are not counted).
"""

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import drr
import growth
import live
import numpy as np
import operations
import pandas as pd
import torch
from jpegs import noise_films, time_epochs, time_first_pass, time_theirs
from steps import BATCH, all_steps, full_size
from torch.utils.flop_counter import FlopCounterMode

from medgan_helpers import artifacts, chexpert, degradation, restoration
from medgan_helpers.simulator import brain, sample
from medgan_helpers.training import threads

OUT = Path(__file__).resolve().parents[1] / "book" / "results" / "bench.csv"
POINTS = OUT.with_name("growth.csv")
PAIRS, AT_LEAST = 5, 0.3  # turns; seconds of one
GPU = torch.cuda.is_available()
WARM_UP = 4 if GPU else 1  # a GPU's step is recorded in the fourth call
BUSY_SECONDS = 8  # of steps that count, with each number of threads
VIEWS = 32
FILMS = 150  # that a process renders at a time


def main():
    """Run the parts, add their rows to the table; rows of parts that were not run stay."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)} (default: all)")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}: choose of {', '.join(PARTS)}")
    os.environ.pop("OMP_NUM_THREADS", None)  # `training.threads` shall choose
    warnings.simplefilter("ignore")  # scikit-image warns of every image that leaves its circle
    made = artifacts.provenance()
    for part in options.parts or PARTS:
        rows, machine = [], torch.cuda.get_device_name() if part == "gpu" and GPU else made["machine"]
        for row in PARTS[part]():
            rows.append({"part": part} | row | {"commit": made["commit"], "machine": machine})
            print("  ".join(f"{value:.4g}" if isinstance(value, float) else str(value)
                            for value in row.values()), flush=True)  # fmt: skip
        if rows:
            keep(part, rows)


def keep(part, rows):
    """Replace the rows of a part."""
    table = pd.read_csv(OUT).to_dict("records") if OUT.exists() else []
    artifacts.write_csv(OUT, [row for row in table if row["part"] != part] + rows)


def against(what, unit, ours, peer, name, count=1, peer_count=None):
    """A row: medians of both speeds in `unit`/s, and of their ratio over PAIRS turns."""
    turns = [(speed(ours, count), speed(peer, peer_count or count)) for _ in range(PAIRS)]
    mine, other = (statistics.median(side) for side in zip(*turns, strict=True))
    ratio = statistics.median(a / b for a, b in turns)
    return {"what": what, "unit": f"{unit}/s", "ours": mine, "peer": name, "theirs": other, "ratio": ratio}


def alone(what, unit, value):
    return {"what": what, "unit": unit, "ours": value, "peer": "", "theirs": "", "ratio": ""}


def speed(work, count):
    """`count` a second, over as many calls as fill AT_LEAST seconds, after some that warm up."""
    finished = torch.cuda.synchronize if GPU else lambda: None
    for _ in range(WARM_UP):
        work()
    finished()
    begun, calls = time.perf_counter(), 0
    while time.perf_counter() - begun < AT_LEAST:
        work()
        calls += 1
    finished()
    return calls * count / (time.perf_counter() - begun)


# ---------------------------------------------------------------- parts
def machine():
    """What the machine can do: the ceiling of every training step."""
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = torch.rand(1024, 1024).to(dtype), torch.rand(1024, 1024).to(dtype)
        yield alone(f"matrix product, {name}", "GFLOP/s", speed(lambda: a @ b, 2 * 1024**3 / 1e9))  # noqa: B023
        yield alone(f"convolution, forward and back, {name}", "GFLOP/s", speed(*convolution(dtype)))
    block = torch.rand(2**24)
    yield alone("copying memory", "GB/s", speed(lambda: block.clone(), 2 * 4 * 2**24 / 1e9))


def convolution(dtype):
    """What the networks mostly do, 64 channels of 32 x 32 to as many: (work, its GFLOP). Unlike a matrix
    product it has to gather its numbers, so half precision gains less."""
    layer = torch.nn.Conv2d(64, 64, 3, padding=1).to(dtype, memory_format=torch.channels_last)
    batch = torch.rand(32, 64, 32, 32).to(dtype, memory_format=torch.channels_last).requires_grad_()
    gradient = torch.rand(32, 64, 32, 32).to(dtype, memory_format=torch.channels_last)
    return lambda: layer(batch).backward(gradient), 3 * 2 * 32 * 32**2 * 64**2 * 9 / 1e9


def films():
    """Rendering films, alone and with their healthy twins and masks: threads and processes against one."""
    pool = multiprocessing.get_context("spawn").Pool
    with pool(1) as single, pool(2) as pair:
        for what, more in (("film", False), ("film with twin and masks", True)):
            one, threads, two = ((single, 1, 1), (single, 1, 2), (pair, 2, 1))
            for workers, processes, number in (one, threads, two):
                render(workers, processes, number, more)  # what starts and fills caches does not count
            for name, several in (("1 process, 2 threads", threads), ("2 processes, 1 thread each", two)):
                turns = [[render(*one, more), render(*several, more)] for _ in range(PAIRS)]
                theirs, ours = map(statistics.median, zip(*turns, strict=True))
                ratio = statistics.median(many / few for few, many in turns)
                yield {"what": f"{what}, {name}", "unit": "films/s", "ours": ours,
                       "peer": "1 process, 1 thread", "theirs": theirs, "ratio": ratio}  # fmt: skip

    for what, more in (("film", False), ("film with twin and masks", True)):
        many, share = operations.inside(lambda: draw(FILMS, more, 1))  # noqa: B023
        yield alone(f"{what}, operations", "operations", many / FILMS)
        yield alone(f"{what}, time inside of them", "share", share)


def render(pool, processes, threads, more):
    """Films a second, the same FILMS in each process."""
    begun = time.perf_counter()
    pool.starmap(draw, [(FILMS, more, threads)] * processes, chunksize=1)
    return processes * FILMS / (time.perf_counter() - begun)


def draw(count, more, threads):
    torch.set_num_threads(threads)
    sample(count, 64, 0, twins=more, masks=more)


def integrals():
    """Line integrals through the thorax, against the renderers of diffdrr at the same volume and size."""
    renderers = drr.theirs()
    if not renderers:
        print("diffdrr is not here (python -m pip install --no-deps diffdrr): its rows stay as they are")
    with torch.inference_mode():
        for name, theirs in renderers.items():
            yield against(f"line integrals, {drr.SIZE} px", "films", drr.ours(), theirs, f"diffdrr, {name}")


def store():
    """Reading films from JPEG files, against torchxrayvision's loader."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MEDGAN_CACHE"] = str(Path(scratch) / "cache")
        root = noise_films(Path(scratch), 300)
        frame = chexpert.read(root / "train.csv", root=root)
        theirs = time_theirs(root, len(frame))
        first, images = time_first_pass(frame, root)
        epoch = time_epochs(images)
    for what, ours in (("store, first pass", first), ("store, batches afterwards", epoch)):
        yield {"what": what, "unit": "films/s", "ours": ours, "peer": "torchxrayvision's loader",
               "theirs": theirs, "ratio": ours / theirs}  # fmt: skip


def scans():
    """Spoiling and repairing, against scikit-image."""
    from skimage.transform import iradon, radon

    images = brain.slices(64, 64)
    rays, theta = degradation.radon(images, VIEWS), np.arange(VIEWS) * 180 / VIEWS
    few, sinograms = [image.numpy() for image in images[:8, 0]], [ray.numpy().T for ray in rays[:8]]
    yield against(
        "Radon transform", "images", lambda: degradation.radon(images, VIEWS),
        lambda: [radon(image, theta, circle=False) for image in few], "scikit-image", 64, 8,
    )  # fmt: skip
    yield against(
        "filtered back-projection", "images", lambda: degradation.filtered_back_projection(rays, 64),
        lambda: [iradon(sinogram, theta, circle=False) for sinogram in sinograms], "scikit-image", 64, 8,
    )  # fmt: skip
    for name in ("bilateral", "tv", "nlm", "bicubic"):
        method = restoration.METHODS[name]
        yield alone(f"repair, {name}", "images/s", speed(lambda: method(images[:8]), 8))  # noqa: B023


def steps(device="cpu"):
    """A training step of every model against plain PyTorch; two at a time, since StarGAN's generator learns
    at every second one."""
    how = {"cpu": "", "cuda": ", not recorded" if os.environ.get("MEDGAN_GRAPHS") == "0" else ", recorded"}
    for name, (ours, plain, batch) in all_steps(device).items():
        yield against(
            f"{name}, training step{how[device]}", "images", lambda: (ours(batch), ours(batch)),  # noqa: B023
            lambda: (plain(batch), plain(batch)), "plain PyTorch", 2 * BATCH[device],  # noqa: B023
        )  # fmt: skip


def asked():
    """What the steps ask of a GPU, counted here with its batches: see `operations`."""
    for name, (ours, plain, batch) in all_steps("cpu", BATCH["cuda"]).items():
        (many, moved), (theirs, _) = operations.count(ours, batch), operations.count(plain, batch)
        yield {"what": f"{name}, operations of a training step", "unit": "operations", "ours": many,
               "peer": "plain PyTorch", "theirs": theirs, "ratio": many / theirs}  # fmt: skip
        yield alone(f"{name}, what an operation moves", "MB", moved / 1e6)


def gpu():
    """On a GPU: its ceilings, every step against plain PyTorch, and the full profile's networks."""
    if not GPU:
        print("no GPU here: its rows stay as they are")
        return
    ceiling = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = (torch.randn(8192, 8192, device="cuda").to(dtype) for _ in range(2))
        ceiling[name] = speed(lambda: a @ b, 2 * 8192**3 / 1e12)  # noqa: B023
        yield alone(f"matrix product, {name}", "TFLOP/s", ceiling[name])
    for recorded in ("0", "1"):
        os.environ["MEDGAN_GRAPHS"] = recorded
        yield from steps("cuda")
    for (name, size), (step, batch) in full_size().items():
        torch.cuda.reset_peak_memory_stats()
        work = arithmetic(step, batch)
        count = len(batch if torch.is_tensor(batch) else batch[0])
        rate = speed(lambda: step(batch), count)  # noqa: B023
        yield alone(f"{name}, {size} px, batch {count}", "images/s", rate)
        if work:
            done = work / count * rate / 1e12
            yield {
                "what": f"{name}, {size} px, arithmetic", "unit": "TFLOP/s", "ours": done,
                "peer": "bf16 matrix product", "theirs": ceiling["bf16"], "ratio": done / ceiling["bf16"],
            }  # fmt: skip
        memory = torch.cuda.max_memory_allocated() / 2**30
        yield alone(f"{name}, {size} px, memory", "GiB", memory)


def arithmetic(step, batch):
    """Floating-point operations of one step; None where torch cannot count them (second derivatives)."""
    try:
        with FlopCounterMode(display=False) as counted:
            step(batch)
    except RuntimeError:
        return None
    return counted.get_total_flops()


def busy():
    """Images a second with one core taken by another program: ours beside one thread, and beside two."""
    most = torch.get_num_threads()
    for taken in (False, True):
        other = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if taken else None
        try:
            for name, (ours, _, batch) in all_steps("cpu").items():
                fixed = {number: rate(ours, batch, [number]) * BATCH["cpu"] for number in {1, most}}
                chosen = rate(ours, batch, sorted({1, most}, reverse=True)) * BATCH["cpu"]
                yield {
                    "what": f"{name}, {'one core taken' if taken else 'idle'}", "unit": "images/s",
                    "ours": chosen, "peer": "best fixed number of threads", "theirs": max(fixed.values()),
                    "ratio": chosen / max(fixed.values()),
                }  # fmt: skip
        finally:
            if other:
                other.kill()


def rate(step, batch, numbers):
    """Steps a second with the number of threads that is chosen of `numbers`, once it is."""
    with threads.Threads(numbers) as chooser:

        def steps():
            with chooser.timed():
                step(batch)

        for _ in range(threads.TRIAL * len(numbers)):
            steps()
        begun, count = time.perf_counter(), 0
        while time.perf_counter() - begun < BUSY_SECONDS:
            steps()
            count += 1
        return count / (time.perf_counter() - begun)


def figures():
    """The live figures: from a moved slider to the next drawing."""
    for name, milliseconds in live.updates():
        yield alone(f"live figure {name}, an update", "ms", milliseconds)


def grow():
    """How the cost grows: points for the plot (POINTS) and their slopes, and the memory it takes."""
    found = growth.series()
    artifacts.write_csv(POINTS, [
        {"what": what, "amount": amount, "seconds": seconds}
        for what, points in found.items() for amount, seconds in points.items()
    ])  # fmt: skip
    for what, points in found.items():
        yield alone(f"seconds over {what}", "slope", growth.slope(points))
    with multiprocessing.get_context("spawn").Pool(1) as pool:  # a process of its own: its peak is all of it
        few, many = (pool.apply(growth.peak, (count,)) for count in (200, 1000))
    yield alone("memory of a process after 200 films", "MB", few)
    yield alone("memory of it after 1,000 more", "MB", many)


PARTS = {
    "machine": machine, "films": films, "drr": integrals, "store": store, "scans": scans, "steps": steps,
    "busy": busy, "figures": figures, "growth": grow, "gpu": gpu,
    "asked": asked,
}  # fmt: skip

if __name__ == "__main__":
    main()
