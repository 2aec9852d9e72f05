"""Pages that grow with results: claims on real films, and costs."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

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


# --- commands of the page -----------------------------------------------------------------------

PAGE = (claims.HERE.parent / "beyond-one-machine.md").read_text()
ROOT = claims.HERE.parents[1]


def lines(word, language="python"):
    """The one block of the page in that language that holds a word."""
    [block] = [text for text in re.findall(rf"```{language}\n(.+?)```", PAGE, re.DOTALL) if word in text]
    return block


def run_cells(script, folder, path=""):
    """Run a script of the page in a folder, with the smoke profile; return the arms in its csv."""
    (folder / "lines.py").write_text(script)
    small = {"MEDGAN_PROFILE": "smoke", "MEDGAN_BUILD": str(folder / "build"), "OMP_NUM_THREADS": "1"}
    small["PATH"] = f"{path}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "lines.py"]
    done = subprocess.run(command, cwd=folder, env=os.environ | small, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return sorted(pd.read_csv(folder / "grid.csv")["arm"])


@pytest.mark.slow
def test_the_lines_for_a_local_cluster_run_as_they_stand(tmp_path):
    assert run_cells(lines("LocalCluster"), tmp_path) == ["duplicate", "none"]


SBATCH = """#!/bin/sh
name=$(mktemp -u {folder}/job-XXXXXX)
cp "$1" $name.sh
setsid sh $name.sh > $name.out 2>&1 &
echo Submitted batch job $!
"""
SCANCEL = """#!/bin/sh
for job; do kill -- -$job; echo $job >> {folder}/cancelled; done
"""


@pytest.mark.slow
def test_the_lines_for_slurm_run_in_jobs_that_they_send(tmp_path):
    """A stand-in for sbatch starts each job as a process here."""
    pytest.importorskip("dask_jobqueue")
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    script = lines("SLURMCluster")
    assert "range(50)" in script  # a hundred cells
    assert run_cells(script.replace("range(50)", "[0]"), tmp_path, tmp_path) == ["duplicate", "none"]
    jobs = [path.read_text() for path in tmp_path.glob("job-*.sh")]
    assert len(jobs) == 2 == len((tmp_path / "cancelled").read_text().split())
    for job in jobs:
        assert {"#SBATCH -p YOUR_QUEUE", "#SBATCH --mem=6G", "#SBATCH -t 02:00:00"} < set(job.splitlines())
        assert f"{sys.executable} -m distributed.cli.dask_worker" in job and "--nthreads 1" in job


def strict(schema):
    """A schema of Kubernetes as jsonschema reads it, in which a field that it does not name is an error."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: strict(part) for name, part in schema.items()}
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


def without_nulls(pairs):
    return {name: value for name, value in pairs if value is not None}


def test_the_lines_for_kubernetes_send_what_its_operator_takes(monkeypatch):
    operator = pytest.importorskip("dask_kubernetes.operator")
    import jsonschema

    from medgan_helpers import experiments

    sent = []

    class Cluster:
        scheduler_address = "tcp://localhost:8786"

        def __init__(self, custom_cluster_spec):
            sent.append(json.loads(json.dumps(custom_cluster_spec)))

        __enter__ = __exit__ = lambda self, *error: self

    monkeypatch.setattr(operator, "KubeCluster", Cluster)
    monkeypatch.setattr(experiments, "run", lambda cells, out, scheduler: sent.append((cells, scheduler)))
    exec(lines("KubeCluster"), {})
    [spec, (cells, scheduler)] = sent
    assert len(cells) == 20 == spec["spec"]["worker"]["replicas"] and scheduler.endswith(":8786")
    charts = Path(operator.__file__).parent / "deployment/helm/dask-kubernetes-operator/crds"
    [version] = yaml.safe_load((charts / "daskcluster.yaml").read_text())["spec"]["versions"]
    schema = strict(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
    # Kubernetes drops what is null
    kept = json.loads(json.dumps(spec["spec"]), object_pairs_hook=without_nulls)
    jsonschema.validate(kept, schema)
    with pytest.raises(jsonschema.ValidationError, match="unexpected"):
        jsonschema.validate(kept | {"workers": 20}, schema)
    for part in ("scheduler", "worker"):  # what a pod starts exists: `dask scheduler`, `dask worker`
        command = kept[part]["spec"]["containers"][0]["args"]
        assert command[:2] == ["dask", part]
        known = subprocess.run(
            [sys.executable, "-m", f"distributed.cli.dask_{part}", "--help"], capture_output=True, text=True
        ).stdout
        assert all(option in known for option in command if option.startswith("--"))


TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]


def as_hosts(commands, folder):
    """Run one torchrun a host, all on this machine, each with a disk of its own; return what they print."""
    hosts = []
    for number, command in enumerate(commands):
        mine = {"MEDGAN_BUILD": str(folder / f"host{number}"), "CUDA_VISIBLE_DEVICES": ""}
        environment = os.environ | mine | {"OMP_NUM_THREADS": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        hosts.append(subprocess.Popen([*TORCHRUN, *command], env=environment, cwd=ROOT, **pipes))
    try:
        said = [host.communicate(timeout=300) for host in hosts]
    finally:
        for host in hosts:
            host.terminate()  # a torchrun that is killed would leave its process behind
        for host in hosts:
            host.wait(60)
    assert [host.returncode for host in hosts] == [0, 0], said
    return [out for out, _ in said]


def free_port():
    with socket.socket() as place:
        place.bind(("localhost", 0))
        return place.getsockname()[1]


@pytest.mark.slow
def test_the_line_for_several_hosts_ends_with_equal_weights(tmp_path):
    text = lines("--nnodes", "bash").replace("\\\n", "")
    small = {"--nproc-per-node 8": "--nproc-per-node 1", "HOST:29500": f"localhost:{free_port()}"}
    for old, new in small.items() | {"profile full": "profile smoke", "50000": "2"}.items():
        assert old in text
        text = text.replace(old, new)
    name, *options = shlex.split(text)
    assert name == "torchrun"
    said = as_hosts([options, options], tmp_path)
    digests = re.findall(r"process (\d) of 2: 2 steps, weights (\w{12})", "".join(said))
    assert {number for number, _ in digests} == {"1", "2"}
    assert len({digest for _, digest in digests}) == 1


GO_ON = """
import hashlib, os, sys
sys.path.insert(0, "tests")
from test_training import DCGAN, SMALL, films, training
model = DCGAN(**SMALL, norm="batch", augment=False)
training.fit(model, films(8), int(sys.argv[1]), checkpoint=os.environ["MEDGAN_BUILD"])
weights = b"".join(p.detach().numpy().tobytes() for p in model.generator.parameters())
print("steps", model.steps_done, hashlib.sha256(weights).hexdigest())
"""


@pytest.mark.slow
def test_hosts_without_a_disk_in_common_go_on_from_the_checkpoint_of_process_0(tmp_path):
    (tmp_path / "train.py").write_text(GO_ON)

    def train(steps, folder):
        place = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"localhost:{free_port()}"]
        host = ["--nnodes", "2", "--nproc-per-node", "1", *place, str(tmp_path / "train.py"), str(steps)]
        said = as_hosts([host, host], folder)
        assert len(set(said)) == 1
        return said[0]

    train(2, tmp_path / "halves")
    assert len(list((tmp_path / "halves").iterdir())) == 1  # one host has the checkpoint
    assert train(4, tmp_path / "halves") == train(4, tmp_path / "whole")
