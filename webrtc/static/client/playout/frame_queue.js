/**
 * Frames that wait for their turn, in the order of the media.
 *
 * RTP timestamps and sequence numbers are extended over wrap-around as they come in (RFC 3550,
 * appendix A.1). Positions say what is played when; sequence numbers only tell loss from silence
 * and find duplicates. Bounded: the oldest give way.
 */

const REMEMBERED = 256;
const MAX_LOST_AT_ONCE = 1_000; // beyond, the sequence numbers say nothing about loss
const MAX_FRAMES = 512;
const MAX_SAMPLES = 96_000;

/**
 * @typedef {object} Queued
 * @property {number} position Extended RTP timestamp of its first sample.
 * @property {number} sequence Extended sequence number.
 * @property {number} samples
 * @property {Uint8Array} payload
 * @property {number} availableS When it reached us, in the clock of the output.
 * @property {number} waitedMs Before that, since the worker handed it over.
 * @property {number} arrivalMs When it reached the worker, in its clock.
 */

export class FrameQueue {
  /** Read freely; only the methods change it. @type {Queued[]} */
  frames = [];
  newestPosition = 0;
  newestSamples = 960;

  #counters;
  #losses;
  #known = false;
  #newestSequence = 0;
  #lastSequence = -1;
  #lastEnd = 0;
  #seen = new Float64Array(REMEMBERED);

  /**
   * @param {import('./counters.js').Counters} counters
   * @param {import('./loss_watch.js').LossWatch} losses
   */
  constructor(counters, losses) {
    this.#counters = counters;
    this.#losses = losses;
    this.reset();
  }

  /** Forget every frame and where the numbers stood. */
  reset() {
    this.frames.length = 0;
    this.newestPosition = 0;
    this.newestSamples = 960;
    this.#known = false;
    this.#newestSequence = 0;
    this.#lastSequence = -1;
    this.#seen.fill(-1);
  }

  /** @returns {Queued | undefined} */
  get first() {
    return this.frames[0];
  }

  /** Sound that waits here, without what is missing between. */
  get samples() {
    let all = 0;
    for (const frame of this.frames) all += frame.samples;
    return all;
  }

  /**
   * Return a frame with its numbers extended; null for a duplicate.
   *
   * @param {import('./types.js').EncodedFrame} frame
   * @param {number} samples
   * @param {number} availableS
   * @param {number} [waitedMs]
   * @returns {Queued | null}
   */
  admit(frame, samples, availableS, waitedMs = 0) {
    if (!this.#known) {
      this.#known = true;
      // One turn up leaves room below for frames that were overtaken.
      this.newestPosition = frame.timestamp + 2 ** 32;
      this.#newestSequence = frame.sequence + 2 ** 16;
    }
    const sequence =
      this.#newestSequence + signed(frame.sequence - this.#newestSequence, 2 ** 16);
    if (this.#isDuplicate(sequence)) {
      this.#counters.duplicates += 1;
      return null;
    }
    return {
      position: this.newestPosition + signed(frame.timestamp - this.newestPosition, 2 ** 32),
      sequence,
      samples,
      payload: new Uint8Array(frame.payload),
      availableS,
      waitedMs,
      arrivalMs: frame.arrivalMs,
    };
  }

  /**
   * Queue an admitted frame unless its turn is over, which has come up to `playedTo`.
   *
   * @param {Queued} queued
   * @param {number} playedTo
   */
  add(queued, playedTo) {
    const { position, samples } = queued;
    if (position >= this.newestPosition) {
      this.newestPosition = position;
      this.newestSamples = samples;
    }
    if (position + samples <= playedTo) {
      this.#counters.late += 1;
      return;
    }
    const frames = this.frames;
    let place = frames.length;
    while (place > 0 && isAfter(frames[place - 1], position)) place -= 1;
    frames.splice(place, 0, queued);
    while (frames.length > MAX_FRAMES || this.#span() > MAX_SAMPLES) this.dropFirst();
  }

  /**
   * How many frames are missing between the last one taken and the first here. Numbers that are
   * skipped where no sound is missing were none of ours: padding and probes have numbers too.
   */
  get lostBeforeFirst() {
    const first = this.frames[0];
    if (first === undefined || this.#lastSequence < 0 || first.position <= this.#lastEnd) return 0;
    const missing = first.sequence - this.#lastSequence - 1;
    return missing > 0 && missing <= MAX_LOST_AT_ONCE ? missing : 0;
  }

  /**
   * Remove and return the first frame; what is missing before it is lost.
   *
   * @returns {Queued}
   */
  takeFirst() {
    const lost = this.lostBeforeFirst;
    this.#counters.lost += lost;
    this.#losses.played(lost);
    const first = /** @type {Queued} */ (this.frames.shift());
    this.#lastSequence = first.sequence;
    this.#lastEnd = first.position + first.samples;
    return first;
  }

  /** Throw the first frame away unplayed. */
  dropFirst() {
    this.takeFirst();
    this.#counters.dropped += 1;
  }

  /**
   * Throw away what ends at or before `playedTo`.
   *
   * @param {number} playedTo
   */
  dropLate(playedTo) {
    for (let first = this.first; first !== undefined; first = this.first) {
      if (first.position + first.samples > playedTo) return;
      this.takeFirst();
      this.#counters.late += 1;
    }
  }

  /**
   * Note `sequence`; return whether it was here before, as far as memory goes.
   *
   * @param {number} sequence
   */
  #isDuplicate(sequence) {
    if (sequence <= this.#newestSequence - REMEMBERED) return false;
    const place = sequence % REMEMBERED;
    if (this.#seen[place] === sequence) return true;
    this.#seen[place] = sequence;
    if (sequence > this.#newestSequence) this.#newestSequence = sequence;
    else if (sequence < this.#newestSequence) this.#counters.reordered += 1;
    return false;
  }

  #span() {
    const first = this.frames[0];
    const last = this.frames[this.frames.length - 1];
    return first && last ? last.position + last.samples - first.position : 0;
  }
}

/**
 * @param {Queued | undefined} queued
 * @param {number} position
 */
function isAfter(queued, position) {
  return queued !== undefined && queued.position > position;
}

/**
 * Return `difference` modulo `turn` as a signed number.
 *
 * @param {number} difference
 * @param {number} turn
 */
function signed(difference, turn) {
  const rest = difference - Math.floor(difference / turn) * turn;
  return rest >= turn / 2 ? rest - turn : rest;
}
