// What a viewer has chosen, remembered on this device.

/** @typedef {{way: string, model: string, insteadOf: string, source: string, cameraId: string, facing: string, resolution: string, mirror: boolean,
 *   transport: string, boxes: boolean, smoothing: string, point: string, facesMax: number}} Choices */

const KEY = "ferscope-live";

/** @type {Choices} */
export const DEFAULTS = {
  way: "server",
  model: "", // chosen here
  insteadOf: "", // the one in use at that time; another one in use later ends the choice
  source: "camera",
  cameraId: "",
  facing: "user",
  resolution: "640x480",
  mirror: true,
  transport: "video",
  boxes: true,
  smoothing: "steady",
  point: "accurate",
  facesMax: 4,
};

/** The values of choices that have a few; the first of a smoothing is its time constant in seconds.
 * @type {Record<string, Record<string, string>>} */
export const TITLES = {
  resolution: { "640x480": "640 × 480", "1280x720": "1280 × 720", "1920x1080": "1920 × 1080" },
  smoothing: { quick: "Quick", steady: "Steady", calm: "Calm", off: "Off: every frame for itself" },
  point: { accurate: "Accurate", balanced: "Balanced: finds more of the rare ones" },
  transport: { video: "Video (WebRTC)", pictures: "Pictures, where UDP is blocked" },
  facesMax: { 1: "1 face", 2: "2 faces", 4: "4 faces", 8: "8 faces" },
};

/** Options of the tracker by the choice of smoothing. */
export const SMOOTHING = {
  quick: { timeConstantS: 0.15, lead01: 0.05, holdS: 0.1 },
  steady: {},
  calm: { timeConstantS: 0.8, lead01: 0.15, holdS: 0.6 },
  off: { timeConstantS: 0, lead01: 0, holdS: 0 },
};

/** @returns {Choices} */
export function loadChoices() {
  let stored;
  try {
    stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    stored = {}; // no storage in this browser, or somebody else's value
  }
  const choices = { ...DEFAULTS };
  for (const name of /** @type {(keyof Choices)[]} */ (Object.keys(DEFAULTS))) {
    const known = TITLES[name];
    const fits = typeof stored[name] === typeof DEFAULTS[name] && (!known || String(stored[name]) in known);
    if (fits) Object.assign(choices, { [name]: stored[name] });
  }
  return choices;
}

/** @param {Choices} choices */
export function saveChoices(choices) {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // not remembered, as in a private window
  }
}
