"""Reading the curves of a GAN: what `training.fit` returns, in words.

print(training.diagnose(history))
"""

import pandas as pd

from ..checks import door, having, one_of

# Rules of thumb, set between the failing and the cured runs of chapter 8; curves of both are in the tests.
MIN_ROWS = 5  # history rows below which curves say nothing
LITTLE_DIVERSITY = 0.35  # spread of a fake batch over the spread of a real one
WRONG_UNITS = 0.02  # of the same: less than any collapse leaves; real films in grey levels 0 to 255 give this
WON = 0.7  # D(x) - D(G(z)): hardly any overlap is left for the generator to learn from
SWING = 0.3  # standard deviation of D(x) - D(G(z)) over the last third
RISING = 1.1  # diversity of the second half of the last third over that of its first half
FLAT = 0.01  # relative movement of every loss below which nothing has been learnt
NO_OPINION = 0.03  # mean distance of D(x) and D(G(z)) over the last third below which D knows nothing
IDENTITY = 0.005  # mean |G(x, c) - x| in units of [-1, 1]: under one grey level of 256
WORDS = (  # that `diagnose` begins with
    "healthy", "collapse", "discriminator won", "oscillation", "not started", "diverged",
    "critic has not learnt the findings", "identity collapse",
)  # fmt: skip
NO_SKILL = 0.1  # share of the labels' entropy that the critic's class head explains


def diagnose(history):
    """Say in words what the curves show: "healthy: ...", "collapse: ...", "discriminator won: ...",
    "oscillation: ...", "not started: ...", "diverged: ..." (they end in nan alone), for StarGAN also "critic
    has not learnt the findings: ..." and "identity collapse: ...". history: what `fit` returns, or a dict of
    equally long lists."""
    if not isinstance(history, pd.DataFrame | dict | list):
        raise TypeError(f"history is a {type(history).__name__}: expected what training.fit returns")
    try:
        history = pd.DataFrame(history)
    except ValueError as error:
        raise ValueError("history: expected lists of one length, as training.fit returns them") from error
    losses = history.drop(columns=["step", "seconds", "images_per_second"], errors="ignore")
    if text := [name for name in losses if losses[name].map(lambda value: isinstance(value, str)).any()]:
        raise ValueError(f"history holds text in {', '.join(map(str, text))}: expected numbers, as 1.2")
    if losses.empty or len(losses.select_dtypes("number").columns) < losses.shape[1]:
        raise ValueError(f"history has the columns {list(history)}: expected losses, as training.fit returns")
    if ("d_real" in losses) != ("d_fake" in losses):
        raise ValueError("history has one of d_real and d_fake: expected both, or neither")
    if len(history) < MIN_ROWS:
        return f"not started: {len(history)} rows of history say nothing yet; train for at least {MIN_ROWS}"
    tail = losses.tail(max(MIN_ROWS, len(losses) // 3))
    if tail.isna().all(axis=None):
        return "diverged: the curves end in nan alone; look at the films, or lower the learning rates"
    mean = tail.mean()
    movement = (losses.max() - losses.min()) / (losses.abs().mean() + 1e-8)
    margin = tail["d_real"] - tail["d_fake"] if "d_real" in losses else pd.Series([0.5, 0.5])
    if movement.max() < FLAT:
        return "not started: no loss has moved; is the learning rate 0, or an optimizer without its network?"
    if mean.get("class_skill", 1) < NO_SKILL:
        return (
            "critic has not learnt the findings: its class head does little better than their prevalence, so "
            "it cannot teach them; pretrain it, or balance its batches"
        )
    if losses.iloc[-1].get("change", 1) < IDENTITY:  # it steals in late, and hardly varies from row to row
        return (
            "identity collapse: the generator returns its input, as the reconstruction weighs more than the "
            "findings; pretrain the critic's class head, lower the reconstruction weight"
        )
    if margin.mean() > WON:  # before collapse: what a beaten generator draws is not varied either
        seen = f"D(x) is {mean['d_real']:.2f} and D(G(z)) {mean['d_fake']:.2f}"
        return f"discriminator won: {seen}; slow it, use DiffAugment, spectral norm"
    if mean.get("diversity", 1) < LITTLE_DIVERSITY:
        seen = f"samples of one batch differ only {mean['diversity']:.1%} as much as real films do"
        return f"collapse: {seen}, {_advice(tail['diversity'])}"
    if margin.abs().mean() < NO_OPINION:
        return (
            f"not started: at the end D(x) and D(G(z)) are {margin.abs().mean():.3f} apart; D has learnt "
            "nothing yet, or there is nothing left to tell apart; train on, and look at the images"
        )
    if margin.std() > SWING:
        return "oscillation: the networks win in turn; lower the learning rates, average with an EMA"
    if "diversity" not in losses:
        return "healthy: neither network has won; look at the images"
    return "healthy: neither network has won, and samples vary; look at them, and at KID"


@door(verdicts=having("isin", "index", kind="a Series {failure: first word of training.diagnose}"))
def what_curves_say(verdicts):
    """A sentence on failing runs, Series {failure: what `diagnose` said, or its first words}: what did the
    curves show?"""
    verdicts = verdicts.map(lambda said: str(said).split(":")[0])
    for failure, word in verdicts.items():
        one_of(*WORDS)(f"what is said of {failure!r}", word)
    shown = verdicts[~verdicts.isin(["healthy", "not started"])]
    sentence = f"The curves say that something is wrong in **{len(shown)} of {len(verdicts)}** failing runs. "
    silent = verdicts.index[verdicts == "healthy"]
    if len(silent):
        sentence += (
            f"`training.diagnose`, which reads the last third, calls these healthy: **{', '.join(silent)}**. "
            "Eyes see them, or a number made for the purpose. "
        )
    return sentence + "And the word that it finds may be another disease's."


@door(verdicts=having("isin", "index", kind="a Series {failure: first word of training.diagnose}"))
def curves_in_short(verdicts):
    """The same without names, which the chapter asks its reader to predict."""
    words = verdicts.map(lambda said: str(said).split(":")[0])
    shown = len(words[~words.isin(["healthy", "not started"])])
    others = "; the others take eyes" if shown < len(words) else ""
    return f"The curves give {shown} of {len(words)} failing runs away{others}."


def _advice(diversity):
    """What to do about little diversity, from its last values."""
    half = len(diversity) // 2
    if diversity.mean() < WRONG_UNITS:
        return "so little that the films may be in the wrong range; assert that real ones are in [-1, 1]"
    if diversity.tail(half).mean() > RISING * diversity.head(half).mean():
        return "but more and more; train on, then ask again"
    return "and no more than before; try DiffAugment, spectral norm, a lower learning rate of the generator"
