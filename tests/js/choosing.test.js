import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { RULES, rangeWords, readRule } from '../../webrtc/static/app/host/choosing.js';

/** @param {string} name */
function ruleOf(name) {
  const rule = RULES.find((one) => one.name === name);
  assert.ok(rule);
  return rule;
}

test('ranges and defaults are the server’s', () => {
  // Written by tests/js/golden/choosing.py from the server's code.
  const golden = JSON.parse(readFileSync(new URL('golden/choosing.json', import.meta.url), 'utf8'));
  const ours = RULES.map(({ name, min, max, initial }) => [name, { min, max, initial }]);
  assert.deepEqual(Object.fromEntries(ours), golden);
});

test('a value is read as people type it', () => {
  assert.deepEqual(readRule(ruleOf('speakerHoldMs'), ' 900 ms'), { value: 900 });
  assert.deepEqual(readRule(ruleOf('speakerHoldMs'), '0'), { value: 0 });
  assert.deepEqual(readRule(ruleOf('speakerHysteresisDb'), '4,5 dB'), { value: 4.5 });
  for (const rule of RULES) {
    assert.deepEqual(readRule(rule, String(rule.min)), { value: rule.min });
    assert.deepEqual(readRule(rule, String(rule.max)), { value: rule.max });
  }
});

test('what cannot be is answered with what could', () => {
  for (const rule of RULES) {
    const out = { error: `It can be ${rangeWords(rule)}.` };
    assert.deepEqual(readRule(rule, String(rule.min - 0.5)), out);
    assert.deepEqual(readRule(rule, String(rule.max + 0.5)), out);
    for (const text of ['', 'loud', '1e3', '--4'])
      assert.deepEqual(readRule(rule, text), { error: `Type a number: ${rangeWords(rule)}.` });
  }
  assert.deepEqual(readRule(ruleOf('speakerHoldMs'), '600 dB'), {
    error: 'Type a number: 0 to 5000 ms.',
  });
});
