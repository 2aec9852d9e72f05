"""How costs grow: slopes, and the plot of page *Speed*."""

import growth
import growth_plot
import pandas as pd
import pytest


@pytest.mark.parametrize("power", [1, -1, 0.5])
def test_a_slope_is_the_power_that_amounts_are_raised_to(power):
    assert growth.slope({amount: 3 * amount**power for amount in (1, 2, 8)}) == pytest.approx(power)


def test_the_plot_holds_every_series_and_says_its_ends(tmp_path):
    growth_plot.draw(tmp_path / "growth.svg")
    drawn = (tmp_path / "growth.svg").read_text()
    table, said = pd.read_csv(growth_plot.POINTS), growth_plot.alternative()
    for what, points in table.groupby("what"):
        assert f"<!-- {what} -->" in drawn, f"{what} is not in the legend"
        assert f"{what}: {points.seconds.iloc[0]:.3g} s for {points.amount.iloc[0]:,}" in said
