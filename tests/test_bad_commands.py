"""Bad commands: each ends with one sentence and a status that is not 0, and writes nothing.

A row is (script, its arguments, words of the message). IN is a folder with four films and labels.csv.
"""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import fake_films
import pandas as pd
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
BAD_COMMANDS = [
    ("simulate_chexpert", "OUT --images 0", "0 films"),
    ("simulate_chexpert", "OUT --images -3", "-3 films"),
    ("simulate_chexpert", "OUT --images many", "invalid int value: 'many'"),
    ("simulate_chexpert", "OUT --size 4", "24 to 512 pixels"),
    ("simulate_chexpert", "OUT --size 9000", "24 to 512 pixels"),
    ("simulate_chexpert", "OUT --views side", "invalid choice: 'side'"),
    ("simulate_chexpert", "OUT --prevalence half", "invalid choice: 'half'"),
    ("simulate_chexpert", "OUT --rare-boost 0", "rare_boost is 0"),
    ("simulate_chexpert", "OUT --rare-boost nan", "rare_boost is nan"),
    ("simulate_chexpert", "IN --images 2", "not an empty folder"),
    ("simulate_chexpert", "IN/labels.csv --images 2", "not an empty folder"),
    ("simulate_chexpert", "", "required: root"),
    ("import_folder", "", "required: folder, csv, target"),
    ("import_folder", "nowhere nowhere.csv OUT", "no folder of films at nowhere"),
    ("import_folder", "IN nowhere.csv OUT", "no table at nowhere.csv"),
    ("import_folder", "IN IN OUT", "no table at"),
    ("import_folder", "IN IN/labels.csv OUT --side large", "large: expected a whole number"),
    ("import_folder", "IN IN/labels.csv OUT --side -5", "-5: expected a whole number"),
    ("import_folder", "IN IN/labels.csv OUT --side 3", "3: expected 8 pixels or more"),
    ("import_folder", "IN IN/labels.csv OUT --rename Path", "expected YOURS=THEIRS"),
    ("import_folder", "IN IN/labels.csv OUT --patient-pattern (", "'(' is no regular expression"),
    ("import_folder", "IN IN/labels.csv OUT --patient-pattern zebra", "finds no patient"),
    ("import_folder", "IN IN/labels.csv OUT", "no column 'patient'"),
    ("import_folder", "IN IN/labels.csv IN --one-patient-a-file", "is not empty"),
    ("import_nih", "nowhere OUT", "nowhere"),
    ("import_nih", "IN OUT", "Data_Entry_2017"),
    ("prepare_chexpert", "nowhere", "no train.csv in nowhere"),
    ("prepare_chexpert", "IN/labels.csv", "say with --to FOLDER"),
    ("prepare_chexpert", "IN/labels.csv --to OUT", "no whole zip archive"),
    ("prepare_chexpert", "IN --sample -1", "-1: expected a whole number"),
    ("prepare_chexpert", "IN --to OUT", "--to is for an archive"),
    ("fetch_chestmnist", "OUT --size 100", "choose from"),
    ("rebuild_brain", "--wheel nowhere.whl", "nowhere.whl: no such file"),
    ("rebuild_thorax", "--wheel IN/labels.csv", "is it another version?"),
    ("train_networks", "resnet", "resnet"),
    ("train_networks", "dcgan --steps -5", "--steps -5"),
    ("execute", "nowhere.ipynb OUT.ipynb", "nowhere.ipynb"),
    ("execute", "NOTEBOOK OUT.ipynb PROFILE", "NAME=VALUE"),
    ("execute", "NOTEBOOK OUT.ipynb PROFIL=smoke", "no parameter PROFIL"),
    ("execute", "", "execute.py SOURCE TARGET NAME=VALUE"),
    ("execute", "NOTEBOOK OUT.ipynb SEED=one", "SEED is one: expected a whole number, as 3"),
    ("execute", "NOTEBOOK OUT.ipynb SEED=1.5", "SEED is 1.5: expected a whole number"),
    ("execute", "NOTEBOOK OUT.ipynb SEED=True", "SEED is True: expected a whole number"),
    ("execute", "NOTEBOOK NOTEBOOK PROFILE=smoke", "is the source itself: give another target"),
    ("execute", "NOTEBOOK IN/own.ipynb", "own.ipynb was not made by this script, and would be lost"),
    ("execute", "NOTEBOOK IN/labels.csv", "labels.csv is no whole notebook"),
    ("fetch_chestmnist", "OUT --cache IN/labels.csv", "a file: name the folder in which the npz file lies"),
    ("grid", "--arms magic", "invalid choice: 'magic'"),
    ("grid", "--percents 0 --out OUT", "no cell of the plan"),
    ("grid", "--percents ten --out OUT", "invalid float value: 'ten'"),
    ("grid", "--out IN/labels.csv", "is not a table of cells"),
    (
        "grid",
        "--percents 1 --arms none --seeds 0 --out IN/mine.csv",
        "mine.json was not written by this script",
    ),
    ("grid", "--percents 1 --arms none --seeds 0 --out IN/mine.json", "expected the name of a csv"),
    ("import_folder", "IN IN/labels.csv OUT --patient-pattern x*", "finds an empty text in"),
    ("check", "", "missing a required argument: 'site'"),
    ("check", "nowhere", "nowhere"),
    ("exam", "", "missing a required argument: 'folder'"),
    ("exam", "OUT 99.9", "99.9"),
    ("slides", "", "missing a required argument: 'folder'"),
    ("slides", "OUT nowhere.ipynb", "nowhere.ipynb"),
    ("pdf", "", "missing a required argument: 'site'"),
    ("pdf", "nowhere OUT.pdf", "nowhere"),
    ("minutes", "", "missing a required argument: 'profile'"),
    ("minutes", "class nowhere.ipynb", "nowhere.ipynb"),
    ("policy", "", "missing a required argument: 'site'"),
    ("policy", "nowhere", "no pages in nowhere"),
    ("stage", "", "missing a required argument: 'folder'"),
    ("live_stills", "picasso", "picasso"),
    ("gate", "nowhere.csv", "nowhere.csv"),
    ("blind_look", "note nowhere.csv --reader me", "the csv of the answers"),
    ("blind_look", "look OUT", "invalid choice: 'look'"),
    ("one_training", "--steps -1", "steps is -1"),
    ("one_training", "--profile huge", "invalid choice: 'huge'"),
    ("contact_sheets", "--seed -1", "seed is -1"),
    ("minutes", "clas NOTEBOOK", "unknown profile 'clas'"),
    ("minutes", "class NOTEBOOK", "has not been executed"),
    ("minutes", "class IN/labels.csv", "labels.csv is no whole notebook"),
    ("slides", "OUT IN/labels.csv", "labels.csv is no whole notebook"),
    ("slides", "OUT NOTEBOOK", "has not been executed, so it has no results to show"),
    ("stage", "OUT IN/labels.csv", "labels.csv is no whole notebook"),
    ("stage", "OUT", "expected executed notebooks"),
    ("student", "IN/labels.csv", "labels.csv is a file"),
    ("gate", "IN/labels.csv", "no column 'percent'"),
    ("blind_look", "note IN/labels.csv --reader me", "no column 'film'"),
    ("blind_look", "draw IN/labels.csv", "is a file: expected a folder"),
    ("generators", "train dcgan --seconds 0", "it is 0: expected 1 or more"),
    ("real_restoration", "--size 4", "choose from"),
    ("real_restoration", "--steps 0", "it is 0: expected 1 or more"),
    ("realism", "nowhere", "no folder at nowhere"),
    ("realism", "IN --seed -1", "it is -1: expected 0 or more"),
    ("realism", "IN --out IN/labels.csv", "no table of this command: it would be lost"),
    ("simulator", "--out IN/labels.csv", "no table of this command: it would be lost"),
    ("rebuild_brain", "--out IN/labels.csv", "not made by this command: it would be lost"),
    ("rebuild_thorax", "--out IN/labels.csv", "not made by this command: it would be lost"),
    ("contact_sheets", "--out IN/labels.csv", "is a file: expected a folder"),
    ("contact_sheets", "--out IN", "organs.png was not drawn by this script, and would be lost"),
    ("train_networks", "dcgan --threads 0", "it is 0: expected 1 to 1024"),
]
BOOK = ["check", "exam", "execute", "live_stills", "minutes", "pdf", "policy", "slides", "stage", "student"]
PLACES = dict.fromkeys(BOOK, "book/scripts") | dict.fromkeys(
    ("grid", "gate", "one_training", "blind_look", "generators", "real_restoration", "realism"), "studies"
)
PLACES["simulator"] = "benchmarks"


@pytest.mark.parametrize(("script", "line", "words"), BAD_COMMANDS)
def test_a_bad_command_gets_one_clear_sentence(script, line, words, tmp_path, monkeypatch, capsys):
    fake_films.folder(tmp_path / "in", films=4, prefix="", name="labels")
    notebook = ROOT / "notebooks" / "01-data-exploration.ipynb"
    shutil.copy(notebook, tmp_path / "in" / "own.ipynb")
    (tmp_path / "in" / "mine.json").write_text('{"my": "settings"}')
    shutil.copy(next((tmp_path / "in").rglob("*.jpg")), tmp_path / "in" / "organs.png")
    names = {"IN": tmp_path / "in", "OUT": tmp_path / "out", "NOTEBOOK": notebook}
    for name, place in names.items():
        line = line.replace(name, str(place))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "book" / "scripts")
    monkeypatch.setattr(sys, "argv", [f"{script}.py", *line.split()])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / PLACES.get(script, "data_scripts") / f"{script}.py"), run_name="__main__")
    said = f"{ended.value.code} {capsys.readouterr().err}"
    assert words in said and ended.value.code not in (0, None) and "Traceback" not in said
    assert [
        path for path in sorted(tmp_path.rglob("*")) if path not in before and path.suffix != ".lock"
    ] == []


FOLDERS = ("book/scripts", "data_scripts", "studies", "benchmarks")
SCRIPTS = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).glob("*.py"))
    if "__main__" in path.read_text()
]


def files():
    """What a script might write over: the times of change of the repository's files."""
    kept = [path for folder in ("book", "medgan_helpers", "notebooks") for path in (ROOT / folder).rglob("*")]
    return {
        path: path.stat().st_mtime_ns
        for path in [*kept, *ROOT.glob("*")]
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_answers_help_and_refuses_what_it_does_not_know(script, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(script.parent)
    before = files()
    for option, statuses in (("--help", (0, None)), ("--huh", (1, 2))):
        monkeypatch.setattr(sys, "argv", [script.name, option])
        status = None
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as ended:
            status = ended.code
        said = "".join(capsys.readouterr())
        assert status in statuses and len(said.split()) > 5 and "Traceback" not in said
    assert files() == before and list(tmp_path.iterdir()) == []


def test_a_notebook_gets_values_of_its_own_types(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "scripts")
    import execute

    notebook = ROOT / "notebooks" / "03-dcgan.ipynb"
    given = {"PROFILE": "1", "DATASET": "", "SEED": "3", "TRAIN": "False"}
    assert execute.typed(notebook, given) == {"PROFILE": "1", "DATASET": "", "SEED": 3, "TRAIN": False}
    with pytest.raises(SystemExit, match="TRAIN is false: expected True or False"):
        execute.typed(notebook, {"TRAIN": "false"})
    assert execute.value_like("LR", "1", "0.5") == 1.0 and execute.value_like("N", "x", "len([])") == "x"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["PROFILE=huge"], "smoke, class"),
        (["nothing"], "nothing"),
        (["book", "profile=smoke"], "unknown setting profile: choose among PROFILE"),
        (["book", "PROFIL=smoke"], "unknown setting PROFIL"),
        (["exam", "ids=60", "IDS=60"], "unknown setting ids"),
        (["book", "DATA_ROOT=/my/films"], "DATA_ROOT is given, but no DATASET"),
        (["book", "DATA_ROOT=/my/films", "DATASET=simulated"], "DATA_ROOT is given"),
    ],
)
def test_make_says_what_it_does_not_know(arguments, words):
    done = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode and words in done.stderr


@pytest.mark.parametrize("word", ["DATASET=my films", "DATASET=../films", "PROFILE=class films", "PROFILE="])
def test_make_clean_removes_no_other_folder(word, tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("films", "build/class-my", "build/class"):
        (tmp_path / name).mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(["make", "clean", word], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode and word.split("=")[0] in done.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert subprocess.run(["make", "clean", "DATASET=my"], cwd=tmp_path, capture_output=True).returncode == 0
    assert not (tmp_path / "build/class-my").exists() and (tmp_path / "build/class").exists()


def test_an_exam_of_ones_own_stays(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "scripts")
    import exam

    for ids in (["1.1"], ["1.1", "2.1"]):  # the script's own sheets are made anew
        exam.main(tmp_path, *ids)
    assert "2.1" in (tmp_path / "solutions.html").read_text()
    for name in ("exam.html", "solutions.html"):
        shutil.copytree(tmp_path, copy := tmp_path / f"copy of {name}")
        (copy / name).write_text("my own")
        with pytest.raises(FileExistsError, match=f"{name} is not a sheet"):
            exam.main(copy, "1.1")
        assert (copy / name).read_text() == "my own"
    written_by_hand = (tmp_path / "exam.html").read_text().replace("</body>", "<p>Room 12</p></body>")
    (tmp_path / "exam.html").write_text(written_by_hand)
    with pytest.raises(FileExistsError, match=r"exam\.html is not a sheet as this script wrote it"):
        exam.main(tmp_path, "1.1")
    assert (tmp_path / "exam.html").read_text() == written_by_hand


WAYS_OUT = [
    "",
    "build",
    "build/",
    "build//.",
    "build/..",
    "build/../films",
    "build/class films",
    "films",
    "HERE",
]


@pytest.mark.parametrize("word", WAYS_OUT)
def test_make_clean_takes_no_build_but_one_below_build(word, tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("films", "build/class", "build/mine"):
        (tmp_path / name).mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    build = f"BUILD={word.replace('HERE', str(tmp_path / 'films'))}"
    done = subprocess.run(["make", "clean", build], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode and "expected a folder below build/" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before
    done = subprocess.run(["make", "clean", "BUILD=build/mine"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0 and not (tmp_path / "build/mine").exists() and (tmp_path / "films").exists()


@pytest.fixture
def studies(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "studies")


def test_the_gate_looks_for_all_scores_before_it_writes(studies, tmp_path, monkeypatch, capsys):
    import gate

    grid = tmp_path / "copy.csv"  # without the folder of scores that lies beside the original
    shutil.copy(gate.RESULTS / "grid.csv", grid)
    monkeypatch.setattr(gate, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["gate.py", str(grid)])
    with pytest.raises(SystemExit) as ended:
        gate.main()
    assert ended.value.code == 2 and "no scores at" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [grid]


def test_realism_reads_what_the_importers_write(studies, tmp_path):
    import realism

    for number in range(128):
        film = tmp_path / f"train/patient{number:05d}/study1/view1_frontal.{('png', 'jpg')[number % 2]}"
        film.parent.mkdir(parents=True)
        Image.fromarray(fake_films.noise((16, 16), number)).save(film)
    films, patients = realism.real_films(tmp_path, 8)
    assert films.shape == (128, 1, 8, 8) and len(set(patients)) == 128
    film.unlink()
    with pytest.raises(SystemExit, match=r"127 frontal films \(jpg, jpeg, png\) below"):
        realism.real_films(tmp_path, 8)


def test_a_readers_none_is_an_answer(studies, tmp_path, monkeypatch):
    import blind_look

    key = pd.DataFrame({"kind": ["made", "healthy", "healthy"], "finding": ["Edema", "none", "none"]})
    monkeypatch.setattr(blind_look, "deck", lambda: (None, key))
    monkeypatch.setattr(blind_look, "OUT", tmp_path / "table.csv")
    monkeypatch.setattr(blind_look.trial, "blind_look", str)  # its sentence needs a whole deck
    (tmp_path / "answers.csv").write_text("film,finding\n3,none\n1,Edema\n2,None\n")
    blind_look.note(tmp_path / "answers.csv", "Ada")
    assert list(pd.read_csv(tmp_path / "table.csv", keep_default_na=False).answer) == [
        "Edema",
        "none",
        "none",
    ]
    for answer in ("NA", ""):
        (tmp_path / "answers.csv").write_text(f"film,finding\n1,Edema\n2,none\n3,{answer}\n")
        with pytest.raises(ValueError, match=f"'{answer}' is none of Edema, none"):
            blind_look.note(tmp_path / "answers.csv", "Bea")
