"""Would you be fooled? A blinded test: two films side by side, one of them synthetic. Which one?

    test = reader_study.make({"DCGAN": (real, synthetic)}, pairs=8, seed=0)
    reader_study.ask(test)                      # a widget in a live notebook, else a form without a kernel
    answers = reader_study.read_answers(files, test)  # what several readers sent in
    reader_study.score(test, answers.loc["Ada"]) ; reader_study.agreement(answers)

Two films and a forced choice (Green & Swets, Signal Detection Theory, 1966) in place of one film and a yes
or no: a reader who calls everything synthetic gains nothing, and guessing is right in exactly one half.
"""

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

from . import artifacts, metrics
from .images import signed_to_uint8

SIDES = ("left", "right")
COLUMNS = ["reader", "test", "pair", "answer"]
LIVE = ("JPY_SESSION_NAME", "COLAB_RELEASE_TAG")  # set where Jupyter's server or Colab started the kernel
SHOWN_PX = 224  # side of a film on the page; pixels are enlarged, never smoothed
FORM = Path(__file__).parent / "assets" / "turing.html"


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


def make(sources, pairs=8, seed=0):
    """A blinded test of `pairs` pairs a source, fewer where a source has fewer films.

    sources: {name: (real, synthetic)}, films (n, size, size) uint8 or (n, 1, size, size) in [-1, 1]. No film
    is shown twice; which ones, their order and their sides are drawn from the seed.
    """
    rng = np.random.default_rng(seed)
    drawn, names = [], []
    for name, both in sources.items():
        real, synthetic = (_uint8(films) for films in both)
        if real.shape[1:] != synthetic.shape[1:]:
            raise ValueError(f"{name}: real films {real.shape[1:]}, synthetic ones {synthetic.shape[1:]} px")
        count = min(pairs, len(real), len(synthetic))
        if count == 0:
            raise ValueError(f"{name}: {len(real)} real and {len(synthetic)} synthetic films make no pair")
        chosen = [films[rng.permutation(len(films))[:count]] for films in (real, synthetic)]
        drawn.append(np.stack(chosen, axis=1))
        names += [name] * count
    films, order = np.concatenate(drawn), rng.permutation(len(names))
    truth = rng.integers(2, size=len(names))
    places = np.stack([1 - truth, truth], axis=1)  # where truth is 0, the synthetic film, number 1, goes left
    films = films[order][np.arange(len(names))[:, None], places]
    return Test(films, truth, tuple(names[k] for k in order))


def _uint8(films):
    films = signed_to_uint8(films)[:, 0].numpy() if isinstance(films, torch.Tensor) else np.asarray(films)
    if films.ndim != 3 or films.dtype != np.uint8:
        raise ValueError(
            f"expected films (n, size, size) uint8 or a tensor (n, 1, size, size) in [-1, 1], found "
            f"{films.dtype} {films.shape}"
        )
    return films


# ---------------------------------------------------------------- statistics
def score(test, answers):
    """How often the synthetic film was found: hits, n, value, low, high (Wilson, 95 %), one row a source.

    answers: "left" or "right", a pair each. Guessing gives one half. The last row is all of them.
    """
    if len(answers) != len(test):
        raise ValueError(f"{len(answers)} answers to a test of {len(test)} pairs")
    right = np.asarray(answers) == np.array(SIDES)[test.truth]
    groups = {name: np.array(test.sources) == name for name in dict.fromkeys(test.sources)}
    groups["all"] = np.ones(len(test), bool)
    table = {
        name: [right[which].sum(), which.sum(), *metrics.proportion(right[which].sum(), which.sum())]
        for name, which in groups.items()
    }
    frame = pd.DataFrame(table, index=["hits", "n", "value", "low", "high"]).T
    return frame.astype({"hits": int, "n": int})


def agreement(answers, seed=0):
    """Fleiss' kappa of the readers, with a 95 % interval from drawing pairs with replacement: Estimate.

    answers: DataFrame, one row a reader (at least two), one column a pair, as `read_answers` gives it.
    1: always the same answer; 0: as often as guessing at the same rates would; nan: nobody ever varied.
    It says that readers see the same thing, not that they are right. For two readers see also Cohen's kappa,
    sklearn.metrics.cohen_kappa_score, which lets each reader have a rate of his or her own.
    """
    if len(answers) < 2:
        raise ValueError(f"agreement needs at least two readers, found {len(answers)}")
    counts = np.stack([(answers == side).sum().to_numpy() for side in SIDES], axis=1)  # (pairs, 2)
    draws = np.random.default_rng(seed).integers(len(counts), size=(metrics.BOOTSTRAPS, len(counts)))
    return metrics.interval(fleiss_kappa(counts), [fleiss_kappa(counts[draw]) for draw in draws])


def fleiss_kappa(counts):
    """Agreement of m readers on N items (Fleiss, Psychological Bulletin 76, 1971, equations 1 to 7).

    counts: (N, categories), how many of the m readers chose each category for each item.
    """
    readers = counts[0].sum()
    share = counts.sum(0) / counts.sum()  # p_j: how often each category is chosen at all
    each = (np.square(counts).sum(1) - readers) / (readers * (readers - 1))  # P_i: agreeing pairs
    expected = np.square(share).sum()
    return float((each.mean() - expected) / (1 - expected)) if expected < 1 else np.nan


def read_answers(files, test):
    """The answers that several readers sent in, one csv each, as the form and the widget write them.

    files: paths with the columns reader, test, pair (1, 2, ...), answer ("left" or "right").
    Returns a DataFrame: one row a reader, one column a pair. Raises ValueError that names the file where one
    is no such table, belongs to another test, lacks a pair, or comes from a reader who is there already.
    """
    rows = {}
    for file in map(Path, files):
        table = _read_one(file, test)
        reader = table["reader"].iloc[0]
        if reader in rows:
            raise ValueError(f"{file.name}: a second file of reader {reader!r}; keep one, or tell them apart")
        rows[reader] = table.set_index("pair")["answer"].sort_index()
    return pd.DataFrame(rows).T.rename_axis("reader")


def _read_one(file, test):
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (ValueError, UnicodeError) as error:
        raise ValueError(f"{file.name} is not a csv table: {error}") from error
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


def write_answers(path, test, reader, answers):
    """Write one reader's answers ("left" or "right", a pair each) as `read_answers` reads them."""
    numbers = range(1, len(test) + 1)
    table = pd.DataFrame({"reader": reader, "test": test.key, "pair": numbers, "answer": answers})
    with artifacts.atomic(path) as temporary:
        table[COLUMNS].to_csv(temporary, index=False)


# ---------------------------------------------------------------- the test as a page, and as a widget
def ask(test):
    """Show the test: as a widget where a reader sits at a live kernel, else as a form that needs none.

    Without the package ipywidgets, too, the form is shown.
    """
    if any(name in os.environ for name in LIVE):
        try:
            display(widget(test))
            return
        except ModuleNotFoundError:
            print("The package ipywidgets is not installed; the form does the same.")
    display(HTML(form(test)))


def form(test):
    """The test as one piece of HTML: films, radio buttons, and a script that scores; no kernel, no network.

    The intervals are made here, by `metrics.proportion`, for every possible number of hits: the page looks
    them up, so that it cannot disagree with `score`.
    """
    sources = list(dict.fromkeys(test.sources))
    sizes = {len(test), *(test.sources.count(name) for name in sources)}
    facts = {
        "key": test.key,
        "truth": test.truth.tolist(),
        "sources": list(test.sources),
        "intervals": {n: [list(metrics.proportion(k, n))[1:] for k in range(n + 1)] for n in sizes},
    }
    pairs = "\n".join(_fieldset(test, k) for k in range(len(test)))
    safe = json.dumps(facts).replace("<", "\\u003c")  # a source's name must not end the script
    page = FORM.read_text()
    return page.replace("{{key}}", test.key).replace("{{pairs}}", pairs).replace("{{facts}}", safe)


def _fieldset(test, number):
    name = f"turing-{test.key}-{number}"
    choices = "".join(
        f'<label><input type="radio" name="{name}" value="{side}">{_picture(test, number, side)}'
        f"<span>{side}</span></label>"
        for side in SIDES
    )
    return f"<fieldset><legend>Pair {number + 1} of {len(test)}</legend>{choices}<p></p></fieldset>"


def _picture(test, number, side):
    """An <img> that carries its pixels; the words do not say which film is synthetic."""
    buffer = io.BytesIO()
    Image.fromarray(test.films[number, SIDES.index(side)]).save(buffer, "png")
    pixels = base64.b64encode(buffer.getvalue()).decode()
    alt = escape(f"Pair {number + 1}, film on the {side}")
    style = f"width: {SHOWN_PX}px; image-rendering: pixelated; filter: none"
    return f'<img alt="{alt}" style="{style}" src="data:image/png;base64,{pixels}">'


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


def verdict(row):
    """One sentence on a row of `score`: what its interval allows to say. The form says the same."""
    found = f"{row['hits']:.0f} of {row['n']:.0f} synthetic films found"
    interval = f"{row['value']:.0%}, 95 % interval {row['low']:.0%} to {row['high']:.0%}; guessing: 50 %"
    if row["low"] > 0.5:
        meaning = "You can tell them apart."
    elif row["high"] < 0.5:
        meaning = "You were fooled: the synthetic films look more real to you than the real ones."
    else:
        meaning = "This test cannot tell you from a coin."
    return f"{found} ({interval}). {meaning}"
