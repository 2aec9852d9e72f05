"""The short form of `make torture`, and that its judges are able to say no."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import scoreboard
from torture import faults, hostile, kills, security
from torture.processes import Process, finish

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_short_form_loses_nothing():
    environment = os.environ | {"PYTHONPATH": "tests", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torture", "--short"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failed" in done.stdout.splitlines()[-1]


def test_a_killed_process_is_told_from_one_that_ended():
    process = Process(lambda: os.read(os.pipe()[0], 1))
    assert process.wait(0.05) is None and process.kill()
    assert finish(lambda: None) == "" and "ended with 7" in finish(lambda: 7)
    assert "ZeroDivisionError" in finish(lambda: 1 / 0)


def test_what_is_lost_left_or_changed_is_named():
    whole = {"a": b"1", "b": b"2"}
    assert kills.differences(whole, whole) == []
    found = kills.differences(whole, {"a": b"3", ".b.partial": b""})
    assert found == [".b.partial was left", "a has other bytes", "b is missing"]


def test_a_hostile_file_must_be_refused_in_words(tmp_path):
    def escape(folder):
        (folder.parent / "escaped").touch()

    def refuse(folder):
        raise ValueError("a sentence that is long enough")

    def mumble(folder):
        raise ValueError("no")

    def crash(folder):
        raise IndexError("tuple index out of range")

    (place := tmp_path / "place").mkdir()
    assert hostile.refused(refuse, place) == []
    assert "too few words" in hostile.refused(mumble, place)[0]
    assert "accepted" in hostile.refused(lambda folder: None, place)[0]
    assert "IndexError" in hostile.refused(crash, place)[0]
    assert hostile.read(lambda folder: None, place) == []
    assert "outside of the folder" in hostile.read(escape, place)[0]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "torch.load(x)",
        "np.load(x, allow_pickle=True)",
        "eval(x)",
    ],
)
def test_code_from_files_is_noticed(text):
    assert security.dangers(text)
    assert security.dangers("np.load(x, allow_pickle=False); network.eval()") == []


def test_secrets_and_personal_paths_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(security, "ROOT", tmp_path)
    for text in (
        "token = 'ghp_" + "a" * 36 + "'",
        "/" + "home/someone/films",
        "https://" + "me:secret@host/x",
    ):
        (tmp_path / "a.md").write_text(text)
        assert len(security.no_secrets("sources", [tmp_path / "a.md"]).failures) == 1
    (tmp_path / "a.md").write_text("see https://example.org/home/page and book/home/page")
    assert security.no_secrets("sources", [tmp_path / "a.md"]).failures == []


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_still_be_planted(fault):
    assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old) == 1
    file, name = fault.test.split("::")
    assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


def test_the_page_shows_the_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(scoreboard, "RESULTS", tmp_path)
    assert "has not been run" in scoreboard.reliability()
    (tmp_path / "reliability.csv").write_text(
        "kind,what,tried,failed,note,seconds,date,commit,machine\n"
        "kills,a <b>,30,0,,9,2026-01-01,abc,Linux\nkills,b,4,1,slow,9,2026-01-01,abc,Linux\n"
    )
    text = scoreboard.reliability()
    assert (
        "| kills | 34 | 1 | 2026-01-01 | abc | Linux |" in text
        and "| kills | a &lt;b&gt; | 30 | 0 |  |" in text
    )
