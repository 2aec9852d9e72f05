import json
import re
from pathlib import Path

import fake_films
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medgan_helpers import artifacts, chexpert, session

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def folder(tmp_path):
    """60 patients with two films each, in the CheXpert layout."""
    rng = np.random.default_rng(0)
    rows = []
    for patient in range(60):
        for study in (1, 2):
            name = f"train/patient{patient:05d}/study{study}/view1_frontal.jpg"
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True)
            Image.fromarray(rng.integers(0, 255, (40, 48), dtype=np.uint8)).save(path)
            row = dict.fromkeys(chexpert.COLUMNS) | {"Path": f"CheXpert-v1.0-small/{name}", "Sex": "Male"}
            rows.append(row | {"Age": 50, "Frontal/Lateral": "Frontal", "AP/PA": "AP", "Edema": 1.0})
    pd.DataFrame(rows).to_csv(tmp_path / "set" / "train.csv", index=False)
    return tmp_path / "set"


def test_start_says_profile_data_and_machine(capsys):
    here = session.start("03-dcgan", "smoke", seed=3)
    said = capsys.readouterr().out
    assert "Profile smoke" in said and "not for diagnosis" in said and "seed 3" in said
    assert here.profile.name == "smoke" and session.current() is here


def test_own_films_come_through_the_same_door(folder):
    session.start("01", "smoke", "folder", folder)
    films = session.films()
    size = films.store.size
    assert len(films.store) == len(films.frame) == 120 and films.store[0].shape == (size, size)
    assert not films.simulated
    patients = [set(part.patient) for part in films.splits.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 60
    assert all(len(part) >= 20 for part in films.splits.values()), "a tiny set still holds out enough"


@pytest.mark.parametrize("dataset", [name for name in session.DATASETS if name != "simulated"])
def test_every_set_says_what_it_lacks_and_masks_it(folder, dataset, capsys):
    """Edema is labelled, Fracture has no positive, the rest is blank throughout: unknown, not absent."""
    table = pd.read_csv(folder / "train.csv").assign(Fracture=0)
    table.to_csv(folder / "train.csv", index=False)
    session.start("01", "smoke", dataset, folder)
    assert session.DATASETS[dataset] in " ".join(capsys.readouterr().out.split())
    films = session.films(count=60)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= session.LINE, "a page cuts longer lines"
    said = " ".join(said.split())
    assert "without twins and masks" in said
    assert "Not labelled in these data, and masked, never counted as absent: No Finding, " in said
    assert "without a single positive film here: Fracture." in said
    targets = films.labels(films.splits["test"])
    assert (targets["Edema"] == 1).all() and (targets["Fracture"] == 0).all()
    assert targets[list(films.unlabelled)].isna().all(axis=None) and len(films.unlabelled) == 12
    assert session.official_test() is None


def test_a_broken_film_stops_or_is_skipped_by_choice(folder, monkeypatch):
    (folder / "train/patient00003/study1/view1_frontal.jpg").write_bytes(b"")
    session.start("01", "smoke", "folder", folder)
    for no in (None, "", "0", "False", "no"):
        if no is not None:
            monkeypatch.setenv("SKIP_BAD", no)
        with pytest.raises(ValueError, match=r"row 6: .*0 bytes[\s\S]*SKIP_BAD=1 for notebooks"):
            session.films()
    for yes in ("1", "true", "Yes"):
        monkeypatch.setenv("SKIP_BAD", yes)
        with pytest.warns(UserWarning, match=r"skipped:\n  row 6"):
            assert len(session.films().store) == 119
    monkeypatch.setenv("SKIP_BAD", "maybe")
    with pytest.raises(ValueError, match="SKIP_BAD is 'maybe': expected 1, true or yes"):
        session.films()


def test_the_official_test_films_stand_apart(folder):
    held_out = fake_films.folder(folder, films=4, prefix="", name="valid")
    session.start("01", "smoke", "chexpert", folder)
    films, official = session.films(), session.official_test()
    assert held_out.name == "valid.csv" and len(official) == 4
    assert official.frame.path.str.startswith("valid/").all()
    assert not set(official.frame.path) & set(films.frame.path)


def test_the_simulated_set_lacks_nothing(monkeypatch, tmp_path, capsys):
    session.start("01", "smoke")
    csv = fake_films.folder(tmp_path / "films", films=48)
    monkeypatch.setattr(session.simulator, "write", lambda *_, **__: csv)
    films = session.films()
    assert films.simulated and films.unlabelled == () and session.official_test() is None
    assert "without" not in capsys.readouterr().out


def test_a_large_set_is_cut_by_whole_patients(folder):
    session.start("01", "smoke", "folder", folder)
    films = session.films(count=50)
    assert 44 <= len(films.store) <= 56
    assert (films.frame.patient.value_counts() == 2).all()


def test_environment_variables_choose_the_data(folder, monkeypatch):
    monkeypatch.setenv("DATASET", "Folder")
    monkeypatch.setenv("DATA_ROOT", str(folder))
    monkeypatch.setenv("MEDGAN_PROFILE", "smoke")
    here = session.start("01")
    assert (here.profile.name, here.dataset, here.data_root) == ("smoke", "folder", folder)


def test_results_of_own_films_do_not_touch_those_of_the_course(folder):
    session.start("01", "smoke", "folder", folder)
    assert artifacts.folder("results").parent.name == "smoke-folder"


def test_unknown_data_set_names_the_known():
    with pytest.raises(ValueError, match=r"'mimic'.*simulated, chexpert"):
        session.start("01", "smoke", "mimic")


def test_missing_root_says_what_to_download():
    with pytest.raises(ValueError, match=r"DATA_ROOT.*Stanford"):
        session.start("01", "smoke", "chexpert")


def test_missing_and_half_written_folders_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist.*import_nih"):
        session.start("01", "smoke", "nih", tmp_path / "nowhere")
    (tmp_path / "half" / "train").mkdir(parents=True)
    session.start("01", "smoke", "nih", tmp_path / "half")
    with pytest.raises(FileNotFoundError, match=r"no train.csv"):
        session.films()


def test_minutes_are_read_from_the_recorded_ones(tmp_path, monkeypatch, capsys):
    path = tmp_path / "minutes.csv"
    path.write_text("notebook,profile,minutes,machine\n03-dcgan,smoke,1.23,2 cores\n")
    monkeypatch.setattr(session, "MINUTES", path)
    session.start("03-dcgan", "smoke")
    session.start("07-cam", "smoke")
    first, second = capsys.readouterr().out.split("Profile")[1:]
    assert "about 1.2 minutes" in first or "not timed on this kind" in first
    assert "not timed" in second


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("0[1-8]*")), ids=lambda path: path.stem)
def test_notebooks_take_the_labels_of_films_through_the_masking_door(path):
    """chexpert.labels alone reads a finding that a set does not label as absent; films.labels masks it."""
    cells = json.loads(path.read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    calls = re.findall(r"chexpert\.labels\((.{0,40})", code)
    all_labelled = r"frontal|simulated\)|chexpert\.regimen\(frontal"
    assert [call for call in calls if not re.match(all_labelled, call)] == []
