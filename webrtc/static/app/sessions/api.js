/**
 * @typedef {{ session_id: string, kind: string, state: 'live' | 'ended', name: string,
 *   room_id: string | null, participant_id: string | null, started_at: number | null,
 *   ended_at: number | null, duration_s: number | null, playing: boolean }} Session
 * @typedef {{ encoding: string, sample_rate_hz: number, channels: number }} Format
 * @typedef {{ choice: number, format: Format, confidence: number,
 *   encoding_confidence: number }} Candidate
 * @typedef {{ duration_s: number, peak_dbfs: number, rms_dbfs: number, loudness_lufs: number,
 *   silence_share: number, clipped_samples: number, spectrum_db: number[],
 *   waveform: number[] }} Analysis
 * @typedef {{ session: Session, kept: { from_s: number, to_s: number } | null,
 *   format: Format | null, analysis: Analysis | null,
 *   guess: { container: string | null, garbage: boolean, candidates: Candidate[] } | null }} Details
 */

/** What the server refuses, with its reason code. */
export class Refusal extends Error {
  /**
   * @param {string} reason
   * @param {string} detail
   */
  constructor(reason, detail) {
    super(detail);
    this.reason = reason;
  }
}

/** REST of sessions, for one bearer. */
export class SessionsApi {
  #fetch;
  #token;

  /**
   * @param {string} token
   * @param {typeof fetch} fetcher
   */
  constructor(token, fetcher) {
    this.#token = token;
    this.#fetch = fetcher;
  }

  /**
   * @param {string | null} cursor
   * @returns {Promise<{ sessions: Session[], cursor: string | null, may_delete: boolean }>}
   */
  list(cursor) {
    const after = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    return this.#json('GET', `api/sessions${after}`);
  }

  /**
   * @param {string} id
   * @param {number} choice
   * @returns {Promise<Details>}
   */
  info(id, choice) {
    return this.#json('GET', `${one(id)}/info?choice=${choice}`);
  }

  /**
   * @param {string} id
   * @param {{ choice?: number, room_id?: string }} wish
   * @returns {Promise<{ url: string | null, position_s: number, duration_s: number }>}
   */
  play(id, wish) {
    return this.#json('POST', `${one(id)}/play`, wish);
  }

  /** @param {string} id */
  stop(id) {
    return this.#json('POST', `${one(id)}/stop`);
  }

  /** @param {string} id */
  remove(id) {
    return this.#json('DELETE', one(id));
  }

  /**
   * @param {string} roomId
   * @returns {Promise<{ settings: { archive: boolean } }>}
   */
  room(roomId) {
    return this.#json('GET', `api/rooms/${encodeURIComponent(roomId)}`);
  }

  /**
   * @param {string} roomId
   * @param {boolean} archive
   */
  setArchive(roomId, archive) {
    return this.#json('PATCH', `api/rooms/${encodeURIComponent(roomId)}`, { archive });
  }

  /**
   * @param {string} id
   * @param {'wav' | 'flac' | 'opus'} format
   * @param {number} choice
   */
  async download(id, format, choice) {
    const response = await this.#ask('GET', `${one(id)}/download?format=${format}&choice=${choice}`);
    return response.blob();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>}
   */
  async #json(method, path, body) {
    const response = await this.#ask(method, path, body);
    return response.status === 204 ? null : response.json();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async #ask(method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { Authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const response = await this.#fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    const problem = await response.json().catch(() => null);
    throw new Refusal(problem?.reason ?? 'internal_error', problem?.detail ?? response.statusText);
  }
}

/** @param {string} id */
const one = (id) => `api/session/${encodeURIComponent(id)}`;
