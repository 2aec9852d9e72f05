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

  /* A game: step() is one round; loss: "non-saturating" or "saturating" (equation 1 as it stands). */
  function game(seed, loss, rates = { expert: 2e-3, forger: 5e-4 }) {
    const uniform = random(seed), G = network(LATENT, uniform), D = network(1, uniform), history = [];
    const noise = (n) => Float64Array.from({ length: n * LATENT }, () => normal(uniform));
    const data = (n) => Float64Array.from({ length: n }, () => (uniform() < 0.5 ? -1.5 : 1.5) + 0.5 * normal(uniform));
    const forge = (n) => forward(G, noise(n), n).slice();
    const average = (values, f) => values.reduce((sum, v) => sum + f(v), 0) / values.length;

    function step() {
      const z = noise(BATCH), fake = forward(G, z, BATCH).slice();
      clear(D); // the expert: yes to data, no to forgeries
      const yes = forward(D, data(BATCH), BATCH).slice();
      backward(D, yes.map((v) => (sigmoid(v) - 1) / BATCH), BATCH);
      const no = forward(D, fake, BATCH).slice();
      backward(D, no.map((v) => sigmoid(v) / BATCH), BATCH);
      descend(D, rates.expert, history.length + 1);
      clear(D); // the forger: make the expert say yes
      clear(G);
      const opinion = forward(D, fake, BATCH).slice(), saturating = loss === "saturating";
      const slope = backward(D, opinion.map((v) => (saturating ? -sigmoid(v) : sigmoid(v) - 1) / BATCH), BATCH);
      backward(G, slope, BATCH);
      descend(G, rates.forger, history.length + 1);
      history.push({
        expert: average(yes, (v) => softplus(-v)) + average(no, softplus),
        forger: saturating ? -average(opinion, softplus) : average(opinion, (v) => softplus(-v)),
      });
    }

    const judge = (points) => forward(D, Float64Array.from(points), points.length).map(sigmoid);
    return { step, forge, judge, history, G, D };
  }

  /* The density that the data are drawn from. */
  const density = (x) => [-1.5, 1.5].reduce((sum, m) => sum + (0.5 * Math.exp(-((x - m) ** 2) / 0.5)) / (0.5 * Math.sqrt(2 * Math.PI)), 0);

  return { game, density, forward, backward, network, clear };
})();

medganLive.register("game", (figure) => {
  const { game, density } = medganGame, LEFT = -4, RIGHT = 4, BINS = 64, WIDTH = (RIGHT - LEFT) / BINS, LONGEST = 2000;
  const grid = Array.from({ length: BINS }, (_, k) => LEFT + (k + 0.5) * WIDTH), wanted = grid.map(density);
  let play, playing = false, forged, opinion;
  figure.slider("step", "Rounds played", { min: 0, max: LONGEST, step: 1, value: 0 });
  figure.choice("loss", "The forger's loss", ["non-saturating", "saturating"]);
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

  const losses = figure.plot("Losses of expert and forger", 170, (context, width, height, ink) => {
    if (!play) return;
    const shown = play.history, longest = Math.max(300, shown.length), y = (v) => height - 14 - ((v + 1.6) / 4.6) * (height - 54);
    for (const [name, colour] of [["expert", ink.blue], ["forger", ink.orange]]) {
      line(context, shown.map((row, k) => [(k / longest) * width, y(Math.min(3, Math.max(-1.6, row[name])))]), colour);
    }
    line(context, [[0, y(0)], [width, y(0)]], ink.faint);
    legend(context, [["expert's loss", ink.blue], ["forger's loss", ink.orange], [`0 to ${longest} rounds; the grey line is 0`, ink.text]], width);
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

  /* Play towards `step` for a moment; from the start again if that lies behind. */
  function playTowards({ step, seed, loss }) {
    const name = `${seed} ${loss}`;
    if (!play || play.name !== name || play.history.length > step) play = Object.assign(game(seed, loss), { name });
    const until = performance.now() + 35; // with the drawing under 150 ms
    while (play.history.length < step && performance.now() < until) play.step();
    return play.history.length;
  }

  figure.update = async (state) => {
    const played = playTowards(state);
    if (played < state.step) figure.again = true; // show this moment, then play on
    forged = new Float64Array(BINS);
    for (const v of play.forge(4000)) if (v >= LEFT && v < RIGHT) forged[Math.floor((v - LEFT) / WIDTH)] += 1 / (4000 * WIDTH);
    opinion = play.judge(grid);
    densities.redraw();
    losses.redraw();
    const overlap = forged.reduce((sum, v, k) => sum + Math.min(v, wanted[k]) * WIDTH, 0), last = play.history.at(-1);
    figure.say(`After ${played} rounds the forgeries cover ${Math.round(100 * overlap)} % of the data's density` +
      (last ? `; the expert's loss is ${last.expert.toFixed(2)} (guessing: 1.39), the forger's ${last.forger.toFixed(2)}.` : ". Nobody has learnt anything yet."));
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
