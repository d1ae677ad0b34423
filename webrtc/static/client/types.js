/**
 * The shapes of the public interface. Types only.
 */

/**
 * @typedef {import('./errors.js').AudioStreamingError} AudioStreamingError
 * @typedef {import('./roster.js').Participant} Participant
 * @typedef {import('./media_machine.js').MediaState} MediaState
 */

/**
 * @typedef {'disconnected' | 'connecting' | 'connected' | 'joining' | 'joined' | 'reconnecting'}
 *   ClientState
 */

/**
 * @typedef {object} ClientOptions
 * @property {number} [connectTimeoutMs] How long `connect()` tries. Default 10000.
 * @property {number} [mediaTimeoutMs] How long starting may take. Default 15000.
 * @property {string} [token] Join token, for servers that want one; of every `joinRoom()` that
 *   names no other.
 * @property {string} [path] Path of Socket.IO on the server. Default `/socket.io/`.
 * @property {RTCIceServer[]} [iceServers] In addition to the server's.
 * @property {RTCIceTransportPolicy} [iceTransportPolicy] `relay` sends everything through TURN.
 * @property {import('./redundancy.js').RedundancyMode} [redundancy] Whether to send each packet
 *   twice; `auto` (default) while much of it gets lost. Browsers without RED never do.
 * @property {import('./playout/path_switch.js').PlayoutMode} [playout] Which way the mix takes to
 *   the ear: `low-latency` is our own, `browser` the browser's, `auto` (default) ours wherever and
 *   whenever that plays well.
 */

/**
 * @typedef {object} JoinOptions
 * @property {string} [roomId] Empty: a new room.
 * @property {string} [name]
 * @property {'publisher' | 'subscriber' | 'both'} [role] Default `both`.
 * @property {string} [token] In place of the client's own.
 * @property {string} [resumeToken] Takes the seat of an earlier visit, within 60 s.
 * @property {string} [hostKey]
 * @property {'mix' | 'forward'} [mode] Of a room that this makes. Default `mix`.
 * @property {number} [maxSpeakers] Of a room that this makes, 1 to 15. Default 6.
 */

/**
 * @typedef {object} AssignedTrack A track of a room that forwards.
 * @property {string} mid Of its transceiver.
 * @property {MediaStreamTrack} track
 * @property {string | null} participantId Who is on it at the moment.
 */

/**
 * @typedef {object} JoinResult
 * @property {string} roomId
 * @property {string} participantId
 * @property {string} resumeToken
 * @property {string | null} hostKey
 * @property {string} role
 * @property {readonly string[]} rights
 * @property {Participant[]} participants As they were on joining.
 * @property {Record<string, unknown>} settings Of the own strip, as the server confirmed them.
 */

/**
 * What happens among the people in the room.
 * @typedef {object} PeopleEvents
 * @property {{ participant: Participant }} participantjoined
 * @property {{ participant: Participant }} participantleft
 * @property {{ participant: Participant }} participantupdated
 * @property {{ levels: { participantId: string, levelDbov: number, speaking: boolean }[] }} levels
 * @property {{ participantIds: string[] }} activespeakers
 * @property {{ settings: Record<string, unknown>, participantId: string }} settings
 * @property {{ role: string, rights: readonly string[] }} rolechange What I may do here changed.
 * @property {{ error: AudioStreamingError }} error Something failed that no call is waiting for.
 */

/**
 * What happens to the connection and the sound.
 * @typedef {object} ConnectionEvents
 * @property {{ state: ClientState, previous: ClientState, attempt: number }} statechange
 * @property {{ state: MediaState, previous: MediaState }} mediastatechange
 * @property {{ track: MediaStreamTrack }} track The mix that this client hears.
 * @property {{ tracks: AssignedTrack[] }} trackassignments Who is on which track of a room that
 *   forwards, all of them.
 * @property {{ blocked: boolean }} playbackblocked The browser wants a click: `resumePlayback()`.
 * @property {import('./playout_paths.js').PlayoutEvents['change']} playout-changed The mix takes
 *   another way to the ear, or the reason for it is another.
 * @property {{ track: MediaStreamTrack }} microphonechange
 * @property {{ error: AudioStreamingError }} microphonelost
 * @property {{ attempt: number }} reconnecting
 * @property {{ resumed: boolean }} reconnected
 * @property {{ reason: string }} roomclosed
 * @property {{ retryAfterMs: number }} draining
 * @property {{ what: string[] }} degraded What does not work at the moment: `replicas`.
 * @property {{ event: string, payload: any }} serverevent Any other event of the server.
 */

/** @typedef {PeopleEvents & ConnectionEvents} ClientEvents */

export {};
