import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { parseFmtp, prefersRed, readPtimeMs, tuneOpus } from '../../webrtc/static/client/sdp.js';

const SPEECH = /** @type {const} */ ({ mode: 'speech', ptimeMs: 10 });
const MUSIC = /** @type {const} */ ({ mode: 'music', ptimeMs: 10 });

/** @param {string} browser */
const golden = (browser) =>
  readFile(new URL(`golden/${browser}_offer.sdp`, import.meta.url), 'utf8');

/** @param {string} sdp */
function opusFmtp(sdp) {
  const payloadType = /a=rtpmap:(\d+) opus/.exec(sdp)?.[1];
  return parseFmtp(new RegExp(`a=fmtp:${payloadType} (.*)`).exec(sdp)?.[1] ?? '');
}

for (const browser of ['chromium', 'firefox']) {
  test(`an offer of ${browser} asks for stereo, FEC, DTX and 10 ms`, async () => {
    const tuned = tuneOpus(await golden(browser), SPEECH);
    const parameters = opusFmtp(tuned);
    for (const name of ['stereo', 'sprop-stereo', 'useinbandfec', 'usedtx']) {
      assert.equal(parameters.get(name)?.trim(), '1', name);
    }
    assert.equal(parameters.get('minptime'), '10');
    assert.equal(readPtimeMs(tuned), 10);
  });

  test(`in music mode an offer of ${browser} never lets silence go unsent`, async () => {
    const speech = tuneOpus(await golden(browser), SPEECH);
    assert.equal(opusFmtp(tuneOpus(speech, MUSIC)).has('usedtx'), false);
  });

  test(`an offer of ${browser} is otherwise left as it is`, async () => {
    const before = await golden(browser);
    const after = tuneOpus(before, SPEECH);
    /** @param {string} sdp */
    const others = (sdp) => {
      const opus = /a=rtpmap:(\d+) opus/.exec(sdp)?.[1];
      return sdp
        .split('\r\n')
        .filter((line) => !line.startsWith(`a=fmtp:${opus} `) && !line.startsWith('a=ptime:'));
    };
    assert.deepEqual(others(after), others(before));
    assert.equal(after.endsWith('\r\n'), true);
  });

  test(`tuning an offer of ${browser} twice changes nothing more`, async () => {
    const once = tuneOpus(await golden(browser), SPEECH);
    assert.equal(tuneOpus(once, SPEECH), once);
  });
}

test('what a browser said before stands beside our wishes', async () => {
  const parameters = opusFmtp(tuneOpus(await golden('firefox'), SPEECH));
  assert.equal(parameters.get('maxplaybackrate'), '48000');
});

test('an fmtp line is made where there is none', () => {
  const sdp = 'v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 opus/48000/2\na=sendrecv\n';
  assert.equal(opusFmtp(tuneOpus(sdp, SPEECH)).get('stereo'), '1');
});

test('sections without Opus and other media stay untouched', () => {
  const sdp =
    'v=0\r\nm=audio 9 X 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 9 X 96\r\na=rtpmap:96 VP8/90000\r\n';
  assert.equal(tuneOpus(sdp, SPEECH), sdp);
});

test('a packet time that is not there is not made up', () => {
  assert.equal(readPtimeMs('v=0\r\nm=audio 9 X 0\r\n'), undefined);
});

test('RED is preferred when it stands before Opus', async () => {
  const sdp = await golden('chromium');
  const red = /a=rtpmap:(\d+) red/.exec(sdp)?.[1];
  assert.equal(prefersRed(sdp), false);
  assert.equal(prefersRed(sdp.replace(/^(m=audio \S+ \S+) (.*)/m, `$1 ${red} $2`)), true);
  assert.equal(prefersRed(await golden('firefox')), false);
  assert.equal(prefersRed('v=0\r\n'), false);
});
