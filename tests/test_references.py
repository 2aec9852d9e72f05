"""References and glossary: everything cited can be found, every method is cited, terms are linked once."""

import re
from pathlib import Path

import page_extension
import pytest
from docutils import nodes
from sphinx.addnodes import pending_xref

from medgan_helpers.experiments import ARMS

ROOT = Path(__file__).resolve().parents[1]
ENTRIES = {
    re.match(r"@\w+\{(\w+)", entry)[1]: dict(re.findall(r"(\w+) = \{(.*)\},?\n", entry))
    for entry in re.findall(r"^@.*?^\}\n", (ROOT / "book" / "references.bib").read_text(), re.M | re.S)
}
OURS = "bharti2024scans"  # the article retold: it appeared without an address
METHODS = {
    "00-ten-minutes": ["radford2016dcgan", "ronneberger2015unet", "choi2018stargan", "huang2017densenet",
                       "zhou2016cam"],
    "01-data-exploration": ["irvin2019chexpert", "wang2017chestxray8", "cohen2022torchxrayvision",
                            "binkowski2018kid"],
    "02-classical-augmentation": ["zhang2018mixup", "huang2017densenet"],
    "03-dcgan": ["goodfellow2014gan", "radford2016dcgan", "lim2017geometric", "zhao2020diffaugment",
                 "yazici2019ema", "binkowski2018kid", "naeem2020density", "huang2024r3gan"],
    "04-pix2pix": ["isola2017pix2pix", "ronneberger2015unet", "blau2018perception"],
    "05-stargan": ["choi2018stargan", "gulrajani2017wgangp", "miyato2018projection", "santurkar2019robust"],
    "06-classifier-experiments": ["sundaram2021gan"],
    "07-cam-interpretation": ["zhou2016cam", "selvaraju2017gradcam", "zhang2018pointing",
                              "adebayo2018sanity"],
    "08-when-gans-fail": ["radford2016dcgan", "goodfellow2014gan", "arjovsky2017principled", "heusel2017fid",
                          "miyato2018spectral", "zhao2020diffaugment", "naeem2020density"],
    "09-reading-a-paper": ["sundaram2021gan", "zhou2016cam", "kapoor2023leakage", "cawley2010overfitting"],
    "11-capstone": ["irvin2019chexpert"],
    "10-after-gans": ["liu2023rectified", "lipman2023matching"],
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(ENTRIES.keys() - {OURS}))
def test_a_reference_can_be_found(key):
    entry = ENTRIES[key]
    assert any(entry.get(name) for name in ("doi", "url", "isbn"))
    assert re.fullmatch(r"10\.\d{4,}/\S+", entry.get("doi", "10.0000/x"))
    assert entry["author"] and entry["title"] and re.fullmatch(r"\d{4}", entry["year"])


@pytest.mark.parametrize("chapter", METHODS)
def test_a_chapter_names_the_source_of_its_methods(chapter):
    text = (ROOT / "notebooks" / f"{chapter}.ipynb").read_text()
    for key in METHODS[chapter]:
        address = ENTRIES[key].get("doi", ENTRIES[key].get("url")).removeprefix("10.48550/arXiv.")
        assert address in text, f"{chapter} does not link {key}"


def test_a_paper_that_is_linked_is_in_the_list():
    known = (ROOT / "book" / "references.bib").read_text()
    for page in [*(ROOT / "book").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]:
        for paper in re.findall(r"https://(?:arxiv\.org/abs|doi\.org)/([^\s)\"\\]+)", page.read_text()):
            assert paper in known, f"{page.name} links {paper}, which is not in references.bib"


def test_what_is_cited_is_in_the_list():
    for page in (ROOT / "book").glob("*.md"):
        for keys in re.findall(r"\{cite:\w+\}`([\w,]+)`", page.read_text()):
            assert set(keys.split(",")) <= ENTRIES.keys(), page.name


# --- terms -------------------------------------------------------------------------------------


def paragraphs(*texts):
    return nodes.section("", nodes.title("", "KID"), *(nodes.paragraph("", text) for text in texts))


def test_the_first_use_of_a_term_is_linked_and_no_other():
    tree = paragraphs("A generator makes films; KID compares them.", "Two generators and KID.")
    page_extension.link_first_uses(tree, page_extension.terms(page_extension.GLOSSARY.read_text()))
    links = [(link["reftarget"], link.astext()) for link in tree.findall(pending_xref)]
    assert links == [("Generator", "generator"), ("KID", "KID")]
    assert tree.astext().count("A generator makes films; KID compares them.") == 1


def test_names_in_capitals_are_no_common_words():
    wanted = page_extension.terms("CAM\n  A map.\n\nHinge loss\n  A loss.\n")
    tree = paragraphs("The cam of an engine has a hinge.")
    page_extension.link_first_uses(tree, wanted)
    assert [link["reftarget"] for link in tree.findall(pending_xref)] == ["Hinge loss"]


def test_an_arms_name_is_no_function_between_layers():
    tree = paragraphs("Then a leaky ReLU.", "The Leaky arm cheats, and a leaky\nReLU does not.")
    page_extension.link_first_uses(tree, page_extension.terms("Leaky\n  An arm.\n"))
    (link,) = tree.findall(pending_xref)
    assert link.astext() == "Leaky" and "arm cheats" in link.parent.astext()


NAMED = ("AUROC", "AUPRC", "Bootstrap interval", "SART", "Anscombe transform", "Logit", "Hinge loss")


MEDICAL = ("Effusion", "Consolidation", "Pleural Other", "NIH ChestX-ray14")
COMPARED = ("Headroom", "Holm's correction", "Blob", "Duplicate", "Oracle", "Leaky")


@pytest.mark.parametrize("term", [*NAMED, "Wasserstein distance", "MS-SSIM", *MEDICAL, *COMPARED])
def test_the_glossary_knows_the_terms_of_the_chapters(term):
    assert term in page_extension.terms(page_extension.GLOSSARY.read_text())


def test_the_glossary_names_every_arm():
    entry = page_extension.GLOSSARY.read_text().partition("\nArm\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"\*(\w+)\*", entry)) == set(ARMS)
