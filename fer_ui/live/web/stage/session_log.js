// The session log, on request: times, faces, probabilities and marks, in this page's memory until it is left.

/** @typedef {import("./answer.js").Answer} Answer */

/** A face at a time, or a mark. @typedef {{atS: number, face: number | null, read: string, reason: string, mark: string,
 *   probabilities: number[]}} Row */

const ROWS_MAX = 200_000; // more than two hours of one face

export class SessionLog {
  /** @param {string[]} labels @param {Date} startedAt @param {number} startS */
  constructor(labels, startedAt, startS) {
    this.labels = labels;
    this.startedAt = startedAt;
    this.startS = startS;
    /** @type {Row[]} */
    this.rows = [];
    this.marks = 0;
  }

  /** @param {Answer[]} answers @param {string[]} reasons of each face, "" where it is read @param {number} atS */
  add(answers, reasons, atS) {
    answers.forEach(({ id, label, probabilities }, i) => {
      if (this.rows.length >= ROWS_MAX) return;
      const read = label?.name ?? "uncertain";
      this.rows.push({ atS: Math.max(0, atS - this.startS), face: id, read, reason: reasons[i], mark: "", probabilities });
    });
  }

  /** @param {number} atS @returns {number} the number of the mark */
  addMark(atS) {
    const mark = String(++this.marks);
    this.rows.push({ atS: atS - this.startS, face: null, read: "", reason: "", mark, probabilities: [] });
    return this.marks;
  }

  toCsv() {
    const head = ["seconds", "face", "read_as", "reason", "mark", ...this.labels];
    const lines = this.rows.map((row) => {
      const values = this.labels.map((_, i) => row.probabilities[i]?.toFixed(4) ?? "");
      return [row.atS.toFixed(3), row.face ?? "", row.read, row.reason, row.mark, ...values].join(",");
    });
    return `${[head.join(","), ...lines].join("\n")}\n`;
  }

  toJson() {
    const rows = this.rows.map(({ atS, face, read, reason, mark, probabilities }) => {
      const seconds = Number(atS.toFixed(3));
      if (mark) return { seconds, mark: Number(mark) };
      const values = Object.fromEntries(this.labels.map((label, i) => [label, Number(probabilities[i].toFixed(4))]));
      return { seconds, face, read_as: read, ...(reason && { reason }), probabilities: values };
    });
    return JSON.stringify({ started: this.startedAt.toISOString(), labels: this.labels, rows }, null, 1);
  }
}

/** Save content as a file of this device. @param {string} name @param {Blob} content */
export function download(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
