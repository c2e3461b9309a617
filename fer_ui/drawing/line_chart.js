// Lines over a numeric axis. The chart is one stop of the Tab key: left and right go along a line, up and down to the next
// line; the pointer reads the nearest point. Positions are 0..1, from the left and from the bottom.

const POINTER_PX = 32, MARGIN_RIGHT_PX = 14;

export default function ({ parentElement, data }) {
  show(parentElement, data, createLines);
}

function createLines({ root, picture, hint }) {
  let data, place, focused = [0, 0];
  const ring = element("circle", { class: "part ring", r: 7, "stroke-width": 2, role: "img", fill: "none", "pointer-events": "none" });

  function draw(...now) {
    let width, hadFocus;
    [data, width, hadFocus] = now;
    place = measure(width, data);
    const paint = createPaint(readColors(root));
    sizePicture(picture, width, place.height, data.title);
    ring.setAttribute("stroke", paint.color("text"));
    picture.replaceChildren(
      ...data.bands.map((band) => drawBand(band, place, paint)),
      ...data.x_ticks.flatMap((tick) => drawColumnTick(tick, place.x(tick.at), place.bottom, paint)),
      ...data.y_ticks.flatMap((tick) => drawRowTick(tick, place, paint)),
      ...data.rules.map((rule) => drawRule(rule, place, paint)),
      ...data.lines.flatMap((line) => drawLine(line, place, paint)),
      ...data.notes.map((note) => drawNote(note, place, paint)),
      ...drawAxisTitle(data.x_title, (place.left + place.right) / 2, place.bottom + TICKS_PX + 13, paint),
      ...drawRowTitle(data.y_title, place, paint),
      ...drawLegend(place.legend, paint),
      ring,
    );
    const [line, point] = focused;
    if (point in (hinted()[line]?.points ?? [])) setFocused(line, point, hadFocus);
    else setFocused(0, 0, hadFocus);
    if (!hadFocus) ring.setAttribute("opacity", 0);
  }

  const hinted = () => data.lines.filter((line) => line.points.some((point) => point.hint));

  function setFocused(line, index, takesFocus) {
    const point = hinted()[line]?.points[index];
    ring.setAttribute("tabindex", point ? "0" : "-1");
    if (!point) return;
    focused = [line, index];
    moveRing(point);
    if (takesFocus) { ring.focus(); read(point); }
  }

  function moveRing(point) {
    ring.setAttribute("cx", place.x(point.x));
    ring.setAttribute("cy", place.y(point.y));
    ring.setAttribute("aria-label", point.hint);
    ring.setAttribute("opacity", 1);
  }

  function read(point) {
    moveRing(point);
    hint.show(ring, point.hint);
  }

  function rest() {
    hint.hide();
    if (document.activeElement !== ring) ring.setAttribute("opacity", 0);
  }

  picture.addEventListener("pointermove", ({ clientX, clientY }) => {
    const frame = picture.getBoundingClientRect();
    let best, nearest = POINTER_PX;
    for (const line of hinted()) for (const point of line.points) {
      const away = Math.hypot(place.x(point.x) - (clientX - frame.left), place.y(point.y) - (clientY - frame.top));
      if (away < nearest) [best, nearest] = [point, away];
    }
    best ? read(best) : rest();
  });
  picture.addEventListener("pointerleave", rest);
  ring.addEventListener("focus", () => setFocused(...focused, true));
  ring.addEventListener("blur", rest);

  picture.addEventListener("keydown", (event) => {
    const lines = hinted(), [line, index] = focused;
    const last = lines[line]?.points.length - 1;
    const [nextLine, nextIndex] = {
      ArrowLeft: [line, index - 1], ArrowRight: [line, index + 1], Home: [line, 0], End: [line, last],
      ArrowUp: [line - 1, index], ArrowDown: [line + 1, index],
    }[event.key] ?? [];
    if (nextLine === undefined) return;
    const points = lines[nextLine]?.points ?? [];
    if (points.length) setFocused(nextLine, Math.min(points.length - 1, Math.max(0, nextIndex)), true);
    event.preventDefault();
    event.stopPropagation();
  });

  return draw;
}

function measure(width, data) {
  const longest = Math.max(0, ...data.y_ticks.map((tick) => tick.text.length));
  const left = longest * CHARACTER_PX + 14 + (data.y_title ? AXIS_TITLE_PX : 0), right = width - MARGIN_RIGHT_PX;
  const below = TICKS_PX + (data.x_title ? AXIS_TITLE_PX : 0);
  const bottom = data.height - below - (data.legend.length ? LEGEND_PX : 0);
  const legend = placeLegend(data.legend, left, width, bottom + below);
  return {
    left, right, bottom, legend,
    height: Math.ceil(legend.bottom),
    x: (at) => left + at * (right - left),
    y: (at) => bottom - at * (bottom - TOP_PX),
  };
}

function drawLine(line, place, paint) {
  const color = paint.color(line.color), shapes = [];
  if (line.width) {
    const steps = line.points.map((point) => `${point.starts ? "M" : "L"}${place.x(point.x).toFixed(1)} ${place.y(point.y).toFixed(1)}`);
    shapes.push(element("path", {
      d: steps.join(""), fill: "none", stroke: color, "stroke-width": line.width, "stroke-opacity": line.opacity,
      "stroke-dasharray": DASHES[line.dash], "stroke-linejoin": "round", "pointer-events": "none",
    }));
  }
  for (const { x, y, low, high, size } of line.points) {
    if (high > low) shapes.push(drawRange(place.x(x), place.y(low), place.y(high), color));
    if (line.symbol) shapes.push(drawSymbol(line.symbol, place.x(x), place.y(y), size / 2, color));
  }
  return shapes;
}

function drawRange(x, low, high, color) {
  const d = `M${x - 3} ${low}h6M${x} ${low}V${high}M${x - 3} ${high}h6`;
  return element("path", { d, stroke: color, "stroke-width": 1.4, fill: "none", "pointer-events": "none" });
}

function drawBand(band, place, paint) {
  const [x, end] = [place.x(band.from), place.x(band.to)];
  return element("rect", {
    x, y: TOP_PX, width: end - x, height: place.bottom - TOP_PX, fill: paint.color(band.color), "fill-opacity": band.opacity,
  });
}

function drawRowTick(tick, place, paint) {
  const y = place.y(tick.at);
  return [
    element("line", { x1: place.left, x2: place.right, y1: y, y2: y, stroke: paint.grid, "stroke-width": 1 }),
    text(tick.text, place.left - 8, y + 4, { "text-anchor": "end", fill: paint.color("text"), "font-size": 12 }),
  ];
}

function drawRowTitle(words, place, paint) {
  const middle = (TOP_PX + place.bottom) / 2;
  const look = { "text-anchor": "middle", fill: paint.color("text"), "font-size": 13, transform: `rotate(-90 12 ${middle})` };
  return words ? [text(words, 12, middle, look)] : [];
}

function drawRule(rule, place, paint) {
  const x = place.x(rule.at), look = { stroke: paint.color(rule.color), "stroke-dasharray": "2 3" };
  return element("line", { x1: x, x2: x, y1: TOP_PX, y2: place.bottom, ...look });
}

function drawNote(note, place, paint) {
  const shift = { top: note.size + 1, middle: note.size * 0.36, bottom: -4 }[note.vertical];
  return text(note.text, place.x(note.x) + note.dx, place.y(note.y) + shift - note.dy, {
    "text-anchor": note.anchor, fill: paint.color("text"), "font-size": note.size, "pointer-events": "none",
  });
}
