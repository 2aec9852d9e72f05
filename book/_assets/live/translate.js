"use strict";
/* Give a patient a finding, or take it away, with chapter 5's robust StarGAN. Only a simulator can show beside it the
 * same patient who really has the finding: the true twin.
 *
 * `severity` is what the network was told of every finding while it learnt: how sure a case, by rank among its like,
 * from -2 (as one film in fifty) over 0 (the middle one) to 2. Who asks for a finding to be taken away has no choice.
 */
medganLive.register("translate", (figure) => {
  const { film, meanAbsolute, random, normal, Network } = medganLive, { size, findings, healthy, ill } = medganData.translate;
  const network = new Network("painter"), patients = healthy.map((_, k) => `Patient ${k + 1}`), ways = ["add", "take away"];
  const bothSides = ["Cardiomegaly", "Edema"]; // the other findings are left or right
  const severe = (v) => `${v < -0.7 ? "mild" : v > 0.7 ? "severe" : "in the middle"} (${v.toFixed(1)})`;
  figure.choice("patient", "Patient", patients, patients[2]);
  figure.choice("finding", "Finding", findings, "Pleural Effusion");
  figure.choice("way", "Add it or take it away", ways);
  figure.slider("severity", "How severe, of what is added", { min: -2, max: 2, step: 0.1, value: 0.5, say: severe });
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
    if (inputs.z) inputs.z[findings.indexOf(state.finding)] = state.severity;
    return inputs;
  }

  figure.update = async (state) => {
    const who = patients.indexOf(state.patient), pair = [healthy[who], ill[who][findings.indexOf(state.finding)]].map(film);
    const [from, to] = state.way === "add" ? pair : pair.toReversed();
    const [{ data }] = await network.run(question(from, state));
    const difference = (a) => a.map((value, k) => value - from[k]);
    [[before, from], [made, data], [twin, to]].forEach(([place, values]) => place.draw(values));
    [[change, data], [wanted, to]].forEach(([place, values]) => place.draw(difference(values), "change", 0.5));
    const grey = (a, b) => (127.5 * meanAbsolute(a, b)).toFixed(1), left = grey(from, to), now = grey(data, to);
    const aside = state.way === "add" && !bothSides.includes(state.finding)
      ? "The wish names no side; only a removal can be compared with the twin film by film. " : "";
    const what = state.way === "add" ? `given ${state.finding}, ${severe(state.severity)}` : `freed of ${state.finding}`;
    twin.name(state.way === "add" ? `True twin, with ${state.finding}` : "True twin, without");
    figure.say(`${state.patient} ${what}: the film changes by ${grey(data, from)} of 255 grey levels a ` +
      `pixel. From the true twin it is ${now} away, ${left} before: ${Number(now) < Number(left) ? "nearer" : "not nearer"}. ` +
      `${aside}Severity is how sure a case the network is asked for, among films with the finding. ` +
      "Orange: brighter, blue: darker. The films are simulated or synthetic; not for diagnosis.");
  };
});
