/**
 * The few lines of a session description that decide how this client sounds (RFC 8866, RFC 7587).
 *
 * A browser's own offer says too little: Chromium decodes to mono unless the *offer* carries
 * `stereo=1`, and packs 20 ms unless it reads `ptime`. Text in, text out, nothing else touched.
 */

/**
 * @typedef {object} OpusWishes
 * @property {'speech' | 'music'} mode Speech lets silence go unsent (`usedtx`), music never does.
 * @property {number} ptimeMs Wished packet time.
 */

/**
 * Parameters of an fmtp line, in order.
 * @param {string} text `a=1;b=2`
 * @returns {Map<string, string>}
 */
export function parseFmtp(text) {
  const entries = text.split(';').map((part) => {
    const [key = '', ...value] = part.trim().split('=');
    return /** @type {[string, string]} */ ([key, value.join('=')]);
  });
  return new Map(entries.filter(([key]) => key !== ''));
}

/** @param {Map<string, string>} parameters */
const formatFmtp = (parameters) =>
  [...parameters].map(([key, value]) => (value === '' ? key : `${key}=${value}`)).join(';');

/**
 * Say in every audio section that we take and send stereo Opus in short packets with FEC.
 * @param {string} sdp
 * @param {OpusWishes} wishes
 * @returns {string}
 */
export function tuneOpus(sdp, wishes) {
  return sections(sdp)
    .map((section) => (section.startsWith('m=audio ') ? tuneSection(section, wishes) : section))
    .join('');
}

/**
 * The packet time that a description asks its receiver to send, or undefined.
 * @param {string} sdp
 * @returns {number | undefined}
 */
export function readPtimeMs(sdp) {
  const value = /^a=ptime:(\d+)/m.exec(sdp)?.[1];
  return value === undefined ? undefined : Number(value);
}

/**
 * Whether a description asks its receiver to send redundantly: RED stands before Opus.
 * @param {string} sdp
 */
export function prefersRed(sdp) {
  const first = /^m=audio \S+ \S+ (\d+)/m.exec(sdp)?.[1];
  return first !== undefined && new RegExp(`^a=rtpmap:${first} red/48000`, 'im').test(sdp);
}

/**
 * Session part first, then one string per m-line; joined they are the input again.
 * @param {string} sdp
 * @returns {string[]}
 */
const sections = (sdp) => sdp.split(/^(?=m=)/m);

/**
 * @param {string} section
 * @param {OpusWishes} wishes
 */
function tuneSection(section, wishes) {
  const opus = /^a=rtpmap:(\d+) opus\/48000\/2\r?$/im.exec(section)?.[1];
  if (opus === undefined) return section;
  const eol = section.includes('\r\n') ? '\r\n' : '\n';
  const lines = section.split(eol).filter((line) => !/^a=(ptime|maxptime):/.test(line));
  const prefix = `a=fmtp:${opus} `;
  const at = lines.findIndex((line) => line.startsWith(prefix));
  const parameters = parseFmtp(
    at < 0 ? '' : /** @type {string} */ (lines[at]).slice(prefix.length),
  );
  parameters.set('minptime', '10');
  parameters.set('useinbandfec', '1');
  parameters.set('stereo', '1');
  parameters.set('sprop-stereo', '1');
  if (wishes.mode === 'speech') parameters.set('usedtx', '1');
  else parameters.delete('usedtx');
  const line = prefix + formatFmtp(parameters);
  if (at < 0) {
    lines.splice(lines.findIndex((text) => text.startsWith(`a=rtpmap:${opus} `)) + 1, 0, line);
  } else {
    lines[at] = line;
  }
  const end = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  lines.splice(end, 0, `a=ptime:${wishes.ptimeMs}`);
  return lines.join(eol);
}
