// The whole screen: full-screen mode, and keeping the screen on while a video runs.

/** Show an element alone on the screen, as for a booth, or leave that. @param {HTMLElement} element */
export async function toggleFullScreen(element) {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await element.requestFullscreen?.();
}

/** Keeps the screen on, where the browser can; it forgets that whenever the page is hidden. */
export class ScreenLock {
  /** @type {WakeLockSentinel | null} */
  #lock = null;
  #wanted = false;

  constructor() {
    document.addEventListener("visibilitychange", this.#renew);
  }

  /** @param {boolean} wanted */
  keep(wanted) {
    this.#wanted = wanted;
    this.#renew();
  }

  close() {
    document.removeEventListener("visibilitychange", this.#renew);
    this.keep(false);
  }

  #renew = async () => {
    if (!this.#wanted) {
      await this.#lock?.release();
      this.#lock = null;
    } else if (!document.hidden && (!this.#lock || this.#lock.released)) {
      this.#lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    }
  };
}

/** The picture of a video as a JPEG. @param {HTMLVideoElement} video @returns {string} a data URL */
export function snapshot(video) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return canvas.toDataURL("image/jpeg", 0.92);
}

/** A chosen photo as a data URL. @param {File} photo @returns {Promise<string>} */
export function readPhoto(photo) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result)));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(photo);
  });
}
