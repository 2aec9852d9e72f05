"""How fast films are simulated, what bounds the speed, and whether memory stays flat.

    python benchmarks/simulator.py            # writes book/results/simulator_speed.csv

As many single-thread processes as there are cores render films with real CheXpert labels, without twins and
masks. On a busy machine the clock says little: films a CPU-second, times the number of processes, is what
idle cores would give. Timed after each has started (a few seconds: importing PyTorch and loading the thorax).
The stages are the share of one process's time. On a GPU: --device cuda, one process.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "book" / "results" / "simulator_speed.csv"
STAGES = ("findings", "rays", "projection", "film", "the rest")
COLUMNS = ["size", "workers", "device", "films a second", "were the cores idle", *STAGES, "MB gained",
           "MB a process", "commit"]  # fmt: skip


def render_for(size, seconds, seed, device):
    """In a worker: films a second of CPU-quiet rendering, share of each stage, growth of memory in MB."""
    import torch

    from medgan_helpers.simulator import dataset, findings, projection, rows

    torch.set_num_threads(1)
    spent = dict.fromkeys(STAGES, 0.0)
    for module, name, stage in (
        (findings, "draw", "findings"),
        (projection, "lattice", "rays"),
        (projection, "rays", "rays"),
        (projection, "project", "projection"),
        (projection, "film", "film"),
    ):
        setattr(module, name, _timed(getattr(module, name), spent, stage, device))
    table = rows.draw_rows(1000, seed)
    pairs = list(zip(table.to_dict("records"), rows.draw_truth(table, seed).to_dict("records"), strict=True))
    with torch.inference_mode():
        for row, true in pairs[:40]:  # every cache filled
            dataset.render(row, true, size, device=device)
        print("ready", flush=True)
        sys.stdin.readline()
        spent.update(dict.fromkeys(STAGES, 0.0))
        before, start, used, films = _megabytes(), time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - start < seconds:
            dataset.render(*pairs[films % len(pairs)], size, device=device)
            films += 1
        wall, used = time.perf_counter() - start, time.process_time() - used
    spent["the rest"] = wall - sum(spent.values())
    shares = [spent[stage] / wall for stage in STAGES]
    print(films / wall, films / used, *shares, _megabytes() - before, _megabytes(), flush=True)


def _timed(function, spent, stage, device):
    import torch

    def wrapped(*arguments, **options):
        start = time.perf_counter()
        result = function(*arguments, **options)
        if device != "cpu":
            torch.cuda.synchronize()
        spent[stage] += time.perf_counter() - start
        return result

    return wrapped


def _megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(size, seconds, workers, device):
    """Run the workers at the same time; return films/s of all (by clock, by CPU), shares, growth, peak."""
    pipe = subprocess.PIPE
    command = [sys.executable, __file__, "--worker", str(size), "--seconds", str(seconds), "--device", device]
    helpers = [
        subprocess.Popen([*command, "--seed", str(k)], stdin=pipe, stdout=pipe, text=True)
        for k in range(workers)
    ]
    for helper in helpers:
        helper.stdout.readline()
    for helper in helpers:
        helper.stdin.write("go\n")
        helper.stdin.flush()
    results = [[float(v) for v in helper.communicate()[0].split()] for helper in helpers]
    rates = [sum(result[k] for result in results) for k in (0, 1)]
    shares, growth, peak = zip(*[(r[2:7], r[7], r[8]) for r in results], strict=True)
    return rates, [sum(s) / workers for s in zip(*shares, strict=True)], max(growth), max(peak)


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="default: one per core")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        render_for(options.worker, options.seconds, options.seed, options.device)
        return
    from medgan_helpers import artifacts, checks, training

    try:
        checks.number(above=0)("--seconds", options.seconds)
        checks.whole(1, 1024)("--workers", options.workers)
        for size in options.sizes:
            checks.whole(24, 512)("--sizes", size)
        training.choose_device(options.device)
        if not options.out.parent.is_dir() or options.out.is_dir():
            raise ValueError(f"--out {options.out}: expected the name of a csv in a folder that is there")
        checks.csv_of(*COLUMNS)("--out", options.out)
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    table = []
    for size in options.sizes:
        rates, shares, growth, peak = measure(size, options.seconds, options.workers, options.device)
        row = {"size": size, "workers": options.workers, "device": options.device}
        row["films a second"], row["were the cores idle"] = (round(rate, 1) for rate in rates)
        row |= {stage: round(share, 3) for stage, share in zip(STAGES, shares, strict=True)}
        row |= {"MB gained": round(growth, 1), "MB a process": round(peak)}
        table.append(row | {"commit": artifacts.provenance()["commit"]})
        print(row)
    artifacts.write_csv(options.out, table)


if __name__ == "__main__":
    main()
