"""Draw the picture at the head of README.md: hero.py writes book/images/hero.png.

Simulated patients, each with one finding: the film, and the same film without its finding, a pair that
only a simulator can make.
"""

import command
import matplotlib.pyplot as plt
from stage import BOOK

from medgan_helpers import artifacts, simulator

SHOWN = ["Cardiomegaly", "Pleural Effusion", "Pneumothorax", "Lung Lesion", "Pneumonia", "Support Devices"]
SIZE, SEED = 192, 3


def main():
    films, twins, *_ = simulator.sample(None, SIZE, SEED, labels=simulator.one_each(SHOWN))
    figure, axes = plt.subplots(2, len(SHOWN), figsize=(2 * len(SHOWN), 4.3), layout="constrained")
    for column, finding in enumerate(SHOWN):
        pair = ((finding, films), ("the same without", twins))
        for axis, (title, pixels) in zip(axes[:, column], pair, strict=True):
            axis.imshow(pixels[column], cmap="gray", vmin=0, vmax=255)
            axis.set_title(title, fontsize=11)
            axis.axis("off")
    with artifacts.atomic(BOOK / "images" / "hero.png") as temporary:
        figure.savefig(temporary, dpi=96)


if __name__ == "__main__":
    command.run(main, __doc__)
