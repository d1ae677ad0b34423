/**
 * Frames from the worker to the audio thread through shared memory, where the page is isolated from
 * other origins: no message has to be made, sent and woken up for.
 *
 * A ring of equal places, with one writer and one reader. The writer alone moves `WRITTEN`, the
 * reader alone `READ`; both only count up. A full ring takes nothing more: its reader has stopped,
 * and what it would find is too old to be played, so the reader throws a full ring away.
 */

const PLACES = 64; // two thirds of a second of the shortest usual packets
const PLACE_BYTES = 1536; // more than a packet on the network holds
const WRITTEN = 0;
const READ = 1;
const COUNTERS_BYTES = 8;
/** Of a place: two times (64 bits), timestamp, sequence, bytes of the payload (32 bits each). */
const PAYLOAD_AT = 28;

/** @typedef {import('./types.js').EncodedFrame} EncodedFrame */

export class FrameRing {
  #counters;
  #places;
  #bytes;

  /** @param {SharedArrayBuffer} memory From `allocate`, the same at both ends. */
  constructor(memory) {
    this.#counters = new Int32Array(memory, 0, 2);
    this.#places = new DataView(memory, COUNTERS_BYTES);
    this.#bytes = new Uint8Array(memory, COUNTERS_BYTES);
  }

  static allocate() {
    return new SharedArrayBuffer(COUNTERS_BYTES + PLACES * PLACE_BYTES);
  }

  /**
   * @param {EncodedFrame} frame
   * @returns {boolean} False: there was no room for it.
   */
  put({ sequence, timestamp, payload, arrivalMs, handedMs }) {
    const written = Atomics.load(this.#counters, WRITTEN);
    const waiting = (written - Atomics.load(this.#counters, READ)) | 0;
    if (waiting >= PLACES || payload.byteLength > PLACE_BYTES - PAYLOAD_AT) return false;
    const at = placeOf(written);
    this.#places.setFloat64(at, arrivalMs);
    this.#places.setFloat64(at + 8, handedMs);
    this.#places.setUint32(at + 16, timestamp);
    this.#places.setUint32(at + 20, sequence);
    this.#places.setUint32(at + 24, payload.byteLength);
    this.#bytes.set(new Uint8Array(payload), at + PAYLOAD_AT);
    Atomics.store(this.#counters, WRITTEN, (written + 1) | 0);
    return true;
  }

  /**
   * Hand out what has come since the last call, the oldest first.
   *
   * @param {(frame: EncodedFrame) => void} receive
   */
  drain(receive) {
    const written = Atomics.load(this.#counters, WRITTEN);
    let read = Atomics.load(this.#counters, READ);
    if (((written - read) | 0) < PLACES) {
      for (; read !== written; read = (read + 1) | 0) receive(this.#frameAt(placeOf(read)));
    }
    Atomics.store(this.#counters, READ, written);
  }

  /** @param {number} at */
  #frameAt(at) {
    const start = at + PAYLOAD_AT;
    return {
      arrivalMs: this.#places.getFloat64(at),
      handedMs: this.#places.getFloat64(at + 8),
      timestamp: this.#places.getUint32(at + 16),
      sequence: this.#places.getUint32(at + 20),
      // A typed array's slice is a copy in memory of its own, whatever it was cut from.
      payload: this.#bytes.slice(start, start + this.#places.getUint32(at + 24)).buffer,
    };
  }
}

/** @param {number} count Which wraps around. */
function placeOf(count) {
  return ((count >>> 0) % PLACES) * PLACE_BYTES;
}
