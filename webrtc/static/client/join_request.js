/** What a client asks of the server to enter a room. */

/**
 * Return the payload of `join_room`; of what is not said, the server knows its own mind.
 * @param {import('./types.js').JoinOptions} options
 * @param {string} [ownToken] The client's own join token, where the options bring none.
 */
export function joinRequest(options, ownToken) {
  const token = options.token ?? ownToken;
  return {
    room_id: options.roomId ?? '',
    role: options.role ?? 'both',
    protocol: 1,
    capabilities: ['tracks'],
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    ...(options.maxSpeakers === undefined ? {} : { max_speakers: options.maxSpeakers }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(token === undefined ? {} : { token }),
    ...(options.hostKey === undefined ? {} : { host_key: options.hostKey }),
  };
}
