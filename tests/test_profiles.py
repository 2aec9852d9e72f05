from dataclasses import FrozenInstanceError, fields

import pytest

from medgan_helpers import profiles


def test_three_profiles_and_the_default(monkeypatch):
    monkeypatch.delenv("MEDGAN_PROFILE", raising=False)
    assert list(profiles.PROFILES) == ["smoke", "class", "full"]
    assert profiles.get(None).name == profiles.get("").name == "class"


def test_environment_variable_chooses(monkeypatch):
    monkeypatch.setenv("MEDGAN_PROFILE", "smoke")
    assert profiles.get(None).name == "smoke"
    assert profiles.get("full").name == "full", "an explicit name wins"


@pytest.mark.parametrize("name", ["Smoke", "fast", "1"])
def test_unknown_profile_names_the_three(name):
    with pytest.raises(ValueError, match=r"smoke, class, full") as error:
        profiles.get(name)
    assert repr(name) in str(error.value)


def test_a_rehearsal_has_the_networks_of_full_and_the_amounts_of_smoke(monkeypatch):
    monkeypatch.setenv("MEDGAN_REHEARSAL", "1")
    smoke, full = profiles.get("smoke"), profiles.PROFILES["full"]
    trial = profiles.get("full")
    assert (trial.name, trial.preset, trial.image_size, trial.width) == ("full", "densenet121", 128, 64)
    assert trial.pix2pix_width == full.pix2pix_width
    assert trial.dcgan_steps == smoke.dcgan_steps and trial.batch_size == smoke.batch_size
    assert smoke.preset == "narrow", "the other profiles stay what they are"


def test_unknown_profile_from_the_environment(monkeypatch):
    monkeypatch.setenv("MEDGAN_PROFILE", "huge")
    with pytest.raises(ValueError, match="MEDGAN_PROFILE"):
        profiles.get()


def test_profiles_are_frozen_and_ordered_by_work():
    smoke, lesson, full = profiles.PROFILES.values()
    with pytest.raises(FrozenInstanceError):
        smoke.films = 1
    for field in fields(profiles.Profile):
        values = [getattr(profile, field.name) for profile in (smoke, lesson, full)]
        if isinstance(values[0], int):
            assert values == sorted(values), f"{field.name} must not shrink from smoke to full: {values}"
