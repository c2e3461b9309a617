// How large frames are where they are analyzed.

export const SIDE_MAX_PX = 1280;

/** The size of a video's frame with its longer side at most `sideMaxPx`.
 * @param {HTMLVideoElement} video @param {number} sideMaxPx
 * @param {number} [multiple] of which both sides are, as video codecs halve the resolution of colors */
export function scaledSize({ videoWidth, videoHeight }, sideMaxPx, multiple = 1) {
  const scale = Math.min(1, sideMaxPx / Math.max(videoWidth, videoHeight)) / multiple;
  return { width: multiple * Math.round(videoWidth * scale), height: multiple * Math.round(videoHeight * scale) };
}
