"""A table of measurements that grows while a network learns, and survives a killed run."""

import pandas as pd

from medgan_helpers import artifacts


def noted(path):
    """The rows of a table of measurements, none where there is no table yet."""
    return pd.read_csv(path).to_dict("records") if path.exists() else []


def note(path, row):
    """Add a measurement to the table; those of its step and later ones came from a run that was killed."""
    kept = [old for old in noted(path) if old["step"] < row["step"]]
    artifacts.write_csv(path, [*kept, row])


def lowest(table):
    """The step with the lowest validation loss."""
    return min(table, key=lambda row: row["validation_loss"])["step"]
