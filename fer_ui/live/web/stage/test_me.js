// "Test me": somebody shows eight expressions as asked, and sees how this model and camera read this face.
// Nothing is stored; the result can be downloaded as a page.

/** @typedef {import("./answer.js").Label} Label */

export const PREPARE_S = 2;
export const SHOW_S = 3;

/** Counts of answers by the asked expression; the last column is "uncertain or no face".
 * @typedef {{labels: Label[], counts: number[][]}} Result */

export class TestMe {
  /** @param {Label[]} labels @param {number} atS */
  constructor(labels, atS) {
    this.labels = labels;
    this.startS = atS;
    this.counts = labels.map(() => new Array(labels.length + 1).fill(0));
  }

  /** The step at a time: which expression, whether it counts yet, and the seconds that are left; null at the end.
   * @param {number} atS */
  step(atS) {
    const elapsed = atS - this.startS;
    const index = Math.floor(elapsed / (PREPARE_S + SHOW_S));
    if (index >= this.labels.length) return null;
    const within = elapsed - index * (PREPARE_S + SHOW_S);
    const counts = within >= PREPARE_S;
    return { index, label: this.labels[index], counts, leftS: (counts ? PREPARE_S + SHOW_S : PREPARE_S) - within };
  }

  /** Note what is shown now. @param {number | null} label index of the answer; null if uncertain or out of sight
   * @param {number} atS */
  note(label, atS) {
    const step = this.step(atS);
    if (step?.counts) this.counts[step.index][label ?? this.labels.length]++;
  }

  /** @returns {Result} */
  get result() {
    return { labels: this.labels, counts: this.counts };
  }
}

/** Most frequent answer to an expression: its index, or null for "uncertain". @param {number[]} counts */
function mostFrequent(counts) {
  const best = counts.indexOf(Math.max(...counts));
  return best === counts.length - 1 ? null : best;
}

/** Say how the test went. @param {Result} result @returns {string} */
export function describeResult({ labels, counts }) {
  const answers = counts.map(mostFrequent);
  const right = answers.filter((answer, asked) => answer === asked).length;
  const confused = answers.flatMap((answer, asked) =>
    answer !== null && answer !== asked ? [`${labels[asked].name} as ${labels[answer].name}`] : [],
  );
  const unsure = labels.filter((_, asked) => answers[asked] === null).map((label) => label.name);
  const sentences = [`The model read ${right} of your ${labels.length} expressions as asked.`];
  if (confused.length) sentences.push(`It read ${listOf(confused)}.`);
  if (unsure.length) sentences.push(`It was not sure about ${listOf(unsure)}.`);
  return sentences.join(" ");
}

export const CAVEAT =
  "These were posed expressions of one person with one camera and one light. They say how this model reads this face here, and nothing about other people or about feelings.";

/** @param {string[]} words */
function listOf(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

/** The confusion matrix as HTML: rows are asked, columns are read; cells have the share of the row in percent.
 * @param {Result} result */
export function matrixHtml({ labels, counts }) {
  const head = [...labels.map((label) => label.title), "Uncertain"].map((title) => `<th scope="col">${title}</th>`).join("");
  const rows = counts.map((row, asked) => {
    const sum = row.reduce((total, value) => total + value, 0);
    const cells = row.map((value, read) => {
      const share = sum ? value / sum : 0;
      const strength = Math.round(70 * share);
      const mark = read === asked ? ' class="asked"' : "";
      return `<td${mark} style="--share:${strength}%">${sum ? Math.round(100 * share) : "–"}</td>`;
    });
    return `<tr><th scope="row">${labels[asked].title}</th>${cells.join("")}</tr>`;
  });
  return `<table class="matrix"><caption>Asked (rows) and read (columns), percent of the time</caption>
<thead><tr><td></td>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

/** The result as a page that needs nothing else. @param {Result} result @param {string} model @param {Date} at */
export function resultPage(result, model, at) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>FERscope: test of one face</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>body{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;font-size:.875rem}caption{text-align:left;padding:.5rem 0}
th,td{padding:.35rem .5rem;text-align:right;font-weight:400}th[scope=row]{text-align:left}
td{background:color-mix(in srgb,#4453c4 var(--share,0%),transparent)}.asked{outline:1px solid}</style>
<h1>Test of one face</h1><p><strong>${describeResult(result)}</strong></p>${matrixHtml(result)}
<p>${CAVEAT}</p><p>Model: ${escape(model)}. ${at.toISOString().slice(0, 16).replace("T", " ")} UTC.</p></html>`;
}

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
