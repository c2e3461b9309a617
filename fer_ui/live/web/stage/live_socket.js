// The websocket of Live (fer_ui/live/live_socket.py): results come to the page, and pictures go to the server.

/** @typedef {import("./browser_engine.js").Result} Result */

/** @typedef {{onAdmitted: () => void, onWaiting: (live: number, ahead: number) => void,
 *   onResult: (result: Result & {error: string}) => void, onLost: (reason: string) => void}} SocketListener */

const NUMBER_BYTES = 4;

export class LiveSocket {
  /** @param {string} path @param {SocketListener} listener */
  constructor(path, listener) {
    const url = new URL(path, location.origin);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.waiting) listener.onWaiting(message.waiting.live, message.waiting.ahead);
      else if (message.admitted) listener.onAdmitted();
      else listener.onResult(message);
    });
    this.socket.addEventListener("close", ({ reason }) => this.closed || listener.onLost(reason));
    this.closed = false;
    this.facesMax = 0;
  }

  /** @param {number} facesMax */
  setFacesMax(facesMax) {
    if (facesMax === this.facesMax || this.socket.readyState !== WebSocket.OPEN) return;
    this.facesMax = facesMax;
    this.socket.send(JSON.stringify({ faces_max: facesMax }));
  }

  /** @param {number} number @param {Blob} jpeg */
  async sendPicture(number, jpeg) {
    const message = new Uint8Array(NUMBER_BYTES + jpeg.size);
    new DataView(message.buffer).setUint32(0, number, true);
    message.set(new Uint8Array(await jpeg.arrayBuffer()), NUMBER_BYTES);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message);
  }

  close() {
    this.closed = true;
    this.socket.close();
  }
}
