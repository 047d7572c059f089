// ── what is chosen ──────────────────────────────────────────────────────────────────────────────

let chosen = null, expanded = false;

function find(text) { // "0.3,5,7" → [node, channel, position], or null
  const [head, ...rest] = decodeURIComponent(text.replace(/^#/, "")).split(",");
  const dot = head.lastIndexOf("."), i = DATA.nodes.findIndex((node) => node.key === head.slice(0, dot)), c = Number(head.slice(dot + 1)) - 1;
  if (i < 0 || rest.length !== DATA.nodes[i].grid.length || !DATA.nodes[i].slot.has(c)) return null;
  const p = rest.length ? flat(DATA.nodes[i].grid, rest.map(Number)) : 0;
  return p >= 0 ? [i, c, p] : null;
}
function choose(i, c, p, focus) {
  chosen = [i, c, p];
  expanded = false;
  history.replaceState(null, "", `#${address(DATA.nodes[i], c, p)}`);
  show();
  if (focus) mapOf(i, c).focus({ preventScroll: false });
}
function show() {
  const [i, c, p] = chosen, node = DATA.nodes[i], layer = maker(i), panel = $("panel");
  panel.replaceChildren(el("h2", { id: "panel-title" }, nameOf(node, c, p)), el("p", { class: "below" }, layer ? `${layer.key}  ${layer.text}` : "the picture, as the network receives it"),
    el("p", { role: "status", id: "result" }, `${node.symbol} = ${n(value(node, c, p))}${node.slopes ? `, ∂L/∂${node.symbol} = ${n(slope(node, c, p))}` : ""}`));
  const section = (title, id, parts) => { if (parts.length) panel.append(el("section", { id }, el("h3", {}, title), ...parts)); };
  section("Forward", "forward", layer ? forward(layer, c, p) : []);
  section("Backward", "backward", backward(i, c, p));
  if (layer && node.slopes) section("Its parameters", "parameters", parameters(layer, c, p));
  mark(i, c, p);
}

// ── the maps ────────────────────────────────────────────────────────────────────────────────────

const mapOf = (i, c) => $(`map-${i}-${c}`) ?? $(`map-${i}`);
const rowsOf = (node) => (node.grid.length === 2 ? node.grid[0] : node.grid.length === 1 ? 1 : Math.ceil(node.shape[0] / 32));
const columnsOf = (node) => (node.grid.length ? node.grid[node.grid.length - 1] : Math.min(32, node.shape[0]));
const colours = () => ["--plus", "--minus"].map((name) => {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((k) => parseInt(text.slice(k, k + 2), 16));
});

function paint(canvas, node, array, c, largest) {
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height), [plus, minus] = colours();
  const list = !node.grid.length, count = list ? node.shape[0] : node.count, picture = node.key === "x" && array === node.values;
  let low = Infinity, high = -Infinity;
  if (picture) for (const x of array) { low = Math.min(low, x); high = Math.max(high, x); }
  for (let p = 0; p < count; p++) {
    const x = list ? array[p] : at(node, array, c, p);
    const grey = picture ? Math.round((255 * (x - low)) / (high - low || 1)) : 0;
    const [r, g, b] = picture ? [grey, grey, grey] : x < 0 ? minus : plus;
    image.data.set([r, g, b, picture ? 255 : Math.round(255 * Math.min(1, Math.abs(x) / (largest || 1)))], 4 * p);
  }
  context.putImageData(image, 0, 0);
}
function mapElement(i, c, array, label, largest, main) {
  const node = DATA.nodes[i], rows = rowsOf(node), columns = columnsOf(node);
  const scale = node.grid.length ? Math.max(2, Math.min(12, Math.floor(112 / Math.max(rows, columns)))) : 12;
  const canvas = el("canvas", { width: columns, height: rows, "aria-hidden": "true", style: `width:${columns * scale}px;height:${rows * scale}px` });
  paint(canvas, node, array, c, largest);
  const box = el("div", { class: "map", id: main ? `map-${i}${node.grid.length ? `-${c}` : ""}` : null, tabindex: main ? "-1" : null, role: main ? "application" : null,
    "aria-label": main ? `${label}: ${rows} × ${columns}; arrow keys move, Page Up and Page Down change the channel` : null }, canvas);
  const choosePosition = (event) => {
    const size = canvas.getBoundingClientRect();
    const row = Math.min(rows - 1, Math.max(0, Math.floor(((event.clientY - size.top) / size.height) * rows)));
    const column = Math.min(columns - 1, Math.max(0, Math.floor(((event.clientX - size.left) / size.width) * columns)));
    const k = row * columns + column;
    if (node.grid.length) choose(i, c, k, true); else if (k < node.shape[0]) choose(i, k, 0, true);
  };
  canvas.addEventListener("click", choosePosition);
  if (main) box.addEventListener("keydown", (event) => { if (moved(event)) event.preventDefault(); });
  return box;
}
function moved(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  const [i, c, p] = chosen, node = DATA.nodes[i], list = !node.grid.length, columns = columnsOf(node);
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (step) {
    const k = list ? c : p, row = Math.floor(k / columns) + step[0], column = (k % columns) + step[1], next = row * columns + column;
    if (row >= 0 && column >= 0 && column < columns && next < (list ? node.shape[0] : node.count)) list ? choose(i, next, 0, true) : choose(i, c, next, true);
    return true;
  }
  const turn = { PageUp: -1, PageDown: 1 }[event.key];
  if (turn && !list) {
    const slot = node.slot.get(c) + turn;
    if (slot >= 0 && slot < node.kept.length) choose(i, node.kept[slot], p, true);
    return true;
  }
  return false;
}
function spot(box, node, p, kind) {
  if (!box) return;
  const rows = rowsOf(node), columns = columnsOf(node), row = Math.floor(p / columns), column = p % columns;
  box.append(el("div", { class: `spot ${kind}`, style: `left:${(100 * column) / columns}%;top:${(100 * row) / rows}%;width:${100 / columns}%;height:${100 / rows}%` }));
}
// Marks the chosen position, and in the maps before it what it was computed from.
function mark(i, c, p) {
  document.querySelectorAll(".spot").forEach((each) => each.remove());
  document.querySelectorAll(".of-chosen").forEach((each) => each.classList.remove("of-chosen"));
  const node = DATA.nodes[i], layer = maker(i), box = mapOf(i, c);
  spot(box, node, node.grid.length ? p : c, "chosen");
  box?.closest("figure")?.classList.add("of-chosen");
  document.querySelectorAll(`#layer-${i} .map[tabindex="0"]`).forEach((each) => each.setAttribute("tabindex", "-1"));
  box?.setAttribute("tabindex", "0");
  if (!layer) return;
  const from = DATA.nodes[layer.from];
  const show = (channel, positions, kind) => { for (const q of positions) if (q >= 0) spot(mapOf(layer.from, channel), from, from.grid.length ? q : channel, kind); };
  if (layer.kind === "conv") {
    const group = from.shape[0] / layer.groups, first = Math.floor(c / (node.shape[0] / layer.groups)) * group;
    for (let j = 0; j < group; j++) show(first + j, covered(layer, p), "patch");
  } else if (layer.kind === "max" || layer.kind === "mean") {
    show(c, covered(layer, p), "patch");
    if (layer.kind === "max" && from.slot.has(c)) show(c, [winner(layer, c, p)], "winner");
  } else if (layer.kind !== "dense" && layer.kind !== "global" && layer.kind !== "text") {
    const [, channel, q] = source(layer, c, p);
    show(channel, [q], "patch");
  }
}
function figure(i, c) {
  const node = DATA.nodes[i], list = !node.grid.length, name = list ? node.channels.length + " units" : node.channels[c];
  const boxes = [mapElement(i, c, node.values, name, node.largest[0], true)];
  if (node.slopes) boxes.push(mapElement(i, c, node.slopes, "", node.largest[1], false));
  return el("figure", {}, el("div", { class: "pair" }, ...boxes), el("figcaption", {}, list ? "" : name));
}
function buttons(i) {
  const node = DATA.nodes[i];
  return node.channels.map((name, c) => {
    const made = link(node, c, 0, `${name}: ${n(node.values[c])}`);
    made.className = "unit";
    return shade(made, node.values[c], node.largest[0]);
  });
}
function build() {
  DATA.nodes.forEach((node, i) => {
    const layer = maker(i), depth = layer ? layer.depth : 0, title = layer ? `${layer.key}  ${layer.text}` : "The picture";
    const maps = !node.grid.length && node.shape[0] <= COARSE ? buttons(i) : node.grid.length ? node.kept.map((c) => figure(i, c)) : [figure(i, 0)];
    const left = node.shape[0] - node.kept.length;
    const shape = `${node.shape.join(" × ")}; ${node.symbol}${node.slopes ? ` and, at its right, ∂L/∂${node.symbol}` : ""}${left ? `; ${left} weaker channels are left out` : ""}`;
    $("layers").append(el("section", { id: `layer-${i}`, class: `depth${Math.min(depth, 3)}`, "aria-label": title }, el("h3", {}, title), el("p", { class: "below" }, layer ? `${layer.explain} ` : "", el("span", {}, shape)), el("div", { class: "maps" }, ...maps)));
    const first = $("layers").lastChild.querySelector('.map[tabindex="-1"]');
    if (first) {
      first.setAttribute("tabindex", "0");
      first.closest("section").addEventListener("focusin", (event) => {
        const own = event.target.closest(".map");
        if (own && (!chosen || chosen[0] !== i)) { const c = node.grid.length ? Number(own.id.split("-")[2]) : 0; choose(i, c, node.grid.length ? Math.min(strongest(node, c), node.count - 1) : 0, false); }
      });
    }
  });
}
function strongest(node, c) {
  let best = 0;
  for (let p = 0; p < node.count; p++) if (Math.abs(value(node, c, p)) > Math.abs(value(node, c, best))) best = p;
  return best;
}
function start() {
  const asked = location.hash ? find(location.hash) : null;
  if (asked) { chosen = asked; show(); mapOf(chosen[0], chosen[1])?.scrollIntoView({ block: "center", behavior: "instant" }); return; }
  if (chosen) return;
  const i = DATA.layers.length ? DATA.layers.find((layer) => layer.kind === "conv")?.to ?? 0 : 0, node = DATA.nodes[i];
  let best = [node.kept[0], 0];
  for (const c of node.kept) { const p = strongest(node, c); if (Math.abs(value(node, c, p)) > Math.abs(value(node, ...best))) best = [c, p]; }
  chosen = [i, ...best];
  show();
}
build();
start();
window.addEventListener("hashchange", () => { expanded = false; start(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());
