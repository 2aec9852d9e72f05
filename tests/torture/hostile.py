"""Hostile files: each is refused in one sentence or read as what it is; nothing is written or read elsewhere.

Every case runs in a process of its own with ADDRESS_SPACE of memory: a bomb that unpacks fails there.
"""

import gzip
import json
import os
import resource
import struct
import zipfile
import zlib
from functools import partial
from pathlib import Path

import fake_films
import numpy as np
import pandas as pd
import test_importers
from PIL import Image

from medgan_helpers import artifacts, chexpert, dcgan, experiments, images, reader_study, training
from medgan_helpers.training import checkpoints

from . import Count
from .processes import Process

ADDRESS_SPACE = 3 << 30  # bytes more than the process has when a case begins
SECONDS = 900
FOREIGN = {  # labels in other languages, as tables of the world hold them
    "Chinese": "图像,患者,骨折\na.png,张伟,1\n",
    "German": "Bild,Patient,Größe\na.png,Jürgen,1\n",
    "Arabic": "صورة,مريض,كسر\na.png,علي,1\n",
}
HTML = '<img src=x onerror="alert(1)">'


def png(width, height, data=b"x"):
    """A PNG that claims to be of this size."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def safetensors(head, data=b"", length=None):
    """A weights file with this header, which may lie about its own length."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(**facts):
    """What a header says about a tensor of one number; `facts` may lie."""
    return {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | facts


WEIGHTS = {  # what lies in it: the file
    "a header of 2^60 bytes": safetensors(b"{}", length=1 << 60),
    "a header that is no JSON": safetensors(b"junk" * 9),
    "a tensor beyond the end": safetensors({"a": tensor(shape=[9], data_offsets=[0, 36])}),
    "a shape of 2^40 numbers": safetensors({"a": tensor(shape=[1 << 40])}, bytes(4)),
    "a negative offset": safetensors({"a": tensor(data_offsets=[-4, 0])}, bytes(4)),
    "an unknown type": safetensors({"a": tensor(dtype="PICKLE")}, bytes(4)),
    "two tensors in one place": safetensors({"a": tensor(), "b": tensor()}, bytes(4)),
    "nothing": b"",
    "a pickle": b"\x80\x04cos\nsystem\n(S'echo pwned > pwned'\ntR.",
}  # fmt: skip


# --- what is to be refused: {case: function(folder)} -------------------------------------------------


def film(data, folder, name="a.png"):
    (folder / name).write_bytes(data)
    images.decode(folder / name, 64)


def import_film(data, name, folder):
    """The file through import_folder.py, as the only film of a csv."""
    (folder / "in").mkdir()
    (folder / "in" / name).write_bytes(data)
    import_table(f"file,patient,Fracture\n{name},A,1\n".encode(), folder)


def import_table(text, folder):
    import import_folder

    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / "labels.csv").write_bytes(text)
    test_importers.run(import_folder, folder / "in", folder / "in" / "labels.csv", folder / "out")


def unpack(names, folder, size=10):
    """prepare_chexpert.py on an archive whose files have these names."""
    import prepare_chexpert

    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.writestr(name, bytes(size))
    test_importers.run(prepare_chexpert, folder / "a.zip", "--to", folder / "out")


def lying_archive(folder):
    """An archive that unpacks to 1 GB and says 10 bytes."""
    import prepare_chexpert

    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("train.csv", bytes(1 << 30))
    raw = (folder / "a.zip").read_bytes().replace(struct.pack("<I", 1 << 30), struct.pack("<I", 10))
    (folder / "a.zip").write_bytes(raw)
    test_importers.run(prepare_chexpert, folder / "a.zip", "--to", folder / "out")


def gzip_bomb(folder):
    """A label table of 3 MB that unpacks to 3 GB of zeros."""
    with gzip.open(folder / "train.csv.gz", "wb", compresslevel=1) as file:
        for _ in range(96):
            file.write(bytes(1 << 25))
    chexpert.read(folder / "train.csv.gz")


def table(column, value, folder):
    """A label table with one bad cell."""
    csv = fake_films.folder(folder, films=4)
    rows = pd.read_csv(csv)
    rows[column] = rows[column].astype(object)
    rows.loc[2, column] = value
    rows.to_csv(csv, index=False)
    chexpert.read(csv, root=folder)


def boxes(path, folder):
    fake_films.folder(folder, films=4)
    (folder / "boxes.csv").write_text(f"path,finding,x,y,width,height\n{path},Fracture,0,0,much,1\n")
    chexpert.read_boxes(folder)


def store(path, folder):
    images.ImageStore(pd.DataFrame({"path": [path]}), folder, 64)


def other_scores(folder):
    os.environ["MEDGAN_BUILD"] = str(folder)
    write(artifacts.folder("results") / "scores.csv", b"not,a,score\n1,2,3\n")
    artifacts.record("a", 1.0)


def other_grid(data, folder):
    write(folder / "grid.csv", data)
    experiments.run([{"arm": "none"}], folder / "grid.csv")


def checkpoint(data, folder):
    """A checkpoint whose weights file is this."""
    checkpoints.write(folder / "model", {"step": 1, "state": {}})
    next((folder / "model").glob("*.safetensors")).write_bytes(data)
    leaf = {"tensor": "a", "channels_last": False}
    head = {"weights": "step-00000001.safetensors", "tree": {"items": [["a", leaf]]}}
    artifacts.write_json(folder / "model" / "checkpoint.json", head)
    checkpoints.read(folder / "model")


def checkpoint_elsewhere(name, folder):
    (folder / "secret.safetensors").write_bytes(safetensors({}))
    artifacts.write_json(folder / "model" / "checkpoint.json", {"weights": name, "tree": {"items": []}})
    checkpoints.read(folder / "model")


def shipped(data, folder):
    """A model whose card describes a hostile weights file truly."""
    save(folder)
    (folder / "weights.safetensors").write_bytes(data)
    card(folder, sha256=checkpoints.sha256_of(folder / "weights.safetensors"))
    training.load(dcgan.DCGAN, folder, device="cpu")


def hostile_card(folder, **facts):
    save(folder)
    card(folder, **facts)
    training.load(dcgan.DCGAN, folder, device="cpu")


def save(folder):
    training.save(dcgan.DCGAN(32, 4, device="cpu"), folder, {})


def card(folder, **facts):
    file = folder / "card.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | facts))


def dicom(folder, cut=None, **options):
    pixels = fake_films.noise((60, 80)).astype(np.uint16) * 16
    test_importers.write_dicom(folder / "whole.dcm", pixels, **options)
    import_film((folder / "whole.dcm").read_bytes()[:cut], "a.dcm", folder)


def saved(mode, kind, folder):
    """The bytes of a film saved by PIL in this mode."""
    Image.fromarray(fake_films.noise((60, 80))).convert(mode).save(folder / f"whole.{kind}")
    return (folder / f"whole.{kind}").read_bytes()


REFUSED = {
    "a PNG of 100,000 x 100,000": partial(film, png(100_000, 100_000)),
    "a PNG of 2^31 x 1": partial(film, png(2**31 - 1, 1)),
    "a PNG of nought pixels": partial(film, png(0, 0)),
    "a PNG whose pixels lack": partial(film, png(900, 900)),
    "half a PNG": lambda folder: film(saved("L", "png", folder)[:400], folder),
    "half a JPEG": lambda folder: film(saved("L", "jpg", folder)[:600], folder),
    "a JPEG of its head alone": partial(film, b"\xff\xd8\xff\xe0"),
    "HTML named a.png": partial(film, HTML.encode()),
    "16 bits in a store": lambda folder: film(saved("I;16", "png", folder), folder),
    "colours of print (CMYK)": lambda folder: film(saved("CMYK", "jpg", folder), folder),
    "half a DICOM": partial(dicom, cut=900),
    "a DICOM without pixels": partial(dicom, cut=300),
    "a DICOM of three frames": lambda folder: dicom(folder, frames=3),
    "a DICOM in colour": partial(dicom, kind="RGB"),
    "an import out of its folder": partial(import_table, b"file,patient,Fracture\n../../../etc/passwd,A,1\n"),
    "an import of an absolute path": partial(import_table, b"file,patient,Fracture\n/etc/passwd,A,1\n"),
    "an import of a Windows drive": partial(import_table, b"file,patient,Fracture\nC:\\a.png,A,1\n"),
    "an import of a giant": partial(import_film, png(100_000, 100_000), "a.png"),
    "a table in UTF-16": partial(import_table, "file,patient,Fracture\na,A,1\n".encode("utf-16")),
    "an archive that leads out": partial(unpack, ["../../evil.txt"]),
    "an archive with an absolute path": partial(unpack, [str(Path("/evil").absolute())]),
    "an archive without a table": partial(unpack, ["readme.txt"]),
    "an archive that lies about its size": lying_archive,
    "a table that unpacks to 3 GB": gzip_bomb,
    "a label of another language": partial(table, "Fracture", "ja"),
    "a label of full-width digits": partial(table, "Fracture", "２"),
    "an age of infinity": partial(table, "Age", "inf"),
    "a path that is HTML": partial(table, "Path", HTML),
    "a film that is not there": partial(table, "Path", "train/patient77777/study1/view1_frontal.jpg"),
    "boxes of words": partial(boxes, "a"),
    "a store's path out of its root": partial(store, "../../etc/passwd"),
    "boxes that are no text": lambda folder: (write(folder / "boxes.csv", b"\0\0\xff\xfe"),
                                              chexpert.read_boxes(folder)),
    "scores that are another table": other_scores,
    "a grid that is no text": partial(other_grid, b"\xff\xfe\0\0junk"),
    "an empty grid": partial(other_grid, b""),
    "a checkpoint naming a file above": partial(checkpoint_elsewhere, "../secret.safetensors"),
    "a checkpoint naming an absolute file": lambda folder: checkpoint_elsewhere(
        str(folder / "secret.safetensors"), folder
    ),
    "a checkpoint naming a number": partial(checkpoint_elsewhere, 7),
    "a card that is a list": lambda folder: (save(folder), (folder / "card.json").write_text("[]"),
                                             training.load(dcgan.DCGAN, folder)),
    "a card with an unknown setting": partial(hostile_card, config={"weights": "/etc/passwd"}),
    "a card whose settings are a text": partial(hostile_card, config="../../x"),
    "a card of a network of 10^9 channels": partial(hostile_card, config={"width": 10**9}),
    **{f"a table in {language}": partial(import_table, text.encode()) for language, text in FOREIGN.items()},
    **{f"a checkpoint with {what}": partial(checkpoint, data) for what, data in WEIGHTS.items()},
    **{f"shipped weights with {what}": partial(shipped, data) for what, data in WEIGHTS.items()},
}  # fmt: skip


# --- what is to be read as what it is: {case: function(folder)}, which asserts ------------------------


def palette(folder):
    whole, few = saved("L", "png", folder), saved("P", "png", folder)
    grey = [np.asarray(images.read_film(write(folder / name, data))).astype(int)
            for name, data in (("a.png", whole), ("b.png", few))]  # fmt: skip
    assert np.abs(grey[0] - grey[1]).max() <= 1


def inverted(folder):
    from lib import layout

    pixels = fake_films.noise((60, 80)).astype(np.uint16) * 16
    test_importers.write_dicom(folder / "2.dcm", pixels)
    test_importers.write_dicom(folder / "1.dcm", 4095 - pixels, "MONOCHROME1")
    one, two = (np.asarray(layout.grey(folder / name)).astype(int) for name in ("1.dcm", "2.dcm"))
    assert np.abs(one - two).max() <= 1


def html_name(folder):
    """A film, a patient and a csv full of HTML: they become numbers, and no file is named after them."""
    name = HTML.replace("/", "")
    import_film(saved("L", "png", folder), name, folder)
    made = [file.name for file in (folder / "out").rglob("*") if file.is_file()]
    assert sorted(made) == ["sources.csv", "train.csv", "view1_frontal.png"]
    assert HTML not in (folder / "out" / "train.csv").read_text()


def other_letters(folder):
    """Names of films and patients in any letters, with a byte-order mark, are the user's own."""
    (folder / "in").mkdir()
    write(folder / "in" / "胸部.png", saved("L", "png", folder))
    import_table("\ufefffile,patient,Fracture\n胸部.png,Ælfgifu Łódź,1\n".encode(), folder)
    assert len(chexpert.read(folder / "out" / "train.csv", root=folder / "out")) == 1


def html_in_pages(folder):
    """Names of scores and sources are text in pages: of the scoreboard, of the blinded test."""
    import scoreboard

    row = dict(zip(artifacts.SCORE_COLUMNS, [HTML, "1", "", "", "", HTML, HTML], strict=True))
    pd.DataFrame([row]).to_csv(folder / "scores.csv", index=False)
    assert "<img" not in "".join(scoreboard.pages(folder / "scores.csv"))
    grey = np.zeros((4, 32, 32), np.uint8)
    form = reader_study.form(reader_study.make({HTML + "</script>": (grey, grey + 1)}))
    assert HTML not in form and form.count("</script>") == 1


def damaged_cache(folder):
    """A store's map of another length is made again."""
    os.environ["MEDGAN_CACHE"] = str(folder / "cache")
    frame = chexpert.read(fake_films.folder(folder, films=4))
    first = images.ImageStore(frame, folder, 32)[:]
    next((folder / "cache").glob("*.u8")).write_bytes(b"x")
    assert np.array_equal(images.ImageStore(frame, folder, 32)[:], first)


def many_rows(folder):
    """A label table of a million rows is read in the memory that a case has."""
    csv = fake_films.folder(folder, films=1)
    head, line = csv.read_text().splitlines()
    with open(csv, "w") as file:
        file.write(head + "\n")
        file.writelines(line.replace("00001", f"{n:07d}") + "\n" for n in range(1_000_000))
    assert len(chexpert.read(csv, views="all")) == 1_000_000


def write(path, data):
    path.write_bytes(data)
    return path


READ = {
    "a palette": palette,
    "MONOCHROME1 (bone dark)": inverted,
    "16 bits in an import": lambda folder: import_film(saved("I;16", "png", folder), "a.png", folder),
    "a file name that is HTML": html_name,
    "names in other letters": other_letters,
    "HTML as names in pages": html_in_pages,
    "a damaged cache": damaged_cache,
    "a million rows": many_rows,
}
SLOW = ("a million rows", "a table that unpacks to 3 GB", "an archive that lies about its size")


def counts(short, folder):
    """Every case; short: without the three that take long."""
    for kind, cases, judge in (
        ("refused in a sentence", REFUSED, refused),
        ("read as what it is", READ, read),
    ):
        chosen = [case for case in cases if not (short and case in SLOW)]
        failures = []
        for number, case in enumerate(chosen):
            place = folder / f"{kind} {number}"
            place.mkdir()
            failures += [f"{case}: {word}" for word in judge(cases[case], place)]
        yield Count(kind, len(chosen), failures)


def refused(work, place):
    """What is wrong with how `work` was refused: nothing, if it raised an error for people."""
    process = Process(partial(_expect_words, work, place))
    status = process.wait(SECONDS)
    process.kill()
    return [] if status == 0 else [process.words().strip() or f"ended with {status}"]


def read(work, place):
    process = Process(partial(_with_little_memory, work, place))
    status = process.wait(SECONDS)
    process.kill()
    return [] if status == 0 else [process.words().strip() or f"ended with {status}"]


def _with_little_memory(work, place):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + ADDRESS_SPACE,) * 2)
    os.chdir(place)
    before = set(place.parent.iterdir())
    work(place)
    assert set(place.parent.iterdir()) == before, "something was written outside of the folder"


def _expect_words(work, place):
    try:
        _with_little_memory(work, place)
    except (ValueError, TypeError, OSError, SystemExit) as error:
        words = str(error)
        if len(words) > 20 and not (place / "pwned").exists():
            return 0
        print(f"refused with too few words: {words!r}")
        return 1
    print("it was accepted")
    return 1
