import assert from 'node:assert/strict';
import test from 'node:test';

import { showArchive } from '../../webrtc/static/app/archive_light.js';
import { Refusal, SessionsApi } from '../../webrtc/static/app/sessions/api.js';
import { facts, formatName, length, level, wavePath } from '../../webrtc/static/app/sessions/words.js';

/** @param {() => Response} answer */
function apiWith(answer) {
  /** @type {[string, RequestInit | undefined][]} */
  const asked = [];
  const api = new SessionsApi('key', async (path, init) => {
    asked.push([String(path), init]);
    return answer();
  });
  return { api, asked };
}

test('the key goes in a header, and what names a session cannot change the address', async () => {
  const { api, asked } = apiWith(() => Response.json({}));
  await api.list(null);
  await api.list('a&b');
  await api.info('../rooms', 2);
  await api.setArchive('a/b', true);
  assert.deepEqual(
    asked.map(([path]) => path),
    [
      'api/sessions',
      'api/sessions?cursor=a%26b',
      'api/session/..%2Frooms/info?choice=2',
      'api/rooms/a%2Fb',
    ],
  );
  for (const [path, init] of asked) {
    assert.equal(new Headers(init?.headers).get('Authorization'), 'Bearer key');
    assert.ok(!path.includes('key'));
  }
  assert.equal(asked[3]?.[1]?.body, '{"archive":true}');
});

test('nothing to say is no trouble; a refusal says why, in whatever words there are', async () => {
  assert.equal(await apiWith(() => new Response(null, { status: 204 })).api.remove('a'), null);
  const problem = { reason: 'forbidden', detail: 'Not yours.' };
  await assert.rejects(apiWith(() => Response.json(problem, { status: 403 })).api.stop('a'), (error) => {
    assert.ok(error instanceof Refusal);
    assert.deepEqual([error.reason, error.message], ['forbidden', 'Not yours.']);
    return true;
  });
  const page = () => new Response('<html>', { status: 502, statusText: 'Bad Gateway' });
  await assert.rejects(apiWith(page).api.stop('a'), /Bad Gateway/);
});

test('lengths, levels and formats are written as people do', () => {
  assert.deepEqual([0, 59.6, 65, 3601].map(length), ['0:00', '1:00', '1:05', '1:00:01']);
  assert.equal(level(-3.06), '−3.1');
  assert.equal(level(-120), '−∞');
  assert.equal(formatName({ encoding: 'int16', sample_rate_hz: 44_100, channels: 2 }), 'int16, 44.1 kHz, stereo');
  const nothing = /** @type {any} */ ({ analysis: null, format: null, kept: null, guess: null });
  assert.deepEqual(facts(nothing), []);
  assert.deepEqual(facts({ ...nothing, kept: { from_s: 5, to_s: 65 }, guess: { container: 'flac' } }), [
    ['Kept', '1:00'],
    ['File', 'FLAC'],
  ]);
});

test('a waveform stays in its field, and silence is a line', () => {
  assert.equal(wavePath([]), '');
  assert.equal(wavePath([0, 7]), 'M0.5 0.495V0.505M1.5 0.020V0.980');
});

test('everybody is told in words that the archive is on', () => {
  const light = /** @type {HTMLElement} */ (
    /** @type {unknown} */ ({ dataset: {}, textContent: '', title: '' })
  );
  showArchive(light, { archive: true });
  assert.deepEqual([light.dataset.archive, light.textContent], ['on', 'Archive on']);
  for (const settings of [{ archive: false }, {}, null]) {
    showArchive(light, settings);
    assert.deepEqual([light.dataset.archive, light.textContent, light.title], ['off', '', '']);
  }
});
