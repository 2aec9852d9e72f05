import base64
import io
import json
import re
import shutil
import subprocess
import sys

import browser
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from sklearn.metrics import cohen_kappa_score

from medgan_helpers import artifacts, metrics, reader_study, session
from medgan_helpers.images import signed_batch

RNG = np.random.default_rng(0)
REAL = RNG.integers(0, 128, (9, 16, 16), dtype=np.uint8)  # dark, so that a test can tell them apart
MADE = RNG.integers(128, 256, (7, 16, 16), dtype=np.uint8)


@pytest.fixture
def test():
    return reader_study.make({"bright": (REAL, MADE), "again": (REAL, MADE)}, pairs=5, seed=3)


def right(test):
    return np.array(reader_study.SIDES)[test.truth]


def test_each_pair_holds_one_real_and_one_synthetic_film_where_the_truth_says(test):
    assert test.films.shape == (10, 2, 16, 16) and len(test) == 10
    brightness = test.films.mean((2, 3))
    np.testing.assert_array_equal(brightness.argmax(1), test.truth)
    assert 0 < test.truth.sum() < 10
    assert sorted(test.sources) == ["again"] * 5 + ["bright"] * 5
    for name in ("again", "bright"):
        films = test.films[np.array(test.sources) == name].reshape(-1, 256)
        assert len(np.unique(films, axis=0)) == 10  # no film twice


def test_the_seed_decides_and_the_key_tells_tests_apart(test):
    same, other = (reader_study.make({"bright": (REAL, MADE)}, pairs=5, seed=seed) for seed in (3, 4))
    again = reader_study.make({"bright": (REAL, MADE)}, pairs=5, seed=3)
    assert same.key == again.key != other.key
    np.testing.assert_array_equal(same.films, again.films)


def test_films_may_be_tensors_and_few():
    tensor = signed_batch(MADE)
    test = reader_study.make({"x": (REAL, tensor)}, pairs=100)
    assert len(test) == 7
    sums = test.films[range(7), test.truth].sum((1, 2))
    np.testing.assert_array_equal(np.sort(sums), np.sort(MADE.sum((1, 2))))


@pytest.mark.parametrize(
    ("real", "made", "message"),
    [(REAL[:0], MADE, "0 real"), (REAL[:, :8], MADE, r"\(8, 16\)"), (REAL / 255, MADE, "float64")],
)
def test_impossible_films_are_refused(real, made, message):
    with pytest.raises(ValueError, match=message):
        reader_study.make({"x": (real, made)})


def test_score_counts_hits_with_wilsons_interval(test):
    answers = right(test)
    wrong = np.where(answers == "left", "right", "left")
    assert reader_study.score(test, answers)["value"].tolist() == [1, 1, 1]
    mixed = np.where(np.array(test.sources) == "bright", answers, wrong)
    table = reader_study.score(test, mixed)
    assert table["hits"].to_dict() == {"bright": 5, "again": 0, "all": 5}
    assert tuple(table.loc["all", ["value", "low", "high"]]) == pytest.approx(metrics.proportion(5, 10))
    with pytest.raises(ValueError, match="9 answers to a test of 10"):
        reader_study.score(test, answers[1:])


def test_the_verdict_says_what_the_interval_allows(test):
    answers = right(test)
    wrong = np.where(answers == "left", "right", "left")
    assert "can tell" in reader_study.verdict(reader_study.score(test, answers).loc["all"])
    assert "were fooled" in reader_study.verdict(reader_study.score(test, wrong).loc["all"])
    half = np.where(np.arange(10) < 5, answers, wrong)
    assert "10 pairs are too few" in reader_study.verdict(reader_study.score(test, half).loc["all"])


# --- agreement --------------------------------------------------------------------------------------


def test_fleiss_kappa_by_hand():
    """Three readers, four pairs: P = (1 + 1 + 1/3 + 1/3) / 4, P_e = (7/12)^2 + (5/12)^2 (Fleiss 1971)."""
    rows = [[0, 1, 0, 1], [0, 1, 0, 0], [0, 1, 1, 0]]
    expected = (2 / 3 - 74 / 144) / (1 - 74 / 144)
    assert reader_study.agreement(readers(rows)).value == pytest.approx(expected, abs=1e-4)


def test_verdicts_name_everybody_and_how_far_they_agree(test):
    rows = {who: reader_study.score(test, ["left"] * 10).loc["all"] for who in ("Ada", "Bob")}
    said = reader_study.verdicts(rows, metrics.Estimate(0.25, 0.1, 0.4))
    assert said.count(reader_study.verdict(rows["Ada"])) == 2 and "- **Bob**: " in said
    assert said.endswith("Fleiss' kappa of those who looked: **0.25** (0.10 to 0.40).")


def readers(rows):
    names = [f"reader {k}" for k in range(len(rows))]
    return pd.DataFrame(np.array(reader_study.SIDES)[np.array(rows)], index=names)


def test_agreement_is_one_for_equals_and_zero_for_strangers():
    same = RNG.integers(2, size=40)
    assert reader_study.agreement(readers([same, same, same])) == pytest.approx((1, 1, 1), abs=1e-4)
    value, low, high = reader_study.agreement(readers(RNG.integers(2, size=(4, 2000))))
    assert abs(value) < 0.05 and low < 0 < high
    near = readers([same, np.where(np.arange(40) < 8, 1 - same, same)])
    value, low, high = reader_study.agreement(near)
    assert low < value < high
    assert value == pytest.approx(cohen_kappa_score(*near.to_numpy()), abs=0.02)  # near Cohen's


def test_agreement_without_variation_or_partner_is_undefined():
    assert np.isnan(reader_study.agreement(readers(np.zeros((3, 10), int)))).all()
    with pytest.raises(ValueError, match="two readers"):
        reader_study.agreement(readers(np.zeros((1, 10), int)))


# --- answers on disk --------------------------------------------------------------------------------


def test_answers_travel_through_files(test, tmp_path):
    sent = {"Ada": right(test), 'B, "the second"': np.array(["left"] * 10)}
    for k, (name, answers) in enumerate(sent.items()):
        reader_study.write_answers(tmp_path / f"{k}.csv", test, name, answers)
    table = reader_study.read_answers(sorted(tmp_path.glob("*.csv")), test)
    assert table.index.tolist() == list(sent) and table.columns.tolist() == list(range(1, 11))
    assert reader_study.score(test, table.loc["Ada"]).loc["all", "value"] == 1


def spoil(column, value):
    return lambda table: table.assign(**{column: [value, *table[column].iloc[1:]]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[["reader", "pair"]], "expected the columns"),
        (lambda table: table.iloc[1:], "pairs 1 to 10"),
        (lambda table: table.iloc[:0], "expected the columns"),
        (spoil("pair", "one"), "pairs 1 to 10"),
        (spoil("answer", "maybe"), "'maybe' is not left or right"),
        (spoil("reader", "Bob"), "one named reader"),
        (lambda table: table.assign(reader=" "), "one named reader"),
        (lambda table: table.assign(test="0000"), "this one is"),
    ],
)
def test_spoilt_answers_are_named(test, tmp_path, change, message):
    reader_study.write_answers(tmp_path / "ada.csv", test, "Ada", right(test))
    change(pd.read_csv(tmp_path / "ada.csv", dtype=str)).to_csv(tmp_path / "ada.csv", index=False)
    with pytest.raises(ValueError, match=message) as found:
        reader_study.read_answers([tmp_path / "ada.csv"], test)
    assert "ada.csv" in str(found.value)


def test_a_reader_counts_once_and_a_film_is_no_table(test, tmp_path):
    for name in ("a.csv", "b.csv"):
        reader_study.write_answers(tmp_path / name, test, "Ada", right(test))
    with pytest.raises(ValueError, match=r"b\.csv: a second file of reader 'Ada'"):
        reader_study.read_answers([tmp_path / "a.csv", tmp_path / "b.csv"], test)
    (tmp_path / "c.csv").write_bytes(bytes(range(128, 256)))
    with pytest.raises(ValueError, match=r"c\.csv is no text in UTF-8"):
        reader_study.read_answers([tmp_path / "c.csv"], test)


# --- the page and the widget ------------------------------------------------------------------------


def test_the_form_shows_every_film_and_loads_nothing(test):
    page = BeautifulSoup(reader_study.form(test), "html.parser")
    pictures = page.find_all("img")
    shown = [np.asarray(Image.open(io.BytesIO(base64.b64decode(p["src"].split(",")[1])))) for p in pictures]
    np.testing.assert_array_equal(np.stack(shown), test.films.reshape(-1, 16, 16))
    assert all(p["alt"] for p in pictures) and "http" not in reader_study.form(test)
    questions = page.find_all("fieldset", class_="question")
    assert [len({radio["name"] for radio in field.find_all("input")}) for field in questions] == [1] * 10
    assert all(field.legend.text for field in page.find_all("fieldset"))
    assert [radio["value"] for radio in page.find_all("input", attrs={"name": "round"})] == ["6", "10"]
    words = page.get_text(" ") + " ".join(p["alt"] for p in pictures)
    assert "again" not in words.split("const facts")[0].replace("Start again", "")  # not who made what


def test_a_quick_round_holds_every_source_alike():
    sources = {name: (np.tile(REAL, (2, 1, 1)), np.tile(MADE, (2, 1, 1))) for name in "abc"}
    test = reader_study.make(sources, pairs=8, seed=1)
    assert [sorted(test.sources[k : k + 3]) for k in range(0, 24, 3)] == [["a", "b", "c"]] * 8
    assert len({test.sources[k : k + 3] for k in range(0, 24, 3)}) > 1  # in an order of their own


def test_the_form_knows_the_intervals_of_score(test):
    facts = json.loads(re.search(r"const facts = (\{.+\});", reader_study.form(test))[1])
    assert facts["truth"] == test.truth.tolist() and facts["sources"] == list(test.sources)
    assert facts["intervals"]["10"][7] == pytest.approx(metrics.proportion(7, 10)[1:])
    assert all(len(rows) == int(n) + 1 for n, rows in facts["intervals"].items())
    assert set(facts["intervals"]) == {str(n) for n in range(1, 11)}


# What a reader does: the quick round by its buttons, all answers right but the first; then the full round.
PLAYED = """<pre id="seen"></pre><script>
const form = document.querySelector("form.turing"), seen = [];
const note = text => seen.push(text), shown = () => form.querySelectorAll(".question:not([hidden])").length;
const choose = value => {
  const radio = form.querySelector(".question:not([hidden]) input[value=" + value + "]");
  radio.checked = true;
};
const next = () => form.elements.next.click();
const truth = TRUTH, sides = ["left", "right"];
const status = () => form.querySelector("[role=status]").textContent;
note("pairs shown: " + shown());
next(); note(status());
for (let k = 0; k < 6; k++) { choose(sides[k ? truth[k] : 1 - truth[0]]); next(); }
note(status()); note("pairs shown: " + shown());
note("file: " + !form.elements.save.hidden);
form.elements.again.click(); note("pairs shown: " + shown() + status());
form.querySelectorAll("[name=round]")[1].click();
for (let k = 0; k < 10; k++) { choose(sides[truth[k]]); next(); }
note(status()); note("file: " + !form.elements.save.hidden);
const tops = [...form.querySelector(".pair").children].map(label => label.getBoundingClientRect().top);
note("side by side: " + (tops[0] === tops[1]) + ", width " + form.querySelector("img").clientWidth);
document.getElementById("seen").textContent = seen.join("\\n");
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
@pytest.mark.parametrize(("width", "film"), [(1280, 256), (500, 128)])
def test_the_form_works_in_a_browser_without_a_kernel(test, tmp_path, width, film):
    page = tmp_path / "page.html"
    played = PLAYED.replace("TRUTH", str(test.truth.tolist()))
    page.write_text("<!doctype html><meta charset=utf-8>" + reader_study.form(test) + played)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
    command += ["--disable-background-networking", f"--user-data-dir={tmp_path}/browser"]
    command += [f"--window-size={width},900", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    seen = BeautifulSoup(done.stdout, "html.parser").find(id="seen").text.splitlines()
    assert seen[0] == "pairs shown: 1" and "Choose one" in seen[1]
    assert seen[2].startswith("5 of 6 synthetic films found") and "6 pairs are too few" in seen[2]
    assert seen[3:6] == ["pairs shown: 6", "file: false", "pairs shown: 1"]
    assert seen[6].startswith("10 of 10") and "You can tell them apart" in seen[6]
    assert seen[7:] == ["file: true", f"side by side: true, width {film}"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
def test_the_arrow_keys_choose_the_side_that_they_point_to(test, tmp_path):
    """Also in a pair that nobody has touched, where radio buttons by themselves go round to the other end."""
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><meta charset=utf-8>" + reader_study.form(test))
    with browser.Browser() as chromium:
        shown = chromium.open(page.as_uri())
        asked = "document.querySelector('.question:not([hidden])')"
        chosen = f"{asked}.querySelector(':checked')?.value ?? 'none'"
        shown.evaluate(f"{asked}.focus()")
        shown.press("Enter", 13)
        assert "left arrow key" in shown.evaluate("document.querySelector('[role=status]').textContent")
        for presses, expected in ((["Left"], "left"), (["Right"], "right"), (["Right", "Right"], "right")):
            assert shown.evaluate(chosen) == "none"
            for key in presses:
                shown.press(f"Arrow{key}", {"Left": 37, "Right": 39}[key])
            assert shown.evaluate(chosen) == expected
            shown.press("Enter", 13)
        assert shown.evaluate(f"{asked}.querySelector('legend').textContent") == "Pair 4 of 6"
        shown.evaluate(f"{asked}.querySelector('input').focus()")  # by Tab: the first film
        shown.press("ArrowLeft", 37)
        assert shown.evaluate(chosen) == "left" and shown.problems == []


def test_a_name_cannot_end_the_script():
    test = reader_study.make({"</script><b>": (REAL, MADE)}, pairs=2)
    assert "</script><b>" not in reader_study.form(test)


def test_the_widget_scores_and_keeps_the_answers(test, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDGAN_BUILD", str(tmp_path))
    box = reader_study.widget(test)
    name, _, buttons, words = box.children
    name.value = "Ada L."
    for side in right(test):
        buttons.children[reader_study.SIDES.index(side)].click()
    assert box.answers == right(test).tolist() and "can tell" in words.value
    assert all(button.disabled for button in buttons.children)
    table = reader_study.read_answers(artifacts.folder("results").glob("turing-*-Ada-L-.csv"), test)
    assert table.index.tolist() == ["Ada L."]


@pytest.mark.parametrize(
    ("variable", "package", "kind"),
    [(None, True, "HTML"), ("JPY_SESSION_NAME", True, "VBox"), ("COLAB_RELEASE_TAG", False, "HTML")],
)
def test_ask_needs_a_live_kernel_and_the_package_for_a_widget(
    test, tmp_path, monkeypatch, variable, package, kind
):
    shown = []
    monkeypatch.setattr(reader_study.study, "display", lambda thing: shown.append(type(thing).__name__))
    for name in reader_study.LIVE:
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "x.ipynb")
    if not package:
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.setenv("MEDGAN_BUILD", str(tmp_path))
    reader_study.ask(test)
    assert shown == [kind]
    pages = list(tmp_path.rglob("would-you-be-fooled.html"))
    assert [page.read_text() for page in pages] == [reader_study.form(test)] * (kind == "HTML")


def test_rules_of_one_line_answer_like_readers(test):
    rule = reader_study.by_rule(test, lambda film: -film.mean())  # synthetic films are the bright ones here
    assert rule == right(test).tolist()
    assert set(reader_study.by_coin(test, 0)) == set(reader_study.SIDES)
    flat, rough = np.zeros((8, 8), np.uint8), RNG.integers(0, 256, (8, 8), dtype=np.uint8)
    assert reader_study.detail(flat) == 0 < reader_study.detail(rough)
    needed = reader_study.pairs_needed(0.6)
    assert metrics.proportion(round(0.6 * needed), needed).low > 0.5
    assert metrics.proportion(round(0.6 * (needed - 5)), needed - 5).low <= 0.5


@pytest.mark.slow
def test_the_real_round_shows_patients_once_each():
    played = reader_study.real_round(pairs=4, seed=1)
    assert len(played) == 8 and played.films.shape[2:] == (64, 64)
    names = pd.Series(played.sources).value_counts()
    assert names["simulated"] == 4 and len(names) == 2 and any("DCGAN" in name for name in names.index)
    real = played.films[np.arange(8), 1 - played.truth]
    films = session.real_films(64)
    known = {film.tobytes() for film in films.store.subset(films.splits["test"])[:]}
    assert {film.tobytes() for film in real} <= known and len({film.tobytes() for film in real}) == 8
    fake = played.films[np.arange(8), played.truth]
    assert not {film.tobytes() for film in fake} & known
