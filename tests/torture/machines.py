"""Machines that are not as one wishes: full, read-only, shared, late, oddly named, half made.

The commands are those of `kills`. What a bad machine interrupts must say so in words and not die of a signal;
once the machine is mended, the same command ends in the bytes of an undisturbed run.
"""

import contextlib
import http.server
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import nbformat

from medgan_helpers import artifacts

from . import ROOT, Count, faults, wanted
from .kills import commands, contents, differences, undisturbed
from .processes import Process, finish

MEGABYTES = 8  # of the small disc
SHARED = (
    "rendering films",
    "building a store",
    "filling the grid's pool of films",
    "the grid on one machine",
    "recording scores",
)  # what two processes may do at once
WITH_COMMANDS = ("a full disc", "a read-only disc", "two processes at once", "a clock set back by a year")
SHORT = ("building a store", "recording scores")
FUTURE = 365 * 24 * 3600  # seconds that files are ahead of the clock
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
THIS_PYTHON = f"the quick tests on Python {platform.python_version()}"
ODD = "Kurs für Ärzte 医 (1)"


def counts(short, folder):
    """Every machine; short: two commands on each of the first four."""
    given = list(commands(folder, None))
    chosen = [command for command in given if command.what in SHORT] if short else given
    chosen = [command for command in chosen if "make book" not in command.what]  # its own programs say it
    whole = {}
    for command in chosen if any(map(wanted, WITH_COMMANDS)) else ():
        whole[command.what], _, said = undisturbed(command, folder)
        if said:
            raise RuntimeError(f"{command.what} fails on a good machine: {said[0]}")
    shared = [command for command in chosen if command.what in SHARED]
    trials = {
        "a full disc": partial(on_a_disc, "a full disc", full, chosen, whole),
        "a read-only disc": partial(on_a_disc, "a read-only disc", read_only, chosen, whole),
        "two processes at once": partial(two_at_once, shared, whole),
        "a clock set back by a year": partial(clock_set_back, chosen, whole),
        "no git": no_git,
        "an environment half made": half_made_environments,
        "a path with spaces and other letters": odd_path,
        "no home directory": no_home,
        "a proxy that drops a download": dropped_download,
        "other versions of Python": other_pythons,
        THIS_PYTHON: this_python,
    }
    for what, trial in list(trials.items())[: 5 if short else None]:
        if wanted(what):
            yield trial(folder)


# --- discs ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def disc(place):
    """A small disc of memory mounted at `place`; PermissionError where this user may not."""
    place.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(place)]
    if subprocess.run(options, capture_output=True).returncode:
        raise PermissionError("this user may not mount a small disc")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        place.rmdir()


@contextlib.contextmanager
def full(place):
    """Nothing is left on the disc but some bytes."""
    with contextlib.suppress(OSError), open(place / "filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))
    yield
    (place / "filler").unlink()


@contextlib.contextmanager
def read_only(place):
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)


def on_a_disc(what, spoil, chosen, whole, folder):
    """Each command on a spoilt disc, which is then mended, and again."""
    failures = []
    try:
        for command in chosen:
            with disc(folder / "disc") as place:
                with spoil(place):
                    failures += [f"{command.what}: {word}" for word in stopped(command, place)]
                if said := finish(partial(command.start, place)):
                    failures.append(f"{command.what} failed when the disc was mended: {said}")
                left = differences(whole[command.what], contents(place, command.part))
                failures += [f"{command.what}: {word}" for word in left]
    except PermissionError as error:
        return Count(what, 0, [], f"not tried: {error}")
    return Count(what, len(chosen), failures)


def stopped(command, place):
    """What is wrong with how a command stopped on a spoilt disc; some write nothing and may succeed."""
    process = Process(partial(command.start, place))
    status, said = process.wait(), process.words()
    if status is None or status < 0:
        process.kill()
        return [f"ended with {status}: {said}"]
    told = any(word in said for word in ("space", "could not write", "Read-only", "free"))
    return [] if status == 0 or told else [f"the words do not speak of the disc: {said}"]


# --- others at the same time, another time --------------------------------------------------------------


def two_at_once(chosen, whole, folder):
    """Two processes begin the same command in the same folder."""
    failures = []
    for command in chosen:
        place = folder / "two"
        place.mkdir()
        both = [Process(partial(command.start, place)) for _ in range(2)]
        for process in both:
            if process.wait() != 0:
                failures.append(f"{command.what}: one of two failed: {process.words()}")
        failures += [f"{command.what}: {word}" for word in
                     differences(whole[command.what], contents(place, command.part))]  # fmt: skip
        shutil.rmtree(place)
    return Count("two processes at once", len(chosen), failures)


def clock_set_back(chosen, whole, folder):
    """A killed command goes on when the clock says a year earlier than its files do."""
    failures = []
    for command in chosen:
        place = folder / "clock"
        place.mkdir()
        process = Process(partial(command.start, place))
        process.wait(0.3)
        process.kill()
        later = time.time() + FUTURE
        for file in [*place.rglob("*"), place]:
            os.utime(file, (later, later))
        said = finish(partial(command.start, place))
        failures += [f"{command.what}: {word}" for word in [said] if word]
        failures += [f"{command.what}: {word}" for word in
                     differences(whole[command.what], contents(place, command.part))]  # fmt: skip
        shutil.rmtree(place)
    return Count("a clock set back by a year", len(chosen), failures)


# --- what a machine may lack ----------------------------------------------------------------------------


def no_git(folder):
    def work():
        os.environ["PATH"] = str(folder)
        assert artifacts.provenance()["commit"] is None

    said = finish(work)
    return Count("no git", 1, [said] if said else [])


def half_made_environments(folder):
    """environment.sh notices an environment that a kill left half made, and makes it again."""
    script, failures = ROOT / "book" / "scripts" / "environment.sh", []
    for what, left in (("an empty folder", ""), ("no python", "bin"), ("a broken python", "bin/python"),
                       ("no pip", "no pip")):  # fmt: skip
        place = folder / f"environment {what}"
        if left == "no pip":
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
        elif left == "bin/python":
            (place / "bin").mkdir(parents=True)
            (place / "bin" / "python").write_text("#!/bin/false\n")
            (place / "bin" / "python").chmod(0o755)
        else:
            (place / left).mkdir(parents=True)
        done = subprocess.run(["bash", str(script), str(place), "--help"], capture_output=True, text=True)
        if done.returncode or not (place / "bin" / "python").is_file():
            failures.append(f"{what}: {done.stderr[-500:]}")
    return Count("an environment half made", 4, failures)


def odd_path(folder):
    """A checkout whose path has spaces, brackets and letters beyond ASCII; a notebook runs there."""
    copy = folder / ODD
    shutil.copytree(ROOT, copy, ignore=faults.NOT_COPIED)
    (copy / ".venv").symlink_to(sys.prefix)
    code = "from medgan_helpers import artifacts\nartifacts.record('a', A)"
    cells = [nbformat.v4.new_code_cell(text) for text in ("A = 1", code)]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), copy / "notebooks" / "00 x.ipynb")
    film = ["data_scripts/simulate_chexpert.py", "build/zwei Filme", "--images", "2", "--size", "32"]
    page = ["book/scripts/execute.py", "notebooks/00 x.ipynb", "build/00 x.ipynb", "A=2"]
    runs = {
        "make help": ["make", "help"],
        "make -n book": ["make", "-n", "book", "PROFILE=smoke", "-o", ".venv/.ready"],
        "simulate_chexpert.py": [sys.executable, *film],
        "execute.py": [sys.executable, *page],
    }
    environment = os.environ | {"PYTHONPATH": str(copy), "MEDGAN_PROFILE": "smoke"}
    environment.pop("MEDGAN_BUILD", None)
    return many("a path with spaces and other letters", runs, {"cwd": copy, "env": environment})


def no_home(folder):
    """No home directory, and a user whom the machine does not know by name (root may become one)."""
    code = (
        "from medgan_helpers import artifacts, figures, session; session.start('01-x', 'smoke'); "
        "figures.curves({'loss': {'g': ([1, 2], [3, 4])}}, alt='two numbers')"
    )
    place = Path(tempfile.mkdtemp(dir=folder))
    environment = {key: value for key, value in os.environ.items() if key not in ("HOME", "USER", "LOGNAME")}
    options = {"env": environment | {"MEDGAN_BUILD": str(place), "PYTHONPATH": str(ROOT)}, "cwd": place}
    if os.geteuid() == 0:
        for parent in (place, folder):
            parent.chmod(0o777)
    runs = {"session and a figure": [sys.executable, "-c", code]}
    return many("no home directory", runs, options)


def many(what, runs, options):
    failures = []
    for name, command in runs.items():
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, **options)
        if done.returncode:
            failures.append(f"{name}: {(done.stdout + done.stderr)[-1500:]}")
    return Count(what, len(runs), failures)


class Dropping(http.server.BaseHTTPRequestHandler):
    """A server, or a proxy before it, that promises a file and hangs up half way."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"PK" + bytes(50_000))

    def log_message(self, *_):
        pass


def dropped_download(folder):
    """fetch_chestmnist.py through it: one sentence, and no half file under the whole file's name."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dropping)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    failures = []

    def work():
        import fetch_chestmnist
        import medmnist
        import test_importers

        address = f"http://127.0.0.1:{server.server_port}/chestmnist.npz"
        for key in [key for key in medmnist.INFO["chestmnist"] if key.startswith("url")]:
            medmnist.INFO["chestmnist"][key] = address
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            os.environ.pop(name, None)
        try:
            test_importers.run(fetch_chestmnist, folder / "out", "--cache", folder / "cache")
        except (OSError, ValueError) as error:
            assert "download" in str(error), error
            return 0
        return 1

    if said := finish(work):
        failures.append(said)
    failures += [f"{file.name} was left half" for file in (folder / "cache").glob("**/*") if file.is_file()]
    server.shutdown()
    return Count("a proxy that drops a download", 1, failures)


def other_pythons(folder):
    """Whether every package of the lock has a wheel for each of them."""
    failures, tried = [], 0
    lock = ["uv", "pip", "compile", "requirements.txt", "--only-binary", ":all:", "--quiet"]
    for version in PYTHONS if shutil.which("uv") else ():
        done = subprocess.run([*lock, "--python-version", version], cwd=ROOT, capture_output=True, text=True)
        tried += 1
        failures += [f"{version}: {done.stderr[-500:]}"] if done.returncode else []
    note = f"{', '.join(PYTHONS)}: has the lock a wheel of every package?"
    return Count("other versions of Python", tried, failures, note if tried else "not tried: no uv here")


def this_python(folder):
    """The quick tests on the Python that runs this: to be called in an environment of each version."""
    quick = [sys.executable, "-m", "pytest", "tests", "-m", "not slow", "-p", "no:cacheprovider", "-rf"]
    done = subprocess.run(quick, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    failures = re.findall(r"^FAILED (.+)$", done.stdout, re.MULTILINE)
    if done.returncode and not failures:
        failures = [(done.stdout + done.stderr)[-1500:]]
    outcomes = dict(
        (word, int(number)) for number, word in re.findall(r"(\d+) (passed|failed|skipped)", done.stdout)
    )
    note = f"{outcomes['skipped']} skipped" if outcomes.get("skipped") else ""
    return Count(THIS_PYTHON, outcomes.get("passed", 0) + len(failures), failures, note)
