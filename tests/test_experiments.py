import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from medgan_helpers import artifacts, chexpert, experiments
from medgan_helpers.experiments import arms, trial
from medgan_helpers.experiments import films as pool_films

TINY = dict(films=2000, size=32, steps=2, batch_size=64, extra=6, test=3, generator_steps=4, percent=6)


@pytest.fixture(autouse=True)
def smoke(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("MEDGAN_PROFILE", "smoke")
    monkeypatch.setenv("MEDGAN_BUILD", str(tmp_path_factory.getbasetemp() / "build"))  # shares rendered films
    artifacts.activate("smoke")


@pytest.fixture
def work(monkeypatch):
    """work(function): what a cell does from now on, Cell -> row, in place of training."""
    return lambda function: monkeypatch.setattr(trial, "run_cell", function)


# --- the grid -----------------------------------------------------------------------------------


def test_finished_cells_are_never_run_again(tmp_path, work):
    out, done = tmp_path / "grid.csv", []

    def pretend(cell):
        done.append(cell.seed)
        return {"score": cell.seed}

    work(pretend)
    experiments.run(experiments.cells(seeds=(0, 1), arms=["none"]), out)
    table = experiments.run(experiments.cells(seeds=(2, 1, 0, 1), arms=["none"]), out)
    assert done == [0, 1, 2]
    assert table.score.tolist() == [2, 1, 0]
    assert len(pd.read_csv(out)) == 3


def test_a_run_that_stops_keeps_what_is_finished(tmp_path, work):
    out, asked = tmp_path / "grid.csv", experiments.cells(seeds=range(4), arms=["none"])

    def stop(cell):
        if cell.seed == 2:
            raise KeyboardInterrupt
        return {"score": cell.seed}

    work(stop)
    with pytest.raises(KeyboardInterrupt):
        experiments.run(asked, out)
    assert pd.read_csv(out).seed.tolist() == [0, 1]
    assert {path.name for path in tmp_path.iterdir()} <= {"grid.csv", "grid.lock"}
    work(lambda cell: {"score": cell.seed})
    assert len(experiments.run(asked, out)) == 4


def test_two_runs_on_one_csv_keep_each_other_s_rows(tmp_path, work):
    out = tmp_path / "grid.csv"

    def pretend(cell):
        if cell.seed == 1:  # meanwhile another process finishes cells of its own
            experiments.run(experiments.cells(seeds=(7, 8), arms=["none"]), out)
        return {"score": 0.1 * cell.seed}

    work(pretend)
    table = experiments.run(experiments.cells(seeds=range(3), arms=["none"]), out)
    assert table.score.tolist() == [0, 0.1, 0.2]
    kept = pd.read_csv(out, float_precision="round_trip").set_index("seed").score
    assert kept.to_dict() == {seed: 0.1 * seed for seed in (0, 7, 8, 1, 2)}


def test_an_arm_of_an_older_table_is_found_under_its_new_name(tmp_path, work):
    out = tmp_path / "grid.csv"
    work(lambda cell: {"score": 1})
    experiments.run([{"arm": "lesion_gan"}], out)
    out.write_text(out.read_text().replace("lesion_gan", "gan"))
    work(None)  # nothing is left to do
    table = experiments.run([{"arm": "lesion_gan"}], out)
    assert table.arm.tolist() == ["lesion_gan"]
    assert experiments.Cell.complete({"arm": "gan"}).arm == "lesion_gan"


def test_every_arm_has_a_function_and_a_description():
    assert set(arms.MAKE) == set(experiments.ARMS)


def test_cells_are_every_combination_and_settings_follow_from_the_profile():
    asked = experiments.cells(percents=(1, 10), arms=("none", "lesion_gan"), seeds=(0, 1), steps=7)
    assert len({experiments.Cell.complete(cell) for cell in asked}) == 8
    assert all(experiments.Cell.complete(cell).steps == 7 for cell in asked)
    assert experiments.Cell.complete({}).size == 32


@pytest.mark.parametrize(
    ("cell", "message"),
    [({"arm": "magic"}, "unknown arm 'magic'"), ({"colour": 1}, "colour"), ({"percent": 0}, "at most 100")],
)
def test_impossible_cells_are_named(tmp_path, cell, message):
    with pytest.raises(ValueError, match=message):
        experiments.run([cell], tmp_path / "grid.csv")


def test_a_csv_of_something_else_is_not_overwritten(tmp_path):
    out = tmp_path / "grid.csv"
    out.write_text("name,value\na,1\n")
    with pytest.raises(ValueError, match="not a table of cells"):
        experiments.run([{}], out)
    assert out.read_text() == "name,value\na,1\n"


@contextmanager
def cluster(folder):
    """A dask scheduler and two worker processes: (address, workers)."""
    note = folder / "scheduler.json"
    shared = ["--scheduler-file", str(note), "--no-dashboard", "--host", "127.0.0.1"]
    python = [sys.executable, "-m"]
    lead = [*python, "distributed.cli.dask_scheduler", "--port", "0", *shared]
    work = [*python, "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1", *shared]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    scheduler, workers = subprocess.Popen(lead, **quiet), []
    try:
        while not note.exists() or not note.read_text().endswith("}"):  # written in pieces: wait for the last
            time.sleep(0.05)
        workers += [subprocess.Popen(work, **quiet) for _ in range(2)]  # they read the same note
        yield json.loads(note.read_text())["address"], workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_loses_no_cell(tmp_path, work):
    def pretend(cell):  # travels by value: the workers need not import this file
        import time

        time.sleep(0.15)
        return {"score": cell.seed * 10 + cell.percent}

    work(pretend)
    asked = experiments.cells(percents=(1, 10), seeds=range(8), arms=["none"])
    out = tmp_path / "grid.csv"
    with cluster(tmp_path) as (address, workers):

        def kill_one():
            while not out.exists() or len(pd.read_csv(out)) < 3:
                time.sleep(0.02)
            workers[0].kill()

        killer = threading.Thread(target=kill_one, daemon=True)
        killer.start()
        table = experiments.run(asked, out, scheduler=address)
        killer.join()
        assert workers[0].wait() == -signal.SIGKILL
    assert len(table) == 16
    kept = pd.read_csv(out)
    assert len(kept) == 16
    assert not kept.duplicated(["percent", "seed"]).any()
    assert (kept.score == kept.seed * 10 + kept.percent).all()


# --- what the arms are made of ------------------------------------------------------------------


def tiny(arm="none", **options):
    return experiments.Cell.complete(TINY | {"arm": arm} | options)


@pytest.mark.slow
def test_patients_never_cross_and_regimens_are_nested():
    frame = pool_films.pool(2000, 32).frame
    small, large = (pool_films.parts(frame, percent, 0, 3) for percent in (1, 6))
    assert set(small["train"].index) < set(large["train"].index)
    for part in ("valid", "test"):
        assert not set(large["train"].patient) & set(large[part].patient)
        assert small[part].index.equals(large[part].index)
    assert not set(large["valid"].patient) & set(large["test"].patient)
    other = pool_films.parts(frame, 6, 1, 3)
    assert set(other["train"].index) != set(large["train"].index)
    assert other["test"].index.equals(large["test"].index)


@pytest.mark.slow
def test_a_rare_finding_stands_alone_and_the_test_films_are_stratified():
    frame = pool_films.pool(2000, 32).frame
    rare = frame[list(chexpert.RARE)] == 1
    assert rare.sum(axis=1).max() == 1
    assert rare.sum().tolist() == [80, 80, 80]
    test = pool_films.parts(frame, 100, 0, 3)["test"]
    assert (test[list(chexpert.RARE)] == 1).sum().tolist() == [3, 3, 3]
    assert len(test) == 17  # and eight without any of them


@pytest.mark.slow
def test_films_are_rendered_once_and_the_same_everywhere():
    source = pool_films.pool(2000, 32)
    first = source.films([5, 3, 5])
    assert first.shape == (3, 32, 32)
    assert torch.equal(first[0], first[2])
    assert not torch.equal(first[0], first[1])
    elsewhere = pool_films.Pool(2000, 32, pool_films.POOL_SEED, 0.04)
    elsewhere.done[5] = 0  # render it again
    assert torch.equal(elsewhere.films([5])[0], first[0])


def test_films_begun_by_another_process_are_never_replaced(tmp_path, monkeypatch):
    first = pool_films.memory_map(tmp_path / "pool.films", (2, 4))
    first[0] = 7
    monkeypatch.setattr(Path, "exists", lambda path: False)  # as if both had looked before either began
    second = pool_films.memory_map(tmp_path / "pool.films", (2, 4))
    second[1] = 9
    assert first.tolist() == second.tolist() == [[7] * 4, [9] * 4]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    os.environ["MEDGAN_PROFILE"] = "smoke"
    os.environ["MEDGAN_BUILD"] = str(tmp_path_factory.getbasetemp() / "build")
    return trial.cell_films(tiny())


@pytest.fixture(scope="module")
def added(loaded):
    """added(arm): what an arm adds to the loaded films, made once."""
    return cache(lambda arm: arms.added(tiny(arm), loaded))


@pytest.fixture(scope="module")
def first_run(loaded):
    """The row of a cell without augmentation, and how many films its classifier scored, call by call."""
    read, logits = [], trial.DenseNet.logits
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial.DenseNet, "logits", lambda model, x: read.append(len(x)) or logits(model, x))
        return trial.run_cell(tiny()), read


@pytest.mark.slow
def test_the_loss_of_an_added_film_counts_only_its_finding(added):
    for arm in set(arms.MAKE) - {"none", "standard"}:
        extra = added(arm)
        assert set(extra) == set(chexpert.RARE), arm
        for finding, films in extra.items():
            assert films.films.shape == (6, 32, 32)
            assert films.films.dtype == torch.uint8
            assert (films.frame[finding] == 1).all()
            assert films.frame.drop(columns=finding).isna().all(axis=None)
    assert added("none") == added("standard") == {}


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["duplicate", "copypaste", "blob", "lesion_gan", "stargan", "leaky"])
def test_a_regimen_without_a_rare_positive_gets_nothing(loaded, arm):
    real = loaded["train"]
    none = pool_films.Films(real.films, real.frame.assign(**dict.fromkeys(chexpert.RARE, 0)), real.numbers)
    assert arms.added(tiny(arm), loaded | {"train": none}) == {}


@pytest.mark.slow
def test_the_test_films_are_read_once(first_run):
    row, read = first_run
    assert read.count(row["n"]) == 1


@pytest.mark.slow
def test_duplicates_are_the_regimens_own_positives_evenly(loaded):
    real = loaded["train"]
    films = arms.duplicate(tiny("duplicate", extra=12), loaded)["Fracture"]
    own = real.films[real.positives("Fracture")]
    matches = [(own == film).all((1, 2)).nonzero()[0].item() for film in films]
    counts = np.bincount(matches, minlength=len(own))
    assert counts.max() - counts.min() <= 1


@pytest.mark.slow
def test_synthetic_films_are_made_from_negatives_of_the_regimen(loaded, added):
    real = loaded["train"]
    made = added("lesion_gan")["Lung Lesion"].films.float()
    grounds = real.films[real.negatives()].float()
    distance = (made[:, None] - grounds[None]).abs().mean((2, 3)).min(1).values
    assert distance.max() < 30  # grey levels: only a square has changed


@pytest.mark.slow
def test_oracle_patients_are_in_no_other_set(loaded, added):
    fresh = added("oracle")["Fracture"].films
    for part in ("train", "valid", "test"):
        assert not (fresh[:, None] == loaded[part].films[None]).all((2, 3)).any()


def test_arms_that_draw_at_marks_get_the_same_films_and_places(loaded):
    def grounds(arm):
        return arms.places(tiny(arm), loaded["train"])["Fracture"]

    one, other = grounds("blob"), grounds("lesion_gan")
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(one.marks, one.targets)  # the jitter


@pytest.mark.slow
def test_a_cell_gives_the_same_row_again_and_its_scores_are_kept(first_run, tmp_path):
    cell, out, first = TINY | {"arm": "none"}, tmp_path / "grid.csv", first_run[0]
    again = experiments.run([cell], out).iloc[0]
    for column in ("Lung Lesion", "rare", "rare low", "macro", "train", "valid"):
        assert first[column] == pytest.approx(again[column], abs=1e-6), column
    assert 0 <= first["rare low"] <= first["rare"] <= first["rare high"] <= 1
    assert first["added"] == 0 and np.isnan(first["probe"])
    assert first["n"] == 17  # three positives of each rare finding, eight others
    assert experiments.difference(cell, cell, out=out) == (0, 0, 0)
    labels, scores, patients = experiments.test_scores(cell, out=out)
    assert labels.shape == scores.shape == (17, 3)
    assert labels.sum(0).tolist() == [3, 3, 3]
    assert len(patients) == 17
    assert "scores" not in pd.read_csv(out)


@pytest.mark.slow
def test_a_generator_makes_the_same_films_again(added):
    row = trial.run_cell(tiny("lesion_gan"))
    assert row["added"] == 18
    kept = experiments.kept_films(tiny("lesion_gan"))
    for finding, films in added("lesion_gan").items():
        assert np.abs(kept[finding].astype(int) - films.films.numpy()).max() <= 1, finding
