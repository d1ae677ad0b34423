/**
 * Errors of the client. Every promise of the public interface rejects with an
 * `AudioStreamingError`; its `reason` is a stable code to branch on, `detail` one sentence for a
 * person.
 *
 * Codes made here (everything else comes over the wire and is listed in docs/protocol.md):
 *
 *   timeout              the server did not acknowledge in time
 *   unreachable          no connection to the server
 *   invalid_option       an option has a value that it cannot have
 *   not_connected        connect() has not succeeded, or the connection is away at the moment
 *   not_joined           the call needs a room
 *   aborted              disconnect() or leaveRoom() ended the call
 *   bad_answer           the server's message does not have the agreed shape
 *   negotiation_failed   the browser refused a session description
 *   media_unreachable    signaling works, sound does not get through (UDP is blocked, most often)
 *   webrtc_unsupported   this browser has no WebRTC
 *   insecure_origin      microphones are only given to https pages and localhost
 *   permission_denied    the user or a policy refused the microphone
 *   no_microphone        there is no microphone (or not the one asked for)
 *   device_busy          another program holds the microphone
 *   device_lost          the microphone was unplugged or taken away
 *   output_unsupported   this browser cannot choose an output
 *   playback_blocked     the browser wants a click before it plays sound
 */

export class AudioStreamingError extends Error {
  /**
   * @param {string} reason Stable code.
   * @param {string} detail One sentence for a person.
   * @param {unknown} [cause] What led here.
   * @param {number | null} [retryAfterS] When trying again makes sense, by the server's word.
   */
  constructor(reason, detail, cause, retryAfterS = null) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'AudioStreamingError';
    /** @readonly */
    this.reason = reason;
    /** @readonly */
    this.detail = detail;
    /** @readonly */
    this.retryAfterS = retryAfterS;
  }
}

/** Refusals that the same request, made again a little later, may well get past. */
export const PASSING_REASONS = new Set([
  'timeout',
  'busy',
  'rate_limited',
  'worker_unavailable',
  'negotiation_timeout',
  'draining',
  'internal_error',
]);

/**
 * Check an acknowledgement.
 * @param {unknown} ack
 * @returns {Record<string, any>} The acknowledgement of a success.
 * @throws {AudioStreamingError} With the server's reason.
 */
export function acknowledged(ack) {
  if (typeof ack !== 'object' || ack === null) {
    throw new AudioStreamingError('bad_answer', 'The server sent no acknowledgement.');
  }
  const body = /** @type {Record<string, any>} */ (ack);
  if (body.ok === true) return body;
  const error = body.error ?? {};
  throw new AudioStreamingError(
    typeof error.reason === 'string' ? error.reason : 'bad_answer',
    typeof error.detail === 'string' ? error.detail : 'The server refused without a reason.',
    undefined,
    typeof error.retry_after === 'number' ? error.retry_after : null,
  );
}

/** @type {Record<string, [string, string]>} */
const MEDIA_ERRORS = {
  NotAllowedError: ['permission_denied', 'The browser did not give access to the microphone.'],
  SecurityError: ['permission_denied', 'A policy of this page or browser forbids the microphone.'],
  NotFoundError: ['no_microphone', 'No microphone was found.'],
  OverconstrainedError: ['no_microphone', 'The chosen microphone is not there.'],
  NotReadableError: ['device_busy', 'The microphone is in use by another program.'],
  AbortError: ['device_busy', 'The microphone could not be opened.'],
};

/**
 * Name what `getUserMedia` threw.
 * @param {unknown} error
 * @returns {AudioStreamingError}
 */
export function microphoneError(error) {
  if (error instanceof AudioStreamingError) return error;
  const name = error instanceof Error ? error.name : '';
  const [reason, detail] = MEDIA_ERRORS[name] ?? [
    'device_busy',
    `The microphone could not be opened (${name || String(error)}).`,
  ];
  return new AudioStreamingError(reason, detail, error);
}
