"""Each wording belongs to its result, and to no other."""

import numpy as np
import pandas as pd
import pytest

from medgan_helpers import metrics, paragraphs


@pytest.mark.parametrize(
    ("by_film", "single", "words"),
    [(0.7, False, "recognition"), (0.5, False, "shows no leak"), (0.7, True, "says nothing here")],
)
def test_leak(by_film, single, words):
    said = paragraphs.leak(
        pd.DataFrame({"split by film": [by_film] * 2, "split by patient": [0.6] * 2}), single
    )
    assert words in said and "**0.600**" in said
    assert sum(w in said for w in ("recognition", "shows no leak", "says nothing here")) == 1


@pytest.mark.parametrize(("low", "words"), [(200, "**not** like real ones"), (5, "no proof of likeness")])
def test_distance(low, words):
    rows = {
        "real: other real patients": (2, -4, 9), "real: simulated": (300, low, 400),
        "simulated: other simulated patients": (1, -3, 5), "simulated: real": (300, low, 400),
    }  # fmt: skip
    table = pd.DataFrame(rows, index=["value", "low", "high"]).T
    assert words in paragraphs.distance(table) and "300" in paragraphs.distance(table)


def test_an_untrained_network_is_compared_with_one_half():
    said = paragraphs.untrained(12345, 0.51, 0.7)
    assert said == "12,345 weights; probabilities about 0.51; loss 0.70, of saying one half always: 0.69."


def test_an_operating_point_comes_with_its_intervals():
    shares = metrics.Estimate(0.9, 0.8, 0.95), metrics.Estimate(0.7, 0.6, 0.75)
    said = paragraphs.operating(metrics.OperatingPoint(0.31, *shares))
    assert said.startswith("Threshold 0.31: sensitivity 0.90 (0.80 to 0.95), specificity 0.70 (0.60")


@pytest.mark.parametrize(("with_it", "words"), [(0.3, "by heart."), (0.9, "did not close the gap")])
def test_gap(with_it, words):
    curves = {"without": np.array([[0, 0.7, 0.7], [9, 0.1, 0.5]]), "with": np.array([[9, 0.2, with_it]])}
    said = paragraphs.gap(curves)
    assert words in said and "+0.400" in said


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.01, 0.1, "helped"), (-0.1, -0.01, "hurt"), (-0.1, 0.1, "no difference has been shown")],
)
def test_difference(low, high, words):
    said = paragraphs.difference(metrics.Estimate((low + high) / 2, low, high))
    assert sum(w in said for w in ("helped", "hurt", "no difference")) == 1 and words in said


def test_the_calibration_sentence_follows_the_numbers():
    errors = pd.DataFrame({"before": [0.2, 0.04], "after": [0.06, 0.05]}, index=["Edema", "Fracture"])
    said = paragraphs.calibration(errors)
    assert "Edema, by 20.0%" in said and "smaller for 1 of 2" in said and "came nearer" in said
    worse = errors[["after", "before"]].set_axis(errors.columns, axis=1)
    assert "did **not** come nearer" in paragraphs.calibration(worse)


def test_learnt():
    said = paragraphs.learnt({"thumbnails": (5550.4, 45, 23), "imagenet": (1465, 1500, 12)})
    assert "fell from 5550 to **45** (1 % of it); films of other patients are at 23" in said
    assert "did not fall: it went from 1465 to **1500**; films" in said and "*floor*" in said
