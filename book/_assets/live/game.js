"use strict";
/* The game of chapter 3 on numbers instead of films: a forger and an expert learn against each other, here.
 *
 * Two networks of two hidden layers, their slopes by hand, Adam, and the loop of the chapter. Data: two bumps.
 */
const medganGame = (function () {
  const HIDDEN = 32, BATCH = 128, LATENT = 4, LEAK = 0.2;
  const { random, normal } = medganLive;
  const sigmoid = (v) => 1 / (1 + Math.exp(-v)), softplus = (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));

  /* Weights of a layer as torch starts them: even in +- 1 / sqrt(inputs). */
  function layer(inputs, outputs, uniform) {
    const bound = 1 / Math.sqrt(inputs), draw = (n) => Float64Array.from({ length: n }, () => bound * (2 * uniform() - 1));
    const parameters = [draw(inputs * outputs), draw(outputs)];
    return { inputs, outputs, parameters, slopes: parameters.map((p) => new Float64Array(p.length)) };
  }

  const network = (inputs, uniform) => [layer(inputs, HIDDEN, uniform), layer(HIDDEN, HIDDEN, uniform), layer(HIDDEN, 1, uniform)];

  /* Numbers (n, inputs) through a network; keeps what every layer saw, for the way back. */
  function forward(layers, x, n) {
    layers.forEach((now, depth) => {
      const [weight, bias] = now.parameters, out = new Float64Array(n * now.outputs);
      now.seen = x;
      const { inputs, outputs } = now, last = depth === layers.length - 1;
      for (let row = 0; row < n; row++) for (let o = 0; o < outputs; o++) {
        let sum = bias[o];
        for (let i = 0, w = o * inputs, k = row * inputs; i < inputs; i++) sum += weight[w + i] * x[k + i];
        out[row * outputs + o] = sum < 0 && !last ? LEAK * sum : sum;
      }
      now.out = x = out;
    });
    return x;
  }

  /* The chain rule, from the slope of the loss in the outputs to the slopes in weights and inputs. */
  function backward(layers, slope, n) {
    for (let depth = layers.length - 1; depth >= 0; depth--) {
      const { inputs, outputs, seen, out, parameters: [weight], slopes: [forWeight, forBias] } = layers[depth];
      const before = new Float64Array(n * inputs);
      for (let row = 0; row < n; row++) for (let o = 0; o < outputs; o++) {
        const bent = depth < layers.length - 1 && out[row * outputs + o] < 0 ? LEAK : 1, g = bent * slope[row * outputs + o];
        forBias[o] += g;
        for (let i = 0, w = o * inputs, k = row * inputs; i < inputs; i++) {
          forWeight[w + i] += g * seen[k + i];
          before[k + i] += g * weight[w + i];
        }
      }
      slope = before;
    }
    return slope;
  }

  const clear = (layers) => layers.forEach((now) => now.slopes.forEach((s) => s.fill(0)));

  /* Adam (Kingma & Ba 2015) with beta1 = 0, beta2 = .99, as in the chapter. */
  function descend(layers, rate, step) {
    for (const now of layers) {
      now.squares = now.squares || now.parameters.map((p) => new Float64Array(p.length));
      now.parameters.forEach((values, k) => values.forEach((_, i) => {
        const slope = now.slopes[k][i], square = (now.squares[k][i] = 0.99 * now.squares[k][i] + 0.01 * slope * slope);
        values[i] -= (rate * slope) / (Math.sqrt(square / (1 - 0.99 ** step)) + 1e-8);
      }));
    }
  }

  /* Plain gradient descent. */
  function roll(layers, rate) {
    for (const now of layers) {
      now.parameters.forEach((values, k) => values.forEach((_, i) => { values[i] -= rate * now.slopes[k][i]; }));
    }
  }

  /* A game: step() is one round, prepare() a step of the expert alone; loss: "non-saturating" or "saturating"
   * (equation 1 as it stands); plain: the forger learns by plain gradient descent, not by Adam. */
  function game(seed, loss, plain = false, rates = { expert: 2e-3, forger: 5e-4, plain: 1e-3 }) {
    const uniform = random(seed), G = network(LATENT, uniform), D = network(1, uniform), history = [];
    const noise = (n, from = uniform) => Float64Array.from({ length: n * LATENT }, () => normal(from));
    const data = (n) => Float64Array.from({ length: n }, () => (uniform() < 0.5 ? -1.5 : 1.5) + 0.5 * normal(uniform));
    const forge = (n, from) => forward(G, noise(n, from), n).slice();
    const show = (n) => forge(n, random(seed + 1)); // from numbers of its own: to look on changes no game
    let learnt = 0; // steps that the expert has made
    const average = (values, f) => values.reduce((sum, v) => sum + f(v), 0) / values.length;

    /* The expert's step: yes to data, no to forgeries. Returns its logits of both. */
    function learn(fake) {
      clear(D);
      const yes = forward(D, data(BATCH), BATCH).slice();
      backward(D, yes.map((v) => (sigmoid(v) - 1) / BATCH), BATCH);
      const no = forward(D, fake, BATCH).slice();
      backward(D, no.map((v) => sigmoid(v) / BATCH), BATCH);
      descend(D, rates.expert, ++learnt);
      return { yes, no };
    }

    function step() {
      const fake = forge(BATCH), { yes, no } = learn(fake);
      clear(D); // the forger: make the expert say yes
      clear(G);
      const opinion = forward(D, fake, BATCH).slice(), saturating = loss === "saturating";
      const slope = backward(D, opinion.map((v) => (saturating ? -sigmoid(v) : sigmoid(v) - 1) / BATCH), BATCH);
      backward(G, slope, BATCH);
      if (plain) roll(G, rates.plain);
      else descend(G, rates.forger, history.length + 1);
      history.push({
        expert: average(yes, (v) => softplus(-v)) + average(no, softplus),
        forger: saturating ? -average(opinion, softplus) : average(opinion, (v) => softplus(-v)),
      });
    }

    const prepare = () => { learn(forge(BATCH)); };
    const judge = (points) => forward(D, Float64Array.from(points), points.length).map(sigmoid);
    return { step, prepare, show, judge, history, prepared: () => learnt - history.length };
  }

  /* The density that the data are drawn from. */
  const density = (x) => [-1.5, 1.5].reduce((sum, m) => sum + (0.5 * Math.exp(-((x - m) ** 2) / 0.5)) / (0.5 * Math.sqrt(2 * Math.PI)), 0);

  return { game, density, forward, backward, network, clear };
})();

medganLive.register("game", (figure) => {
  const { game, density } = medganGame, LEFT = -4, RIGHT = 4, BINS = 64, WIDTH = (RIGHT - LEFT) / BINS, LONGEST = 2000, LEAD = 300;
  const grid = Array.from({ length: BINS }, (_, k) => LEFT + (k + 0.5) * WIDTH), wanted = grid.map(density);
  const starts = ["nobody knows anything", "the expert has learnt first"], ways = ["Adam", "plain gradient descent"];
  let play, playing = false, forged, opinion;
  figure.slider("step", "Rounds played", { min: 0, max: LONGEST, step: 1, value: 0 });
  figure.choice("loss", "The forger's loss", ["non-saturating", "saturating"]);
  figure.choice("begin", "At the start", starts);
  figure.choice("way", "The forger's steps", ways);
  figure.start("seed", 0);
  const runner = figure.button("Play", () => (playing ? stop() : go()));
  figure.button("One round", () => { stop(); figure.set({ step: Math.min(LONGEST, figure.state.step + 1) }); });
  figure.button("A hundred rounds", () => { stop(); figure.set({ step: Math.min(LONGEST, figure.state.step + 100) }); });
  figure.button("New game", () => { stop(); figure.set({ step: 0, seed: figure.state.seed + 1 }); });

  const densities = figure.plot("Densities of data and forgeries, and the expert's opinion", 240, (context, width, height, ink) => {
    if (!forged) return;
    const x = (v) => ((v - LEFT) / (RIGHT - LEFT)) * width, y = (v) => height - 24 - v * (height - 64);
    context.fillStyle = ink.orange;
    context.globalAlpha = 0.55;
    forged.forEach((v, k) => context.fillRect(x(LEFT + k * WIDTH), y(Math.min(1, v)), width / BINS - 1, Math.min(1, v) * (height - 64)));
    context.globalAlpha = 1;
    line(context, grid.map((v, k) => [x(v), y(wanted[k])]), ink.blue);
    line(context, grid.map((v, k) => [x(v), y(opinion[k])]), ink.text, [6, 4]);
    line(context, [[0, y(0.5)], [width, y(0.5)]], ink.faint);
    legend(context, [["data", ink.blue], ["forgeries", ink.orange], ["expert: D(x), from 0 to 1 (dashed)", ink.text]], width);
    context.fillStyle = ink.text;
    for (let v = LEFT + 1; v < RIGHT; v++) context.fillText(v, x(v) - 4, height - 6);
  });

  const losses = figure.plot("Losses of expert and forger", 190, (context, width, height, ink) => {
    if (!play) return;
    const shown = play.history, longest = Math.max(300, shown.length), lowest = -1.6, room = 28;
    const highest = Math.min(6, Math.max(3, ...shown.map((row) => Math.max(row.expert, row.forger))));
    const x = (k) => room + (k / longest) * (width - room);
    const y = (v) => height - 8 - ((Math.min(highest, Math.max(lowest, v)) - lowest) / (highest - lowest)) * (height - 54);
    context.fillStyle = ink.text;
    for (let v = -1; v <= highest; v++) {
      line(context, [[room, y(v)], [width, y(v)]], ink.faint, v === 0 ? [] : [2, 4]);
      context.fillText(v < 0 ? `−${-v}` : v, 4, y(v) + 4);
    }
    for (const [name, colour] of [["expert", ink.blue], ["forger", ink.orange]]) {
      line(context, shown.map((row, k) => [x(k), y(row[name])]), colour);
    }
    legend(context, [["expert's loss", ink.blue], ["forger's loss", ink.orange], [`rounds 0 to ${longest}`, ink.text]], width);
  });

  function line(context, points, colour, dash = []) {
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.setLineDash(dash);
    context.beginPath();
    points.forEach(([x, y]) => context.lineTo(x, y));
    context.stroke();
    context.setLineDash([]);
  }

  /* Coloured names in the first line, and in a second where they do not fit. */
  function legend(context, entries, room) {
    let x = 4, y = 14;
    for (const [name, colour] of entries) {
      const width = context.measureText(name).width;
      if (x + width > room) [x, y] = [4, y + 17];
      context.fillStyle = colour;
      context.fillText(name, x, y);
      x += width + 18;
    }
  }

  /* Play towards `step` for a moment; from the start again if that lies behind. Returns whether it got there. */
  function playTowards({ step, seed, loss, begin, way }) {
    const name = [seed, loss, begin, way].join(), lead = begin === starts[1] ? LEAD : 0;
    if (!play || play.name !== name || play.history.length > step) {
      play = Object.assign(game(seed, loss, way === ways[1]), { name });
    }
    const until = performance.now() + 35, ahead = () => play.prepared() < lead; // with the drawing under 150 ms
    while ((ahead() || play.history.length < step) && performance.now() < until) ahead() ? play.prepare() : play.step();
    return !ahead() && play.history.length === step;
  }

  /* What the last round says of the two losses. */
  function told({ loss }) {
    const last = play.history.at(-1), minus = (v) => v.toFixed(2).replace("-", "−");
    if (!last) return play.prepared() ? `. The expert alone has learnt, ${play.prepared()} steps of ${LEAD}.` : ". Nobody has learnt anything yet.";
    const forger = loss === "saturating"
      ? `log(1 − D), the mean over forgeries, is ${minus(last.forger)} (guessing: −0.69; never above 0, and flat near 0, where the expert is sure)`
      : `−log D, the mean over forgeries, is ${minus(last.forger)} (guessing: 0.69; steep where the expert is sure)`;
    return `; the expert's loss is ${last.expert.toFixed(2)} (guessing: 1.39), the forger's, ${forger}.`;
  }

  medganLive.element("p", figure.root, { className: "live-words", textContent: "Where do the two losses differ? Let the expert learn first, " +
    "give the forger plain gradient descent, and play a hundred rounds with each: where the expert is sure, the saturating " +
    "loss is flat and its forger hardly moves, while the other one goes to the data at once (often to one bump alone). Adam " +
    "divides every slope by its usual size, so that a flat loss moves the forger as far as a steep one: with Adam the two " +
    "losses hardly differ in this game." });

  figure.update = async (state) => {
    if (!playTowards(state)) figure.again = true; // show this moment, then play on
    forged = new Float64Array(BINS);
    for (const v of play.show(4000)) if (v >= LEFT && v < RIGHT) forged[Math.floor((v - LEFT) / WIDTH)] += 1 / (4000 * WIDTH);
    opinion = play.judge(grid);
    densities.redraw();
    losses.redraw();
    const overlap = forged.reduce((sum, v, k) => sum + Math.min(v, wanted[k]) * WIDTH, 0);
    figure.say(`After ${play.history.length} rounds the forgeries cover ${Math.round(100 * overlap)} % of the data's density${told(state)}`);
    await new Promise((resolve) => setTimeout(resolve)); // the page breathes
  };

  async function go() {
    if (figure.state.step >= LONGEST) figure.state.step = 0;
    playing = true;
    runner.textContent = "Pause";
    while (playing && figure.state.step < LONGEST) {
      await figure.show({ step: Math.min(LONGEST, figure.state.step + 10) });
      await new Promise(requestAnimationFrame);
    }
    stop();
  }

  function stop() {
    if (playing) figure.set({});
    playing = false;
    runner.textContent = "Play";
  }

  figure.controls.addEventListener("input", stop);
});
