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
  const per = () => 16 / Number(figure.state.steps); // sixteenths of the way that a step takes
  figure.slider("share", "Steps taken", { min: 0, max: 16, step: per, value: 16, say: (v) => `${v / per()} of ${figure.state.steps}` });
  figure.start("noise", 1);
  figure.button("Other noise", () => figure.set({ noise: figure.state.noise + 1 }));
  const now = figure.film("The picture now", size), end = figure.film("Where it is heading", size);
  let path = {};

  const velocity = async (x, t) => (await network.run({ [picture]: x, [time]: [t] }))[0].data;
  const along = (x, v, length) => x.map((value, k) => value + length * v[k]);

  /* One more question to the network: the first one at a picture says where its velocity points, the second
   * one ahead makes the next picture. The last step is a plain one. */
  async function look(steps) {
    const x = path.pictures.at(-1), t = (path.pictures.length - 1) / steps, ahead = t + 1 / steps;
    if (!path.first) {
      path.first = await velocity(x, t);
      path.ends.push(along(x, path.first, 1 - t));
      if (ahead < 1) return;
    }
    const first = path.first, second = ahead < 1 ? await velocity(along(x, first, 1 / steps), ahead) : first;
    path.pictures.push(along(x, first.map((value, k) => (value + second[k]) / 2), 1 / steps));
    path.first = null;
  }

  figure.update = async ({ steps: chosen, share, noise }) => {
    const steps = Number(chosen), wanted = Math.round((share / 16) * steps);
    if (path.name !== `${noise} ${steps}`) {
      const uniform = random(noise), start = Float32Array.from({ length: size * size }, () => normal(uniform));
      path = { name: `${noise} ${steps}`, pictures: [start], ends: [] };
    }
    const unknown = () => path.pictures.length <= wanted || path.ends.length <= Math.min(wanted, steps - 1);
    if (unknown()) await look(steps);
    if (unknown()) figure.again = true; // show this moment, then go on
    const shown = Math.min(wanted, path.pictures.length - 1);
    now.draw(path.pictures[shown]);
    end.draw(shown === steps ? path.pictures[steps] : path.ends[Math.min(shown, path.ends.length - 1)]);
    const asked = shown === steps ? 2 * steps - 1 : 2 * shown; // the last step asks once
    figure.say(`After ${shown} of ${steps} steps, ${asked} evaluation${asked === 1 ? "" : "s"} of the network: ` +
      `${shown === 0 ? "noise alone" : shown < steps ? "part noise, part film" : "a synthetic film"}. It shows nobody; not for diagnosis.`);
    figure.path = path;
  };
});
