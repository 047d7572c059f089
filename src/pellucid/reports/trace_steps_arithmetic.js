"use strict";
// The page's numbers are looked up; those shown side by side are multiplied. Sums are the network's own numbers.
const DATA = JSON.parse(document.getElementById("data").textContent);
const MOST = 12; // terms of a sum

const $ = (id) => document.getElementById(id);
function unpack(text) {
  if (text === null || text === undefined) return null;
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
const unpacked = (arrays) => Object.fromEntries(Object.entries(arrays || {}).map(([name, text]) => [name, unpack(text)]));

// ── the network ─────────────────────────────────────────────────────────────────────────────────

for (const node of DATA.nodes) {
  for (const name of ["values", "slopes", "P", "S", "dP", "dS"]) node[name] = unpack(node[name]);
  node.slot = new Map(node.kept.map((k, i) => [k, i]));
  node.isList = !!node.list;
}
for (const layer of DATA.layers) {
  for (const name of ["parameters", "gradients", "ofStep", "states", "sumsOf", "slopesOf"]) layer[name] = unpacked(layer[name]);
  if (layer.kind === "embedding") layer.grad = unpack(layer.tokenGradients);
  for (const name of ["added", "local", "through", "shares", "before", "c_before", "own", "back"]) layer[name] = unpack(layer[name]);
}
const froms = (layer) => [layer.from].flat();
const maker = (i) => DATA.layers.find((layer) => layer.to === i);
const takers = (i) => DATA.layers.filter((layer) => froms(layer).includes(i));
const holder = (i) => DATA.layers.find((layer) => layer.inside === i);

// Unit k of a node at step t of the page; null where the page does not hold it.
const at = (node, array, k, t) => (array && node.slot.has(k) && t >= 0 && t < node.steps ? array[t * node.kept.length + node.slot.get(k)] : null);
const value = (node, k, t) => at(node, node.values, k, t);
const slope = (node, k, t) => at(node, node.slopes, k, t);
const ofHead = (node, array, h, t, s) => (array ? array[(h * node.steps + t) * node.steps + s] : null);
const place = (node, t) => (node.isList ? 0 : t);
const weight = (layer, array, row, column) => { // between two nodes, by unit
  const from = DATA.nodes[layer.from], to = DATA.nodes[layer.to];
  return to.slot.has(row) && from.slot.has(column) ? array[to.slot.get(row) * from.kept.length + from.slot.get(column)] : null;
};

// ── words ───────────────────────────────────────────────────────────────────────────────────────

function n(x) { // four significant digits, as everywhere in Pellucid
  if (x === null || x === undefined) return "?";
  if (Number.isNaN(x)) return "·";
  if (x === 0) return "0";
  let text = x.toPrecision(4);
  const power = Number(x.toExponential(3).split("e")[1]);
  if (power < -4 || power >= 4) {
    const [digits, exponent] = x.toExponential(3).split("e");
    text = `${digits.replace(/\.?0+$/, "")}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  } else if (text.includes(".")) text = text.replace(/\.?0+$/, "");
  return text.replace(/-/g, "−");
}
const inBrackets = (x) => (x < 0 ? `(${n(x)})` : n(x));
const stepName = (t) => `step ${t + DATA.start}${DATA.labels[t] === undefined ? "" : ` “${DATA.labels[t]}”`}`;
const unitName = (node, k) => (node.slot.has(k) ? node.names[node.slot.get(k)] : `unit ${k + 1}`);
const nameOf = (node, k, t) => unitName(node, k) + (node.isList ? "" : ` at ${stepName(t)}`);
const address = (node, k, t, s) => [`${node.key}.${k + 1}`, ...(node.isList ? [] : [t + DATA.start]), ...(s === undefined ? [] : [s + DATA.start])].join(",");

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, v] of Object.entries(attributes)) if (v !== null && v !== undefined) made.setAttribute(name, v);
  made.append(...children.filter((child) => child !== null));
  return made;
}
const known = (node, k, t) => (node.heads ? true : value(node, k, t) !== null);
const link = (node, k, t, text, s) => (known(node, k, t) ? el("a", { href: `#${address(node, k, t, s)}` }, text ?? nameOf(node, k, t)) : text ?? nameOf(node, k, t));
const equation = (...parts) => el("p", { class: "equation" }, ...parts.flatMap((part, i) => (i ? [" = ", part] : [part])));
const strong = (x) => el("strong", {}, n(x));
const below = (...parts) => el("p", { class: "below" }, ...parts);

// A sum: the largest terms one by one, the others together, which are what is missing to the network's own sum.
// `many` is how many there are, with those that the page does not hold.
function sum(symbol, formula, headings, terms, result, bias, many = terms.length) {
  const order = terms.filter((t) => t.value !== null && !Number.isNaN(t.value)).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const shown = order.slice(0, MOST), rest = many - shown.length;
  const head = el("tr", {}, ...headings.map((text) => el("th", { scope: "col" }, text)));
  const rows = shown.map((t) => el("tr", {}, el("th", { scope: "row" }, t.name), ...t.factors.map((f) => el("td", {}, n(f))), el("td", {}, n(t.value))));
  const gap = () => headings.slice(2).map(() => el("td"));
  const missing = result - (bias ?? 0) - shown.reduce((s, t) => s + t.value, 0);
  if (rest > 0) rows.push(el("tr", {}, el("th", { scope: "row" }, rest === 1 ? "1 other" : `${rest.toLocaleString("en")} others together`), ...gap(), el("td", {}, n(missing))));
  if (bias !== undefined && bias !== null) rows.push(el("tr", {}, el("th", { scope: "row" }, "bias b"), ...gap(), el("td", {}, n(bias))));
  return el("table", { class: "sum" }, el("caption", {}, `${symbol} = ${formula}`), el("thead", {}, head), el("tbody", {}, ...rows),
    el("tfoot", {}, el("tr", {}, el("th", { scope: "row" }, symbol), ...gap(), el("td", {}, n(result)))));
}
const product = (name, factors) => ({ name, factors, value: factors.some((f) => f === null) ? null : factors.reduce((a, b) => a * b, 1) });

// ── forward ─────────────────────────────────────────────────────────────────────────────────────

function forward(layer, k, t) {
  const to = DATA.nodes[layer.to], out = value(to, k, t), from = DATA.nodes[froms(layer)[0]];
  switch (layer.kind) {
    case "embedding": return [equation(layer.symbol, `E[${layer.ids[t]}, ${k + 1}]`, strong(out)), below(`${stepName(t)} is the token ${layer.ids[t]}: its row of the matrix E is looked up.`)];
    case "positions": return [equation(layer.symbol, `${layer.given} + p`, `${n(value(from, k, t))} + ${inBrackets(at(to, layer.added, k, t))}`, strong(out)), el("p", {}, "from ", link(from, k, t))];
    case "dense": {
      const s = place(from, t), terms = from.kept.map((j) => product(link(from, j, s), [weight(layer, layer.parameters.weight, k, j), value(from, j, s)]));
      const bias = layer.parameters.bias ? layer.parameters.bias[to.slot.get(k)] : undefined;
      return [sum(layer.symbol, `Σ w · ${layer.given}${bias === undefined ? "" : " + b"}`, ["from", "w", layer.given, `w · ${layer.given}`], terms, out, bias, from.units)];
    }
    case "norm": {
      const w = layer.parameters, i = to.slot.get(k);
      return [below(`of ${from.isList ? "the row" : stepName(t)}: the mean μ = ${n(layer.ofStep.mean[t])} and the variance v = ${n(layer.ofStep.variance[t])} of its ${from.units} numbers`),
        equation(layer.symbol, `γ · (${layer.given} − μ) / √(v + ε) + β`, `${n(w.weight[i])} · (${n(value(from, k, t))} − ${inBrackets(layer.ofStep.mean[t])}) / √(${n(layer.ofStep.variance[t])} + ${n(layer.eps)}) + ${inBrackets(w.bias[i])}`, strong(out)),
        el("p", {}, "from ", link(from, k, t))];
    }
    case "activation": return [equation(layer.symbol, `${layer.function}(${n(value(from, k, t))})`, strong(out)), below(`${layer.function}(${layer.given}) is ${layer.formula}`), el("p", {}, "from ", link(from, k, t))];
    case "pool": {
      const terms = steps().map((s) => product(link(from, k, s), [value(from, k, s), shareOf(layer, k, s)])).filter((term) => term.factors[1]);
      return [sum(layer.symbol, `Σ share · ${layer.given}`, ["of", layer.given, "share", "product"], terms, out, undefined, layer.how === "mean" ? DATA.total : Math.max(1, terms.length)),
        below({ last: "the last step that counts", mean: `the mean of ${DATA.total} steps`, max: "the step with the largest value" }[layer.how])];
    }
    case "residual": {
      const last = DATA.nodes[layer.inside];
      return [equation(layer.symbol, `${layer.given} + block(${layer.given})`, `${n(value(from, k, t))} + ${inBrackets(value(last, k, t))}`, strong(out)),
        el("p", {}, "The block's output is ", link(last, k, t), ", its input ", link(from, k, t), ".")];
    }
    case "cell": return cell(layer, k, t);
    case "joined": {
      const source = DATA.nodes[layer.from[Math.floor(k / layer.width)]];
      return [equation("h", link(source, k % layer.width, t), strong(out)), below("both directions side by side")];
    }
    case "context": {
      const h = Math.floor(k / layer.size), heads = DATA.nodes[layer.from[0]], v = DATA.nodes[layer.from[1]];
      const terms = steps().map((s) => product(link(heads, h, t, stepName(s), s), [ofHead(heads, heads.P, h, t, s), value(v, k, s)]));
      return [sum("c", "Σ P · v", ["over", "P", "v", "P · v"], terms.filter((term) => term.factors[0]), out, undefined, seesMany(layer, t)), below(`P: how much head ${h + 1} looks from ${stepName(t)} at each step`)];
    }
    case "same": return [equation(layer.symbol, link(from, k, t), strong(out))];
    default: return [el("p", {}, `${layer.symbol} = ${n(out)}. In the terminal, pellucid trace --unit ${address(to, k, t)} shows how it is computed.`)];
  }
}
// How many steps a step sees, and how many see it.
const seesMany = (layer, t) => (layer.causal ? t + DATA.start + 1 : DATA.total);
const seenByMany = (layer, t) => (layer.causal ? DATA.total - t - DATA.start : DATA.total);
const steps = () => Array.from({ length: DATA.steps }, (_, t) => t);
const shareOf = (layer, k, t) => at(DATA.nodes[layer.from], layer.shares, k, t);
// A row of the stacked gates of unit k: gate by gate, of the units on the page.
const gateRow = (layer, gate, k) => gate * DATA.nodes[layer.to].kept.length + DATA.nodes[layer.to].slot.get(k);
const ofGate = (layer, array, gate, k, t) => (array ? array[t * layer.sums.length * DATA.nodes[layer.to].kept.length + gateRow(layer, gate, k)] : null);
const state = (layer, letter, k, t) => at(DATA.nodes[layer.to], layer.states[letter], k, t);
const before = (layer, t) => (layer.backwards ? t + 1 : t - 1);

function cell(layer, k, t) {
  const from = DATA.nodes[layer.from], to = DATA.nodes[layer.to], made = [], p = layer.parameters, earlier = before(layer, t);
  const there = earlier >= 0 && earlier < DATA.steps, s = there ? earlier : t;
  const inputs = (gate) => from.kept.map((j) => product(link(from, j, t), [p.ih[gateRow(layer, gate, k) * from.kept.length + from.slot.get(j)], value(from, j, t)]));
  const states = (gate) => to.kept.map((j) => product(there ? link(to, j, s) : `h of ${unitName(to, j)} ${t + DATA.start === (layer.backwards ? DATA.total - 1 : 0) ? "at the start" : "before"}`, [p.hh[gateRow(layer, gate, k) * to.kept.length + to.slot.get(j)], at(to, layer.before, j, t)]));
  const given = (gate) => ofGate(layer, layer.sumsOf.given, gate, k, t), recalled = (gate) => ofGate(layer, layer.sumsOf.recalled, gate, k, t);
  const b = (gate, of) => p[of][gateRow(layer, gate, k)];
  layer.sums.forEach((name, gate) => {
    if (layer.cell === "gru" && gate === 2) { // the reset gate weakens what comes from the state alone
      made.push(sum("p", `Σ w · ${layer.given} + b`, ["from", "w", "value", "product"], inputs(gate), given(gate), b(gate, "b_ih"), from.units));
      made.push(sum("q", "Σ w · h + b", ["from", "w", "value", "product"], states(gate), recalled(gate), b(gate, "b_hh"), to.units));
    } else made.push(sum(name, `Σ w · ${layer.given} + Σ w · h + b`, ["from", "w", "value", "product"], [...inputs(gate), ...states(gate)], given(gate) + recalled(gate), b(gate, "b_ih") + b(gate, "b_hh"), from.units + to.units));
  });
  const z = (gate) => given(gate) + recalled(gate), g = (letter) => state(layer, letter, k, t), h0 = at(to, layer.before, k, t);
  if (layer.cell === "rnn") made.push(equation("h", `${layer.function}(z)`, `${layer.function}(${n(z(0))})`, strong(g("h"))));
  if (layer.cell === "gru") made.push(
    equation("r", `sigmoid(${n(z(0))})`, strong(g("r"))), equation("z", `sigmoid(${n(z(1))})`, strong(g("z"))),
    equation("n", "tanh(p + r · q)", `tanh(${n(given(2))} + ${n(g("r"))} · ${inBrackets(recalled(2))})`, strong(g("n"))),
    equation("h", "(1 − z) · n + z · h before", `(1 − ${n(g("z"))}) · ${inBrackets(g("n"))} + ${n(g("z"))} · ${inBrackets(h0)}`, strong(g("h"))));
  if (layer.cell === "lstm") {
    const c0 = at(to, layer.c_before, k, t);
    ["i", "f", "g", "o"].forEach((letter, gate) => made.push(equation(letter, `${letter === "g" ? "tanh" : "sigmoid"}(${n(z(gate))})`, strong(g(letter)))));
    made.push(equation("c", "f · c before + i · g", `${n(g("f"))} · ${inBrackets(c0)} + ${n(g("i"))} · ${inBrackets(g("g"))}`, strong(g("c"))),
      equation("h", "o · tanh(c)", `${n(g("o"))} · tanh(${n(g("c"))})`, strong(g("h"))));
  }
  return made;
}
// One head, one step that looks, one that is looked at: score → softmax → weight.
function headForward(layer, h, t, s) {
  const node = DATA.nodes[layer.to], q = DATA.nodes[layer.from[0]], k = DATA.nodes[layer.from[1]], made = [];
  const S = ofHead(node, node.S, h, t, s);
  if (Number.isNaN(S)) return [el("p", {}, `${stepName(s)} is not seen from ${stepName(t)}: its weight is 0.`)];
  const units = Array.from({ length: layer.size }, (_, i) => h * layer.size + i);
  const terms = units.map((i) => product(link(q, i, t, `number ${i - h * layer.size + 1}`), [value(q, i, t), value(k, i, s)]));
  const root = Math.sqrt(layer.size);
  made.push(sum("q · k", "Σ q · k", ["over", `q of ${stepName(t)}`, `k of ${stepName(s)}`, "q · k"], terms, S * root, undefined, layer.size),
    equation("S", "q · k / √d", `${n(S * root)} / √${layer.size}`, strong(S)));
  const seen = steps().filter((u) => !Number.isNaN(ofHead(node, node.S, h, t, u)));
  const largest = Math.max(...seen.map((u) => ofHead(node, node.S, h, t, u)));
  const rows = [...seen].sort((a, b) => ofHead(node, node.P, h, t, b) - ofHead(node, node.P, h, t, a)).slice(0, MOST);
  if (!rows.includes(s)) rows.push(s);
  made.push(el("table", { class: "sum" }, el("caption", {}, `softmax over ${stepName(t)}'s scores: P = e^(S − max S) / Z`),
    el("thead", {}, el("tr", {}, ...["looked at", "S", "e^(S − max S)", "P"].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...rows.map((u) => el("tr", { class: u === s ? "chosen-row" : null }, el("th", { scope: "row" }, link(node, h, t, stepName(u), u)),
      ...[ofHead(node, node.S, h, t, u), Math.exp(ofHead(node, node.S, h, t, u) - largest), ofHead(node, node.P, h, t, u)].map((x) => el("td", {}, n(x))))))));
  const left = seesMany(layer, t) - rows.length;
  if (left > 0) made.push(below(`and ${left} more step${left === 1 ? "" : "s"} with smaller weights${seesMany(layer, t) > seen.length ? ", or not on this page: max S is that of this page" : ""}`));
  made.push(equation("P", strong(ofHead(node, node.P, h, t, s))));
  return made;
}

// ── backward ────────────────────────────────────────────────────────────────────────────────────

function headBackward(layer, h, t, s) {
  const node = DATA.nodes[layer.to], after = DATA.layers.find((each) => each.kind === "context" && each.from[0] === layer.to);
  if (!node.dP) return [el("p", {}, "The target of this row is not known, so there is no way back.")];
  const c = DATA.nodes[after.to], v = DATA.nodes[after.from[1]], units = Array.from({ length: layer.size }, (_, i) => h * layer.size + i);
  const terms = units.map((i) => product(link(c, i, t, `number ${i - h * layer.size + 1}`), [slope(c, i, t), value(v, i, s)]));
  const P = ofHead(node, node.P, h, t, s), dP = ofHead(node, node.dP, h, t, s), dS = ofHead(node, node.dS, h, t, s);
  const mean = P ? dP - dS / P : null;
  return [sum("∂L/∂P", "Σ ∂L/∂c · v", ["over", "∂L/∂c", "v", "product"], terms, dP, undefined, layer.size),
    P ? equation("∂L/∂S", "P · (∂L/∂P − Σ P · ∂L/∂P)", `${n(P)} · (${n(dP)} − ${inBrackets(mean)})`, strong(dS)) : equation("∂L/∂S", strong(dS))];
}
function backward(i, k, t) {
  const node = DATA.nodes[i], own = slope(node, k, t), d = `∂L/∂${node.symbol}`;
  if (!node.slopes) return [el("p", {}, "The target of this row is not known, so there is no way back.")];
  const layer = maker(i);
  if (layer && layer.kind === "cell") return throughTime(layer, i, k, t);
  return fromAfter(i, k, t, own, d);
}
function fromAfter(i, k, t, own, d) {
  const node = DATA.nodes[i], after = takers(i), block = holder(i);
  if (!after.length && block) return [equation(d, `∂L/∂${block.symbol}`, strong(own)), below("The block's output is only added, so it receives the same.")];
  if (!after.length) return [el("p", {}, DATA.fromLoss[k] ?? ""), equation(d, strong(own))];
  const skip = after.find((layer) => layer.kind === "residual"), others = after.filter((layer) => layer !== skip);
  if (skip) {
    const through = at(node, skip.through, k, t);
    return [equation(d, `∂L/∂${skip.symbol} + ${d} through the block`, `${n(slope(DATA.nodes[skip.to], k, t))} + ${inBrackets(through)}`, strong(own)),
      ...handedBy(others, i, k, t, through, `${d} through the block`)];
  }
  return handedBy(others, i, k, t, own, d);
}
function handedBy(layers, i, k, t, result, d) {
  const dense = layers.filter((layer) => layer.kind === "dense" || layer.kind === "cell");
  if (dense.length < 2) return layers.flatMap((layer) => handed(layer, i, k, t, result, d));
  return [sum(d, `Σ ∂L/∂[${dense.map((layer) => (layer.kind === "cell" ? "z" : layer.symbol)).join(", ")}] · w`, ["through", "∂L/∂", "w", "product"], dense.flatMap((layer) => termsOf(layer, k, t)), result, undefined, dense.reduce((s, layer) => s + manyOf(layer), 0))];
}
const manyOf = (layer) => DATA.nodes[layer.to].units * (layer.kind === "cell" ? layer.sums.length : 1);
function termsOf(layer, k, t) { // ∂L/∂ of each sum that the input enters, by its weight
  const from = DATA.nodes[layer.from], to = DATA.nodes[layer.to];
  if (layer.kind === "dense") {
    const s = place(to, t);
    return to.kept.map((row) => product(link(to, row, s), [slope(to, row, s), weight(layer, layer.parameters.weight, row, k)]));
  }
  return layer.sums.flatMap((name, gate) => to.kept.map((row) => product(link(to, row, t, `${name} of ${unitName(to, row)}`),
    [ofGate(layer, layer.slopesOf.given, gate, row, t), layer.parameters.ih[gateRow(layer, gate, row) * from.kept.length + from.slot.get(k)]])));
}
// What a layer hands back to its input k at step t.
function handed(layer, i, k, t, result, d) {
  const from = DATA.nodes[i], to = DATA.nodes[layer.to], e = `∂L/∂${layer.symbol}`;
  switch (layer.kind) {
    case "dense": case "cell": return [sum(d, `Σ ∂L/∂${layer.kind === "cell" ? "z" : layer.symbol} · w`, ["through", "∂L/∂z", "w", "product"], termsOf(layer, k, t), result, undefined, manyOf(layer))];
    case "positions": case "same": return [equation(d, e, strong(result)), el("p", {}, "from ", link(to, k, t))];
    case "norm": {
      const w = layer.parameters.weight[to.slot.get(k)], o = layer.ofStep, x = (value(from, k, t) - o.mean[t]) / Math.sqrt(o.variance[t] + layer.eps);
      return [below(`through γ, and through μ and v, which depend on every number of the step: m₁ = mean of γ · ${e} = ${n(o.slope[t])}, m₂ = mean of γ · ${e} · x̂ = ${n(o.tilt[t])}, x̂ = (${layer.given} − μ) / √(v + ε) = ${n(x)}`),
        equation(d, `(γ · ${e} − m₁ − x̂ · m₂) / √(v + ε)`, `(${n(w)} · ${inBrackets(slope(to, k, t))} − ${inBrackets(o.slope[t])} − ${inBrackets(x)} · ${inBrackets(o.tilt[t])}) / √(${n(o.variance[t])} + ${n(layer.eps)})`, strong(result)), el("p", {}, "from ", link(to, k, t))];
    }
    case "activation": {
      const local = at(from, layer.local, k, t);
      return [equation(d, `${e} · ${layer.function}′(${layer.given})`, `${n(slope(to, k, t))} · ${inBrackets(local)}`, strong(result)), below(`${layer.function}′(${layer.given}) is ${layer.slopeFormula}`), el("p", {}, "from ", link(to, k, t))];
    }
    case "pool": {
      const share = shareOf(layer, k, t);
      return share ? [equation(d, `${e} · share`, `${n(slope(to, k, 0))} · ${n(share)}`, strong(result)), el("p", {}, "from ", link(to, k, 0))] : [equation(d, strong(result)), below(`This step has no share in ${layer.symbol}.`)];
    }
    case "joined": { const source = layer.from.indexOf(i) * layer.width + k; return [equation(d, strong(result)), el("p", {}, "the same as of ", link(to, source, t))]; }
    case "heads": { // a query, or a key
      const heads = to, isQuery = layer.from[0] === i, other = DATA.nodes[layer.from[isQuery ? 1 : 0]], h = Math.floor(k / layer.size), root = Math.sqrt(layer.size);
      const terms = steps().map((s) => product(link(heads, h, isQuery ? t : s, stepName(s), isQuery ? s : t), [ofHead(heads, heads.dS, h, isQuery ? t : s, isQuery ? s : t) / root, value(other, k, s)]));
      return [sum(d, `Σ ∂L/∂S / √d · ${other.symbol}`, ["over", "∂L/∂S / √d", other.symbol, "product"], terms.filter((term) => term.factors[0]), result, undefined, isQuery ? seesMany(layer, t) : seenByMany(layer, t))];
    }
    case "context": { // a value
      const heads = DATA.nodes[layer.from[0]], h = Math.floor(k / layer.size);
      const terms = steps().map((s) => product(link(heads, h, s, stepName(s), t), [ofHead(heads, heads.P, h, s, t), slope(to, k, s)]));
      return [sum(d, "Σ P · ∂L/∂c", ["of", "P", "∂L/∂c", "product"], terms.filter((term) => term.factors[0]), result, undefined, seenByMany(layer, t))];
    }
    default: return [equation(d, strong(result)), below(`through ${layer.text}`)];
  }
}
// ∂L/∂h[t]: what the step's own output hands back, and what the step after it does through its state.
function throughTime(layer, i, k, t) {
  const node = DATA.nodes[i], total = slope(node, k, t), own = at(node, layer.own, k, t), later = layer.backwards ? t - 1 : t + 1, made = [];
  const there = later >= 0 && later < DATA.steps;
  made.push(equation("∂L/∂h", "from its own output + from the step after", `${n(own)} + ${inBrackets(total - own)}`, strong(total)));
  const after = takers(i);
  if (after.length) made.push(el("h4", {}, "From its own output"), ...fromAfter(i, k, t, own, "∂L/∂h of its own output"));
  made.push(el("h4", {}, "From the step after, through the state"));
  if (!there) made.push(below(t + DATA.start === (layer.backwards ? 0 : DATA.total - 1) ? "There is no step after it." : "That step is not on this page."));
  else {
    const terms = layer.sums.flatMap((name, gate) => node.kept.map((row) => product(link(node, row, later, `${name} of ${unitName(node, row)} at ${stepName(later)}`),
      [ofGate(layer, layer.slopesOf.recalled, gate, row, later), layer.parameters.hh[gateRow(layer, gate, row) * node.kept.length + node.slot.get(k)]])));
    let many = layer.sums.length * node.units;
    if (layer.cell === "gru") { many += 1; terms.push(product("z · ∂L/∂h: the part of the state that is kept", [slope(node, k, later), state(layer, "z", k, later)])); }
    made.push(sum("∂L/∂h", "Σ ∂L/∂z[after] · w", ["through", "∂L/∂z", "w", "product"], terms, total - own, undefined, many));
  }
  made.push(el("h4", {}, "∂L/∂ of this step's sums"), ...layer.sums.map((name, gate) => {
    const given = ofGate(layer, layer.slopesOf.given, gate, k, t), recalled = ofGate(layer, layer.slopesOf.recalled, gate, k, t);
    return layer.cell === "gru" && gate === 2 ? equation("∂L/∂p", strong(given), ` and ∂L/∂q`, "r · ∂L/∂p", strong(recalled)) : equation(`∂L/∂${name}`, strong(given));
  }));
  return made;
}
function parameters(layer, k, t) {
  const to = DATA.nodes[layer.to], g = layer.gradients, made = [], i = to.slot.get(k);
  const table = (caption, rows) => {
    const order = rows.sort((a, b) => Math.abs(b[2]) - Math.abs(a[2])).slice(0, MOST);
    return el("table", { class: "sum" }, el("caption", {}, caption), el("thead", {}, el("tr", {}, ...["of", "w", "∂L/∂w"].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, ...order.map(([name, w, d]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, n(w)), el("td", {}, n(d))))));
  };
  if (layer.kind === "dense" && g.weight) {
    const from = DATA.nodes[layer.from], over = from.isList ? "" : ` over ${DATA.total} steps`;
    made.push(table(`∂L/∂w = Σ ∂L/∂${layer.symbol} · ${layer.given}${over}, the steepest`, from.kept.map((j) => [unitName(from, j), weight(layer, layer.parameters.weight, k, j), weight(layer, g.weight, k, j)])));
    if (g.bias) made.push(equation("∂L/∂b", strong(g.bias[i])));
  } else if (layer.kind === "norm" && g.weight) made.push(equation("∂L/∂γ", strong(g.weight[i])), equation("∂L/∂β", strong(g.bias[i])));
  else if (layer.kind === "embedding" && layer.grad) made.push(equation(`∂L/∂E[${layer.ids[t]}, ${k + 1}]`, strong(at(to, layer.grad, k, t))), below("the sum of ∂L/∂e over all steps with this token"));
  else if (layer.kind === "cell" && g.ih) {
    const from = DATA.nodes[layer.from];
    layer.sums.forEach((name, gate) => {
      const row = gateRow(layer, gate, k);
      made.push(table(`the weights of ${name}: ∂L/∂w = Σ ∂L/∂${name} · value over ${DATA.total} steps, the steepest`, [
        ...from.kept.map((j) => [unitName(from, j), layer.parameters.ih[row * from.kept.length + from.slot.get(j)], g.ih[row * from.kept.length + from.slot.get(j)]]),
        ...to.kept.map((j) => [`h of ${unitName(to, j)}`, layer.parameters.hh[row * to.kept.length + to.slot.get(j)], g.hh[row * to.kept.length + to.slot.get(j)]]),
        ["bias b_ih", layer.parameters.b_ih[row], g.b_ih[row]], ["bias b_hh", layer.parameters.b_hh[row], g.b_hh[row]]]));
    });
  }
  return made;
}
