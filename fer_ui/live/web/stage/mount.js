// Streamlit's entry: makes the stage once for each element of the page, and gives it new data.

import { Stage } from "./stage.js";

/** @type {WeakMap<HTMLElement, Stage>} */
const stages = new WeakMap();

/** @param {import("./types.js").Component} component @returns {() => void} ends it */
export function mount(component) {
  const { parentElement, data } = component;
  const stage = stages.get(parentElement);
  if (stage && !stage.unmounted) stage.update(data);
  else stages.set(parentElement, new Stage(component));
  return () => stages.get(parentElement)?.unmount();
}
