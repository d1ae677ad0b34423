import assert from 'node:assert/strict';
import test from 'node:test';

import { TrackPlayers } from '../../webrtc/static/client/track_players.js';

class FakeElement {
  /** @type {any} */
  srcObject = null;
  volume = 1;
  muted = false;
  playing = false;
  sink = '';
  async play() {
    this.playing = true;
  }
  pause() {
    this.playing = false;
  }
  /** @param {string} deviceId */
  async setSinkId(deviceId) {
    this.sink = deviceId;
  }
}

class FakeParam {
  value = 0;
  /** @param {number} value */
  setTargetAtTime(value) {
    this.value = value;
  }
}

class FakeNode {
  /** @param {FakeContext} context */
  constructor(context) {
    this.context = context;
  }
  gain = new FakeParam();
  pan = new FakeParam();
  /** @type {FakeNode[]} */
  goesTo = [];
  /** @param {FakeNode} other */
  connect(other) {
    this.goesTo.push(other);
    return other;
  }
  disconnect() {
    this.goesTo = [];
  }
}

class FakeContext {
  currentTime = 0;
  /** @type {FakeNode[]} */
  made = [];
  #make() {
    const node = new FakeNode(this);
    this.made.push(node);
    return node;
  }
  createMediaStreamSource = () => this.#make();
  createGain = () => this.#make();
  createStereoPanner = () => this.#make();
}

globalThis.MediaStream = /** @type {any} */ (
  class {
    /** @param {unknown[]} tracks */
    constructor(tracks) {
      this.tracks = tracks;
    }
  }
);

function makePlayers() {
  /** @type {FakeElement[]} */
  const elements = [];
  const players = new TrackPlayers(() => {
    const element = new FakeElement();
    elements.push(element);
    return /** @type {any} */ (element);
  });
  return { players, elements };
}

/** @param {string} name */
const track = (name) => /** @type {MediaStreamTrack} */ (/** @type {unknown} */ (name));

const assigned = [
  { mid: 'track1', participantId: 'ada' },
  { mid: 'track2', participantId: null },
];

test('each track plays in an element of its own, once listening has started', () => {
  const { players, elements } = makePlayers();
  players.put('track1', track('one'));
  assert.equal(elements.length, 0);
  players.start();
  players.put('track2', track('two'));
  assert.deepEqual(
    elements.map(({ srcObject }) => srcObject.tracks),
    [['one'], ['two']],
  );
  assert.ok(elements.every(({ playing }) => playing));
  players.stop();
  assert.ok(elements.every(({ playing, srcObject }) => !playing && srcObject === null));
});

test('a track that comes again is not played twice, and another one replaces it', () => {
  const { players, elements } = makePlayers();
  players.start();
  players.put('track1', track('one'));
  players.put('track1', track('one'));
  assert.equal(elements.length, 1);
  players.put('track1', track('new'));
  assert.equal(elements.length, 2);
  assert.equal(elements[0]?.playing, false);
});

test('my volume follows whom it is of from track to track', () => {
  const { players, elements } = makePlayers();
  players.start();
  players.put('track1', track('one'));
  players.put('track2', track('two'));
  players.setMix('ada', { gainDb: -20, pan: 0, muted: false, solo: false });
  players.assign(assigned);
  assert.equal(elements[0]?.volume.toFixed(3), '0.100');
  assert.equal(elements[1]?.volume, 1);
  players.assign([
    { mid: 'track1', participantId: 'bela' },
    { mid: 'track2', participantId: 'ada' },
  ]);
  assert.equal(elements[0]?.volume, 1);
  assert.equal(elements[1]?.volume.toFixed(3), '0.100');
  players.setMix('ada', { gainDb: 0, pan: 0, muted: true, solo: false });
  assert.equal(elements[1]?.muted, true);
});

test('who has solo is heard alone, muted or not, as long as there is a track', () => {
  const { players, elements } = makePlayers();
  players.start();
  players.put('track1', track('one'));
  players.put('track2', track('two'));
  players.assign([
    { mid: 'track1', participantId: 'bela' },
    { mid: 'track2', participantId: 'ada' },
  ]);
  players.setMix('ada', { gainDb: 0, pan: 0, muted: true, solo: true });
  assert.deepEqual(elements.map(({ muted }) => muted), [true, false]);
  players.assign([{ mid: 'track1', participantId: 'bela' }]);
  assert.equal(elements[0]?.muted, false);
  players.assign([{ mid: 'track2', participantId: 'ada' }]);
  players.setMix('ada', { gainDb: 0, pan: 0, muted: false, solo: false });
  assert.deepEqual(elements.map(({ muted }) => muted), [false, false]);
});

test('an element plays nothing louder than it came', () => {
  const { players, elements } = makePlayers();
  players.start();
  players.put('track1', track('one'));
  players.assign(assigned);
  players.setMix('ada', { gainDb: 12, pan: 0, muted: false, solo: false });
  assert.equal(elements[0]?.volume, 1);
});

test('through the graph there is gain and pan, and the element is silent', () => {
  const { players, elements } = makePlayers();
  const context = new FakeContext();
  const output = new FakeNode(context);
  players.start();
  players.put('track1', track('one'));
  players.assign(assigned);
  players.setMix('ada', { gainDb: 6, pan: -0.5, muted: false, solo: false });
  players.setOutput(/** @type {any} */ (output));
  const [source, gain, pan] = context.made;
  assert.deepEqual(source?.goesTo, [gain]);
  assert.deepEqual(pan?.goesTo, [output]);
  assert.equal(gain?.gain.value.toFixed(3), '1.995');
  assert.equal(pan?.pan.value, -0.5);
  assert.equal(elements[0]?.volume, 0);
  players.setOutput(null);
  assert.deepEqual(pan?.goesTo, []);
  assert.equal(elements[0]?.volume, 1);
});

test('deafened is silence on either way, and back', () => {
  const { players, elements } = makePlayers();
  const context = new FakeContext();
  players.start();
  players.put('track1', track('one'));
  players.setSilent(true);
  assert.equal(elements[0]?.muted, true);
  players.setOutput(/** @type {any} */ (new FakeNode(context)));
  assert.equal(context.made[1]?.gain.value, 0);
  players.setSilent(false);
  assert.equal(context.made[1]?.gain.value, 1);
});

test('who is on which track can be asked, and is forgotten with the connection', () => {
  const { players } = makePlayers();
  players.put('track1', track('one'));
  players.assign(assigned);
  assert.deepEqual(players.all, [{ mid: 'track1', track: 'one', participantId: 'ada' }]);
  players.clear();
  assert.deepEqual(players.all, []);
});

test('another output is for those that play and those that will', async () => {
  const { players, elements } = makePlayers();
  players.start();
  players.put('track1', track('one'));
  await players.setSink('headset');
  players.put('track2', track('two'));
  assert.deepEqual(
    elements.map(({ sink }) => sink),
    ['headset', 'headset'],
  );
});
