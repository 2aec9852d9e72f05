"""The diagrams of the course: diagrams.py writes medgan_helpers/assets/diagrams/*.svg.

A drawing is boxes and arrows on a plane of pixels; every figure below is one function. Ink has the colour of
the text around it and fills are half transparent, so that one file serves light and dark pages. `title` and
`words` are read aloud instead of the picture.
"""

import math
from html import escape
from itertools import pairwise
from pathlib import Path

import command

TARGET = Path(__file__).parents[2] / "medgan_helpers" / "assets" / "diagrams"
FILL = {"data": "#0173B2", "net": "#DE8F05", "loss": "#029E73", "made": "#CC78BC", "plain": "#949494"}
FONT, LINE = 15, 19  # pixels


class Drawing:
    """A plane of `width` x `height` pixels. Names of boxes are what arrows refer to."""

    def __init__(self, title, words, width, height):
        self.title, self.words, self.size = title, words, (width, height)
        self.boxes, self.parts = {}, []

    def box(self, name, x, y, text, kind="plain", w=130, h=56):
        """A rounded box about (x, y), one line of `text` a "\\n"."""
        self.boxes[name] = (x, y, w, h)
        self.parts.append(
            f'<rect x="{x - w / 2:g}" y="{y - h / 2:g}" width="{w}" height="{h}" rx="8" '
            f'fill="{FILL[kind]}" fill-opacity=".2" stroke="{FILL[kind]}" stroke-width="2"/>'
        )
        self.text(x, y, text)

    def text(self, x, y, text, anchor="middle", small=False):
        """Words about (x, y)."""
        lines = text.split("\n")
        top = y - (len(lines) - 1) * LINE / 2 + FONT / 3
        for number, line in enumerate(lines):
            size = FONT - 2 if small else FONT
            self.parts.append(
                f'<text x="{x:g}" y="{top + number * LINE:g}" text-anchor="{anchor}" font-size="{size}">'
                f"{escape(line)}</text>"
            )

    def arrow(self, start, end, label="", via=(), dashed=False, above=True):
        """From one box to another, by way of the points in `via`; the label stands at the longest stretch."""
        first, last = (via[0], via[-1]) if via else (self.boxes[end][:2], self.boxes[start][:2])
        points = [self._edge(start, first), *via, self._edge(end, last)]
        line = " ".join(f"{x:g},{y:g}" for x, y in points)
        dash = ' stroke-dasharray="6 5"' if dashed else ""
        self.parts.append(
            f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.6"{dash} '
            'marker-end="url(#tip)"/>'
        )
        if label:
            (x0, y0), (x1, y1) = max(pairwise(points), key=lambda ends: math.dist(*ends))
            steep = abs(y1 - y0) > abs(x1 - x0)
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            if steep:
                self.text(x + 8, y, label, "start", small=True)
            else:
                self.text(x, y + (-12 if above else 14), label, small=True)

    def chain(self, *names):
        """Arrows from each box to the next."""
        for start, end in pairwise(names):
            self.arrow(start, end)

    def _edge(self, name, towards):
        """Where a line from the middle of a box to a point leaves the box, in the middle of a side."""
        x, y, w, h = self.boxes[name]
        right, down = towards[0] - x, towards[1] - y
        if abs(right) * h >= abs(down) * w:
            return x + (w / 2 + 3) * (1 if right > 0 else -1), y
        return x, y + (h / 2 + 3) * (1 if down > 0 else -1)

    def svg(self, name):
        width, height = self.size
        ids = f"diagram-{name}-title", f"diagram-{name}-words"
        tip = (
            f'<marker id="tip-{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            'markerHeight="7" orient="auto-start-reverse">'
            '<path d="M0 0 10 5 0 10z" fill="currentColor"/></marker>'
        )
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-labelledby="{ids[0]} {ids[1]}" fill="currentColor" '
            'font-family="system-ui, Verdana, DejaVu Sans, sans-serif">'
        )
        told = f'<title id="{ids[0]}">{escape(self.title)}</title>'
        told += f'<desc id="{ids[1]}">{escape(self.words)}</desc>'
        parts = [part.replace("#tip", f"#tip-{name}") for part in self.parts]
        return "\n".join([head, told, f"<defs>{tip}</defs>", *parts, "</svg>\n"])


# ---------------------------------------------------------------- one function a diagram
def course_map():
    d = Drawing(
        "Map of the course",
        "Chapter 1 looks at the films and their labels. Chapter 6 asks whether added films help a "
        "classifier: those of chapter 2, changed by hand, and those of chapter 5's generators: StarGAN, "
        "which translates a whole film, and the lesion GAN, which draws a finding into a square of it. "
        "Chapter 7 asks where the classifier looks. Chapter 3 draws films from noise with DCGAN, chapter "
        "10 with a flow, beside DCGAN. Chapter 4 mends bad scans with Pix2Pix; chapter 7 asks whether a "
        "mended film still shows its finding. Chapter 8 collects the failures of GANs, chapter 9 the "
        "faults of a paper.",
        760, 380,
    )  # fmt: skip
    d.box("1", 75, 112, "1 · Films\nand labels", "data")
    for row, (name, text, kind) in enumerate(
        (
            ("2", "2 · Augment by hand", "plain"),
            ("5", "5 · StarGAN: a whole film", "net"),
            ("5b", "5 · Lesion GAN: a square", "net"),
            ("3", "3 · DCGAN: from noise", "net"),
            ("4", "4 · Pix2Pix: mend a scan", "net"),
        )
    ):
        y = 40 + 72 * row + 6 * (row > 2)
        d.box(name, 285, y, text, kind, w=204, h=46)
        d.arrow("1", name, via=[] if y == 112 else [(162, 112), (162, y)])
    d.box("6", 530, 112, "6 · Does it help\na classifier?", "loss", w=150)
    d.box("7", 695, 112, "7 · Where\ndoes it look?", "loss", w=120)
    d.box("9", 530, 30, "9 · Reading a paper", "plain", w=165, h=46)
    d.box("8", 530, 190, "8 · When GANs fail", "plain", w=165, h=46)
    d.box("10", 530, d.boxes["3"][1], "10 · Flow, beside DCGAN", "net", w=196, h=46)
    for name in ("2", "5", "5b"):
        y = d.boxes[name][1]
        d.arrow(name, "6", via=[] if y == 112 else [(418, y), (418, 112)])
    d.chain("6", "7")
    d.arrow("9", "6", dashed=True)
    d.arrow("8", "6", dashed=True)
    d.arrow("3", "10")
    y = d.boxes["4"][1]
    d.arrow("4", "7", "does a mended film still show its finding?", via=[(695, y)], above=False)
    return d


def augmentation():
    d = Drawing(
        "Augmentation with a GAN, after Figure 1 of the article behind this course",
        "Real training films go two ways: straight to the classifier, and to a generator that learns from "
        "them and adds synthetic films. The test patients' real films reach the classifier alone, at the "
        "end, and never the generator.",
        740, 250,
    )  # fmt: skip
    d.box("real", 90, 70, "real films\nof training\npatients", "data", w=140, h=76)
    d.box("gan", 290, 70, "a GAN\nlearns them", "net")
    d.box("made", 470, 70, "synthetic\nfilms", "made", w=120)
    d.box("classifier", 655, 140, "classifier", "net", w=120)
    d.box("test", 90, 210, "real films of\ntest patients", "data", w=140)
    d.box("score", 470, 210, "score", "loss", w=120)
    d.chain("real", "gan", "made")
    d.arrow("made", "classifier", "added", via=[(655, 70)])
    d.arrow("real", "classifier", "always", via=[(90, 140)])
    d.arrow("test", "score", "asked once, at the end")
    d.text(280, 228, "the GAN never sees them", small=True)
    d.arrow("classifier", "score", via=[(655, 210)])
    return d


def gan():
    d = Drawing(
        "The game of a GAN, after Figure 2 of the article behind this course",
        "Noise goes into the generator, which draws a synthetic film. The discriminator sees real and "
        "synthetic films in turn and says how real each looks. Its error teaches the discriminator; the "
        "same opinion on synthetic films, sent back through it, teaches the generator.",
        740, 270,
    )  # fmt: skip
    d.box("z", 70, 190, "noise z", "data", w=100)
    d.box("G", 220, 190, "generator\nG", "net", w=110)
    d.box("fake", 375, 190, "synthetic\nfilm G(z)", "made", w=120)
    d.box("real", 375, 60, "real\nfilm x", "data", w=120)
    d.box("D", 540, 125, "discriminator\nD", "net", w=130)
    d.box("p", 685, 125, "real?\n0 … 1", "loss", w=90)
    d.chain("z", "G", "fake")
    d.arrow("D", "p")
    d.arrow("fake", "D", via=[(455, 190), (455, 125)])
    d.arrow("real", "D", via=[(455, 60), (455, 125)])
    d.arrow("p", "G", "G learns: make D say “real”", via=[(685, 245), (220, 245)], dashed=True, above=False)
    d.arrow("p", "D", "D learns: tell them apart", via=[(685, 35), (540, 35)], dashed=True)
    return d


def dcgan():
    d = Drawing(
        "The generator of DCGAN, at 64 pixels",
        "100 numbers become 512 maps of 4 by 4; every stage doubles the side and halves the number of "
        "maps: 256 of 8 by 8, 128 of 16 by 16, 64 of 32 by 32; the last one draws the film of 64 by 64. "
        "The discriminator goes the same way back and ends in one number.",
        760, 215,
    )  # fmt: skip
    stages = [("z\n100", 46, "data"), ("512 maps\n4 × 4", 56, "net"), ("256 maps\n8 × 8", 76, "net")]
    stages += [("128 maps\n16 × 16", 100, "net"), ("64 maps\n32 × 32", 126, "net")]
    stages += [("film\n64 × 64", 156, "made")]
    for number, (text, h, kind) in enumerate(stages):
        d.box(number, 62 + 127 * number, 92, text, kind, w=105, h=h)
        if number:
            d.arrow(number - 1, number)
    d.text(380, 196, "each arrow: double the side, batch norm, ReLU (the last: tanh)", small=True)
    return d


def unet():
    d = Drawing(
        "The U-Net of Pix2Pix",
        "The image is halved again and again on the way down and doubled on the way up. From every level "
        "a skip carries the map across, so that what is doubled knows where the edges were. At the bottom "
        "one pixel has seen the whole image.",
        760, 330,
    )  # fmt: skip
    levels = (
        (75, 40, "64 maps\n½ side"),
        (180, 120, "128 maps\n¼ side"),
        (285, 200, "256 maps\n⅛ side"),
    )
    for number, (x, y, text) in enumerate(levels):
        d.box(f"down{number}", x, y, text, "net", w=120, h=52)
        d.box(f"up{number}", 760 - x, y, text.replace(" maps", " + skip"), "net", w=120, h=52)
        d.arrow(f"down{number}", f"up{number}", "" if number == 2 else "skip: where exactly", dashed=True)
    d.box("bottom", 380, 285, "512 maps\n1 × 1", "made", w=110)
    for upper, lower in pairwise(range(3)):
        x, y = levels[upper][0], levels[lower][1]
        d.arrow(f"down{upper}", f"down{lower}", via=[(x, y)])
        d.arrow(f"up{lower}", f"up{upper}", via=[(760 - x, y)])
    d.arrow("down2", "bottom", via=[(285, 285)])
    d.arrow("bottom", "up2", via=[(475, 285)])
    return d


def patchgan():
    d = Drawing(
        "PatchGAN: many small verdicts",
        "Bad scan and result are stacked and go through a few convolutions. The output is a map: each of "
        "its numbers judges one patch of the image, and the patches overlap. Their mean is the verdict: "
        "texture is judged, the whole chest is left to the L1 loss.",
        740, 200,
    )  # fmt: skip
    d.box("in", 85, 90, "scan before,\nscan after,\nstacked", "data", w=140, h=80)
    d.box("conv", 275, 90, "3 to 5\nconvolutions", "net", w=140)
    for row in range(3):
        for column in range(3):
            d.box(f"p{row}{column}", 430 + 42 * column, 48 + 42 * row, "", "loss", w=38, h=38)
    d.box("mean", 660, 90, "mean:\nreal?", "loss", w=110)
    d.chain("in", "conv", "p10")
    d.arrow("p12", "mean")
    d.text(472, 178, "one verdict a patch", small=True)
    return d


def stargan():
    d = Drawing(
        "StarGAN: there and back",
        "A film and a target label enter the generator, which draws the translated film. The critic "
        "says whether it looks real and which findings it shows. The same generator, given the film's "
        "own labels, must bring the first film back: that is the cycle.",
        760, 300,
    )  # fmt: skip
    d.box("x", 75, 60, "film,\nno effusion", "data", w=120)
    d.box("c", 240, 150, "target:\neffusion", "data", w=120)
    d.box("G", 240, 60, "generator G", "net", w=120)
    d.box("y", 415, 60, "translated\nfilm", "made", w=120)
    d.box("D", 660, 60, "critic D:\nreal? which\nfindings?", "loss", w=140, h=80)
    d.box("G2", 415, 245, "the same G", "net", w=120)
    d.box("c2", 660, 245, "the film's\nown labels", "data", w=120)
    d.box("back", 75, 245, "the film\nagain", "made", w=120)
    d.chain("x", "G", "y", "G2", "back")
    d.chain("c", "G")
    d.chain("y", "D")
    d.chain("c2", "G2")
    d.arrow("back", "x", "cycle loss:\nthe same?", dashed=True)
    return d


def lesion_gan():
    d = Drawing(
        "The local GAN: draw a finding where a finding would be",
        "A square is cut from a real film without the finding, at a place where real positives have it. "
        "The generator gets the square, noise and the finding, and draws a change, which fades out at the "
        "rim and is put back. A critic compares with real squares; a classifier trained beforehand says "
        "whether the finding shows; a price on the change keeps the rest.",
        760, 270,
    )  # fmt: skip
    d.box("film", 75, 60, "real film\nwithout it", "data", w=120)
    d.box("cut", 230, 60, "a square\nof it", "data", w=110)
    d.box("z", 230, 160, "noise,\nfinding", "data", w=110)
    d.box("G", 385, 60, "generator\nG", "net", w=110)
    d.box("put", 545, 60, "put back,\nsoft rim", "made", w=120)
    d.box("new", 695, 60, "film\nwith it", "made", w=100)
    d.box("D", 455, 215, "critic: like squares\nof real positives?", "loss", w=170)
    d.box("C", 655, 215, "classifier, fixed:\nis it there?", "loss", w=160)
    d.chain("film", "cut", "G", "put", "new")
    d.arrow("z", "G", via=[(385, 160)])
    d.arrow("put", "D", via=[(545, 135), (455, 135)])
    d.arrow("put", "C", via=[(545, 135), (655, 135)])
    return d


def flow():
    d = Drawing(
        "Rectified flow: one network, no opponent",
        "Training: a real film and noise are joined by a straight line; the network sees a point on it "
        "and the time, and learns the line's direction by least squares. Drawing: start at noise and "
        "follow the direction that the network says, in a few steps.",
        760, 290,
    )  # fmt: skip
    d.text(60, 22, "Training", small=True)
    d.box("z", 75, 70, "noise\nt = 0", "data", w=110)
    d.box("xt", 250, 70, "point on the\nline, t", "plain", w=120)
    d.box("x", 425, 70, "film\nt = 1", "data", w=110)
    d.box("v", 660, 70, "network: velocity\n≈ film − noise", "net", w=170)
    d.chain("z", "xt", "x")
    d.arrow("xt", "v", "seen by", via=[(250, 125), (660, 125)], dashed=True, above=False)
    d.text(60, 182, "Drawing", small=True)
    for number, text in enumerate(("noise\nt = 0", "t = ¼", "t = ½", "t = ¾", "new film\nt = 1")):
        kind = "data" if number == 0 else "made" if number == 4 else "plain"
        d.box(f"s{number}", 75 + 150 * number, 235, text, kind, w=100)
        if number:
            d.arrow(f"s{number - 1}", f"s{number}", "step")
    return d


def pipeline():
    d = Drawing(
        "From film to verdict",
        "Films and label rows are split by patient. Training films go into arms, each of which adds "
        "something; a classifier learns from each arm with the same number of steps. Test patients are "
        "asked once; patients are drawn again and again for the interval; the verdict is a difference "
        "with its interval.",
        760, 250,
    )  # fmt: skip
    d.box("films", 75, 70, "films and\nlabel rows", "data", w=120)
    d.box("split", 225, 70, "split by\npatient", "plain", w=110)
    d.box("arms", 385, 70, "arms:\nwhat is added", "made", w=130)
    d.box("train", 550, 70, "classifiers,\nequal steps", "net", w=130)
    d.box("auc", 550, 190, "AUROC of\neach arm", "loss", w=130)
    d.box("test", 225, 190, "test patients,\nreal films only", "data", w=140)
    d.box("verdict", 690, 190, "difference,\ninterval", "loss", w=110)
    d.chain("films", "split", "arms", "train", "auc", "verdict")
    d.arrow("split", "test")
    d.arrow("test", "auc", "asked once, at the end")
    return d


def arms():
    d = Drawing(
        "What each arm adds to the real films",
        "none: nothing. standard: nothing, but films are turned and shifted. duplicate: the real "
        "positives again; duplicate_standard: the same, and films are turned and shifted. stargan: whole "
        "negative films translated. copypaste: a real lesion pasted into a negative film. blob: a bright "
        "spot in its place. lesion_gan: a lesion drawn by a network that saw the regimen only; "
        "lesion_gan_standard: the same, and films are turned and shifted; leaky: as lesion_gan, but the "
        "network saw more films and the test. oracle: new patients, which only a simulator can give.",
        760, 480,
    )  # fmt: skip
    rows = (
        ("none", "nothing", "plain"),
        ("standard", "nothing; films are turned, shifted, recoloured", "plain"),
        ("duplicate", "the real positives once more", "data"),
        ("duplicate_standard", "the same; and films are turned, shifted, recoloured", "data"),
        ("stargan", "negative films, translated as a whole", "made"),
        ("copypaste", "a real lesion, pasted into a negative film: no network", "data"),
        ("blob", "a bright spot, as large and as strong: no network, no lesion", "plain"),
        ("lesion_gan", "a lesion drawn by a local GAN that saw these films only", "made"),
        ("lesion_gan_standard", "the same; and films are turned, shifted, recoloured", "made"),
        ("leaky", "as lesion_gan, but it saw more films, and those of the test", "made"),
        ("oracle", "new patients: what films of others would bring", "loss"),
    )
    for number, (name, text, kind) in enumerate(rows):
        y = 30 + 42 * number
        d.box(name, 100, y, name, kind, w=180, h=34)
        d.text(210, y, text, "start")
    return d


DIAGRAMS = {
    "course-map": course_map, "augmentation": augmentation, "gan": gan, "dcgan": dcgan, "unet": unet,
    "patchgan": patchgan, "stargan": stargan, "lesion-gan": lesion_gan, "flow": flow, "pipeline": pipeline,
    "arms": arms,
}  # fmt: skip


def main():
    for name, draw in DIAGRAMS.items():
        (TARGET / f"{name}.svg").write_text(draw().svg(name))


if __name__ == "__main__":
    command.run(main, __doc__)
