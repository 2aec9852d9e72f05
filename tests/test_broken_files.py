"""Broken tables and films: every reader says which file and row, or skips and lists, and never misreads."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from pathlib import Path

import fake_films
import fetch_chestmnist
import import_nih
import numpy as np
import pandas as pd
import prepare_chexpert
import pydicom
import pytest
import simulate_chexpert
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lib import layout
from PIL import Image
from test_importers import import_own, nih, own, pack, run, write_chestmnist, write_dicom  # noqa: F401  fixtures

from medgan_helpers import artifacts, chexpert, dcgan, images, reader_study, training
from medgan_helpers.experiments import Cell, grid, results, verdicts
from medgan_helpers.experiments import own as own_arms

fuzz = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
GOOD = "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg"


# --- tables -------------------------------------------------------------------------------------


def table(tmp_path, *rows):
    path = tmp_path / "train.csv"
    pd.DataFrame([fake_films.row(GOOD), *rows]).to_csv(path, index=False)
    return path


BAD_PATHS = [
    "../../etc/passwd",
    "/etc/passwd",
    "train/../../patient00002/study1/view1_frontal.jpg",
    "../train/patient00002/study1/view1_frontal.jpg",
    "train/patient00002/study1/../../../view1_frontal.jpg",
    "/data/train/patient00002/study1/view1_frontal.jpg",
    "C:\\data\\train\\patient00002\\study1\\view1_frontal.jpg",
    "\\\\server\\share\\train\\patient00002\\study1\\view1_frontal.jpg",
    "train/patient00002/study1/view1_frontal.jpg\n/etc/passwd",
    "train/patient00002/study1/view1_frontal.exe",
    "train/patient/study1/view1_frontal.jpg",
    "train/patient٣/study1/view1_frontal.jpg",
    "train/patient00002/study99999999999999999999/view1_frontal.jpg",
    "",
    None,
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_out_of_the_layout_are_refused_or_skipped(tmp_path, path):
    csv = table(tmp_path, fake_films.row(path))
    with pytest.raises(ValueError, match=r"train\.csv: 1 of 2 rows are bad:\n  row 1: ") as refused:
        chexpert.read(csv)
    assert "skip_bad=True" in str(refused.value)
    with pytest.warns(UserWarning, match="row 1: "):
        frame = chexpert.read(csv, skip_bad=True)
    assert frame.path.tolist() == ["train/patient00001/study1/view1_frontal.jpg"]


def test_windows_slashes_are_understood(tmp_path):
    csv = table(tmp_path, fake_films.row(GOOD.replace("00001", "00002").replace("/", "\\")))
    assert chexpert.read(csv).path[1] == "train/patient00002/study1/view1_frontal.jpg"


@pytest.mark.parametrize(
    "change, message",
    [
        ({"Fracture": 2}, "Fracture is not 1, 0, -1 or blank"),
        ({"Edema": "yes"}, "Edema is not 1, 0, -1 or blank"),
        ({"Age": "old"}, "Age is not in 0 to 130"),
        ({"Age": -4}, "Age is not in 0 to 130"),
        ({"Frontal/Lateral": "Oblique"}, "Frontal/Lateral is neither"),
        ({"AP/PA": "banana"}, "AP/PA is not AP, PA, LL, RL or blank"),
        ({"Sex": "7"}, "Sex is not Male, Female, Unknown or blank"),
        ({"Path": GOOD}, "stands in an earlier row too"),
    ],
)
def test_bad_values_are_named_with_their_row(tmp_path, change, message):
    csv = table(tmp_path, fake_films.row(GOOD.replace("00001", "00002")) | change)
    with pytest.raises(ValueError, match=rf"row 1: .*{message}"):
        chexpert.read(csv)
    with pytest.warns(UserWarning, match=message):
        assert chexpert.read(csv, skip_bad=True).index.tolist() == [0]


def test_many_bad_rows_are_counted_not_poured_out(tmp_path):
    csv = table(tmp_path, *[fake_films.row(f"nonsense{i}") for i in range(500)])
    with pytest.raises(ValueError, match=r"500 of 501 rows") as refused:
        chexpert.read(csv)
    refused.match("row 10: nonsense9")
    refused.match("and 490 more")
    assert len(str(refused.value).splitlines()) == 13


@pytest.mark.parametrize("text", ["", "\n\n", "no,table", '"open quote\n1,2', "\0\1\2", "Path,Sex\n1,2,3\n"])
def test_files_that_are_no_label_table(tmp_path, text):
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(ValueError, match=r"train\.csv"):
        chexpert.read(tmp_path / "train.csv")


def test_a_half_gzip_is_refused(tmp_path):
    csv = fake_films.folder(tmp_path, films=4)
    pd.read_csv(csv).to_csv(tmp_path / "train.csv.gz", index=False)
    whole = (tmp_path / "train.csv.gz").read_bytes()
    (tmp_path / "train.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="not a csv table"):
        chexpert.read(tmp_path / "train.csv.gz")


PACKED = {
    "half a zip": ("train.csv.zip", lambda text: pack_csv(text)[:-60]),
    "no zip": ("train.csv.zip", lambda text: text),
    "no xz": ("train.csv.xz", lambda text: text),
    "half an xz": ("train.csv.xz", lambda text: lzma.compress(text)[:-40]),
    "no tar": ("train.csv.tar", lambda text: text),
    "no bz2": ("train.csv.bz2", lambda text: b"BZh9" + text),
    "no zst": ("train.csv.zst", lambda text: text),
}


def pack_csv(text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("train.csv", text)
    return buffer.getvalue()


def two_pairs():
    films = np.stack([fake_films.noise((8, 8), seed) for seed in range(4)])
    return reader_study.make({"a": (films[:2], films[2:])}, 2)


@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_table_that_is_damaged_is_refused(tmp_path, kind):
    name, damaged = PACKED[kind]
    whole = fake_films.folder(tmp_path, films=4).read_bytes()
    (tmp_path / name).write_bytes(damaged(whole))
    with pytest.raises(ValueError, match=rf"{name} is not a csv table"):
        chexpert.read(tmp_path / name)
    test = two_pairs()
    with pytest.raises(ValueError, match=rf"{name} is not a csv table"):
        reader_study.read_answers([tmp_path / name], test)


def test_a_comma_too_many_in_each_row_is_named(own, tmp_path):  # noqa: F811
    """pandas would take the first column for the names of the rows, and every column for its neighbour."""
    csv = fake_films.folder(tmp_path / "made", films=4)
    test = two_pairs()
    reader_study.write_answers(tmp_path / "ada.csv", test, "Ada", ["left", "right"])
    boxes = tmp_path / "made" / "boxes.csv"
    boxes.write_text(f"{','.join(chexpert.BOX_COLUMNS)}\ntrain/x.png,Edema,.1,.2,.3,.4\n")
    for path, read in (
        (csv, lambda: chexpert.read(csv)),
        (own / "labels.csv", lambda: import_own(own, tmp_path / "out")),
        (tmp_path / "ada.csv", lambda: reader_study.read_answers([tmp_path / "ada.csv"], test)),
        (boxes, lambda: chexpert.read_boxes(tmp_path / "made")),
    ):
        first, *others = path.read_text().splitlines()
        path.write_text("\n".join([first, *(f"{row}," for row in others)]))
        with pytest.raises(ValueError, match=rf"{path.name} has rows with more fields than its first line"):
            read()


def test_a_missing_table_says_what_to_download(tmp_path):
    with pytest.raises(FileNotFoundError, match="Stanford AIMI"):
        chexpert.read(tmp_path / "train.csv")


@pytest.mark.slow
@fuzz
@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_clear_error(tmp_path, data):
    csv = fake_films.folder(tmp_path, films=4)
    csv.write_bytes(csv.read_bytes()[:400] + data)
    try:
        assert len(chexpert.read(csv, views="all")) <= 4
    except ValueError as error:
        assert "train.csv" in str(error)


@pytest.mark.slow
@fuzz
@given(cell=st.text(max_size=40), column=st.sampled_from(chexpert.COLUMNS))
def test_any_cell_is_kept_or_named(tmp_path, cell, column):
    csv = table(tmp_path, fake_films.row(GOOD.replace("00001", "00002")) | {column: cell})
    try:
        frame = chexpert.read(csv, views="all")
    except ValueError as error:
        assert "train.csv" in str(error)
    else:
        assert set(frame[chexpert.FINDINGS].stack().dropna()) <= {1, 0, -1}
        assert frame.path.str.fullmatch(r"train/patient\d+/study\d+/view\d+_\w+\.(jpg|jpeg|png)").all()


# --- films --------------------------------------------------------------------------------------

GREY = fake_films.noise((40, 48))


def saved(picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, **options)
    return buffer.getvalue()


def png(array, mode=None):
    return saved(Image.fromarray(array, mode) if mode else Image.fromarray(array), format="PNG")


def animated():
    frames = [Image.fromarray(fake_films.noise((40, 48), seed)) for seed in range(3)]
    return saved(frames[0], format="GIF", save_all=True, append_images=frames[1:])


def bomb():
    """A small PNG whose header promises 60,000 x 60,000 pixels."""
    data = bytearray(png(GREY))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def deep_colour():
    """A PNG of three colours of 16 bits, of which a detector filled 12; Pillow does not write such."""
    values = GREY.astype(">u2").repeat(3, 1) * 16
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", GREY.shape[1], GREY.shape[0], 16, 2, 0, 0, 0),
        b"IDAT": zlib.compress(b"".join(b"\0" + row.tobytes() for row in values)),
        b"IEND": b"",
    }
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


BROKEN = {
    "empty": (b"", "0 bytes"),
    "truncated jpeg": (saved(Image.fromarray(GREY), format="JPEG")[:600], "truncated"),
    "truncated png": (png(GREY)[:300], ""),
    "text": (b"this is no picture at all", "cannot identify image file"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\n", "cannot identify"),
    "transparent": (png(np.dstack([GREY, GREY, GREY, GREY])), "transparent"),
    "16 bit": (png(GREY.astype(np.uint16) * 16), "pixel type 'I;16'"),
    "16 bit colour": (deep_colour(), "colours of 16 bits"),
    "cmyk": (saved(Image.fromarray(GREY).convert("CMYK"), format="JPEG"), "pixel type 'CMYK'"),
    "animated": (animated(), "animated"),
    "bomb": (bomb(), "pixels"),
    "black": (png(np.zeros_like(GREY)), "all pixels have the same grey"),
    "strip": (png(np.tile(GREY, (1, 5))), "a strip, expected a film"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_films_are_named_or_skipped(tmp_path, kind):
    data, reason = BROKEN[kind]
    frame = chexpert.read(fake_films.folder(tmp_path, films=6))
    (tmp_path / frame.path[3]).write_bytes(data)
    with pytest.raises(ValueError, match="1 of 6 films") as refused:
        images.ImageStore(frame, tmp_path, 16)
    refused.match(rf"row 3: {frame.path[3]}: .*{reason}")
    with pytest.warns(UserWarning, match=r"skipped:\n  row 3: "):
        store = images.ImageStore(frame, tmp_path, 16, skip_bad=True)
    assert store.frame.index.tolist() == [0, 1, 2, 4, 5] and len(store) == 5
    np.testing.assert_array_equal(store[3], images.decode(tmp_path / frame.path[4], 16))
    assert len(store.subset(frame[2:5])) == 2
    Image.fromarray(GREY).save(tmp_path / frame.path[3])  # repaired: read anew
    assert len(images.ImageStore(frame, tmp_path, 16)) == 6


def test_harmless_modes_are_read(tmp_path):
    kinds = {
        "grey": Image.fromarray(GREY),
        "colour": Image.fromarray(np.dstack([GREY] * 3)),
        "opaque": Image.fromarray(np.dstack([GREY, GREY, GREY, np.full_like(GREY, 255)])),
        "palette": Image.fromarray(GREY).convert("P"),
    }
    for name, picture in kinds.items():
        picture.save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(images.read_film(tmp_path / f"{name}.png"), GREY)


def test_a_photograph_is_turned_upright(tmp_path):
    lying = Image.fromarray(np.rot90(GREY))
    lying.getexif()[0x0112] = 6  # turn it by a quarter, clockwise
    lying.save(tmp_path / "film.png", exif=lying.getexif())
    np.testing.assert_array_equal(images.read_film(tmp_path / "film.png"), GREY)


def test_missing_films_are_named(tmp_path):
    frame = chexpert.read(fake_films.folder(tmp_path, films=4))
    (tmp_path / frame.path[1]).unlink()
    with pytest.raises(ValueError, match=rf"row 1: {frame.path[1]}: .*No such file"):
        images.ImageStore(frame, tmp_path, 16)
    with pytest.raises(ValueError, match=rf"row 1: .*{frame.path[1]} is not in"):
        chexpert.read(tmp_path / "train.csv", root=tmp_path)


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "train/../../secret.png", "..\\secret.png"])
def test_the_store_stays_below_its_root(tmp_path, path):
    frame = chexpert.read(fake_films.folder(tmp_path / "root", films=4))
    Image.fromarray(GREY).save(tmp_path / "secret.png")
    frame.loc[2, "path"] = path
    with pytest.raises(ValueError, match="leads out of"):
        images.ImageStore(frame, tmp_path / "root", 16)


def test_more_pixels_than_any_detector_has(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", GREY.size - 1)
    write_dicom(tmp_path / "film.dcm", GREY)
    Image.fromarray(GREY).save(tmp_path / "film.png")
    Image.fromarray(GREY.astype(np.uint16)).save(tmp_path / "film16.png")
    for name in ("film.dcm", "film.png", "film16.png"):
        with pytest.raises(ValueError, match="48 x 40 pixels: too large"):
            layout.grey(tmp_path / name)


def test_no_usable_film_at_all(tmp_path):
    frame = chexpert.read(fake_films.folder(tmp_path, films=2))
    for path in frame.path:
        (tmp_path / path).write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="none of the"):
        images.ImageStore(frame, tmp_path, 16, skip_bad=True)


@pytest.mark.slow
@fuzz
@given(st.data())
def test_any_damage_to_a_film_is_decoded_or_refused(tmp_path, data):
    """Bytes of a JPEG or PNG overwritten or cut off: a film of the right form, or an error; never a crash."""
    original = bytearray(saved(Image.fromarray(GREY), format=data.draw(st.sampled_from(["JPEG", "PNG"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        original[data.draw(st.integers(0, len(original) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "film").write_bytes(original[: data.draw(st.integers(0, len(original)))])
    film = images.try_decode(tmp_path, "film", 16)
    assert film.startswith("film: ") if isinstance(film, str) else film.shape == (16, 16)


# --- importers ----------------------------------------------------------------------------------


def damage(own, column, value):  # noqa: F811
    """Change the second row of the own folder's table."""
    frame = pd.read_csv(own / "labels.csv", dtype=str)
    frame.loc[1, column] = value
    frame.to_csv(own / "labels.csv", index=False)


@pytest.mark.parametrize(
    "column, value, message",
    [
        ("Image", "../outside.png", "not a path below"),
        ("Image", "/etc/passwd", "not a path below"),
        ("Image", "C:\\films\\b.png", "not a path below"),
        ("Image", "gone.png", "is not in"),
        ("Image", "", "not a path below"),
        ("Patient", " ", "the patient is blank"),
        ("Age", "old", "age 'old', expected 0 to 130"),
        ("Sex", "7", "sex '7', expected M, F, unknown or blank"),
        ("View", "oblique", "view 'oblique', expected AP, PA or Lateral"),
        ("Frontal/Lateral", "Lateral view", "Frontal/Lateral 'Lateral view', expected Frontal, Lateral or"),
        ("Fracture", "0.5", "Fracture '0.5', expected 1, 0, -1 or blank"),
        ("Image", "a.png", "row 0 again"),
        ("Study", "1.5", "study '1.5', expected a whole number, 1 to 99999 or blank"),
    ],
)
def test_own_folder_with_a_bad_row(own, tmp_path, column, value, message):  # noqa: F811
    Image.fromarray(GREY).save(tmp_path / "outside.png")
    damage(own, column, value)
    with pytest.raises(ValueError, match=rf"row 1: .*{message}"):
        import_own(own, tmp_path / "out")
    with pytest.warns(UserWarning, match=rf"skipped:\n  row 1: .*{message}"):
        import_own(own, tmp_path / "out", "--skip-bad")
    assert len(chexpert.read(tmp_path / "out/train.csv", tmp_path / "out", views="all")) == 3


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind != "16 bit"])
def test_own_folder_with_a_broken_film(own, tmp_path, kind):  # noqa: F811
    data, reason = BROKEN[kind]
    (own / "a.png").write_bytes(data)
    with pytest.raises(ValueError, match=rf"row 0: .*a\.png: .*{reason}"):
        import_own(own, tmp_path / "out")
    with pytest.warns(UserWarning, match=r"row 0: .*a\.png"):
        import_own(own, tmp_path / "out", "--skip-bad")
    frame = chexpert.read(tmp_path / "out/train.csv", tmp_path / "out", views="all")
    assert len(frame) == 3 and len(images.ImageStore(frame, tmp_path / "out", 16)) == 3


def test_dicom_that_is_no_film(tmp_path):
    write_dicom(tmp_path / "many.dcm", np.zeros((3, 8, 8), np.uint16), frames=3)
    with pytest.raises(ValueError, match="3 frames, expected one film"):
        layout.grey(tmp_path / "many.dcm")
    write_dicom(tmp_path / "flat.dcm", np.zeros((8, 8), np.uint16))
    with pytest.raises(ValueError, match="every pixel has the value 0"):
        layout.grey(tmp_path / "flat.dcm")
    write_dicom(tmp_path / "colour.dcm", np.ones((8, 8), np.uint16), kind="RGB")
    with pytest.raises(ValueError, match="expected MONOCHROME1 or MONOCHROME2"):
        layout.grey(tmp_path / "colour.dcm")
    noise = fake_films.noise((40, 48)).astype(np.uint16)
    for tag, value in (("Columns", 480), ("BitsAllocated", 64)):
        write_dicom(tmp_path / "lies.dcm", noise)
        film = pydicom.dcmread(tmp_path / "lies.dcm")
        setattr(film, tag, value)
        film.save_as(tmp_path / "lies.dcm")
        with pytest.raises(ValueError, match=f"not those that the head promises, .*{value}"):
            layout.grey(tmp_path / "lies.dcm")
    write_dicom(tmp_path / "narrow.dcm", noise)
    film = pydicom.dcmread(tmp_path / "narrow.dcm")
    film.WindowCenter, film.WindowWidth = 100, 1
    film.save_as(tmp_path / "narrow.dcm")
    with pytest.raises(ValueError, match="two greys alone, WindowWidth is 1"):
        layout.grey(tmp_path / "narrow.dcm")
    whole = (tmp_path / "flat.dcm").read_bytes()
    (tmp_path / "half.dcm").write_bytes(whole[: len(whole) - 50])
    with pytest.raises(ValueError):
        layout.grey(tmp_path / "half.dcm")


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\x89PNG\r\n", b'Image,"Patient', b"\xff\xfe\x00"])
def test_importers_name_a_table_that_is_none(own, nih, tmp_path, data):  # noqa: F811
    (own / "labels.csv").write_bytes(data)
    with pytest.raises(ValueError, match=r"labels\.csv"):
        import_own(own, tmp_path / "out")
    (nih / "Data_Entry_2017.csv").write_bytes(data)
    with pytest.raises(ValueError, match=r"Data_Entry_2017\.csv"):
        run(import_nih, nih, tmp_path / "out")


@pytest.mark.slow
@fuzz
@given(st.data())
def test_any_damage_to_an_importers_table_is_a_clear_error(own, nih, tmp_path, data):  # noqa: F811
    """Bytes of the csv overwritten or cut off: films to write, or an error that names the file or the row."""
    script = data.draw(st.sampled_from(["folder", "nih"]))
    csv = own / "labels.csv" if script == "folder" else nih / "Data_Entry_2017.csv"
    original = whole = csv.read_bytes()
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole = whole[:place] + data.draw(st.binary(min_size=1, max_size=3)) + whole[place + 1 :]
    csv.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        if script == "folder":
            import_own(own, tmp_path / "out", "--dry-run")
        else:
            run(import_nih, nih, tmp_path / "out", "--partial", "--dry-run")
    except (ValueError, OSError) as error:
        named = ("labels.csv", "Data_Entry_2017.csv", "row", "no film to import")
        assert any(name in str(error) for name in named)
    finally:
        csv.write_bytes(original)


def damage_nih(folder, column, value):
    """Change the second row of NIH's table; leave out the film that the fixture lacks."""
    table = pd.read_csv(folder / "Data_Entry_2017.csv", dtype=str)[:3]
    table.loc[1, column] = value
    table.to_csv(folder / "Data_Entry_2017.csv", index=False)


@pytest.mark.parametrize(
    "column, value, message",
    [
        ("Image Index", "../../secret.png", "is not below the folder"),
        ("Image Index", "/etc/passwd", "is not below the folder"),
        ("Image Index", "C:\\nih\\00000001_001.png", "is not below the folder"),
        ("Image Index", "images_001\\images\\00000001_001.png", "is not below the folder"),
        ("Image Index", "00000001_000.png", "of row 0 again"),
        ("Image Index", "", "is not below the folder"),
        ("Finding Labels", "Cold", "unknown finding 'Cold'"),
        ("Patient ID", "../7", "must be whole numbers"),
        ("Follow-up #", "", "must be whole numbers"),
    ],
)
def test_nih_with_a_bad_row(nih, tmp_path, column, value, message):  # noqa: F811
    Image.fromarray(GREY).save(tmp_path / "secret.png")
    damage_nih(nih, column, value)
    with pytest.raises(ValueError, match=rf"row 1: .*{message}"):
        run(import_nih, nih, tmp_path / "out")
    with pytest.warns(UserWarning, match=rf"skipped:\n  row 1: .*{message}"):
        run(import_nih, nih, tmp_path / "out", "--skip-bad")
    assert len(chexpert.read(tmp_path / "out/train.csv", tmp_path / "out")) == 1


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind != "16 bit"])
def test_nih_with_a_broken_film(nih, tmp_path, kind):  # noqa: F811
    data, reason = BROKEN[kind]
    (nih / "images_001/images/00000001_001.png").write_bytes(data)
    with pytest.raises(ValueError, match=rf"row 1: .*00000001_001\.png: .*{reason}"):
        run(import_nih, nih, tmp_path / "out", "--partial")
    with pytest.warns(UserWarning, match=r"row 1: .*00000001_001\.png"):
        run(import_nih, nih, tmp_path / "out", "--partial", "--skip-bad")
    assert len(chexpert.read(tmp_path / "out/train.csv", tmp_path / "out")) == 1


def test_sixteen_bits_are_stretched_by_the_importers_alone(nih, tmp_path):  # noqa: F811
    """ImageStore refuses them (above): it could not know the range. An importer sees to it once."""
    film = nih / "images_001/images/00000001_001.png"
    Image.fromarray(fake_films.noise((64, 64)).astype(np.uint16) * 200).save(film)
    run(import_nih, nih, tmp_path / "out", "--partial")
    frame = chexpert.read(tmp_path / "out/train.csv", tmp_path / "out")
    assert len(images.ImageStore(frame, tmp_path / "out", 16)) == 2


@pytest.mark.parametrize("kind", ["empty", "truncated", "text", "no pictures", "16 bit", "alpha", "bomb"])
def test_a_broken_npz_is_named(tmp_path, kind, monkeypatch):
    """ChestMNIST has one file for all films: what is wrong with it is said of the file and the part."""
    write_chestmnist(tmp_path / "cache")
    file = tmp_path / "cache/chestmnist_64.npz"
    whole = file.read_bytes()
    if kind == "no pictures":
        np.savez(file, train_labels=np.zeros((6, 14), np.uint8))
    elif kind == "16 bit":
        write_chestmnist(tmp_path / "cache", train_images=np.zeros((6, 64, 64), np.uint16))
    elif kind == "alpha":
        write_chestmnist(tmp_path / "cache", train_images=np.zeros((6, 64, 64, 4), np.uint8))
    elif kind == "bomb":  # it unpacks to far more than the films there are
        monkeypatch.setattr(fetch_chestmnist, "FILMS", 5)
    else:
        file.write_bytes({"empty": b"", "truncated": whole[: len(whole) // 2], "text": b"not a zip"}[kind])
    reasons = {"bomb": "it would unpack to", "16 bit": "train: uint16", "alpha": "train: uint8"}
    with pytest.raises(ValueError, match=reasons.get(kind, r"chestmnist_64\.npz is broken")):
        run(fetch_chestmnist, tmp_path / "out", "--cache", tmp_path / "cache")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", BROKEN)
def test_prepare_finds_broken_films(tmp_path, kind):
    data, reason = BROKEN[kind]
    frame = chexpert.read(fake_films.folder(tmp_path / "made", films=6))
    (tmp_path / "made" / frame.path[3]).write_bytes(data)
    with pytest.raises(ValueError, match=rf"row 3: {frame.path[3]}: .*{reason}"):
        run(prepare_chexpert, tmp_path / "made")
    with pytest.warns(UserWarning, match=rf"skipped:\n  row 3: {frame.path[3]}"):
        run(prepare_chexpert, tmp_path / "made", "--skip-bad")


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\5\6"])
def test_prepare_refuses_what_is_no_archive(tmp_path, data):
    (tmp_path / "archive.zip").write_bytes(data)
    with pytest.raises(ValueError, match=r"archive\.zip is no whole zip archive"):
        run(prepare_chexpert, tmp_path / "archive.zip", "--to", tmp_path / "out")


@pytest.mark.parametrize("path", ["../../etc/passwd", "C:\\films\\b.jpg", GOOD])
def test_prepare_reads_the_table_as_everybody_does(tmp_path, path):
    csv = fake_films.folder(tmp_path / "made", films=6)
    table = pd.read_csv(csv)
    table.loc[3, "Path"] = path
    table.to_csv(csv, index=False)
    with pytest.raises(ValueError, match=r"train\.csv: 1 of 6 rows are bad:\n  row 3: "):
        run(prepare_chexpert, pack(tmp_path / "made", tmp_path / "a.zip"), "--to", tmp_path / "out")
    with pytest.warns(UserWarning, match="row 3: "):
        run(prepare_chexpert, tmp_path / "out", "--skip-bad")


def test_prepare_leaves_another_data_set_as_it_is(tmp_path):
    """Of a table every byte counts: one of the same length is another's, too."""
    fake_films.folder(tmp_path / "made", films=3)
    archive = pack(tmp_path / "made", tmp_path / "a.zip")
    for number, change in enumerate((lambda text: text * 2, lambda text: text.replace("Female", "female"))):
        there = fake_films.folder(tmp_path / f"there{number}", films=3)
        there.write_text(change(there.read_text()))
        before = there.read_bytes()
        with pytest.raises(FileExistsError, match=r"train\.csv is another file than the archive's"):
            run(prepare_chexpert, archive, "--to", there.parent)
        assert there.read_bytes() == before


@pytest.mark.parametrize(
    "line, name", [("mine,1,1.2,82,,,me,2026", "share_of_peak"), ("mine,,1,,,8,me,2026", "count")]
)
def test_a_machine_with_a_blank_is_named(tmp_path, monkeypatch, line, name):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "studies")
    import cost

    table = tmp_path / "machines.csv"
    table.write_text(cost.MACHINES.read_text())
    assert len(cost.machines(table)) == 3
    table.write_text(f"{cost.MACHINES.read_text()}{line}\n")
    with pytest.raises(ValueError, match=rf"machines\.csv, row 3: {name} is nan"):
        cost.machines(table)


# --- trained models ------------------------------------------------------------------------------

CPU = {"image_size": 32, "width": 4, "device": "cpu", "precision": "fp32"}
NESTED = "[" * 200_000


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (r'"tree": \{.*\}', '"tree": null}'),
        ('"channels_last": false', '"channels_last": true'),
        (".+", NESTED),
    ],
)
def test_a_damaged_checkpoint_is_named_and_stays(tmp_path, found, put):
    films = [images.signed_batch(np.stack([fake_films.noise((32, 32), seed) for seed in range(4)]))]
    training.fit(dcgan.DCGAN(**CPU), films, 1, checkpoint=tmp_path)
    note = tmp_path / "checkpoint.json"
    note.write_text(re.sub(found, put, note.read_text(), count=1, flags=re.DOTALL))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=r"the checkpoint in .* is damaged .*: remove it and train again"):
        training.fit(dcgan.DCGAN(**CPU), films, 2, checkpoint=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("width", [1000, 3000])
def test_a_card_that_asks_for_gigabytes_is_named(tmp_path, width):
    training.save(dcgan.DCGAN(**CPU), tmp_path, {})
    card = tmp_path / "card.json"
    card.write_text(card.read_text().replace('"width": 4', f'"width": {width}'))
    with pytest.raises(ValueError, match=r"makes no DCGAN: it would have more than .* parameters"):
        training.load(dcgan.DCGAN, tmp_path, device="cpu")
    card.write_text(NESTED)
    with pytest.raises(ValueError, match=r"card\.json is not the card of a trained model"):
        training.load(dcgan.DCGAN, tmp_path, device="cpu")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("cores", "kerne", "has no column 'cores'"), (",", ";", "separated by semicolons")],
)
def test_a_table_of_machines_in_another_form_is_named(tmp_path, monkeypatch, old, new, words):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "studies")
    import cost

    table = tmp_path / "machines.csv"
    table.write_text(cost.MACHINES.read_text().replace(old, new))
    with pytest.raises(ValueError, match=rf"machines\.csv.* {words}"):
        cost.machines(table)


@pytest.mark.parametrize("option", ["--patient-pattern=.*", "--one-patient-a-file"])
def test_a_patient_a_film_is_said(own, tmp_path, capsys, option):  # noqa: F811
    import_own(own, tmp_path / "out", option)
    assert "Every film counts as a patient of its own" in capsys.readouterr().out


# --- what an experiment has written ---------------------------------------------------------------


@pytest.fixture
def finished(tmp_path):
    """A grid of one cell, with its test scores."""
    artifacts.activate("smoke")
    cell, path = Cell.complete({"arm": "none"}), tmp_path / "grid.csv"
    scores = dict.fromkeys(("train", "valid", *verdicts.COLUMNS), 0.5)
    artifacts.write_csv(path, [{**vars(cell), **scores}])
    labels = np.random.default_rng(0).integers(0, 2, (40, 14)).astype(float)
    results.write_scores(cell, path, labels, labels + 0.1, np.arange(40))
    assert len(verdicts.read(path)) == 1
    return path


@pytest.mark.parametrize("kept", [0, 200])
def test_test_scores_that_are_cut_are_named(finished, kept):
    (scores,) = finished.with_suffix("").glob("*.npz")
    scores.write_bytes(scores.read_bytes()[:kept])
    with pytest.raises(ValueError, match=rf"{scores.name} is damaged .*run the cell again"):
        verdicts.read(finished)


def test_a_grid_whose_last_line_is_cut_is_named(finished):
    text = finished.read_text()
    finished.write_text(text + "1.0,non")
    with pytest.raises(ValueError, match=r"grid\.csv, row 1 is no cell .*remove that line"):
        grid.finished(finished)
    finished.write_text(text.rstrip().removesuffix(",0.5"))
    with pytest.raises(ValueError, match=r"grid\.csv: none, seed 0, has a blank score"):
        verdicts.read(finished)


def test_a_count_of_looks_that_is_lost_is_named():
    artifacts.activate("smoke")

    class Set:
        splits = store = None
        frame = pd.DataFrame({"path": ["a"]})

    assert own_arms.looks(Set()) == 1
    (note,) = artifacts.folder("results").glob("looks-*.json")
    note.write_text("")
    with pytest.raises(ValueError, match="holds no number: write there how often"):
        own_arms.looks(Set())


def test_an_import_whose_sources_are_lost_is_named(own, tmp_path):  # noqa: F811
    (tmp_path / "out").mkdir()
    (tmp_path / "out/sources.csv").write_text("")
    with pytest.raises(ValueError, match=r"sources\.csv is not a csv table"):
        import_own(own, tmp_path / "out")


def test_a_simulation_whose_note_is_lost_is_named(tmp_path, monkeypatch):
    (tmp_path / "simulation.json").write_text("")
    monkeypatch.setattr("sys.argv", ["simulate_chexpert.py", str(tmp_path), "--images", "2", "--size", "32"])
    with pytest.raises(SystemExit, match=r"simulation\.json in .* is damaged"):
        simulate_chexpert.main()
