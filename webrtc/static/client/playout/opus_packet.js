/**
 * What an Opus packet says of itself in its first bytes (RFC 6716, section 3).
 */

export const SAMPLE_RATE_HZ = 48_000;
export const MAX_PACKET_SAMPLES = 5_760;

/** Samples of one frame by configuration number, table 2. */
const FRAME_SAMPLES = [
  ...[480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880],
  ...[480, 960, 480, 960],
  ...[120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960],
];
const FIRST_CELT = 16;
const SILK_FRAME = 960;

/**
 * Return the duration of a packet in samples at 48 kHz, 120 to 5760; 0 where its header breaks
 * rule R1, R5 or R6 of section 3.4.
 *
 * @param {Uint8Array} payload
 */
export function samplesOf(payload) {
  const toc = payload[0];
  if (toc === undefined) return 0;
  const samples = /** @type {number} */ (FRAME_SAMPLES[toc >> 3]);
  const code = toc & 3;
  if (code === 0) return samples;
  if (code !== 3) return 2 * samples;
  const all = samples * ((payload[1] ?? 0) & 0x3f);
  return all <= MAX_PACKET_SAMPLES ? all : 0;
}

/**
 * Return whether a packet only says that its sender is silent: a header and at most one byte.
 *
 * @param {Uint8Array} payload
 */
export function isDtx(payload) {
  return payload.length <= 2;
}

/**
 * Return whether a packet carries a copy of the one before it (LBRR: sections 2.1.7 and 4.2.4).
 *
 * Only packets of one frame are looked into; senders of real-time sound make no others.
 *
 * @param {Uint8Array} payload
 */
export function carriesFec(payload) {
  const toc = payload[0];
  const flags = payload[1];
  if (toc === undefined || flags === undefined) return false;
  if (isDtx(payload) || toc >> 3 >= FIRST_CELT || (toc & 3) !== 0) return false;
  const silkFrames = Math.max(1, samplesOf(payload) / SILK_FRAME);
  const middle = (flags >> (7 - silkFrames)) & 1;
  const side = (flags >> (6 - 2 * silkFrames)) & 1;
  return middle === 1 || ((toc & 4) !== 0 && side === 1);
}
