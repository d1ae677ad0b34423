/**
 * What the page says about states and troubles: what is the matter, and what the user can do.
 * Tables only.
 */

import { sentence } from './format.js';

/**
 * @typedef {'good' | 'busy' | 'bad' | 'idle'} Tone
 * @typedef {{ tone: Tone, text: string, hint: string }} StatusWords
 * @typedef {import('../client/types.js').ClientState} ClientState
 * @typedef {import('../client/media_machine.js').MediaState} MediaState
 * @typedef {import('../client/playout_paths.js').PlayoutMode} PlayoutMode
 * @typedef {import('../client/playout_paths.js').PlayoutPath} PlayoutPath
 * @typedef {import('../client/playout_paths.js').PlayoutReason} PlayoutReason
 */

/** @type {Record<ClientState, StatusWords>} */
const SIGNALING = {
  disconnected: { tone: 'idle', text: 'Not connected', hint: '' },
  connecting: { tone: 'busy', text: 'Connecting', hint: 'Reaching the server.' },
  connected: { tone: 'good', text: 'Connected', hint: 'Ready to join a room.' },
  joining: { tone: 'busy', text: 'Joining', hint: 'Asking for a seat.' },
  joined: { tone: 'idle', text: 'In the room', hint: 'No sound is sent or heard.' },
  reconnecting: {
    tone: 'busy',
    text: 'Reconnecting',
    hint: 'The server is out of reach. Sound goes on where it can; your seat is kept.',
  },
};

/** @type {Record<MediaState, StatusWords>} */
const SOUND = {
  idle: SIGNALING.joined,
  connecting: {
    tone: 'busy',
    text: 'Connecting sound',
    hint: 'Looking for a way through the network.',
  },
  connected: { tone: 'good', text: 'Connected', hint: 'Sound flows.' },
  interrupted: {
    tone: 'busy',
    text: 'Sound interrupted',
    hint: 'The network stutters. Waiting a moment.',
  },
  restarting: {
    tone: 'busy',
    text: 'Finding another way',
    hint: 'The network changed. Sound returns by itself.',
  },
  retrying: {
    tone: 'bad',
    text: 'No way for sound',
    hint: 'This network seems to block UDP. Trying again by itself; another network may help.',
  },
};

/**
 * @param {ClientState} state
 * @param {MediaState} mediaState
 * @returns {StatusWords}
 */
export const statusWords = (state, mediaState) =>
  state === 'joined' ? SOUND[mediaState] : SIGNALING[state];

/**
 * @typedef {'retryMicrophone' | 'listenOnly' | 'connect' | 'stopWaiting' | 'dismiss'} ActionName
 *
 * @typedef {object} Advice
 * @property {string} title
 * @property {string} text
 * @property {readonly ActionName[]} actions
 */

/** @type {Record<string, Advice>} */
const ADVICE = {
  permission_denied: {
    title: 'The microphone is blocked',
    text: 'Click the symbol beside the address of this page, allow the microphone, then try again. Until then you can listen.',
    actions: ['retryMicrophone', 'listenOnly'],
  },
  no_microphone: {
    title: 'No microphone was found',
    text: 'Plug one in, or choose another one under Microphone. Until then you can listen.',
    actions: ['retryMicrophone', 'listenOnly'],
  },
  device_busy: {
    title: 'The microphone is in use',
    text: 'Another program holds it. Close that program or choose another microphone, then try again.',
    actions: ['retryMicrophone', 'listenOnly'],
  },
  device_lost: {
    title: 'The microphone is gone',
    text: 'It was unplugged or taken away, and nobody hears you now. Plug it in again or choose another one.',
    actions: ['retryMicrophone', 'dismiss'],
  },
  insecure_origin: {
    title: 'This address may not use a microphone',
    text: 'Browsers give it only to https addresses and to localhost. Open the page by such an address to speak; listening works here.',
    actions: ['listenOnly'],
  },
  webrtc_unsupported: {
    title: 'This browser cannot do it',
    text: 'WebRTC is missing or switched off. A current Firefox, Chrome, Edge or Safari has it.',
    actions: [],
  },
  unreachable: {
    title: 'The server cannot be reached',
    text: 'Check the network, and that the server runs. The page goes on trying.',
    actions: ['connect'],
  },
  media_unreachable: {
    title: 'Sound does not get through',
    text: 'The network seems to block UDP. The page goes on trying; another network, or a TURN server of the operator, helps.',
    actions: ['dismiss'],
  },
  output_unsupported: {
    title: 'The output cannot be chosen here',
    text: 'Sound plays on the output that the system is set to.',
    actions: ['dismiss'],
  },
  unauthorized: {
    title: 'This server wants an invitation',
    text: 'Open the link that you were sent, in full. Without one, ask whoever runs the room.',
    actions: ['dismiss'],
  },
  token_expired: {
    title: 'The invitation is over',
    text: 'The link was good for a while only. Ask for a new one.',
    actions: ['dismiss'],
  },
  token_revoked: {
    title: 'The invitation was taken back',
    text: 'Ask whoever sent you the link for another one.',
    actions: ['dismiss'],
  },
  waiting: {
    title: 'Waiting for a host',
    text: 'You are at the door. You come in as soon as a host lets you; leave this page open.',
    actions: ['stopWaiting'],
  },
  denied: {
    title: 'You were not let in',
    text: 'A host of the room sent you away.',
    actions: ['dismiss'],
  },
  room_locked: {
    title: 'The room is locked',
    text: 'A host locked it. Ask them to open it, then try again.',
    actions: ['dismiss'],
  },
  banned: {
    title: 'You cannot come into this room',
    text: 'A host keeps you out.',
    actions: ['dismiss'],
  },
  room_full: {
    title: 'The room is full',
    text: 'Try again later, or join another room.',
    actions: ['dismiss'],
  },
};

/**
 * @param {{ reason: string, detail: string }} error
 * @returns {Advice}
 */
export const adviceFor = ({ reason, detail }) =>
  ADVICE[reason] ?? {
    title: 'That did not work',
    text: sentence(detail),
    actions: ['dismiss'],
  };

/** @param {string} reason */
export const isMicrophoneTrouble = (reason) =>
  ['permission_denied', 'no_microphone', 'device_busy', 'device_lost', 'insecure_origin'].includes(
    reason,
  );

/** @type {Record<string, { title: string, text: string }>} */
const ROOM_CLOSED = {
  deleted: { title: 'The room is closed', text: 'A host closed it.' },
  removed: { title: 'You were put out', text: 'A host ended your stay in this room.' },
  banned: { title: 'You were put out', text: 'A host ended your stay, and keeps you out.' },
  revoked: {
    title: 'Your invitation was taken back',
    text: 'Ask whoever sent you the link for another one.',
  },
  replaced: {
    title: 'You are in this room elsewhere',
    text: 'Another tab or window took your seat. Join Room brings you back here.',
  },
};

/** @param {string} reason Why a room is over. */
export const roomClosedWords = (reason) =>
  ROOM_CLOSED[reason] ?? {
    title: 'The room is over',
    text: 'The server has no seat in it any more. Join again to go on.',
  };

/**
 * The choices of playout, each with what it does.
 * @type {readonly { mode: PlayoutMode, name: string, hint: string }[]}
 */
export const PLAYOUT_CHOICES = [
  {
    mode: 'auto',
    name: 'Automatic',
    hint: 'As soon as possible; more patient while the network or this device is not up to it.',
  },
  {
    mode: 'low-latency',
    name: 'Low latency',
    hint: 'As soon as possible, whatever happens. On a poor network the sound may stutter.',
  },
  {
    mode: 'browser',
    name: 'Browser',
    hint: 'The way the browser plays it: later, and with the least work for this device.',
  },
];

/** @type {Record<PlayoutReason, string>} */
const PLAYOUT_REASONS = {
  chosen: 'as you chose',
  ready: 'as the network allows it',
  recovered: 'again, now that it plays well',
  idle: 'until sound comes',
  starting: 'until the short way is ready',
  blocked: 'until you click or press a key',
  unsupported: 'because this browser has no other way',
  element: 'because this page plays it',
  echo: 'because this microphone takes out the echo of nothing else',
  network: 'because the network is poor at the moment',
  underruns: 'because this device did not keep up',
  worker: 'because the short way broke down; it is tried again',
  worklet: 'because the short way broke down; it is tried again',
  decoder: 'because the short way broke down; it is tried again',
  silent: 'because the short way broke down; it is tried again',
  codec: 'because the sound comes in another format',
};

/**
 * Which way the sound takes, and why.
 * @param {{ path: PlayoutPath, reason: PlayoutReason }} playout
 */
export const playoutWords = ({ path, reason }) =>
  `${path === 'low-latency' ? 'Low latency' : 'Played by the browser'}, ${PLAYOUT_REASONS[reason]}.`;

/**
 * Whether somebody should be told at once: what neither they nor the page asked for.
 * @param {PlayoutReason} reason
 */
export const isWorthSaying = (reason) =>
  ['network', 'underruns', 'recovered', 'worker', 'worklet', 'decoder', 'silent', 'codec'].includes(
    reason,
  );

/**
 * How a room works.
 * @param {{ mode: 'mix' | 'forward', maxSpeakers: number }} settings
 */
export const rulesWords = ({ mode, maxSpeakers }) => {
  const most = maxSpeakers === 1 ? 'one voice' : `${maxSpeakers} voices`;
  return mode === 'mix'
    ? `Everybody hears one mix, of at most ${most} at once.`
    : `Everybody gets each voice as it is sent, at most ${most} at once. Strips and room faders act on mixes only.`;
};

/**
 * What I may do in the room, when that changes.
 * @param {{ role: string, rights: readonly string[] }} now
 */
export const roleWords = ({ role, rights }) => {
  if (rights.includes('run_desk')) return 'You run the desk of this room.';
  return role === 'subscriber' ? 'You are here to listen now.' : 'You may speak here.';
};

/** Words for the hops of the latency budget, in the order a voice takes them. */
export const HOPS = /** @type {const} */ ([
  ['captureMs', 'Microphone', 'here'],
  ['packetMs', 'Packet and codec', 'here'],
  ['networkUpMs', 'Network up', 'network'],
  ['serverBufferMs', 'Server buffer', 'server-zone'],
  ['mixMs', 'Mix', 'server-zone'],
  ['networkDownMs', 'Network down', 'network'],
  ['playoutBufferMs', 'Playout buffer', 'here'],
  ['outputMs', 'Output device', 'here'],
]);
