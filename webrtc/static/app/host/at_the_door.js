import { PASSING_REASONS } from '../../client/errors.js';

const KNOCK_AGAIN_MS = 3000;

/**
 * @typedef {Pick<import('../../client/client.js').BaseClient, 'host' | 'on' | 'state'>} Client
 */

/**
 * Somebody who has to wait until a host lets them in, and then comes in with what they asked for.
 * The server takes a guest whose connection was lost for gone: they knock again.
 */
export class AtTheDoor {
  /**
   * @param {Client} client
   * @param {{ enter: (wish: any) => void,
   *   refused: (error: { reason: string, detail?: string }) => void }} ways
   * @param {(work: () => void, ms: number) => unknown} [later]
   */
  constructor(client, ways, later = (work, ms) => window.setTimeout(work, ms)) {
    this.#client = client;
    this.#ways = ways;
    this.#later = later;
    client.host.on('admission', ({ admitted }) => {
      const wish = this.#wish;
      this.#wish = null;
      if (!admitted) ways.refused({ reason: 'denied' });
      else if (wish !== null) ways.enter(wish);
    });
    client.on('roomclosed', () => this.leave());
    client.on('statechange', ({ state, previous }) => {
      if (state === 'disconnected') this.#shownOut();
      else if (previous !== 'joining') this.#knock();
    });
  }

  #client;
  #ways;
  #later;
  /** @type {object | null} What somebody asked for who waits. */
  #wish = null;

  /** Wait no longer. */
  leave() {
    this.#wish = null;
  }

  /**
   * A join was refused.
   * @param {object} wish What was asked for.
   * @param {unknown} error
   */
  refused(wish, error) {
    const { reason = '' } = /** @type {{ reason?: string }} */ (error);
    // Who waited already and is refused in passing goes on waiting.
    const again = wish === this.#wish && (reason === 'not_connected' || PASSING_REASONS.has(reason));
    this.#wish = reason === 'waiting' || again ? wish : null;
    if (again) this.#later(() => this.#knock(), KNOCK_AGAIN_MS);
  }

  #knock() {
    if (this.#wish !== null && this.#client.state === 'connected') this.#ways.enter(this.#wish);
  }

  /** The server hung up: nobody will let them in. */
  #shownOut() {
    if (this.#wish === null) return;
    this.leave();
    const detail = 'The server ended the connection while you waited.';
    this.#ways.refused({ reason: 'not_connected', detail });
  }
}
