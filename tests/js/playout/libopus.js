/**
 * The real libopus, and an encoder for what the tests want to hear.
 */

// @ts-expect-error The package has types only for its own wrapper.
import createLibopus from '../../../node_modules/libopus-wasm/dist/generated/libopus.generated.mjs';

const VOIP = 2048;
const LOW_DELAY = 2051;
const SET_BITRATE = 4002;
const SET_FEC = 4012;
const SET_LOSS = 4014;
const MAX_BYTES = 1_500;

/**
 * @typedef {import('../../../webrtc/static/client/playout/decoder.js').Libopus & {
 *   _oc_create_encoder: (rateHz: number, channels: number, application: number, error: number) =>
 *     number,
 *   _oc_destroy_encoder: (encoder: number) => void,
 *   _oc_encoder_ctl: (encoder: number, request: number, value: number) => number,
 *   _oc_encode_float: (encoder: number, pcm: number, samples: number, packet: number,
 *     bytes: number) => number,
 * }} FullLibopus
 */

/** @type {Promise<FullLibopus>} */
const loading = createLibopus();

/** One for all tests of a file. */
export function libopus() {
  return loading;
}

/**
 * Encode a stereo sound.
 *
 * @param {number} count Packets.
 * @param {number} samples Of each.
 * @param {(index: number) => number} left
 * @param {(index: number) => number} right
 * @param {object} [options]
 * @param {boolean} [options.speech] At 32 kbit/s with in-band FEC, for 20 % loss; else music at 96.
 * @returns {Promise<Uint8Array[]>}
 */
export async function encoded(count, samples, left, right, { speech = false } = {}) {
  const library = await libopus();
  const pcm = library._malloc(samples * 8);
  const packet = library._malloc(MAX_BYTES);
  const encoder = library._oc_create_encoder(48_000, 2, speech ? VOIP : LOW_DELAY, pcm);
  library._oc_encoder_ctl(encoder, SET_BITRATE, speech ? 32_000 : 96_000);
  library._oc_encoder_ctl(encoder, SET_FEC, Number(speech));
  library._oc_encoder_ctl(encoder, SET_LOSS, speech ? 20 : 0);
  const packets = [];
  for (let first = 0; first < count * samples; first += samples) {
    for (let index = 0; index < samples; index += 1) {
      library.HEAPF32[pcm / 4 + 2 * index] = left(first + index);
      library.HEAPF32[pcm / 4 + 2 * index + 1] = right(first + index);
    }
    const bytes = library._oc_encode_float(encoder, pcm, samples, packet, MAX_BYTES);
    packets.push(library.HEAPU8.slice(packet, packet + bytes));
  }
  library._oc_destroy_encoder(encoder);
  library._free(packet);
  library._free(pcm);
  return packets;
}
