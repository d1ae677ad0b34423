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

/** What the players ask of the graph. */
class FakeGraph {
  /** @type {Map<unknown, { gain: number, pan: number }>} */
  mixes = new Map();
  /** @type {unknown[]} */
  tracks = [];
  /** @param {unknown} _receiver @param {unknown} track */
  attach(_receiver, track) {
    this.tracks.push(track);
  }
  /** @param {unknown} track */
  remove(track) {
    this.tracks = this.tracks.filter((one) => one !== track);
  }
  setTrack() {}
  /** @param {unknown} track @param {{ gain: number, pan: number }} mix */
  setTrackMix(track, mix) {
    this.mixes.set(track, mix);
  }
  pathOf() {
    return /** @type {const} */ ('low-latency');
  }
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
  const graph = new FakeGraph();
  const players = new TrackPlayers(() => {
    const element = new FakeElement();
    elements.push(element);
    return /** @type {any} */ (element);
  }, graph);
  /** @param {string} mid @param {MediaStreamTrack} one */
  const put = (mid, one) => players.put(mid, one, /** @type {any} */ ({}));
  return { players, elements, graph, put };
}

/** @param {string} name */
const track = (name) => /** @type {MediaStreamTrack} */ (/** @type {unknown} */ (name));

const assigned = [
  { mid: 'track1', participantId: 'ada' },
  { mid: 'track2', participantId: null },
];

test('each track plays in an element of its own, once listening has started', () => {
  const { players, elements, put } = makePlayers();
  put('track1', track('one'));
  assert.equal(elements.length, 0);
  players.start();
  put('track2', track('two'));
  assert.deepEqual(
    elements.map(({ srcObject }) => srcObject.tracks),
    [['one'], ['two']],
  );
  assert.ok(elements.every(({ playing }) => playing));
  players.stop();
  assert.ok(elements.every(({ playing, srcObject }) => !playing && srcObject === null));
});

test('a track that comes again is not played twice, and another one replaces it', () => {
  const { players, elements, graph, put } = makePlayers();
  players.start();
  put('track1', track('one'));
  put('track1', track('one'));
  assert.equal(elements.length, 1);
  put('track1', track('new'));
  assert.equal(elements.length, 2);
  assert.equal(elements[0]?.playing, false);
  assert.deepEqual(graph.tracks, ['new']);
});

test('my volume follows whom it is of from track to track', () => {
  const { players, elements, put } = makePlayers();
  players.start();
  put('track1', track('one'));
  put('track2', track('two'));
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
  const { players, elements, put } = makePlayers();
  players.start();
  put('track1', track('one'));
  put('track2', track('two'));
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
  const { players, elements, put } = makePlayers();
  players.start();
  put('track1', track('one'));
  players.assign(assigned);
  players.setMix('ada', { gainDb: 12, pan: 0, muted: false, solo: false });
  assert.equal(elements[0]?.volume, 1);
});

test('through the graph there is gain and pan, and the element is silent', () => {
  const { players, elements, graph, put } = makePlayers();
  players.start();
  put('track1', track('one'));
  players.assign(assigned);
  players.setMix('ada', { gainDb: 6, pan: -0.5, muted: false, solo: false });
  players.setCarried(true);
  assert.equal(graph.mixes.get('one')?.gain.toFixed(3), '1.995');
  assert.equal(graph.mixes.get('one')?.pan, -0.5);
  assert.equal(elements[0]?.volume, 0);
  players.setCarried(false);
  assert.equal(elements[0]?.volume, 1);
});

test('deafened is silence on either way, and back', () => {
  const { players, elements, graph, put } = makePlayers();
  players.start();
  put('track1', track('one'));
  players.setSilent(true);
  assert.equal(elements[0]?.muted, true);
  players.setCarried(true);
  assert.equal(graph.mixes.get('one')?.gain, 0);
  players.setSilent(false);
  assert.equal(graph.mixes.get('one')?.gain, 1);
});

test('who is on which track can be asked, and is forgotten with the connection', () => {
  const { players, put } = makePlayers();
  put('track1', track('one'));
  players.assign(assigned);
  assert.deepEqual(players.all, [
    { mid: 'track1', track: 'one', participantId: 'ada', path: 'low-latency' },
  ]);
  players.clear();
  assert.deepEqual(players.all, []);
});

test('another output is for those that play and those that will', async () => {
  const { players, elements, put } = makePlayers();
  players.start();
  put('track1', track('one'));
  await players.setSink('headset');
  put('track2', track('two'));
  assert.deepEqual(
    elements.map(({ sink }) => sink),
    ['headset', 'headset'],
  );
});
