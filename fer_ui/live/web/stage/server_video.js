// Whether the server should receive video. It is asked by a state of the component, which takes a run of the page, and
// streamlit-webrtc only notices changes: so a stop and a start that follow each other are sent one after the other.

export class ServerVideo {
  /** @param {(wanted: boolean) => void} send @param {boolean} isOn */
  constructor(send, isOn) {
    this.send = send;
    this.isOn = isOn;
    this.asked = isOn;
    this.wanted = isOn;
  }

  /** @param {boolean} wanted */
  want(wanted) {
    this.wanted = wanted;
    this.#sync();
  }

  /** Take what the server says. @param {boolean} isOn */
  confirm(isOn) {
    this.isOn = isOn;
    this.#sync();
  }

  #sync() {
    if (this.asked !== this.isOn || this.wanted === this.isOn) return; // an answer is on its way, or nothing to ask
    this.asked = this.wanted;
    this.send(this.wanted);
  }
}
