// Images and their conversions, with the arithmetic of OpenCV, so that a crop is the same here and in Python.

/**
 * An image of 8 bits a channel (gray, RGB or RGBA), row by row.
 * @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number, channels: number}} Image
 */

/** A square about a face; its center and side in pixels of the image, its roll in degrees, clockwise.
 * @typedef {{x: number, y: number, sidePx: number, rollDeg: number}} AlignedCrop
 */

const FRACTION_BITS = 5; // of a pixel's place, as in OpenCV's warpAffine
const FRACTIONS = 1 << FRACTION_BITS;
const PLACE_BITS = 10;
const LINEAR_BITS = 11; // of a weight, as in OpenCV's resize

/** Crop one face with `margin01` of its side added on each side, upright; edge pixels repeat outside the image.
 * @param {Image} image RGB or RGBA
 * @param {AlignedCrop} crop
 * @param {number} margin01
 * @returns {Image} RGB, square
 */
export function cropFace(image, crop, margin01) {
  const side = Math.max(1, roundHalfEven(crop.sidePx * (1 + 2 * margin01)));
  if (crop.rollDeg) return warpUpright(image, crop.x, crop.y, side, crop.rollDeg);
  const left = Math.floor(crop.x - side / 2 + 0.5);
  const top = Math.floor(crop.y - side / 2 + 0.5);
  return cutOut(image, left, top, side, side);
}

/** Cut a rectangle out of an image; edge pixels repeat outside of it.
 * @param {Image} image @param {number} left @param {number} top @param {number} width @param {number} height
 * @returns {Image} RGB
 */
export function cutOut(image, left, top, width, height) {
  const cut = new Uint8Array(width * height * 3);
  const { data, channels } = image;
  for (let row = 0, to = 0; row < height; row++) {
    const line = clamp(top + row, image.height) * image.width;
    for (let column = 0; column < width; column++, to += 3) {
      const from = (line + clamp(left + column, image.width)) * channels;
      cut[to] = data[from];
      cut[to + 1] = data[from + 1];
      cut[to + 2] = data[from + 2];
    }
  }
  return { data: cut, width, height, channels: 3 };
}

/** @param {Image} image @param {number} centerX @param {number} centerY @param {number} side @param {number} rollDeg
 * @returns {Image} */
function warpUpright(image, centerX, centerY, side, rollDeg) {
  const roll = (rollDeg * Math.PI) / 180;
  const across = Math.cos(roll);
  const down = Math.sin(roll);
  // From a pixel of the crop to its place in the image; the center of pixel (0, 0) is at (0.5, 0.5) of both.
  const half = (side - 1) / 2;
  const startX = centerX - 0.5 - half * (across - down);
  const startY = centerY - 0.5 - half * (down + across);
  const scale = 1 << PLACE_BITS;
  const rounding = scale / FRACTIONS / 2;
  const shift = PLACE_BITS - FRACTION_BITS;
  const upright = new Uint8Array(side * side * 3);
  const { data, channels, width, height } = image;
  for (let row = 0, to = 0; row < side; row++) {
    const baseX = roundHalfEven((startX - down * row) * scale) + rounding;
    const baseY = roundHalfEven((startY + across * row) * scale) + rounding;
    for (let column = 0; column < side; column++, to += 3) {
      const x = (baseX + roundHalfEven(across * column * scale)) >> shift;
      const y = (baseY + roundHalfEven(down * column * scale)) >> shift;
      const right = x & (FRACTIONS - 1);
      const below = y & (FRACTIONS - 1);
      const left = x >> FRACTION_BITS;
      const top = y >> FRACTION_BITS;
      const firstColumn = clamp(left, width);
      const secondColumn = clamp(left + 1, width);
      const firstLine = clamp(top, height) * width;
      const secondLine = clamp(top + 1, height) * width;
      const a = (firstLine + firstColumn) * channels;
      const b = (firstLine + secondColumn) * channels;
      const c = (secondLine + firstColumn) * channels;
      const d = (secondLine + secondColumn) * channels;
      for (let channel = 0; channel < 3; channel++) {
        const upper = data[a + channel] * (FRACTIONS - right) + data[b + channel] * right;
        const lower = data[c + channel] * (FRACTIONS - right) + data[d + channel] * right;
        upright[to + channel] = (upper * (FRACTIONS - below) + lower * below + 512) >> (2 * FRACTION_BITS);
      }
    }
  }
  return { data: upright, width: side, height: side, channels: 3 };
}

/** Convert to gray levels; a gray image is returned as it is.
 * @param {Image} image @returns {Image} */
export function toGray(image) {
  if (image.channels === 1) return image;
  const { data, channels } = image;
  const gray = new Uint8Array(image.width * image.height);
  for (let to = 0, from = 0; to < gray.length; to++, from += channels) {
    gray[to] = (data[from] * 9798 + data[from + 1] * 19235 + data[from + 2] * 3735 + 16384) >> 15;
  }
  return { data: gray, width: image.width, height: image.height, channels: 1 };
}

/** Resize as `Contract.resize` does: by the mean of an area to make smaller, else linearly.
 * @param {Image} image @param {number} width @param {number} height @returns {Image} */
export function resize(image, width, height) {
  if (image.width === width && image.height === height) return image;
  return Math.min(image.width, image.height) > Math.max(width, height)
    ? resizeByArea(image, width, height)
    : resizeLinearly(image, width, height);
}

/** Make an image smaller: a pixel is the mean of the area that it covers.
 * @param {Image} image @param {number} width @param {number} height @returns {Image} */
export function resizeByArea(image, width, height) {
  if (image.width === 2 * width && image.height === 2 * height) return halve(image);
  const { data, channels } = image;
  const columns = areaWeights(image.width, width);
  const rows = areaWeights(image.height, height);
  const sums = new Float32Array(width * channels);
  const line = new Float32Array(width * channels);
  const small = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    sums.fill(0);
    for (const { from, weight } of rows[row]) {
      line.fill(0);
      const start = from * image.width * channels;
      for (let column = 0; column < width; column++) {
        for (const each of columns[column]) {
          for (let channel = 0; channel < channels; channel++) {
            line[column * channels + channel] += data[start + each.from * channels + channel] * each.weight;
          }
        }
      }
      for (let i = 0; i < line.length; i++) sums[i] += line[i] * weight;
    }
    for (let i = 0; i < sums.length; i++) small[row * sums.length + i] = roundHalfEven(sums[i]);
  }
  return { data: small, width, height, channels };
}

/** @param {Image} image @returns {Image} */
function halve(image) {
  const { data, channels } = image;
  const width = image.width / 2;
  const height = image.height / 2;
  const small = new Uint8Array(width * height * channels);
  const line = image.width * channels;
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = 2 * row * line + 2 * column * channels;
      for (let channel = 0; channel < channels; channel++, to++) {
        const at = from + channel;
        small[to] = (data[at] + data[at + channels] + data[at + line] + data[at + line + channels] + 2) >> 2;
      }
    }
  }
  return { data: small, width, height, channels };
}

/** For each pixel of the smaller side the pixels that it covers and their weights, which sum to 1.
 * @param {number} before @param {number} after @returns {{from: number, weight: number}[][]} */
function areaWeights(before, after) {
  const scale = before / after;
  const weights = [];
  for (let to = 0; to < after; to++) {
    const [start, end] = [to * scale, Math.min((to + 1) * scale, before)];
    const covered = [];
    for (let from = Math.floor(start); from < Math.ceil(end); from++) {
      const weight = Math.min(end, from + 1) - Math.max(start, from);
      if (weight > 1e-3) covered.push({ from, weight: weight / (end - start) });
    }
    weights.push(covered);
  }
  return weights;
}

/** @param {Image} image @param {number} width @param {number} height @returns {Image} */
function resizeLinearly(image, width, height) {
  const { data, channels } = image;
  const columns = linearWeights(image.width, width);
  const rows = linearWeights(image.height, height);
  const large = new Uint8Array(width * height * channels);
  const line = image.width * channels;
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      for (let channel = 0; channel < channels; channel++) {
        const [left, right] = [column.first * channels + channel, column.second * channels + channel];
        const [above, below] = [row.first * line, row.second * line];
        const upper = data[above + left] * column.near + data[above + right] * column.far;
        const lower = data[below + left] * column.near + data[below + right] * column.far;
        large[to++] = ((((row.near * (upper >> 4)) >> 16) + ((row.far * (lower >> 4)) >> 16)) + 2) >> 2;
      }
    }
  }
  return { data: large, width, height, channels };
}

/** For each pixel of the larger side the two pixels that it lies between, and their weights.
 * @param {number} before @param {number} after */
function linearWeights(before, after) {
  const scale = before / after;
  return Array.from({ length: after }, (_, to) => {
    const place = (to + 0.5) * scale - 0.5;
    const first = Math.floor(place);
    const far = roundHalfEven((place - first) * (1 << LINEAR_BITS));
    return { first: clamp(first, before), second: clamp(first + 1, before), near: (1 << LINEAR_BITS) - far, far };
  });
}

/** Round to the nearest whole number, halves to the even one, as Python and OpenCV do.
 * @param {number} value */
export function roundHalfEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

/** @param {number} index @param {number} length */
function clamp(index, length) {
  return index < 0 ? 0 : index >= length ? length - 1 : index;
}
