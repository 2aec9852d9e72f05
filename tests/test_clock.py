"""book/scripts/clock.py: where the seconds of a notebook go."""

import sys
import threading
import types

import clock
import pytest


def frames(*places):
    """Frames as the interpreter chains them, the outermost first; each place is file:function."""
    frame = None
    for place in places:
        file, _, name = place.rpartition(":")
        code = types.SimpleNamespace(co_filename=file, co_name=name)
        frame = types.SimpleNamespace(f_code=code, f_back=frame)
    return frame


CELL, STEP = "interactiveshell.py:run_code", "/medgan_helpers/dcgan.py:step"
FIT = "/a/medgan_helpers/training/loop.py:fit"


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ((CELL, FIT, STEP), "training"),
        ((CELL, FIT, "/a/medgan_helpers/metrics/distances.py:kid"), "scoring"),
        ((CELL, "/a/medgan_helpers/experiments/trial.py:run_cell", FIT, STEP), "training"),
        ((CELL, "/a/medgan_helpers/simulator/dataset.py:sample", "/joblib/parallel.py:get"), "rendering"),
        ((CELL, "C:\\medgan_helpers\\figures\\grids.py:film_rows"), "figures"),
        ((CELL, STEP), clock.REST),
        (("/ipykernel/kernelapp.py:start",), clock.WAITING),
    ],
)
def test_the_innermost_frame_that_is_known_says_what_is_done(places, expected):
    assert clock.kind(frames(*places)) == expected


def test_the_seconds_are_those_of_the_thread_that_started_it(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "EVERY", 0.001)
    monkeypatch.setattr(clock, "WRITE", 1)
    monkeypatch.setitem(clock.KINDS, "test_clock.py:sums", "training")
    path = tmp_path / "found.seconds"

    def sums():
        while not path.is_file() or clock.seen(path)["training"] < 0.1:
            sum(range(1000))

    def work():
        clock.start(path)
        sums()

    worker = threading.Thread(target=work)  # the clock ends with the thread that it looks at
    worker.start()
    worker.join(20)
    assert not worker.is_alive(), "the clock saw nothing of the work"
    assert list(clock.seen(path)) == [*clock.NAMES, clock.PEAK]
    assert clock.seen(path)[clock.PEAK] > 0.05


def test_without_a_file_nothing_was_seen(tmp_path):
    assert set(clock.seen(tmp_path / "none").values()) == {0.0}


def test_every_kind_names_a_file_that_there_is():
    root = clock.Path(clock.__file__).parents[2]
    for part in clock.KINDS:
        if part.startswith("medgan_helpers"):
            assert (root / part.partition(":")[0]).exists(), part
    assert set(clock.KINDS.values()) <= set(clock.NAMES) and sys.modules["clock"] is clock
