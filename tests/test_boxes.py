import numpy as np
import pandas as pd
import pytest

from medgan_helpers import chexpert

BOX = pd.DataFrame(
    [("a.png", "Fracture", 0.25, 0.5, 0.25, 0.125), ("a.png", "Fracture", 0.0, 0.0, 0.125, 0.125)],
    columns=chexpert.BOX_COLUMNS,
)


def test_boxes_become_masks():
    masks = chexpert.box_masks(BOX, ["b.png", "a.png"], 16)
    assert masks.shape == (2, 16, 16) and not masks[0].any()
    expected = np.zeros((16, 16), bool)
    expected[8:10, 4:8] = True  # rows are y, columns are x
    expected[:2, :2] = True
    assert (masks[1] == expected).all()
    assert not chexpert.box_masks(BOX.assign(x=1.2), ["a.png"], 16).any()  # outside the centred square


def test_boxes_are_read_or_absent_or_refused(tmp_path):
    assert chexpert.read_boxes(tmp_path) is None
    BOX.to_csv(tmp_path / "boxes.csv", index=False)
    pd.testing.assert_frame_equal(chexpert.read_boxes(tmp_path), BOX)
    BOX.assign(width=[0.1, "wide"]).to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(ValueError, match=r"boxes\.csv, row 1: expected a finding and four numbers"):
        chexpert.read_boxes(tmp_path)
    BOX.assign(finding=["Fracture", "Mass"]).to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(ValueError, match="row 1"):
        chexpert.read_boxes(tmp_path)
    BOX.drop(columns="y").to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(ValueError, match=r"lacks the columns \['y'\]"):
        chexpert.read_boxes(tmp_path)
