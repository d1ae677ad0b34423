/**
 * Where the server is: one address, or those of all its replicas. Whenever a connection has ended or
 * failed, the next address is tried.
 */

/**
 * @typedef {{ origin: string, path: string }} Address Of a Socket.IO server.
 */

export class Addresses {
  /**
   * @param {string | string[]} serverUrl
   * @param {string | undefined} path Of Socket.IO; by default `socket.io/` below each address.
   * @param {string | undefined} base What relative addresses are relative to.
   */
  constructor(serverUrl, path, base) {
    const urls = Array.isArray(serverUrl) ? serverUrl : [serverUrl];
    if (urls.length === 0) throw new TypeError('The server needs an address.');
    this.#all = urls.map((text) => {
      const url = new URL(text, base);
      return { origin: url.origin, path: path ?? `${url.pathname.replace(/\/$/, '')}/socket.io/` };
    });
  }

  /** @type {Address[]} */
  #all;
  #index = 0;

  /** @returns {Address} */
  get current() {
    return /** @type {Address} */ (this.#all[this.#index]);
  }

  /** Go on to the next one. */
  next() {
    this.#index = (this.#index + 1) % this.#all.length;
  }

  /**
   * Have a socket.io-client `Socket` connect to the next address after each failure.
   * @param {{ on: (event: string, handler: () => void) => unknown,
   *   io: { uri: string, opts: Record<string, unknown> } }} socket
   */
  follow(socket) {
    if (this.#all.length === 1) return;
    const move = () => {
      this.next();
      socket.io.uri = this.current.origin;
      socket.io.opts.path = this.current.path;
    };
    socket.on('connect_error', move);
    socket.on('disconnect', move);
  }
}
