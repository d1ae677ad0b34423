import assert from 'node:assert/strict';
import test from 'node:test';

import { refusal } from '../support.js';
import { join, person, world } from './world.js';

test('a strip that is drawn along costs few requests, and what is refused is taken back', async () => {
  const there = world();
  await join(there);
  const { client, server } = there;
  server.emit('participant_updated', person('ada', { settings: { fader: 0, pan: 0 } }));
  const fader = () => client.participant('ada')?.settings?.fader;
  server.asked.length = 0;
  const moves = [-1, -2, -3].map((db) => client.setStrip('ada', { fader: db }));
  moves.push(client.setStrip('ada', { pan: 1 }));
  assert.equal(fader(), -3, 'shown at once');
  await Promise.all(moves);
  assert.deepEqual(
    server.asked.map(({ payload }) => payload),
    [
      { participant_id: 'ada', fader: -1 },
      { participant_id: 'ada', fader: -3, pan: 1 },
    ],
  );
  server.answers.audio_stream_metadata = () => refusal('forbidden');
  await assert.rejects(client.setStrip('ada', { fader: 6 }), { reason: 'forbidden' });
  assert.equal(fader(), -3);
});

test('what a sound is recognised as is told with its confidence', async () => {
  const there = world();
  await join(there);
  const { client, server } = there;
  assert.equal(client.participant('ada')?.genre, null);
  server.emit('genre_detected', { participant_id: 'ada', genre: 'jazz', confidence: 0.9 });
  assert.deepEqual(client.participant('ada')?.genre, { label: 'jazz', confidence: 0.9 });
});

test('what a preset sets is known as soon as the server has answered', async () => {
  const there = world();
  await join(there);
  const { client, server } = there;
  const settings = { preset: 'flat', compRatio: 1, pan: 0.5 };
  for (const id of ['ada', 'me1']) {
    server.emit('participant_updated', person(id, { settings }));
    server.answers.audio_stream_metadata = () => ({
      ok: true,
      settings: { ...settings, preset: 'podcast', compRatio: 4 },
    });
    await client.setStrip(id, { preset: 'podcast' });
    assert.deepEqual(client.participant(id)?.settings, {
      preset: 'podcast',
      compRatio: 4,
      pan: 0.5,
    });
  }
});

test('the own strip is set as ever, and again on a new seat', async () => {
  const there = world();
  await join(there);
  await there.client.setStrip('me1', { fader: -6 });
  assert.deepEqual(there.server.last('audio_stream_metadata'), { fader: -6 });
  there.forgetSeats();
  there.server.cut();
  await there.clock.advance(1000);
  assert.deepEqual(there.server.last('audio_stream_metadata'), { fader: -6 });
});

test('settings while away are refused at once', async () => {
  const there = world();
  await join(there);
  there.server.cut();
  await assert.rejects(there.client.updateAudioSettings({ genre: 'jazz' }), {
    reason: 'not_connected',
  });
});
