"""The simulator: labels, truth, twins, masks, reproducibility, folders, bad input."""

import json
import os
import runpy
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.nn.functional import grid_sample

from medgan_helpers import artifacts, chexpert, simulator
from medgan_helpers.simulator import dataset, findings, projection, rows, thorax

DRAWN = chexpert.FINDINGS[1:]
SIZE = 32


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def singles():
    return simulator.sample(None, 64, seed=3, labels=simulator.one_each(DRAWN))


@pytest.fixture(scope="module")
def mixed():
    return simulator.sample(12, SIZE, seed=5, views="all")


# ---------------------------------------------------------------- films, twins, masks
def test_sample_returns_what_the_contract_says(mixed):
    images, twins, masks, labels = mixed
    assert images.shape == twins.shape == (12, SIZE, SIZE) and images.dtype == np.uint8
    assert list(masks) == DRAWN
    assert all(mask.shape == images.shape and mask.dtype == bool for mask in masks.values())
    assert list(labels.columns) == ["path", "patient", "study", "view", "sex", "age", *chexpert.FINDINGS]
    assert images.std(axis=(1, 2)).min() > 20, "a film is blank"


@pytest.mark.slow
def test_twins_equal_films_outside_the_masks(singles, mixed):
    for images, twins, masks, _ in (singles, mixed):
        shadow = np.any(list(masks.values()), axis=0)
        assert (images == twins)[~shadow].all()


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_a_requested_finding_is_drawn_where_its_mask_is(singles, name):
    images, twins, masks, labels = singles
    i = DRAWN.index(name)
    present = [other for other in DRAWN if masks[other][i].any()]
    allowed = {name, "Lung Opacity"} if name in rows.IMPLIES_OPACITY else {name}
    assert set(present) == allowed
    change = np.abs(images[i].astype(int) - twins[i])
    assert change.max() >= 8, "too faint to see"
    assert (change[masks[name][i]] > 0).mean() > 0.25, "the mask is far larger than what it covers"
    assert masks[name][i].mean() < 0.65
    assert labels[name][i] == 1


def test_a_film_without_findings_is_its_own_twin():
    healthy = pd.DataFrame({"No Finding": [1.0, 1.0], "view": ["AP", "Lateral"]})
    images, twins, masks, _ = simulator.sample(None, SIZE, labels=healthy)
    assert (images == twins).all() and not np.any(list(masks.values()))


@pytest.mark.slow
def test_findings_lie_where_anatomy_puts_them():
    """Centres of masks: effusion below, pneumothorax above, the heart on the patient's left."""
    places = ("Pneumothorax", "Pleural Effusion", "Cardiomegaly")
    _, _, masks, _ = simulator.sample(None, 64, seed=11, labels=simulator.one_each(places, 6))
    middle = {name: np.argwhere(masks[name].any(0)).mean(0) for name in places}
    assert middle["Pneumothorax"][0] < middle["Pleural Effusion"][0] - 4
    assert middle["Cardiomegaly"][1] > 32, "the heart is on the patient's left, the film's right"


@pytest.mark.slow
def test_ap_shows_a_larger_heart_than_pa():
    """The heart lies in front; in AP the source is there and close, so its shadow is larger."""
    anatomy = thorax.load(64)
    heart = (anatomy.labels == thorax.HEART).float()
    patient = projection.draw_patient(np.random.default_rng(0), "Male", 50)
    area = {}
    for view in ("PA", "AP"):
        exposure = projection.Exposure(
            view, np.zeros(3), np.zeros(3), 300.0, 0.0, *[0.0] * 5, np.zeros(4), ()
        )
        lattice = projection.lattice(anatomy, patient, exposure)
        (rays,) = projection.rays(lattice, anatomy, view, 64)
        area[view] = (projection.project(heart, rays) > 5).sum().item()
    assert area["AP"] > 1.08 * area["PA"]


@pytest.mark.slow
def test_severity_makes_a_finding_larger():
    anatomy = thorax.load(64)
    for name in ("Cardiomegaly", "Edema", "Pleural Effusion", "Lung Lesion", "Pneumothorax"):
        change = []
        for severity in (0.2, 0.9):
            body = findings.Body(anatomy, anatomy.density[0].clone())
            findings.draw(name, body, severity, np.random.default_rng(4))
            change.append((body.volume - anatomy.density[0]).abs().sum().item())
        assert change[1] > 1.2 * change[0], name


def test_projection_of_a_block_is_its_thickness():
    """A 60 mm block of water, seen straight on, is 60 mm thick everywhere in the film."""
    anatomy = thorax.load(64)
    block = torch.zeros(anatomy.shape)
    inside = np.abs(anatomy.axes[1]) < 30
    block[:, torch.from_numpy(inside)] = 1
    thick = inside.sum() * anatomy.spacing[1]
    still = projection.Patient(0.0, np.ones(3), np.zeros((1, 7)), 0.0, 0.0, (0, 0, 1, 0), (400, 1, 0))
    exposure = projection.Exposure("PA", np.zeros(3), np.zeros(3), 200.0, 0.0, *[0.0] * 5, np.zeros(4), ())
    (rays,) = projection.rays(projection.lattice(anatomy, still, exposure), anatomy, "PA", 48)
    water = projection.project(block, rays)
    assert torch.allclose(water, torch.full_like(water, thick), atol=3.0)


@pytest.mark.slow
@pytest.mark.parametrize(("view", "along"), [("AP", "y"), ("PA", "y"), ("Lateral", "x")])
def test_summing_over_planes_agrees_with_sampling_densely_along_the_rays(view, along):
    """Joseph's sums over crossed planes are the line integrals that 300 samples along each bent ray give."""
    anatomy = thorax.load(64, along)
    rng = np.random.default_rng(3)
    patient, exposure = projection.draw_patient(rng, "Female", 50), projection.draw_exposure(rng, view)
    lattice = projection.lattice(anatomy, patient, exposure)
    (rays,) = projection.rays(lattice, anatomy, view, 48)
    volume = anatomy.density[2]
    water = projection.project(volume, rays)
    grid = lattice
    for axis, n in ((3, 48), (2, 48), (1, 300)):
        grid = torch.movedim(torch.movedim(grid, axis, -1) @ projection.cubic(grid.shape[axis], n), -1, axis)
    dense = grid_sample(volume[None, None], grid.permute(1, 2, 3, 0)[None], align_corners=False)[0, 0].sum(0)
    length = projection.LATERAL_DEPTH_MM if view == "Lateral" else projection.DEPTH_MM
    off = (water - dense * length / 300).abs()
    assert off.mean() < 0.01 * water.mean() and off.max() < 0.05 * water.max()


# ---------------------------------------------------------------- reproducibility
@pytest.mark.slow
def test_a_seed_gives_the_same_films_alone_or_together(mixed):
    images, _, _, labels = mixed
    again = simulator.sample(12, SIZE, seed=5, views="all", twins=False, masks=False)[0]
    assert (again == images).all(), "twins and masks must not change a film"
    truth = labels.attrs["truth"]
    for i in (0, 11, 4):
        alone, _, _ = dataset.render(labels.to_dict("records")[i], truth.to_dict("records")[i], SIZE)
        assert (alone == images[i]).all()
    assert (simulator.sample(3, SIZE, seed=6, twins=False, masks=False)[0] != images[:3]).any()


@pytest.mark.slow
def test_workers_write_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "FEW", 0)
    films = [simulator.write(tmp_path / str(n), 6, SIZE, workers=n, progress=False).parent for n in (1, 2)]
    files = [sorted(p.relative_to(f) for p in f.rglob("*") if p.is_file()) for f in films]
    assert files[0] == files[1]
    for name in files[0]:
        assert (films[0] / name).read_bytes() == (films[1] / name).read_bytes(), name


def test_two_threads_draw_the_same_films_in_the_same_order(mixed):
    torch.set_num_threads(2)
    try:
        images, twins, masks, _ = simulator.sample(12, SIZE, seed=5, views="all")
        assert torch.get_num_threads() == 2, "the number of threads is not what it was"
    finally:
        torch.set_num_threads(1)
    assert (images == mixed[0]).all() and (twins == mixed[1]).all()
    assert all((masks[name] == mixed[2][name]).all() for name in DRAWN)


def test_films_of_two_threads_are_drawn_at_the_same_time_each_with_one():
    """Each job waits until another has begun: one after the other they would wait for ever."""
    both = threading.Barrier(2, timeout=20)
    torch.set_num_threads(2)
    try:
        seen = list(
            dataset.in_threads(
                lambda k: (k and both.wait(), k, torch.get_num_threads()), [(k,) for k in range(5)]
            )
        )
    finally:
        torch.set_num_threads(1)
    assert [k for _, k, _ in seen] == list(range(5))
    assert {threads for _, _, threads in seen[1:]} == {1}


@pytest.mark.slow
def test_patients_differ_and_stay_themselves():
    table = pd.DataFrame({"patient": ["patient00001", "patient00001", "patient00002"]})
    heart = dataset.ORGANS.index("heart")
    _, _, _, labels = simulator.sample(None, SIZE, labels=table, twins=False, masks=False)
    maps = simulator.organ_map(labels, SIZE)[:, heart]
    assert maps.shape == (3, SIZE, SIZE) and maps.max() > 0.2
    one, two, other = (
        projection.draw_patient(np.random.default_rng([0, 1, n]), "Male", 60) for n in (1, 1, 2)
    )
    assert (one.waves == two.waves).all() and (one.waves != other.waves).any()


# ---------------------------------------------------------------- labels and truth
def test_rows_have_chexperts_prevalence_and_patients():
    drawn = simulator.draw_rows(20_000, seed=1)
    table = chexpert.label_table(views="frontal")
    for name in chexpert.FINDINGS:
        slack = 0.05 if name == "Lung Opacity" else 0.02  # consolidation and pneumonia add to it
        assert abs((drawn[name] == 1).mean() - (table[name] == 1).mean()) < slack, name
    assert abs(drawn.groupby("patient").size().mean() - table.groupby("patient").size().mean()) < 0.2
    assert not drawn.path.duplicated().any()
    assert drawn.groupby("patient").sex.nunique().max() == 1


def test_balanced_and_boosted_rows():
    balanced = simulator.draw_rows(1400, seed=1, prevalence="balanced")
    assert (balanced[chexpert.FINDINGS] == 1).mean().min() >= 0.07
    plain, boosted = (simulator.draw_rows(4000, seed=1, rare_boost=b) for b in (1, 5))
    for name in chexpert.RARE:
        assert (boosted[name] == 1).mean() > 2 * (plain[name] == 1).mean()


def test_labels_follow_chexperts_hierarchy():
    drawn = simulator.draw_rows(5000, seed=2)
    truth = rows.draw_truth(drawn, 2)
    implied = (drawn[["Consolidation", "Pneumonia"]] == 1).any(axis=1)
    assert (drawn["Lung Opacity"][implied] == 1).all() and (truth["Lung Opacity"][implied] > 0).all()
    healthy = drawn["No Finding"] == 1
    others = [name for name in DRAWN if name != "Support Devices"]
    assert healthy.any() and (truth.loc[healthy, others] == 0).all(axis=None)


def test_truth_behind_the_labels():
    drawn = simulator.draw_rows(6000, seed=2)
    truth = rows.draw_truth(drawn, 2)
    for name in ("Edema", "Atelectasis", "Pleural Effusion"):
        severity = truth[name]
        assert (severity[drawn[name] == 1] >= 0.3).all()
        assert (severity[drawn[name].isna() | (drawn[name] == 0)] == 0).all()
        unsure = severity[drawn[name] == -1]
        assert abs((unsure > 0).mean() - 0.5) < 0.1 and unsure.max() <= 0.35


def test_one_each_has_one_finding_a_row():
    table = simulator.one_each(["Edema", "Fracture"], 2, view="AP")
    assert table.Edema.tolist() == [1, 1, 0, 0] and table.Fracture.tolist() == [0, 0, 1, 1]
    assert (table.view == "AP").all()


def test_plan_places_rare_findings_on_random_rows():
    counts = {"Lung Lesion": 300, "Pleural Other": 200, "Fracture": 100}
    planned = simulator.plan(4000, seed=1, rare=counts)
    assert {name: int((planned[name] == 1).sum()) for name in counts} == counts
    assert (planned[list(chexpert.RARE)] == 1).sum(axis=1).max() == 1
    with_lesion = planned["Lung Lesion"] == 1
    devices = planned["Support Devices"] == 1
    assert abs(devices[with_lesion].mean() - devices.mean()) < 0.1, "its company gives it away"
    assert (simulator.plan(1000, rare=0.04)[list(chexpert.RARE)] == 1).sum().tolist() == [40, 40, 40]


# ---------------------------------------------------------------- folders
def test_write_makes_a_folder_that_chexpert_reads(tmp_path):
    csv = simulator.write(tmp_path / "films", 8, SIZE, views="all", twins=True, masks=True, progress=False)
    assert csv == tmp_path / "films" / "train.csv"
    assert list(pd.read_csv(csv).columns) == chexpert.COLUMNS
    frame = chexpert.read(csv, csv.parent, views="all")
    assert len(frame) == 8
    images, twins, masks, labels = simulator.sample(8, SIZE, views="all")
    film = np.asarray(Image.open(csv.parent / frame.path.iloc[2])).astype(int)
    assert film.shape == (SIZE, SIZE) and np.abs(film - images[2]).mean() < 4  # JPEG
    twin = np.asarray(Image.open((csv.parent / "twins" / frame.path.iloc[2]).with_suffix(".png")))
    assert (twin == twins[2]).all()
    for name in DRAWN:
        mask = (csv.parent / "masks" / name / frame.path.iloc[2]).with_suffix(".png")
        assert mask.exists() == (labels.attrs["truth"][name][2] > 0)
        if mask.exists():
            assert ((np.asarray(Image.open(mask)) > 0) == masks[name][2]).all()


@pytest.mark.slow
def test_a_killed_run_goes_on_and_a_finished_one_returns(tmp_path):
    root = tmp_path / "films"
    csv = simulator.write(root, 6, SIZE, progress=False)
    films = sorted(root.rglob("*.jpg"))
    whole = [film.read_bytes() for film in films]
    csv.unlink()  # as after a kill: some films, no train.csv, a half-written file
    films[3].unlink()
    half, young = (films[3].parent / f".view1.{name}.partial.jpg" for name in ("abc", "def"))
    for file in (half, young):
        file.write_bytes(b"half")
    os.utime(half, (0, 0))
    times = {film: film.stat().st_mtime_ns for film in films if film.exists()}
    assert simulator.write(root, 6, SIZE, progress=False) == csv
    assert [film.read_bytes() for film in films] == whole
    assert all(film.stat().st_mtime_ns == t for film, t in times.items()), "finished films were made again"
    assert list(root.rglob("*.partial*")) == [young], "another process may be writing what is young"
    written = csv.stat().st_mtime_ns
    simulator.write(root, 6, SIZE, progress=False)
    assert csv.stat().st_mtime_ns == written


@pytest.mark.slow
def test_two_processes_write_the_same_folder_at_once(tmp_path, monkeypatch):
    """The second starts while the first has a film half written, and ends before it."""
    root, save, seconds = tmp_path / "films", dataset.save_png, []

    def slow(path, picture):
        if not seconds:
            seconds.append(True)  # before the second starts: it saves at once
            with artifacts.atomic(path) as temporary:
                Image.fromarray(picture).save(temporary)
                seconds.append(simulator.write(root, 4, SIZE, progress=False))
        save(path, picture)

    monkeypatch.setattr(dataset, "save_png", slow)
    assert simulator.write(root, 4, SIZE, progress=False) == seconds[1] == root / "train.csv"
    assert len(list(root.rglob("*.jpg"))) == 4 and not list(root.rglob("*.partial*"))


@pytest.mark.slow
def test_write_starts_while_another_process_makes_the_same_folder(tmp_path):
    (tmp_path / ".simulation.abc.partial.json").write_text("{")
    assert simulator.write(tmp_path, 2, SIZE, progress=False).is_file()


def test_write_refuses_what_is_not_its_own(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not an empty folder"):
        simulator.write(tmp_path, 4, SIZE)
    assert os.listdir(tmp_path) == ["thesis.txt"]
    simulator.write(tmp_path / "films", 2, SIZE, progress=False)
    with pytest.raises(FileExistsError, match="seed"):
        simulator.write(tmp_path / "films", 2, SIZE, seed=1)
    settings = json.loads((tmp_path / "films" / "simulation.json").read_text())
    assert settings["seed"] == 0 and settings["size"] == SIZE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 8}, "size=8"),
        ({"size": 64.5}, "size=64.5"),
        ({"images": 0}, "0 films"),
        ({"views": "oblique"}, "oblique"),
        ({"prevalence": "half"}, "half"),
        ({"rare_boost": -1}, "rare_boost is -1"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_written(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        simulator.write(tmp_path / "films", **{"images": 4, "size": SIZE, **options})
    assert not (tmp_path / "films").exists()


def test_bad_labels_are_refused():
    with pytest.raises(ValueError, match="unknown finding"):
        simulator.sample(None, SIZE, labels=pd.DataFrame({"Broken Heart": [1.0]}))
    with pytest.raises(ValueError, match="labels must be"):
        simulator.sample(None, SIZE, labels=pd.DataFrame({"Edema": [0.5]}))
    with pytest.raises(ValueError, match="view"):
        simulator.sample(None, SIZE, labels=pd.DataFrame({"view": ["oblique"]}))
    with pytest.raises(ValueError, match="fit together"):
        simulator.plan(10, rare=0.5)


def test_the_script_reports_bad_input_in_one_line(tmp_path, monkeypatch):
    script = Path(__file__).resolve().parents[1] / "data_scripts" / "simulate_chexpert.py"
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path / "films"), "--size", "8"])
    with pytest.raises(SystemExit, match="simulate_chexpert: size=8"):
        runpy.run_path(str(script), run_name="__main__")


# ---------------------------------------------------------------- other pictures of the same patients
@pytest.mark.slow
def test_ct_slices_are_of_different_patients():
    slices, patients = simulator.ct_slices(6, 48, seed=0, slices_per_patient=2)
    assert slices.shape == (6, 48, 48) and slices.dtype == np.float32
    assert slices.min() == 0 and 0.9 < slices.max() <= 1
    assert patients.tolist() == [0, 0, 1, 1, 2, 2]
    assert np.abs(slices[0] - simulator.ct_slices(1, 48, seed=1)[0][0]).mean() > 0.02


@pytest.mark.slow
def test_organ_maps_fit_the_film(mixed):
    labels = mixed[3]
    maps = simulator.organ_map(labels[:3], SIZE)
    assert maps.shape == (3, len(simulator.ORGANS), SIZE, SIZE) and maps.min() >= 0 and maps.max() <= 1
    for view in ("lungs", "soft tissue", "ribs"):
        assert maps[:, simulator.ORGANS.index(view)].max() > 0.3
    healthy = pd.DataFrame({"No Finding": [1.0] * 4})
    films, _, _, table = simulator.sample(None, SIZE, labels=healthy, twins=False, masks=False)
    lungs = simulator.organ_map(table, SIZE)[:, 0] > 0.4
    assert films[lungs].mean() < films[:, 8:-8, 8:-8].mean() - 15, "the film is not dark where the lungs are"
