"""What a notebook shows of the source: the lesson in sight, the machinery in a fold, the doors left out."""

import pytest

from medgan_helpers import dcgan, display, pix2pix, training


@pytest.fixture
def said(monkeypatch):
    texts = []
    monkeypatch.setattr(display, "say", texts.append)
    return texts


def test_the_source_is_shown_without_its_door(said):
    display.show_source(dcgan.discriminator_loss, dcgan.DCGAN.step)
    loss, step = said
    assert loss.startswith("```python\ndef discriminator_loss(") and "@door" not in loss
    assert "@training.one_step" in step or "@one_step" in step, "other decorators stay"


def test_a_door_of_several_lines_is_left_out_whole(said, monkeypatch):
    source = "@door(\n    a=whole(1),\n    b=one_of('x'),\n)\ndef f(a, b):\n    return door(a)\n"
    monkeypatch.setattr(display.inspect, "getsource", lambda thing: source)
    display.show_source(training.fit)
    assert said == ["```python\ndef f(a, b):\n    return door(a)\n```"]


def test_settings_are_shown_with_their_reasons(said):
    display.show_settings(pix2pix, ["BESIDE", "PAPER"])
    (text,) = said
    assert text.startswith("```python\nBESIDE = replace(") and text.endswith("\nPAPER = Recipe()\n```")
    assert "l1=20.0,  # the paper's is 100; chosen by trial" in text and "REPAIR = " not in text


def test_machinery_waits_in_one_fold(said):
    display.show_source(training.fit, training.one_step, fold="The machinery")
    (text,) = said
    assert text.startswith("<details><summary>The machinery</summary>\n\n```python\ndef fit(")
    assert text.count("```python") == 2 and text.endswith("```\n\n</details>")
