"""What every test starts with: folders of its own and no settings from outside."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by PyTorch when it is imported: bits depend on it

import pytest

from medgan_helpers import artifacts


@pytest.fixture(autouse=True)
def same_environment():
    """What a test, or a script it runs, does to the environment ends with it: threads decide last digits."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Results and decoded films go to the test's own folder; no variable of the shell steers a test."""
    for name in ("DATASET", "DATA_ROOT", "SKIP_BAD", "MEDGAN_CACHE", "MEDGAN_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEDGAN_BUILD", str(tmp_path / "build"))
    artifacts.activate("smoke")
    yield
    artifacts.activate("smoke")
