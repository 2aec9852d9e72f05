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
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from filelock import FileLock

from . import profiles

ASSETS = Path(__file__).parent / "assets"  # of the package
SCORE_COLUMNS = ["name", "value", "low", "high", "n", "unit", "notebook"]

_active = {"profile": None, "dataset": "simulated", "notebook": ""}


def activate(profile=None, dataset="simulated", notebook=""):
    """Say which profile, data set and notebook the scores and files that follow belong to."""
    _active.update(profile=profiles.get(profile).name, dataset=dataset, notebook=notebook)


def profile():
    """The profile of the notebook that is running; of none, the one that the environment names."""
    return profiles.get(_active["profile"])


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
    suffix = "" if _active["dataset"] == "simulated" else f"-{_active['dataset']}"
    path = build_root() / f"{profile().name}{suffix}" / kind
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


def write_csv(path, table):
    """Write a DataFrame without its index, or a list of rows as dicts, atomically."""
    import pandas as pd

    with atomic(path) as temporary:
        pd.DataFrame(table).to_csv(temporary, index=False, lineterminator="\n")


def lock(path):
    """Hold this (`with lock(path):`) from reading a table to writing it: two runs lose none of their rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_suffix(".lock"))


def record(name, value, low=None, high=None, n=None, unit=""):
    """Put one score into build/<profile>/results/scores.csv, replacing the score of the same name.

    name: path-like, as "restore/ct/psnr/pix2pix"; low, high: bounds of a 95 % interval; n: what was counted.
    Returns `value`, so that a notebook can record and use a number in one line.
    """
    path = folder("results") / "scores.csv"
    cell = {"low": low, "high": high, "n": n, "unit": unit, "notebook": _active["notebook"]}
    row = {"name": name, "value": float(value)} | {k: "" if v is None else v for k, v in cell.items()}
    with lock(path):
        rows = [old for old in _read(path) if old["name"] != name] + [row]
        write_csv(path, sorted(rows, key=lambda r: r["name"]))
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

    return {
        "commit": _commit(),
        "profile": profile().name,
        "dataset": _active["dataset"],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("medgan-helpers", "torch", "torchvision", "numpy")},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _commit():
    """The commit of the course's own checkout; None without git, or installed inside another repository."""
    home = Path(__file__).resolve().parents[1]
    command = ["git", "rev-parse", "--show-toplevel", "--short=12", "HEAD"]
    with suppress(OSError):  # there is no git
        lines = subprocess.run(command, cwd=home, capture_output=True, text=True).stdout.splitlines()
        if len(lines) == 2 and Path(lines[0]) == home:
            return lines[1]
