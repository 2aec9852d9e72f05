"""Where results live, and how they are written.

Everything generated lies under build/<profile>/ (build/<profile>-<dataset>/ for other data than the
simulated default): data, artifacts, results, executed, html. Every file is written to a temporary name
in the same folder and renamed, so a killed run or a full disk leaves the old file or none, never a half.
What a killed run left is removed when that file is next written.
"""

import csv
import glob
import json
import math
import os
import platform
import subprocess
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from filelock import FileLock

from . import checks, profiles

ASSETS = Path(__file__).parent / "assets"  # of the package
SCORE_COLUMNS = ["name", "value", "low", "high", "n", "unit", "notebook"]

_active = {"profile": None, "dataset": "simulated", "notebook": ""}


@checks.door(notebook=checks.words)
def activate(profile=None, dataset="simulated", notebook=""):
    """Say which profile, data set and notebook the scores and files that follow belong to."""
    if not isinstance(dataset, str) or not dataset.replace("-", "").replace("_", "").isalnum():
        raise ValueError(
            f"dataset is {checks.told(dataset)}: expected a name of letters and digits, as simulated"
        )
    _active.update(profile=profiles.get(profile).name, dataset=dataset, notebook=notebook)


def profile():
    """The profile of the notebook that is running; if none is running, the one in $MEDGAN_PROFILE."""
    return profiles.get(_active["profile"])


def build_root():
    """The folder `build`: $MEDGAN_BUILD, else the one of the repository we are in, else here."""
    return chosen_folder("MEDGAN_BUILD") or repository() / "build"


def chosen_folder(variable):
    """The folder that an environment variable names, None where it is not set; ValueError for a file."""
    if not os.environ.get(variable):
        return None
    place = Path(os.environ[variable]).expanduser().resolve()
    for part in (place, *place.parents):
        if part.is_file():
            raise ValueError(f"{variable} is {place}, and {part} is a file: expected a folder")
    return place


def repository():
    """The folder of the course's repository that we are in, else the folder that we are in."""
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "_config.yml").is_file() and (folder / "notebooks").is_dir():
            return folder
    return here


@checks.door(name=checks.plain_name)
def committed(name):
    """The table book/results/<name> that a study wrote; None where there is none, or no repository."""
    import pandas as pd

    path = repository() / "book" / "results" / name
    return pd.read_csv(path) if path.is_file() else None


@checks.door(kind=checks.path)
def folder(kind):
    """Make and return build/<profile>/<kind>; kind is "data", "artifacts", "results" or the like."""
    suffix = "" if _active["dataset"] == "simulated" else f"-{_active['dataset']}"
    place = build_root() / f"{profile().name}{suffix}"
    path = place / kind
    if place.resolve() not in path.resolve().parents:
        raise ValueError(f"kind is {str(kind)!r}: expected a name, as results, for a folder below {place}")
    path.mkdir(parents=True, exist_ok=True)
    return path


@checks.door(path=checks.target)
@contextmanager
def atomic(path):
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds, else remove it.

    The temporary name keeps the suffix of `path` (writers that look at the suffix work as usual).
    Raises OSError with the folder and the space left when the disk is full or not writable.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f"{platform.node()}-{os.getpid()}"
    temporary = path.with_name(f".{path.stem}.{writer}-{uuid.uuid4().hex[:8]}.partial{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
        _sweep(path)
    except OSError as error:
        raise OSError(
            error.errno,
            f"could not write {path} ({error.strerror or error}); what was there before is untouched. "
            "Free some space, or set MEDGAN_BUILD to a folder on another disk",
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _sweep(path):
    """Remove what writers of `path` that no longer run on this machine left beside it."""
    for left in path.parent.glob(f".{glob.escape(path.stem)}.{glob.escape(platform.node())}-*.partial*"):
        writer = left.name.removeprefix(f".{path.stem}.{platform.node()}-").split("-")[0]
        if writer.isdigit() and not _runs(int(writer)):
            with suppress(OSError):  # another process was first, or it is another user's
                left.unlink()


def _runs(process):
    """Whether a process of that number runs; on Windows, where asking would end it, always yes."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it runs, under another user
        return True
    return True


@checks.door(path=checks.target)
def write_json(path, value):
    """Write `value` as indented JSON, atomically."""
    text = as_json(path, value)
    with atomic(path) as temporary:
        temporary.write_text(text)


def as_json(path, value):
    """The text that `write_json` would write; TypeError that names `path` for what JSON cannot hold."""
    try:
        return json.dumps(value, indent=1, sort_keys=True) + "\n"
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{path} cannot hold this: {error}; convert it with float(), int() or str()"
        ) from error


@checks.door(path=checks.target, table=checks.records)
def write_csv(path, table):
    """Write a DataFrame without its index, or a list of rows as dicts, atomically."""
    import pandas as pd

    with atomic(path) as temporary:
        pd.DataFrame(table).to_csv(temporary, index=False, lineterminator="\n")


@checks.door(path=checks.file)
def read_csv(path, **options):
    """The table in a csv, packed or not, as pandas.read_csv(path, **options) reads it.

    Raises ValueError that names the file where it is no table, is separated by other marks, or has rows that
    are longer than its head: pandas would take their first columns for the names of the rows.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, **options)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: save it as a csv in UTF-8") from error
    except Exception as error:  # what unpacks a damaged file raises anything at all
        raise ValueError(f"{path} is not a csv table: {error}") from error
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(table.columns) == 1 and mark in str(table.columns[0]):
            raise ValueError(f"{path} is separated by {name}: save it with commas")
    if len(table) and not isinstance(table.index, pd.RangeIndex):
        raise ValueError(
            f"{path} has rows with more fields than its first line: a comma too many at their end?"
        )
    return table


@checks.door(path=checks.target)
def lock(path):
    """Hold this (`with lock(path):`) from reading a table to writing it: two runs lose none of their rows."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_suffix(".lock"))


def _counts(name, value):
    for one in value.values() if isinstance(value, dict) else (value,):
        checks.number(0)(name, one)


@checks.door(n=_counts, unit=checks.words)
def record(name, value, low=None, high=None, n=None, unit=""):
    """Put scores into build/<profile>/results/scores.csv, replacing those of the same names.

    name: path-like, as "restore/ct/psnr/pix2pix"; value: a number, an estimate (value, low, high), or one of
    these under each name that is to follow: record("auc", {"none": 0.7, "gan": estimate}) writes auc/none and
    auc/gan, and so does a table with the columns value, low, high, a row per name (see `estimate_table`).
    low, high: bounds of a 95 % interval, where value is a number; n: what was counted, {name: n} if it
    differs. Returns `value`, so that a notebook can record and use it in one line.
    Raises ValueError for an empty name, TypeError for what is no number.
    """
    if not isinstance(name, str) or not name.strip("/ ") or len(name.splitlines()) > 1:
        raise ValueError(f'name={checks.told(name)}: expected words like "restore/ct/psnr/pix2pix"')
    several = hasattr(value, "keys")  # a mapping or a table
    if (several or isinstance(value, tuple)) and not (low is None and high is None):
        raise ValueError("low and high are those of a number: value has its own")
    if isinstance(n, dict) and not several:
        raise TypeError(f"n is {checks.told(n)}: expected a number beside a single value")
    if several:
        table = estimate_table(value)
        if (again := table.index.map(str).duplicated()).any():
            raise ValueError(f"value has {table.index[again][0]!r} twice: the first score would be lost")
        if isinstance(n, dict) and (strangers := [key for key in n if key not in table.index]):
            raise ValueError(
                f"n has {checks.told(strangers[0])}: expected names of value, "
                f"{', '.join(map(str, table.index))}"
            )
        names = {f"{name}/{key}": (*row, n.get(key) if isinstance(n, dict) else n)
                 for key, row in zip(table.index, table.to_numpy().tolist(), strict=True)}  # fmt: skip
    elif isinstance(value, tuple):
        names = {name: (*_estimate(name, value), n)}
    else:
        names = {name: (*_estimate(name, (value, low, high)), n)}
    _write_scores({key: (*row, unit) for key, row in names.items()})
    return value


def estimate_table(estimates):
    """{name: number or (value, low, high)} -> DataFrame with the columns value, low, high, a row per name.

    A DataFrame that has these columns comes back with them alone. A number alone has low = high = nan.
    Raises ValueError for no estimates or a table without the columns, TypeError for what is no number.
    """
    import pandas as pd

    columns = ["value", "low", "high"]
    if isinstance(estimates, pd.DataFrame):
        if lacking := [column for column in columns if column not in estimates]:
            raise ValueError(f"the table has no column {lacking[0]!r}: expected value, low and high")
        checks.table(*columns, least=0)("estimates", estimates)
        checks.numbers()("estimates", estimates[columns])
        return estimates[columns].astype(float)
    checks.named("estimates", estimates)
    rows = {name: _estimate(name, value) for name, value in dict(estimates).items()}
    return pd.DataFrame(rows, index=columns).T.astype(float)


def _estimate(name, estimate):
    """(value, low, high) as floats, nan for what is not known; of a number or an estimate."""
    parts = estimate if isinstance(estimate, tuple | list) else (estimate, None, None)
    if len(parts) != 3:
        raise ValueError(f"{name}: expected a number or (value, low, high), got {len(parts)} numbers")
    if any(isinstance(checks.plain(part), bool | str) for part in parts):
        raise TypeError(f"{name}: expected a number or (value, low, high), got {checks.told(estimate)}")
    try:
        value = float(parts[0])
        low, high = (math.nan if end is None else float(end) for end in parts[1:])
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: expected a number or (value, low, high), got {checks.told(estimate)}"
        ) from error
    if low > high:
        raise ValueError(f"{name}: low is {low}, above high, which is {high}")
    return value, low, high


def _write_scores(scores):
    """Merge {name: (value, low, high, n, unit)} into scores.csv; what is not known stays empty there."""
    path = _scores_file()
    fresh = []
    for name, (value, *rest) in scores.items():
        known = ["" if part is None or part != part else part for part in rest]
        fresh.append(dict(zip(SCORE_COLUMNS, [name, value, *known, _active["notebook"]], strict=True)))
    with lock(path):
        rows = [old for old in _read(path) if old["name"] not in scores] + fresh
        write_csv(path, sorted(rows, key=lambda row: row["name"]))


def _scores_file():
    path = folder("results") / "scores.csv"
    if path.is_dir():
        raise ValueError(f"{path} is a folder, expected a table of scores: remove it")
    return path


def _read(path):
    if not path.exists():
        return []
    try:
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} is not a table of scores ({error}): remove it") from error
    if any(set(row) != set(SCORE_COLUMNS) or None in row.values() for row in rows):
        raise ValueError(f"{path} is not a table of scores, with {', '.join(SCORE_COLUMNS)}: remove it")
    return rows


@checks.door(prefix=checks.path)
def scores(prefix=""):
    """The recorded scores whose name starts with `prefix`, as a DataFrame indexed by name."""
    import pandas as pd

    path = _scores_file()
    blank = {column: [""] for column in SCORE_COLUMNS[1:]}  # a name may be None or NA: pandas must not guess
    words = {"dtype": {"name": str}, "keep_default_na": False, "na_values": blank}
    try:
        table = read_csv(path, **words) if path.exists() else pd.DataFrame(columns=SCORE_COLUMNS)
        table["value"] = table[SCORE_COLUMNS]["value"].astype(float)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path} is not a table of scores ({error}): remove it") from error
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
