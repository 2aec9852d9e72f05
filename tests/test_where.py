"""book/scripts/where.py: the minutes of chapters and tests, as page *Speed* shows them."""

import clock
import operations
import pandas as pd
import steps
import torch
import where

XML = """<testsuites><testsuite>
<testcase classname="notebooks.03-dcgan" name="Cell 1" time="90.0"/>
<testcase classname="tests.test_pages" name="a page" time="30.0"/>
<testcase classname="tests.test_images" name="one" time="15.0"/>
<testcase classname="tests.test_metrics" name="two" time="15.0"/>
</testsuite></testsuites>"""


def test_the_seconds_of_tests_are_summed_by_what_they_do(tmp_path, monkeypatch):
    monkeypatch.setattr(where, "TABLE", tmp_path / "minutes.csv")
    assert "not timed yet" in where.tests()
    (tmp_path / "proof.xml").write_text(XML)
    where.main(tmp_path / "proof.xml")
    minutes = pd.read_csv(where.TABLE).set_index("what").minutes
    assert minutes["every notebook as on Colab (nbval)"] == 1.5
    assert minutes["every page in a browser"] == 0.5
    assert minutes["all other tests"] == 0.5 and minutes.sum() == 2.5
    assert "| **all** | 2.5 |" in where.tests()


def test_what_a_chapter_s_minutes_went_into_adds_up():
    table = where.plans.runs()
    assert (table[clock.NAMES].sum(axis=1) <= table.minutes + 0.1).all()
    assert (table[clock.NAMES].sum(axis=1) >= 0.7 * table.minutes - 0.1).all()
    lines = where.chapters().splitlines()
    assert len(lines) == len(table) + 3 and lines[-1].startswith("| **all** | ")


def test_the_rehearsal_ran_every_chapter_and_says_what_memory_it_takes(tmp_path, monkeypatch):
    lines = where.rehearsed().splitlines()
    assert len(lines) == len(where.plans.runs()) + 3 and lines[0] == "| Chapter | Peak GB |"
    peaks = [float(line.split("|")[2].strip("* ")) for line in lines[2:]]
    assert peaks[-1] == max(peaks[:-1]) > 0.5
    monkeypatch.setattr(where, "REHEARSED", tmp_path / "none.csv")
    assert "not been run" in where.rehearsed()


def test_operations_are_what_computes_and_optimizers_do_not_count():
    weight = torch.ones(4, requires_grad=True)
    optimizer = torch.optim.Adam([weight])

    def step(batch):
        optimizer.zero_grad()
        (weight * batch.view(4)).sum().backward()  # one times another, the sum, and back again: 1, and times
        optimizer.step()

    many, moved = operations.count(step, torch.ones(2, 2))
    assert many == 4 and 16 < moved < 48


def test_what_the_speed_page_says_of_a_gpu_s_operations():
    assert steps.BATCH["cuda"] == where.GPU_BATCH
    rows = [line.strip("| ").split(" | ") for line in where.gpu_steps().splitlines()[2:]]
    many, moved, plain, recorded, times = (
        {row[0]: float(row[column].split(" (")[0].replace(",", "")) for row in rows} for column in range(1, 6)
    )
    assert {name for name, ratio in times.items() if ratio < 3} == {"Pix2Pix", "StarGAN"}
    assert max(plain.values()) < 1.5 * min(plain.values())  # Python's time, about the same
    assert max(moved, key=moved.get) == max(recorded, key=recorded.get) == "Pix2Pix"
    asked = pd.read_csv(where.RESULTS / "bench.csv").query("part == 'asked'").set_index("what")
    for row in rows:
        theirs = asked.loc[f"{row[0]}, operations of a training step", "theirs"]
        assert row[1].endswith(f" ({theirs:.0f})") and theirs != many[row[0]]
    assert max(many, key=many.get) == "StarGAN" and moved["StarGAN"] < moved["DCGAN"]


def test_what_the_speed_page_says_of_a_film_s_operations():
    bench = pd.read_csv(where.RESULTS / "bench.csv").set_index("what").ours
    for film in ("film", "film with twin and masks"):
        assert bench[f"{film}, operations"] > 1000
        assert 0.25 < 1 - bench[f"{film}, time inside of them"] < 0.42
