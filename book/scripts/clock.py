"""Where a notebook's seconds go, and how much memory it takes: a thread in its kernel looks twenty times a
second at what is being done.

execute.py starts it in every kernel (`argument`) and keeps what it saw in the notebook's metadata (`seen`);
minutes.py writes it into the table of minutes, and page *Speed* shows it.
"""

import collections
import json
import os
import sys
import threading
import time
from pathlib import Path

import psutil

EVERY = 0.05  # seconds
WRITE = 20  # looks between two states of the file: a kernel may end without a word
KINDS = {  # part of a file's path, or file and function: what it is for; the innermost one counts
    "medgan_helpers/simulator/": "rendering",
    "medgan_helpers/metrics/": "scoring",
    "medgan_helpers/classifier.py:logits": "scoring",
    "medgan_helpers/restoration.py": "conventional repair",
    "medgan_helpers/figures/": "figures",
    "/matplotlib/": "figures",
    "<frozen importlib": "imports",
    "medgan_helpers/training/loop.py:fit": "training",
}
REST = "the rest"
WAITING = "waiting"  # between two cells
PEAK = "peak GB"  # of the kernel's memory; processes that it starts do not count
NAMES = ["training", "rendering", "scoring", "conventional repair", "figures", "imports", REST]


def start(path):
    """In a kernel: begin to look at the thread that calls, and write seconds of each kind to `path`."""
    looked_at = threading.get_ident()
    threading.Thread(target=look, args=(Path(path), looked_at), daemon=True).start()


def look(path, thread):
    seconds, before, number = collections.Counter(), time.perf_counter(), 0
    kernel = psutil.Process()
    while frame := sys._current_frames().get(thread):
        now = time.perf_counter()
        seconds[kind(frame)] += now - before
        seconds[PEAK] = max(seconds[PEAK], kernel.memory_info().rss / 1e9)
        before, number = now, number + 1
        del frame  # its variables are large, and not ours to keep alive
        if number % WRITE == 0:
            write(path, seconds)
        time.sleep(EVERY)


def write(path, seconds):
    """Whole or not at all: a kernel is killed at any moment."""
    beside = path.with_suffix(".partial")
    beside.write_text(json.dumps(seconds))
    os.replace(beside, path)


def kind(frame):
    """What the innermost frame of a known kind is for; outside of a cell, waiting."""
    inside = False
    while frame:
        place = frame.f_code.co_filename.replace("\\", "/")
        for part, name in KINDS.items():
            if part in f"{place}:{frame.f_code.co_name}":
                return name
        inside |= frame.f_code.co_name == "run_code"  # IPython's, around the code of a cell
        frame = frame.f_back
    return REST if inside else WAITING


def argument(path):
    """The option of an IPython kernel that starts the clock in it."""
    folder = str(Path(__file__).parent)
    line = f"__import__('sys').path.append({folder!r}); __import__('clock').start({str(path)!r})"
    return f"--IPKernelApp.exec_lines={[line]!r}"


def seen(path):
    """{kind: seconds} and PEAK, as the clock wrote them; none of waiting, all 0 if it wrote nothing."""
    found = json.loads(Path(path).read_text()) if Path(path).is_file() else {}
    return {name: round(found.get(name, 0.0), 1) for name in (*NAMES, PEAK)}
