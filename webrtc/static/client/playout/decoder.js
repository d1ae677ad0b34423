/**
 * One Opus decoder inside the WebAssembly build of libopus, 48 kHz, always two channels out.
 *
 * It decodes into its own memory and copies from there, so nothing is allocated after construction.
 * Results are samples written, or libopus's error code, which is negative.
 */

import { MAX_PACKET_SAMPLES, SAMPLE_RATE_HZ } from './opus_packet.js';

/** Greatest payload taken; libopus itself makes none above 1276 bytes a frame. */
export const MAX_PAYLOAD_BYTES = 4_000;
const CHANNELS = 2;
const FLOAT_BYTES = 4;
const INVALID_PACKET = -4; // OPUS_INVALID_PACKET

/**
 * What is used of the package `libopus-wasm`: an instance of its Emscripten module.
 *
 * @typedef {object} Libopus
 * @property {Uint8Array} HEAPU8
 * @property {Int32Array} HEAP32
 * @property {Float32Array} HEAPF32
 * @property {(bytes: number) => number} _malloc
 * @property {(pointer: number) => void} _free
 * @property {(rateHz: number, channels: number, error: number) => number} _oc_create_decoder
 * @property {(decoder: number) => void} _oc_destroy_decoder
 * @property {(decoder: number, payload: number, bytes: number, pcm: number, samples: number,
 *   fec: number) => number} _oc_decode_float
 */

export class OpusDecoder {
  #library;
  #state;
  #payload;
  #pcm;

  /**
   * @param {Libopus} library
   * @throws {Error} libopus has no memory left.
   */
  constructor(library) {
    this.#library = library;
    this.#payload = library._malloc(MAX_PAYLOAD_BYTES);
    this.#pcm = library._malloc(MAX_PACKET_SAMPLES * CHANNELS * FLOAT_BYTES);
    this.#state = this.#create();
    if (!this.#payload || !this.#pcm) throw new Error('libopus: no memory');
  }

  #create() {
    const { _oc_create_decoder: create } = this.#library;
    const state = create(SAMPLE_RATE_HZ, CHANNELS, this.#pcm);
    if (!state) throw new Error('libopus: no memory');
    return state;
  }

  /**
   * Decode a packet to index `at` of both planes.
   *
   * @param {Uint8Array} payload
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} at
   */
  decode(payload, left, right, at) {
    return this.#run(payload, MAX_PACKET_SAMPLES, 0, left, right, at);
  }

  /**
   * Decode the copy of the packet before `payload` that it carries.
   *
   * @param {Uint8Array} payload
   * @param {number} samples Of that packet; asked for less, libopus would conceal.
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} at
   */
  decodeFec(payload, samples, left, right, at) {
    return this.#run(payload, samples, 1, left, right, at);
  }

  /**
   * Make up `samples`, a multiple of 120, as if their packet were lost.
   *
   * @param {number} samples
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} at
   */
  conceal(samples, left, right, at) {
    const made = this.#library._oc_decode_float(this.#state, 0, 0, this.#pcm, samples, 0);
    this.#copy(made, left, right, at);
    return made;
  }

  /** Forget everything decoded so far. The package has no OPUS_RESET_STATE: start a new one. */
  reset() {
    this.#library._oc_destroy_decoder(this.#state);
    this.#state = this.#create();
  }

  /** Give the memory back; the decoder cannot be used again. */
  free() {
    this.#library._oc_destroy_decoder(this.#state);
    this.#library._free(this.#pcm);
    this.#library._free(this.#payload);
  }

  /**
   * @param {Uint8Array} payload
   * @param {number} samples
   * @param {number} fec
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} at
   */
  #run(payload, samples, fec, left, right, at) {
    const bytes = payload.length;
    // libopus would read an empty payload as a lost packet.
    if (bytes === 0 || bytes > MAX_PAYLOAD_BYTES) return INVALID_PACKET;
    const library = this.#library;
    library.HEAPU8.set(payload, this.#payload);
    const made = library._oc_decode_float(
      this.#state,
      this.#payload,
      bytes,
      this.#pcm,
      samples,
      fec,
    );
    this.#copy(made, left, right, at);
    return made;
  }

  /**
   * @param {number} samples
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} at
   */
  #copy(samples, left, right, at) {
    const pcm = this.#library.HEAPF32;
    let place = this.#pcm / FLOAT_BYTES;
    for (let index = at; index < at + samples; index += 1) {
      left[index] = /** @type {number} */ (pcm[place]);
      right[index] = /** @type {number} */ (pcm[place + 1]);
      place += CHANNELS;
    }
  }
}
