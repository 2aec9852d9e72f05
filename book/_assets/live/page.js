"use strict";
/* What the live figures share: a network in a Worker, controls, films on canvases, state in the address.
 *
 * A figure file calls medganLive.register(name, setup). For every element <div class="live-figure"
 * data-figure="name"> of the page, setup(figure) adds controls and canvases and sets figure.update, which
 * draws from figure.state. The element gets data-ready="true" when first drawn and counts in data-updates.
 */
const medganLive = (function () {
  const setups = {}, GAP = 8, PADDING = 26; // pixels of the screen, as in live.css

  function element(tag, parent, properties = {}) {
    const made = Object.assign(document.createElement(tag), properties);
    if (parent) parent.append(made);
    return made;
  }

  // --- networks ----------------------------------------------------------------------------------

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  /* What the Worker does: it keeps one network and answers each question in turn. */
  function answerQuestions(layers) {
    let network;
    self.onmessage = ({ data: { id, load, inputs } }) => {
      if (load) network = layers.load(load);
      else postMessage({ id, outputs: layers.run(network, inputs) });
    };
  }

  /* A network by the name of its script. run(inputs) promises its outputs, [{ shape, data }, ...]. */
  class Network {
    constructor(name) {
      const { data, ...rest } = medganData[name];
      this.inputs = rest.inputs;
      this.description = { ...rest, data: bytes(data).buffer };
      this.waiting = new Map();
      this.asked = 0;
      this.startWorker();
    }

    /* From the text of the functions: a page opened from a disc may not load a Worker's file. */
    startWorker() {
      const text = `(${answerQuestions})((${medganLayers})());`;
      try {
        this.worker = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
      } catch {
        return; // the browser allows none: the page itself computes
      }
      this.worker.onmessage = ({ data: { id, outputs } }) => {
        this.answered = medganLive.workers = true;
        this.waiting.get(id).resolve(outputs);
        this.waiting.delete(id);
      };
      this.worker.onerror = (event) => {
        if (!this.answered) this.worker = null; // it never started: from now on the page itself computes
        for (const [id, { inputs, resolve, reject }] of [...this.waiting]) {
          this.waiting.delete(id);
          if (this.worker) reject(new Error(event.message));
          else this.run(inputs).then(resolve, reject);
        }
      };
      this.worker.postMessage({ load: this.description });
    }

    run(inputs) {
      if (!this.worker) {
        this.layers = this.layers || medganLayers();
        this.loaded = this.loaded || this.layers.load(this.description);
        return Promise.resolve(this.layers.run(this.loaded, inputs));
      }
      const id = this.asked++;
      return new Promise((resolve, reject) => {
        this.waiting.set(id, { inputs, resolve, reject });
        this.worker.postMessage({ id, inputs });
      });
    }
  }

  // --- colours: how a number in [-1, 1] or [0, 1] is shown -----------------------------------------

  const mix = (stops, share) => {
    const place = Math.min(0.9999, Math.max(0, share)) * (stops.length - 1), k = Math.floor(place);
    return stops[k].map((value, c) => value + (place - k) * (stops[k + 1][c] - value));
  };
  const colours = {
    film: (v) => [255 * (v + 1) / 2, 255 * (v + 1) / 2, 255 * (v + 1) / 2], // [-1, 1]: black to white
    change: (v) => mix([[230, 159, 0], [40, 40, 40], [86, 180, 233]], (1 - v) / 2), // blue darker, orange brighter
    error: (v) => mix([[0, 0, 4], [120, 28, 109], [237, 105, 37], [252, 255, 164]], v), // [0, 1]
  };

  // --- a figure ----------------------------------------------------------------------------------

  class Figure {
    constructor(root, key) {
      this.root = root;
      root.medganFigure = this; // for whoever looks at it in the console
      this.key = key;
      this.state = {};
      this.controls = element("div", null, { className: "live-controls" });
      this.pictures = element("div", null, { className: "live-pictures" });
      this.drawings = element("div", null, { className: "live-drawings" });
      const canvases = element("div", null, { className: "live-canvases" });
      canvases.append(this.pictures, this.drawings);
      this.words = element("p", null, { className: "live-words" });
      this.words.setAttribute("aria-live", "polite");
      this.shown = [];
      this.columns = 3; // films beside each other, where there is room
      root.append(this.controls, canvases, this.words);
      root.setAttribute("role", "group");
      if (root.dataset.label) root.setAttribute("aria-label", root.dataset.label);
      new ResizeObserver(() => this.fit()).observe(root);
    }

    // controls; the state starts at what the address says, else at `value`

    start(name, value) {
      const given = address().get(`${this.key}.${name}`);
      this.state[name] = given === null ? value : typeof value === "number" ? Number(given) : given;
      if (typeof value === "number" && !Number.isFinite(this.state[name])) this.state[name] = value;
      return this.state[name];
    }

    slider(name, label, { min, max, step, value, say = (v) => String(v) }) {
      const row = element("label", this.controls, { className: "live-control" });
      element("span", row, { textContent: label });
      const input = element("input", row, { type: "range", min, max, step: "any" });
      const number = element("output", row);
      const show = () => {
        input.step = typeof step === "function" ? step() : step; // a function where the state decides
        input.value = this.state[name];
        this.state[name] = Number(input.value); // within its limits
        number.textContent = say(this.state[name]);
        input.setAttribute("aria-valuetext", number.textContent);
      };
      this.start(name, value);
      show();
      input.addEventListener("input", () => this.set({ [name]: Number(input.value) }));
      this.shown.push(show);
    }

    choice(name, label, options, value = options[0]) {
      const row = element("label", this.controls, { className: "live-control" });
      element("span", row, { textContent: label });
      const select = element("select", row);
      for (const option of options) element("option", select, { textContent: option, value: option });
      if (!options.includes(this.start(name, value))) this.state[name] = value;
      this.shown.push(() => { select.value = this.state[name]; });
      this.shown.at(-1)();
      select.addEventListener("change", () => this.set({ [name]: select.value }));
    }

    /* A box to tick: 1 in the state, or 0. */
    tick(name, label, value) {
      const row = element("label", this.controls, { className: "live-control live-tick" });
      const input = element("input", row, { type: "checkbox" });
      element("span", row, { textContent: label });
      this.start(name, value);
      this.shown.push(() => { input.checked = Boolean(this.state[name]); });
      this.shown.at(-1)();
      input.addEventListener("change", () => this.set({ [name]: Number(input.checked) }));
    }

    button(label, action) {
      const made = element("button", this.controls, { type: "button", textContent: label });
      made.addEventListener("click", () => action(made));
      return made;
    }

    /* Change the state: the controls follow, and the figure is drawn again. */
    show(changes) {
      Object.assign(this.state, changes);
      this.shown.forEach((show) => show());
      return this.draw();
    }

    /* The same by the reader's hand: the address follows too. */
    set(changes) {
      const drawn = this.show(changes);
      note(this.key, this.state);
      return drawn;
    }

    /* Draw now, or once more when the drawing under way is finished: the latest state wins. */
    async draw() {
      this.again = true;
      if (this.drawing) return;
      this.drawing = true;
      this.root.dataset.busy = "true";
      while (this.again) {
        this.again = false;
        try {
          await this.update(this.state);
        } catch (error) {
          this.words.textContent = `This figure could not be drawn: ${error.message}`;
          console.error(error);
          break;
        }
        this.root.dataset.updates = Number(this.root.dataset.updates || 0) + 1;
        this.root.dataset.ready = "true";
      }
      delete this.root.dataset.busy;
      this.drawing = false;
    }

    say(text) {
      if (this.words.textContent !== text) this.words.textContent = text;
    }

    // pictures

    /* A place for an image of size x size numbers; draw(values, colour, scale) shows values / scale. A colour is one
     * of the names above, or a function of a value and its place that returns red, green and blue. */
    film(caption, size) {
      const box = element("figure", this.pictures, { className: "live-film" });
      const canvas = element("canvas", box, { width: size, height: size });
      const words = element("figcaption", box, { textContent: caption });
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", caption);
      canvas.dataset.size = size;
      return {
        canvas,
        name(text) {
          words.textContent = text;
          canvas.setAttribute("aria-label", text);
        },
        draw: (values, colour = "film", scale = 1) => paint(canvas, values, colours[colour] || colour, scale),
      };
    }

    /* A drawing of its own resolution: paint(context, width, height, ink) is called at every redraw. */
    plot(label, height, paintPlot) {
      const canvas = element("canvas", this.drawings, { className: "live-plot" });
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", label);
      canvas.style.height = `${height}px`;
      const redraw = () => {
        const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
        const context = canvas.getContext("2d");
        context.scale(ratio, ratio);
        context.font = `13px ${getComputedStyle(this.root).fontFamily}`;
        paintPlot(context, width, height, ink(this.root));
      };
      this.plots = [...(this.plots || []), redraw];
      return { canvas, redraw };
    }

    /* Show films at whole multiples of their pixels, `columns` beside each other where each gets `least`
     * pixels of the screen, fewer where not. */
    fit(least = 128) {
      const films = [...this.pictures.querySelectorAll(".live-film canvas")], room = this.root.clientWidth - PADDING;
      const size = Math.max(1, ...films.map((canvas) => Number(canvas.dataset.size)));
      const most = Math.max(1, Math.floor(Number(this.root.dataset.side || 256) / size));
      const times = (columns) => Math.min(most, Math.floor((room - GAP * (columns - 1)) / columns / size));
      let columns = Math.min(this.columns, films.length);
      while (columns > 2 && times(columns) * size < least) columns--;
      const side = Math.max(1, times(columns)) * size;
      this.pictures.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
      this.pictures.classList.toggle("live-columns", columns === this.columns);
      for (const canvas of films) canvas.style.width = canvas.style.height = `${side}px`;
      if (room !== this.room) (this.plots || []).forEach((redraw) => redraw());
      this.room = room;
    }
  }

  function paint(canvas, values, colour, scale) {
    const context = canvas.getContext("2d"), picture = context.createImageData(canvas.width, canvas.height);
    for (let k = 0; k < values.length; k++) {
      const [red, green, blue] = colour(values[k] / scale, k);
      picture.data.set([red, green, blue, 255], 4 * k); // rounded and kept in 0 to 255 by the array itself
    }
    context.putImageData(picture, 0, 0);
  }

  /* Colours of lines and words that can be read in the theme at hand. */
  function ink(root) {
    const dark = document.documentElement.dataset.theme === "dark";
    return {
      text: getComputedStyle(root).color,
      faint: dark ? "#555" : "#ddd",
      blue: dark ? "#56b4e9" : "#0173b2",
      orange: dark ? "#e69f00" : "#b35900",
      green: dark ? "#2fbf91" : "#027a5b",
    };
  }

  // --- state in the address: page.html#walk.first=1.5&walk.second=-2 ------------------------------

  const address = () => new URLSearchParams(location.hash.slice(1));

  function note(key, state) {
    const all = location.hash.includes("=") ? address() : new URLSearchParams();
    for (const [name, value] of Object.entries(state)) all.set(`${key}.${name}`, value);
    history.replaceState(null, "", `#${all}`);
  }

  // --- numbers -----------------------------------------------------------------------------------

  /* Uniform numbers in [0, 1) that the same seed repeats (mulberry32). */
  function random(seed) {
    let a = seed >>> 0;
    return () => {
      a = (a + 0x6d2b79f5) >>> 0;
      let t = Math.imul(a ^ (a >>> 15), 1 | a);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  /* Standard normal numbers from uniform ones (Box & Muller 1958). */
  const normal = (uniform) => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

  /* Films written by Python: base64 of one byte a pixel, to [-1, 1]. */
  const film = (text) => Float32Array.from(bytes(text), (value) => value / 127.5 - 1);

  const meanAbsolute = (a, b) => a.reduce((sum, value, k) => sum + Math.abs(value - b[k]), 0) / a.length;

  // --- start -------------------------------------------------------------------------------------

  function start() {
    const seen = {};
    for (const root of document.querySelectorAll(".live-figure[data-figure]")) {
      const name = root.dataset.figure;
      if (!setups[name]) continue;
      seen[name] = (seen[name] || 0) + 1;
      const figure = new Figure(root, seen[name] > 1 ? `${name}${seen[name]}` : name);
      setups[name](figure);
      figure.fit();
      figure.draw();
      if ([...address().keys()].some((key) => key.startsWith(`${figure.key}.`))) root.scrollIntoView();
      new MutationObserver(() => figure.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    }
  }

  document.addEventListener("DOMContentLoaded", start);
  const register = (name, setup) => { setups[name] = setup; };
  return { register, Network, element, random, normal, film, bytes, meanAbsolute, workers: false };
})();
