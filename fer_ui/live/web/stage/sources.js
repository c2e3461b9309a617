// Where the picture comes from: a camera, a shared screen or window, or a video file.

/** Something that plays in a video element; `ended` is called when it stops by itself.
 * @typedef {{kind: string, canMirror: boolean, stop: () => void}} Source */

/** @typedef {import("./choices.js").Choices} Choices */

/** `onMuted` is called when the picture pauses, as at a camera's switch, and when it goes on.
 * @typedef {{onEnded: () => void, onMuted: (muted: boolean) => void}} Events */

const SCREEN_FPS = 15;

/** Why a source can't be opened; a key of the texts that the server gives. */
export class SourceError extends Error {
  /** @param {string} problem */
  constructor(problem) {
    super(problem);
    this.problem = problem;
  }
}

/** Open the chosen source in a video element.
 * @param {HTMLVideoElement} video @param {Choices} choices @param {File | null} file @param {Events} events
 * @returns {Promise<Source>} */
export async function openSource(video, choices, file, events) {
  if (choices.source === "file") {
    if (!file) throw new SourceError("no_file");
    return openFile(video, file);
  }
  const media = navigator.mediaDevices;
  if (!window.isSecureContext || !media) throw new SourceError("insecure");
  if (choices.source === "screen") {
    if (!media.getDisplayMedia) throw new SourceError("no_screen");
    return openStream(video, await ask(media.getDisplayMedia({ video: { frameRate: SCREEN_FPS } }), "screen"), "screen", events);
  }
  return openStream(video, await openCamera(choices), "camera", events);
}

/** @param {Choices} choices */
async function openCamera(choices) {
  const [width, height] = choices.resolution.split("x").map(Number);
  const size = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30 } };
  const media = navigator.mediaDevices;
  if (choices.cameraId) {
    try {
      return await media.getUserMedia({ video: { ...size, deviceId: { exact: choices.cameraId } } });
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "OverconstrainedError") throw toProblem(error, "camera");
    } // the remembered camera is gone: take another
  }
  return ask(media.getUserMedia({ video: { ...size, facingMode: choices.facing } }), "camera");
}

/** @param {HTMLVideoElement} video @param {MediaStream} stream @param {string} kind @param {Events} events
 * @returns {Promise<Source>} */
async function openStream(video, stream, kind, { onEnded, onMuted }) {
  const stop = () => {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  };
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", onEnded);
  track.addEventListener("mute", () => onMuted(true)); // a camera's switch, or a laptop that slept
  track.addEventListener("unmute", () => onMuted(false));
  video.srcObject = stream;
  await video.play();
  const isRear = track.getSettings().facingMode === "environment";
  return { kind, canMirror: kind === "camera" && !isRear, stop };
}

/** @param {HTMLVideoElement} video @param {File} file @returns {Promise<Source>} */
async function openFile(video, file) {
  const url = URL.createObjectURL(file);
  const stop = () => {
    video.pause();
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  };
  video.srcObject = null;
  video.src = url;
  video.loop = true;
  try {
    await video.play();
  } catch {
    stop();
    throw new SourceError("unreadable_file");
  }
  return { kind: "file", canMirror: false, stop };
}

/** The cameras of this device; without a name before the browser may use one.
 * @returns {Promise<{id: string, name: string}[]>} */
export async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const cameras = devices.filter((device) => device.kind === "videoinput" && device.deviceId);
  return cameras.map((device, i) => ({ id: device.deviceId, name: device.label || `Camera ${i + 1}` }));
}

/** Find out before starting what would go wrong with the camera; "" if nothing is known.
 * @returns {Promise<string>} */
export async function foreseeProblem() {
  if (!window.isSecureContext || !navigator.mediaDevices) return "insecure";
  try {
    const permission = await navigator.permissions.query({ name: /** @type {PermissionName} */ ("camera") });
    if (permission.state === "denied") return "denied";
  } catch {
    // this browser can't tell
  }
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.some((device) => device.kind === "videoinput") ? "" : "missing";
}

/** @param {Promise<MediaStream>} request @param {string} kind */
async function ask(request, kind) {
  try {
    return await request;
  } catch (error) {
    throw toProblem(error, kind);
  }
}

/** @param {unknown} error @param {string} kind */
function toProblem(error, kind) {
  const name = error instanceof DOMException ? error.name : "";
  if (kind === "screen") return new SourceError("screen_denied");
  if (["NotAllowedError", "SecurityError"].includes(name)) return new SourceError("denied");
  if (["NotFoundError", "OverconstrainedError"].includes(name)) return new SourceError("missing");
  return new SourceError("busy");
}
