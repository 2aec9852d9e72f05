"""The table and the sentences that end chapter 6: right for every part of the grid that may be finished."""

import itertools

import numpy as np
import pandas as pd
import pytest
from test_grid_verdicts import CLEAR, table

from medgan_helpers.experiments import conclusion, verdicts

ARMS = CLEAR | {"duplicate_standard": 0.75, "lesion_gan_standard": 0.75}


def cells(seeds=(5,), percents=(1.0,), arms=ARMS, cost=0.02):
    """A grid with so many seeds of each regimen, in which each added film costs the other findings `cost`."""
    parts = [table(arms, seeds=n).assign(percent=p) for n, p in zip(seeds, percents, strict=True)]
    rows = pd.concat(parts, ignore_index=True)
    others = 0.7 - cost * (rows["arm"] != "none") + np.random.default_rng(0).normal(0, 0.0005, len(rows))
    return rows.assign(macro=(11 * others + 3 * rows["rare"]) / 14)


def row(rows, arm, finding="Fracture"):
    told = conclusion.table(verdicts.differences(rows), rows).data
    return told[(told["arm"] == arm) & (told["finding"] == finding)].iloc[0]


def test_the_table_says_helps_harms_and_at_what_cost():
    rows = cells()
    lesion, star = row(rows, "the lesion GAN"), row(rows, "StarGAN")
    assert lesion["beside nothing added"].startswith("helps at 1 % (+0.0")
    assert lesion["beside repeated, augmented films"].startswith("harms at 1 % (-0.0")
    assert star["beside nothing added"].startswith("not shown at 1 %")
    assert lesion[conclusion.COST] in ("at 1 % (-0.020)", "at 1 % (-0.019)", "at 1 % (-0.021)")
    assert row(rows, "the lesion GAN with augmentation")["beside nothing added"] == "not compared"
    html = conclusion.table(verdicts.differences(rows), rows).to_html()
    assert "font-weight: 600" in html and "text-align: left" in html


def test_a_regimen_with_few_seeds_carries_no_verdict():
    lesion = row(cells((5, 4, 1), (1.0, 10.0, 50.0)), "the lesion GAN")
    said = lesion["beside nothing added"]
    assert said.startswith("helps at 1 %") and said.endswith("; no verdict at 10 %, 50 %")
    assert "50 %" not in lesion[conclusion.COST] and "10 %" not in lesion[conclusion.COST]
    alone = cells((4,))
    assert "helps" not in conclusion.table(verdicts.differences(alone), alone).to_html()


def test_three_sentences_name_control_gain_and_price():
    rows = cells()
    told = conclusion.three_sentences(verdicts.differences(rows), rows)
    assert "beside nothing added, a gain is shown for the lesion GAN" in told
    assert "At 1 %, adding films at a fixed budget of steps costs the other findings 0.0" in told
    assert "of mean AUROC (fresh patients 0.0" in told and "whatever" not in told
    assert told.replace("0.", "0").count(".") == 3
    free = cells(cost=0)
    assert "is not shown (mean AUROC" in conclusion.three_sentences(verdicts.differences(free), free)


def test_the_price_names_what_adds_no_film_and_where_it_is_not_shown():
    rows = cells((5, 5), (1.0, 10.0), ARMS | {"standard": 0.61})
    rows = rows.assign(
        films=200_000, added=1020 * rows["percent"] * (~rows["arm"].isin(["none", "standard"]))
    )
    judged = verdicts.differences(rows)
    told = conclusion.three_sentences(judged, rows)
    assert "; standard augmentation, which adds none, costs 0.0" in told and "no cost is shown" not in told
    assert "Without an added film: standard augmentation -0.0" in conclusion.price(rows)
    dear = (rows["percent"] == 10) & (rows["arm"] == "stargan")
    rows.loc[dear, "macro"] += 11 / 14 * 0.02
    told = conclusion.three_sentences(judged, rows)
    assert "; at 10 % no cost is shown for StarGAN, " in told and told.replace("0.", "0").count(".") == 3
    price = conclusion.price(rows)
    assert "At 10 %, where the share is 36 %, no cost is shown for StarGAN, " in price
    assert "does not explain it all" in price and "Whatever" not in price


def test_a_loss_with_more_films_stands_beside_a_gain_with_few():
    few, more = cells(), cells(arms=ARMS | {"lesion_gan": 0.5, "stargan": 0.6}).assign(percent=10.0)
    rows = pd.concat([few, more], ignore_index=True)
    told = conclusion.three_sentences(verdicts.differences(rows), rows)
    assert "a gain is shown for the lesion GAN; none is shown for StarGAN; at 10 % " in told
    assert "a loss is shown for the lesion GAN (-0.1" in told
    assert "at 10 %" not in conclusion.three_sentences(verdicts.differences(few), few)


@pytest.mark.parametrize("seeds", itertools.product((0, 2, 5), repeat=3))
def test_any_part_of_the_grid_is_told(seeds):
    """Any regimens, any seeds, and arms that are missing in one of them."""
    percents = (1.0, 10.0, 50.0)
    there = [(n, p) for n, p in zip(seeds, percents, strict=True) if n]
    rows = cells(*zip(*there, strict=True)) if there else cells().iloc[:0]
    rows = rows[(rows["percent"] != 10) | ~rows["arm"].isin(["none", "oracle"])]
    judged = verdicts.differences(rows)
    html = conclusion.table(judged, rows).to_html()
    assert ("no verdict at" in html) == (2 in [n for n, p in there if p != 10] or (2, 10.0) in there)
    assert conclusion.three_sentences(judged, rows)


def test_a_fold_leaves_out_what_is_empty():
    assert conclusion.folded("More", "one", "", "two") == (
        "<details><summary>More</summary>\n\none\n\ntwo\n\n</details>"
    )
