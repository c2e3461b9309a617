// The networks of Live on onnxruntime-web: the face detector and the classifier, as WebAssembly on this machine.

import { readMouthNetwork } from "./mouth_occlusion.js";
import { createDetector } from "./yunet.js";

/** What the server gives to run a model here; files are URLs.
 * @typedef {{contract: import("./contract.js").Contract, flip_tta: boolean, detector_score_min_01: number,
 *   mouth: {features: number, units: number},
 *   files: {runtime: string, detector: string, classifier: string, mouth: string}}} BrowserModel */

const OUTPUT = "logits";

/** Load the networks.
 * @param {BrowserModel} model @param {(done01: number) => void} [onProgress]
 * @returns {Promise<import("./live_predictor.js").Parts>} */
export async function openNetworks(model, onProgress = () => {}) {
  const files = /** @type {const} */ (["detector", "classifier", "mouth"]);
  let done = 0;
  const downloads = files.map(async (name) => {
    const content = await download(model.files[name]);
    onProgress(++done / (files.length + 1));
    return content;
  });
  const ort = await import(new URL("ort.wasm.min.mjs", model.files.runtime).href);
  ort.env.wasm.wasmPaths = model.files.runtime;
  ort.env.wasm.numThreads = 1; // more need a page that is isolated from other origins
  ort.env.logLevel = "error";
  const [detector, classifier, mouth] = await Promise.all(downloads);
  /** @type {any[]} */
  const sessions = [];
  for (const content of [detector, classifier]) {
    sessions.push(await ort.InferenceSession.create(content, { graphOptimizationLevel: "all" }));
  }
  onProgress(1);
  const run = networkRunner(ort);
  return {
    contract: model.contract,
    flipTta: model.flip_tta,
    detector: createDetector((input, shape) => run(sessions[0], input, shape), model.detector_score_min_01),
    mouth: readMouthNetwork(mouth, model.mouth.features, model.mouth.units),
    classify: async (input, count) => {
      const { size_px: size, color } = model.contract;
      const { [OUTPUT]: logits } = await run(sessions[1], input, [count, color === "gray" ? 1 : 3, size, size]);
      const classes = model.contract.labels.length;
      return Array.from({ length: count }, (_, i) => [...logits.subarray(i * classes, (i + 1) * classes)]);
    },
  };
}

/** @param {any} ort */
function networkRunner(ort) {
  return async (/** @type {any} */ session, /** @type {Float32Array} */ input, /** @type {number[]} */ shape) => {
    const outputs = await session.run({ [session.inputNames[0]]: new ort.Tensor("float32", input, shape) });
    /** @type {Record<string, Float32Array>} */
    const values = {};
    for (const [output, tensor] of Object.entries(outputs)) values[output] = /** @type {any} */ (tensor).data;
    return values;
  };
}

/** @param {string} url */
async function download(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be loaded (${response.status}).`);
  return response.arrayBuffer();
}
