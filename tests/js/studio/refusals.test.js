import assert from 'node:assert/strict';
import test from 'node:test';

import { refusalWords } from '../../../webrtc/static/app/studio/refusals.js';

test('a refusal is said in words, whatever it is, and that the value is back', () => {
  const back = 'The value is back where it was.';
  for (const [error, words] of /** @type {const} */ ([
    [{ reason: 'forbidden', detail: 'no' }, 'This strip is not yours to change any more.'],
    [
      { reason: 'not_installed', detail: 'noise suppression needs the package x' },
      'Noise suppression needs the package x.',
    ],
    [{ reason: 'new', detail: 'Wait a moment.' }, 'Wait a moment.'],
    [new Error('bug'), 'That did not work.'],
    [null, 'That did not work.'],
  ])) {
    assert.equal(refusalWords(error), `${words} ${back}`);
  }
});
