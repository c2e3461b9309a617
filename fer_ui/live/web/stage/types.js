// What the server gives to the stage, and what Streamlit gives to a component.

/** @typedef {import("../inference/networks.js").BrowserModel & {calibration: import("../inference/contract.js").Calibration,
 *   limits: import("../inference/face_quality.js").Limits}} Model */

/** What the server gives; `missing_in_browser` says why the model can't run in the browser, "" if it can.
 * @typedef {{model: Model, models: Record<string, string>, model_id: string, active_id: string, playing: boolean, labels: import("./answer.js").Label[],
 *   texts: import("./answer.js").ReasonTexts & {problems: Record<string, {title: string, remedy: string}>},
 *   missing_in_browser: string, ice_servers: RTCIceServer[], privacy: Record<string, string>, socket: string}} Data */

/** @typedef {{data: Data, parentElement: HTMLElement, setStateValue: (name: string, value: any) => void,
 *   setTriggerValue: (name: string, value: any) => void}} Component */

export {};
