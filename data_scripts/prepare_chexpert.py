"""Check a download of CheXpert and say what is missing; unpack an archive of it first, if need be.

  python data_scripts/prepare_chexpert.py FOLDER                         a folder that was unpacked
  python data_scripts/prepare_chexpert.py archive.zip --to FOLDER        the archive of the small version

CheXpert-v1.0 and CheXpert-v1.0-small come from the Stanford AIMI Center (https://aimi.stanford.edu) after
registration and under its research use agreement: no copies to others, no attempt to identify a patient.
Kaggle's archive of the small version (train.csv beside train/) is the same data under the same agreement.
"""

import random
import shutil
import sys
import zipfile
import zlib
from pathlib import Path, PureWindowsPath

from lib import layout
from tqdm import tqdm

from medgan_helpers import artifacts, chexpert, images

TABLES = {"train.csv": 223_414, "valid.csv": 234}  # rows of the published tables
SEED = 0  # of the films that are opened for a trial


def main():
    """Unpack if asked to, then check tables, films and a sample of the pixels."""
    options = command_line().parse_args()
    folder = Path(options.source)
    if folder.is_file():
        if not options.to:
            raise ValueError(f"{folder} is a file: say with --to FOLDER where to unpack it")
        unpack(folder, Path(options.to), options.dry_run)
        folder = Path(options.to)
    elif options.to:
        raise ValueError(f"--to is for an archive, {folder} is none: leave --to out, or give the zip file")
    if options.dry_run and not folder.exists():
        return
    root = chexpert.find_root(folder)
    explain_batches(folder)
    frames = {name: check_table(root, name, options.skip_bad) for name in TABLES if (root / name).is_file()}
    if "train.csv" not in frames:
        raise FileNotFoundError(f"no train.csv in {root}. {chexpert.SOURCES['chexpert']}")
    if "valid.csv" in frames:
        check_patients(frames)
    else:
        print("valid.csv is missing: without it there is no test set read by radiologists")
    check_pixels(frames["train.csv"], root, options.sample, options.skip_bad)
    print("All that was looked for is there.")
    layout.say_next("chexpert", root)


def command_line():
    parser = layout.arguments(__doc__, side=False)
    parser.add_argument("source", help="the unpacked folder, or the zip archive")
    parser.add_argument("--to", help="the folder to unpack an archive into")
    parser.add_argument(
        "--sample", type=layout.count, default=200, help="films to open for a trial (default 200)"
    )
    return parser


def unpack(archive, folder, dry_run):
    """Unpack a zip archive; files that are there in full are kept, so a stopped run goes on.

    Raises FileExistsError, before anything is written, where the folder holds another data set.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [member for member in packed.infolist() if not member.filename.endswith(("/", "\\"))]
            todo = [member for member in members if not _there(folder, member)]
            size = sum(member.file_size for member in todo)
            print(f"{len(todo)} of {len(members)} files to unpack, {size / 1e9:.1f} GB, into {folder}")
            if dry_run:
                return
            folder.mkdir(parents=True, exist_ok=True)
            if size > shutil.disk_usage(folder).free:
                raise OSError(f"{folder} has only {shutil.disk_usage(folder).free / 1e9:.1f} GB free")
            for member in tqdm(todo, desc="unpacking", unit="file"):
                with artifacts.atomic(_place(folder, member)) as temporary, open(temporary, "wb") as file:
                    shutil.copyfileobj(packed.open(member), file)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # unknown method: RuntimeError
        raise ValueError(f"{archive} is no whole zip archive ({error}): download it again") from error


def _there(folder, member):
    """Whether the file is there already; of a table every byte is looked at, of a film the size."""
    path = _place(folder, member)
    if not path.exists():
        return False
    same = path.is_file() and path.stat().st_size == member.file_size
    if same and path.suffix == ".csv":
        same = zlib.crc32(path.read_bytes()) == member.CRC
    if not same:
        raise FileExistsError(f"{path} is another file than the archive's: choose another folder, or move it")
    return True


def _place(folder, member):
    """Where an archive's file goes; refuses names that lead out of the folder.

    Older Windows tools write backslashes between folders: each is taken for a slash.
    """
    windows = PureWindowsPath(member.filename)  # takes both kinds of slash
    path = folder.joinpath(*windows.parts).resolve()
    if windows.drive or windows.root or not path.is_relative_to(folder.resolve()):
        raise ValueError(f"the archive holds {member.filename!r}, which leads out of {folder}")
    return path


def explain_batches(folder):
    """AIMI gives the full version in batches; say how to put them together."""
    batches = sorted(folder.glob("CheXpert-v1.0 batch *"))
    if batches and not (folder / "train").is_dir():
        lines = [f"  mkdir '{folder}/train'"]
        lines += [f"  mv '{batch}'/patient* '{folder}/train/'" for batch in batches if "train" in batch.name]
        lines += [f"  mv '{batch}'/* '{folder}/'" for batch in batches if "train" not in batch.name]
        sys.exit("\n".join(["These are CheXpert's batches; put them together first:", *lines]))


def check_table(root, name, skip_bad):
    """Read one table with all of its films looked for; report rows beside the published number."""
    frame = chexpert.read(root / name, root, views="all", skip_bad=skip_bad)
    whole = "the whole table" if len(frame) == TABLES[name] else f"CheXpert's own has {TABLES[name]:,}"
    print(f"{name}: {len(frame):,} films of {frame.patient.nunique():,} patients ({whole}), all files there")
    if name == "valid.csv" and (frame[chexpert.FINDINGS] == -1).any().any():
        print("valid.csv: holds uncertain labels, so it is not the table that three radiologists read")
    return frame


def check_patients(frames):
    shared = set(frames["train.csv"].patient) & set(frames["valid.csv"].patient)
    if shared:
        raise ValueError(f"{len(shared)} patients are in both tables, such as {min(shared)}")


def check_pixels(frame, root, count, skip_bad):
    """Open some films, chosen with a fixed seed, and name those that cannot be decoded."""
    rows = random.Random(SEED).sample(range(len(frame)), min(count, len(frame)))
    bad = {}
    for i in tqdm(rows, desc="opening films", unit="film"):
        path = frame.path.iloc[i]
        try:
            images.decode(root / path, 64)
        except Exception as error:  # decoders raise anything at all on broken files
            bad[frame.index[i]] = f"{path}: {error}"
    layout.settle("films opened for a trial", bad, len(rows), skip_bad)


if __name__ == "__main__":
    layout.run(main)
