"""Draw the contact sheets of the book's data chapter from freshly simulated films.

    python data_scripts/contact_sheets.py            # into book/images

normal-films.png: healthy patients in three views. findings-1.png, findings-2.png: each finding twice, as
film, finding-free twin, difference (red: brighter with the finding, blue: darker) and mask.
findings-64px.png: each finding at the size that the course works with. organs.png: an organ map, CT slices.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image

from medgan_helpers import artifacts, chexpert, simulator

OUT = Path(__file__).resolve().parents[1] / "book" / "images"
DRAWN = chexpert.FINDINGS[1:]
SHEETS = ("normal-films", "findings-1", "findings-2", "findings-64px", "organs")


def show(axis, picture, title="", **options):
    axis.imshow(picture, **({"cmap": "gray", "vmin": 0, "vmax": 255} | options))
    axis.set_title(title, fontsize=7, pad=2, loc="left")
    axis.axis("off")


def sheet(rows, columns, tile=1.25):
    return plt.subplots(
        rows, columns, figsize=(columns * tile, rows * (tile + 0.13)), squeeze=False, layout="constrained"
    )


def save(figure, path):
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    with artifacts.atomic(path) as temporary:
        figure.savefig(temporary, dpi=100)
    plt.close(figure)
    print(f"{path} ({path.stat().st_size / 1000:.0f} kB)")


def normal_films(path, seed):
    views = ["PA"] * 10 + ["AP"] * 10 + ["Lateral"] * 5
    people = pd.DataFrame(
        {"view": views, "sex": ["Female", "Male"] * 12 + ["Female"], "age": np.linspace(20, 88, 25).round()}
    )
    images, *_ = simulator.sample(None, 160, seed, labels=people, twins=False, masks=False)
    figure, axes = sheet(5, 5, 1.7)
    for axis, image, (_, person) in zip(axes.flat, images, people.iterrows(), strict=True):
        show(axis, image, f"{person['view']}, {person.sex.lower()}, {person.age:.0f}")
    save(figure, path)


def findings(path, names, seed, size=128):
    rows = simulator.one_each(names, 2)
    rows.loc[1::2, "view"] = "AP"
    images, twins, masks, labels = simulator.sample(None, size, seed, labels=rows)
    truth = labels.attrs["truth"]
    figure, axes = sheet(len(names), 8)
    for i, image in enumerate(images):
        name = names[i // 2]
        cells = axes[i // 2, 4 * (i % 2) :][:4]
        show(cells[0], image, f"{name} {truth[name][i]:.2f}")
        show(cells[1], twins[i], "twin")
        show(cells[2], image.astype(int) - twins[i], "difference", cmap="RdBu_r", vmin=-80, vmax=80)
        show(cells[3], masks[name][i], "mask", vmax=1)
    save(figure, path)


def small(path, seed):
    rows = simulator.one_each(DRAWN, 8)
    images, *_ = simulator.sample(None, 64, seed, labels=rows, twins=False, masks=False)
    figure, axes = sheet(len(DRAWN), 8, 0.9)
    for i, (axis, image) in enumerate(zip(axes.flat, images, strict=True)):
        show(axis, image, DRAWN[i // 8] if i % 8 == 0 else "")
    save(figure, path)


def organs(path, seed):
    images, _, _, labels = simulator.sample(1, 128, seed, twins=False, masks=False)
    maps = simulator.organ_map(labels, 128)[0]
    slices, _ = simulator.ct_slices(6, 128, seed, slices_per_patient=2)
    figure, axes = sheet(2, 7)
    show(axes[0, 0], images[0], "film")
    show(axes[1, 0], np.zeros((128, 128)), "")
    axes[1, 0].text(10, 64, "CT slices of\nthree patients", color="white", fontsize=7)
    for axis, name, organ in zip(axes[0, 1:], simulator.ORGANS, maps, strict=True):
        show(axis, organ, name, vmax=1)
    for axis, picture in zip(axes[1, 1:], slices, strict=True):
        show(axis, picture, vmax=1)
    save(figure, path)


def drawn_by_matplotlib(path):
    """Whether the file says that Matplotlib has made it, as it says of every sheet."""
    try:
        with Image.open(path) as picture:
            return str(picture.info.get("Software", "")).startswith("Matplotlib")
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.seed < 0:
        parser.error(f"--seed is {arguments.seed}: expected 0 or more")
    if arguments.out.exists() and not arguments.out.is_dir():
        parser.error(f"--out {arguments.out} is a file: expected a folder for the sheets")
    paths = [arguments.out / f"{name}.png" for name in SHEETS]
    if theirs := [path for path in paths if path.exists() and not drawn_by_matplotlib(path)]:
        parser.error(f"{theirs[0]} was not drawn by this script, and would be lost: give another --out")
    arguments.out.mkdir(parents=True, exist_ok=True)
    normal_films(paths[0], arguments.seed)
    findings(paths[1], DRAWN[:7], arguments.seed)
    findings(paths[2], DRAWN[7:], arguments.seed)
    small(paths[3], arguments.seed)
    organs(paths[4], arguments.seed)


if __name__ == "__main__":
    main()
