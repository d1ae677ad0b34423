/**
 * The join token that a link brought: it comes in the fragment, which no server is sent, and is
 * taken out of the address before anybody looks at it or copies it. A reload finds it again.
 */

const KEY = 'ag06.token';

/**
 * @param {{ location: Pick<Location, 'href' | 'hash'>, history: Pick<History, 'replaceState'>,
 *   storage: () => Storage }} page
 * @returns {string | undefined}
 */
export function takeEntryToken({ location, history, storage }) {
  const parts = location.hash.replace(/^#/, '').split('&');
  const rest = parts.filter((part) => !part.startsWith('token='));
  const given = parts.find((part) => part.startsWith('token='))?.slice('token='.length);
  if (given === undefined) return recall(storage);
  const url = new URL(location.href);
  url.hash = rest.join('&');
  history.replaceState(null, '', url.href);
  try {
    storage().setItem(KEY, given);
  } catch {
    // Forbidden: a reload will have to come by the link again.
  }
  return given || undefined;
}

/** @param {() => Storage} storage */
function recall(storage) {
  try {
    return storage().getItem(KEY) || undefined;
  } catch {
    return undefined;
  }
}
