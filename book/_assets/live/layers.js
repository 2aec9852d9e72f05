"use strict";
/* The layers of the course's networks, in plain JavaScript.
 *
 * A network is a list of named operations, as torch calls them (book/scripts/export_live.py writes it):
 *     ["relu_1", "relu", "conv2d_1"]      is      relu_1 = relu(conv2d_1)
 * A text among the arguments names an earlier result or a weight. Tensors are { shape, data }, data a
 * Float32Array in torch's order (1, channels, height, width): one image at a time.
 *
 * The whole file is one function, because a Worker is made from its text: a page opened from a disc may
 * load no other way.
 */
const medganLayers = function () {
  const count = (shape) => shape.reduce((product, side) => product * side, 1);
  const tensor = (shape, data) => ({ shape, data: data || new Float32Array(count(shape)) });
  const reshape = (x, shape) => tensor(shape, x.data);

  /* An operation on every number by itself; a and b are what the operation is given beside the tensor. */
  function each(f) {
    return (x, a, b) => {
      const out = tensor(x.shape), from = x.data, to = out.data;
      for (let k = 0; k < from.length; k++) to[k] = f(from[k], a, b);
      return out;
    };
  }

  // --- convolutions ------------------------------------------------------------------------------

  /* Zeros around an image, `by` pixels on each side. */
  function pad(x, by) {
    const [, channels, height, width] = x.shape;
    const padded = tensor([1, channels, height + 2 * by, width + 2 * by]);
    for (let row = 0; row < channels * height; row++) {
      const channel = Math.floor(row / height);
      const at = (channel * (height + 2 * by) + (row % height) + by) * (width + 2 * by) + by;
      padded.data.set(x.data.subarray(row * width, (row + 1) * width), at);
    }
    return padded;
  }

  /* Four output channels side by side, so that one pass over the input serves four: (outputs/4, taps, 4).
   * read(output, tap) is the weight. Packed once; weights do not change. */
  function pack(outputs, taps, read) {
    const packed = new Float32Array(4 * Math.ceil(outputs / 4) * taps);
    for (let o = 0; o < outputs; o++) {
      for (let t = 0; t < taps; t++) packed[((o >> 2) * taps + t) * 4 + (o & 3)] = read(o, t);
    }
    return packed;
  }

  /* The one loop that takes the time. out[o, y, x] = bias[o] + sum over taps of weight[o, tap] *
   * image[place of (y, x) + taps[tap]], for four channels and two neighbours at once. */
  function correlate(image, imageWidth, stride, taps, packed, bias, out, to) {
    const plane = out.shape[2] * out.shape[3], outputs = out.shape[1], target = out.data, n = taps.length;
    for (let o = 0; o < outputs; o += 4) {
      const b0 = bias ? bias[o] : 0, b1 = bias ? bias[o + 1] : 0;
      const b2 = bias ? bias[o + 2] : 0, b3 = bias ? bias[o + 3] : 0;
      for (let y = 0; y < to.rows; y++) {
        for (let x = 0; x < to.columns; x += 2) {
          const at = y * stride * imageWidth + x * stride;
          let l0 = b0, l1 = b1, l2 = b2, l3 = b3, r0 = b0, r1 = b1, r2 = b2, r3 = b3;
          for (let t = 0, k = o * n; t < n; t++, k += 4) {
            const left = image[at + taps[t]], right = image[at + taps[t] + stride];
            const w0 = packed[k], w1 = packed[k + 1], w2 = packed[k + 2], w3 = packed[k + 3];
            l0 += w0 * left; l1 += w1 * left; l2 += w2 * left; l3 += w3 * left;
            r0 += w0 * right; r1 += w1 * right; r2 += w2 * right; r3 += w3 * right;
          }
          const place = o * plane + (y * to.step + to.top) * out.shape[3] + x * to.step + to.left;
          store(target, place, plane, outputs - o, l0, l1, l2, l3);
          if (x + 1 < to.columns) store(target, place + to.step, plane, outputs - o, r0, r1, r2, r3);
        }
      }
    }
  }

  function store(target, place, plane, channels, v0, v1, v2, v3) {
    target[place] = v0;
    if (channels > 1) target[place + plane] = v1;
    if (channels > 2) target[place + 2 * plane] = v2;
    if (channels > 3) target[place + 3 * plane] = v3;
  }

  /* Where the taps of a window lie in an image (channels, height, width), from the window's corner. */
  function places(channels, rows, columns, height, width) {
    const taps = [];
    for (let i = 0; i < channels; i++) {
      for (const row of rows) for (const column of columns) taps.push((i * height + row) * width + column);
    }
    return Int32Array.from(taps);
  }

  const range = (n) => Array.from({ length: n }, (_, k) => k);

  function conv2d(x, weight, bias, [stride] = [1], [padding] = [0]) {
    const [outputs, inputs, size] = weight.shape, padded = padding ? pad(x, padding) : x;
    const [, , height, width] = padded.shape, n = inputs * size * size;
    const out = tensor([1, outputs, ...[height, width].map((s) => Math.floor((s - size) / stride) + 1)]);
    weight.packed = weight.packed || pack(outputs, n, (o, t) => weight.data[o * n + t]);
    const taps = places(inputs, range(size), range(size), height, width);
    const to = { rows: out.shape[2], columns: out.shape[3], step: 1, top: 0, left: 0 };
    correlate(padded.data, width, stride, taps, weight.packed, bias && bias.data, out, to);
    return out;
  }

  /* A transposed convolution of stride s is s * s plain ones, each for every s-th row and column of the
   * output, each with every s-th weight of the kernel. */
  function conv_transpose2d(x, weight, bias, [stride] = [1], [padding] = [0]) {
    const [inputs, outputs, size] = weight.shape, margin = Math.ceil(size / stride);
    const padded = pad(x, margin), [, , height, width] = padded.shape;
    const sides = x.shape.slice(2).map((side) => (side - 1) * stride - 2 * padding + size);
    const out = tensor([1, outputs, ...sides]);
    weight.phases = weight.phases || range(stride * stride).map((p) => phase(p));
    for (const { top, left, rows, columns, packed } of weight.phases) {
      const taps = places(inputs, rows.map((m) => m.from + margin), columns.map((m) => m.from + margin), height, width);
      const to = { rows: Math.ceil((sides[0] - top) / stride), columns: Math.ceil((sides[1] - left) / stride), step: stride, top, left };
      correlate(padded.data, width, 1, taps, packed, bias && bias.data, out, to);
    }
    return out;

    /* The weights `of` the kernel that reach the rows top, top + stride, ..., and the input row they come from. */
    function reach(start) {
      const first = (start + padding) % stride, kept = range(size).filter((u) => u % stride === first);
      return kept.map((u) => ({ of: u, from: (start + padding - u) / stride }));
    }

    function phase(number) {
      const top = Math.floor(number / stride), left = number % stride, rows = reach(top), columns = reach(left);
      const each = rows.length * columns.length;
      const packed = pack(outputs, inputs * each, (o, t) => {
        const i = Math.floor(t / each), u = rows[Math.floor((t % each) / columns.length)], v = columns[t % columns.length];
        return weight.data[((i * outputs + o) * size + u.of) * size + v.of];
      });
      return { top, left, rows, columns, packed };
    }
  }

  // --- norms -------------------------------------------------------------------------------------

  /* y = scale * x + shift; rule(channel, its values) gives [scale, shift]. */
  function perChannel(x, rule) {
    const out = tensor(x.shape), n = count(x.shape.slice(2));
    for (let c = 0; c < x.shape[1]; c++) {
      const [scale, shift] = rule(c, x.data.subarray(c * n, (c + 1) * n));
      for (let k = c * n; k < (c + 1) * n; k++) out.data[k] = scale * x.data[k] + shift;
    }
    return out;
  }

  function batch_norm(x, weight, bias, mean, variance, training, momentum, eps) {
    return perChannel(x, (c) => {
      const scale = (weight ? weight.data[c] : 1) / Math.sqrt(variance.data[c] + eps);
      return [scale, (bias ? bias.data[c] : 0) - scale * mean.data[c]];
    });
  }

  function moments(values) {
    let sum = 0, squares = 0;
    for (const value of values) sum += value;
    const mean = sum / values.length;
    for (const value of values) squares += (value - mean) ** 2;
    return [mean, squares / values.length];
  }

  function instance_norm(x, weight, bias, mean, variance, training, momentum, eps) {
    return perChannel(x, (c, values) => {
      const [middle, spread] = moments(values), scale = (weight ? weight.data[c] : 1) / Math.sqrt(spread + eps);
      return [scale, (bias ? bias.data[c] : 0) - scale * middle];
    });
  }

  function group_norm(x, groups, weight, bias, eps) {
    const size = x.data.length / groups, inGroup = x.shape[1] / groups;
    const known = range(groups).map((g) => moments(x.data.subarray(g * size, (g + 1) * size)));
    return perChannel(x, (c) => {
      const [middle, spread] = known[Math.floor(c / inGroup)], scale = (weight ? weight.data[c] : 1) / Math.sqrt(spread + eps);
      return [scale, (bias ? bias.data[c] : 0) - scale * middle];
    });
  }

  // --- sizes -------------------------------------------------------------------------------------

  /* A tensor whose element at (i, j, ...) is x's at from(i, j, ...) (a position in its data). */
  function gather(shape, x, from) {
    const out = tensor(shape), at = shape.map(() => 0);
    for (let k = 0; k < out.data.length; k++) {
      out.data[k] = x.data[from(at)];
      for (let d = shape.length - 1; d >= 0 && ++at[d] === shape[d]; d--) at[d] = 0;
    }
    return out;
  }

  const strides = (shape) => shape.map((_, d) => count(shape.slice(d + 1)));
  const dot = (a, b) => a.reduce((sum, value, k) => sum + value * b[k], 0);

  /* Repeat sides of 1 until the shape is `shape`, as broadcasting does. */
  function expand(x, shape) {
    if (count(x.shape) === count(shape)) return reshape(x, shape);
    const own = [...Array(shape.length - x.shape.length).fill(1), ...x.shape];
    const steps = strides(own).map((step, d) => (own[d] === 1 ? 0 : step));
    return gather(shape, x, (at) => dot(at, steps));
  }

  function permute(x, order) {
    const steps = strides(x.shape);
    return gather(order.map((d) => x.shape[d]), x, (at) => order.reduce((sum, d, k) => sum + at[k] * steps[d], 0));
  }

  function slice(x, dimension, start, end, step = 1) {
    const d = (dimension + x.shape.length) % x.shape.length, side = x.shape[d];
    const inside = (k) => Math.min(side, Math.max(0, k < 0 ? k + side : k));
    const first = inside(start || 0), last = inside(end === null || end === undefined ? side : end), steps = strides(x.shape);
    const shape = x.shape.map((s, k) => (k === d ? Math.ceil((last - first) / step) : s));
    return gather(shape, x, (at) => dot(at, steps) + (first + at[d] * (step - 1)) * steps[d]);
  }

  function select(x, dimension, index) {
    const d = (dimension + x.shape.length) % x.shape.length, k = (index + x.shape[d]) % x.shape[d];
    return reshape(slice(x, d, k, k + 1), x.shape.filter((_, other) => other !== d));
  }

  function cat(parts, dimension = 0) {
    const d = (dimension + parts[0].shape.length) % parts[0].shape.length;
    const outer = count(parts[0].shape.slice(0, d)), sizes = parts.map((x) => count(x.shape.slice(d)));
    const out = tensor(parts[0].shape.map((s, k) => (k === d ? parts.reduce((sum, x) => sum + x.shape[d], 0) : s)));
    for (let row = 0, place = 0; row < outer; row++) {
      parts.forEach((x, k) => {
        out.data.set(x.data.subarray(row * sizes[k], (row + 1) * sizes[k]), place);
        place += sizes[k];
      });
    }
    return out;
  }

  function upsample_nearest2d(x, size, scales) {
    const [, channels, height, width] = x.shape, [down, across] = scales || [size[0] / height, size[1] / width];
    const out = tensor([1, channels, height * down, width * across]), [, , rows, columns] = out.shape;
    for (let c = 0, k = 0; c < channels; c++) {
      for (let y = 0; y < rows; y++) {
        const row = (c * height + Math.floor(y / down)) * width;
        for (let col = 0; col < columns; col++) out.data[k++] = x.data[row + Math.floor(col / across)];
      }
    }
    return out;
  }

  /* Images (1, C, rows, columns) whose pixel (row, column) shows x at the place source(row, column) = [y, x],
   * in pixels: a mean of the four nearest, edges repeated. */
  function resample(x, rows, columns, source) {
    const [, channels, height, width] = x.shape, out = tensor([1, channels, rows, columns]), n = height * width;
    for (let k = 0; k < rows * columns; k++) {
      const [down, across] = source(Math.floor(k / columns), k % columns);
      const y = Math.min(height - 1, Math.max(0, down)), col = Math.min(width - 1, Math.max(0, across));
      const y0 = Math.floor(y), x0 = Math.floor(col), y1 = Math.min(height - 1, y0 + 1), x1 = Math.min(width - 1, x0 + 1);
      for (let c = 0; c < channels; c++) {
        const at = (row, column) => x.data[c * n + row * width + column], v = y - y0, u = col - x0;
        out.data[c * rows * columns + k] = (1 - v) * ((1 - u) * at(y0, x0) + u * at(y0, x1)) + v * ((1 - u) * at(y1, x0) + u * at(y1, x1));
      }
    }
    return out;
  }

  function upsample_bilinear2d(x, size, corners, scales) {
    if (corners) throw new Error("upsample_bilinear2d: align_corners=False only");
    const [, , height, width] = x.shape, [down, across] = scales || [size[0] / height, size[1] / width];
    return resample(x, height * down, width * across, (row, column) => [(row + 0.5) / down - 0.5, (column + 0.5) / across - 0.5]);
  }

  /* grid (1, rows, columns, 2): where each pixel comes from, across and down, -1 to 1 between pixel centres. */
  function grid_sampler(x, grid, mode, padding, corners) {
    if (mode !== 0 || padding !== 1 || !corners) throw new Error("grid_sampler: bilinear, border, align_corners only");
    const [, , height, width] = x.shape, [, rows, columns] = grid.shape, place = (v, side) => ((v + 1) / 2) * (side - 1);
    return resample(x, rows, columns, (row, column) => {
      const k = 2 * (row * columns + column);
      return [place(grid.data[k + 1], height), place(grid.data[k], width)];
    });
  }

  function pixel_shuffle(x, r) {
    const [, channels, height, width] = x.shape, fewer = channels / (r * r);
    const apart = reshape(x, [fewer, r, r, height, width]);
    return reshape(permute(apart, [0, 3, 1, 4, 2]), [1, fewer, height * r, width * r]);
  }

  function pixel_unshuffle(x, r) {
    const [, channels, height, width] = x.shape;
    const apart = reshape(x, [channels, height / r, r, width / r, r]);
    return reshape(permute(apart, [0, 2, 4, 1, 3]), [1, channels * r * r, height / r, width / r]);
  }

  /* One value a window: join(sum so far, value), from `start`; finish(sum, number of pixels in a full window). */
  function pool(x, [size], stride, [padding] = [0], start, join, finish) {
    const [, channels, height, width] = x.shape, step = stride && stride.length ? stride[0] : size;
    const out = tensor([1, channels, ...[height, width].map((s) => Math.floor((s + 2 * padding - size) / step) + 1)]);
    for (let c = 0, k = 0; c < channels; c++) for (let y = -padding; y <= height + padding - size; y += step) {
      for (let col = -padding; col <= width + padding - size; col += step) {
        let total = start;
        for (let u = Math.max(0, y); u < Math.min(height, y + size); u++) {
          for (let v = Math.max(0, col); v < Math.min(width, col + size); v++) total = join(total, x.data[(c * height + u) * width + v]);
        }
        out.data[k++] = finish(total, size * size);
      }
    }
    return out;
  }

  const avg_pool2d = (x, size, stride, padding) => pool(x, size, stride, padding, 0, (a, b) => a + b, (sum, n) => sum / n);
  const max_pool2d = (x, size, stride, padding) => pool(x, size, stride, padding, -Infinity, Math.max, (most) => most);

  /* max(0, x). The others come through `each`; this one runs most often and is worth a loop of its own. */
  function relu(x) {
    const out = tensor(x.shape), from = x.data, to = out.data;
    for (let k = 0; k < from.length; k++) to[k] = from[k] > 0 ? from[k] : 0;
    return out;
  }

  // --- sums, products ----------------------------------------------------------------------------

  function binary(f) {
    return (a, b, times = 1) => {
      if (typeof b === "number") return tensor(a.shape, a.data.map((value) => f(value, times * b)));
      if (typeof a === "number") return tensor(b.shape, b.data.map((value) => f(a, times * value)));
      const rank = Math.max(a.shape.length, b.shape.length);
      const side = (x, d) => x.shape[d - rank + x.shape.length] || 1;
      const shape = range(rank).map((d) => Math.max(side(a, d), side(b, d)));
      const left = expand(a, shape).data, right = expand(b, shape).data;
      return tensor(shape, left.map((value, k) => f(value, times * right[k])));
    };
  }

  /* (..., rows, n) times (..., n, columns); one of the two may have two dimensions only. */
  function matmul(a, b) {
    const rows = a.shape.at(-2), n = a.shape.at(-1), columns = b.shape.at(-1);
    const lead = (a.shape.length > b.shape.length ? a : b).shape.slice(0, -2), out = tensor([...lead, rows, columns]);
    for (let m = 0; m < count(lead); m++) {
      const left = a.shape.length > 2 ? m * rows * n : 0, right = b.shape.length > 2 ? m * n * columns : 0;
      for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += a.data[left + i * n + k] * b.data[right + k * columns + j];
        out.data[(m * rows + i) * columns + j] = sum;
      }
    }
    return out;
  }

  function linear(x, weight, bias) {
    const product = matmul(x, permute(weight, [1, 0]));
    return bias ? binary((a, b) => a + b)(product, bias) : product;
  }

  /* Over the dimensions `over`, all if none are named: summarise(values) of all that fall into one cell. */
  function reduce(summarise) {
    return (x, over = range(x.shape.length), keep = false) => {
      const gone = over.map((d) => (d + x.shape.length) % x.shape.length), stay = range(x.shape.length).filter((d) => !gone.includes(d));
      const ordered = permute(x, [...stay, ...gone]), n = count(gone.map((d) => x.shape[d]));
      const shape = keep ? x.shape.map((s, d) => (gone.includes(d) ? 1 : s)) : stay.map((d) => x.shape[d]);
      return tensor(shape, Float32Array.from(range(count(shape)), (k) => summarise(ordered.data.subarray(k * n, (k + 1) * n))));
    };
  }

  function logSumExp(values) {
    const most = values.reduce((a, b) => Math.max(a, b));
    return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
  }

  const sigmoid = (value) => 1 / (1 + Math.exp(-value));
  const between = (value, low = null, high = null) =>
    Math.min(high === null ? Infinity : high, Math.max(low === null ? -Infinity : low, value));

  // One a line: export_live.py reads the names here.
  const operations = {
    conv2d,
    conv_transpose2d,
    linear,
    matmul,
    batch_norm,
    instance_norm,
    group_norm,
    relu,
    leaky_relu: each((v, slope = 0.01) => (v > 0 ? v : slope * v)),
    silu: each((v) => v * sigmoid(v)),
    sigmoid: each(sigmoid),
    tanh: each(Math.tanh),
    exp: each(Math.exp),
    sqrt: each(Math.sqrt),
    square: each((v) => v * v),
    sin: each(Math.sin),
    cos: each(Math.cos),
    neg: each((v) => -v),
    clamp: each(between),
    clamp_min: each(between),
    add: binary((a, b) => a + b),
    sub: binary((a, b) => a - b),
    rsub: binary((a, b) => b - a),
    mul: binary((a, b) => a * b),
    div: binary((a, b) => a / b),
    mean: reduce((values) => moments(values)[0]),
    logsumexp: reduce(logSumExp),
    reshape,
    expand,
    permute,
    slice,
    select,
    cat,
    upsample_nearest2d,
    upsample_bilinear2d,
    grid_sampler,
    pixel_shuffle,
    pixel_unshuffle,
    avg_pool2d,
    max_pool2d,
  };

  // --- a network ---------------------------------------------------------------------------------

  /* The value of a half-precision number, from its sixteen bits. */
  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    return exponent ? sign * (1 + fraction / 1024) * 2 ** (exponent - 15) : sign * fraction * 2 ** -24;
  }

  /* Weights by name, from one piece of memory. */
  function load(network) {
    const values = {};
    for (const [name, [kind, start, shape]] of Object.entries(network.tensors)) {
      const n = count(shape);
      const data = kind === "F16" ? Float32Array.from(new Uint16Array(network.data, start, n), half) : new Float32Array(network.data, start, n);
      values[name] = tensor(shape, data);
    }
    return { ...network, values };
  }

  /* inputs: { name: Float32Array }. Returns the outputs, each { shape, data }. */
  function run(network, inputs) {
    const known = { ...network.values };
    for (const [name, shape] of Object.entries(network.inputs)) known[name] = tensor(shape, Float32Array.from(inputs[name]));
    const resolve = (a) => (typeof a === "string" ? known[a] : Array.isArray(a) ? a.map(resolve) : a === null ? undefined : a);
    for (const [name, operation, ...given] of network.steps) known[name] = operations[operation](...given.map(resolve));
    return network.outputs.map((name) => known[name]);
  }

  return { operations, load, run };
};
