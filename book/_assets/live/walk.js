"use strict";
/* A walk through the noise that DCGAN turns into films (chapter 3, and the front page).
 *
 * The noise has a hundred numbers. Two directions of it, found by Python, change the films most; the sliders
 * say how far along each the noise lies, in standard deviations. The rest of the noise stays as it is.
 * With data-hero the walk goes by itself until it is stopped.
 */
medganLive.register("walk", (figure) => {
  const { random, normal, meanAbsolute, Network } = medganLive, { size, directions } = medganData.walk;
  const network = new Network("dcgan"), hero = "hero" in figure.root.dataset;
  const say = (v) => v.toFixed(1), range = { min: -3, max: 3, step: 0.1, value: 0, say };
  figure.slider("first", "Along the first direction", range);
  figure.slider("second", "Along the second direction", range);
  figure.start("noise", 14);
  figure.button("Other noise", () => figure.set({ noise: figure.state.noise + 1 }));
  const walker = figure.button("Walk", () => (walking ? stop() : go()));
  const made = figure.film("Synthetic film", size), change = hero ? null : figure.film("Change from the middle", size);
  if (hero) figure.columns = 1;
  let walking = 0, middle = { noise: null };

  /* The noise of the state: its parts along the two directions are set, all else is drawn from the seed. */
  function noise({ noise, first, second }) {
    const uniform = random(noise), z = Float32Array.from({ length: directions[0].length }, () => normal(uniform));
    directions.forEach((direction, d) => {
      const now = direction.reduce((sum, value, k) => sum + value * z[k], 0), wanted = d ? second : first;
      direction.forEach((value, k) => { z[k] += (wanted - now) * value; });
    });
    return z;
  }

  const draw = async (state) => (await network.run({ z: noise(state) }))[0].data;

  figure.update = async (state) => {
    const values = await draw(state);
    made.draw(values);
    if (hero) return figure.say("Every film is synthetic: it was drawn by a network and shows nobody. Not for diagnosis.");
    if (middle.noise !== state.noise) {
      middle = { noise: state.noise, values: await draw({ ...state, first: 0, second: 0 }) };
    }
    change.draw(values.map((value, k) => value - middle.values[k]), "change");
    const grey = (127.5 * meanAbsolute(values, middle.values)).toFixed(1);
    return figure.say(`Synthetic film at ${say(state.first)} and ${say(state.second)}: ${grey} of 255 grey levels a ` +
      "pixel from the film in the middle (0, 0). Orange: brighter, blue: darker. It shows nobody; not for diagnosis.");
  };

  /* Round the middle, a turn in half a minute, eight steps a second at most. */
  async function go() {
    const mine = ++walking, began = performance.now() - 1000 * 30 * Math.random();
    walker.textContent = "Stop";
    while (walking === mine) {
      const angle = (performance.now() - began) / 30000 * 2 * Math.PI;
      if (!document.hidden) await figure.show({ first: 2.5 * Math.sin(angle), second: 2.5 * Math.sin(2 * angle) });
      await new Promise((resolve) => setTimeout(resolve, 125));
    }
  }

  function stop() {
    walking = 0;
    walker.textContent = "Walk";
    figure.set({});
  }

  figure.controls.addEventListener("input", () => walking && stop());
  if (hero && !matchMedia("(prefers-reduced-motion: reduce)").matches) go();
});
