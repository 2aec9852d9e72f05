import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from medgan_helpers import chexpert, figures
from medgan_helpers.figures import basics, labels, lines, maps, restorations

RNG = np.random.default_rng(0)
FILMS = RNG.integers(0, 256, (5, 16, 16), dtype=np.uint8)
UNIT = torch.as_tensor(FILMS / 255)
FRAME = pd.DataFrame(
    RNG.choice([1, 0, -1, np.nan], (40, 14)), columns=chexpert.FINDINGS
).assign(view="AP", sex="Female", age=60.0)  # fmt: skip
MAPS = torch.rand(5, 4, 4, generator=torch.Generator().manual_seed(0))
CHANCE = pd.DataFrame({"value": [0.6], "low": [0.5], "high": [0.7], "chance": [0.1]}, index=["Fracture"])
GRID = pd.DataFrame({"arm": ["none", "none", "gan"], "seed": [0, 1, 0], "rare": [0.6, 0.7, 0.7]})
INTERVALS = pd.DataFrame({"value": [0.6, 0.7], "low": [0.5, 0.6], "high": [0.7, 0.8]}, index=["a", "b"])


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a list of (data, metadata)."""
    pictures = []
    monkeypatch.setattr(basics, "display", lambda data, raw, metadata: pictures.append((data, metadata)))
    return pictures


DRAWINGS = {
    "films": lambda alt: figures.films(FILMS, ["a"] * 5, columns=3, alt=alt),
    "film_rows": lambda alt: figures.film_rows({"real": FILMS[:3], "synthetic": FILMS[3:]}, alt=alt),
    "twins": lambda alt: figures.twins({"Edema": (FILMS[0], FILMS[1], FILMS[0] > 99)}, alt=alt),
    "overview": lambda alt: figures.overview(FRAME, alt=alt),
    "label_values": lambda alt: figures.label_values(FRAME, alt=alt),
    "bars": lambda alt: figures.bars(pd.DataFrame({"x": [1, 2], "y": [2, 3]}), "%", alt=alt),
    "heat_map": lambda alt: figures.heat_map(pd.DataFrame(np.eye(3)), "%", alt=alt),
    "intervals": lambda alt: figures.intervals(INTERVALS, "AUROC", alt=alt, reference={"chance": 0.5}),
    "curves": lambda alt: figures.curves({"loss": {"g": ([1, 2], [3, 4])}}, alt=alt),
    "titled rows": lambda alt: figures.film_rows({"turned": FILMS[:2]}, alt, titles={"turned": ["0°", "5°"]}),
    "overlays": lambda alt: figures.overlays(FILMS, {"CAM": MAPS}, FILMS > 200, list("abcde"), alt=alt),
    "gallery": lambda alt: figures.gallery({f"film {k}": film / 255 for k, film in enumerate(FILMS)}, alt),
    "before_and_after": lambda alt: figures.before_and_after(
        {"ct": {name: UNIT[k : k + 1] for k, name in enumerate(("clean", "degraded", "unet"))}}, alt
    ),
    "against_chance": lambda alt: figures.against_chance(CHANCE, "hit rate", alt),
    "arms": lambda alt: figures.arms(GRID, ["rare"], alt),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_figure_is_one_png_with_its_alt_text(name, shown):
    DRAWINGS[name](f"what {name} shows")
    ((data, metadata),) = shown
    assert metadata["image/png"]["alt"] == data["text/plain"] == f"what {name} shows"
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert np.asarray(picture.convert("L")).std() > 5, "not an empty sheet"


def test_a_wall_of_films_says_its_titles_where_nobody_says_more(shown):
    figures.films(FILMS[:2], ["healthy", "with a fracture"])
    assert shown[0][1]["image/png"]["alt"] == "Chest films: healthy, with a fracture"


def test_a_circle_marks_a_place_and_leaves_it_in_sight():
    fig, axis = plt.subplots(figsize=(2, 2), dpi=64)
    axis.set_position([0, 0, 1, 1])
    axis.imshow(np.full((64, 64), 0.5), "gray", vmin=0, vmax=1, aspect="auto")
    limits = axis.get_xlim(), axis.get_ylim()
    fig.canvas.draw()
    before = np.asarray(fig.canvas.buffer_rgba()).copy()
    figures.circle(axis, (20, 40), 6)
    fig.canvas.draw()
    changed = (np.asarray(fig.canvas.buffer_rgba()) != before).any(-1)
    rows, columns = np.nonzero(changed)
    assert (axis.get_xlim(), axis.get_ylim()) == limits
    assert abs(rows.mean() / 2 - 20) < 1 and abs(columns.mean() / 2 - 40) < 1, "two pixels a film's pixel"
    distance = np.hypot(rows / 2 - 20, columns / 2 - 40)
    assert distance.min() > 4 and distance.max() < 8, "a ring: what it marks stays as it is"
    plt.close(fig)


def test_before_and_after_draws_a_circle_on_every_picture_of_its_row(monkeypatch):
    drawn = []
    monkeypatch.setattr(restorations, "circle", lambda axis, place, radius: drawn.append((place, radius)))
    monkeypatch.setattr(restorations, "show", lambda fig, alt: None)
    row = {name: UNIT[k : k + 1] for k, name in enumerate(("clean", "degraded", "unet"))}
    figures.before_and_after({"ct": row, "mr": row}, "two rows", circles={"mr": (3.0, 5.0)})
    assert drawn == [((3.0, 5.0), 16 * restorations.CIRCLE)] * 5, "three films, two errors"


def test_a_value_outside_its_interval_is_drawn(shown):
    figures.intervals(INTERVALS.assign(value=[0.8, 0.5]), "KID", alt="resampled halves of few films")
    assert len(shown) == 1


def test_intervals_are_drawn_of_named_estimates(monkeypatch):
    shown = []
    monkeypatch.setattr(lines, "show", lambda fig, alt: shown.append(fig.axes[0]))
    figures.intervals({"none": (0.6, 0.5, 0.7), "no interval": 0.7}, "AUROC", alt="two arms")
    assert [tick.get_text() for tick in shown[0].get_yticklabels()] == ["none", "no interval"]
    segments = shown[0].containers[0].lines[2][0].get_segments()
    assert np.allclose([segment[:, 0] for segment in segments], [[0.5, 0.7], [0.7, 0.7]])


def test_panels_have_their_own_labels_and_one_scale(monkeypatch):
    shown = []
    monkeypatch.setattr(lines, "show", lambda fig, alt: shown.append(fig.axes))
    panels = {"a": {"x": ([1, 2], [0, 1])}, "b": {"x": ([1, 2], [0, 9])}}
    figures.curves(panels, "two panels", xlabel=["dose", "width"], ylabel="loss", share_y=True)
    ((left, right),) = shown
    assert (left.get_xlabel(), right.get_xlabel(), left.get_ylabel()) == ("dose", "width", "loss")
    assert left.get_ylim() == right.get_ylim()


def test_no_title_is_cut_by_the_edge_of_the_paper(shown):
    """Three lines above square films: the first rows of the picture are empty."""
    figures.films(FILMS, ["AP, 60 y\nSupport Devices\nEdema"] * 5, columns=3, alt="titles")
    assert np.ptp(picture(shown)[:3]) == 0


def picture(shown):
    """The one figure that was shown, as grey values (h, w)."""
    png = base64.b64decode(shown[-1][0]["image/png"])
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), int)


def places(film, sheet, times):
    """How often uint8 `film` stands in `sheet`, each of its pixels a block of `times` x `times`."""
    blocks = np.kron(film.astype(int), np.ones((times, times), int))
    high, wide = blocks.shape
    corner = sheet[: 1 - high, : 1 - wide] == blocks[0, 0]
    corner &= sheet[high - 1 :, wide - 1 :] == blocks[-1, -1]
    return sum((sheet[y : y + high, x : x + wide] == blocks).all() for y, x in np.argwhere(corner))


@pytest.mark.parametrize(("side", "columns", "times"), [(16, 5, 9), (32, 8, 3), (48, 4, 3), (64, 6, 2)])
def test_a_pixel_of_a_film_is_a_whole_number_of_pixels_of_the_picture(shown, side, columns, times):
    films = RNG.integers(0, 256, (columns, side, side), dtype=np.uint8)
    figures.films(films, ["a title"] * columns, columns, alt="films")
    figures.film_rows({"real": films, "turned": films[:, ::-1]}, alt="rows")
    for data in shown:
        sheet = picture([data])
        assert [places(film, sheet, times) for film in films] == [1] * columns
        assert sheet.shape[1] <= 800, "no page need make it smaller"


def test_rows_too_wide_for_a_page_go_on_below(shown):
    films = RNG.integers(0, 256, (9, 64, 64), dtype=np.uint8)
    figures.film_rows({"real": films}, alt="nine films")
    sheet = picture(shown)
    assert sheet.shape[1] <= 800 and [places(film, sheet, 2) for film in films] == [1] * 9


def test_films_are_drawn_in_grey_on_their_full_range(shown):
    figures.films(np.stack([np.zeros((8, 8)), np.ones((8, 8))]).astype(np.uint8) * 255, alt="black and white")
    png = base64.b64decode(shown[0][0]["image/png"])
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int)
    ground = [29, 32, 38]
    assert (np.ptp(picture, axis=2) <= np.ptp(ground)).all(), "no colour"
    assert picture.min() == 0 and picture.max() == 255


def test_grey_reads_both_conventions():
    tensor = torch.tensor([-1.0, 0.0, 1.0, 3.0]).reshape(1, 1, 2, 2)
    assert figures.grey(tensor).tolist() == [[[0.0, 0.5], [1.0, 1.0]]]
    assert figures.grey(FILMS).max() <= 1 and figures.grey(FILMS).shape == (5, 16, 16)


def test_shares_of_label_values_sum_to_one():
    shares = figures.value_counts(FRAME)
    assert np.allclose(shares.sum(axis=1), 1) and list(shares.columns) == list(labels.VALUES)


def test_a_map_covers_only_what_it_marks():
    """Where a map is below its median the film shows through untouched."""
    values = np.zeros((8, 8))
    values[2, 2] = 1
    _, axes = figures.canvas(1, 1, (2, 2), squeeze=False)
    maps.draw_map(axes[0, 0], values)
    alpha = axes[0, 0].images[0].get_array()[..., 3]
    assert alpha[2, 2] == pytest.approx(0.65)
    assert alpha.sum() == pytest.approx(0.65)
