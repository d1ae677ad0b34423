/**
 * A sender, a network and an output in virtual time, for the tests of the playout.
 */

import assert from 'node:assert/strict';

import { Playout } from '../../../webrtc/static/client/playout/playout_core.js';
import { samplesOf } from '../../../webrtc/static/client/playout/opus_packet.js';

export const RATE = 48_000;
export const QUANTUM = 128;
export const TONE_HZ = 187.5; // 256 samples, no divisor of any frame
export const AMPLITUDE = 0.5;
/** The tone's largest step from sample to sample. */
export const TONE_STEP = (AMPLITUDE * 2 * Math.PI * TONE_HZ) / RATE;
export const EPOCH_MS = 1_700_000_000_000;
const START_S = 1_000; // of the output, when the sender's first sample is spoken
const BLEND = 120;

/** Header bytes of frames of each length: CELT at full band, stereo, one frame in the packet. */
const HEADERS = new Map([
  [120, 0xe4],
  [240, 0xec],
  [480, 0xf4],
  [960, 0xfc],
]);
const FEC_HEADER = [0x4c, 0x40]; // SILK, wide band, 20 ms, stereo; its copy's flag is set

/** @typedef {import('../../../webrtc/static/client/playout/types.js').EncodedFrame} EncodedFrame */
/** @typedef {EncodedFrame & { atS: number }} Sent A frame and when it reaches the processor. */

/**
 * Return a frame that `ToneDecoder` plays as the tone at `position`.
 *
 * @param {number} position
 * @param {number} samples
 * @param {boolean} fec
 */
export function payloadOf(position, samples, fec = false) {
  const head = fec ? FEC_HEADER : [HEADERS.get(samples) ?? 0, 0];
  const payload = new Uint8Array(10);
  payload.set(head);
  new DataView(payload.buffer).setFloat64(2, position);
  return payload.buffer;
}

export const DTX = Uint8Array.of(0xf4).buffer;

/**
 * Plays each payload as a stretch of one endless tone; notes what it was asked for.
 *
 * Like a real decoder it conceals by going on as before, and blends what it decodes next over the
 * first 2.5 ms, so that a click in the output is a click of the playout.
 */
export class ToneDecoder {
  /** @type {number[]} */
  decoded = [];
  /** @type {number[]} */
  repaired = [];
  concealed = 0;
  resets = 0;
  /** @type {number | null} */
  #next = null;

  /**
   * @param {Uint8Array} payload
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} at
   */
  decode(payload, left, right, at) {
    const samples = samplesOf(payload);
    if (payload.length <= 2) {
      this.conceal(samples, left, right, at);
      this.concealed -= samples;
      return samples;
    }
    const position = positionOf(payload);
    if (Number.isNaN(position)) return -4;
    this.decoded.push(position);
    this.#play(position, samples, left, right, at);
    return samples;
  }

  /**
   * @param {Uint8Array} payload
   * @param {number} samples
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} at
   */
  decodeFec(payload, samples, left, right, at) {
    const position = positionOf(payload) - samples;
    this.repaired.push(position);
    this.#play(position, samples, left, right, at);
    return samples;
  }

  /**
   * @param {number} samples
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} at
   */
  conceal(samples, left, right, at) {
    this.concealed += samples;
    this.#play(this.#next ?? 0, samples, left, right, at, this.#next === null ? 0 : AMPLITUDE);
    return samples;
  }

  reset() {
    this.resets += 1;
    this.#next = null;
  }

  /**
   * @param {number} position
   * @param {number} samples
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} at
   */
  #play(position, samples, left, right, at, amplitude = AMPLITUDE) {
    const before = this.#next;
    for (let index = 0; index < samples; index += 1) {
      let sample = amplitude * tone(position + index);
      if (before !== null && before !== position && index < BLEND) {
        const rise = (index + 0.5) / BLEND;
        sample = sample * rise + amplitude * tone(before + index) * (1 - rise);
      }
      left[at + index] = sample;
      right[at + index] = -sample;
    }
    this.#next = position + samples;
  }
}

const PERIOD = RATE / TONE_HZ;
const TABLE = Float64Array.from({ length: PERIOD }, (_, index) =>
  Math.sin((2 * Math.PI * index) / PERIOD),
);

/** @param {number} position */
function tone(position) {
  return at(TABLE, position % PERIOD);
}

/** @param {Uint8Array} payload */
function positionOf(payload) {
  return new DataView(payload.buffer, payload.byteOffset).getFloat64(2);
}

/** A seeded generator of numbers from 0 to 1 (mulberry32). @param {number} seed */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Delays drawn evenly from 20 ms to `spreadMs` more.
 *
 * @param {number} seed
 * @param {number} spreadMs
 */
export function jittered(seed, spreadMs) {
  const random = seeded(seed);
  return () => 20 + random() * spreadMs;
}

/**
 * Frames of an even stream in the order sent.
 *
 * @param {number} count
 * @param {object} [options]
 * @param {number} [options.samples]
 * @param {number} [options.sequence] Of the first frame.
 * @param {number} [options.timestamp] Of the first frame.
 * @param {(index: number) => number} [options.delayMs]
 * @param {number} [options.ppm] How much faster the sender's clock runs.
 * @param {boolean} [options.fec]
 * @param {(index: number) => ArrayBuffer} [options.payload]
 * @returns {Sent[]}
 */
export function stream(count, options = {}) {
  const { samples = 480, sequence = 0, timestamp = 0, ppm = 0, fec = false } = options;
  const delayMs = options.delayMs ?? (() => 20);
  const payload = options.payload ?? ((index) => payloadOf(index * samples, samples, fec));
  return Array.from({ length: count }, (_, index) => {
    const spokenS = ((index + 1) * samples) / RATE / (1 + ppm * 1e-6);
    const atS = START_S + spokenS + delayMs(index) / 1000;
    return {
      sequence: (sequence + index) % 2 ** 16,
      timestamp: (timestamp + index * samples) % 2 ** 32,
      payload: payload(index),
      arrivalMs: EPOCH_MS + atS * 1000,
      handedMs: EPOCH_MS + Math.floor(atS * 1000),
      atS,
    };
  });
}

/** One playout and what came out of it. */
export class World {
  /**
   * @param {object} [options]
   * @param {number} [options.rateHz]
   * @param {number} [options.batch] Quanta that the output asks for at once.
   * @param {import('../../../webrtc/static/client/playout/sound_maker.js').FrameDecoder}
   *   [options.decoder]
   * @param {boolean} [options.keep] Whether to keep the sound.
   */
  constructor({ rateHz = RATE, batch = 1, decoder = new ToneDecoder(), keep = true } = {}) {
    this.decoder = decoder;
    this.rateHz = rateHz;
    this.playout = new Playout(decoder, rateHz);
    this.#mirrored = decoder instanceof ToneDecoder;
    this.#batch = batch;
    this.#keep = keep;
    this.#quantum = Math.floor((START_S * rateHz) / QUANTUM / batch) * batch;
  }

  #mirrored;
  #batch;
  #keep;
  #quantum;
  #polledS = -Infinity;
  /** @type {number[]} */
  sound = [];
  #left = new Float32Array(QUANTUM);
  #right = new Float32Array(QUANTUM);

  get nowS() {
    return (this.#quantum * QUANTUM) / this.rateHz;
  }

  get stats() {
    return this.playout.stats();
  }

  /**
   * Let time go on until `untilS` (from the sender's start); frames come as they are due, those of
   * earlier calls not again.
   *
   * @param {Sent[]} frames
   * @param {number} untilS
   * @param {(world: World, left: Float32Array) => void} [each] After each quantum.
   */
  run(frames, untilS, each) {
    const due = frames
      .filter((frame) => frame.atS > this.#polledS)
      .sort((one, other) => one.atS - other.atS);
    let next = 0;
    while (this.nowS < START_S + untilS) {
      if (this.#quantum % this.#batch === 0) {
        for (let frame = due[next]; frame && frame.atS <= this.nowS; frame = due[next]) {
          this.playout.push(frame, this.nowS);
          next += 1;
        }
        this.#polledS = this.nowS;
      }
      this.playout.pull(this.#left, this.#right, this.nowS);
      if (this.#mirrored) assertMirrored(this.#left, this.#right);
      if (this.#keep) this.sound.push(...this.#left);
      each?.(this, this.#left);
      this.#quantum += 1;
    }
    return this;
  }
}

/**
 * Play a stream to its end.
 *
 * @param {Sent[]} frames
 * @param {ConstructorParameters<typeof World>[0]} [options]
 */
export function play(frames, options) {
  const last = frames.reduce((latest, frame) => Math.max(latest, frame.atS), 0);
  return new World(options).run(frames, last - START_S);
}

/**
 * The tone's right channel is its left one upside down, whatever is done to it.
 *
 * @param {Float32Array} left
 * @param {Float32Array} right
 */
function assertMirrored(left, right) {
  for (let index = 0; index < left.length; index += 1) {
    assert.ok(at(left, index) + at(right, index) === 0, 'the channels went different ways');
  }
}

/** Greatest step from sample to sample. @param {ArrayLike<number>} sound */
export function greatestStep(sound) {
  let greatest = 0;
  for (let index = 1; index < sound.length; index += 1) {
    greatest = Math.max(greatest, Math.abs(at(sound, index) - at(sound, index - 1)));
  }
  return greatest;
}

/** Greatest magnitude. @param {ArrayLike<number>} sound */
export function peak(sound) {
  let greatest = 0;
  for (let index = 0; index < sound.length; index += 1) {
    greatest = Math.max(greatest, Math.abs(at(sound, index)));
  }
  return greatest;
}

/**
 * Return the phase of a tone in some sound, in turns from −½ to ½.
 *
 * @param {ArrayLike<number>} sound
 * @param {number} hz
 * @param {number} rateHz
 * @param {number} start Index that phase 0 belongs to.
 */
export function phaseOf(sound, hz, rateHz, start = 0) {
  let sine = 0;
  let cosine = 0;
  for (let index = 0; index < sound.length; index += 1) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / sound.length);
    const turn = (2 * Math.PI * hz * (start + index)) / rateHz;
    sine += window * at(sound, index) * Math.sin(turn);
    cosine += window * at(sound, index) * Math.cos(turn);
  }
  return Math.atan2(cosine, sine) / (2 * Math.PI);
}

/**
 * @param {ArrayLike<number>} sound
 * @param {number} index
 */
function at(sound, index) {
  return /** @type {number} */ (sound[index]);
}
