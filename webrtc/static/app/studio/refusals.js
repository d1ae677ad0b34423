/** What a refused change is called for the person who made it. */

import { sentence } from '../format.js';

/** @type {Record<string, string>} */
const WORDS = {
  forbidden: 'This strip is not yours to change any more.',
  not_connected: 'The connection is away just now.',
  not_joined: 'You are in no room any more.',
  participant_not_found: 'They have left the room.',
  rate_limited: 'That were too many changes at once.',
  timeout: 'The server did not answer in time.',
  bad_message: 'The server does not take this value.',
};

/**
 * @param {unknown} error
 * @returns {string} One or two sentences.
 */
export function refusalWords(error) {
  const { reason = '', detail = '' } = /** @type {{ reason?: string, detail?: string }} */ (
    error ?? {}
  );
  const why = WORDS[reason] ?? (sentence(detail) || 'That did not work.');
  return `${why} The value is back where it was.`;
}
