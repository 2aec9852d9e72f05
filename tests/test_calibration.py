"""Reliability curves and operating points."""

import numpy as np
import pytest

from medgan_helpers import metrics


def honest(n=20_000, seed=0):
    """Labels that come as often as the probabilities say."""
    rng = np.random.default_rng(seed)
    probabilities = rng.random(n) ** 2
    return (rng.random(n) < probabilities).astype(float), probabilities


def test_honest_probabilities_lie_on_the_diagonal_and_boasting_ones_do_not():
    labels, probabilities = honest()
    table = metrics.reliability(labels, probabilities)
    assert len(table) == 10 and table.n.sum() == len(labels)
    assert (table.said - table.seen).abs().max() < 0.03
    assert metrics.calibration_error(labels, probabilities) < 0.01
    assert metrics.calibration_error(labels, probabilities**0.5) > 0.1


def test_a_masked_label_is_left_out():
    labels, probabilities = honest(100)
    masked = np.append(labels, np.nan), np.append(probabilities, 1.0)
    assert metrics.calibration_error(*masked) == metrics.calibration_error(labels, probabilities)


def test_a_threshold_finds_the_share_it_was_chosen_for():
    labels = np.repeat([1.0, 0.0], [10, 90])
    scores = np.concatenate([np.arange(10), np.full(90, 0.5)])
    threshold = metrics.threshold_for(labels, scores, 0.9)
    point = metrics.operating_point(labels, scores, threshold)
    assert threshold == 1 and point.sensitivity.value == 0.9 and point.specificity.value == 1
    assert point.specificity.low < 1  # 90 films prove no perfection


def test_predictive_values_follow_bayes_rule():
    found, passed = metrics.predictive_values(0.9, 0.9, np.array([0.01, 0.5]))
    assert found == pytest.approx([0.009 / (0.009 + 0.099), 0.9])
    assert passed[1] == pytest.approx(0.9) and passed[0] > 0.998


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.reliability([0, 1], [0.1]), "one label and one score per film"),
        (lambda: metrics.reliability([0, 2], [0.1, 0.2]), "labels 0, 1 or nan"),
        (lambda: metrics.reliability([0, 1], [0.1, 3.0]), r"probabilities in \[0, 1\]"),
        (lambda: metrics.threshold_for([0, 0], [0.1, 0.2]), "no film has the finding"),
        (lambda: metrics.threshold_for([0, 1], [0.1, 0.2], 90), "more than 0 and at most 1"),
    ],
)
def test_what_cannot_be_judged_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
