"use strict";
/* Noise becomes a film in a few steps along the field of velocities that a flow has learnt (chapter 10).
 *
 * The network says for a picture and a time t, from 0 (noise) to 1 (film), where every pixel is going. Heun's
 * step: look ahead along the first answer, ask again there, and go by the mean of the two.
 */
medganLive.register("sample", (figure) => {
  const { random, normal, Network } = medganLive, network = new Network("flow"), shapes = Object.entries(network.inputs);
  const [picture, shape] = shapes.find(([, sides]) => sides.length === 4), [time] = shapes.find(([, sides]) => sides.length < 4);
  const size = shape[2], counts = ["1", "2", "4", "8", "16"];
  figure.choice("steps", "Steps from noise to film", counts, "4");
  figure.slider("share", "Time", { min: 0, max: 16, step: 1, value: 16, say: (v) => `${v} of 16` });
  figure.start("noise", 1);
  figure.button("Other noise", () => figure.set({ noise: figure.state.noise + 1 }));
  const now = figure.film("Now", size), end = figure.film("Where it is heading", size);
  let path = {};

  const velocity = async (x, t) => (await network.run({ [picture]: x, [time]: [t] }))[0].data;
  const along = (x, v, length) => x.map((value, k) => value + length * v[k]);

  /* One more picture of the path, and the film that its velocity points at. */
  async function walk(steps) {
    const x = path.pictures.at(-1), t = (path.pictures.length - 1) / steps, ahead = t + 1 / steps;
    const first = await velocity(x, t);
    path.ends.push(along(x, first, 1 - t));
    if (ahead >= 1) return path.pictures.push(along(x, first, 1 / steps)); // the last step is a plain one
    const second = await velocity(along(x, first, 1 / steps), ahead);
    return path.pictures.push(along(x, first.map((value, k) => (value + second[k]) / 2), 1 / steps));
  }

  figure.update = async ({ steps, share, noise }) => {
    if (path.name !== `${noise} ${steps}`) {
      const uniform = random(noise), start = Float32Array.from({ length: size * size }, () => normal(uniform));
      path = { name: `${noise} ${steps}`, pictures: [start], ends: [] };
    }
    const wanted = Math.round((share / 16) * steps), known = path.ends.length;
    if (known <= wanted && known < steps) await walk(Number(steps));
    const shown = Math.min(wanted, path.ends.length), reached = path.ends[shown] || path.pictures.at(-1);
    now.draw(path.pictures[shown]);
    end.draw(reached);
    if (path.ends.length <= wanted && path.ends.length < steps) figure.again = true; // show this moment, then go on
    figure.say(`After ${shown} of ${steps} steps, ${2 * shown} questions to the network at most: ` +
      `${shown === 0 ? "noise alone" : shown < steps ? "part noise, part film" : "a synthetic film"}. It shows nobody; not for diagnosis.`);
    figure.path = path;
  };
});
