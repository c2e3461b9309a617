// What is said of a face, in the picture, beside it and in the timeline: one answer for all of them.

/** @typedef {import("../tracking/tracker.js").TrackedFace} TrackedFace */

/** An expression of the model. @typedef {{name: string, title: string, color: string, outline: string,
 *   text: string}} Label */

/** Texts that the server gives: by reason, why a face is uncertain and what can be done.
 * @typedef {{reasons: Record<string, string>, remedies: Record<string, string>}} ReasonTexts */

/** @typedef {{id: number, label: Label | null, tag: string, title: string, detail: string, remedy: string,
 *   probabilities: number[], strongest: number}} Answer */

/** Put a face into words.
 * @param {TrackedFace} face @param {Label[]} labels @param {ReasonTexts} texts @param {number} threshold
 * @returns {Answer} `label` is null if it is uncertain */
export function toAnswer(face, labels, texts, threshold) {
  const { id, probabilities, label: strongest, reasons } = face;
  const { name } = labels[strongest];
  const percent = formatPercent(probabilities[strongest]);
  const common = { id, probabilities, strongest };
  if (!reasons.length) {
    const tag = `${name} ${percent}`;
    return { ...common, label: labels[strongest], tag, title: `Read as ${name}`, detail: `Confidence ${percent}.`, remedy: "" };
  }
  const [reason] = reasons;
  const other = labels[secondBest(probabilities, strongest)].name;
  /** @type {Record<string, string>} */
  const whys = {
    ...texts.reasons,
    low_confidence: `below the ${formatPercent(threshold)} needed`,
    small_margin: `too close to ${other}`,
  };
  const detail = `Most likely ${name} (${percent}), ${whys[reason]}.`;
  return { ...common, label: null, tag: "uncertain", title: "Uncertain", detail, remedy: texts.remedies[reason] ?? "" };
}

/** A share in whole percent; only exactly 0 and 1 are "0 %" and "100 %".
 * @param {number} share01 */
export function formatPercent(share01) {
  if (share01 > 0 && share01 < 0.005) return "<1 %";
  if (share01 < 1 && share01 >= 0.995) return ">99 %";
  return `${Math.round(100 * share01)} %`;
}

/** @param {number[]} probabilities @param {number} except */
function secondBest(probabilities, except) {
  const others = probabilities.map((value, i) => (i === except ? -1 : value));
  return others.indexOf(Math.max(...others));
}
