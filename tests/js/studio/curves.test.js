import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { compressedDb, makeupDb, reductionDb } from '../../../webrtc/static/app/studio/dynamics.js';
import { bandSection, chainDb, lowCutSection } from '../../../webrtc/static/app/studio/sections.js';
import { DENOISERS, GENRES, PRESETS, SCALES, SWITCHES } from '../../../webrtc/static/app/studio/settings.js';
import { STAGES, isOn, resting, switched } from '../../../webrtc/static/app/studio/stages.js';

/** Written by tests/js/golden/studio.py from the server's code. */
const golden = JSON.parse(readFileSync(new URL('../golden/studio.json', import.meta.url), 'utf8'));

/** @param {number} value @param {number} expected @param {number} within @param {string} [what] */
const near = (value, expected, within, what = '') =>
  assert.ok(Math.abs(value - expected) <= within, `${what}: ${value}, not ${expected}`);

test('bands of the equaliser are drawn as the server computes them', () => {
  assert.ok(golden.bands.length > 5);
  for (const { shape, hz, gain_db: gainDb, q, response } of golden.bands) {
    const section = bandSection(shape, hz, gainDb, q);
    for (const [at, db] of response) near(chainDb([section], at), db, 1e-3, `${shape} ${hz} at ${at}`);
  }
});

test('the low cut is drawn as the server computes it, and sections in series add up', () => {
  for (const { hz, response } of golden.low_cuts) {
    for (const [at, db] of response) near(chainDb([lowCutSection(hz)], at), db, 1e-3, `${hz} at ${at}`);
  }
  const [first, second] = golden.bands;
  const sections = [first, null, second].map((one) =>
    one ? bandSection(one.shape, one.hz, one.gain_db, one.q) : null,
  );
  near(chainDb(sections, 50), first.response[1][1] + second.response[1][1], 1e-3);
});

test('the transfer curve of the compressor is the server’s, knee and make-up included', () => {
  for (const one of golden.compressors) {
    const settings = {
      thresholdDb: one.threshold_db,
      ratio: one.ratio,
      kneeDb: one.knee_db,
      makeupDb: one.makeup_db,
      autoMakeup: one.auto_makeup,
    };
    near(makeupDb(settings), one.total_makeup_db, 1e-5);
    for (const [level, gain] of one.reduction) {
      near(reductionDb(settings, level), gain, 1e-5, `at ${level}`);
      near(compressedDb(settings, level), level + gain + one.total_makeup_db, 1e-5);
    }
  }
});

test('knobs and switches have the ranges and defaults of the protocol, and none is missing', () => {
  const elsewhere = ['genre', 'preset', 'profile', 'denoise', ...Object.values(STAGES).map(({ bypass }) => bypass)];
  assert.deepEqual(
    [...Object.keys(SCALES), ...SWITCHES, ...elsewhere].sort(),
    Object.keys(golden.settings).sort(),
  );
  for (const [name, scale] of Object.entries(SCALES)) {
    const { min, max, initial } = golden.settings[name];
    assert.deepEqual([scale.min, scale.max, scale.initial], [min, max, initial], name);
    near(scale.positionOf(scale.valueAt(0.3)), 0.3, 0.05, name);
    assert.ok(scale.format(scale.max) && scale.words(scale.min));
  }
  for (const name of SWITCHES) assert.equal(golden.settings[name].initial, false);
  assert.deepEqual(Object.keys(PRESETS).sort(), golden.presets);
  assert.deepEqual(Object.keys(GENRES).sort(), golden.genres);
  const { off, ...engines } = DENOISERS;
  assert.deepEqual(off, { text: 'Off', takes: 'nothing', latencyMs: 0, us: 0 });
  const costs = Object.entries(engines).map(([name, { latencyMs, us }]) => [name, latencyMs, us]);
  assert.deepEqual(costs.sort(), golden.denoisers);
});

test('every value that a knob shows can be typed into its field', () => {
  for (const [name, scale] of Object.entries(SCALES)) {
    if (name === 'pan') continue;
    for (const position of [0, 0.2, 0.5, 0.9, 1]) {
      const value = scale.valueAt(position);
      const typed = scale.parse(scale.format(value));
      assert.ok(typed !== null, `${name}: ${scale.format(value)}`);
      near(typed, value, Math.abs(value) * 0.01 + 0.051, name);
    }
  }
});

test('a stage’s switch starts what does nothing, passes by what acts, and brings it back', () => {
  const values = Object.fromEntries(
    Object.entries(golden.settings).map(([name, { initial }]) => [name, initial]),
  );
  for (const name of /** @type {import('../../../webrtc/static/app/studio/stages.js').StageName[]} */ (
    Object.keys(STAGES)
  )) {
    const on = { ...values, ...(isOn(name, values) ? {} : switched(name, values)) };
    assert.ok(isOn(name, on), name);
    const off = { ...on, ...switched(name, on) };
    assert.ok(!isOn(name, off), name);
    assert.deepEqual({ ...off, ...switched(name, off) }, { ...on, [STAGES[name].bypass]: false });
    for (const setting of STAGES[name].settings) assert.ok(setting in golden.settings, setting);
    const reset = { ...on, ...resting(STAGES[name].settings) };
    assert.ok(STAGES[name].isIdle(reset), name);
  }
});
