// The confusion matrix: an SVG table of counts that is one stop of the Tab key; arrow keys move from cell to cell. Colors
// are written into the picture, so that it can be downloaded as it is.

const CELL_PX = 42, GAP_PX = 2, TOP_PX = 22, NARROW_PX = 480;
const DIFFERENCE_SCALE = 5; // a difference of a fifth of the row has the full color
const MORE = 0, FEWER = 3; // among the colors of series

export default function ({ parentElement, data, setTriggerValue }) {
  show(parentElement, data, createMatrix).choose = (cell) => setTriggerValue("cell", cell.id);
}

function createMatrix({ root, picture, hint }) {
  let data, cells = [], focused = [0, 0], width;

  function draw(...now) {
    let hadFocus;
    [data, width, hadFocus] = now;
    const layout = measure(width, data.columns);
    const colors = readColors(root);
    const height = layout.heightFor(data.rows.length);
    sizePicture(picture, width, height, data.title);
    const [rowsTitle, columnsTitle] = data.axes ?? ["label", "predicted"];
    cells = data.cells.map(() => []);
    picture.replaceChildren(
      text(rowsTitle, layout.left - 12, TOP_PX - 8, { "text-anchor": "end", fill: colors.text, "font-size": 13 }),
      ...data.rows.map((row, index) => drawRow(row, index, layout, colors)),
      ...data.columns.map((name, index) => drawColumnName(name, index, layout, colors)),
      text(columnsTitle, layout.left + (width - layout.left) / 2, height - 6,
        { "text-anchor": "middle", fill: colors.text, "font-size": 13 }),
    );
    setFocused(focused, hadFocus);
  }

  function drawRow(row, index, layout, colors) {
    const y = TOP_PX + index * CELL_PX;
    const name = element("g", { role: "rowheader" });
    name.append(
      text(row.name, layout.left - 12, y + 18, { "text-anchor": "end", fill: colors.text, "font-size": 13 }),
      text(row.support, layout.left - 12, y + 33, { "text-anchor": "end", fill: colors.muted, "font-size": 11 }),
    );
    const group = element("g", { role: "row" });
    group.append(name);
    const shown = data.cells[index];
    if (shown === null) {
      const middle = layout.left + (width - layout.left) / 2;
      group.append(text("no images", middle, y + 25, { "text-anchor": "middle", fill: colors.muted, "font-size": 12 }));
    } else {
      group.append(...shown.map((cell, column) => drawCell(cell, index, column, layout, colors)));
    }
    return group;
  }

  function drawCell(cell, row, column, layout, colors) {
    const x = layout.left + column * layout.cell, y = TOP_PX + row * CELL_PX;
    const group = element("g", { role: "gridcell", class: "part", tabindex: -1, "aria-label": cell.hint });
    const chosen = data.chosen?.every((name, place) => name === cell.id?.[place]);
    group.classList.toggle("can-be-chosen", data.clickable);
    group.setAttribute("aria-selected", Boolean(chosen));
    group.append(
      element("rect", {
        class: chosen ? "shape chosen" : "shape", x: x + GAP_PX / 2, y: y + GAP_PX / 2, width: layout.cell - GAP_PX,
        height: CELL_PX - GAP_PX, rx: 3, fill: colorOf(cell, colors),
      }),
      text(cell.text, x + layout.cell / 2, y + CELL_PX / 2 + 4.5, {
        "text-anchor": "middle", "font-size": layout.cell < 36 ? 11 : 12.5, "font-weight": cell.bold ? 700 : 400,
        fill: cell.share < 0.5 || "sign" in cell ? colors.text : colors.page, "fill-opacity": cell.faint ? 0.55 : 1,
      }),
    );
    group.onfocus = () => setFocused([row, column]);
    if (data.clickable) group.onclick = () => root.choose(cell);
    listenForHint(group, hint, cell.hint);
    cells[row][column] = group;
    return group;
  }

  function drawColumnName(name, index, layout, colors) {
    const x = layout.left + (index + 0.5) * layout.cell, y = TOP_PX + data.rows.length * CELL_PX;
    if (!layout.turned)
      return text(name, x, y + 19, { "text-anchor": "middle", fill: colors.text, "font-size": 13 });
    return text(name, x + 4, y + 12, {
      "text-anchor": "end", fill: colors.text, "font-size": 13, transform: `rotate(${layout.turned} ${x + 4} ${y + 12})`,
    });
  }

  function setFocused([row, column], takesFocus = false) {
    if (!cells[row]?.[column]) [row, column] = firstCell();
    focused = [row, column];
    for (const each of cells.flat()) each.setAttribute("tabindex", "-1");
    cells[row]?.[column]?.setAttribute("tabindex", "0");
    if (takesFocus) cells[row]?.[column]?.focus();
  }

  function firstCell() {
    const row = cells.findIndex((each) => each.length);
    return [Math.max(0, row), 0];
  }

  picture.addEventListener("keydown", (event) => {
    const [row, column] = focused;
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (step) {
      let next = row + step[0];
      while (cells[next] && !cells[next].length) next += step[0]; // a row without images
      if (cells[next]?.[column + step[1]]) setFocused([next, column + step[1]], true);
    } else if ((event.key === "Enter" || event.key === " ") && data.clickable && data.cells[row]?.[column]) {
      root.choose(data.cells[row][column]);
    } else if (event.key === "Escape") {
      hint.hide();
      return;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  return draw;
}

function measure(width, columns) {
  const left = width < NARROW_PX ? 92 : 124;
  const cell = (width - left) / Math.max(1, columns.length);
  const longest = Math.max(0, ...columns.map((name) => name.length)) * CHARACTER_PX;
  const turned = longest + 6 <= cell ? 0 : cell >= 36 ? -45 : -90;
  const names = turned === 0 ? 30 : turned === -45 ? longest * 0.71 + 20 : longest + 18;
  return { left, cell, turned, heightFor: (rows) => Math.ceil(TOP_PX + rows * CELL_PX + names + 20) };
}

// Differences have the color of their sign: more images than the other model, or fewer.
function colorOf(cell, colors) {
  if (!("sign" in cell)) return colorAt(colors.scale, cell.share);
  const full = Math.min(1, cell.share * DIFFERENCE_SCALE);
  return mix(colors.page, cell.sign > 0 ? colors.series[MORE] : colors.series[FEWER], 0.06 + 0.6 * full);
}

// The scale jumps at a half from colors on which the page's text is readable to colors on which its background is.
function colorAt(scale, share) {
  const half = scale.length / 2;
  const colors = share < 0.5 ? scale.slice(0, half) : scale.slice(half);
  const place = Math.min(1, Math.max(0, (share < 0.5 ? share : share - 0.5) * 2)) * (half - 1);
  const below = Math.floor(place);
  return mix(colors[below], colors[Math.min(half - 1, below + 1)], place - below);
}
