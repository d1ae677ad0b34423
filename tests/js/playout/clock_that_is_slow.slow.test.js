import test from 'node:test';

import { followsClock } from './clock_drift.js';

test('a sender whose clock is slow by 200 ppm is followed for half an hour', () => {
  followsClock(-200, 44_100);
});
