// What bar and line charts share: colors by their name in the data, symbols, the legend, and the horizontal axis.

const TOP_PX = 6, TICKS_PX = 24, AXIS_TITLE_PX = 22, LEGEND_PX = 24, SWATCH_PX = { line: 30, other: 14 };
const DASHES = { solid: "none", dash: "7 4", dot: "2 3", dashdot: "8 3 2 3", longdash: "13 4", longdashdot: "13 3 2 3" };

function createPaint(colors) {
  const patterns = element("defs", {});
  const known = new Map();
  const named = { text: colors.text, page: colors.page, muted: colors.muted };
  const listed = (name) => /^(series|scale)(\d+)$/.exec(name);
  const color = (name) => named[name] ?? (listed(name) ? colors[listed(name)[1]][Number(listed(name)[2])] : name);
  function fill(name, pattern) {
    if (!pattern) return color(name);
    const id = `hatch-${pattern.charCodeAt(0)}-${color(name).replace(/[^\w]/g, "")}`;
    if (!known.has(id)) patterns.append(known.set(id, hatch(id, pattern, color(name))).get(id));
    return `url(#${id})`;
  }
  return { patterns, color, fill, grid: mix(colors.text, colors.page, 0.86) };
}

function hatch(id, shape, color) {
  const tile = element("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" });
  const lines = {
    "/": "M-1 1L1 -1M0 6L6 0M5 7L7 5", "x": "M0 6L6 0M0 0L6 6", "-": "M0 3H6", "|": "M3 0V6", ".": "M2 3H4.4",
  }[shape];
  tile.append(element("path", { d: lines, stroke: color, "stroke-width": shape === "." ? 2.4 : 2, fill: "none" }));
  return tile;
}

// `size` is half the width, in pixels.
function drawSymbol(symbol, x, y, size, color) {
  const name = symbol.replace("-open", ""), open = name !== symbol || name === "x";
  const path = {
    circle: `M${x - size} ${y}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0Z`,
    square: `M${x - size} ${y - size}h${2 * size}v${2 * size}h${-2 * size}Z`,
    diamond: `M${x} ${y - size - 1}l${size + 1} ${size + 1}l${-size - 1} ${size + 1}l${-size - 1} ${-size - 1}Z`,
    "triangle-up": `M${x} ${y - size}l${size} ${2 * size}h${-2 * size}Z`,
    x: `M${x - size} ${y - size}l${2 * size} ${2 * size}M${x + size} ${y - size}l${-2 * size} ${2 * size}`,
    star: star(x, y, size + 1),
  }[name];
  return element("path", { class: "shape", d: path, fill: open ? "transparent" : color, stroke: color, "stroke-width": open ? 2 : 1 });
}

function star(x, y, size) {
  const corner = (index) => {
    const [angle, radius] = [(index / 5 - 0.5) * Math.PI, index % 2 ? size / 2.4 : size];
    return `${(x + radius * Math.cos(angle)).toFixed(2)} ${(y + radius * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${Array.from({ length: 10 }, (_, index) => corner(index)).join("L")}Z`;
}

// Entries side by side, on as many lines as they need below `top`; `bottom` is where the last one ends.
function placeLegend(entries, left, width, top) {
  const places = [];
  let x = left, y = top + 8;
  for (const entry of entries) {
    const swatch = entry.dash ? SWATCH_PX.line : entry.color ? SWATCH_PX.other : 0;
    const length = (swatch ? swatch + 7 : 0) + entry.name.length * CHARACTER_PX + 20;
    if (x + length > width && x > left) [x, y] = [left, y + LEGEND_PX];
    places.push({ entry, x, y, swatch });
    x += length;
  }
  return { places, bottom: entries.length ? y + 18 : top };
}

function drawLegend({ places }, paint) {
  return places.flatMap(({ entry, x, y, swatch }) => [
    ...(swatch ? drawSwatch(entry, x, y, swatch, paint) : []),
    text(entry.name, x + (swatch ? swatch + 7 : 0), y + 11.5, { fill: paint.color("text"), "font-size": 13 }),
  ]);
}

function drawSwatch(entry, x, y, width, paint) {
  const color = paint.color(entry.color);
  const symbol = entry.symbol ? [drawSymbol(entry.symbol, x + width / 2, y + 7, entry.dash ? 4 : 5.5, color)] : [];
  if (entry.dash) {
    const line = { x1: x, x2: x + width, y1: y + 7, y2: y + 7, stroke: color, "stroke-width": entry.width };
    return [element("line", { ...line, "stroke-dasharray": DASHES[entry.dash] }), ...symbol];
  }
  if (entry.symbol) return symbol;
  return [element("rect", {
    x, y, width, height: 14, fill: paint.fill(entry.color, entry.pattern), stroke: color, "stroke-width": 1,
    "fill-opacity": entry.opacity ?? 1,
  })];
}

function drawColumnTick(tick, x, bottom, paint) {
  return [
    element("line", { x1: x, x2: x, y1: TOP_PX, y2: bottom, stroke: paint.grid, "stroke-width": 1 }),
    text(tick.text, x, bottom + 17, { "text-anchor": "middle", fill: paint.color("text"), "font-size": 12 }),
  ];
}

function drawAxisTitle(words, middle, y, paint) {
  return words ? [text(words, middle, y, { "text-anchor": "middle", fill: paint.color("text"), "font-size": 13 })] : [];
}
