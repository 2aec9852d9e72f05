"""Where results live, and how they are written.

Everything generated lies under build/<profile>/ (build/<profile>-<dataset>/ for other data than the
simulated default): data, artifacts, results, executed, html. Every file is written to a temporary name
in the same folder and renamed, so a killed run or a full disk leaves the old file or none, never a half.
"""

import csv
import json
import os
import platform
import subprocess
import time
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from . import profiles

SCORE_COLUMNS = ["name", "value", "low", "high", "n", "unit", "notebook"]
LOCK_SECONDS = 60  # writing a score takes milliseconds; a lock older than this was left by a killed run

_active = {"profile": None, "dataset": "simulated", "notebook": ""}


def activate(profile=None, dataset="simulated", notebook=""):
    """Say which profile, data set and notebook the scores and files that follow belong to."""
    _active.update(profile=profiles.get(profile).name, dataset=dataset, notebook=notebook)


def build_root():
    """The folder `build`: $MEDGAN_BUILD, else the one of the repository we are in, else here."""
    if os.environ.get("MEDGAN_BUILD"):
        return Path(os.environ["MEDGAN_BUILD"]).expanduser().resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "_config.yml").is_file() and (folder / "notebooks").is_dir():
            return folder / "build"
    return here / "build"


def folder(kind):
    """Make and return build/<profile>/<kind>; kind is "data", "artifacts", "results" or the like."""
    profile = _active["profile"] or profiles.get().name
    suffix = "" if _active["dataset"] == "simulated" else f"-{_active['dataset']}"
    path = build_root() / f"{profile}{suffix}" / kind
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def atomic(path):
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds, else remove it.

    The temporary name keeps the suffix of `path` (writers that look at the suffix work as usual).
    Raises OSError with the folder and the space left when the disk is full or not writable.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.partial{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(
            error.errno,
            f"could not write {path} ({error.strerror or error}); what was there before is untouched. "
            "Free some space, or set MEDGAN_BUILD to a folder on another disk",
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_json(path, value):
    """Write `value` as indented JSON, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


@contextmanager
def _locked(path):
    """Hold path.lock, so that two notebooks running at once do not lose each other's scores."""
    lock = path.with_suffix(".lock")
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            with suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > LOCK_SECONDS:
                    lock.unlink()
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def record(name, value, low=None, high=None, n=None, unit=""):
    """Put one score into build/<profile>/results/scores.csv, replacing the score of the same name.

    name: path-like, as "restore/ct/psnr/pix2pix"; low, high: bounds of a 95 % interval; n: what was counted.
    Returns `value`, so that a notebook can record and use a number in one line.
    """
    path = folder("results") / "scores.csv"
    cell = {"low": low, "high": high, "n": n, "unit": unit, "notebook": _active["notebook"]}
    row = {"name": name, "value": float(value)} | {k: "" if v is None else v for k, v in cell.items()}
    with _locked(path):
        rows = [old for old in _read(path) if old["name"] != name] + [row]
        with atomic(path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, SCORE_COLUMNS)
            writer.writeheader()
            writer.writerows(sorted(rows, key=lambda r: r["name"]))
    return value


def _read(path):
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def scores(prefix=""):
    """The recorded scores whose name starts with `prefix`, as a DataFrame indexed by name."""
    import pandas as pd

    path = folder("results") / "scores.csv"
    table = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=SCORE_COLUMNS)
    return table[table.name.str.startswith(prefix)].set_index("name")


def provenance():
    """What made a result: commit, versions, machine, profile and time (UTC), as a dict for a model card."""
    def version(package):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(package)

    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True
    ).stdout.strip()
    return {
        "commit": commit or None,
        "profile": _active["profile"] or profiles.get().name,
        "dataset": _active["dataset"],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("medgan-helpers", "torch", "torchvision", "numpy")},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
