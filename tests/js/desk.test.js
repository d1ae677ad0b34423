import assert from 'node:assert/strict';
import test from 'node:test';

import { Desk } from '../../webrtc/static/client/desk.js';

/** @param {Record<string, any>} answers */
function deskWith(answers = {}) {
  /** @type {[string, any][]} */
  const asked = [];
  const desk = new Desk({
    request: async (event, payload) => {
      asked.push([event, payload]);
      if (answers[event] instanceof Error) throw answers[event];
      return answers[event] ?? { ok: true };
    },
  });
  return { desk, asked };
}

const SETTINGS = { max_speakers: 6, automix: true, ducking_db: 12, target_lufs: null };

test('meters are told in the names of the page', () => {
  const { desk } = deskWith();
  /** @type {any[]} */
  const told = [];
  desk.on('meters', (detail) => told.push(detail));
  const meters = [{ participant_id: 'ada', in_peak_db: -3.1, short_term_lufs: -20.5, voice: true }];
  assert.ok(desk.handle('meters', { meters, spectrum: { participant_id: 'ada', bands_db: [-60] }, limiter_db: -2 }));
  assert.ok(desk.handle('meters', { meters: [], spectrum: null }));
  assert.deepEqual(told, [
    {
      meters: [{ participantId: 'ada', inPeakDb: -3.1, shortTermLufs: -20.5, voice: true }],
      spectrum: { participantId: 'ada', bandsDb: [-60] },
      limiterDb: -2,
    },
    { meters: [], spectrum: null, limiterDb: 0 },
  ]);
  assert.equal(desk.handle('levels', {}), false);
});

test('what was watched is asked for again on a new seat, until the stay is over', async () => {
  const { desk, asked } = deskWith();
  desk.enter({ room_settings: SETTINGS, scenes: [] });
  assert.equal(asked.length, 0);
  await desk.watchMeters({ participantIds: ['ada'], spectrum: 'ada' });
  desk.enter({ room_settings: SETTINGS, scenes: [] });
  const wanted = ['watch_meters', { participants: ['ada'], spectrum: 'ada' }];
  assert.deepEqual(asked, [wanted, wanted]);
  desk.leave();
  desk.enter({ room_settings: SETTINGS, scenes: [] });
  assert.equal(asked.length, 2);
});

test('parts of a page that look at meters get what any of them wants', async () => {
  const { desk, asked } = deskWith();
  await desk.watchMeters({ participantIds: ['ada', 'grace'] });
  await desk.watchMeters({ participantIds: ['grace'], spectrum: 'grace' }, { holder: 'studio' });
  assert.deepEqual(asked.at(-1)?.[1], { participants: ['ada', 'grace'], spectrum: 'grace' });
  await desk.watchMeters({ participantIds: ['ada'] });
  assert.deepEqual(asked.at(-1)?.[1], { participants: ['grace', 'ada'], spectrum: 'grace' });
  await desk.watchMeters({}, { holder: 'studio' });
  assert.deepEqual(asked.at(-1)?.[1], { participants: ['ada'], spectrum: null });
});

test('what was refused is not asked for again', async () => {
  const { desk, asked } = deskWith({ watch_meters: new Error('forbidden') });
  await assert.rejects(desk.watchMeters({ participantIds: ['ada'] }));
  desk.enter({});
  assert.equal(asked.length, 1);
});

test('the room is changed in the names of the wire and told in those of the page', async () => {
  const { desk, asked } = deskWith({ set_room: { settings: SETTINGS } });
  /** @type {any[]} */
  const told = [];
  desk.on('roomchange', ({ settings }) => told.push(settings));
  const settings = await desk.setRoom({ automix: true, duckingDb: 12, targetLufs: null });
  assert.deepEqual(asked, [['set_room', { automix: true, ducking_db: 12, target_lufs: null }]]);
  const expected = { maxSpeakers: 6, automix: true, duckingDb: 12, targetLufs: null };
  assert.deepEqual(settings, expected);
  desk.handle('room_updated', { settings: { ...SETTINGS, automix: false } });
  assert.deepEqual(told, [expected, { ...expected, automix: false }]);
  assert.equal(desk.settings?.automix, false);
});

test('a role is given by name, and what it allows comes back', async () => {
  const rights = ['publish', 'run_desk'];
  const { desk, asked } = deskWith({ set_role: { role: 'engineer', rights } });
  assert.deepEqual(await desk.setRole('ada', 'engineer'), { rights });
  assert.deepEqual(asked, [['set_role', { participant_id: 'ada', role: 'engineer' }]]);
  const refusing = deskWith({ set_role: new Error('forbidden') }).desk;
  await assert.rejects(refusing.setRole('ada', 'speaker'), { message: 'forbidden' });
});

test('scenes are stored, recalled and deleted', async () => {
  const scenes = [{ name: 'Evening', saved_at: 1, strips: 2 }];
  const { desk, asked } = deskWith({
    store_scene: { scenes },
    recall_scene: { settings: SETTINGS, participants: ['ada'] },
    delete_scene: { scenes: [] },
  });
  assert.deepEqual(await desk.storeScene('Evening'), [{ name: 'Evening', savedAt: 1, strips: 2 }]);
  const recalled = await desk.recallScene('Evening', { fadeMs: 2000 });
  assert.deepEqual(recalled, { participantIds: ['ada'] });
  await desk.recallScene('Evening');
  assert.deepEqual(await desk.deleteScene('Evening'), []);
  assert.deepEqual(
    asked.map(([event, payload]) => [event, payload.fade_ms]),
    [
      ['store_scene', undefined],
      ['recall_scene', 2000],
      ['recall_scene', 500],
      ['delete_scene', undefined],
    ],
  );
  desk.handle('scenes_changed', { scenes });
  assert.equal(desk.scenes[0]?.savedAt, 1);
});

test('networks are made worse for somebody or for all, and the room tells', async () => {
  const { desk, asked } = deskWith();
  /** @type {any[]} */
  const told = [];
  desk.on('networkchange', ({ network }) => told.push(network));
  const mobile = { conditions: 'mobile', seed: 3 };
  desk.enter({ room_settings: SETTINGS, scenes: [], network: mobile, simulates: true });
  assert.ok(desk.simulates);
  await desk.setNetwork({ network: '50%', participantId: 'ada', seed: 7 });
  await desk.setNetwork({ network: 'off' });
  assert.deepEqual(asked, [
    ['set_network', { participant_id: 'ada', network: '50%', seed: 7 }],
    ['set_network', { participant_id: null, network: 'off', seed: 0 }],
  ]);
  desk.handle('room_updated', { settings: SETTINGS });
  desk.handle('room_updated', { settings: SETTINGS, network: mobile });
  desk.leave();
  assert.deepEqual(told, [mobile, null, mobile, null]);
  assert.equal(desk.simulates, false);
});
