/** What the client lives in: a server, a clock, a browser; all made up. */

import { BaseClient } from '../../../webrtc/static/client/client.js';
import {
  FakePeerConnection,
  FakeServer,
  NO_OWN_PLAYOUT,
  SEND_CODECS,
  VirtualClock,
  refusal,
} from '../support.js';

/** @param {string} id @param {Record<string, unknown>} [change] */
export const person = (id, change = {}) => ({
  participant_id: id,
  name: id,
  role: 'both',
  rights: [],
  kind: 'webrtc',
  muted: false,
  deafened: false,
  speaking: false,
  csrc: 1,
  joined_at: 0,
  tracks: [{ kind: 'audio' }],
  ...change,
});

/**
 * A client, a clock and a server that remembers seats, as the real one does.
 * @param {import('../../../webrtc/static/client/types.js').ClientOptions} [options]
 * @param {typeof SEND_CODECS} [codecs] Of the browser.
 */
export function world(options = {}, codecs = SEND_CODECS) {
  const clock = new VirtualClock();
  const server = new FakeServer(clock);
  const network = new EventTarget();
  FakePeerConnection.made = [];
  let seats = 0;
  /** @type {Map<string, Record<string, unknown>>} Resume token to participant. */
  const kept = new Map();
  server.answers = {
    join_room: (payload) => {
      const { resume_token: token } = payload;
      if (token !== undefined && !kept.has(token)) return refusal('resume_failed');
      const me = token ? kept.get(token) : person(`me${(seats += 1)}`);
      if (token) kept.delete(token);
      const next = `token${kept.size + seats}-${server.asked.length}`;
      kept.set(next, /** @type {Record<string, unknown>} */ (me));
      return {
        ok: true,
        room_id: payload.room_id || 'made-up',
        participant_id: me?.participant_id,
        resume_token: next,
        resumed: token !== undefined,
        role: 'both',
        rights: [],
        participants: [person('ada'), me],
        settings: { genre: 'auto' },
        listener_mix: {},
        room_settings: { mode: payload.mode ?? 'mix', max_speakers: payload.max_speakers ?? 6 },
        ice_servers: [],
        protocol: 1,
      };
    },
    offer: ({ sdp }) => ({ ok: true, type: 'answer', sdp: `${sdp}\r\na=ptime:10\r\n` }),
    audio_stream_metadata: (payload) => ({
      ok: true,
      participant_id: 'me',
      settings: { genre: 'auto', ...payload },
    }),
    set_muted: (muted) => {
      for (const seat of kept.values()) seat.muted = muted;
      return { ok: true };
    },
  };
  let wall = 0;
  const platform = {
    createSocket: server.createSocket,
    createPeerConnection: (/** @type {RTCConfiguration} */ configuration) =>
      /** @type {any} */ (new FakePeerConnection(configuration)),
    sendCodecs: () => codecs,
    createAudioElement: () =>
      /** @type {any} */ ({ play: async () => {}, pause: () => {}, srcObject: null }),
    ...NO_OWN_PLAYOUT,
    mediaDevices: undefined,
    isSecureContext: true,
    hasWebRtc: true,
    network,
    now: clock.now,
    wallNow: () => clock.now() + wall,
    random: () => 0.5,
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer,
  };
  const client = new BaseClient('http://server', options, platform);
  /** @type {string[]} */
  const events = [];
  for (const type of /** @type {const} */ ([
    'participantjoined',
    'participantleft',
    'reconnected',
    'roomclosed',
    'error',
  ])) {
    client.on(type, () => events.push(type));
  }
  client.on('statechange', ({ state }) => events.push(state));
  return {
    client,
    server,
    clock,
    network,
    events,
    forgetSeats: () => kept.clear(),
    sleep: (/** @type {number} */ ms) => (wall += ms),
  };
}

/** @param {ReturnType<typeof world>} there */
export async function join({ client, clock }) {
  await client.connect();
  await client.joinRoom({ roomId: 'studio', name: 'Me' });
  await client.startSubscribing({ play: false });
  await clock.advance(0);
}
