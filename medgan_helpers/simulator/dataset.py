"""Label rows to films: in memory (`sample`) or as a CheXpert folder (`write`).

A film depends on its seed, its film and patient numbers, its labels and its size, and on nothing else, so
it comes out the same with any number of workers and in any order.
"""

import contextlib
import hashlib
import itertools
import json
import multiprocessing
import os
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import torch
from PIL import Image
from tqdm import tqdm

from .. import artifacts, checks, chexpert
from . import findings, projection, rows, thorax

SMALLEST, LARGEST = 24, 512  # px: below, no finding can be seen; above, the CT has nothing more to show
ORGANS = ("lungs", "heart", "vessels", "ribs", "spine", "soft tissue")
PREFIX = "CheXpert-v1.0-small/"  # of the paths in CheXpert's own csv
FEW = 500  # films that are not worth starting processes for
STALE = 3600  # seconds after which nobody is writing a temporary file any more


@checks.door(labels=checks.table(), twins=checks.switch, masks=checks.switch, progress=checks.switch)
def sample(n, size=64, seed=0, labels=None, views="frontal", twins=True, masks=True, progress=False):
    """Films in memory.

    labels: a DataFrame of exactly the films to make (see `rows.from_labels`; `n` may then be None).
    Returns images (n, size, size) uint8; their finding-free twins, the same, or None; masks
    {finding: (n, size, size) bool} or None; the label rows, with the columns of `chexpert.read` and,
    in .attrs["truth"], what was really drawn.
    """
    _check_size(size)
    if labels is not None and n is not None:
        checks.whole(len(labels), len(labels))("n", n)
    table = rows.draw_rows(n, seed, views) if labels is None else rows.from_labels(labels)
    truth = rows.draw_truth(table, seed)
    table.attrs["truth"] = truth.assign(path=table.path)
    images, plain, shadows = _films(table, truth, size, twins, masks, progress)
    return images, plain, shadows, table


def _films(table, truth, size, twins, masks, progress):
    """Render label rows with their truth: (images, twins or None, masks or None) as numpy arrays."""
    n = len(table)
    images = np.empty((n, size, size), np.uint8)
    plain = np.empty_like(images) if twins else None
    shadows = {name: np.zeros(images.shape, bool) for name in rows.DRAWABLE} if masks else None
    jobs = ((row, true, size, twins, masks) for row, true in pairs(table, truth))
    for i, made in enumerate(tqdm(in_threads(render, jobs), "films", n, disable=not progress)):
        images[i], twin, drawn = made
        if twins:
            plain[i] = twin
        for name, mask in (drawn or {}).items():
            shadows[name][i] = mask
    return images, plain, shadows


def pairs(table, truth):
    """(row, true) of each film as dicts, a few at a time: a million dicts would take gigabytes."""
    for start in range(0, len(table), 500):
        some = slice(start, start + 500)
        yield from zip(*(frame.iloc[some].to_dict("records") for frame in (table, truth)), strict=True)


def in_threads(function, jobs):
    """Yield function(*job), in order; as many jobs at once as torch has threads, which then serve one each:
    a film is too small for two to share."""
    threads = torch.get_num_threads()
    jobs = iter(jobs)
    yield from itertools.starmap(function, itertools.islice(jobs, 1 if threads > 1 else None))  # fills caches
    if threads > 1:
        torch.set_num_threads(1)
        try:
            yield from joblib.Parallel(threads, "threading", return_as="generator")(
                joblib.delayed(function)(*job) for job in jobs
            )
        finally:
            torch.set_num_threads(threads)


def in_processes(function, jobs, count, workers=None):
    """Yield function(*job) of `count` jobs, in order; where it pays, `workers` processes do the work.

    workers: None for as many as cores, each of one thread; 1 for this process, where everything happens too
    if the jobs are few or this is a daemon, which may not start others.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1 or count <= FEW or multiprocessing.current_process().daemon:
        yield from itertools.starmap(function, jobs)
    else:
        with joblib.parallel_config("loky", inner_max_num_threads=1):
            started = joblib.Parallel(workers, return_as="generator")
            yield from started(joblib.delayed(function)(*job) for job in jobs)


@torch.inference_mode()
def render(row, true, size, twin=False, masks=False, device="cpu"):
    """One film from a label row and its truth (dicts): image, twin or None, {finding: mask} or None."""
    anatomy, patient, exposure, rng = _setting(row, true, size, device)
    start = anatomy.density[int(patient.variant * thorax.VARIANTS)]
    lattice = projection.lattice(anatomy, patient, exposure)
    rays, few = projection.rays(lattice, anatomy, exposure.view, size, projection.LOW)
    beside = projection.beside_the_scan(patient, exposure, size, device)
    far = projection.surroundings(start, few, beside)
    noise = torch.from_numpy(rng.standard_normal((size, size), dtype=np.float32)).to(device)
    body = findings.Body(anatomy, start.clone(), supine=exposure.view == "AP")
    shadows = _draw_all(body, true, rays if masks else None)
    developed = [
        projection.film(projection.project(volume, rays) + beside, far, exposure, noise).numpy(force=True)
        for volume in ((body.volume, start) if twin else (body.volume,))
    ]
    return developed[0], developed[1] if twin else None, shadows


def _setting(row, true, size, device="cpu"):
    """The thorax, the patient and the exposure of a film, and the generator of its noise."""
    anatomy = thorax.load(size, "x" if row["view"] == "Lateral" else "y", device)
    patient = projection.draw_patient(
        np.random.default_rng([true["seed"], 1, true["number"]]), row["sex"], row["age"]
    )
    rng = np.random.default_rng([true["seed"], 2, true["film"]])
    return anatomy, patient, projection.draw_exposure(rng, row["view"]), rng


def _draw_all(body, true, rays):
    """Draw a film's findings one after the other; with rays, return each one's shadow as a mask."""
    shadows = {} if rays else None
    named = any(true[name] > 0 for name in rows.CHILDREN)
    for number, name in enumerate(findings.DRAWN):
        if true[name] == 0 or (name == "Lung Opacity" and named):
            continue  # an opacity with a name is drawn under that name
        before = body.volume.clone() if rays else None
        findings.draw(name, body, true[name], np.random.default_rng([true["seed"], 3, true["film"], number]))
        if rays:
            changed = before.ne_(body.volume)  # 0 and 1, as floats
            shadows[name] = (projection.project(changed, rays) > 0).numpy(force=True)
    if rays and true["Lung Opacity"] > 0 and named:
        parts = [shadows[name] for name in rows.CHILDREN if name in shadows]
        shadows["Lung Opacity"] = np.logical_or.reduce(parts)
    return shadows


@checks.door(table=checks.table("path"))
def organ_map(table, size=64):
    """How much of each organ lies along each ray: (n, 6, size, size) float32, 0 to 1, organs as in ORGANS.

    table: label rows with their truth in .attrs, as `sample` returns them, in any order: the path says which
    film a row is of.
    A value is the length of the ray in the organ over 200 mm (bones: 40 mm), at most 1.
    """
    _check_size(size)
    if "truth" not in table.attrs:
        raise ValueError("the table has no truth in .attrs: expected the label rows that `sample` returns")
    truth = table.attrs["truth"].set_index("path")
    if strangers := [path for path in table.path if path not in truth.index]:
        raise ValueError(f"{strangers[0]!r} is not among the films that `sample` drew with this table")
    truth = truth.loc[table.path]
    maps = np.empty((len(table), len(ORGANS), size, size), np.float32)
    with torch.inference_mode():
        for i, (row, true) in enumerate(pairs(table, truth)):
            anatomy, patient, exposure, _ = _setting(row, true, size)
            lattice = projection.lattice(anatomy, patient, exposure)
            (rays,) = projection.rays(lattice, anatomy, exposure.view, size)
            for k, members in enumerate(_organ_labels()):
                organ = torch.isin(anatomy.labels, torch.tensor(members)).float()
                length = projection.project(organ, rays) / (40 if ORGANS[k] in ("ribs", "spine") else 200)
                maps[i, k] = length.clamp(max=1).numpy(force=True)
    return maps


def _organ_labels():
    ribs = [*thorax.RIBS["left"], *thorax.RIBS["right"], thorax.STERNUM]
    lungs = [*thorax.LOBES["left"], *thorax.LOBES["right"]]
    vessels = [thorax.AORTA, thorax.VESSELS, thorax.PULMONARY_VEIN]
    named = {*lungs, thorax.HEART, *vessels, *ribs, thorax.SPINE, thorax.TRACHEA, 0}
    return lungs, [thorax.HEART], vessels, ribs, [thorax.SPINE], [i for i in range(256) if i not in named]


@checks.door(n=checks.whole(1, rows.MOST), slices_per_patient=checks.whole())
def ct_slices(n, size=64, seed=0, slices_per_patient=4):
    """Axial CT slices of warped patients: (n, size, size) float32 in [0, 1] and their patient numbers (n,).

    0 is -1000 HU and 1 is 400 HU: lung and soft tissue both show. Another seed means other patients, so that
    train and test patients share no slice. Shown from below as radiologists do: the patient's left is on the
    right, the front is up.
    """
    _check_size(size)
    anatomy = thorax.load(size, "z")
    out, patients = np.empty((n, size, size), np.float32), np.arange(n) // slices_per_patient
    with torch.inference_mode():
        for i, number in enumerate(patients):
            person = projection.draw_patient(
                np.random.default_rng([seed, 1, number]), ("Male", "Female")[number % 2], 60
            )
            grid = projection.axial_plane(anatomy, person, size, np.random.default_rng([seed, 6, i]))
            volume = anatomy.density[int(person.variant * thorax.VARIANTS)]
            hu = 1000 * (projection.through(volume, grid) - 1)
            out[i] = ((hu + 1000) / 1400).clamp(0, 1).numpy(force=True)
    return out, patients


@checks.door(
    root=checks.path, workers=checks.whole(1, 1024),
    twins=checks.switch, masks=checks.switch, progress=checks.switch,
)  # fmt: skip
def write(root, images=2000, size=128, seed=0, views="frontal", prevalence="real", rare_boost=1.0,
          workers=None, twins=False, masks=False, progress=True):  # fmt: skip
    """Write a folder of films in the CheXpert layout and return the path of its train.csv.

    Beside train.csv and the films, truth.csv holds what was really drawn and simulation.json the settings.
    twins and masks go to twins/... and masks/<finding>/... as PNG. workers: processes of one thread each
    (None: as many as cores). A killed run goes on where it stopped; a finished one returns at once.
    Raises FileExistsError if `root` holds anything else, ValueError for impossible settings.
    """
    _check_size(size)
    rows.check(images, views, prevalence, rare_boost)
    root = Path(root).expanduser()
    settings = {
        "images": images, "size": size, "seed": seed, "views": views,
        "prevalence": prevalence, "rare_boost": rare_boost, "twins": twins, "masks": masks,
        "simulator": version(),
    }  # fmt: skip
    if _prepare(root, settings):
        return root / "train.csv"
    table = rows.draw_rows(images, seed, views, prevalence, rare_boost)
    truth = rows.draw_truth(table, seed)
    artifacts.write_csv(root / "truth.csv", pd.concat([table, truth.add_prefix("true ")], axis=1))
    missing = ~table.path.map(lambda path: (root / path).is_file())
    jobs = ((root, *pair, settings) for pair in pairs(table[missing], truth[missing]))
    made = in_processes(_make, jobs, missing.sum(), workers)
    for _ in tqdm(made, "films", images, initial=images - missing.sum(), unit="film", disable=not progress):
        pass
    artifacts.write_csv(root / "train.csv", _as_chexpert(table))
    return root / "train.csv"


def version():
    """A hash of the simulator's code: another simulator makes other films."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]


def _prepare(root, settings):
    """True if `root` holds these very films already; else make it ready, or refuse what is not ours."""
    note = root / "simulation.json"
    # Looked at before the note: another process may put the note, and then its films, there meanwhile.
    foreign = root.exists() and not (root.is_dir() and all(p.match(".*.partial*") for p in root.iterdir()))
    foreign = foreign or any(parent.is_file() for parent in root.parents)
    if note.is_file():
        found = json.loads(note.read_text())
        if found != settings:
            differ = {k: (found.get(k), v) for k, v in settings.items() if found.get(k) != v}
            raise FileExistsError(
                f"{root} holds other films (there, asked for): {differ}. Choose another folder"
            )
        for left in root.rglob(".*.partial*"):  # what a killed run was writing; a young one may be in use
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > STALE:
                    left.unlink()
        return (root / "train.csv").is_file()
    if foreign:
        raise FileExistsError(f"{root} is not an empty folder: choose another, nothing is overwritten")
    artifacts.write_json(note, settings)
    return False


def _as_chexpert(table):
    """Label rows in CheXpert's own columns."""
    lateral = table.view == "Lateral"
    return pd.DataFrame({
        "Path": PREFIX + table.path,
        "Sex": table.sex,
        "Age": table.age.astype(int),
        "Frontal/Lateral": np.where(lateral, "Lateral", "Frontal"),
        "AP/PA": table.view.mask(lateral),
    }).join(table[chexpert.FINDINGS])  # fmt: skip


def _make(root, row, true, settings):
    """Write one film, and beside it its twin and masks where the settings ask for them."""
    image, twin, masks = render(row, true, settings["size"], settings["twins"], settings["masks"])
    extras = {f"masks/{name}": 255 * mask.astype(np.uint8) for name, mask in (masks or {}).items()}
    if twin is not None:
        extras["twins"] = twin
    for name, picture in extras.items():
        save_png(root / name / Path(row["path"]).with_suffix(".png"), picture)
    save_png(root / row["path"], image)  # last: its being there says that all of it is


def save_png(path, picture):
    with artifacts.atomic(path) as temporary:
        Image.fromarray(picture).save(temporary, **({"quality": 95} if path.suffix == ".jpg" else {}))


def _check_size(size):
    if not (isinstance(size, int | np.integer) and SMALLEST <= size <= LARGEST):
        raise ValueError(
            f"size={checks.told(size)}: expected {SMALLEST} to {LARGEST} pixels; smaller ones show no finding"
        )
