"""How long the live figures take to answer a slider, in the browser of this machine."""

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "scripts"))
import browser
import live_pages

UPDATES = 9  # of each figure; the first two warm up
ANSWER = """(async () => {
  const figure = document.querySelector('.live-figure');
  const slider = figure.querySelector('input[type=range]');
  const count = () => Number(figure.dataset.updates), middle = (Number(slider.min) + Number(slider.max)) / 2;
  const pause = () => new Promise((resolve) => setTimeout(resolve, 0));
  const before = count(), begun = performance.now();
  slider.value = %d ? slider.max : middle;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  while (count() === before) await pause();
  return performance.now() - begun;
})()"""


def updates():
    """(figure, milliseconds from a moved slider to the next drawing, the median) for each live figure."""
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        live_pages.write_alone(folder)
        for name in live_pages.DATA:
            page = chromium.open((Path(folder) / f"{name}.html").as_uri())
            figure = "document.querySelector('.live-figure')"
            page.wait(f"{figure}.dataset.ready === 'true' && !{figure}.dataset.busy")
            times = []
            for turn in range(UPDATES):
                times.append(page.evaluate(ANSWER % (turn % 2)))
                page.wait(f"!{figure}.dataset.busy")  # the game of chapter 3 plays on after it
            page.close()
            yield name, statistics.median(times[2:])
