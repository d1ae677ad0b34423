/**
 * Time compression and expansion by whole pitch periods, for a delay that moves unheard.
 *
 * Waveform-similarity overlap-add (Verhelst and Roelands, 1993): the sound is cut where it resembles
 * itself one period further on, and the cut is blended over. In a pause anything resembles anything,
 * so any length may go. The rules are those of the server's `mixer/stretch.py`.
 */

export const OVERLAP = 240; // 5 ms
export const SHORTEST_PERIOD = 120; // 2.5 ms: a voice of 400 Hz
export const LONGEST_PERIOD = 600; // 12.5 ms: a voice of 80 Hz
const DECIMATION = 4;
const QUIET_POWER = 10 ** (-52 / 10);
const MIN_ENERGY = 1e-9;
const SCRATCH = LONGEST_PERIOD + 2 * OVERLAP;

const RISE = new Float32Array(OVERLAP);
for (let index = 0; index < OVERLAP; index += 1) {
  RISE[index] = 0.5 - 0.5 * Math.cos((Math.PI * (index + 0.5)) / OVERLAP);
}

/** Finds and makes the cuts; it keeps what it found in `samples` and `similarity`. */
export class Stretcher {
  /** The lag found last at which the sound resembles itself. */
  samples = 0;
  /** Normalised correlation over the overlap, −1 to 1; 1 where the sound is quiet. */
  similarity = 0;

  #mono = new Float32Array(SCRATCH);
  #coarse = new Float32Array(SCRATCH / DECIMATION);
  #copy = new Float32Array(OVERLAP);

  /**
   * Find the lag of at most `longest` at which the sound from index `at` recurs best.
   *
   * @param {import('./sample_line.js').SampleLine} line
   * @param {number} at
   * @param {number} longest
   * @returns {boolean} False where there is no room for the shortest period.
   */
  findPeriod(line, at, longest) {
    const bound = Math.min(longest, LONGEST_PERIOD, line.end - at - OVERLAP);
    if (bound < 1) return false;
    const count = bound + OVERLAP;
    if (this.#isQuiet(line, at, count)) return this.#found(bound, 1);
    if (bound < SHORTEST_PERIOD) return false;
    this.#match(0, SHORTEST_PERIOD, bound - SHORTEST_PERIOD + 1, count);
    return this.#found(SHORTEST_PERIOD + this.samples, this.similarity);
  }

  /**
   * Find how much of what stands before index `at` is best said again before what follows: about
   * as much as is wanted, so that it need not be taken out again, but no less than a short period.
   *
   * @param {import('./sample_line.js').SampleLine} line
   * @param {number} at
   * @param {number} wanted Samples to gain, taken exactly where the sound is quiet.
   * @returns {boolean} False where either side is too short.
   */
  findRepeat(line, at, wanted) {
    const ample = Math.max(2 * SHORTEST_PERIOD, 2 * wanted);
    const longest = Math.min(LONGEST_PERIOD, ample, line.known(at));
    if (longest < SHORTEST_PERIOD || line.end - at < OVERLAP) return false;
    const count = longest + OVERLAP;
    if (this.#isQuiet(line, at - longest, count)) {
      return this.#found(Math.min(Math.max(wanted, 1), longest), 1);
    }
    this.#match(longest, 0, longest - SHORTEST_PERIOD + 1, count);
    return this.#found(longest - this.samples, this.similarity);
  }

  /**
   * Blend `samples` out of the line at index `at`; the sample there is kept, so that the sound goes
   * on unbroken from what was before.
   *
   * @param {import('./sample_line.js').SampleLine} line Holds `samples` + `OVERLAP` from there.
   * @param {number} at
   * @param {number} samples
   */
  compress(line, at, samples) {
    this.#compressPlane(line.left, at, samples);
    this.#compressPlane(line.right, at, samples);
    line.cut(at, samples);
  }

  /**
   * Say the `samples` before index `at` once more there.
   *
   * @param {import('./sample_line.js').SampleLine} line Holds `OVERLAP` from there, and has room.
   * @param {number} at
   * @param {number} samples
   */
  expand(line, at, samples) {
    line.open(at, samples);
    this.#expandPlane(line.left, at, samples);
    this.#expandPlane(line.right, at, samples);
  }

  /**
   * @param {Float32Array} plane
   * @param {number} at
   * @param {number} samples
   */
  #compressPlane(plane, at, samples) {
    // Backwards, because a short cut reads what it writes further on.
    for (let index = OVERLAP - 1; index >= 0; index -= 1) {
      const rise = item(RISE, index);
      const later = at + samples + index;
      plane[later] = item(plane, later) * rise + item(plane, at + index) * (1 - rise);
    }
  }

  /**
   * @param {Float32Array} plane
   * @param {number} at
   * @param {number} samples
   */
  #expandPlane(plane, at, samples) {
    const copy = this.#copy;
    for (let index = 0; index < OVERLAP; index += 1) {
      copy[index] = item(plane, at + samples + index); // what comes next
    }
    plane.copyWithin(at, at - samples, at);
    for (let index = 0; index < OVERLAP; index += 1) {
      const rise = item(RISE, index);
      const here = at + index;
      plane[here] = item(plane, here) * rise + item(copy, index) * (1 - rise);
    }
  }

  /**
   * @param {number} samples
   * @param {number} similarity
   */
  #found(samples, similarity) {
    this.samples = samples;
    this.similarity = similarity;
    return true;
  }

  /**
   * Bring `count` samples from index `at` to one channel; return whether they are quiet.
   *
   * @param {import('./sample_line.js').SampleLine} line
   * @param {number} at
   * @param {number} count
   */
  #isQuiet(line, at, count) {
    const mono = this.#mono;
    const { left, right } = line;
    let power = 0;
    for (let index = 0; index < count; index += 1) {
      const sample = 0.5 * (item(left, at + index) + item(right, at + index));
      mono[index] = sample;
      power += sample * sample;
    }
    return power < QUIET_POWER * count;
  }

  /**
   * Find where the sound resembles its `OVERLAP` samples at `template` most, among `lags` places
   * from `from` on: at a quarter of the rate first, then sample by sample round what was found.
   *
   * @param {number} template
   * @param {number} from
   * @param {number} lags
   * @param {number} count Samples there are.
   */
  #match(template, from, lags, count) {
    const coarse = this.#coarse;
    const mono = this.#mono;
    const places = Math.floor(count / DECIMATION);
    for (let place = 0; place < places; place += 1) {
      let sum = 0;
      for (let index = 0; index < DECIMATION; index += 1) {
        sum += item(mono, place * DECIMATION + index);
      }
      coarse[place] = sum;
    }
    const length = OVERLAP / DECIMATION;
    const start = Math.min(Math.floor(template / DECIMATION), places - length);
    const first = Math.ceil(from / DECIMATION);
    const last = Math.min(Math.floor((from + lags - 1) / DECIMATION), places - length);
    this.#best(coarse, start, length, first, last);
    const near = this.samples * DECIMATION;
    const low = Math.max(from, near - DECIMATION);
    const high = Math.min(from + lags - 1, near + DECIMATION);
    this.#best(mono, template, OVERLAP, low, high);
    this.samples -= from;
  }

  /**
   * @param {Float32Array} signal
   * @param {number} template
   * @param {number} length
   * @param {number} first
   * @param {number} last
   */
  #best(signal, template, length, first, last) {
    let own = 0;
    for (let index = 0; index < length; index += 1) own += item(signal, template + index) ** 2;
    this.samples = first;
    this.similarity = -1;
    for (let place = first; place <= last; place += 1) {
      let product = 0;
      let energy = 0;
      for (let index = 0; index < length; index += 1) {
        const sample = item(signal, place + index);
        product += sample * item(signal, template + index);
        energy += sample * sample;
      }
      const similarity = product / Math.sqrt(energy * own + MIN_ENERGY);
      if (similarity > this.similarity) {
        this.similarity = similarity;
        this.samples = place;
      }
    }
  }
}

/**
 * Blend the first samples of what was into the first of what comes.
 *
 * @param {Float32Array} ending
 * @param {number} from Where what was begins in `ending`.
 * @param {Float32Array} plane
 * @param {number} at Where what comes begins in `plane`.
 * @param {number} count
 */
export function crossfade(ending, from, plane, at, count) {
  for (let index = 0; index < count; index += 1) {
    const rise = (index + 0.5) / count;
    plane[at + index] = item(plane, at + index) * rise + item(ending, from + index) * (1 - rise);
  }
}

/**
 * @param {Float32Array} samples
 * @param {number} index Within its bounds.
 */
function item(samples, index) {
  return /** @type {number} */ (samples[index]);
}
