/**
 * Fades of the whole output, for a change between two paths of the same sound.
 *
 * A raised cosine and its mirror image sum to one at every sample, so that two paths that play the
 * same swap without a change of loudness.
 */

/** Samples of a curve for `AudioParam.setValueCurveAtTime`, which interpolates between them. */
const CURVE_POINTS = 65;

/**
 * @param {number} from
 * @param {number} to
 * @param {number} share Of the way, 0 to 1.
 */
function between(from, to, share) {
  return from + (to - from) * (0.5 - 0.5 * Math.cos(Math.PI * share));
}

/**
 * Return the shape of a fade, for the `GainNode` of the other path.
 *
 * @param {number} from
 * @param {number} to
 */
export function fadeCurve(from, to) {
  const curve = new Float32Array(CURVE_POINTS);
  for (let point = 0; point < CURVE_POINTS; point += 1) {
    curve[point] = between(from, to, point / (CURVE_POINTS - 1));
  }
  return curve;
}

/** The gain of an output and the fade that it is in; it begins at 0. */
export class Fader {
  gain = 0;
  #from = 0;
  #to = 0;
  #start = 0;
  #length = 0;

  /**
   * Begin a fade from where the gain stands when it starts.
   *
   * @param {number} gain 0 to 1.
   * @param {number} start Frame of the context.
   * @param {number} length Frames.
   */
  fadeTo(gain, start, length) {
    this.#from = this.gain;
    this.#to = gain;
    this.#start = start;
    this.#length = length;
  }

  /**
   * Apply the gain to a block in place.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} frame Of the context, at the first sample.
   */
  apply(left, right, frame) {
    if (this.gain === 1 && this.#to === 1) return;
    for (let index = 0; index < left.length; index += 1) {
      const gain = this.#at(frame + index);
      left[index] = /** @type {number} */ (left[index]) * gain;
      right[index] = /** @type {number} */ (right[index]) * gain;
      this.gain = gain;
    }
  }

  /** @param {number} frame */
  #at(frame) {
    const done = frame - this.#start;
    if (done < 0) return this.#from;
    return done >= this.#length ? this.#to : between(this.#from, this.#to, done / this.#length);
  }
}
