"""Pages that grow with results: claims on real films, and costs."""

import os
import re
import subprocess
import sys

import claims
import pandas as pd
import pytest
import yaml

CLAIMS = yaml.safe_load((claims.HERE / "claims.yml").read_text())


TABLED = [claim for claim in CLAIMS if "csv" in claim]


@pytest.mark.parametrize("claim", TABLED, ids=lambda claim: claim["claim"])
def test_a_claim_quotes_its_table_or_says_that_it_has_not_been_run(claim, tmp_path):
    assert "has not been run" in claims.seen(claim, tmp_path)
    names = ("arm", "against", "method", "metric", "finding", "measure", "sets")
    row = dict.fromkeys(names, "psnr") | {
        "KID x 1000": 1.0,
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "size": 64,
        "steps": 9,
        "seeds": 3,
    }
    first = "== 'pretrained'" in claim["where"]
    row |= {"finding": "all nine", "arm": "pretrained" if first else "stargan"}
    if "'degraded'" in claim["where"]:
        row |= {"against": "degraded", "method": "clean"}
    pd.DataFrame([row]).to_csv(tmp_path / claim["csv"], index=False)
    said = claims.seen(claim, tmp_path)
    assert said.startswith("- ") and "0" in said
    assert claim.get("note", "").format_map(row) in said
    pd.DataFrame([row]).iloc[:0].to_csv(tmp_path / claim["csv"], index=False)
    assert "has not been run" in claims.seen(claim, tmp_path)


def test_scores_of_the_build_are_quoted_in_sentences(tmp_path):
    scores = tmp_path / "scores.csv"
    scores.write_text("name,value,low,high,n,unit\ncam/Edema/auc,0.7123,0.65,0.77,90,AUROC\nother,1,,,3,\n")
    claim = {
        "findings": ["Edema", "Fracture"],
        "said": ["FINDING: {cam/FINDING/auc}, {n of cam/FINDING/auc} films", "Always {other}"],
    }
    assert claims.recorded(claim, scores) == "- Edema: 0.712 (0.65 to 0.77), 90 films\n- Always 1"
    assert "has not been run" in claims.recorded({"said": ["{flow/kid}"]}, scores)
    assert "has not been run" in claims.recorded(claim, tmp_path / "none.csv")


def test_every_claim_on_scores_asks_for_names_that_chapters_record():
    notebooks = "".join(path.read_text() for path in (claims.HERE.parents[1] / "notebooks").glob("*.ipynb"))
    asked = [sentence for claim in CLAIMS for sentence in claim.get("said", [])]
    names = [name for sentence in asked for name in re.findall(r"\{(?:n of )?([^}]+)\}", sentence)]
    starts = {"/".join(name.split("/")[:2]) for name in names}
    assert starts and all(start in notebooks for start in starts)


def test_what_others_found_stands_beside_the_scores_of_the_build(tmp_path):
    scores = tmp_path / "scores.csv"
    scores.write_text("name,value,low,high,n,unit\nauc/1/none/rare,0.686,0.65,0.71,1700,AUROC\n")
    first = claims.found_markdown(scores).splitlines()[2]
    assert "https://doi.org/10.48550/arXiv.2107.02970" in first
    assert "no films added: 0.686 (0.65 to 0.71); with StarGAN's: not run" in first
    assert "0.686" not in claims.found_markdown(tmp_path / "none.csv")


def test_a_work_that_is_quoted_is_in_the_references():
    known = (claims.HERE.parent / "references.bib").read_text()
    for row in yaml.safe_load((claims.HERE / "found.yml").read_text()):
        assert row.get("doi", "") in known and ("doi" in row or row["address"].startswith("https://"))


def test_costs_follow_work_and_prices(monkeypatch):
    monkeypatch.syspath_prepend(str(claims.MACHINES.parent))
    import cost

    rows = [("classifier", 10.0, 0.2, 100, 60), ("dcgan", 10.0, None, 1, 600)]
    columns = ["network", "gflop", "cpu_seconds", "trainings", "steps"]
    work = pd.DataFrame(rows, columns=columns).assign(batch=100)
    machines = pd.read_csv(claims.MACHINES)
    table = cost.priced(work, machines).query("size == 64").set_index("machine")
    one, eight = table.loc["one GPU"], table.loc["eight GPUs"]
    gpu = machines.set_index("machine").loc["one GPU"]
    speed = gpu.peak_tflops * gpu.share_of_peak * 1e12
    # 100 x 60 + 600 steps of 100 images of 10 GFLOP
    assert one.minutes == pytest.approx(6600 * 1000e9 / speed / 60)
    assert eight.minutes == pytest.approx(one.minutes / 8) and eight.money == pytest.approx(one.money)
    nodes = table.loc["a hundred CPU nodes"]  # the longest training is the floor: 600 steps on one node
    assert nodes.minutes == pytest.approx(600 * 100 * 0.2 / 16 / 60)


def test_a_gpus_share_of_its_peak_is_the_one_that_was_measured(monkeypatch):
    monkeypatch.syspath_prepend(str(claims.MACHINES.parent))
    import cost

    bench = pd.read_csv(claims.RESULTS / "bench.csv").query("part == 'gpu'").set_index("what")
    gpu = cost.machines().set_index("machine").loc["one GPU"]
    assert gpu.peak_tflops == bench.ours["matrix product, bf16"]
    assert gpu.share_of_peak == bench[bench.index.str.endswith("arithmetic")].ratio.min()


def test_the_table_of_costs_is_the_csv(tmp_path):
    rows = [("one GPU", 64, 30.0, 1.2), ("one GPU", 128, 600.0, 25.0)]
    table = pd.DataFrame(rows, columns=["machine", "size", "minutes", "money"])
    table.to_csv(tmp_path / "cost.csv", index=False)
    assert "| one GPU | 30 minutes, 1 | 10 hours, 25 |" in claims.cost_markdown(tmp_path)
    assert "| Machines | 64 px (time, price units) | 128 px (time, price units) |" in claims.cost_markdown(
        tmp_path
    )
    assert "has not been computed" in claims.cost_markdown(tmp_path / "none")


@pytest.mark.slow
def test_the_lines_for_a_local_cluster_run_as_they_stand(tmp_path):
    page = (claims.HERE.parent / "beyond-one-machine.md").read_text()
    (tmp_path / "grid.py").write_text(re.search(r"```python\n(from distributed.+?)```", page, re.DOTALL)[1])
    small = {"MEDGAN_PROFILE": "smoke"}
    done = subprocess.run(
        [sys.executable, "grid.py"], cwd=tmp_path, env=os.environ | small, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert sorted(pd.read_csv(tmp_path / "grid.csv")["arm"]) == ["duplicate", "none"]
