// The thread that analyzes frames in the browser, so that the page stays quick.
//
// Takes {open: BrowserModel} and {frame: ImageBitmap, number, atS, facesMax}; answers {progress}, {ready, provider}, {error} and
// {number, predictions, timesMs}. A frame is analyzed before the next is asked for.

import { LivePredictor } from "./live_predictor.js";
import { openNetworks } from "./networks.js";

/** @type {LivePredictor | null} */
let predictor = null;
const canvas = new OffscreenCanvas(1, 1);
const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
  canvas.getContext("2d", { willReadFrequently: true, alpha: false })
);

/** @param {any} message */
const answer = (message) => self.postMessage(message);

self.addEventListener("message", async ({ data }) => {
  try {
    if (data.open) {
      const parts = await openNetworks(data.open, (progress) => answer({ progress }));
      predictor = new LivePredictor(parts);
      answer({ ready: true, provider: parts.provider });
    } else if (predictor) {
      const image = toImage(data.frame);
      const { predictions, found } = await predictor.predict(image, data.atS, data.facesMax);
      const { width, height } = image;
      answer({ number: data.number, predictions, found, width, height, timesMs: predictor.timesMs });
    }
  } catch (error) {
    answer({ error: error instanceof Error ? error.message : String(error), number: data.number });
  }
});

/** @param {ImageBitmap} frame @returns {import("./image.js").Image} */
function toImage(frame) {
  const { width, height } = frame;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(frame, 0, 0);
  frame.close();
  return { data: context.getImageData(0, 0, width, height).data, width, height, channels: 4 };
}
