import assert from 'node:assert/strict';
import test from 'node:test';

import { AudioStreamingError } from '../../webrtc/static/client/errors.js';
import { PeerLink } from '../../webrtc/static/client/peer_link.js';
import { FakePeerConnection, SEND_CODECS, settle } from './support.js';

/**
 * @param {Partial<import('../../webrtc/static/client/peer_link.js').LinkHandlers>} [change]
 * @param {typeof SEND_CODECS} [sendCodecs]
 */
function makeLink(change = {}, sendCodecs = SEND_CODECS) {
  /** @type {{ offers: string[], answers: string[], states: string[] }} */
  const seen = { offers: [], answers: [], states: [] };
  const link = new PeerLink(
    {
      sendOffer: async (sdp) => {
        seen.offers.push(sdp);
        return `answer to ${sdp}`;
      },
      sendAnswer: async (sdp) => seen.answers.push(sdp),
      sendCandidate: () => {},
      state: (state) => seen.states.push(state),
      receiver: () => {},
      closed: () => {},
      track: () => {},
      further: () => {},
      ...change,
    },
    {
      createPeerConnection: (configuration) =>
        /** @type {any} */ (new FakePeerConnection(configuration)),
      sendCodecs: () => sendCodecs,
    },
  );
  link.configure({ direction: 'sendrecv' });
  return { link, seen };
}

/** @param {PeerLink} link */
const fake = (link) => /** @type {FakePeerConnection} */ (/** @type {unknown} */ (link.connection));

test('one offer, one answer, one transceiver with the shortest buffer', async () => {
  const { link, seen } = makeLink();
  await link.renew({});
  assert.deepEqual(seen.offers, ['offer 1 sendrecv']);
  assert.equal(fake(link).signalingState, 'stable');
  assert.deepEqual(fake(link).transceiver.receiver, { jitterBufferTarget: 0, playoutDelayHint: 0 });
  assert.ok(seen.states.includes('up'));
});

test('wishes during an offer become one more offer', async () => {
  const { link, seen } = makeLink();
  const first = link.renew({});
  link.configure({ direction: 'recvonly' });
  const [second, third] = [link.offer(), link.offer()];
  await Promise.all([first, second, third]);
  assert.equal(seen.offers.length, 2);
  assert.equal(seen.offers[1], 'offer 2 recvonly');
});

test('on glare the client answers first and then offers again', async () => {
  /** @type {string[]} */
  const order = [];
  let answered = false;
  const { link } = makeLink({
    sendOffer: async (sdp) => {
      order.push(sdp);
      if (!answered) throw new AudioStreamingError('glare', 'An offer of the server is open.');
      return 'fine';
    },
    sendAnswer: async () => {
      answered = true;
      order.push('our answer');
    },
  });
  const offering = link.renew({});
  await Promise.all([offering, link.answer('their offer')]);
  assert.equal(order.at(-2), 'our answer');
  assert.match(order.at(-1) ?? '', /^offer/);
  assert.equal(fake(link).signalingState, 'stable');
  assert.equal(fake(link).log.at(-1), 'remote answer fine');
});

test('an answer that a server offer has overtaken is never applied', async () => {
  /** @type {(sdp: string) => void} */
  let answerFirst = () => {};
  let offers = 0;
  const { link } = makeLink({
    sendOffer: () => {
      offers += 1;
      if (offers > 1) return Promise.resolve('second');
      return new Promise((resolve) => (answerFirst = resolve));
    },
  });
  const offering = link.renew({});
  await settle();
  await link.answer('their offer');
  answerFirst('first');
  await offering;
  assert.equal(fake(link).log.includes('remote answer first'), false);
  assert.equal(fake(link).log.at(-1), 'remote answer second');
});

test('a refused offer is rolled back and its reason told', async () => {
  let refuse = false;
  const { link } = makeLink({
    sendOffer: async () => {
      if (refuse) throw new AudioStreamingError('forbidden', 'No.');
      return 'fine';
    },
  });
  await link.renew({});
  refuse = true;
  await assert.rejects(link.offer(), { reason: 'forbidden' });
  assert.equal(fake(link).signalingState, 'stable');
  refuse = false;
  await link.offer();
});

test('a replaced connection reports nothing and its answer goes nowhere', async () => {
  /** @type {((sdp: string) => void)[]} */
  const answer = [];
  const { link, seen } = makeLink({
    sendOffer: () => new Promise((resolve) => answer.push(resolve)),
  });
  const first = link.renew({});
  await settle();
  const old = fake(link);
  const second = link.renew({});
  await settle();
  answer[0]?.('late');
  await assert.rejects(first, { reason: 'aborted' });
  answer[1]?.('fine');
  await second;
  const before = seen.states.length;
  old.become('failed');
  assert.equal(seen.states.length, before);
  assert.equal(old.log.includes('remote answer late'), false);
});

test('a glare that never ends is given up', async () => {
  const { link } = makeLink({
    sendOffer: async () => {
      throw new AudioStreamingError('glare', 'An offer of the server is open.');
    },
  });
  await assert.rejects(link.renew({}), { reason: 'glare' });
});

test('candidates wait until the server knows the connection', async () => {
  /** @type {unknown[]} */
  const sent = [];
  /** @type {(sdp: string) => void} */
  let answer = () => {};
  const { link } = makeLink({
    sendOffer: () => new Promise((resolve) => (answer = resolve)),
    sendCandidate: (candidate) => sent.push(candidate),
  });
  const offering = link.renew({});
  await settle();
  const candidate = { candidate: 'candidate:1', toJSON: () => ({ candidate: 'candidate:1' }) };
  fake(link).dispatchEvent(Object.assign(new Event('icecandidate'), { candidate }));
  assert.deepEqual(sent, []);
  answer('fine');
  await offering;
  assert.deepEqual(sent, [{ candidate: 'candidate:1' }]);
});

/** @param {PeerLink} link */
const codecs = (link) => fake(link).transceiver.codecs.map(({ mimeType }) => mimeType);

test('redundancy puts RED first, and the way back says so too', async () => {
  const { link } = makeLink();
  await link.renew({});
  link.configure({ redundancy: true });
  assert.deepEqual(codecs(link), ['audio/red', 'audio/opus', 'audio/PCMU']);
  link.configure({ redundancy: false });
  assert.deepEqual(codecs(link), ['audio/opus', 'audio/red', 'audio/PCMU']);
});

test('a new connection is redundant like the one before it', async () => {
  const { link, seen } = makeLink();
  link.configure({ redundancy: true });
  await link.renew({});
  await link.renew({});
  assert.equal(codecs(link)[0], 'audio/red');
  assert.ok(seen.offers.every((sdp) => sdp.includes('red/48000')));
});

test('a browser without RED is never asked for it', async () => {
  const { link } = makeLink(
    {},
    SEND_CODECS.filter(({ mimeType }) => mimeType !== 'audio/red'),
  );
  await link.renew({});
  fake(link).transceiver.setCodecPreferences = () => assert.fail('codecs were ordered');
  link.configure({ redundancy: true });
  await link.offer();
});

test('a receiver is told of before anything else happens, and when its connection is closed', async () => {
  /** @type {unknown[]} */
  const told = [];
  const { link, seen } = makeLink({
    receiver: (receiver) => {
      assert.deepEqual(seen.offers, []);
      told.push(receiver);
    },
    closed: () => told.push('closed'),
  });
  const done = link.renew({});
  assert.deepEqual(told, [fake(link).transceiver.receiver]); // in the same turn
  await done;
  const first = told[0];
  seen.offers.length = 0;
  await link.renew({});
  link.close();
  link.close();
  assert.deepEqual(told, [first, 'closed', told[2], 'closed']);
  assert.notEqual(told[2], first);
});
