/**
 * An `EventTarget` whose events have names and details known to the type checker.
 *
 * @template {object} Events Event name to the type of `event.detail`.
 */
export class Emitter extends EventTarget {
  /**
   * Listen; the returned function stops listening.
   * @template {keyof Events & string} K
   * @param {K} type
   * @param {(detail: Events[K], event: CustomEvent<Events[K]>) => void} handler
   * @param {{ signal?: AbortSignal, once?: boolean }} [options]
   * @returns {() => void}
   */
  on(type, handler, options) {
    /** @param {Event} event */
    const listener = (event) => {
      const custom = /** @type {CustomEvent<Events[K]>} */ (event);
      handler(custom.detail, custom);
    };
    this.addEventListener(type, listener, options);
    return () => this.removeEventListener(type, listener);
  }

  /**
   * @protected
   * @template {keyof Events & string} K
   * @param {K} type
   * @param {Events[K]} detail
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
