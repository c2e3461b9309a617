// Frames a second, delay, and what takes longest.

const NAMES = { detector: "the detector", classifier: "the classifier", queue: "waiting for the server", transport: "the connection" };

const TRANSPORTS = { video: ", over WebRTC", pictures: ", as pictures", WebGPU: " on WebGPU" };

/** @param {import("./live.js").Speed} speed @param {string} transport of the engine */
export function describeSpeed(speed, transport) {
  if (speed.delayMs === null) return "";
  const rates = `${speed.shown.toFixed(0)} frames/s shown, ${speed.analyzed.toFixed(0)} analyzed`;
  const isOnServer = transport === "video" || transport === "pictures";
  const parts = Object.entries(speed.parts).filter(([name]) => isOnServer || name !== "transport");
  const [slowest] = parts.sort(([, one], [, other]) => (other ?? 0) - (one ?? 0));
  const name = slowest && NAMES[/** @type {keyof typeof NAMES} */ (slowest[0])];
  const how = TRANSPORTS[/** @type {keyof typeof TRANSPORTS} */ (transport)] ?? "";
  return `${rates}${how}, ${Math.round(speed.delayMs)} ms behind${name ? ` (mostly ${name})` : ""}`;
}
