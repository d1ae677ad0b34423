import { PASSING_REASONS } from '../../client/errors.js';

/**
 * Somebody who has to wait until a host lets them in, and then comes in with what they asked for.
 */
export class AtTheDoor {
  /**
   * @param {import('../../client/host.js').Host} host
   * @param {{ enter: (wish: any) => void, refused: (reason: string) => void }} ways
   */
  constructor(host, { enter, refused }) {
    host.on('admission', ({ admitted }) => {
      const wish = this.#wish;
      this.#wish = null;
      if (!admitted) refused('denied');
      else if (wish !== null) enter(wish);
    });
  }

  /** @type {any} What somebody asked for who waits. */
  #wish = null;

  get wish() {
    return this.#wish;
  }

  /** Wait no longer. */
  leave() {
    this.#wish = null;
  }

  /**
   * A join was refused.
   * @param {object} wish What was asked for.
   * @param {unknown} error
   * @returns {boolean} Whether to knock again later: who waited already was refused in passing.
   */
  refused(wish, error) {
    const { reason = '' } = /** @type {{ reason?: string }} */ (error);
    const again = wish === this.#wish && (reason === 'not_connected' || PASSING_REASONS.has(reason));
    this.#wish = reason === 'waiting' || again ? wish : null;
    return again;
  }
}
