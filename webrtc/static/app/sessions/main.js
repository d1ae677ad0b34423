/** Puts the page of sessions together: the element, and the socket that tells it what happens. */

import { io } from '../../vendor/socket.io.esm.min.js';
import { AgSessions } from './ag_sessions.js';

const KEY = 'ag06.sessions';

customElements.define('ag-sessions', AgSessions);
const page = /** @type {AgSessions} */ (document.querySelector('ag-sessions'));
const socket = io({ transports: ['websocket'], autoConnect: false });
let token = '';

const watch = () => socket.emit('watch_sessions', { token });
socket.on('connect', () => {
  watch();
  page.refresh();
});
socket.on('session_updated', (session) => page.sessionUpdated(session));
socket.on('session_removed', ({ session_id: id }) => page.sessionRemoved(id));

page.addEventListener('opened', (event) => {
  const { detail } = /** @type {CustomEvent<{ token: string, room: string }>} */ (event);
  token = detail.token;
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify(detail));
  } catch {
    // Forbidden: a reload asks again.
  }
  if (socket.connected) watch();
  else socket.connect();
});

page.fill(remembered());

/** What a link's fragment says (`#token=…&room=…`, which no server is sent), or the last visit. */
function remembered() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has('token')) {
    history.replaceState(null, '', location.pathname);
    return { token: given.get('token') ?? '', room: given.get('room') ?? '' };
  }
  try {
    const kept = JSON.parse(window.sessionStorage.getItem(KEY) ?? '{}');
    return { token: String(kept.token ?? ''), room: String(kept.room ?? '') };
  } catch {
    return { token: '', room: '' };
  }
}
