/**
 * Notices what no socket tells: the network came back, or the machine slept.
 */

const CHECK_EVERY_MS = 1000;
const SLEPT_MS = 5000;

/**
 * @param {object} platform
 * @param {EventTarget} platform.network Fires `online`.
 * @param {() => number} platform.wallNow Milliseconds, going on while the machine sleeps.
 * @param {(callback: () => void, delayMs: number) => unknown} platform.setTimer
 * @param {(handle: any) => void} platform.clearTimer
 * @param {{ online: () => void, woke: () => void }} handlers
 * @returns {() => void} Stops watching.
 */
export function watchEnvironment({ network, wallNow, setTimer, clearTimer }, handlers) {
  let last = wallNow();
  /** @type {unknown} */
  let timer = null;
  const tick = () => {
    const now = wallNow();
    if (now - last > CHECK_EVERY_MS + SLEPT_MS) handlers.woke();
    last = now;
    timer = setTimer(tick, CHECK_EVERY_MS);
  };
  timer = setTimer(tick, CHECK_EVERY_MS);
  network.addEventListener('online', handlers.online);
  return () => {
    clearTimer(timer);
    network.removeEventListener('online', handlers.online);
  };
}
