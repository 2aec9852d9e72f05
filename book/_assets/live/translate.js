"use strict";
/* Give a patient a finding, or take it away, with chapter 5's robust StarGAN. Only a simulator can show beside it the
 * same patient who really has the finding: the true twin.
 *
 * The network is always asked for the whole of it: the label says which film is wanted, not how much of a change.
 * (Half an effusion to be left is a wish for an effusion, and it may be painted on the other side.) `strength` is how
 * much of the change that it makes is laid over the film.
 */
medganLive.register("translate", (figure) => {
  const { film, meanAbsolute, random, normal, Network } = medganLive, { size, findings, healthy, ill } = medganData.translate;
  const network = new Network("painter"), patients = healthy.map((_, k) => `Patient ${k + 1}`), ways = ["add", "take away"];
  const bothSides = ["Cardiomegaly", "Edema"]; // the other findings are left or right
  figure.choice("patient", "Patient", patients, patients[2]);
  figure.choice("finding", "Finding", findings, "Pleural Effusion");
  figure.choice("way", "Add it or take it away", ways);
  figure.slider("strength", "Strength", { min: 0, max: 1, step: 0.05, value: 1, say: (v) => `${Math.round(100 * v)} %` });
  figure.start("noise", 2);
  if (Object.values(network.inputs).length > 2) {
    figure.button("Another place and size", () => figure.set({ noise: figure.state.noise + 1 })); // the network draws by noise
  }
  const [before, made, twin, change, wanted] = ["Before", "Made", "True twin", "Change made", "True change"].map((name) => figure.film(name, size));

  change.canvas.parentElement.classList.add("live-second");

  /* What the network is asked: the film with one finding, or with none; noise, if it wants any. */
  function question(image, state) {
    const asked = state.way === "add" ? 1 : 0, uniform = random(state.noise), inputs = {};
    for (const [name, shape] of Object.entries(network.inputs)) {
      if (name === "labels") inputs.labels = findings.map((finding) => (finding === state.finding ? asked : 0));
      else if (shape.length === 4) inputs[name] = image;
      else inputs[name] = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(uniform));
    }
    return inputs;
  }

  figure.update = async (state) => {
    const who = patients.indexOf(state.patient), pair = [healthy[who], ill[who][findings.indexOf(state.finding)]].map(film);
    const [from, to] = state.way === "add" ? pair : pair.toReversed();
    const [{ data: whole }] = await network.run(question(from, state));
    const data = whole.map((value, k) => from[k] + state.strength * (value - from[k]));
    const difference = (a) => a.map((value, k) => value - from[k]);
    [[before, from], [made, data], [twin, to]].forEach(([place, values]) => place.draw(values));
    [[change, data], [wanted, to]].forEach(([place, values]) => place.draw(difference(values), "change", 0.5));
    const grey = (a, b) => (127.5 * meanAbsolute(a, b)).toFixed(1), left = grey(from, to), now = grey(data, to);
    const aside = state.way === "add" && !bothSides.includes(state.finding)
      ? "The wish names no side; only a removal can be compared with the twin film by film. " : "";
    const what = state.way === "add" ? `given ${state.finding}` : `freed of ${state.finding}`;
    twin.name(state.way === "add" ? `True twin, with ${state.finding}` : "True twin, without");
    figure.say(`${state.patient} ${what} at ${Math.round(100 * state.strength)} %: the film changes by ${grey(data, from)} of 255 grey levels a ` +
      `pixel. From the true twin it is ${now} away, ${left} before: ${Number(now) < Number(left) ? "nearer" : "not nearer"}. ` +
      `${aside}Strength is how much of the network's change is laid over the film. ` +
      "Orange: brighter, blue: darker. The films are simulated or synthetic; not for diagnosis.");
  };
});
