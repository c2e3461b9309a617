// Elements of the page.

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Make an element. @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, string>} [attributes] @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]} */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A button. @param {string} text @param {() => void} onClick @param {Record<string, string>} [attributes] */
export function button(text, onClick, attributes = {}) {
  const element = make("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", onClick);
  return element;
}

/** A row of buttons of which one is pressed.
 * @param {string} name @param {Record<string, string>} titles @param {string} chosen
 * @param {(value: string) => void} onChoice */
export function segments(name, titles, chosen, onChoice) {
  const group = make("div", { class: "segments", role: "radiogroup", "aria-label": name });
  const show = (/** @type {string} */ value) => {
    for (const each of /** @type {Iterable<HTMLElement>} */ (group.children)) {
      const isChosen = each.getAttribute("value") === value;
      each.setAttribute("aria-checked", String(isChosen));
      each.tabIndex = isChosen ? 0 : -1; // one Tab stop; arrows choose
    }
  };
  group.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const buttons = /** @type {HTMLButtonElement[]} */ ([...group.children]);
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.composedPath()[0]));
    if (!step || at < 0) return;
    event.preventDefault();
    const next = buttons[(at + step + buttons.length) % buttons.length];
    next.focus();
    next.click();
  });
  for (const [value, title] of Object.entries(titles)) {
    const choose = () => {
      show(value);
      onChoice(value);
    };
    group.append(button(title, choose, { role: "radio", value }));
  }
  show(chosen);
  return { element: group, show };
}

/** A select box with its label.
 * @param {string} name @param {Record<string, string>} titles @param {string} chosen
 * @param {(value: string) => void} onChoice */
export function select(name, titles, chosen, onChoice) {
  const options = Object.entries(titles).map(([value, title]) => make("option", { value }, title));
  const element = make("select", { "aria-label": name }, ...options);
  element.value = chosen;
  element.addEventListener("change", () => onChoice(element.value));
  return { element: make("label", { class: "field" }, make("span", {}, name), element), select: element };
}

/** A check box with its label. @param {string} name @param {boolean} chosen @param {(value: boolean) => void} onChoice */
export function checkbox(name, chosen, onChoice) {
  const element = make("input", { type: "checkbox" });
  element.checked = chosen;
  element.addEventListener("change", () => onChoice(element.checked));
  return make("label", { class: "check" }, element, make("span", {}, name));
}
