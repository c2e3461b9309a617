// The last two minutes: a row for each face, colored by what was shown of it.

import { make } from "./dom.js";

/** @typedef {import("./answer.js").Answer} Answer */

const SPAN_S = 120;
const ROWS_MAX = 4;
const ROW_PX = 18;
const GAP_PX = 6;
const AXIS_PX = 20;
const LABEL_PX = 52;
const JOIN_S = 1.2;
const UNCERTAIN = "uncertain";

/** @typedef {{state: string, color: string, startS: number, endS: number}} Segment */

export class Timeline {
  constructor() {
    this.canvas = make("canvas", { role: "img" });
    this.hint = make("div", { class: "hint", hidden: "" });
    this.element = make("figure", { class: "timeline" }, make("figcaption", {}, "Last two minutes"), this.canvas, this.hint);
    /** @type {Map<number, Segment[]>} */
    this.rows = new Map();
    this.nowS = 0;
    this.canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.canvas.addEventListener("pointerleave", () => (this.hint.hidden = true));
  }

  clear() {
    this.rows.clear();
    this.draw(this.nowS);
  }

  /** Add what is shown now. @param {Answer[]} answers @param {number} atS */
  add(answers, atS) {
    for (const { id, label } of answers) {
      const segments = this.rows.get(id) ?? [];
      const state = label?.name ?? UNCERTAIN;
      const last = segments[segments.length - 1];
      if (last && last.state === state && atS - last.endS < JOIN_S) last.endS = atS;
      else {
        if (last && atS - last.endS < JOIN_S) last.endS = atS;
        segments.push({ state, color: label?.color ?? "", startS: atS, endS: atS });
      }
      this.rows.set(id, segments);
    }
    for (const [id, segments] of this.rows) {
      while (segments.length && atS - segments[0].endS > SPAN_S) segments.shift();
      if (!segments.length) this.rows.delete(id);
    }
  }

  /** The rows that are drawn: the faces that were in view longest. */
  get shown() {
    const length = (/** @type {Segment[]} */ segments) => segments.reduce((sum, { startS, endS }) => sum + endS - startS, 0);
    const longest = [...this.rows].sort(([, one], [, other]) => length(other) - length(one)).slice(0, ROWS_MAX);
    return longest.sort(([one], [other]) => one - other);
  }

  /** @param {number} nowS */
  draw(nowS) {
    this.nowS = nowS;
    const rows = this.shown;
    const { canvas } = this;
    const width = canvas.clientWidth;
    const height = Math.max(1, rows.length) * (ROW_PX + GAP_PX) + AXIS_PX;
    canvas.style.height = `${height}px`;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    context.font = `12px ${style.fontFamily}`;
    context.textBaseline = "middle";
    this.#drawAxis(context, width, height, style.color);
    rows.forEach(([id, segments], row) => this.#drawRow(context, width, row, id, segments, style.color));
    canvas.setAttribute("aria-label", describe(rows, nowS));
  }

  /** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height @param {string} ink */
  #drawAxis(context, width, height, ink) {
    context.fillStyle = ink;
    for (let ago = 0; ago <= SPAN_S; ago += 30) {
      const x = this.#x(this.nowS - ago, width);
      context.globalAlpha = 0.15;
      context.fillRect(Math.min(x, width - 1), 0, 1, height - AXIS_PX);
      context.globalAlpha = 0.72;
      context.textAlign = ago === 0 ? "right" : ago === SPAN_S ? "left" : "center";
      context.fillText(ago ? `−${Math.floor(ago / 60)}:${String(ago % 60).padStart(2, "0")}` : "now", x, height - AXIS_PX / 2);
    }
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context @param {number} width @param {number} row @param {number} id
   * @param {Segment[]} segments @param {string} ink */
  #drawRow(context, width, row, id, segments, ink) {
    const y = row * (ROW_PX + GAP_PX);
    context.fillStyle = ink;
    context.textAlign = "left";
    context.fillText(`Face ${id}`, 0, y + ROW_PX / 2);
    for (const { color, startS, endS } of segments) {
      const [from, to] = [startS, endS].map((atS) => this.#x(Math.max(atS, this.nowS - SPAN_S), width));
      context.fillStyle = color || ink;
      context.globalAlpha = color ? 1 : 0.18;
      context.fillRect(from, y, Math.max(1, to - from), ROW_PX);
      context.globalAlpha = 1;
    }
  }

  /** @param {number} atS @param {number} width */
  #x(atS, width) {
    return LABEL_PX + ((atS - this.nowS + SPAN_S) / SPAN_S) * (width - LABEL_PX);
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const { canvas, hint } = this;
    const row = this.shown[Math.floor(event.offsetY / (ROW_PX + GAP_PX))];
    const atS = this.nowS - SPAN_S + ((event.offsetX - LABEL_PX) / (canvas.clientWidth - LABEL_PX)) * SPAN_S;
    const segment = row?.[1].find(({ startS, endS }) => startS <= atS && atS <= endS);
    hint.hidden = !segment;
    if (!segment) return;
    hint.textContent = `Face ${row[0]}: ${segment.state}, ${formatSeconds(segment.endS - segment.startS)}`;
    hint.style.left = `${Math.min(event.offsetX, canvas.clientWidth - 180)}px`;
  }
}

/** @param {number} seconds */
const formatSeconds = (seconds) => (seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`);

/** Seconds of each state in the span before `nowS`, the longest first.
 * @param {Segment[]} segments @param {number} nowS @returns {[string, number][]} */
export function secondsByState(segments, nowS) {
  /** @type {Map<string, number>} */
  const seconds = new Map();
  for (const { state, startS, endS } of segments) {
    const length = Math.max(0, endS - Math.max(startS, nowS - SPAN_S));
    seconds.set(state, (seconds.get(state) ?? 0) + length);
  }
  return [...seconds].sort(([, one], [, other]) => other - one);
}

/** The timeline in words. @param {[number, Segment[]][]} rows @param {number} nowS */
function describe(rows, nowS) {
  if (!rows.length) return "No face in the last two minutes.";
  return rows
    .map(([id, segments]) => {
      const parts = secondsByState(segments, nowS).map(([state, length]) => `${state} ${formatSeconds(length)}`);
      return `Face ${id}: ${parts.join(", ")}.`;
    })
    .join(" ");
}
