"use strict";
/* Spoil a film as an X-ray machine would, and repair it twice (chapter 4): by a bilateral filter, and by the
 * network of the chapter. Films are Float32Arrays in [0, 1] here, as in medgan_helpers/degradation.
 */
const medganRepair = (function () {
  /* The display curve of a film, grey = sigmoid(SLOPE * (attenuation - FILM_RANGE / 2)), as in degradation.py. */
  const FILM_RANGE = 3, SLOPE = 1.5, DARKEST = 1 / 256;
  function exposureOf(grey) {
    const g = Math.min(1 - DARKEST, Math.max(DARKEST, grey));
    return Math.exp(-Math.log(g / (1 - g)) / SLOPE - FILM_RANGE / 2);
  }
  const greyOf = (exposure) => 1 / (1 + Math.exp(SLOPE * (Math.log(exposure) + FILM_RANGE / 2)));

  /* A number of photons when `expected` arrive on average: Knuth's way for few, the normal curve for many. */
  function poisson(expected, uniform) {
    if (expected > 60) return Math.max(0, Math.round(expected + Math.sqrt(expected) * medganLive.normal(uniform)));
    let photons = 0, chance = uniform();
    for (const end = Math.exp(-expected); chance > end; photons++) chance *= uniform();
    return photons;
  }

  /* Means over blocks of factor x factor pixels, and back by repeating them. */
  function coarser(image, size, factor) {
    const small = size / factor, out = new Float32Array(small * small);
    image.forEach((value, k) => {
      out[Math.floor(Math.floor(k / size) / factor) * small + Math.floor((k % size) / factor)] += value / factor ** 2;
    });
    return out;
  }

  function finer(image, size, factor) {
    const small = size / factor;
    return Float32Array.from({ length: size * size }, (_, k) =>
      image[Math.floor(Math.floor(k / size) / factor) * small + Math.floor((k % size) / factor)]);
  }

  /* degradation.xray: Beer-Lambert, wider pixels, photon counting. What the detector saw: (size / factor)^2. */
  function detect(film, size, dose, factor, seed) {
    const uniform = medganLive.random(seed), exposure = coarser(film.map(exposureOf), size, factor);
    return exposure.map((e) => greyOf(Math.max(0.5, poisson(dose * e, uniform)) / dose));
  }

  /* restoration.equal_noise: the square root of the exposure, whose noise is the same in bright and dark. */
  const darkest = Math.sqrt(exposureOf(1)), brightest = Math.sqrt(exposureOf(0));
  const equalNoise = (image) => image.map((v) => (Math.sqrt(exposureOf(v)) - darkest) / (brightest - darkest));
  const unequalNoise = (image) => image.map((v) => greyOf((v * (brightest - darkest) + darkest) ** 2));

  /* restoration.bilateral (Tomasi & Manduchi 1998): a Gaussian mean over neighbours of similar grey, edges repeated. */
  function bilateral(image, size, colour, spatial) {
    const reach = Math.min(Math.ceil(2 * spatial), size >> 1), last = size - 1;
    const inside = (v) => Math.min(last, Math.max(0, v)), weights = new Float64Array(image.length), out = new Float64Array(image.length);
    for (let dy = -reach; dy <= reach; dy++) for (let dx = -reach; dx <= reach; dx++) {
      const near = Math.exp(-0.5 * (dx * dx + dy * dy) / spatial ** 2);
      for (let y = 0, k = 0; y < size; y++) for (let x = 0, row = inside(y + dy) * size; x < size; x++, k++) {
        const neighbour = image[row + inside(x + dx)];
        const weight = near * Math.exp(-0.5 * ((neighbour - image[k]) / colour) ** 2);
        out[k] += weight * neighbour;
        weights[k] += weight;
      }
    }
    return Float32Array.from(out, (sum, k) => sum / weights[k]);
  }

  /* Lanczos-3 interpolation to `factor` times the side, one axis after the other, as Pillow does it. */
  function lanczos(image, side, factor) {
    const kernel = (x) => (x === 0 ? 1 : Math.abs(x) >= 3 ? 0 : (3 * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / 3)) / (Math.PI * x) ** 2);
    const taps = Array.from({ length: side * factor }, (_, k) => {
      const centre = (k + 0.5) / factor, from = Math.max(0, Math.floor(centre - 2.5)), to = Math.min(side, Math.floor(centre + 3.5));
      const weights = Array.from({ length: to - from }, (_, j) => kernel(from + j + 0.5 - centre));
      const sum = weights.reduce((a, b) => a + b, 0);
      return { from, weights: weights.map((w) => w / sum) };
    });
    const stretch = (lines, read) => lines.flatMap((line) => taps.map(({ from, weights }) =>
      weights.reduce((sum, w, j) => sum + w * read(line, from + j), 0)));
    const sides = Array.from({ length: side }, (_, k) => k), long = side * factor;
    const wide = stretch(sides, (row, col) => image[row * side + col]); // (side, long)
    const turned = stretch(Array.from({ length: long }, (_, k) => k), (col, row) => wide[row * long + col]); // (long, long), turned
    return Float32Array.from({ length: long * long }, (_, k) => turned[(k % long) * long + Math.floor(k / long)]);
  }

  /* restoration.Tuned("bilateral", ...): the settings that were best on validation films at this dose and width. */
  function conventional(seen, size, factor, best) {
    const side = size / factor, noisy = best.stabilise ? equalNoise(seen) : seen;
    const calm = bilateral(noisy, side, best.sigma_color, best.sigma_spatial).map((v) => Math.min(1, Math.max(0, v)));
    const small = best.stabilise ? unequalNoise(calm) : calm;
    const large = factor === 1 ? small : lanczos(small, side, factor).map((v) => Math.min(1, Math.max(0, v)));
    return large.map((v) => Math.min(1, Math.max(0, best.gain * v + best.offset)));
  }

  const psnr = (a, b) => -10 * Math.log10(Math.max(1e-12, a.reduce((sum, v, k) => sum + (v - b[k]) ** 2, 0) / a.length));
  return { detect, finer, conventional, psnr };
})();

medganLive.register("repair", (figure) => {
  const { detect, finer, conventional, psnr } = medganRepair, { film, element, Network } = medganLive;
  const { films, tuned, trained } = medganData.repair, network = new Network("restorer"), size = network.inputs.image[2];
  const doses = [...new Set(tuned.map((row) => row.dose))], widths = [...new Set(tuned.map((row) => row.width))];
  const names = films.map((_, k) => `simulated film ${k + 1}`), clean = films.map((text) => film(text).map((v) => (v + 1) / 2));
  figure.choice("film", "Film", names);
  figure.slider("dose", "Dose", { min: 0, max: doses.length - 1, step: 1, value: doses.indexOf(trained.dose), say: (k) => `${doses[k]} photons per pixel` });
  figure.slider("width", "Detector pixels", { min: 0, max: widths.length - 1, step: 1, value: widths.indexOf(trained.width), say: (k) => `${widths[k]} x as wide` });
  figure.start("noise", 1);
  figure.button("Other noise", () => figure.set({ noise: figure.state.noise + 1 }));
  const own = element("label", figure.controls, { className: "live-control live-file" });
  element("span", own, { textContent: "Your own PNG or JPEG (or drop it here; it stays in this browser)" });
  const input = element("input", own, { type: "file", accept: "image/png,image/jpeg" });
  const places = ["Degraded", "Bilateral filter", "Network", "Clean", "Error of the filter", "Error of the network"].map((name) => figure.film(name, size));
  let yours = null, complaint = "";

  figure.update = async (state) => {
    const target = yours || clean[Math.max(0, names.indexOf(state.film))], dose = doses[state.dose], width = widths[state.width];
    const seen = detect(target, size, dose, width, state.noise), degraded = finer(seen, size, width);
    const best = tuned.find((row) => row.dose === dose && row.width === width);
    const smooth = conventional(seen, size, width, best);
    const [answer] = await network.run({ image: degraded.map((v) => 2 * v - 1) });
    const repaired = answer.data.map((v) => (v + 1) / 2);
    const error = (image) => image.map((v, k) => Math.abs(v - target[k]));
    [degraded, smooth, repaired, target].forEach((image, k) => places[k].draw(image.map((v) => 2 * v - 1)));
    [smooth, repaired].forEach((image, k) => places[k + 4].draw(error(image), "error", 0.2));
    const dB = [degraded, smooth, repaired].map((image) => psnr(image, target).toFixed(1));
    places[0].name(`Degraded: ${dB[0]} dB`);
    places[1].name(`Bilateral filter: ${dB[1]} dB`);
    places[2].name(`Network: ${dB[2]} dB`);
    places[3].name(yours ? "Clean: your film" : "Clean");
    const practised = dose === trained.dose && width === trained.width ? "the setting it was trained for" : `trained at ${trained.dose} photons and ${trained.width} x`;
    if (yours) figure.root.querySelector("select").selectedIndex = -1; // none of the list: any of them brings it back
    const whose = yours ? "Your film, its middle square; choose one of the list to come back. " : "";
    figure.say(complaint || `${whose}${dose} photons per pixel, detector pixels ${width} x as wide: PSNR ${dB[0]} dB degraded, ${dB[1]} dB after the ` +
      `bilateral filter (tuned for each dose and width), ${dB[2]} dB after the network (${practised}). Errors: black 0, yellow 51 of 255 grey levels or more. Not for diagnosis.`);
  };

  /* Your film: the middle square, grey, at the network's size. It is read here and sent nowhere. */
  async function read(file) {
    complaint = "";
    try {
      if (!/^image\/(png|jpeg)$/.test(file.type)) throw new TypeError("kind");
      const picture = await createImageBitmap(file), side = Math.min(picture.width, picture.height);
      const canvas = element("canvas", null, { width: size, height: size }), context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, size, size);
      const { data } = context.getImageData(0, 0, size, size);
      yours = Float32Array.from({ length: size * size }, (_, k) => (data[4 * k] + data[4 * k + 1] + data[4 * k + 2]) / 765);
    } catch {
      complaint = `${file.name} is not a picture that this browser can read: choose a PNG or JPEG file. The film before it is still shown.`;
    }
    figure.draw();
  }

  input.addEventListener("change", () => input.files[0] && read(input.files[0]));
  figure.root.addEventListener("change", (event) => {
    if (event.target.matches("select")) { yours = null; complaint = ""; input.value = ""; }
  }, true); // before the list's own listener draws
  const drop = (name, action) => figure.root.addEventListener(name, (event) => { event.preventDefault(); action(event); });
  drop("dragover", () => figure.root.classList.add("live-drop"));
  drop("dragleave", () => figure.root.classList.remove("live-drop"));
  drop("drop", (event) => {
    figure.root.classList.remove("live-drop");
    if (event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
  });
});
