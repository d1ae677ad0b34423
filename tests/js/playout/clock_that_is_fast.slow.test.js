import test from 'node:test';

import { followsClock } from './clock_drift.js';

test('a sender whose clock is fast by 200 ppm is followed for half an hour', () => {
  followsClock(200, 48_000);
});
