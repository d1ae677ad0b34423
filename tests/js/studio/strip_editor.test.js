import assert from 'node:assert/strict';
import test from 'node:test';

import { StripEditor } from '../../../webrtc/static/app/studio/strip_editor.js';
import { VirtualClock, settle } from '../support.js';

/** A strip of few settings, a server that answers when told, and an editor. */
function studio() {
  const clock = new VirtualClock();
  /** @type {Record<string, any>} */
  const strip = { preset: 'voice', eq1Gain: 0, eq2Gain: 3, compRatio: 3, eqBypass: false, pan: 0 };
  Object.assign(strip, { profile: 'none', genre: 'auto', fader: 0 }); // what no copy takes along
  /** @type {Record<string, any>[]} */
  const sent = [];
  /** @type {((error?: Error) => void)[]} */
  const answers = [];
  /** @type {unknown[]} */
  const refusals = [];
  const editor = new StripEditor({
    send: (change) =>
      new Promise((resolve, reject) => {
        sent.push(change);
        answers.push((error) => {
          if (error) return reject(error);
          Object.assign(strip, { preset: 'custom' }, change);
          resolve({ ...strip });
        });
      }),
    show: () => {},
    refused: (error) => refusals.push(error),
    now: clock.now,
    setTimer: clock.setTimer,
  });
  editor.confirm({ ...strip });
  /** @param {Error} [error] */
  const answer = async (error) => {
    answers.shift()?.(error);
    await clock.advance(100);
  };
  return { editor, strip, sent, answer, refusals, clock };
}

test('what the hand does is shown at once, and sent as few requests with the last values', async () => {
  const { editor, strip, sent, answer } = studio();
  for (let gain = 1; gain <= 9; gain += 1) editor.change({ eq1Gain: gain });
  assert.equal(editor.values.eq1Gain, 9);
  assert.deepEqual(sent, [{ eq1Gain: 1 }]);
  editor.change({ compRatio: 5 });
  await answer();
  assert.deepEqual(sent, [{ eq1Gain: 1 }, { eq1Gain: 9, compRatio: 5 }]);
  assert.equal(editor.values.eq1Gain, 9);
  await answer();
  assert.deepEqual([strip.eq1Gain, strip.compRatio], [9, 5]);
  assert.equal(sent.length, 2);
});

test('requests leave the server time in between', async () => {
  const { editor, sent, answer, clock } = studio();
  editor.change({ pan: 0.1 });
  await clock.advance(39);
  await settle();
  editor.change({ pan: 0.2 });
  const before = sent.length;
  await answer();
  assert.deepEqual([before, sent.length], [1, 2]);
});

test('news of others does not disturb what the hand holds, and shows everywhere else', async () => {
  const { editor, answer } = studio();
  editor.change({ eq1Gain: 6 });
  editor.confirm({ preset: 'custom', eq1Gain: -6, eq2Gain: 1, compRatio: 3, pan: 0 });
  assert.deepEqual([editor.values.eq1Gain, editor.values.eq2Gain], [6, 1]);
  await answer();
  editor.confirm({ ...editor.values, eq1Gain: -6 });
  assert.equal(editor.values.eq1Gain, -6);
});

test('a refusal takes back what it was about and nothing else', async () => {
  const { editor, answer, refusals, sent } = studio();
  editor.change({ eq1Gain: 6 });
  editor.change({ eq2Gain: 8 });
  await answer(new Error('forbidden'));
  assert.equal(refusals.length, 1);
  assert.deepEqual([editor.values.eq1Gain, editor.values.eq2Gain], [0, 8]);
  await answer();
  assert.deepEqual(sent.at(-1), { eq2Gain: 8 });
  assert.equal(editor.values.eq2Gain, 8);
});

test('a gesture is one step of undo, and redo brings it again', async () => {
  const { editor, answer, clock } = studio();
  for (const gain of [1, 2, 3]) {
    editor.change({ eq1Gain: gain });
    await answer();
  }
  await clock.advance(2000);
  editor.change({ eq1Gain: 9 });
  await answer();
  editor.undo();
  assert.equal(editor.values.eq1Gain, 3);
  await answer();
  editor.undo();
  assert.equal(editor.values.eq1Gain, 0);
  assert.equal(editor.values.preset, 'voice', 'all is as the preset had it');
  assert.equal(editor.canUndo, false);
  await answer();
  editor.redo();
  editor.redo();
  assert.equal(editor.values.eq1Gain, 9);
  assert.equal(editor.canRedo, false);
  await answer();
  editor.undo();
  editor.change({ compRatio: 2 });
  assert.equal(editor.canRedo, false, 'a new change ends what could be done again');
});

test('undo leaves alone what somebody else changed meanwhile', async () => {
  const { editor, answer, sent } = studio();
  editor.change({ eq1Gain: 6 });
  await answer();
  editor.confirm({ ...editor.values, compRatio: 8 });
  editor.undo();
  assert.deepEqual(sent.at(-1), { eq1Gain: 0 });
  assert.equal(editor.values.compRatio, 8);
});

test('a preset sets anew what waits, but for the place, and undo brings everything back', async () => {
  const { editor, answer, sent } = studio();
  editor.change({ eq1Gain: 1 });
  editor.change({ eq2Gain: 7, pan: 0.5 });
  editor.change({ preset: 'dj' });
  await answer();
  assert.deepEqual(sent[1], { pan: 0.5, preset: 'dj' });
  await answer();
  editor.confirm({ ...editor.values, eq1Gain: 2, eq2Gain: 0, compRatio: 2 });
  editor.undo();
  await answer();
  const { eq1Gain, eq2Gain, compRatio, pan } = editor.values;
  assert.deepEqual({ eq1Gain, eq2Gain, compRatio, pan }, { eq1Gain: 1, eq2Gain: 7, compRatio: 3, pan: 0.5 });
});

test('a profile is one step back, with the preset that was there', async () => {
  const { editor, answer, sent } = studio();
  editor.change({ genre: 'jazz' });
  await answer();
  editor.confirm({ ...editor.values, preset: 'custom', profile: 'jazz', compRatio: 2, eq1Gain: 1 });
  editor.undo();
  const change = { eqBypass: false, eq1Gain: 0, eq2Gain: 3, compRatio: 3, preset: 'voice' };
  assert.deepEqual(sent.at(-1), change);
});

test('the sound is copied without the place and the preset’s name', () => {
  const { editor } = studio();
  assert.deepEqual(editor.copy(), { eq1Gain: 0, eq2Gain: 3, compRatio: 3, eqBypass: false });
});
