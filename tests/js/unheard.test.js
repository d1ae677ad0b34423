import assert from 'node:assert/strict';
import test from 'node:test';

import { soloWords, soloed } from '../../webrtc/static/app/desk/solo_light.js';
import { Troubles } from '../../webrtc/static/app/troubles.js';
import { VoiceWatch } from '../../webrtc/static/app/unheard.js';

/** @param {(look: number) => number} levelDb @param {number} looks */
function isNoticed(levelDb, looks) {
  const watch = new VoiceWatch();
  return Array.from({ length: looks }, (_, look) => watch.look(levelDb(look))).some(Boolean);
}

test('whoever talks for a second with the microphone off is noticed', () => {
  const syllables = (/** @type {number} */ look) => (look % 5 < 3 ? -25 : -58);
  assert.ok(isNoticed(syllables, 20));
  assert.ok(isNoticed((look) => (look < 15 ? -70 : syllables(look)), 35), 'after a while of silence');
});

test('a cough, a fan, a whisper and nothing at all are not', () => {
  assert.ok(!isNoticed((look) => (look === 20 || look === 21 ? -15 : -65), 600), 'a cough');
  assert.ok(!isNoticed((look) => -38 + (look % 3), 600), 'a fan');
  assert.ok(!isNoticed((look) => (look % 5 < 3 ? -55 : -80), 600), 'far away');
  assert.ok(!isNoticed(() => -Infinity, 600), 'nothing is open');
});

test('a fan that is switched on is not taken for a voice for long', () => {
  const watch = new VoiceWatch();
  for (let look = 0; look < 50; look += 1) watch.look(-70);
  const noticed = Array.from({ length: 300 }, () => watch.look(-40));
  assert.equal(noticed.at(-1), false);
});

test('the lamp names whom one hears alone', () => {
  const person = (/** @type {string} */ name, solo = true, isMe = false) =>
    /** @type {any} */ ({ participantId: name, name, isMe, mix: { solo } });
  const all = ['Ada', 'Grace', 'Edsger', 'Hedy'].map((name) => person(name));
  assert.equal(soloWords(all.slice(0, 2)), 'Solo: Ada, Grace');
  assert.equal(soloWords(all), 'Solo: Ada, Grace, 2 more');
  const people = new Map([person('me', true, true), person('Bela', false), ...all].map((one) => [one.name, one]));
  assert.deepEqual(soloed(people), all);
});

test('who sends more than the server takes is told so as long as it is so', () => {
  const shown = new Map();
  const troubles = new Troubles(
    /** @type {any} */ ({
      show: (/** @type {string} */ subject, /** @type {object} */ notice) => shown.set(subject, notice),
      clear: (/** @type {string} */ subject) => shown.delete(subject),
    }),
    /** @type {any} */ ({}),
  );
  const told = [0, 0, 3, 9, 9, 0, 2].map((packets) => {
    troubles.aboveBitrate(packets);
    return shown.has('bitrate');
  });
  assert.deepEqual(told, [false, false, true, true, false, false, true]);
});
