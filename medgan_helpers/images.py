"""Films as arrays: decode once into a memory map, then draw batches without decoding.

Three intensity conventions meet in this course beside the grey levels 0 to 255 of files (uint8): networks
want [-1, 1] ("signed"), metrics and degradations [0, 1] ("unit"), torchxrayvision [-1024, 1024] ("xrv").
"""

import copy
import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from numbers import Real
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from . import artifacts, checks, chexpert

RULE = "centre square, antialiased bicubic"  # stands in a cache's key: change it together with `decode`
STRIP = 4  # times as long as wide: the centred square of it shows no chest
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP")  # no format whose reader would start a program
CHUNK = 512  # films decoded between two writes; a killed first pass loses at most these
MAX_PIXELS = 64_000_000  # the largest detectors have about 20 million; more is a decompression bomb


class ImageStore:
    """The films of a frame at one size, decoded once and kept on disk.

    frame: rows with a column `path` relative to `root` (see chexpert.read); size: pixels a side;
    skip_bad: leave films that cannot be used out, with a warning that lists them, instead of refusing.
    The first pass decodes in parallel, resumes after a kill, and leaves one uint8 memory map in $MEDGAN_CACHE
    (default build/<profile>/data/cache), keyed by the films' paths, bytes and times of change, the size and
    the crop rule. Later opens only look at the files' dates. 1,000,000 films at 64 px: 4 GB, all on disk.

    Build one store of the whole frame; its parts share the map:
        films = ImageStore(frame, root, 64)
        train = films.subset(parts["train"])
        images, labels = next(train.batches(32, seed=0))

    len(store); store[i], store[2:5], store[[7, 1]]: uint8 arrays (..., size, size); store.frame: its rows.
    Raises ValueError or OSError naming the missing films, rows or space.
    """

    @checks.door(skip_bad=checks.switch)
    def __init__(self, frame, root, size, skip_bad=False):
        chexpert.check_frame(frame, ["path"])
        if len(frame) == 0:
            raise ValueError("the frame has no rows: no film to store (is every film of another view?)")
        if not isinstance(size, Real) or not 8 <= size <= 4096 or int(size) != size:
            raise ValueError(f"size={checks.told(size)}: expected whole pixels a side, 8 to 4096")
        if odd := [path for path in frame["path"] if not isinstance(path, str)]:
            raise TypeError(f"a path of frame is {odd[0]!r}: expected words, as chexpert.read returns")
        self.size = int(size)
        films = frame.drop_duplicates("path")
        self.pixels, bad = _open_cache(list(films["path"]), chexpert.find_root(root), self.size)
        if bad:
            reasons = pd.Series(list(bad.values()), index=films.index[list(bad)])
            chexpert.complain(f"{len(bad)} of {len(films)} films in {root} are bad", reasons, skip_bad)
        self._position = pd.Series(np.arange(len(films)), index=films["path"])  # path -> place in the map
        self._position.iloc[list(bad)] = -1
        self._take(frame)

    def subset(self, frame):
        """The films of `frame`, in its order, from the same map. Rows may repeat (oversampling).

        Films skipped as bad stay out. Raises ValueError for a film that the store never had.
        """
        chexpert.check_frame(frame, ["path"])
        part = copy.copy(self)
        part._take(frame)
        return part

    def _take(self, frame):
        strangers = ~frame["path"].isin(self._position.index)
        if strangers.any():
            found = frame["path"][strangers].iloc[0]
            raise ValueError(f"{found} is not in this store: build it of all films")
        rows = self._position[frame["path"]].to_numpy()
        self.frame, self._rows = frame[rows >= 0], rows[rows >= 0]
        if len(self._rows) == 0:
            raise ValueError("none of the frame's films can be used")

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, i):
        return np.array(self.pixels[self._rows[i]])

    def batches(self, batch_size, seed=0, device="cpu", labels=None):
        """Endless (images, labels) batches in a seeded order; see `Batches`.

        labels: one row per film of store.frame, as chexpert.labels(store.frame), the default, gives them.
        """
        if labels is None:
            labels = chexpert.labels(self.frame)
        return Batches(self, batch_size, seed, device, labels)


class Batches:
    """Endless iterator of (images (B, 1, H, W) float in [-1, 1], labels (B, findings) float) on the device.

    Every film is seen once an epoch, in an order drawn anew from (seed, epoch) by a generator of its own: it
    neither reads nor moves the random state of any model. `seek(step)` continues as if `step` batches had
    been drawn, without drawing them: training resumes where it stopped.
    """

    @checks.door(
        batch_size=checks.whole(1, 1_000_000), device=checks.device, labels=checks.table(),
        store=checks.having("frame", kind="an ImageStore"),
    )  # fmt: skip
    def __init__(self, store, batch_size, seed, device, labels):
        if not labels.index.equals(store.frame.index):
            raise ValueError("labels: expected one row per film, in the order of store.frame")
        checks.numbers()("labels", labels)
        self.store, self.batch_size, self.seed, self.device = store, batch_size, seed, torch.device(device)
        self.labels = torch.tensor(np.asarray(labels, dtype=np.float32), device=self.device)
        self.step = 0
        self._epoch, self._order = None, None

    @checks.door(step=checks.whole(0))
    def seek(self, step):
        """Continue after the first `step` batches."""
        self.step = step

    def __iter__(self):
        return self

    def __next__(self):
        first = self.step * self.batch_size
        chosen = [self._film(n) for n in range(first, first + self.batch_size)]
        self.step += 1
        grey = torch.from_numpy(self.store[chosen]).to(self.device)  # (B, H, W) uint8
        return signed_batch(grey), self.labels[chosen]

    def _film(self, n):
        """The n-th film of the endless sequence epoch 0, epoch 1, ..., each a permutation of the store."""
        epoch, place = divmod(n, len(self.store))
        if epoch != self._epoch:
            generator = np.random.default_rng([self.seed, epoch])
            self._epoch, self._order = epoch, generator.permutation(len(self.store))
        return int(self._order[place])


@checks.door(size=checks.whole(1, 4096))
def decode(path, size):
    """One film file -> (size, size) uint8: the largest centred square, then antialiased bicubic resizing.

    Cropping keeps the thorax's proportions; squeezing would teach a network which films were squeezed.
    Raises ValueError or OSError saying what is wrong with the file.
    """
    film = read_film(path, at_least=2 * size)
    side = min(film.size)
    left, top = (film.width - side) // 2, (film.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(film.resize((size, size), Image.Resampling.BICUBIC, box=box))


@checks.door(path=checks.file, at_least=checks.whole())
def read_film(path, at_least=None):
    """Open an 8-bit film as a grey PIL image; refuse what would be misread in silence.

    at_least: pixels a side that suffice; lets the JPEG decoder skip detail far below the final pixel.
    A photograph's orientation (EXIF) is obeyed. Raises ValueError or OSError: empty, truncated, animated,
    transparent, 16-bit or enormous files, strips, and films of one grey.
    """
    if Path(path).stat().st_size == 0:
        raise ValueError("the file is empty (0 bytes)")
    with opened(path) as film:
        check_pixels(film.width, film.height)
        if max(film.size) > STRIP * min(film.size):
            raise ValueError(f"{film.width} x {film.height} pixels: a strip, expected a film")
        if getattr(film, "n_frames", 1) > 1:
            raise ValueError(f"animated ({film.n_frames} frames), expected one film")
        if film.mode not in ("L", "RGB", "RGBA", "LA", "P", "1"):
            raise ValueError(
                f"pixel type {film.mode!r}, expected 8-bit grey; import_folder.py converts 16-bit films"
            )
        if any(";16" in str(tile[-1]) for tile in film.tile):  # Pillow would keep the upper 8 bits alone
            raise ValueError("colours of 16 bits: save it as grey; import_folder.py converts 16 bits of grey")
        transparent = film.mode in ("RGBA", "LA") or "transparency" in film.info
        if transparent and film.convert("RGBA").getextrema()[3] != (255, 255):
            raise ValueError("transparent pixels, expected a film without alpha channel")
        if at_least:
            film.draft("L", (at_least, at_least))
        film = ImageOps.exif_transpose(film).convert("L")
        if film.getextrema()[0] == film.getextrema()[1]:
            raise ValueError("all pixels have the same grey: expected a film")
        return film


def opened(path):
    """A film's file as a PIL image, its pixels not yet read; ValueError for what is no picture."""
    try:
        return Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ValueError(f"too large to be a film: {error}") from error
    except UnidentifiedImageError as error:
        raise ValueError(f"{error}: expected a film, as PNG or JPEG") from error


@checks.door(width=checks.whole(), height=checks.whole())
def check_pixels(width, height):
    """Raise ValueError for more pixels than any detector has, before they fill the memory."""
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} pixels: too large to be a film")


def signed_batch(grey):
    """Films as they lie in a store -> what networks want: (n, 1, H, W) float in [-1, 1].

    grey: uint8 array or tensor (n, H, W), (n, 1, H, W), or one film (H, W).
    """
    return uint8_to_signed(_with_channel(grey))


def unit_batch(grey):
    """Films as they lie in a store -> what degradations and metrics want: (n, 1, H, W) float in [0, 1]."""
    return _with_channel(grey).float() / 255


def grey_films(batch):
    """A network's films (n, 1, H, W) in [-1, 1] -> uint8 array (n, H, W) as in a store; overshoot clipped."""
    if not torch.is_tensor(batch):
        raise TypeError(f"expected films as a tensor (n, 1, H, W), got a {type(batch).__name__}")
    if batch.dim() != 4 or batch.shape[1] != 1:
        raise ValueError(f"expected films (n, 1, H, W), got {tuple(batch.shape)}")
    return signed_to_uint8(batch)[:, 0].cpu().numpy()


def _with_channel(grey):
    """uint8 films as a tensor (n, 1, H, W); refuses what has been converted already."""
    if not isinstance(grey, np.ndarray | torch.Tensor):
        raise TypeError(f"expected films (n, H, W) as an array or a tensor, got {checks.told(grey)}")
    grey = torch.as_tensor(grey)
    if grey.dtype != torch.uint8:
        raise TypeError(f"expected grey levels 0 to 255 as uint8, got {grey.dtype}: converted before?")
    if grey.dim() == 4 and grey.shape[1] == 1:
        return grey
    in_colour = grey.dim() == 3 and grey.shape[-1] in (3, 4) and grey.shape[-2] > 4
    if grey.dim() not in (2, 3) or in_colour:
        raise ValueError(f"expected grey films (n, H, W), got {tuple(grey.shape)}")
    return grey.reshape(-1, 1, *grey.shape[-2:])


def uint8_to_signed(grey):
    """Grey levels 0 to 255 (tensor or array) -> float tensor in [-1, 1]; all 256 levels convert back."""
    if str(getattr(grey, "dtype", type(grey).__name__)).split(".")[-1] != "uint8":
        raise TypeError("expected grey levels 0 to 255 as uint8: converted before?")
    return torch.as_tensor(grey).float() / 127.5 - 1


@checks.door(images=checks.floats)
def signed_to_uint8(images):
    """[-1, 1] -> grey levels 0 to 255, rounded; values outside (generators overshoot) are clipped."""
    images = torch.as_tensor(images)
    checks.in_range(images)
    return ((images.detach().float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


@checks.door(images=checks.floats)
def signed_to_unit(images):
    """[-1, 1] -> [0, 1]."""
    checks.in_range(torch.as_tensor(images))
    return (images + 1) / 2


@checks.door(images=checks.floats)
def unit_to_signed(images):
    """[0, 1] -> [-1, 1]."""
    checks.in_range(torch.as_tensor(images))
    return images * 2 - 1


@checks.door(images=checks.floats)
def signed_to_xrv(images):
    """[-1, 1] -> [-1024, 1024], exactly: multiplying by a power of two loses nothing."""
    checks.in_range(torch.as_tensor(images))
    return images * 1024


def _open_cache(paths, root, size):
    """Return the memory map (N, size, size) of the films and {position: reason} of the bad ones."""
    if not root.is_dir():
        raise FileNotFoundError(f"no folder of films at {root}")
    stamps = [_stamp(root, path) for path in paths]
    key = hashlib.sha256("\n".join([f"{size} {RULE}", *stamps]).encode()).hexdigest()[:16]
    parent = artifacts.chosen_folder("MEDGAN_CACHE") or artifacts.folder("data") / "cache"
    target, notes = parent / f"{key}-{size}px.u8", parent / f"{key}-{size}px.json"
    whole = target.is_file() and target.stat().st_size == len(paths) * size**2
    if not whole or (bad := _noted(notes, len(paths))) is None:
        _first_pass(paths, root, size, target, notes)
        bad = _noted(notes, len(paths))
    return np.memmap(target, np.uint8, "r", shape=(len(paths), size, size)), bad


def _noted(notes, count):
    """{position: reason} of the bad ones of `count` films, from their note; None where there is none."""
    try:
        bad = {int(position): str(reason) for position, reason in json.loads(notes.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return None
    return bad if all(0 <= position < count for position in bad) else None


def _stamp(root, path):
    """A film's path, bytes and time of change; refuses a path that leads out of the root."""
    pure = PurePosixPath(path)
    if "\0" in path:
        raise ValueError(f"{path!r} holds a byte 0: expected the path of a film")
    if pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise ValueError(f"{path!r} leads out of {root}: expected a path below it, with forward slashes")
    try:
        status = (root / path).stat()
    except FileNotFoundError:
        return f"{path} missing"
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _first_pass(paths, root, size, target, notes):
    """Decode every film into `target`; what was finished before a kill is kept in a .partial file and a note.

    Each film has its own place in the file, so two processes at work on the same films write the same bytes.
    The final notes are written once, complete: the slower of the two takes nothing out of the faster's.
    """
    partial, progress = target.with_suffix(".partial"), target.with_suffix(".partial.json")
    partial.parent.mkdir(parents=True, exist_ok=True)
    file = open(os.open(partial, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644), "r+b")  # noqa: SIM115 (closed by `with`)
    done, bad = _progress(progress, os.fstat(file.fileno()).st_size // size**2)
    check_space(partial.parent, (len(paths) - done) * size**2)
    bar = tqdm(total=len(paths), initial=done, desc=f"decoding films to {size} px", unit="film")
    with file, ThreadPoolExecutor(os.cpu_count()) as pool, bar:  # PIL frees the GIL
        file.seek(done * size**2)
        for start in range(done, len(paths), CHUNK):
            films = list(pool.map(lambda path: try_decode(root, path, size), paths[start : start + CHUNK]))
            bad |= {str(start + i): film for i, film in enumerate(films) if isinstance(film, str)}
            file.writelines(bytes(size**2) if isinstance(film, str) else film.tobytes() for film in films)
            file.flush()
            artifacts.write_json(progress, {"done": start + len(films), "bad": bad})
            bar.update(len(films))
    artifacts.write_json(notes, bad)
    with suppress(FileNotFoundError):  # the other process was first
        os.replace(partial, target)
    progress.unlink(missing_ok=True)


def _progress(note, stored):
    """How many films a killed pass left and {position: reason} of the bad ones; stored: films in its file.

    A note of more films than the file holds belongs to another file, one that has become the map.
    """
    try:
        left = json.loads(note.read_text())
        done, bad = int(left["done"]), dict(left["bad"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):  # none, or one that cannot be read
        return 0, {}
    return (done, bad) if 0 <= done <= stored else (0, {})


def try_decode(root, path, size):
    """The decoded film, or a text that says why there is none."""
    try:
        return decode(root / path, size)
    except Exception as error:  # decoders raise anything at all on broken files
        return f"{path}: {error}"


@checks.door(folder=checks.path)
def check_space(folder, needed):
    """Raise OSError where a disk has fewer bytes free: writing a map on a full one ends the process."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            f"{folder} has {free / 1e9:.1f} GB free, the films need {needed / 1e9:.1f} GB: free some space "
            "or set MEDGAN_BUILD or MEDGAN_CACHE to a folder on another disk"
        )
