"""The shipped real films: whole, traceable, patient-disjoint; and what is said when they are not."""

import hashlib
import io
import json
import shutil
import sys
import zipfile
from pathlib import Path

import fake_films
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medgan_helpers import artifacts, chexpert, images, real_films, session

SCRIPTS = Path(__file__).resolve().parents[1] / "data_scripts"
import import_folder  # noqa: E402
import rebuild_real_films as rebuild  # noqa: E402

LIMIT = 12_000_000  # bytes of the whole asset
NIH_ROW = dict(
    zip(rebuild.NIH_COLUMNS, ("00000003_002.png", "Mass|Effusion", "3", "44", "F", "PA"), strict=True)
)


@pytest.fixture(autouse=True)
def build(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDGAN_BUILD", str(tmp_path / "build"))
    for name in ("DATASET", "DATA_ROOT", "MEDGAN_CACHE", "MEDGAN_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    artifacts.activate("smoke")
    yield
    artifacts.activate("smoke")


@pytest.fixture
def asset(tmp_path):
    """A copy of the asset that may be spoilt."""
    return Path(shutil.copytree(real_films.ASSET, tmp_path / "asset"))


# --- what is shipped -----------------------------------------------------------------------------


def test_every_film_is_the_one_that_its_row_describes():
    rows = real_films.table()
    with zipfile.ZipFile(real_films.ASSET / real_films.FILMS) as file:
        assert len(file.namelist()) == len(rows) == 1194
        for row in rows.to_dict("records"):
            data = file.read(Path(row["Image Index"]).stem + ".jpg")
            assert hashlib.sha256(data).hexdigest() == row["sha256"]
    with Image.open(io.BytesIO(data)) as film:
        assert film.size == (real_films.SIDE, real_films.SIDE) and film.mode == "L"


def test_the_card_names_licence_duties_and_what_the_sample_is_not():
    card = real_films.card()
    text = json.dumps(card)
    assert len(card["duties"]) == 3
    source = ("nihcc.app.box.com", "ChestX-ray8", "acknowledge the NIH Clinical Center")
    for words in (*source, "not for diagnosis", "picked on purpose", "90 %"):
        assert words in text, words
    rows = real_films.table()
    assert card["films"] == len(rows) and card["patients"] == rows["Patient ID"].nunique() == 961
    assert card["films_with_label"]["Pneumonia"] == rows["Pneumonia"].sum() == 377
    notice = (SCRIPTS.parent / "NOTICE").read_text()
    for words in ("nihcc.app.box.com", "ChestX-ray8", "NIH Clinical Center"):
        assert words in notice, words


def test_the_asset_is_small():
    assert sum(path.stat().st_size for path in real_films.ASSET.iterdir()) < LIMIT


# --- the door --------------------------------------------------------------------------------------


def test_real_films_come_as_table_pixels_and_parts():
    films = session.real_films(size=32)
    assert len(films.frame) == len(films.store) == 1194 and films.store[0].shape == (32, 32)
    assert {"path", "patient", "study", "view", "sex", "age", *chexpert.FINDINGS} <= set(films.frame)
    patients = [set(part.patient) for part in films.splits.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 961
    assert sum(map(len, films.splits.values())) == 1194
    assert set(films.frame["view"]) == {"AP", "PA"}


def test_what_nih_does_not_label_is_unknown():
    films = session.real_films(size=32)
    assert films.unlabelled == ("Enlarged Cardiomediastinum", "Fracture", "Support Devices")
    assert films.frame[list(films.unlabelled)].isna().all(axis=None)
    assert films.labels()[list(films.unlabelled)].isna().all(axis=None)
    known = films.labels().drop(columns=list(films.unlabelled))
    assert known.notna().all(axis=None) and known["Lung Lesion"].sum() == 124


def test_the_course_runs_on_them_when_asked_for_nih(capsys):
    here = session.start("01", "smoke", "nih", seed=5)
    films = session.films()
    said = capsys.readouterr().out
    assert "Not labelled in these data" in said and not films.simulated
    whole = session.real_films(here.profile.image_size)
    assert len(films.frame) == pytest.approx(here.profile.films, abs=12)
    for name, part in films.splits.items():
        assert len(part) and set(part.path) <= set(whole.splits[name].path), (
            "the parts do not depend on the seed"
        )
    assert set(chexpert.read_boxes(here.data_root).finding) <= set(chexpert.FINDINGS)
    assert session.official_test() is None


def test_a_folder_of_their_own_still_wins(tmp_path):
    fake_films.folder(tmp_path / "own", films=60)
    session.start("01", "smoke", "nih", tmp_path / "own")
    assert len(session.films().frame) == 60


@pytest.mark.parametrize("size", (4, 512))
def test_a_size_that_the_films_do_not_have_is_refused(size):
    with pytest.raises((TypeError, ValueError), match=r"expected .*8 to 256"):
        session.real_films(size)


def test_the_folder_is_made_once_and_never_half():
    first = real_films.unpack()
    assert real_films.unpack() == first
    assert [path.name for path in first.parent.iterdir()] == [first.name], "nothing temporary is left"


def test_a_killed_first_unpacking_leaves_nothing(monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(real_films, "_write", killed)
        real_films.unpack()
    assert list(artifacts.folder("data").iterdir()) == []
    assert (real_films.unpack() / "train.csv").is_file()


# --- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", (real_films.FILMS, real_films.TABLE, real_films.BOXES, real_films.CARD))
def test_a_missing_file_is_named(asset, name):
    (asset / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"incomplete: no {name} in .*rebuild the films from NIH's"):
        real_films.unpack(asset)


@pytest.mark.parametrize("name", (real_films.FILMS, real_films.TABLE, real_films.BOXES))
def test_an_altered_file_is_named(asset, name):
    data = bytearray((asset / name).read_bytes())
    data[len(data) // 2] ^= 1
    (asset / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"{name} was altered: its SHA-256 begins with"):
        real_films.unpack(asset)


@pytest.mark.parametrize("text", ("not json", "[]", "{}"))
def test_a_card_that_is_no_card_is_named(asset, text):
    (asset / real_films.CARD).write_text(text)
    with pytest.raises(ValueError, match="is not the card of the real films"):
        real_films.unpack(asset)


# --- rebuilding them -------------------------------------------------------------------------------


def rebuilt(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["rebuild_real_films.py", *map(str, arguments)])
    rebuild.main()


@pytest.fixture
def originals(tmp_path):
    """Three made-up originals of 1024 px in subfolders, with NIH's rows and one box."""
    folder = tmp_path / "originals"
    names = ("00000003_002.png", "00000003_005.png", "00000008_000.png")
    for number, name in enumerate(names):
        path = folder / f"images_00{number}" / "images" / name
        path.parent.mkdir(parents=True)
        Image.fromarray(fake_films.noise((1024, 1024), number)).save(path, compress_level=1)
    rows = [NIH_ROW | {"Image Index": name, "Patient ID": str(int(name[:8]))} for name in names]
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)
    box = dict(zip(rebuild.BOX_COLUMNS, (names[0], "Mass", 512, 256, 256, 128), strict=True))
    pd.DataFrame([box]).to_csv(folder / "boxes.csv", index=False)
    return folder


def test_the_films_are_rebuilt_from_originals(originals, tmp_path, monkeypatch, capsys):
    given = ("--labels", originals / "labels.csv", "--boxes", originals / "boxes.csv")
    rebuilt(monkeypatch, originals, tmp_path / "made", *given)
    said = capsys.readouterr().out
    assert "3 films of 2 patients" in said and "0 of 3 films have the bytes" in said
    root = real_films.unpack(tmp_path / "made")
    frame = chexpert.read(root / "train.csv", root)
    assert frame.patient.tolist() == ["patient00003", "patient00003", "patient00008"]
    assert (frame[["Lung Lesion", "Pleural Effusion"]] == 1).all(axis=None)
    assert chexpert.read_boxes(root).iloc[0].tolist() == [
        frame.path[0],
        "Lung Lesion",
        0.5,
        0.25,
        0.25,
        0.125,
    ]
    with Image.open(originals / "images_000/images/00000003_002.png") as original:
        small = original.resize((64, 64), Image.Resampling.BICUBIC)
    apart = np.abs(images.decode(root / frame.path[0], 64).astype(float) - np.asarray(small, dtype=float))
    assert apart.mean() < 2, "the same picture, but for JPEG"


def test_the_asset_rebuilds_itself_byte_for_byte(tmp_path, monkeypatch, capsys):
    with zipfile.ZipFile(real_films.ASSET / real_films.FILMS) as file:
        file.extractall(tmp_path / "films")
    rebuilt(monkeypatch, tmp_path / "films", tmp_path / "made")
    assert "1194 of 1194 films have the bytes" in capsys.readouterr().out
    for name in (real_films.FILMS, real_films.TABLE, real_films.BOXES, real_films.CARD):
        assert (tmp_path / "made" / name).read_bytes() == (real_films.ASSET / name).read_bytes(), name


def test_a_folder_with_only_some_of_the_originals_lists_the_missing(originals, tmp_path, monkeypatch):
    with pytest.raises(
        FileNotFoundError, match=r"1194 of the 1194 originals are not below .*00000\d+_\d+.*NIH"
    ):
        rebuilt(monkeypatch, originals, tmp_path / "made")
    (originals / "images_001/images/00000003_005.png").unlink()
    given = ("--labels", originals / "labels.csv", "--boxes", originals / "boxes.csv")
    with pytest.raises(
        FileNotFoundError, match=r"1 of the 3 originals are not below .*: 00000003_005.png\. "
    ):
        rebuilt(monkeypatch, originals, tmp_path / "made", *given)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("Finding Labels", "Mass|Pneumonitis", r"00000003_002.png: unknown finding 'Pneumonitis'; NIH's are"),
        ("Image Index", "film7.png", r"'film7.png' is no image index of patient '3'"),
        ("Patient ID", "4", r"is no image index of patient '4'"),
        ("Patient Age", "old", r"00000003_002.png: Patient Age is 'old', expected whole years"),
        ("View Position", "LL", r"00000003_002.png: View Position is 'LL', expected AP or PA"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(originals, tmp_path, monkeypatch, column, value, words):
    pd.DataFrame([NIH_ROW | {column: value}]).to_csv(originals / "labels.csv", index=False)
    with pytest.raises(ValueError, match=words):
        rebuilt(monkeypatch, originals, tmp_path / "made", "--labels", originals / "labels.csv")


def test_other_tables_are_refused_by_name(originals, tmp_path, monkeypatch):
    (originals / "labels.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"labels.csv lacks the columns .*Image Index"):
        rebuilt(monkeypatch, originals, tmp_path / "made", "--labels", originals / "labels.csv")
    with pytest.raises(FileNotFoundError, match=r"no table of labels at .*none.csv"):
        rebuilt(monkeypatch, originals, tmp_path / "made", "--labels", originals / "none.csv")
    pd.DataFrame([NIH_ROW, NIH_ROW]).to_csv(originals / "labels.csv", index=False)
    with pytest.raises(ValueError, match=r"00000003_002.png stands in it twice"):
        rebuilt(monkeypatch, originals, tmp_path / "made", "--labels", originals / "labels.csv")


def test_boxes_with_unknown_names_or_no_numbers_are_refused(originals, tmp_path, monkeypatch):
    given = ("--labels", originals / "labels.csv", "--boxes", originals / "boxes.csv")
    table = pd.read_csv(originals / "boxes.csv")
    table.assign(**{"Finding Label": "Lump"}).to_csv(originals / "boxes.csv", index=False)
    with pytest.raises(ValueError, match="unknown finding 'Lump'"):
        rebuilt(monkeypatch, originals, tmp_path / "made", *given)
    table.assign(x="left").to_csv(originals / "boxes.csv", index=False)
    with pytest.raises(ValueError, match=r"boxes.csv, row 0: expected four numbers"):
        rebuilt(monkeypatch, originals, tmp_path / "made", *given)


def test_a_film_of_another_size_is_refused(originals, tmp_path, monkeypatch):
    Image.fromarray(fake_films.noise((500, 400))).save(originals / "images_001/images/00000003_005.png")
    given = ("--labels", originals / "labels.csv", "--boxes", originals / "boxes.csv")
    with pytest.raises(ValueError, match=r"00000003_005.png is 400 x 500 px: NIH's originals are 1024"):
        rebuilt(monkeypatch, originals, tmp_path / "made", *given)


# --- a real DICOM film -----------------------------------------------------------------------------


def test_a_real_dicom_radiograph_comes_through_the_importer(tmp_path, monkeypatch):
    """A computed radiograph, bones dark (MONOCHROME1), that pydicom itself carries: nothing is downloaded."""
    data = pytest.importorskip("pydicom.data")
    file = Path(data.__file__).parent / "test_files/dicomdirtests/77654033/CR1/6154"
    folder = tmp_path / "films"
    folder.mkdir()
    shutil.copy(file, folder / "film.dcm")
    (folder / "labels.csv").write_text("file,patient,view,Fracture\nfilm.dcm,a,AP,0\n")
    arguments = ["import_folder.py", folder, folder / "labels.csv", tmp_path / "made"]
    monkeypatch.setattr(sys, "argv", list(map(str, arguments)))
    import_folder.main()
    frame = chexpert.read(tmp_path / "made" / "train.csv", tmp_path / "made")
    film = np.asarray(images.read_film(tmp_path / "made" / frame.path[0]), dtype=float)
    import pydicom

    values = pydicom.dcmread(file).pixel_array.astype(float)
    assert film.shape == values.shape
    assert np.corrcoef(film.ravel(), values.ravel())[0, 1] < -0.9, (
        "MONOCHROME1 is turned: bone becomes bright"
    )
