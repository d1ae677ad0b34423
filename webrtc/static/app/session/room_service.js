/** REST of a room: its recording, and what is played into it. The resume token says who asks. */

/**
 * @typedef {object} Playback
 * @property {string} playback_id
 * @property {string} name
 * @property {'playing' | 'paused' | 'ended'} state
 * @property {number} position_s
 * @property {number | null} duration_s
 * @property {boolean} loop
 */

/**
 * @typedef {object} Recorded
 * @property {string} recording_id
 * @property {string} state
 * @property {number} started_at Seconds since the epoch.
 * @property {number} duration_s
 * @property {number} bytes
 * @property {string} zip_url
 * @property {{ kind: string, participant: string, file: string, url: string }[]} files
 */

/** @typedef {{ roomId: string, resumeToken: string }} Visitor */

/**
 * @param {Visitor} visitor
 * @param {string} path
 * @param {{ method?: string, body?: BodyInit }} [request]
 * @returns {Promise<any>}
 */
async function ask({ roomId, resumeToken }, path, { method = 'GET', body } = {}) {
  const reply = await fetch(`/api/rooms/${encodeURIComponent(roomId)}/${path}`, {
    method,
    headers: { Authorization: `Bearer ${resumeToken}` },
    ...(body === undefined ? {} : { body }),
  });
  if (reply.ok) return reply.status === 204 ? null : reply.json();
  const problem = await reply.json().catch(() => ({ detail: reply.statusText }));
  throw new Error(problem.detail);
}

/** @param {Visitor} visitor @returns {Promise<{ is_available: boolean, warning?: string }>} */
export const recordingStatus = (visitor) => ask(visitor, 'recording');

/**
 * @param {Visitor} visitor
 * @param {'recording' | 'paused' | 'stopped'} state
 * @param {{ tracks?: string[], format?: string }} [how] What counts when it begins.
 */
export const setRecording = (visitor, state, how = {}) =>
  ask(visitor, 'recording', { method: 'PUT', body: JSON.stringify({ state, ...how }) });

/** @param {Visitor} visitor @returns {Promise<{ is_available: boolean }>} */
export const broadcastStatus = (visitor) => ask(visitor, 'broadcast');

/** @param {Visitor} visitor @param {'live' | 'stopped'} state */
export const setBroadcast = (visitor, state) =>
  ask(visitor, 'broadcast', { method: 'PUT', body: JSON.stringify({ state }) });

/** @param {Visitor} visitor @param {string} label */
export const markRecording = (visitor, label) =>
  ask(visitor, 'recording/marks', { method: 'POST', body: JSON.stringify({ label }) });

/** @param {Visitor} visitor @returns {Promise<Recorded[]>} */
export const recordings = async (visitor) => (await ask(visitor, 'recordings')).recordings;

/** @param {Visitor} visitor @returns {Promise<Playback[]>} */
export const playbacks = async (visitor) => (await ask(visitor, 'playbacks')).playbacks;

/** @param {Visitor} visitor @param {File} file */
export const play = (visitor, file) =>
  ask(visitor, `playbacks?name=${encodeURIComponent(file.name.slice(0, 60))}`, {
    method: 'POST',
    body: file,
  });

/**
 * @param {Visitor} visitor
 * @param {string} playbackId
 * @param {{ state?: 'playing' | 'paused', position_s?: number, loop?: boolean }} change
 */
export const changePlayback = (visitor, playbackId, change) =>
  ask(visitor, `playbacks/${playbackId}`, { method: 'PATCH', body: JSON.stringify(change) });

/** @param {Visitor} visitor @param {string} playbackId */
export const stopPlayback = (visitor, playbackId) =>
  ask(visitor, `playbacks/${playbackId}`, { method: 'DELETE' });
