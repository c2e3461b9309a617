// What the charts of this folder share: SVG elements, the page's colors, and the hint of the part below the pointer.

const SVG = "http://www.w3.org/2000/svg";
const CHARACTER_PX = 6.7; // of the labels' font, on average

function mix(first, second, part) {
  const [from, to] = [first, second].map((color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)));
  return `rgb(${from.map((value, index) => Math.round(value + (to[index] - value) * part)).join(", ")})`;
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function text(words, x, y, attributes) {
  const made = element("text", { x, y, ...attributes });
  made.textContent = words;
  return made;
}

function sizePicture(picture, width, height, title) {
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("width", width);
  picture.setAttribute("height", height);
  picture.setAttribute("aria-label", title);
  picture.style.fontFamily = getComputedStyle(picture.parentElement).fontFamily; // also in a download
}

function readColors(root) {
  const style = getComputedStyle(root);
  const variable = (name) => style.getPropertyValue(name).trim();
  const list = (name) => variable(name).split(",").map((color) => color.trim());
  return {
    text: variable("--st-text-color"),
    page: variable("--st-background-color"),
    muted: mix(variable("--st-text-color"), variable("--st-background-color"), 0.28),
    scale: list("--st-chart-sequential-colors"),
    series: list("--st-chart-categorical-colors"),
  };
}

// Draws a component's data now and whenever its width changes; the focus stays within the picture. `create` gets the parts
// of the page, and returns draw(data, width, hadFocus).
function show(parentElement, data, create) {
  const root = parentElement.querySelector(".ferscope-drawing");
  const picture = root.querySelector("svg");
  if (!root.draw) {
    const draw = create({ root, picture, hint: createHint(root) });
    root.draw = () => {
      root.drawnWidth = root.clientWidth;
      if (root.drawnWidth) draw(root.data, root.drawnWidth, picture.contains(document.activeElement));
    };
    new ResizeObserver(() => { if (root.clientWidth !== root.drawnWidth) root.draw(); }).observe(root);
  }
  root.data = data;
  root.draw();
  return root;
}

function listenForHint(part, hint, words, place = () => part) {
  part.onpointerenter = () => hint.show(part, words);
  part.onpointerleave = hint.hide;
  part.onblur = hint.hide;
  part.addEventListener("focus", () => hint.show(place(), words));
}

function createHint(root) {
  const box = root.querySelector(".hint");
  return { show, hide: () => { box.hidden = true; } };

  function show(part, words) {
    box.textContent = words;
    box.hidden = false;
    const place = part.getBoundingClientRect(), frame = root.getBoundingClientRect();
    const left = place.left - frame.left + place.width / 2 - box.offsetWidth / 2;
    box.style.left = `${Math.max(0, Math.min(left, frame.width - box.offsetWidth))}px`;
    box.style.top = `${place.bottom - frame.top + 6}px`;
  }
}
