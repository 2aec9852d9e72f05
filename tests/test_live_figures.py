"""The live figures in a real browser, from a disc and from a server: networks against torch, every figure."""

import functools
import http.server
import json
import re
import threading
from pathlib import Path

import browser
import export_live
import live_data
import live_pages
import nbformat
import numpy as np
import policy
import pytest
import stage
import torch
import torch.nn.functional as F
from nbformat.v4 import new_markdown_cell, new_notebook
from PIL import Image
from torch import nn

from medgan_helpers import degradation, restoration

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow  # a browser draws every figure

FIGURE = "document.querySelector('.live-figure')"
READY, IDLE = f"{FIGURE}.dataset.ready === 'true'", f"!{FIGURE}.dataset.busy"
WORDS = f"{FIGURE}.querySelector('[aria-live=polite]').textContent"
FIGURES = list(live_pages.DATA)
MEGABYTES = 6  # of a page's live scripts; check.py and test_pages.py weigh whole pages


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with a page for every figure, and one with every network."""
    folder = tmp_path_factory.mktemp("site")
    live_pages.write_alone(folder)
    write_networks(folder, "networks", [f"data/{name}.js" for name in live_data.NETWORKS])
    return folder


def write_networks(folder, name, files):
    files = ["layers.js", "page.js", *files]
    tags = "".join(f'<script src="_static/live/{file}"></script>' for file in files)
    (folder / f"{name}.html").write_text(live_pages.ALONE.format(name=name, body="", tags=tags))


@pytest.fixture(scope="module")
def addresses(site):
    """The two ways to open the site: from a disc, and from a server here, under the strict policy."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def end_headers(self):
            self.send_header("Content-Security-Policy", policy.policy([]))
            super().end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"file": site.as_uri(), "http": f"http://127.0.0.1:{server.server_port}"}
    server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    with browser.Browser() as running:
        yield running


def answers(page, name, inputs):
    """What a network says in the browser, in its Worker: a flat tensor an output."""
    given = {key: value.flatten().tolist() for key, value in inputs.items()}
    code = (
        f"new medganLive.Network({json.dumps(name)}).run({json.dumps(given)})"
        ".then((outputs) => outputs.map(({ data }) => Array.from(data)))"
    )
    return [torch.tensor(output) for output in page.evaluate(code)]


def torch_answers(module, inputs):
    with torch.no_grad():
        found = module.eval()(**inputs)
    return [output.flatten() for output in (found if isinstance(found, tuple) else (found,))]


def furthest(found, expected):
    return max((a - b).abs().max().item() for a, b in zip(found, expected, strict=True))


# --- networks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["file", "http"])
@pytest.mark.parametrize("name", live_data.NETWORKS)
def test_a_shipped_network_answers_as_in_torch(chromium, addresses, name, way):
    module, examples = live_data.NETWORKS[name]()
    rng = torch.Generator().manual_seed(0)
    inputs = {
        key: (torch.randn if value.ndim < 4 else torch.rand)(value.shape, generator=rng)
        for key, value in examples.items()
    }
    page = chromium.open(f"{addresses[way]}/networks.html")
    assert furthest(answers(page, name, inputs), torch_answers(module, inputs)) < 1e-4
    assert page.problems == []


class Everything(nn.Module):
    """Every operation that layers.js knows, some in several forms."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(
            [
                nn.Conv2d(2, 5, 3, padding=1),
                nn.Conv2d(5, 6, 4, stride=2, padding=1, bias=False),
                nn.ConvTranspose2d(6, 5, 4, stride=2, padding=1),
                nn.ConvTranspose2d(5, 3, 3, stride=1, padding=0, bias=False),
                nn.Conv2d(3, 4, 1),
            ]
        )
        for convolution in self.convolutions:
            nn.init.kaiming_normal_(convolution.weight)  # else the norms enlarge what rounding left
        self.norms = nn.ModuleList(
            [nn.BatchNorm2d(4), nn.InstanceNorm2d(4, affine=True), nn.InstanceNorm2d(4), nn.GroupNorm(2, 4)]
        )
        self.dense = nn.Linear(3, 8)

    def forward(self, film, labels):
        x = film
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.1)  # (1, 4, 16, 18)
        x = x[:, :, :14, :16]
        for norm in self.norms:
            x = norm(x) + 0.5 * x
        scale, shift = self.dense(labels)[:, :, None, None].chunk(2, dim=1)  # (1, 4, 1, 1) each
        x = x * (1 + scale) - shift / (1.5 + torch.sigmoid(shift))
        x = torch.cat([F.relu(x), F.silu(-x), torch.tanh(x)], 1)  # (1, 12, 14, 16)
        x = F.avg_pool2d(x, 3, stride=1, padding=1) + F.max_pool2d(x, 3, 1, 1) - F.avg_pool2d(x, 2).mean()
        x = F.pixel_shuffle(F.interpolate(F.pixel_unshuffle(x, 2), scale_factor=2.0), 2)  # (1, 12, 28, 32)
        where = (0.2 * x[:, :2] + labels[0, 0]).reshape(1, -1, 32, 2)
        x = F.grid_sample(x, where, padding_mode="border", align_corners=True)  # (1, 12, 28, 32)
        x = x + F.interpolate(x[:, :, ::2], scale_factor=(2.0, 1.0), mode="bilinear")
        waves = torch.sin(labels * torch.arange(1.0, 4.0)) + torch.cos(labels).exp() + labels.square()
        few = torch.clamp(x, -0.5, 0.75).permute(0, 1, 3, 2) @ torch.linspace(-1, 1, 56).to(x).reshape(28, 2)
        seen = few.flatten(2).logsumexp(2) + x.mean((2, 3)) + (0.5 - x[0, 3, -1, ::7]).mean()
        return x, seen, 2 - waves.clamp_min(0.3).sqrt().expand(4, 3), -x[:, -1:, 2:-2]


def test_every_operation_computes_what_torch_computes(chromium, site):
    torch.manual_seed(0)
    module = Everything().eval()
    for buffer in module.norms[0].buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    inputs = {"film": torch.randn(1, 2, 14, 16), "labels": torch.rand(1, 3)}
    made = export_live.Export(module, inputs)
    assert {step[1] for step in made.steps} == export_live.operations()
    (site / "_static" / "live" / "data" / "everything.js").write_text(made.script("everything"))
    write_networks(site, "everything", ["data/everything.js"])
    page = chromium.open(f"{site.as_uri()}/everything.html")
    assert furthest(answers(page, "everything", inputs), torch_answers(module, inputs)) < 1e-4
    assert page.problems == []


def test_what_the_runtime_does_not_know_is_said():
    film = {"film": torch.zeros(1, 2, 8, 8)}
    with pytest.raises(ValueError, match="no operation 'erf'"):
        export_live.Export(Layer(lambda film: torch.erf(film)), film)
    with pytest.raises(ValueError, match="grouped"):
        export_live.Export(nn.Sequential(nn.Conv2d(2, 2, 3, groups=2)), {"input": film["film"]})
    with pytest.raises(ValueError, match="one image at a time"):
        export_live.Export(Layer(lambda film: film + 1), {"film": torch.zeros(2, 1, 8, 8)})


class Layer(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, film):
        return self.function(film)


# --- figures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["file", "http"])
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_draws_itself_and_answers_the_keyboard(chromium, addresses, name, way):
    page = chromium.open(f"{addresses[way]}/{name}.html")
    page.wait(READY)
    page.wait(IDLE)
    words = page.evaluate(WORDS)
    assert page.evaluate("getComputedStyle(document.querySelector('.live-still')).display") == "none"
    page.evaluate("document.querySelector('.live-figure input[type=range]').focus()")
    before = updates(page)
    page.press("Home", 36)
    page.press("ArrowRight", 39)
    page.wait(f"Number({FIGURE}.dataset.updates) > {before}")
    page.wait(IDLE)
    assert page.evaluate(WORDS) != words and len(words) > 40
    assert page.evaluate("location.hash").startswith(f"#{name}.")
    ours = (addresses[way], "blob:", "data:")
    assert [address for address in page.requests if not address.startswith(ours)] == []
    assert page.problems == []
    assert page.evaluate("medganLive.workers") is (name != "game")


def updates(page):
    return int(page.evaluate(f"{FIGURE}.dataset.updates"))


@pytest.mark.parametrize("name", FIGURES)
def test_every_control_has_a_label_and_every_canvas_a_description(chromium, addresses, name):
    page = chromium.open(f"{addresses['file']}/{name}.html")
    page.wait(READY)
    for kind, described in (
        ("input, select", "labels.length === 1"),
        ("button", "textContent.length > 2"),
        ("canvas", "getAttribute('aria-label').length > 3"),
    ):
        code = f"[...{FIGURE}.querySelectorAll('{kind}')].every((element) => element.{described})"
        assert page.evaluate(code), kind


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", FIGURES)
def test_films_are_shown_at_whole_multiples_in_both_themes(chromium, addresses, name, width):
    pixels = {}
    for dark in (False, True):
        page = chromium.open(f"{addresses['file']}/{name}.html", width=width, dark=dark)
        page.evaluate(f"document.documentElement.dataset.theme = '{'dark' if dark else 'light'}'")
        page.wait(READY)
        page.wait(IDLE)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        films = "[...document.querySelectorAll('.live-film canvas')]"
        sizes = page.evaluate(f"{films}.map((c) => [c.clientWidth, c.clientHeight, c.width])")
        assert all(wide == high and wide % side == 0 for wide, high, side in sizes)
        pixels[dark] = page.evaluate(f"{films}.map((c) => c.toDataURL()).join()")
    assert pixels[False] == pixels[True]


def test_an_address_brings_back_the_setting(chromium, addresses):
    page = chromium.open(f"{addresses['file']}/walk.html#walk.first=1.5&walk.second=-2&walk.noise=3")
    page.wait(READY)
    assert page.evaluate(WORDS).startswith("Synthetic film at 1.5 and -2.0")
    page = chromium.open(f"{addresses['file']}/walk.html#walk.first=nonsense&walk.second=99")
    page.wait(READY)
    assert page.evaluate(WORDS).startswith("Synthetic film at 0.0 and 3.0")  # the default, and the limit


def test_without_scripts_and_on_paper_there_is_a_picture(chromium, addresses):
    still = "getComputedStyle(document.querySelector('.live-still')).display !== 'none'"
    page = chromium.open(f"{addresses['file']}/walk.html", script=False)
    page.call("Emulation.setScriptExecutionDisabled", {"value": False})
    assert page.evaluate(still) and page.evaluate("document.querySelectorAll('canvas').length") == 0
    page = chromium.open(f"{addresses['file']}/walk.html")
    page.wait(READY)
    page.call("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = "getComputedStyle(document.querySelector('.live-controls')).display === 'none'"
    assert page.evaluate(hidden) and page.evaluate("document.querySelector('canvas').clientWidth > 0")


@pytest.mark.parametrize("name", FIGURES)
def test_a_page_loads_little(site, name):
    page = (site / f"{name}.html").read_text()
    bytes_ = sum((site / "_static" / "live" / file).stat().st_size for file in live_pages.files(page))
    assert bytes_ < MEGABYTES * 1e6


def test_a_figure_that_does_not_exist_is_said():
    assert live_pages.scripts("<p>nothing that moves</p>", "_static/live") == ""
    with pytest.raises(ValueError, match="no live figure 'wark'"):
        live_pages.figures('<div class="live-figure" data-figure="wark"></div>')


def test_stills_are_found_where_a_built_page_has_them():
    found = live_pages.localise('<img alt="_assets/live/" src="_assets/live/a.png">', "_static/live")
    assert found == '<img alt="_assets/live/" src="_static/live/a.png">'


def test_staging_gives_a_chapter_its_scripts(tmp_path):
    source = live_pages.with_stills('<div class="live-figure" data-figure="game">\n\n![x]()\n\n</div>')
    cells = [new_markdown_cell(source), new_markdown_cell("No figure here.")]
    metadata = {"papermill": {"duration": 60.0}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), tmp_path / "99-x.ipynb")
    stage.stage(tmp_path / "99-x.ipynb", tmp_path / "page.ipynb")
    staged = [cell.source for cell in nbformat.read(tmp_path / "page.ipynb", as_version=4).cells]
    still = '<img class="live-still" src="../_static/live/stills/game.png" alt="x">'
    assert staged == [f'<div class="live-figure" data-figure="game">\n{still}\n</div>', *staged[1:]]
    assert staged[1] == "No figure here."
    expected = [f"../_static/live/{name}.js" for name in ("layers", "page", "game")]
    assert re.findall(r'src="(.*?)"', staged[-1]) == expected


def test_a_missing_browser_is_named(monkeypatch):
    monkeypatch.setattr(browser.shutil, "which", lambda _: None)
    with pytest.raises(FileNotFoundError, match="apt-get install chromium"):
        browser.chromium()


# --- repair -------------------------------------------------------------------------------------


def test_your_own_film_is_read_here_and_anything_else_gets_a_sentence(chromium, addresses, tmp_path):
    page = chromium.open(f"{addresses['http']}/repair.html")
    page.wait(READY)
    page.wait(IDLE)
    asked = len(page.requests)
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (70, 1))).save(tmp_path / "mine.png")
    page.choose_file("input[type=file]", tmp_path / "mine.png")
    page.wait("document.querySelectorAll('figcaption')[3].textContent === 'Clean: your film'")
    page.wait(IDLE)
    left, right = page.evaluate(
        "(() => { const c = document.querySelectorAll('canvas')[3];"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return [d[0], d[4 * c.width - 4]]; })()"
    )
    assert 10 <= left <= 12 and 77 <= right <= 80  # the middle square: columns 10 to 79
    words = page.evaluate(WORDS)
    assert words.startswith("Your film, its middle square")
    (tmp_path / "notes.png").write_text("this is no picture")
    page.choose_file("input[type=file]", tmp_path / "notes.png")
    page.wait(f"{WORDS} !== {json.dumps(words)}")
    assert "notes.png is not a picture that this browser can read" in page.evaluate(WORDS)
    choose = "(() => { const s = document.querySelector('.live-figure select'); s.selectedIndex = 0;"
    page.evaluate(choose + " s.dispatchEvent(new Event('change', { bubbles: true })); })()")
    page.wait("document.querySelectorAll('figcaption')[3].textContent === 'Clean'")
    assert [a for a in page.requests[asked:] if not a.startswith(("blob:", "data:"))] == []
    assert page.problems == []


@pytest.mark.parametrize(("width", "stabilise"), [(1, 0), (2, 1), (4, 1)])
def test_the_bilateral_filter_is_the_package_s(chromium, addresses, width, stabilise):
    page = chromium.open(f"{addresses['file']}/repair.html")
    seen = torch.rand(1, 1, 64 // width, 64 // width, generator=torch.Generator().manual_seed(0))
    sigmas = {"sigma_color": 0.1, "sigma_spatial": 1.2}
    best = restoration.Tuned("bilateral", sigmas, bool(stabilise), width, 1.03, -0.02)
    expected = best(degradation.finer(seen, width))
    row = sigmas | {"stabilise": stabilise, "gain": 1.03, "offset": -0.02}
    image = f"Float32Array.from({seen.flatten().tolist()})"
    found = page.evaluate(f"Array.from(medganRepair.conventional({image}, 64, {width}, {json.dumps(row)}))")
    assert (torch.tensor(found) - expected.flatten()).abs().max() < 1e-4


@pytest.mark.parametrize(("dose", "width"), [(25, 1), (800, 1), (100, 4)])
def test_films_are_spoilt_as_in_the_package(chromium, addresses, dose, width):
    """The same mean and the same noise: the photons are other ones."""
    page = chromium.open(f"{addresses['file']}/repair.html")
    clean = torch.linspace(0.1, 0.9, 64).repeat(64, 1)[None, None]
    expected = degradation.apply(clean, "xray", dose=dose, downsample=width) - clean
    image = f"Float32Array.from({clean.flatten().tolist()})"
    spoilt = f"medganRepair.finer(medganRepair.detect({image}, 64, {dose}, {width}, 1), 64, {width})"
    found = torch.tensor(page.evaluate(f"Array.from({spoilt})")).reshape(64, 64) - clean[0, 0]
    columns = [slice(0, 32), slice(32, 64)]  # bright exposure, dark exposure
    for part in columns:
        ours, theirs = found[:, part], expected[0, 0, :, part]
        chance = width / 2048**0.5  # a half has 2048 / width^2 detector pixels
        assert abs(ours.std() / theirs.std() - 1) < max(0.1, 3 * chance)
        assert abs(ours.mean() - theirs.mean()) < 4 * chance * theirs.std()


# --- game ---------------------------------------------------------------------------------------


def test_the_game_of_numbers_is_learnt(chromium, addresses):
    page = chromium.open(f"{addresses['file']}/game.html#game.step=1500")
    page.wait(READY)
    page.wait(IDLE)
    words = page.evaluate(WORDS)
    covered = int(words.split(" cover ")[1].split(" %")[0])
    assert words.startswith("After 1500 rounds") and covered > 70


def test_the_saturating_loss_is_flat_where_the_expert_is_sure(chromium, addresses):
    covered = {}
    for loss in ("non-saturating", "saturating"):
        state = f"game.loss={loss}&game.begin=the expert has learnt first&game.way=plain gradient descent"
        page = chromium.open(f"{addresses['file']}/game.html#{state}&game.step=100")
        page.wait(READY)
        page.wait(IDLE)
        words = page.evaluate(WORDS)
        covered[loss] = int(words.split(" cover ")[1].split(" %")[0])
        page.close()
    assert covered["non-saturating"] > 20 > 10 > covered["saturating"]
    assert "log(1 − D)" in words and "is −0." in words  # why it is negative


def test_the_slopes_of_the_game_are_torch_s(chromium, addresses):
    page = chromium.open(f"{addresses['file']}/game.html")
    weights, slopes, forward = page.evaluate("""(() => {
        const { network, forward, backward, clear } = medganGame, layers = network(2, medganLive.random(3));
        clear(layers);
        const out = Array.from(forward(layers, Float64Array.from([0.3, -1, 2, 0.7, -0.2, 0.1]), 3));
        backward(layers, Float64Array.from([1, -2, 0.5]), 3);
        const all = (name) => layers.flatMap((layer) => layer[name].map((values) => Array.from(values)));
        return [all("parameters"), all("slopes"), out];
    })()""")
    layers = [nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)]
    torch_net = nn.Sequential(*layers)
    with torch.no_grad():
        for parameter, values in zip(torch_net.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(values).reshape(parameter.shape))
    out = torch_net(torch.tensor([[0.3, -1], [2, 0.7], [-0.2, 0.1]]))
    out.backward(torch.tensor([[1], [-2], [0.5]]))
    assert torch.allclose(torch.tensor(forward), out.flatten(), atol=1e-5)
    for parameter, values in zip(torch_net.parameters(), slopes, strict=True):
        assert torch.allclose(torch.tensor(values), parameter.grad.flatten(), atol=1e-4)


# --- read ---------------------------------------------------------------------------------------


def test_the_map_lies_over_the_film_s_own_pixels_and_can_be_taken_off(chromium, addresses):
    page = chromium.open(f"{addresses['file']}/read.html")
    page.wait(READY)
    page.wait(IDLE)
    pixels = (
        "(() => { const c = document.querySelector('canvas');"
        " return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data); })()"
    )
    coloured = np.reshape(page.evaluate(pixels), (64, 64, 4))[..., :3]
    page.evaluate("document.querySelector('input[type=checkbox]').focus()")
    page.press(" ", 32)
    page.wait("document.querySelector('figcaption').textContent === 'Film'")
    page.wait(IDLE)
    plain = np.reshape(page.evaluate(pixels), (64, 64, 4))[..., :3]
    assert np.ptp(plain, axis=2).max() == 0 and np.ptp(coloured, axis=2).max() > 20
    grey, tinted = plain[8:16, 8:16, 0].ravel(), coloured[8:16, 8:16, 0].ravel()  # one cell of the map
    assert np.corrcoef(grey, tinted)[0, 1] > 0.99  # one tint: no pixel of the film is smoothed
    assert "over=0" in page.evaluate("location.hash") and page.problems == []


# --- translate ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["add", "take away"])
def test_no_strength_is_no_change_and_more_is_more(chromium, addresses, way):
    page = chromium.open(
        f"{addresses['file']}/translate.html#translate.way={way}&translate.finding=Pleural Effusion"
    )
    page.wait(READY)
    changes = []
    for strength in (0, 0.5, 1):
        page.evaluate(f"{FIGURE}.medganFigure.show({{ strength: {strength} }})")
        page.wait(IDLE)
        changes.append(float(re.search("changes by ([0-9.]+)", page.evaluate(WORDS))[1]))
    assert changes[0] == 0 < changes[1] < changes[2]
    assert ("names no side" in page.evaluate(WORDS)) is (way == "add")


def test_the_translation_that_is_shown_first_comes_nearer_to_the_twin(chromium, addresses):
    page = chromium.open(f"{addresses['file']}/translate.html")
    page.wait(READY)
    words = page.evaluate(WORDS)
    assert "Pleural Effusion" in words and "before: nearer" in words


# --- sample -------------------------------------------------------------------------------------


class Field(nn.Module):
    """A small flow with what such networks have: group norms, SiLU, a time that shifts every map."""

    def __init__(self):
        super().__init__()
        self.time, self.first, self.last = (
            nn.Linear(8, 8),
            nn.Conv2d(4, 8, 3, padding=1),
            nn.Conv2d(8, 4, 3, padding=1),
        )
        self.norm = nn.GroupNorm(2, 8)

    def forward(self, x, t):
        waves = 10 * t[:, None] * torch.exp(-torch.arange(4.0))
        moved = self.time(torch.cat([waves.sin(), waves.cos()], 1))[:, :, None, None]
        return F.pixel_shuffle(self.last(F.silu(self.norm(self.first(F.pixel_unshuffle(x, 2))) + moved)), 2)


def test_a_flow_is_followed_by_heun_s_steps(chromium, site):
    """With a network of random weights: the course's own comes with chapter 10."""
    torch.manual_seed(0)
    field, steps = Field().eval(), 4
    made = export_live.Export(field, {"x": torch.zeros(1, 1, 16, 16), "t": torch.zeros(1)})
    (site / "_static" / "live" / "data" / "flow.js").write_text(made.script("flow"))
    files = ["layers.js", "page.js", "data/flow.js", "sample.js"]
    tags = "".join(f'<script defer src="_static/live/{file}"></script>' for file in files)
    (site / "sample.html").write_text(
        live_pages.ALONE.format(name="sample", body=live_pages.figure("sample"), tags=tags)
    )
    page = chromium.open(f"{site.as_uri()}/sample.html")
    page.wait(READY)
    page.wait(IDLE)
    assert page.evaluate(WORDS).startswith("After 4 of 4 steps, 7 evaluations") and page.problems == []
    taken = f"{FIGURE}.querySelector('output').textContent"
    assert page.evaluate(taken) == "4 of 4"
    start, *_, end = page.evaluate(f"{FIGURE}.medganFigure.path.pictures.map((p) => Array.from(p))")
    x = torch.tensor(start).reshape(1, 1, 16, 16)
    with torch.no_grad():
        for k in range(steps):
            t = torch.tensor([k / steps])
            v = field(x, t)
            if k < steps - 1:
                v = (v + field(x + v / steps, t + 1 / steps)) / 2
            x = x + v / steps
    assert (torch.tensor(end) - x.flatten()).abs().max() < 1e-4
    page.evaluate(f"{FIGURE}.querySelector('input').focus()")
    page.press("ArrowLeft", 37)  # one step back
    page.wait(f"{WORDS}.startsWith('After 3 of 4 steps, 6 evaluations')", 20)
    assert page.evaluate(taken) == "3 of 4"
