// Horizontal bars, a row for each class. The bars are one stop of the Tab key: the arrow keys move from one to the next,
// and where bars can be chosen, a click or Enter chooses one. Positions along the axis are 0..1, rows are counted from 0.

const ROW_NAMES_SHARE_MAX = 0.4, PLOT_SHARE_MIN = 0.5, LABEL_GAP_PX = 7;
const DETAIL_SIZE = 0.86; // of the second line of a row's name, against the first

export default function ({ parentElement, data, setTriggerValue }) {
  show(parentElement, data, createChart).choose = (bar) => setTriggerValue("bar", bar);
}

function createChart({ root, picture, hint }) {
  let data, parts = [], focused = 0, width;

  function draw(...now) {
    let hadFocus;
    [data, width, hadFocus] = now;
    const colors = readColors(root);
    const place = measure(width, data);
    const paint = createPaint(colors);
    parts = data.bars.map((bar, index) => drawBar(bar, index, place, paint));
    sizePicture(picture, width, place.height, data.title);
    const shapes = [
      ...data.ticks.flatMap((tick) => drawColumnTick(tick, place.x(tick.at), TOP_PX + place.rows, paint)),
      ...data.rows.map((row, index) => drawRowName(row, index, place, paint)),
      ...parts,
      ...data.whiskers.map((whisker) => drawWhisker(whisker, place, paint)),
      ...data.points.map((point) => drawPoint(point, place, paint)),
      ...data.texts.map((each) => drawText(each, place, paint)),
      ...data.rules.flatMap((rule) => drawRule(rule, place, paint)),
      ...drawAxisTitle(data.axis_title, place.left + place.plot / 2, place.titleY, paint),
      ...drawLegend(place.legend, paint),
    ];
    picture.replaceChildren(paint.patterns, ...shapes);
    setFocused(Math.min(focused, parts.length - 1), hadFocus);
  }

  function drawBar(bar, index, place, paint) {
    const [top, thickness] = [place.y(bar.row - bar.thickness / 2), bar.thickness * place.row];
    const group = element("g", { role: data.clickable ? "button" : "img", class: "part", "aria-label": bar.hint });
    group.classList.toggle("can-be-chosen", data.clickable);
    const start = place.x(bar.hit[0]), end = bar.hit[1] < 0.999 ? place.x(bar.hit[1]) : width;
    const area = { x: start, y: top, width: Math.max(0, end - start), height: thickness };
    group.append(element("rect", { ...area, fill: "transparent", "pointer-events": "all" }));
    if (bar.fill) group.append(element("rect", {
      class: "shape", x: place.x(bar.from), y: top + 0.5, width: Math.max(0.5, place.length(bar.to - bar.from)),
      height: Math.max(1, thickness - 1), fill: paint.fill(bar.fill, bar.pattern), "fill-opacity": bar.opacity,
      stroke: paint.color(bar.line ?? "none"), "stroke-width": bar.line ? 1 : 0,
    }));
    listen(group, bar, index);
    return group;
  }

  function listen(group, bar, index) {
    group.onfocus = () => setFocused(index);
    listenForHint(group, hint, bar.hint, () => group.querySelector(".shape") ?? group);
    if (data.clickable) group.onclick = () => root.choose(bar.value);
  }

  function drawText(each, place, paint) {
    const [anchor, gap] = { left: ["end", 0], middle: ["middle", 0], right: ["start", LABEL_GAP_PX] }[each.side];
    return text(each.text, place.x(each.at) + gap, place.y(each.row) + 4, {
      "text-anchor": anchor, fill: paint.color(each.color), "font-size": each.size,
      "font-weight": each.bold ? 700 : 400, "pointer-events": "none",
    });
  }

  function drawPoint(point, place, paint) {
    const group = element("g", { role: "img", class: "part", "aria-label": point.hint ?? "" });
    group.append(drawSymbol(point.symbol, place.x(point.at), place.y(point.row), 5.5, paint.color(point.color)));
    if (point.hint) listenForHint(group, hint, point.hint);
    return group;
  }

  function setFocused(index, takesFocus = false) {
    focused = Math.max(0, index);
    parts.forEach((part, at) => part.setAttribute("tabindex", at === focused ? "0" : "-1"));
    if (takesFocus) parts[focused]?.focus();
  }

  picture.addEventListener("keydown", (event) => {
    const last = parts.length - 1;
    const next = {
      ArrowUp: focused - 1, ArrowLeft: focused - 1, ArrowDown: focused + 1, ArrowRight: focused + 1, Home: 0, End: last,
    }[event.key];
    if (next !== undefined) setFocused(Math.min(last, Math.max(0, next)), true);
    else if ((event.key === "Enter" || event.key === " ") && data.clickable) root.choose(data.bars[focused].value);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return draw;
}

function measure(width, data) {
  const longest = Math.max(0, ...data.rows.map((row) => Math.max(row.name.length, row.detail.length * DETAIL_SIZE)));
  const left = Math.min(longest * CHARACTER_PX + 16, width * ROW_NAMES_SHARE_MAX);
  const plot = measurePlot(width - left - 10, data);
  const below = (data.ticks.length || data.rules.length ? TICKS_PX : 6) + (data.axis_title ? AXIS_TITLE_PX : 0);
  const rows = data.height - TOP_PX - below - (data.legend.length ? LEGEND_PX : 0);
  const row = rows / Math.max(1, data.rows.length);
  const legend = placeLegend(data.legend, left, width, TOP_PX + rows + below);
  return {
    left, plot, rows, row, legend,
    titleY: TOP_PX + rows + (data.ticks.length ? TICKS_PX : 6) + 13,
    characters: (left - 10) / CHARACTER_PX,
    height: Math.ceil(legend.bottom),
    x: (at) => left + at * plot,
    y: (at) => TOP_PX + (at + 0.5) * row,
    length: (share) => Math.max(0, share * plot),
  };
}

// The plot becomes shorter than `room` where the texts behind the bars' ends or the last tick's need it.
function measurePlot(room, { texts, ticks }) {
  const length = (words, size) => words.length * CHARACTER_PX * (size / 13);
  const ends = [
    ...texts.filter((each) => each.side === "right").map((each) => [each.at, LABEL_GAP_PX + length(each.text, each.size)]),
    ...ticks.map((tick) => [tick.at, length(tick.text, 12) / 2]),
  ];
  const fits = ends.filter(([at]) => at > 0).map(([at, behind]) => (room + 8 - behind) / at);
  return Math.max(room * PLOT_SHARE_MIN, Math.min(room, ...fits));
}

function drawRowName(row, index, place, paint) {
  const [x, y] = [place.left - 9, place.y(index)];
  const cut = (words, room) => (words.length > room ? `${words.slice(0, Math.floor(room) - 1).trimEnd()}…` : words);
  const group = element("g", {});
  group.append(text(cut(row.name, place.characters), x, y + (row.detail ? -2 : 4.5), {
    "text-anchor": "end", fill: paint.color("text"), "font-size": 13, "font-weight": row.bold ? 700 : 400,
  }));
  if (row.detail) group.append(text(cut(row.detail, Math.floor(place.characters / DETAIL_SIZE)), x, y + 13, {
    "text-anchor": "end", fill: paint.color("muted"), "font-size": 11,
  }));
  return group;
}

function drawWhisker(whisker, place, paint) {
  const [low, high, y] = [place.x(whisker.low), place.x(whisker.high), place.y(whisker.row)];
  return element("path", {
    d: `M${low} ${y - 4}v8M${low} ${y}H${high}M${high} ${y - 4}v8`, stroke: paint.color(whisker.color),
    "stroke-width": 1.4, fill: "none", "pointer-events": "none",
  });
}

function drawRule(rule, place, paint) {
  const x = place.x(rule.at), bottom = TOP_PX + place.rows;
  return [
    element("line", { x1: x, x2: x, y1: TOP_PX, y2: bottom, stroke: paint.color(rule.color), "stroke-dasharray": "2 3" }),
    text(rule.text, x, bottom + 14, { "text-anchor": "middle", fill: paint.color("text"), "font-size": 11 }),
  ];
}
