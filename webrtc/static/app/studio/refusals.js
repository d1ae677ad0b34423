/** What a refused change is called for the person who made it. */

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
  const why = WORDS[reason] ?? sentence(detail);
  return `${why} The value is back where it was.`;
}

/** @param {string} detail As the server puts it: without capital and full stop. */
function sentence(detail) {
  if (detail === '') return 'That did not work.';
  const begun = (detail[0] ?? '').toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
