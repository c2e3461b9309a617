// The networks of Live on onnxruntime-web, on this machine: the face detector and the classifier as WebAssembly, and the
// classifier on WebGPU where there is a GPU on which it is faster.

import { readMouthNetwork } from "./mouth_occlusion.js";
import { createDetector } from "./yunet.js";

/** What the server gives to run a model here; files are URLs.
 * @typedef {{contract: import("./contract.js").Contract, flip_tta: boolean, detector_score_min_01: number,
 *   mouth: {features: number, units: number},
 *   files: {runtime: string, detector: string, classifier: string, classifier_fp32: string, mouth: string}}}
 * BrowserModel */

const OUTPUT = "logits";
const ROUNDS = 3;

/** Load the networks.
 * @param {BrowserModel} model @param {(done01: number) => void} [onProgress]
 * @param {string} [provider] "WebGPU" or "WebAssembly"; without, the faster one
 * @returns {Promise<import("./live_predictor.js").Parts>} */
export async function openNetworks(model, onProgress = () => {}, provider = "") {
  const files = /** @type {const} */ (["detector", "classifier", "mouth"]);
  let done = 0;
  const downloads = files.map(async (name) => {
    const content = await download(model.files[name]);
    onProgress(++done / (files.length + 1));
    return content;
  });
  const hasGpu = provider ? provider === "WebGPU" : await findGpu();
  const runtime = hasGpu ? "ort.webgpu.min.mjs" : "ort.wasm.min.mjs";
  const ort = await import(new URL(runtime, model.files.runtime).href);
  ort.env.wasm.wasmPaths = model.files.runtime;
  ort.env.wasm.numThreads = 1; // more need a page that is isolated from other origins
  ort.env.logLevel = "error";
  const [detector, classifier, mouth] = await Promise.all(downloads);
  /** @type {any[]} */
  const sessions = [];
  for (const content of [detector, classifier]) {
    sessions.push(await ort.InferenceSession.create(content, { graphOptimizationLevel: "all" }));
  }
  const run = networkRunner(ort);
  const { size_px: size, color } = model.contract;
  const shape = [1, color === "gray" ? 1 : 3, size, size];
  const onGpu = hasGpu ? await openOnGpu(ort, model.files.classifier_fp32) : null;
  const usesGpu = onGpu !== null && (provider || (await time(run, onGpu, shape)) < (await time(run, sessions[1], shape)));
  if (usesGpu) sessions[1] = onGpu;
  onProgress(1);
  return {
    contract: model.contract,
    flipTta: model.flip_tta,
    detector: createDetector((input, shape) => run(sessions[0], input, shape), model.detector_score_min_01),
    provider: usesGpu ? "WebGPU" : "WebAssembly",
    mouth: readMouthNetwork(mouth, model.mouth.features, model.mouth.units),
    classify: async (input, count) => {
      const { [OUTPUT]: logits } = await run(sessions[1], input, [count, ...shape.slice(1)]);
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

/** Whether there is a GPU, and not a processor that plays one. */
async function findGpu() {
  try {
    const adapter = await /** @type {any} */ (navigator).gpu?.requestAdapter();
    return Boolean(adapter) && !adapter.info?.isFallbackAdapter;
  } catch {
    return false;
  }
}

/** The FP32 network on the GPU, as INT8 has no use there; null if it does not run. @param {any} ort @param {string} url */
async function openOnGpu(ort, url) {
  try {
    return await ort.InferenceSession.create(await download(url), { executionProviders: ["webgpu"] });
  } catch {
    return null;
  }
}

/** Milliseconds of the fastest of a few runs; infinite if the network fails or gives no numbers.
 * @param {ReturnType<typeof networkRunner>} run @param {any} session @param {number[]} shape */
async function time(run, session, shape) {
  let fastest = Infinity;
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const started = performance.now();
      const { [OUTPUT]: logits } = await run(session, new Float32Array(shape.reduce((a, b) => a * b)), shape);
      if (!logits.every(Number.isFinite)) return Infinity;
      if (round > 0) fastest = Math.min(fastest, performance.now() - started);
    }
  } catch {
    return Infinity;
  }
  return fastest;
}

/** @param {string} url */
async function download(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be loaded (${response.status}).`);
  return response.arrayBuffer();
}
