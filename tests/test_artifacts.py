import errno
import shutil
import subprocess
import threading

import pandas as pd
import pytest

from medgan_helpers import artifacts


@pytest.fixture(autouse=True)
def chapter():
    artifacts.activate("smoke", notebook="test")


def test_folders_by_profile_and_dataset(tmp_path):
    build = tmp_path / "build"
    assert artifacts.folder("results") == build / "smoke" / "results"
    artifacts.activate("smoke", dataset="chexpert")
    assert artifacts.folder("results") == build / "smoke-chexpert" / "results"


def test_build_root_is_found_from_the_notebooks_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("MEDGAN_BUILD")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_config.yml").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert artifacts.build_root() == tmp_path / "build"


def test_atomic_renames_on_success_only(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    with artifacts.atomic(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    with pytest.raises(KeyError), artifacts.atomic(path) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert path.read_text() == "new"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"], "no temporary file stays behind"


def test_full_disk_keeps_the_old_file_and_says_so(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(OSError, match=r"untouched.*MEDGAN_BUILD"), artifacts.atomic(path) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert path.read_text() == "old"


def test_scores_replace_sort_and_filter():
    artifacts.record("b/two", 2, low=1.5, high=2.5, n=10, unit="dB")
    artifacts.record("a/one", 1)
    assert artifacts.record("b/two", 3.0) == 3.0
    table = artifacts.scores()
    assert list(table.index) == ["a/one", "b/two"]
    assert list(pd.read_csv(artifacts.folder("results") / "scores.csv").columns) == artifacts.SCORE_COLUMNS
    assert table.loc["b/two", "value"] == 3 and pd.isna(table.loc["b/two", "low"])
    assert list(artifacts.scores("a/").index) == ["a/one"]
    assert table.loc["a/one", "notebook"] == "test"


def test_many_scores_are_recorded_in_one_call():
    estimates = {"none": (0.7, 0.6, 0.8), "gan": 0.75}
    assert artifacts.record("auc", estimates, n={"none": 40}, unit="AUROC") is estimates
    artifacts.record("auc", pd.DataFrame({"value": [1], "low": [0], "high": [2]}, index=["table"]), n=7)
    artifacts.record("one", (3.0, 2.0, 4.0), n=5)
    table = artifacts.scores()
    assert list(table.index) == ["auc/gan", "auc/none", "auc/table", "one"]
    assert table.loc["auc/none", ["value", "low", "high", "n"]].tolist() == [0.7, 0.6, 0.8, 40]
    assert pd.isna(table.loc["auc/gan", "low"]) and pd.isna(table.loc["auc/gan", "n"])
    assert table.loc["auc/table", "high"] == 2 and table.loc["one", "low"] == 2


def test_scores_of_two_writers_are_all_kept():
    def write(k):
        for i in range(20):
            artifacts.record(f"w{k}/{i}", i)

    writers = [threading.Thread(target=write, args=(k,)) for k in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(artifacts.scores()) == 40


def test_a_lock_left_by_a_killed_run_holds_nobody_up():
    (artifacts.folder("results") / "scores.lock").touch()
    writer = threading.Thread(target=artifacts.record, args=("a", 1), daemon=True)
    writer.start()
    writer.join(timeout=10)
    assert list(artifacts.scores().index) == ["a"]


def test_tables_are_written_whole_without_an_index_or_carriage_returns(tmp_path):
    rows = [{"name": "a, b", "value": 0.1}, {"name": "c", "value": None}]
    for table in (rows, pd.DataFrame(rows, index=[7, 8])):
        artifacts.write_csv(tmp_path / "table.csv", table)
        assert (tmp_path / "table.csv").read_bytes() == b'name,value\n"a, b",0.1\nc,\n'
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_provenance_names_what_made_a_result():
    card = artifacts.provenance()
    assert card["profile"] == artifacts.profile().name == "smoke" and card["versions"]["torch"]


def test_without_git_there_is_no_commit_but_all_else(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    card = artifacts.provenance()
    assert card["commit"] is None and card["profile"] == "smoke"


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_the_commit_is_the_course_s_own_not_that_of_a_repository_around_it(monkeypatch, tmp_path):
    package = tmp_path / "course" / "medgan_helpers"
    package.mkdir(parents=True)
    monkeypatch.setattr(artifacts, "__file__", str(package / "artifacts.py"))
    found = []
    for folder in (tmp_path, package.parent):  # somebody else's, then a checkout of the course
        git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a"]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "commit", "-qm", "first", "--allow-empty"], check=True)
        found.append(artifacts.provenance()["commit"])
    assert found[0] is None and len(found[1]) == 12


def test_no_folder_lies_outside_of_the_build():
    for kind in ("../../escaped", "/escaped", "."):
        with pytest.raises(ValueError, match="expected a name, as results, for a folder below"):
            artifacts.folder(kind)
    with pytest.raises(ValueError, match="expected a name of letters and digits"):
        artifacts.activate("smoke", "../x")
