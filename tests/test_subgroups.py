import numpy as np
import pandas as pd
import pytest

from medgan_helpers import metrics


def readings(n=600, seed=0):
    """A reader that sees two findings in women and guesses in men."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 2)) < 0.3).astype(float)
    sex = np.where(rng.random(n) < 0.5, "Female", "Male")
    scores = rng.normal(size=(n, 2)) + 2 * labels * (sex == "Female")[:, None]
    return labels, scores, np.arange(n), sex


def test_a_reader_that_fails_men_is_found_out():
    labels, scores, patients, sex = readings()
    table = metrics.auroc_by_group(labels, scores, patients, sex)
    women = sex == "Female"
    alone = metrics.macro_auroc(labels[women], scores[women], patients[women])
    assert tuple(table.loc["Female", ["value", "low", "high"]]) == pytest.approx(alone)
    assert table["n"].sum() == 600
    assert table.loc["Male", "low"] < 0.5 < table.loc["Male", "high"]
    value, low, high = metrics.gap(table.loc["Female"], table.loc["Male"])
    assert value == pytest.approx(table.loc["Female", "value"] - table.loc["Male", "value"])
    assert 0.2 < low < value < high


def test_a_gap_of_a_group_to_itself_is_zero_and_wider_than_either():
    labels, scores, patients, sex = readings()
    row = metrics.auroc_by_group(labels, scores, patients, sex).loc["Female"]
    value, low, high = metrics.gap(row, row)
    assert value == 0 and high - low > row["high"] - row["low"]


def test_a_group_with_few_positives_has_no_score():
    labels, scores, patients, sex = readings(60)
    group = np.where(np.arange(60) < 4, "few", sex)
    table = metrics.auroc_by_group(labels, scores, patients, group)
    assert np.isnan(table.loc["few", ["value", "low", "high"]].astype(float)).all()
    assert table.loc["few", "n"] == 4 and table.loc["few", "positives"] < metrics.LEAST_PER_GROUP


def test_age_bands():
    bands = metrics.age_bands([0, 18, 49, 50, 69, 70, 90, np.nan])
    assert bands.tolist() == [
        "unknown", "0 to 49", "0 to 49", "50 to 69", "50 to 69", "70 and more", "70 and more", "unknown",
    ]  # fmt: skip


def test_a_gap_is_named_only_where_the_interval_leaves_nought():
    table = pd.DataFrame({"value": [0.9, 0.6], "low": [0.85, 0.5], "high": [0.95, 0.7]}, index=["F", "M"])
    assert metrics.gap_in_words("sex", table).endswith("a gap.")
    assert metrics.gap_in_words("sex", table.assign(low=0.3, high=1.0)).endswith("no gap shown.")
    assert "fewer than two groups" in metrics.gap_in_words("sex", table.iloc[:1])
