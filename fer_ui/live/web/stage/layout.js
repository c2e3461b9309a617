// The elements of the stage and where they are: controls, picture with its tools, answer, timeline, settings.

import { button, make, segments } from "./dom.js";

const SOURCES = { camera: "Camera", screen: "Screen or window", file: "Video file" };
const WAYS = { server: "On the server", browser: "Private: in your browser" };

/** What the controls do.
 * @typedef {{start: () => void, stop: () => void, setSource: (source: string) => void, setWay: (way: string) => void,
 *   takeFile: (file: File) => void, chooseFace: (x: number, y: number) => void, fullScreen: () => void,
 *   predict: () => void, takePhoto: (photo: File) => void}} Actions */

/** @typedef {ReturnType<typeof createLayout>} Layout */

/** Make the elements.
 * @param {Actions} actions @param {import("./choices.js").Choices} choices
 * @param {{answer: HTMLElement, timeline: HTMLElement, extras: HTMLElement, settings: HTMLElement}} parts */
export function createLayout(actions, choices, parts) {
  const video = make("video", { playsinline: "", "aria-label": "Your picture" });
  video.muted = true;
  // The picture has the shape of the video, also after a phone was turned, so that the canvas covers it exactly.
  video.addEventListener("resize", () => {
    if (video.videoWidth) picture.style.setProperty("--ratio", String(video.videoWidth / video.videoHeight));
  });
  const canvas = make("canvas", { "aria-hidden": "true" });
  canvas.addEventListener("click", (event) => actions.chooseFace(event.offsetX, event.offsetY));
  const start = button("Start", actions.start, { class: "primary start" });
  const message = make("div", { class: "message", role: "status" });
  // Where a page may not use the camera, a phone's own camera app may still take a photo for it.
  const photoInput = make("input", { type: "file", accept: "image/*", capture: "user", hidden: "" });
  photoInput.addEventListener("change", () => photoInput.files?.[0] && actions.takePhoto(photoInput.files[0]));
  const photo = button("Take or choose a photo", () => photoInput.click(), { hidden: "" });
  const cover = make("div", { class: "cover" }, message, start, photo, photoInput);
  const loading = make("progress", { hidden: "", "aria-label": "Loading the model" });
  const picture = make("div", { class: "picture" }, video, canvas, cover, loading);
  const prompt = make("p", { class: "prompt", role: "status", hidden: "" });
  picture.append(prompt);
  const notice = make("p", { class: "notice", role: "status", hidden: "" });

  const fileInput = make("input", { type: "file", accept: "video/*", hidden: "" });
  fileInput.addEventListener("change", () => {
    const [file] = fileInput.files ?? [];
    if (file) actions.takeFile(file);
    fileInput.value = "";
  });
  const sources = segments("Source", SOURCES, choices.source, actions.setSource);
  const ways = segments("Where it runs", WAYS, choices.way, actions.setWay);
  const stop = button("Stop", actions.stop);
  const fullScreen = button("Full screen", actions.fullScreen);
  const predict = button("Open in Predict", actions.predict);
  const speed = make("p", { class: "speed" });
  const tools = make("div", { class: "tools" }, stop, fullScreen, predict, speed);

  const controls = make("div", { class: "controls" }, sources.element, ways.element, fileInput);
  const view = make("div", { class: "view" }, make("div", { class: "left" }, picture, notice, tools), parts.answer);
  const root = make("div", { class: "stage" }, controls, view, parts.timeline, parts.extras, parts.settings);
  /** Show a message in place of the picture, and an offer to take a photo where there is no camera for the page.
   * @param {string} title @param {string} text @param {boolean} [offersPhoto] */
  const showMessage = (title, text, offersPhoto = false) => {
    photo.hidden = !offersPhoto;
    const lines = [title && make("strong", {}, title), text && make("p", {}, text)].filter(Boolean);
    message.replaceChildren(.../** @type {HTMLElement[]} */ (lines));
  };
  return { root, showMessage, video, canvas, start, cover, loading, picture, prompt, notice, fileInput, ways, speed };
}
