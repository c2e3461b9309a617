"""What keeps a camera from starting, in words.

Only the browser knows, and streamlit-webrtc says it inside its frame in the browser's own terms ("NotReadableError").
So a small script on the page looks at what the browser tells about the camera, and at that frame, and shows the words
that are written here. It also gives the frame's empty player the shape of the picture, so that nothing moves when the
video begins.
"""

from __future__ import annotations

import streamlit as st

STREAMER_FRAME = "streamlit_webrtc.component.webrtc_streamer"
"""The title of streamlit-webrtc's frame."""

WORDS = {
    "insecure": "This address is not secure, so the browser gives no camera to it. Open FERscope as "
    "http://localhost on the machine that runs it, or put it behind https.",
    "denied": "The browser does not allow this page to use the camera. Click the camera or the lock beside the "
    "address, allow the camera, and press START again. The system's privacy settings may forbid it as well.",
    "missing": "No camera was found. Connect one or switch it on, and press START again. On a computer without a "
    "camera, Predict reads photos.",
    "busy": "The camera is there but can't be opened: most often another program or tab is using it. Close that and "
    "press START again.",
    "other": "The browser could not start the video; its own words are above. Press START again, or reload the page.",
}

_HTML = "<div></div>"

_JS = """
const KINDS = [
  [/NotAllowed|Permission|SecurityError/, "denied"],
  [/NotFound|Overconstrained|not found/, "missing"],
  [/NotReadable|AbortError|Could not start/, "busy"],
  [/mediaDevices|not loaded securely/, "insecure"],
  [/longer than expected/, ""], // the server knows that too, and says it with what to do
];
const LOOK = `padding: 1rem; border-radius: var(--st-base-radius); line-height: 1.5; font: 1rem var(--st-font);
  background: var(--st-yellow-background-color); color: var(--st-yellow-text-color);`;
const SHAPE = ".MuiPaper-elevation0:not([role=alert]) { aspect-ratio: 4 / 3; box-sizing: border-box; }";

function inside(title) {
  const frame = document.querySelector(`iframe[title="${title}"]`);
  const page = frame && frame.contentDocument;
  return page && page.body && page.body.querySelector("button") ? { frame, page } : null;
}

function keepShape({ frame, page }) {
  if (!page.getElementById("ferscope-shape")) {
    const style = page.createElement("style");
    style.id = "ferscope-shape";
    style.textContent = SHAPE;
    page.head.appendChild(style);
  }
  const height = `${page.body.scrollHeight}px`;
  if (frame.style.height !== height) frame.style.height = height;
}

function reported(page) {
  const alert = page.querySelector("[role=alert]");
  if (!alert) return "";
  const kind = KINDS.find(([pattern]) => pattern.test(alert.textContent));
  return kind ? kind[1] : "other";
}

async function foreseen() {
  if (!window.isSecureContext || !navigator.mediaDevices) return "insecure";
  try {
    const permission = await navigator.permissions.query({ name: "camera" });
    if (permission.state === "denied") return "denied";
  } catch { /* a browser that does not tell */ }
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.some((device) => device.kind === "videoinput") ? "" : "missing";
}

export default function ({ parentElement, data }) {
  const box = parentElement.querySelector("div");
  box.setAttribute("role", "status"); // here, as Streamlit drops attributes from a component's markup
  let over = false;
  async function look() {
    const found = inside(data.frame);
    if (found) keepShape(found);
    const playing = found && found.page.querySelector("video");
    const kind = playing ? "" : (found && reported(found.page)) || (await foreseen());
    if (over) return;
    const words = data.words[kind] || "";
    if (box.textContent !== words) box.textContent = words;
    box.style.cssText = words ? LOOK : "display: none";
  }
  const timer = setInterval(() => look().catch(console.warn), 400);
  look().catch(console.warn);
  return () => { over = true; clearInterval(timer); };
}
"""

_component = st.components.v2.component("ferscope_camera_words", html=_HTML, js=_JS)


def show_camera_words() -> None:
    """Show what keeps the camera from starting, nothing if nothing does; put it below the streamer."""
    _component(key="camera-words", data={"frame": STREAMER_FRAME, "words": WORDS}, height="content")
