import assert from 'node:assert/strict';
import test from 'node:test';

import { DecoderWatch } from '../../webrtc/static/client/decoder_watch.js';

/** Looks twice a second at receivers, by name; each tells how it goes on from second to second. */
function watched() {
  const watch = new DecoderWatch();
  /** @type {Map<string, any>} */
  const entries = new Map();
  let now = 0;
  return {
    watch,
    /**
     * @param {number} ms
     * @param {Record<string, { packets?: number, emitted?: number, playedS?: number }>} receivers
     *   What each counts in a second.
     * @returns {number | null} When it was starved for the first time.
     */
    see(ms, receivers) {
      for (const end = now + ms; now < end; ) {
        now += 500;
        for (const [id, { packets = 50, emitted = 48_000, playedS = 1 }] of Object.entries(
          receivers,
        )) {
          const entry = entries.get(id) ?? {
            ...{ id, type: 'inbound-rtp', kind: 'audio', packetsReceived: 0 },
            ...{ jitterBufferEmittedCount: 0, totalSamplesDuration: 0 },
          };
          entry.packetsReceived += packets / 2;
          entry.jitterBufferEmittedCount += emitted / 2;
          entry.totalSamplesDuration += playedS / 2;
          entries.set(id, entry);
        }
        if (watch.isStarved(entries.values(), now)) return now;
      }
      return null;
    },
  };
}

test('a receiver that decodes is well', () => {
  assert.equal(watched().see(20_000, { mix: {} }), null);
});

test('one whose packets never reach the decoder is found out after 1.5 s', () => {
  assert.equal(watched().see(20_000, { mix: { emitted: 0 } }), 2000);
});

test('so is one of several, and one that stops', () => {
  assert.equal(watched().see(20_000, { mix: {}, voice: { emitted: 0 } }), 2000);
  const it = watched();
  assert.equal(it.see(5000, { mix: {} }), null);
  assert.equal(it.see(20_000, { mix: { emitted: 0 } }), 6500);
});

test('nothing is wrong where hardly anything comes, or nobody plays it', () => {
  assert.equal(watched().see(20_000, { mix: { emitted: 0, packets: 1 } }), null);
  assert.equal(watched().see(20_000, { mix: { emitted: 0, playedS: 0 } }), null);
});

test('after a reset the time before does not count', () => {
  const it = watched();
  assert.equal(it.see(1500, { mix: { emitted: 0 } }), null);
  it.watch.reset();
  assert.equal(it.see(1500, { mix: { emitted: 0 } }), null);
  assert.equal(it.see(500, { mix: { emitted: 0 } }), 3500);
});

test('what does not tell, or is no sound, is not judged', () => {
  const watch = new DecoderWatch();
  for (const now of [0, 1000, 2000, 3000]) {
    const counts = { packetsReceived: now, totalSamplesDuration: now / 1000 };
    const mute = { id: 'a', type: 'inbound-rtp', kind: 'audio', ...counts };
    const film = { ...mute, id: 'b', kind: 'video', jitterBufferEmittedCount: 0 };
    const other = { ...film, id: 'c', type: 'outbound-rtp', kind: 'audio' };
    assert.equal(watch.isStarved([mute, film, other], now), false);
  }
});
