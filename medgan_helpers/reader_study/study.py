"""The test itself: pairs of films, the widget or the page that asks, the answers and their score."""

import base64
import hashlib
import io
import json
import os
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import HTML, display
from PIL import Image

from .. import artifacts, dcgan, metrics, real_trial, session, simulator, training
from ..checks import (
    door,
    each,
    estimate,
    every,
    named,
    number,
    plain_name,
    table,
    told,
    whole,
    words,
)
from ..checks import path as file_name
from ..images import grey_films
from .rules import SIDES, TEST

COLUMNS = ["reader", "test", "pair", "answer"]
LIVE = ("JPY_SESSION_NAME", "COLAB_RELEASE_TAG")  # set where Jupyter's server or Colab started the kernel
QUICK = 6  # pairs of the quick round
PAGE = "would-you-be-fooled"  # the page of the book that holds the forms
REAL = f"{PAGE}-real"  # the form of the real round
FORM = artifacts.ASSETS / "turing.html"


@dataclass(frozen=True)
class Test:
    """Pairs of films, one real and one synthetic, in random order."""

    films: np.ndarray  # (n, 2, size, size) uint8: left, right
    truth: np.ndarray  # (n,) 0 or 1: the side of the synthetic film
    sources: tuple  # (n,) names: who made it

    def __len__(self):
        return len(self.truth)

    @property
    def key(self):
        """A fingerprint of the films: answers to one test are not scored against another."""
        return hashlib.sha256(self.films.tobytes()).hexdigest()[:8]


@door(sources=named, pairs=whole())
def make(sources, pairs=8, seed=0):
    """A blinded test of `pairs` pairs a source, fewer where a source has fewer films.

    sources: {name: (real, synthetic)}, films (n, size, size) uint8 or (n, 1, size, size) in [-1, 1]. No film
    is shown twice; which ones, their order and their sides are drawn from the seed. The sources take turns,
    so that the first few pairs, the quick round, hold about as many of each.
    """
    rng = np.random.default_rng(seed)
    drawn, names = [], []
    for name, both in sources.items():
        if not isinstance(both, tuple | list) or len(both) != 2:
            raise TypeError(f"{name} is {told(both)}: expected two sets of films, (real, synthetic)")
        real, synthetic = (_uint8(films) for films in both)
        if real.shape[1:] != synthetic.shape[1:]:
            raise ValueError(f"{name}: real films {real.shape[1:]}, synthetic ones {synthetic.shape[1:]} px")
        if len(shared := {film.tobytes() for film in real} & {film.tobytes() for film in synthetic}):
            raise ValueError(f"{name}: {len(shared)} synthetic films are real ones too: expected two sets")
        count = min(pairs, len(real), len(synthetic))
        if count == 0:
            raise ValueError(f"{name}: {len(real)} real and {len(synthetic)} synthetic films make no pair")
        chosen = [films[rng.permutation(len(films))[:count]] for films in (real, synthetic)]
        drawn.append(np.stack(chosen, axis=1))
        names += [name] * count
    if len(sides := {one.shape[2:] for one in drawn}) > 1:
        raise ValueError(f"sources have films of {sorted(sides)} pixels: expected one size")
    films, order = np.concatenate(drawn), _in_turn(np.array(names), rng)
    truth = rng.integers(2, size=len(names))
    places = np.stack([1 - truth, truth], axis=1)  # where truth is 0, the synthetic film, number 1, goes left
    films = films[order][np.arange(len(names))[:, None], places]
    return Test(films, truth, tuple(names[k] for k in order))


@door(pairs=whole(1, 10_000))
def real_round(pairs=10, seed=0, size=64):
    """A test whose real films are of patients: `pairs` beside simulated films, as many beside a DCGAN's.

    The patients are those of the test part of `session.real_films`. The DCGAN is the shipped one that learnt
    from real films, or, where there is none, the one that learnt from simulated films; its name says which.
    """
    films = session.real_films(size)
    real = films.store.subset(films.splits["test"])[:]
    half = len(real) // 2  # no film in two pairs
    simulated, *_ = simulator.sample(pairs, size, seed + 9000, twins=False, masks=False)
    model, name = real_trial.drawer(), "DCGAN, from real films"
    if model is None:
        model, name = training.shipped(dcgan.DCGAN)[0], "DCGAN, from simulated films"
    drawn = model.generate(pairs, seed=seed)
    sources = {"simulated": (real[:half], simulated), name: (real[half:], drawn)}
    return make(sources, pairs, seed)


def _in_turn(names, rng):
    """Positions of `names` in random order, but so that equal names come in different rounds."""
    shuffled = rng.permutation(len(names))
    rounds = pd.Series(names[shuffled]).groupby(names[shuffled]).cumcount()
    return shuffled[np.argsort(rounds, kind="stable")]


def _uint8(films):
    films = grey_films(films) if isinstance(films, torch.Tensor) else np.asarray(films)
    if films.ndim != 3 or films.dtype != np.uint8:
        raise ValueError(
            f"expected films (n, size, size) uint8 or a tensor (n, 1, size, size) in [-1, 1], found "
            f"{films.dtype} {films.shape}"
        )
    return films


# ---------------------------------------------------------------- statistics
@door(test=TEST)
def score(test, answers):
    """How often the synthetic film was found: hits, n, value, low, high (Wilson, 95 %), one row per source.

    answers: "left" or "right", one per pair, in their order; a Series indexed by the pairs' numbers may
    have any. Guessing gives one half. The last row is all of them.
    """
    answers = _one_a_pair(test, answers)
    _check_answers(answers)
    right = np.asarray(answers) == np.array(SIDES)[test.truth]
    groups = {name: np.array(test.sources) == name for name in dict.fromkeys(test.sources)}
    groups["all"] = np.ones(len(test), bool)
    table = {
        name: [right[which].sum(), which.sum(), *metrics.proportion(right[which].sum(), which.sum())]
        for name, which in groups.items()
    }
    frame = pd.DataFrame(table, index=["hits", "n", "value", "low", "high"]).T
    return frame.astype({"hits": int, "n": int})


def _one_a_pair(test, answers):
    """The answers in the order of their pairs; refuse what is not one for each."""
    if np.ndim(answers) != 1:
        raise TypeError(f"answers is {told(answers)}: expected a list of left or right, one a pair")
    if len(answers) != len(test):
        raise ValueError(f"{len(answers)} answers to a test of {len(test)} pairs")
    pairs = getattr(answers, "index", None)  # a list has a method of that name
    if not isinstance(pairs, pd.Index) or not pd.api.types.is_integer_dtype(pairs):
        return answers
    for first in (0, 1):
        if sorted(pairs) == list(range(first, first + len(test))):
            return answers.sort_index()
    raise ValueError(f"answers to the pairs {sorted(pairs)[:9]}: expected each of 1 to {len(test)} once")


def _check_answers(answers):
    for answer in answers:
        if answer not in SIDES:
            raise ValueError(f"the answer {answer!r} is not left or right")


@door(answers=table())
def agreement(answers, seed=0):
    """Fleiss' kappa of the readers, with a 95 % interval from drawing pairs with replacement: Estimate.

    answers: DataFrame, one row per reader (at least two), one column per pair, as `read_answers` gives it.
    1: always the same answer; 0: as often as guessing at the same rates would; nan: nobody ever varied.
    It says that readers see the same thing, not that they are right. For two readers see also Cohen's kappa,
    sklearn.metrics.cohen_kappa_score, which lets each reader have a rate of his or her own.
    """
    if len(answers) < 2:
        raise ValueError(f"agreement needs at least two readers, found {len(answers)}")
    rows, columns = (all(isinstance(one, str) for one in axis) for axis in (answers.index, answers.columns))
    if columns and not rows:
        raise ValueError("answers has readers as columns: expected one row per reader, as answers.T has it")
    _check_answers(answers.to_numpy().ravel())
    counts = np.stack([(answers == side).sum().to_numpy() for side in SIDES], axis=1)  # (pairs, 2)
    draws = np.random.default_rng(seed).integers(len(counts), size=(metrics.BOOTSTRAPS, len(counts)))
    return metrics.interval(_kappa(counts), [_kappa(counts[draw]) for draw in draws])


def _kappa(counts):
    """Fleiss' kappa of counts (pairs, 2); nan where nobody ever varied, for then it is not defined."""
    if (counts.sum(0) == counts.sum()).any():
        return np.nan
    from torchmetrics.functional.nominal import fleiss_kappa  # takes seconds, and few readers get so far

    return fleiss_kappa(torch.from_numpy(counts), mode="counts").item()


@door(files=every(file_name), test=TEST)
def read_answers(files, test):
    """The answers that several readers sent in, one csv each, as the form and the widget write them.

    files: paths with the columns reader, test, pair (1, 2, ...), answer ("left" or "right").
    Returns a DataFrame: one row per reader, one column per pair. Raises ValueError that names the file where
    one is no such table, belongs to another test, lacks a pair, or comes from a reader who is there already.
    """
    rows = {}
    for file in map(Path, files):
        table = _read_one(file, test)
        reader = table["reader"].iloc[0]
        if reader in rows:
            raise ValueError(f"{file.name}: a second file of reader {reader!r}; keep one, or tell them apart")
        rows[reader] = table.set_index("pair")["answer"].sort_index()
    if not rows:
        raise ValueError("files is empty: expected one file per reader")
    return pd.DataFrame(rows).T.rename_axis("reader")


def _read_one(file, test):
    if not file.is_file():
        raise FileNotFoundError(f"{file} is no file: expected one reader's answers")
    table = artifacts.read_csv(file, dtype=str, keep_default_na=False)
    if list(table) != COLUMNS or table.empty:
        raise ValueError(f"{file.name}: expected the columns {', '.join(COLUMNS)}, found {', '.join(table)}")
    if set(table["test"]) != {test.key}:
        raise ValueError(f"{file.name} answers the test {table['test'].iloc[0]!r}, this one is {test.key!r}")
    if table["reader"].nunique() > 1 or not table["reader"].iloc[0].strip():
        raise ValueError(f"{file.name}: expected one named reader, found {sorted(set(table['reader']))}")
    wrong = ~table["answer"].isin(SIDES)
    if wrong.any():
        raise ValueError(f"{file.name}: the answer {table['answer'][wrong].iloc[0]!r} is not left or right")
    table["pair"] = pd.to_numeric(table["pair"], errors="coerce")
    if sorted(table["pair"]) != list(range(1, len(test) + 1)):
        raise ValueError(f"{file.name}: expected the pairs 1 to {len(test)}, once each")
    return table


@door(path=file_name, test=TEST, reader=words)
def write_answers(path, test, reader, answers):
    """Write one reader's answers ("left" or "right", one per pair) as `read_answers` reads them.

    Raises ValueError where `path` holds anything but this reader's answers to this test: they would be lost.
    """
    answers = list(_one_a_pair(test, answers))
    _check_answers(answers)
    path = Path(path)
    if path.exists() and reader != (other := _read_one(path, test)["reader"].iloc[0]):
        raise ValueError(f"{path} holds the answers of {other!r}: give {reader!r} a file of its own")
    numbers = range(1, len(test) + 1)
    table = pd.DataFrame({"reader": reader, "test": test.key, "pair": numbers, "answer": answers})
    artifacts.write_csv(path, table[COLUMNS])


# ---------------------------------------------------------------- the test as a page, and as a widget
@door(test=TEST, name=plain_name)
def ask(test, name=PAGE):
    """Show the test: as a widget where a reader sits at a live kernel, else as a page that needs none.

    Without the package ipywidgets, too, it is the page: build/<profile>/results/<name>.html, which the book
    shows on a page of its own.
    """
    if any(name in os.environ for name in LIVE):
        try:
            display(widget(test))
            return
        except ModuleNotFoundError:
            print("The package ipywidgets is not installed; the page does the same.")
    path = artifacts.folder("results") / f"{name}.html"
    with artifacts.atomic(path) as temporary:
        temporary.write_text(form(test))
    display(HTML(f"<p>{len(test)} pairs: see the page <em>Would you be fooled?</em></p>"))


@door(test=TEST)
def form(test):
    """The test as one piece of HTML: films, radio buttons, and a script that scores; no kernel, no network.

    A quick round takes the first QUICK pairs, a full one all of them. The intervals are made here, by
    `metrics.proportion`, for every possible number of hits: the page looks them up, so that it cannot
    disagree with `score`.
    """
    facts = {
        "key": test.key,
        "truth": test.truth.tolist(),
        "sources": list(test.sources),
        "intervals": {n: [list(metrics.proportion(k, n))[1:] for k in range(n + 1)]
                      for n in range(1, len(test) + 1)},
    }  # fmt: skip
    pairs = "\n".join(_fieldset(test, k) for k in range(len(test)))
    safe = json.dumps(facts).replace("<", "\\u003c")  # a source's name must not end the script
    parts = {"key": test.key, "rounds": _rounds(len(test)), "pairs": pairs, "facts": safe}
    page = FORM.read_text()
    for name, part in parts.items():
        page = page.replace("{{" + name + "}}", part)
    return page


def _rounds(count):
    """Radio buttons for a quick and a full round; one button where the test is no longer than a quick one."""
    sizes = {"quick": QUICK, "full": count} if count > QUICK else {"full": count}
    first = next(iter(sizes))
    return " ".join(
        f'<label><input type="radio" name="round" value="{size}"{" checked" * (name == first)}> '
        f"{name} round, {size} pairs</label>"
        for name, size in sizes.items()
    )


def _fieldset(test, number):
    name = f"turing-{test.key}-{number}"
    choices = "".join(
        f'<label><input type="radio" name="{name}" value="{side}">{_picture(test, number, side)}'
        f"<span>{side}</span></label>"
        for side in SIDES
    )
    legend = f"<legend>Pair {number + 1} of {len(test)}</legend>"
    return f'<fieldset class="question">{legend}<div class="pair">{choices}</div><p></p></fieldset>'


def _picture(test, number, side):
    """An <img> that carries its pixels; the words do not say which film is synthetic."""
    buffer = io.BytesIO()
    Image.fromarray(test.films[number, SIDES.index(side)]).save(buffer, "png")
    pixels = base64.b64encode(buffer.getvalue()).decode()
    alt = escape(f"Pair {number + 1}, film on the {side}")
    return f'<img alt="{alt}" width="256" height="256" src="data:image/png;base64,{pixels}">'


@door(test=TEST)
def widget(test):
    """The test as an ipywidget, one pair at a time; at the end the score, and a csv in results/."""
    import ipywidgets  # not in every environment, and nothing else needs it

    reader = ipywidgets.Text(description="Your name", value="reader")
    buttons = [ipywidgets.Button(description=f"{side} is synthetic") for side in SIDES]
    films, words, answers = ipywidgets.HTML(), ipywidgets.HTML(), []
    box = ipywidgets.VBox([reader, films, ipywidgets.HBox(buttons), words])
    box.answers = answers

    def show():
        if len(answers) < len(test):
            pictures = " ".join(_picture(test, len(answers), side) for side in SIDES)
            films.value = f"<p>Pair {len(answers) + 1} of {len(test)}</p>{pictures}"
            return
        path = artifacts.folder("results") / f"turing-{test.key}-{_plain(reader.value)}.csv"
        write_answers(path, test, reader.value.strip() or "reader", answers)
        films.value = score(test, answers).round(2).to_html()
        words.value = f"<p>{verdict(score(test, answers).loc['all'])} Your answers: {escape(str(path))}</p>"
        for button in buttons:
            button.disabled = True

    for side, button in zip(SIDES, buttons, strict=True):
        button.on_click(lambda _, side=side: (answers.append(side), show()))
    show()
    return box


def _plain(name):
    return "".join(letter if letter.isalnum() else "-" for letter in name.strip()) or "reader"


def _row(name, row):
    """A row of `score`."""
    if getattr(row, "ndim", 1) != 1 or not hasattr(row, "keys"):
        raise TypeError(f"{name} is {told(row)}: expected one row, as score(...).loc['all']")
    each(number(), "hits", "n", "value", "low", "high")(name, row)


@door(row=_row)
def verdict(row):
    """One sentence on a row of `score`: what its interval allows to say. The form says the same."""
    found = f"{row['hits']:.0f} of {row['n']:.0f} synthetic films found"
    interval = f"{row['value']:.0%}, 95 % interval {row['low']:.0%} to {row['high']:.0%}; guessing: 50 %"
    if row["low"] > 0.5:
        meaning = "You can tell them apart."
    elif row["high"] < 0.5:
        meaning = "You were fooled: the synthetic films look more real to you than the real ones."
    else:
        meaning = f"{row['n']:.0f} pairs are too few to tell whether you see a difference."
    return f"{found} ({interval}). {meaning}"


@door(found=each(_row), kappa=estimate)
def verdicts(found, kappa):
    """Markdown on {who: a row of `score`} and the `agreement` of those who looked (a coin does not)."""
    lines = [f"- **{who}**: {verdict(row)}" for who, row in found.items()]
    alike = f"Fleiss' kappa of those who looked: **{kappa.value:.2f}** ({kappa.low:.2f} to {kappa.high:.2f})."
    return "\n".join([*lines, "", alike])
