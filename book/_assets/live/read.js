"use strict";
/* Chapter 7's classifier reads a film: probability, class activation map, and a threshold on its ROC curve.
 *
 * The curve is drawn from what the classifier said of simulated films that it never saw (test.csv beside its
 * weights). The map says where the evidence was taken from, cell by cell.
 */
medganLive.register("read", (figure) => {
  const { film, Network } = medganLive, { size, findings, films, tests, temperature, shift } = medganData.read;
  const network = new Network("classifier"), names = films.map(({ name }) => name);
  const sigmoid = (v) => 1 / (1 + Math.exp(-v)), percent = (share) => `${Math.round(100 * share)} %`;
  figure.choice("film", "Film", names, names.find((name) => name.endsWith("Effusion")));
  figure.choice("finding", "Finding to look for", findings, "Pleural Effusion");
  figure.slider("called", "Films that are called positive", { min: 0, max: 100, step: 1, value: 40, say: (v) => `${v} %` });
  figure.tick("over", "Lay the map over the film", 1);
  const shown = figure.film("Film", size), map = figure.film("Map", Math.sqrt(tests.cells));
  const plot = figure.plot("ROC curve", 260, paintCurve);
  let curve = null;

  /* The film's own pixels, tinted where a cell of the map has evidence: orange for the finding, blue against it. */
  function tinted(evidence, strongest) {
    const side = Math.sqrt(evidence.length), cell = size / side;
    return (value, k) => {
      const share = evidence[Math.floor(Math.floor(k / size) / cell) * side + Math.floor((k % size) / cell)] / strongest;
      const tint = share > 0 ? [230, 159, 0] : [86, 180, 233], weight = 0.5 * Math.abs(share);
      return tint.map((colour) => (1 - weight) * 127.5 * (value + 1) + weight * colour);
    };
  }

  /* Sensitivity and false alarms when the `called` percent of highest logits are called positive. */
  function operate({ finding, called }) {
    const { labels, logits } = tests.films[finding], order = logits.map((_, k) => k).sort((a, b) => logits[b] - logits[a]);
    const ill = labels.reduce((sum, label) => sum + label, 0), healthy = labels.length - ill, points = [[0, 0]];
    let found = 0, alarms = 0;
    for (const k of order) {
      found += labels[k];
      alarms += 1 - labels[k];
      points.push([alarms / healthy, found / ill]);
    }
    const count = Math.round((called / 100) * order.length);
    return { points, at: points[count], threshold: count ? logits[order[count - 1]] : Infinity, ill, healthy };
  }

  function paintCurve(context, width, height, ink) {
    if (!curve) return;
    const side = Math.min(height - 40, width - 60), x = (v) => 48 + v * side, y = (v) => 10 + (1 - v) * side;
    const line = (points, colour) => {
      context.strokeStyle = colour;
      context.lineWidth = 2;
      context.beginPath();
      points.forEach((point) => context.lineTo(x(point[0]), y(point[1])));
      context.stroke();
    };
    line([[0, 0], [1, 1]], ink.faint);
    line(curve.points, ink.blue);
    context.fillStyle = ink.orange;
    context.beginPath();
    context.arc(x(curve.at[0]), y(curve.at[1]), 7, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = ink.text;
    for (const v of [0, 0.5, 1]) {
      context.fillText(v, x(v) - 4, y(0) + 16);
      context.fillText(v, 22, y(v) + 4);
    }
    context.fillText("false alarms", x(0.5) - 36, y(0) + 28);
    context.save();
    context.translate(14, y(0.5) + 30);
    context.rotate(-Math.PI / 2);
    context.fillText("found", 0, 0);
    context.restore();
  }

  figure.update = async (state) => {
    const values = film(films[names.indexOf(state.film)].film), which = findings.indexOf(state.finding);
    const [maps, logits] = await network.run({ film: values });
    const cells = maps.shape[2] * maps.shape[3], evidence = maps.data.slice(which * cells, (which + 1) * cells);
    const strongest = Math.max(...evidence.map(Math.abs)), logit = logits.data[which];
    const probability = (value) => sigmoid(value / temperature[which] + shift[which]);
    curve = operate(state);
    shown.draw(values, state.over ? tinted(evidence, strongest) : "film");
    shown.name(state.over ? "Film, with the map over it" : "Film");
    map.draw(evidence, "change", strongest);
    map.name(`Evidence for it (orange) or against it (blue), a cell up to ${strongest.toFixed(1)}, in units of the logit`);
    plot.redraw();
    const positive = logit >= curve.threshold, limit = Number.isFinite(curve.threshold) ? probability(curve.threshold).toFixed(3) : "1";
    figure.say(`${state.finding}: probability ${probability(logit).toFixed(3)}, threshold ${limit}: this film is called ${positive ? "positive" : "negative"}. ` +
      `With this threshold the classifier finds ${percent(curve.at[1])} of ${curve.ill} test films that have it, and raises a false alarm in ` +
      `${percent(curve.at[0])} of ${curve.healthy} that do not. Simulated films; not for diagnosis.`);
  };
});
