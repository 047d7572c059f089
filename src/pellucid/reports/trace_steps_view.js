// ── what is chosen ──────────────────────────────────────────────────────────────────────────────

let chosen = null; // {i, k, t, s}: a node, its unit (or head), the step, and of heads the step that is looked at

function find(text) { // "0.3,5" → what is chosen, or null
  const [head, ...rest] = decodeURIComponent(text.replace(/^#/, "")).split(","), dot = head.lastIndexOf(".");
  const i = DATA.nodes.findIndex((node) => node.key === head.slice(0, dot)), k = Number(head.slice(dot + 1)) - 1;
  if (i < 0) return null;
  const node = DATA.nodes[i], [t = 0, s] = rest.map((part) => Number(part) - DATA.start);
  const inside = (step) => step >= 0 && step < DATA.steps;
  if (!node.slot.has(k) || rest.length !== (node.isList ? 0 : node.heads ? 2 : 1)) return null;
  return (node.isList || inside(t)) && (!node.heads || inside(s)) ? { i, k, t, s } : null;
}
function choose(next, focus) {
  chosen = next;
  history.replaceState(null, "", `#${address(DATA.nodes[next.i], next.k, next.t, next.s)}`);
  show();
  if (focus) mapOf(next)?.focus({ preventScroll: true });
}
function show() {
  const { i, k, t, s } = chosen, node = DATA.nodes[i], layer = maker(i), panel = $("panel"), heads = !!node.heads;
  const title = heads ? `Head ${k + 1}: ${stepName(t)} looks at ${stepName(s)}` : nameOf(node, k, t);
  const own = heads ? `P = ${n(ofHead(node, node.P, k, t, s))}${node.dP ? `, ∂L/∂P = ${n(ofHead(node, node.dP, k, t, s))}` : ""}`
    : `${node.symbol} = ${n(value(node, k, t))}${node.slopes ? `, ∂L/∂${node.symbol} = ${n(slope(node, k, t))}` : ""}`;
  const what = layer ? `${layer.key}  ${layer.text}${layer.title ? `, ${layer.title}` : ""}${layer.part ? `: ${layer.part}` : ""}` : "the series, as the network receives it";
  panel.replaceChildren(el("h2", { id: "panel-title" }, title), below(what), el("p", { role: "status", id: "result" }, own));
  const section = (heading, id, parts) => { if (parts.length) panel.append(el("section", { id }, el("h3", {}, heading), ...parts)); };
  section("Forward", "forward", !layer ? [] : heads ? headForward(layer, k, t, s) : forward(layer, k, t));
  section("Backward", "backward", heads ? headBackward(layer, k, t, s) : backward(i, k, t));
  if (layer && !heads && node.slopes) section("Its parameters", "parameters", parameters(layer, k, t));
  mark();
}

// ── the maps ────────────────────────────────────────────────────────────────────────────────────

const mapOf = ({ i, k }) => $(DATA.nodes[i].heads ? `map-${i}-${k}` : `map-${i}`);
const colours = () => ["--plus", "--minus"].map((name) => {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((j) => parseInt(text.slice(j, j + 2), 16));
});
const extent = (array) => array.reduce((most, x) => (Number.isNaN(x) ? most : Math.max(most, Math.abs(x))), 0);

// Numbers as a picture of `rows` × `columns`; `read(row, column)` gives each, `pick` is told what was clicked.
function canvasOf(rows, columns, wide, high, read, pick) {
  const canvas = el("canvas", { width: columns, height: rows, "aria-hidden": "true", style: `width:${columns * wide}px;height:${rows * high}px` });
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows), [plus, minus] = colours();
  let most = 0;
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) { const x = Math.abs(read(r, c)); if (x > most) most = x; }
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
    const x = read(r, c), [red, green, blue] = x < 0 ? minus : plus;
    image.data.set([red, green, blue, Math.round(255 * Math.min(1, Math.abs(x || 0) / (most || 1)))], 4 * (r * columns + c));
  }
  context.putImageData(image, 0, 0);
  canvas.addEventListener("click", (event) => {
    const size = canvas.getBoundingClientRect();
    const row = Math.min(rows - 1, Math.max(0, Math.floor(((event.clientY - size.top) / size.height) * rows)));
    pick(row, Math.min(columns - 1, Math.max(0, Math.floor(((event.clientX - size.left) / size.width) * columns))));
  });
  return canvas;
}
function boxOf(canvas, id, label) {
  const box = el("div", { class: "map", id, tabindex: id ? "0" : null, role: id ? "application" : null, "aria-label": id ? `${label}; arrow keys move` : null }, canvas);
  if (id) box.addEventListener("keydown", (event) => { if (moved(event)) event.preventDefault(); });
  return box;
}
const widthOf = (many, room, most) => Math.max(2, Math.min(most, Math.floor(room / many)));
function stepMap(i, array, caption, main) { // units below each other, steps side by side
  const node = DATA.nodes[i], units = node.kept.length;
  const canvas = canvasOf(units, node.steps, widthOf(node.steps, 560, 16), widthOf(units, 200, 12), (r, c) => array[c * units + r], (r, c) => choose({ i, k: node.kept[r], t: c }, true));
  return el("figure", {}, boxOf(canvas, main ? `map-${i}` : null, `${units} units by ${node.steps} steps`), el("figcaption", {}, caption));
}
function headMap(i, h, array, caption, main) { // the step that looks below each other, the one looked at side by side
  const node = DATA.nodes[i], many = node.steps, side = widthOf(many, 150, 14);
  const canvas = canvasOf(many, many, side, side, (r, c) => ofHead(node, array, h, r, c), (r, c) => choose({ i, k: h, t: r, s: c }, true));
  return el("figure", {}, boxOf(canvas, main ? `map-${i}-${h}` : null, `head ${h + 1}: ${many} by ${many} steps`), el("figcaption", {}, caption));
}
function buttons(i) {
  const node = DATA.nodes[i], most = extent(node.values);
  return node.kept.map((k) => {
    const made = link(node, k, 0, `${unitName(node, k)}: ${n(value(node, k, 0))}`), x = value(node, k, 0);
    made.className = `unit ${x < 0 ? "minus" : "plus"}`;
    made.style.setProperty("--share", `${Math.round(70 * Math.min(1, Math.abs(x) / (most || 1)))}%`);
    made.id = `unit-${i}-${k}`;
    return made;
  });
}
function moved(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  const { i, k, t, s } = chosen, node = DATA.nodes[i], [down, across] = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key] ?? [0, 0];
  if (!down && !across) return false;
  const inside = (step) => step >= 0 && step < DATA.steps;
  if (node.heads) { if (inside(t + down) && inside(s + across)) choose({ i, k, t: t + down, s: s + across }, true); return true; }
  const next = node.kept[node.slot.get(k) + down];
  if (next !== undefined && inside(t + across)) choose({ i, k: next, t: t + across }, true);
  return true;
}
// Marks what is chosen, and in the maps before it what it was computed from.
function spot(box, rows, columns, row, column, tall, kind) {
  box?.append(el("div", { class: `spot ${kind}`, style: `left:${(100 * column) / columns}%;top:${(100 * row) / rows}%;width:${100 / columns}%;height:${(100 * tall) / rows}%` }));
}
function mark() {
  document.querySelectorAll(".spot").forEach((each) => each.remove());
  document.querySelectorAll(".of-chosen").forEach((each) => each.classList.remove("of-chosen"));
  const { i, k, t, s } = chosen, node = DATA.nodes[i], layer = maker(i), box = mapOf(chosen);
  if (node.heads) spot(box, node.steps, node.steps, t, s, 1, "chosen");
  else if (node.isList) $(`unit-${i}-${k}`)?.classList.add("of-chosen");
  else spot(box, node.kept.length, node.steps, node.slot.get(k), t, 1, "chosen");
  document.querySelectorAll(".token").forEach((each, j) => { each.classList.toggle("chosen", !node.isList && (j === t || j === s)); });
  if (!layer) return;
  const column = (j, step) => { const from = DATA.nodes[j]; if (from && !from.heads && !from.isList && step >= 0 && step < from.steps) spot($(`map-${j}`), 1, from.steps, 0, step, 1, "patch"); };
  const one = (j, step) => { const from = DATA.nodes[j]; if (from && !from.isList && from.slot.has(k)) spot($(`map-${j}`), from.kept.length, from.steps, from.slot.get(k), step, 1, "patch"); };
  if (layer.kind === "heads") { column(layer.from[0], t); column(layer.from[1], s); }
  else if (layer.kind === "context") { const heads = DATA.nodes[layer.from[0]], h = Math.floor(k / layer.size); spot($(`map-${layer.from[0]}-${h}`), heads.steps, 1, t, 0, 1, "patch"); one(layer.from[1], t); }
  else if (layer.kind === "cell") { column(layer.from, t); column(i, before(layer, t)); }
  else if (layer.kind === "dense" || layer.kind === "norm") column(froms(layer)[0], t);
  else if (layer.kind === "pool") steps().filter((u) => shareOf(layer, k, u)).forEach((u) => one(layer.from, u));
  else if (layer.kind !== "embedding" && layer.kind !== "joined") one(froms(layer)[0], t);
}

// ── the page ────────────────────────────────────────────────────────────────────────────────────

const shownAs = (t) => `${stepName(t)}${Math.max(...DATA.strength) ? `: ‖∂L/∂‖ = ${n(DATA.strength[t])}` : ""}`;
function row() { // the steps of the row, as a text or as curves; a click goes to that step
  if (!DATA.labels.length) return curves();
  const most = Math.max(...DATA.strength);
  steps().forEach((t) => {
    const made = el("button", { type: "button", class: "token", title: shownAs(t) }, DATA.labels[t] || " ");
    made.style.setProperty("--share", `${most ? Math.round((70 * DATA.strength[t]) / most) : 0}%`);
    made.addEventListener("click", () => atStep(t));
    $("row").append(made);
  });
}
function drawn(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, v] of Object.entries(attributes)) made.setAttribute(name, v);
  made.append(...children);
  return made;
}
function curves() { // each channel on its own scale, over a ground as strong as the loss depends on the step
  const node = DATA.nodes[0], wide = widthOf(DATA.steps, 1000, 24), high = 130, most = Math.max(...DATA.strength), dashes = ["none", "6 3", "2 2", "8 3 2 3"];
  const svg = drawn("svg", { viewBox: `0 0 ${DATA.steps * wide} ${high}`, width: DATA.steps * wide, height: high, tabindex: "0", role: "application", "aria-label": `the series, ${DATA.steps} steps; arrow keys move` });
  steps().forEach((t) => {
    const share = most ? (0.7 * DATA.strength[t]) / most : 0;
    const ground = drawn("rect", { x: t * wide, y: 0, width: wide, height: high, class: "token ground", "fill-opacity": share.toFixed(3) }, drawn("title", {}, shownAs(t)));
    ground.addEventListener("click", () => atStep(t));
    svg.append(ground);
  });
  node.kept.slice(0, 4).forEach((k, j) => {
    const values = steps().map((t) => value(node, k, t)), low = Math.min(...values), span = Math.max(...values) - low || 1;
    const points = values.map((x, t) => `${((t + 0.5) * wide).toFixed(1)},${(high - 8 - ((high - 16) * (x - low)) / span).toFixed(1)}`).join(" ");
    svg.append(drawn("polyline", { points, class: "curve", "stroke-dasharray": dashes[j] }));
  });
  svg.addEventListener("keydown", (event) => {
    const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!across) return;
    event.preventDefault();
    atStep(Math.min(DATA.steps - 1, Math.max(0, (chosen.t ?? 0) + across)));
  });
  const names = node.kept.slice(0, 4).map((k) => unitName(node, k)).join(", ");
  $("row").append(svg, below(`${names}${node.kept.length > 4 ? ` and ${node.kept.length - 4} more` : ""}${node.kept.length > 1 ? ", each on its own scale" : ""}; steps ${DATA.start} to ${DATA.start + DATA.steps - 1}`));
}
function atStep(t) {
  const node = DATA.nodes[chosen.i];
  if (!node.isList) return choose({ ...chosen, t }, false);
  const i = DATA.nodes.findLastIndex((each) => !each.isList && !each.heads), other = DATA.nodes[i];
  return choose({ i, k: strongestOf(other, t), t }, false);
}
function strongestOf(node, t) {
  return node.kept.reduce((best, k) => (Math.abs(value(node, k, t)) > Math.abs(value(node, best, t)) ? k : best), node.kept[0]);
}
function backStrip(layer) { // how much the loss depends on each step's state
  if (!layer.back) return null;
  const most = extent(layer.back), wide = widthOf(layer.back.length, 560, 16);
  const bars = Array.from(layer.back, (x, t) => el("span", { class: "rod", title: `${stepName(t)}: ‖∂L/∂h‖ = ${n(x)}`, style: `width:${wide}px;height:${most ? Math.max(1, Math.round((46 * x) / most)) : 1}px` }));
  const ends = layer.back, first = layer.backwards ? ends[ends.length - 1] : ends[0], last = layer.backwards ? ends[0] : ends[ends.length - 1];
  return el("figure", {}, el("div", { class: "rods", role: "img", "aria-label": `length of the slope of the state at each step, from ${n(ends[0])} to ${n(ends[ends.length - 1])}` }, ...bars),
    el("figcaption", {}, `back through time: ‖∂L/∂h‖ at each step; ${n(last)} at the last step that the state reaches, ${n(first)} at the first`));
}
function figures(i, layer) {
  const node = DATA.nodes[i];
  if (node.heads) return Array.from({ length: node.heads }, (_, h) => headMap(i, h, node.P, `head ${h + 1}`, true)).concat(node.dP ? Array.from({ length: node.heads }, (_, h) => headMap(i, h, node.dS, `∂L/∂S of head ${h + 1}`, false)) : []);
  if (node.isList) return buttons(i);
  const made = [stepMap(i, node.values, node.symbol, true)];
  if (layer && layer.kind === "cell") for (const letter of layer.letters) if (letter !== "h") made.push(stepMap(i, layer.states[letter], letter, false));
  if (node.slopes) made.push(stepMap(i, node.slopes, `∂L/∂${node.symbol}`, false));
  if (layer && layer.kind === "cell") made.push(backStrip(layer));
  return made.filter((each) => each !== null);
}
function build() {
  const said = new Set();
  DATA.nodes.forEach((node, i) => {
    const layer = maker(i), depth = Math.min(layer ? layer.depth : 0, 3), part = node.title ? `: ${node.title}` : "";
    const title = layer ? `${layer.key}  ${layer.text}${part}` : "The series";
    const left = node.units - node.kept.length, shape = node.heads ? `${node.heads} heads of ${node.steps} × ${node.steps} steps; a row is the step that looks` : node.isList ? `${node.units} unit${node.units === 1 ? "" : "s"}` : `${node.units} number${node.units === 1 ? "" : "s"} at each step${left ? `, the strongest ${node.kept.length} are shown` : ""}`;
    const first = layer && !said.has(layer.key);
    if (layer) said.add(layer.key);
    $("layers").append(el("section", { id: `layer-${i}`, class: `depth${depth}`, "aria-label": title }, el("h3", {}, title), below(first ? `${layer.explain} ` : "", el("span", {}, shape)), el("div", { class: "maps" }, ...figures(i, layer))));
  });
}
function start() {
  const asked = location.hash ? find(location.hash) : null;
  if (asked) { chosen = asked; show(); (mapOf(asked) ?? $(`unit-${asked.i}-${asked.k}`))?.scrollIntoView({ block: "center", behavior: "instant" }); return; }
  if (chosen) return;
  const head = DATA.nodes.findIndex((node) => node.heads), cellLayer = DATA.layers.find((layer) => layer.kind === "cell");
  const t = DATA.strength.indexOf(Math.max(...DATA.strength));
  if (cellLayer) chosen = { i: cellLayer.to, k: strongestOf(DATA.nodes[cellLayer.to], t), t };
  else if (head >= 0) {
    const node = DATA.nodes[head], best = steps().reduce((u, s) => (ofHead(node, node.P, 0, t, s) > ofHead(node, node.P, 0, t, u) ? s : u), 0);
    chosen = { i: head, k: 0, t, s: best };
  } else chosen = { i: 0, k: strongestOf(DATA.nodes[0], 0), t: 0 };
  show();
}
row();
build();
start();
window.addEventListener("hashchange", start);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());
