"""The image store and the intensity conventions."""

import shutil
import subprocess
import sys
import textwrap

import fake_films
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from medgan_helpers import artifacts, chexpert, images


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def films(tmp_path):
    csv = fake_films.folder(tmp_path / "films", films=12)
    return chexpert.read(csv), csv.parent


# --- intensities --------------------------------------------------------------------------------


def test_256_grey_levels_survive_every_round_trip():
    grey = torch.arange(256, dtype=torch.uint8)
    signed = images.uint8_to_signed(grey)
    assert signed.dtype == torch.float32 and (signed.min(), signed.max()) == (-1, 1)
    unit = images.signed_to_unit(signed)
    assert (unit.min(), unit.max()) == (0, 1)
    xrv = images.signed_to_xrv(images.unit_to_signed(unit))
    assert (xrv.min(), xrv.max()) == (-1024, 1024)
    assert torch.equal(images.signed_to_uint8(xrv / 1024), grey)


@pytest.mark.parametrize("values", ["films", "drawn"])
def test_unit_signed_and_xrv_round_trip_to_the_last_bit(values):
    """Exact for the 256 levels of films and whatever torch.rand draws (multiples of 2**-24)."""
    drawn = torch.rand(100_000, generator=torch.Generator().manual_seed(0))
    levels = images.uint8_to_signed(torch.arange(256, dtype=torch.uint8))
    unit = images.signed_to_unit(levels) if values == "films" else drawn
    signed = images.unit_to_signed(unit)
    assert torch.equal(images.signed_to_unit(signed), unit)
    assert torch.equal(images.unit_to_signed(images.signed_to_unit(signed)), signed)
    back = images.signed_to_xrv(signed) / 1024
    assert torch.equal(images.signed_to_unit(back), unit)
    assert values == "drawn" or torch.equal(signed, levels)


def test_xrv_bridge_is_exact_for_any_float():
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(images.signed_to_xrv(values) / 1024, values)


def test_films_of_a_store_become_batches_and_come_back():
    grey = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4) * 8
    signed, unit = images.signed_batch(grey), images.unit_batch(torch.from_numpy(grey)[:, None])
    assert signed.shape == unit.shape == (2, 1, 4, 4) and images.signed_batch(grey[0]).shape == (1, 1, 4, 4)
    assert torch.allclose(images.signed_to_unit(signed), unit)
    assert (images.grey_films(signed) == grey).all()


def test_overshoot_is_clipped():
    assert images.signed_to_uint8(torch.tensor([-1.7, 1.2])).tolist() == [0, 255]


# --- decoding -----------------------------------------------------------------------------------


def test_decode_crops_the_centre_and_keeps_proportions(tmp_path):
    picture = np.zeros((60, 100), np.uint8)
    picture[20:40, 40:60] = 255  # a square in the middle of a wide film
    Image.fromarray(picture).save(tmp_path / "film.png")
    small = images.decode(tmp_path / "film.png", 30)
    assert small.shape == (30, 30) and small.dtype == np.uint8
    assert (small[11:19, 11:19] == 255).all() and small[:8].max() == small[:, :8].max() == 0


def test_decode_at_the_film_s_own_size_changes_nothing(tmp_path):
    picture = fake_films.noise((48, 48))
    Image.fromarray(picture).save(tmp_path / "film.png")
    np.testing.assert_array_equal(images.decode(tmp_path / "film.png", 48), picture)


def test_decode_averages_instead_of_dropping_pixels(tmp_path):
    stripes = np.tile(np.array([0, 255], np.uint8), (128, 64))
    Image.fromarray(stripes).save(tmp_path / "film.png")
    assert np.abs(images.decode(tmp_path / "film.png", 32)[4:-4, 4:-4].astype(int) - 127).max() <= 2


def test_a_large_jpeg_is_decoded_coarsely_but_right(tmp_path):
    Image.fromarray(fake_films.noise((512, 512))).save(tmp_path / "film.jpg", quality=95)
    whole = Image.open(tmp_path / "film.jpg").resize((32, 32), Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(whole).astype(int) - images.decode(tmp_path / "film.jpg", 32)).max() <= 3


# --- the store ----------------------------------------------------------------------------------


def test_store_holds_the_films_in_order(films):
    frame, root = films
    store = images.ImageStore(frame, root, 16)
    assert len(store) == 12 and store[0].shape == (16, 16) and store[0].dtype == np.uint8
    for i, path in enumerate(frame.path):
        np.testing.assert_array_equal(store[i], images.decode(root / path, 16))
    assert store[2:5].shape == (3, 16, 16)
    np.testing.assert_array_equal(store[[7, 1]], np.stack([store[7], store[1]]))
    assert isinstance(store.pixels, np.memmap)  # on disk, not in memory
    store[0][:] = 0  # a copy: the map stays as it is
    assert store[0].max() > 0


def test_second_opening_decodes_nothing(films, monkeypatch):
    frame, root = films
    first = images.ImageStore(frame, root, 16)[:]
    monkeypatch.setattr(images, "decode", lambda *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(images.ImageStore(frame, root, 16)[:], first)


def test_cache_is_keyed_by_content_and_size(films, cache):
    frame, root = films
    old = images.ImageStore(frame, root, 16)[0]
    images.ImageStore(frame, root, 24)
    assert len(list(cache.glob("*.u8"))) == 2
    Image.fromarray(fake_films.noise((40, 48), seed=99)).save(root / frame.path[0])
    assert np.abs(images.ImageStore(frame, root, 16)[0].astype(int) - old).max() > 50


def test_cache_lies_beside_the_data_by_default(films):
    images.ImageStore(*films, 16)
    assert list((artifacts.folder("data") / "cache").glob("*.u8"))


def test_subsets_share_the_map(films):
    frame, root = films
    store = images.ImageStore(frame, root, 16)
    part = store.subset(frame.iloc[[5, 2, 5]])
    np.testing.assert_array_equal(part[:], store[[5, 2, 5]])
    assert part.frame.index.tolist() == [5, 2, 5] and len(store) == 12
    with pytest.raises(ValueError, match="not in this store"):
        store.subset(frame.assign(path=frame.path + "x"))


@pytest.mark.slow
def test_a_killed_first_pass_goes_on(films, tmp_path, cache):
    """Kill the process after the first chunk; the second pass decodes only what is left."""
    frame, root = films
    frame.to_pickle(tmp_path / "frame.pkl")
    script = textwrap.dedent(f"""
        import os, signal, pandas as pd
        from medgan_helpers import images
        images.CHUNK = 4
        decode = images.decode
        def deadly(path, size):
            if "patient00004" in str(path):
                os.kill(os.getpid(), signal.SIGKILL)
            return decode(path, size)
        images.decode = deadly
        images.ImageStore(pd.read_pickle({str(tmp_path / "frame.pkl")!r}), {str(root)!r}, 16)
    """)
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    assert not list(cache.glob("*.u8")) and next(cache.glob("*.partial")).stat().st_size == 4 * 16 * 16
    decoded, decode = [], images.decode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "decode", lambda path, size: decoded.append(path) or decode(path, size))
        store = images.ImageStore(frame, root, 16)
    assert len(decoded) == 8
    for i, path in enumerate(frame.path):
        np.testing.assert_array_equal(store[i], decode(root / path, 16))


def test_the_slower_of_two_passes_forgets_no_bad_film(films, monkeypatch):
    """Another process finishes all films while this one is at its first chunk."""
    frame, root = films
    (root / frame.path[10]).write_bytes(b"")
    decode, seen = images.decode, []

    def usable():
        with pytest.warns(UserWarning, match="1 of 12"):
            return len(images.ImageStore(frame, root, 16, skip_bad=True))

    def slow(path, size):
        if path == root / frame.path[1] and not seen:
            seen.append("other")
            seen.append(usable())
        if path == root / frame.path[5] and len(seen) == 2:  # the slower has written its first chunk
            seen.append(usable())
        return decode(path, size)

    monkeypatch.setattr(images, "CHUNK", 4)
    monkeypatch.setattr(images, "decode", slow)
    assert usable() == 11
    assert seen == ["other", 11, 11]


@pytest.mark.parametrize("left", ["note", "films"])
def test_half_of_what_a_killed_pass_left_is_not_enough(films, cache, left):
    """A note without films, or films without a note: all are decoded again."""
    frame, root = films
    whole = images.ImageStore(frame, root, 16)[:]
    target = next(cache.glob("*.u8"))
    target.unlink()
    if left == "note":
        artifacts.write_json(target.with_suffix(".partial.json"), {"done": 8, "bad": {"3": "bad"}})
    else:
        target.with_suffix(".partial").write_bytes(bytes(8 * 16 * 16))
    np.testing.assert_array_equal(images.ImageStore(frame, root, 16)[:], whole)
    assert sorted(path.suffixes[0] for path in cache.iterdir()) == [".json", ".u8"]


@pytest.mark.slow
def test_two_processes_may_build_at_once(films, tmp_path):
    frame, root = films
    frame.to_pickle(tmp_path / "frame.pkl")
    script = (
        "import pandas as pd; from medgan_helpers import images; images.CHUNK = 2; "
        f"frame = pd.read_pickle({str(tmp_path / 'frame.pkl')!r}); "
        f"print(images.ImageStore(frame, {str(root)!r}, 16)[:].sum())"
    )
    runs = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(2)]
    sums = [int(run.communicate()[0]) for run in runs]
    assert sums == [images.ImageStore(frame, root, 16)[:].sum()] * 2


def test_a_full_disk_is_said_before_decoding(films, monkeypatch, cache):
    usage = shutil.disk_usage(".")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match=r"GB free.*MEDGAN_CACHE"):
        images.ImageStore(*films, 16)
    assert not list(cache.glob("*.u8"))


def test_bad_requests_are_explained(films, tmp_path):
    frame, root = films
    with pytest.raises(ValueError, match="no rows"):
        images.ImageStore(frame[:0], root, 16)
    with pytest.raises(ValueError, match="whole pixels"):
        images.ImageStore(frame, root, 0)
    with pytest.raises(FileNotFoundError, match="no folder of films"):
        images.ImageStore(frame, tmp_path / "nowhere", 16)


# --- batches ------------------------------------------------------------------------------------


def test_batches_have_the_promised_form(films):
    store = images.ImageStore(*films, 16)
    pictures, labels = next(store.batches(5))
    assert pictures.shape == (5, 1, 16, 16) and pictures.dtype == torch.float32
    assert pictures.min() >= -1 and pictures.max() <= 1
    assert labels.shape == (5, 14) and labels.dtype == torch.float32


def test_labels_belong_to_their_films(films):
    store = images.ImageStore(*films, 16)
    targets = chexpert.labels(store.frame, uncertain="ignore", blank="ignore")
    pictures, labels = next(store.batches(12, labels=targets))
    for picture, label in zip(images.signed_to_uint8(pictures)[:, 0], labels, strict=True):
        i = next(i for i in range(12) if np.array_equal(store[i], picture))
        np.testing.assert_array_equal(label, targets.iloc[i])
    with pytest.raises(ValueError, match=r"order of store\.frame"):
        store.batches(4, labels=targets[::-1])


def test_an_epoch_shows_every_film_once_and_the_next_another_order(films):
    store = images.ImageStore(*films, 16)
    batches = store.batches(4, seed=3)
    epochs = [torch.cat([next(batches)[0] for _ in range(3)]) for _ in range(2)]
    assert not torch.equal(*epochs)
    for epoch in epochs:
        seen = {picture.numpy().tobytes() for picture in images.signed_to_uint8(epoch)[:, 0]}
        assert seen == {picture.tobytes() for picture in store[:]}


@pytest.mark.parametrize("step", [0, 1, 2, 7, 1000])
def test_seek_continues_exactly(films, step):
    store = images.ImageStore(*films, 16)
    straight, jumped = store.batches(5, seed=1), store.batches(5, seed=1)
    for _ in range(step):
        next(straight)
    jumped.seek(step)
    for a, b in zip(next(straight), next(jumped), strict=True):
        assert torch.equal(a, b)


def test_batches_leave_the_global_random_state_alone(films):
    store = images.ImageStore(*films, 16)
    torch.manual_seed(0)
    np.random.seed(0)
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    first = next(store.batches(5, seed=1))[0]
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    torch.manual_seed(99)
    assert torch.equal(next(store.batches(5, seed=1))[0], first)
    assert not torch.equal(next(store.batches(5, seed=2))[0], first)


def test_a_batch_may_be_larger_than_the_store(films):
    frame, root = films
    pictures, _ = next(images.ImageStore(frame[:3], root, 16).batches(7))
    assert len(pictures) == 7
    with pytest.raises(ValueError, match="expected 1 to"):
        images.ImageStore(frame, root, 16).batches(0)


def test_a_frame_without_findings_needs_labels_of_its_own(films):
    frame, root = films
    store = images.ImageStore(frame[["path"]], root, 16)
    dose = pd.DataFrame({"dose": np.arange(12)}, index=frame.index)
    assert next(store.batches(3, labels=dose))[1].shape == (3, 1)
