"""Explain why the camera does not start.

Only the browser knows, and streamlit-webrtc reports it inside its iframe in the browser's terms ("NotReadableError").
A small script on the page checks the browser's camera permission and devices and that iframe, and shows the remedy of
one of `PROBLEMS`. It also gives the empty player the aspect ratio of the video, so that nothing moves when it starts.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

_PLAYER_TITLE = "streamlit_webrtc.component.webrtc_streamer"
"""The title of streamlit-webrtc's iframe."""


class Problem(NamedTuple):
    """Why there is no video, and what to do."""

    title: str
    remedy: str


PROBLEMS = {
    "denied": Problem(
        "The camera is not allowed",
        "The browser does not allow this page to use the camera. Click the camera or lock icon next to the address, "
        "allow the camera and press START again. Check the system's privacy settings too.",
    ),
    "missing": Problem(
        "There is no camera",
        "No camera was found. Connect one or switch it on, and press START again. Or upload photos under Predict.",
    ),
    "busy": Problem(
        "The camera is in use",
        "The camera can't be opened: close other programs and tabs that use it, and press START again.",
    ),
    "insecure": Problem(
        "The address is not secure",
        "The browser blocks the camera on insecure addresses. Open FERscope as http://localhost on the machine that "
        "runs it, or serve it over https.",
    ),
    "blocked": Problem(
        "The connection is blocked",
        "The video can't reach the server. Within a network, UDP must be allowed between browser and server; over the "
        "internet a TURN server is needed: set FERSCOPE_ICE_SERVERS, restart FERscope, and press STOP and START.",
    ),
}
_OTHER = "The browser could not start the video; its message is above. Press START again or reload the page."

_JS = """
const KINDS = [
  [/NotAllowed|Permission|SecurityError/, "denied"],
  [/NotFound|Overconstrained|not found/, "missing"],
  [/NotReadable|AbortError|Could not start/, "busy"],
  [/mediaDevices|not loaded securely/, "insecure"],
  [/longer than expected/, ""], // the server reports that with a remedy
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
  } catch { /* not supported by this browser */ }
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
    const message = data.messages[kind] || "";
    if (box.textContent !== message) box.textContent = message;
    box.style.cssText = message ? LOOK : "display: none";
  }
  const timer = setInterval(() => look().catch(console.warn), 400);
  look().catch(console.warn);
  return () => { over = true; clearInterval(timer); };
}
"""

_component = st.components.v2.component("ferscope_camera_help", html="<div></div>", js=_JS)


def show_camera_help() -> None:
    """Show why the camera does not start, or nothing; goes below the player."""
    remedies = {kind: problem.remedy for kind, problem in PROBLEMS.items()} | {"other": _OTHER}
    _component(key="camera-help", data={"frame": _PLAYER_TITLE, "messages": remedies}, height="content")
