// The choices that are rarely changed, folded away below the picture.

import { TITLES } from "./choices.js";
import { checkbox, make, select } from "./dom.js";
import { listCameras } from "./sources.js";

const FACING = { user: "Front camera", environment: "Rear camera" };

export class SettingsPanel {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.fields = make("div", { class: "fields" });
    this.element = make("details", { class: "settings" }, make("summary", {}, "Settings"), this.fields);
    this.camera = select("Camera", FACING, "user", (value) => this.#setCamera(value));
    this.show();
  }

  show() {
    const { choices, data } = this.stage;
    const models = select("Model", data.models, data.model_id, (id) => this.#setModel(id));
    const resolution = this.#select("Resolution", "resolution", true);
    const point = this.#select("Operating point", "point");
    const smoothing = this.#select("Smoothing", "smoothing");
    const faces = select("Faces at most", TITLES.facesMax, String(choices.facesMax), (value) =>
      this.stage.choose({ facesMax: Number(value) }),
    );
    const transport = this.#select("Frames to the server as", "transport", true);
    const mirror = checkbox("Mirror my picture", choices.mirror, (value) => this.stage.choose({ mirror: value }));
    const boxes = checkbox("Boxes and labels", choices.boxes, (value) => this.stage.choose({ boxes: value }));
    this.fields.replaceChildren(
      ...[this.camera, resolution, models, point, smoothing, faces, transport].map(({ element }) => element),
      make("div", { class: "checks" }, mirror, boxes),
    );
  }

  /** List the cameras of this device, which have names once the browser may use one. */
  async showCameras() {
    const cameras = await listCameras();
    const titles = { ...FACING, ...Object.fromEntries(cameras.map(({ id, name }) => [id, name])) };
    const { choices } = this.stage;
    const chosen = choices.cameraId in titles ? choices.cameraId : choices.facing;
    const options = Object.entries(titles).map(([value, title]) => make("option", { value }, title));
    this.camera.select.replaceChildren(...options);
    this.camera.select.value = chosen;
  }

  /** @param {string} id */
  #setModel(id) {
    this.stage.choose({ model: id, insteadOf: this.stage.data.active_id });
    this.stage.setStateValue("model", id);
  }

  /** @param {string} value */
  #setCamera(value) {
    this.stage.choose(value in FACING ? { facing: value, cameraId: "" } : { cameraId: value }, true);
  }

  /** @param {string} title @param {"resolution" | "point" | "smoothing" | "transport"} name @param {boolean} [restarts] */
  #select(title, name, restarts = false) {
    return select(title, TITLES[name], this.stage.choices[name], (value) => this.stage.choose({ [name]: value }, restarts));
  }
}
