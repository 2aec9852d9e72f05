"""A headless Chromium that tests drive through two pipes: no package, no port, no driver.

    with Browser() as browser:
        page = browser.open(path.as_uri(), width=1280, dark=False)
        page.wait("document.querySelector('.live-figure').dataset.ready === 'true'")
        assert page.problems == []

It speaks the DevTools protocol, JSON messages that end in a zero byte.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = (
    "the live figures are tested in Chromium, which is not here: `apt-get install chromium` (Debian), "
    "`brew install --cask chromium` (macOS), or name another in the variable CHROMIUM"
)
STILL = 5  # looks, a tenth of a second apart, that find an element at the same place
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe", "--disable-dev-shm-usage",
    # A page behind another one works on.
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)  # fmt: skip


def chromium():
    """The browser's command. Raises FileNotFoundError that says what to install."""
    for name in filter(None, (os.environ.get("CHROMIUM"), *NAMES)):
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(INSTALL)


class Browser:
    """One browser process; `open` gives a page."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        (reads, ours), (answers, writes) = os.pipe(), os.pipe()
        command = [chromium(), *SWITCHES, f"--user-data-dir={self.folder}"]
        # The browser reads from descriptor 3 and writes to 4.
        shell = ["bash", "-c", f'exec "$@" 3<&{reads} 4>&{writes}', "-", *command]
        quiet = subprocess.DEVNULL
        place = os.environ | {"TMPDIR": self.folder}  # it leaves sockets in its temporary folder
        self.process = subprocess.Popen(
            shell, pass_fds=(reads, writes), stdin=quiet, stdout=quiet, stderr=quiet, env=place
        )
        os.close(reads)
        os.close(writes)
        self.out, self.inn, self.rest, self.count, self.pages = ours, answers, b"", 0, {}
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        os.close(self.out)
        os.close(self.inn)
        shutil.rmtree(self.folder, ignore_errors=True)

    def open(self, address, width=1280, height=900, dark=False, script=True, motion=False, seconds=60):
        """A page at `address`, loaded within `seconds`. motion: whether the reader likes things that move by
        themselves."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self.pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            page.call(f"{domain}.enable")
        page.show(width, height, dark, motion)
        page.call("Emulation.setScriptExecutionDisabled", {"value": not script})
        page.go(address, seconds)
        return page

    def call(self, method, parameters=None, session=None, seconds=120):
        """Send a command and wait for its answer; what happens meanwhile goes to the pages."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters or {}}
        message |= {"sessionId": session} if session else {}
        os.write(self.out, json.dumps(message).encode() + b"\0")
        number, end = self.count, time.monotonic() + seconds
        while time.monotonic() < end:
            answer = self.receive(end - time.monotonic())
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
        raise TimeoutError(f"no answer to {method} in {seconds} s")

    def receive(self, seconds):
        while b"\0" not in self.rest:
            if not select.select([self.inn], [], [], max(0.0, seconds))[0]:
                return {}
            piece = os.read(self.inn, 1 << 20)
            if not piece:
                raise RuntimeError(
                    f"{chromium()} ended by itself: does it start as `{chromium()} --headless`?"
                )
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        if page := self.pages.get(message.get("sessionId")):
            page.hear(message)
        return message


class Page:
    """One page. problems: what it wrote to the console as an error; requests: the addresses it asked for."""

    def __init__(self, browser, session, target):
        self.browser, self.session, self.target = browser, session, target
        self.problems, self.requests, self.loaded = [], [], False

    def call(self, method, parameters=None):
        return self.browser.call(method, parameters, self.session)

    def show(self, width=1280, height=900, dark=False, motion=False):
        """The window's size and what its reader prefers, also after the page has loaded."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", size)
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "no-preference" if motion else "reduce",
        }
        features = [{"name": name, "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", {"features": features})

    def close(self):
        self.browser.call("Target.closeTarget", {"targetId": self.target})

    def hear(self, message):
        event, told = message.get("method"), message.get("params", {})
        if event == "Page.loadEventFired":
            self.loaded = True
        elif event == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.problems.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif event == "Runtime.consoleAPICalled" and told["type"] == "error":
            self.problems.append(str([arg.get("description", arg.get("value")) for arg in told["args"]]))

    def go(self, address, seconds=60):
        self.loaded = False
        self.call("Page.navigate", {"url": address})
        end = time.monotonic() + seconds
        while not self.loaded:
            if time.monotonic() > end:
                raise TimeoutError(f"{address} did not load in {seconds} s")
            self.browser.receive(0.5)

    def evaluate(self, code):
        """The value of a JavaScript expression; a promise is waited for."""
        asked = {"expression": code, "returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description"))
        return answer["result"].get("value")

    def wait(self, condition, seconds=120):
        """Until a JavaScript expression is true; TimeoutError otherwise."""
        end = time.monotonic() + seconds
        while not self.evaluate(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"not true in {seconds} s: {condition}; the page said {self.problems}")
            time.sleep(0.05)

    def press(self, key, code=0):
        """One key, as from the keyboard: "Tab", "ArrowRight", "Enter", ..."""
        kind = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        kind |= {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", kind | {"type": "keyDown"})
        self.call("Input.dispatchKeyEvent", kind | {"type": "keyUp"})

    def choose_file(self, selector, path):
        """Put a file into <input type=file>."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
        self.call("DOM.setFileInputFiles", {"nodeId": node, "files": [str(path)]})

    def screenshot(self, path, selector="html"):
        """A PNG of the whole page, or of one element once it stands still."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{element}.scrollIntoView({{behavior: 'instant'}})")
        where = (
            f"(() => {{ const r = {element}.getBoundingClientRect();"
            " return [r.x + scrollX, r.y + scrollY, r.width, r.height, innerHeight]; })()"
        )
        box, quiet = None, 0
        while quiet < STILL:
            now = self.evaluate(where)
            box, quiet = now, quiet + 1 if now == box else 0
            time.sleep(0.1)
        x, y, width, height, room = box
        clip = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        # To look beyond the window changes its height, and with it where things stand.
        options = {"captureBeyondViewport": height > room, "clip": clip}
        shot = self.call("Page.captureScreenshot", options)
        path.write_bytes(base64.b64decode(shot["data"]))
