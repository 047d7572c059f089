"use strict";
// The page's numbers are looked up; those shown side by side are multiplied. Sums are the network's own numbers.
const DATA = JSON.parse(document.getElementById("data").textContent);
const MOST = 12; // terms of a sum, MAPS: input channels shown at first
const MAPS = 4;
const COARSE = 16; // units of a list that are shown as buttons

const $ = (id) => document.getElementById(id);
const product = (numbers) => numbers.reduce((a, b) => a * b, 1);

function unpack(text) {
  if (text === null || text === undefined) return null;
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

// ── the network ─────────────────────────────────────────────────────────────────────────────────

for (const node of DATA.nodes) {
  node.values = unpack(node.values);
  node.slopes = unpack(node.slopes);
  node.grid = node.shape.slice(1);
  node.count = product(node.grid);
  node.slot = new Map(node.kept.map((c, i) => [c, i]));
}
for (const layer of DATA.layers) {
  for (const name of ["parameters", "gradients"])
    layer[name] = Object.fromEntries(Object.entries(layer[name] || {}).map(([k, v]) => [k, unpack(v)]));
  layer.local = unpack(layer.local);
  layer.through = unpack(layer.through);
  if (layer.pairs) { // of a large dense layer the strongest weights alone
    const weights = unpack(layer.strongest);
    layer.sparse = new Map(Array.from(unpack(layer.pairs), (k, i) => [k, weights[i]]));
  }
}
const maker = (i) => DATA.layers.find((layer) => layer.to === i);
const takers = (i) => DATA.layers.filter((layer) => layer.from === i);
const holder = (i) => DATA.layers.find((layer) => layer.inside === i);

const at = (node, array, c, p) => (node.slot.has(c) ? array[node.slot.get(c) * node.count + p] : null);
const weight = (layer, k) => (layer.sparse ? layer.sparse.get(k) : layer.parameters.weight[k]);
// The numbers of filter c on the j-th channel of its group, from a convolution's weights or their gradients: the page
// holds the filters between the channels that it shows.
function filter(layer, array, c, j) {
  const from = DATA.nodes[layer.from], to = DATA.nodes[layer.to], size = product(layer.kernel), whole = layer.groups === 1;
  const wide = whole ? from.kept.length : from.shape[0] / layer.groups, start = (to.slot.get(c) * wide + (whole ? from.slot.get(j) : j)) * size;
  return Array.from(array.subarray(start, start + size));
}
const value = (node, c, p) => at(node, node.values, c, p);
const slope = (node, c, p) => at(node, node.slopes, c, p);

function place(grid, p) { // the coordinates of position p
  const found = [];
  for (let a = grid.length - 1; a >= 0; a--) { found.unshift(p % grid[a]); p = Math.floor(p / grid[a]); }
  return found;
}
function flat(grid, coordinates) { // −1 outside
  let p = 0;
  for (let a = 0; a < grid.length; a++) {
    if (coordinates[a] < 0 || coordinates[a] >= grid[a]) return -1;
    p = p * grid[a] + coordinates[a];
  }
  return p;
}
// The input positions under the window of output position p; −1 in the padding.
function covered(layer, p) {
  const from = DATA.nodes[layer.from], corner = place(DATA.nodes[layer.to].grid, p);
  return Array.from({ length: product(layer.kernel) }, (_, k) =>
    flat(from.grid, place(layer.kernel, k).map((t, a) => corner[a] * layer.strides[a] - layer.before[a] + t * layer.dilations[a])));
}
// The output positions whose windows cover input position p, each with its place in the window.
function covering(layer, p) {
  const to = DATA.nodes[layer.to], own = place(DATA.nodes[layer.from].grid, p), found = [];
  for (let k = 0; k < product(layer.kernel); k++) {
    const moved = place(layer.kernel, k).map((t, a) => own[a] + layer.before[a] - t * layer.dilations[a]);
    if (moved.some((m, a) => m % layer.strides[a] !== 0)) continue;
    const q = flat(to.grid, moved.map((m, a) => m / layer.strides[a]));
    if (q >= 0) found.push([q, k]);
  }
  return found;
}
function winner(layer, c, q) { // of equal ones the first
  const from = DATA.nodes[layer.from];
  return covered(layer, q).filter((p) => p >= 0).reduce((best, p) => (value(from, c, p) > value(from, c, best) ? p : best));
}

// ── words ───────────────────────────────────────────────────────────────────────────────────────

function n(x) { // four significant digits, as everywhere in Pellucid
  if (x === null || x === undefined) return "?";
  if (x === 0) return "0";
  let text = x.toPrecision(4);
  const power = Number(x.toExponential(3).split("e")[1]);
  if (power < -4 || power >= 4) {
    const [digits, exponent] = x.toExponential(3).split("e");
    const size = exponent.slice(1).padStart(2, "0");
    text = `${digits.replace(/\.?0+$/, "")}e${exponent[0]}${size}`;
  } else if (text.includes(".")) text = text.replace(/\.?0+$/, "");
  return text.replace(/-/g, "−");
}
const inBrackets = (x) => (x < 0 ? `(${n(x)})` : n(x));
const where = (grid, p) => (grid.length === 0 ? "" : grid.length === 1 ? ` at step ${p}` : ` at (${place(grid, p).join(", ")})`);
const nameOf = (node, c, p) => node.channels[c] + where(node.grid, p);
const address = (node, c, p) => [`${node.key}.${c + 1}`, ...place(node.grid, p)].join(",");

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, v] of Object.entries(attributes)) if (v !== null) made.setAttribute(name, v);
  made.append(...children);
  return made;
}
const link = (node, c, p, text) => el("a", { href: `#${address(node, c, p)}` }, text ?? nameOf(node, c, p));
const equation = (...parts) => el("p", { class: "equation" }, ...parts.flatMap((part, i) => (i ? [" = ", part] : [part])));
const strong = (x) => el("strong", {}, n(x));

function shade(cell, x, most) { // a cell's colour: the sign and the share of the largest
  if (x === null || !most) return cell;
  cell.style.setProperty("--share", `${Math.round(70 * Math.min(1, Math.abs(x) / most))}%`);
  cell.classList.add(x < 0 ? "minus" : "plus");
  return cell;
}
// Numbers as a grid; each is {x, go: [node, c, p] or null, mark}.
function grid(title, cells, wide) {
  const most = Math.max(...cells.map((cell) => Math.abs(cell.x ?? 0)));
  const rows = [];
  for (let i = 0; i < cells.length; i += wide)
    rows.push(el("tr", {}, ...cells.slice(i, i + wide).map((cell) => {
      const inside = cell.x === null ? "·" : cell.go ? link(...cell.go, n(cell.x)) : n(cell.x);
      const td = el("td", { class: cell.mark ? "won" : "", title: cell.said ?? null }, inside);
      return shade(td, cell.x, most);
    })));
  return el("table", { class: "grid" }, el("caption", {}, title), el("tbody", {}, ...rows));
}
// A sum: the largest terms one by one, the others together, which are what is missing to the network's own sum.
// `many` is how many there are, with those that the page does not hold.
function sum(symbol, formula, headings, terms, result, bias, many = terms.length) {
  const order = [...terms].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const shown = order.slice(0, MOST), rest = many - shown.length;
  const head = el("tr", {}, ...headings.map((text) => el("th", { scope: "col" }, text)));
  const rows = shown.map((t) => el("tr", {}, el("th", { scope: "row" }, t.name), ...t.factors.map((f) => el("td", {}, n(f))), el("td", {}, n(t.value))));
  const gap = () => headings.slice(2).map(() => el("td"));
  const missing = result - (bias ?? 0) - shown.reduce((s, t) => s + t.value, 0);
  if (rest > 0) rows.push(el("tr", {}, el("th", { scope: "row" }, rest === 1 ? "1 other" : `${rest.toLocaleString("en")} others together`), ...gap(), el("td", {}, n(missing))));
  if (bias !== undefined) rows.push(el("tr", {}, el("th", { scope: "row" }, "bias b"), ...gap(), el("td", {}, n(bias))));
  return el("table", { class: "sum" }, el("caption", {}, `${symbol} = ${formula}`), el("thead", {}, head), el("tbody", {}, ...rows),
    el("tfoot", {}, el("tr", {}, el("th", { scope: "row" }, symbol), ...gap(), el("td", {}, n(result)))));
}

// ── forward ─────────────────────────────────────────────────────────────────────────────────────

function forward(layer, c, p) {
  const from = DATA.nodes[layer.from], to = DATA.nodes[layer.to], out = value(to, c, p);
  switch (layer.kind) {
    case "conv": return convolution(layer, c, p);
    case "max": case "mean": return [pooling(layer, c, p)].flat();
    case "global": {
      const cells = Array.from({ length: from.count }, (_, q) => ({ x: value(from, c, q), go: [from, c, q] }));
      const all = from.count <= 100 && from.slot.has(c) ? [grid(`${layer.given} of ${from.channels[c]}`, cells, from.grid[from.grid.length - 1])] : [];
      return [...all, equation(layer.symbol, `Σ ${layer.given} / ${from.count}`, `${n(out * from.count)} / ${from.count}`, strong(out))];
    }
    case "norm": {
      const w = layer.parameters, x = value(from, c, p);
      return [equation(layer.symbol, `γ · (${layer.given} − μ) / √(v + ε) + β`,
        `${n(w.weight[c])} · (${n(x)} − ${inBrackets(w.running_mean[c])}) / √(${n(w.running_var[c])} + ${n(layer.eps)}) + ${inBrackets(w.bias[c])}`, strong(out))];
    }
    case "activation":
      return [equation(layer.symbol, `${layer.function}(${n(value(from, c, p))})`, strong(out)), el("p", { class: "below" }, `${layer.function}(${layer.given}) is ${layer.formula}`)];
    case "dense": {
      const many = from.shape[0], known = Array.from({ length: many }, (_, j) => [j, weight(layer, c * many + j)]).filter(([, w]) => w !== undefined);
      const terms = known.map(([j, w]) => ({ name: link(from, j, 0), factors: [w, value(from, j, 0)], value: w * value(from, j, 0) }));
      const bias = layer.parameters.bias ? layer.parameters.bias[c] : undefined;
      return [sum(layer.symbol, `Σ w · ${layer.given}${bias === undefined ? "" : " + b"}`, ["from", "w", layer.given, `w · ${layer.given}`], terms, out, bias, many)];
    }
    case "residual": {
      const last = DATA.nodes[layer.inside];
      return [equation(layer.symbol, `${layer.given} + block(${layer.given})`, `${n(value(from, c, p))} + ${inBrackets(value(last, c, p))}`, strong(out)),
        el("p", {}, "The block's output is ", link(last, c, p), ", its input ", link(from, c, p), ".")];
    }
    case "same": return [equation(layer.symbol, link(...source(layer, c, p)), strong(out))];
    default: return [el("p", {}, `${layer.symbol} = ${n(out)}. In the terminal, pellucid trace --unit ${address(to, c, p)} shows how it is computed.`)];
  }
}
// The input that an element-wise layer, or Flatten, takes unit (c, p) from.
function source(layer, c, p) {
  const from = DATA.nodes[layer.from], to = DATA.nodes[layer.to];
  const k = c * to.count + p;
  return [from, Math.floor(k / from.count), k % from.count];
}
function convolution(layer, c, p) {
  const from = DATA.nodes[layer.from], to = DATA.nodes[layer.to], out = value(to, c, p), made = [];
  const group = from.shape[0] / layer.groups, first = Math.floor(c / (to.shape[0] / layer.groups)) * group;
  const places = covered(layer, p), wide = layer.kernel[layer.kernel.length - 1];
  const channels = Array.from({ length: group }, (_, j) => {
    const known = from.slot.has(first + j), weights = known ? filter(layer, layer.parameters.weight, c, j) : [];
    const inputs = places.map((q) => (q < 0 ? 0 : value(from, first + j, q)));
    const products = known ? inputs.map((x, k) => x * weights[k]) : [];
    return { j, known, weights, inputs, products, total: products.reduce((s, x) => s + x, 0) };
  }).filter((each) => each.known).sort((a, b) => Math.abs(b.total) - Math.abs(a.total));
  const shown = channels.slice(0, expanded ? channels.length : MAPS);
  for (const each of shown) {
    const channel = first + each.j;
    made.push(el("div", { class: "grids" },
      grid(`${layer.given} of ${from.channels[channel]}`, each.inputs.map((x, k) => (places[k] < 0 ? { x: null, said: "padding" } : { x, go: [from, channel, places[k]], said: nameOf(from, channel, places[k]) })), wide),
      el("span", { class: "sign", "aria-hidden": "true" }, "×"), grid("filter w", each.weights.map((x) => ({ x })), wide),
      el("span", { class: "sign", "aria-hidden": "true" }, "="), grid(`w · ${layer.given}`, each.products.map((x) => ({ x })), wide)));
    if (group > 1) made.push(el("p", { class: "below" }, `their sum: ${n(each.total)}`));
  }
  const bias = layer.parameters.bias ? layer.parameters.bias[c] : undefined, rest = group - shown.length;
  if (places.some((q) => q < 0)) made.push(el("p", { class: "below" }, "A dot is a position in the padding, which counts as 0."));
  if (rest > 0) {
    const others = out - (bias ?? 0) - shown.reduce((s, each) => s + each.total, 0);
    const more = el("button", { type: "button" }, "show all");
    more.addEventListener("click", () => { expanded = true; show(); });
    made.push(el("p", { class: "below" }, `and ${rest} more input channel${rest === 1 ? "" : "s"}, together ${n(others)} `, channels.length > shown.length ? more : ""));
  }
  const added = bias === undefined ? [] : [`${n(out - bias)} + ${inBrackets(bias)} [bias]`];
  made.push(equation(layer.symbol, `Σ w · ${layer.given}${bias === undefined ? "" : " + b"}`, ...added, strong(out)));
  return made;
}
function pooling(layer, c, p) {
  const from = DATA.nodes[layer.from], out = value(DATA.nodes[layer.to], c, p), places = covered(layer, p);
  if (!from.slot.has(c)) return equation(layer.symbol, strong(out));
  const won = layer.kind === "max" ? winner(layer, c, p) : -1;
  const cells = places.map((q) => (q < 0 ? { x: null, said: "padding" } : { x: value(from, c, q), go: [from, c, q], mark: q === won, said: nameOf(from, c, q) }));
  const window = grid(`${layer.given} of ${from.channels[c]}`, cells, layer.kernel[layer.kernel.length - 1]);
  if (layer.kind === "mean") return [window, equation(layer.symbol, `Σ ${layer.given} / ${places.length}`, `${n(out * places.length)} / ${places.length}`, strong(out))];
  return [window, equation(layer.symbol, "the largest", strong(out)), el("p", {}, link(from, c, won), " won.")];
}

// ── backward ────────────────────────────────────────────────────────────────────────────────────

function backward(i, c, p) {
  const node = DATA.nodes[i], own = slope(node, c, p), d = `∂L/∂${node.symbol}`;
  if (!node.slopes) return [el("p", {}, "The target of this row is not known, so there is no way back.")];
  const after = takers(i), block = holder(i);
  if (!after.length && block) return [equation(d, `∂L/∂${block.symbol}`, strong(own)), el("p", { class: "below" }, "The block's output is only added, so it receives the same.")];
  if (!after.length) return [el("p", {}, DATA.fromLoss[c] ?? ""), equation(d, strong(own))];
  const skip = after.find((layer) => layer.kind === "residual");
  if (skip) {
    const to = DATA.nodes[skip.to], through = at(node, skip.through, c, p);
    return [equation(d, `∂L/∂${skip.symbol} + ${d} through the block`, `${n(slope(to, c, p))} + ${inBrackets(through)}`, strong(own)),
      ...after.filter((layer) => layer !== skip).flatMap((layer) => handed(layer, c, p, through, `${d} through the block`))];
  }
  return handed(after[0], c, p, own, d);
}
// What a layer hands back to its input (c, p).
function handed(layer, c, p, result, d) {
  const from = DATA.nodes[layer.from], to = DATA.nodes[layer.to], e = `∂L/∂${layer.symbol}`;
  switch (layer.kind) {
    case "conv": {
      const group = from.shape[0] / layer.groups, fed = to.shape[0] / layer.groups, g = Math.floor(c / group), terms = [], windows = covering(layer, p);
      for (let f = g * fed; f < (g + 1) * fed; f++) {
        if (!to.slot.has(f)) continue;
        const weights = filter(layer, layer.parameters.weight, f, c - g * group);
        for (const [q, k] of windows) terms.push({ name: link(to, f, q), factors: [slope(to, f, q), weights[k]], value: slope(to, f, q) * weights[k] });
      }
      return [sum(d, `Σ ${e} · w`, ["through", e, "w", `${e} · w`], terms, result, undefined, fed * windows.length), el("p", { class: "below" }, "over the outputs whose windows cover this position")];
    }
    case "max": {
      const terms = covering(layer, p).map(([q]) => { const won = winner(layer, c, q) === p ? 1 : 0; return { name: link(to, c, q), factors: [slope(to, c, q), won], value: slope(to, c, q) * won }; });
      return terms.length ? [sum(d, `Σ ${e} · won`, ["through", e, "won", `${e} · won`], terms, result)] : [equation(d, "no window covers it", strong(result))];
    }
    case "mean": {
      const share = 1 / product(layer.kernel), terms = covering(layer, p).map(([q]) => ({ name: link(to, c, q), factors: [slope(to, c, q), share], value: slope(to, c, q) * share }));
      return [sum(d, `Σ ${e} / ${product(layer.kernel)}`, ["through", e, `1/${product(layer.kernel)}`, "product"], terms, result)];
    }
    case "global": return [equation(d, `${e} / ${from.count}`, `${n(slope(to, c, 0))} / ${from.count}`, strong(result)), el("p", {}, "from ", link(to, c, 0))];
    case "norm": return [equation(d, `${e} · γ / √(v + ε)`, `${n(slope(to, c, p))} · ${inBrackets(layer.parameters.weight[c])} / √(${n(layer.parameters.running_var[c])} + ${n(layer.eps)})`, strong(result)), el("p", {}, "from ", link(to, c, p))];
    case "activation": {
      const local = at(from, layer.local, c, p);
      return [equation(d, `${e} · ${layer.function}′(${layer.given})`, `${n(slope(to, c, p))} · ${inBrackets(local)}`, strong(result)), el("p", { class: "below" }, `${layer.function}′(${layer.given}) is ${layer.slopeFormula}`), el("p", {}, "from ", link(to, c, p))];
    }
    case "dense": {
      const many = to.shape[0], known = Array.from({ length: many }, (_, k) => [k, weight(layer, k * from.shape[0] + c)]).filter(([, w]) => w !== undefined);
      const terms = known.map(([k, w]) => ({ name: link(to, k, 0), factors: [slope(to, k, 0), w], value: slope(to, k, 0) * w }));
      return [sum(d, `Σ ${e} · w`, ["through", e, "w", `${e} · w`], terms, result, undefined, many)];
    }
    case "same": {
      const k = c * from.count + p, other = [to, Math.floor(k / to.count), k % to.count];
      return [equation(d, strong(result)), el("p", {}, "the same as of ", link(...other))];
    }
    default: return [equation(d, strong(result)), el("p", { class: "below" }, `through ${layer.text}`)];
  }
}
function parameters(layer, c, p) {
  const g = layer.gradients, to = DATA.nodes[layer.to], from = DATA.nodes[layer.from], made = [];
  if (layer.kind === "conv" && g.weight) {
    const group = from.shape[0] / layer.groups, first = Math.floor(c / (to.shape[0] / layer.groups)) * group, wide = layer.kernel[layer.kernel.length - 1];
    const part = (array, j) => filter(layer, array, c, j).map((x) => ({ x }));
    const strength = (j) => Math.max(...part(g.weight, j).map((cell) => Math.abs(cell.x)));
    const order = Array.from({ length: group }, (_, j) => j).filter((j) => from.slot.has(first + j)).sort((a, b) => strength(b) - strength(a));
    made.push(el("p", {}, `Each weight's ∂L/∂w is Σ ∂L/∂${layer.symbol} · ${layer.given} over the ${to.count} positions of ${to.channels[c]}.`));
    for (const j of order.slice(0, expanded ? group : MAPS))
      made.push(el("div", { class: "grids" }, grid(`w on ${from.channels[first + j]}`, part(layer.parameters.weight, j), wide), el("span", { class: "sign" }), grid("∂L/∂w", part(g.weight, j), wide)));
    if (order.length > MAPS && !expanded) made.push(el("p", { class: "below" }, `and ${order.length - MAPS} more input channels, none steeper`));
    if (group > order.length) made.push(el("p", { class: "below" }, `and ${group - order.length} weaker input channels, which are left out`));
    if (g.bias) made.push(equation("∂L/∂b", `Σ ∂L/∂${layer.symbol}`, strong(g.bias[c])));
  } else if (layer.kind === "norm" && g.weight) {
    made.push(equation("∂L/∂γ", strong(g.weight[c])), equation("∂L/∂β", strong(g.bias[c])));
  } else if (layer.kind === "dense" && to.slopes) {
    const e = slope(to, c, 0);
    const order = Array.from({ length: from.shape[0] }, (_, j) => j).sort((a, b) => Math.abs(value(from, b, 0)) - Math.abs(value(from, a, 0))).slice(0, MOST);
    const rows = order.map((j) => el("tr", {}, el("th", { scope: "row" }, link(from, j, 0)), el("td", {}, n(value(from, j, 0))), el("td", {}, n(e * value(from, j, 0)))));
    made.push(el("table", { class: "sum" }, el("caption", {}, `∂L/∂w = ∂L/∂z · ${layer.given}; ∂L/∂z = ${n(e)}, the steepest`), el("thead", {}, el("tr", {}, ...["of", layer.given, "∂L/∂w"].map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, ...rows)));
  }
  return made;
}
