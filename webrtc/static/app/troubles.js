import { adviceFor, isMicrophoneTrouble } from './words.js';

/**
 * @typedef {import('../client/errors.js').AudioStreamingError} AudioStreamingError
 * @typedef {import('./words.js').ActionName} ActionName
 */

/** Says what went wrong and offers the ways out. */
export class Troubles {
  /**
   * @param {import('./notices.js').Notices} notices
   * @param {Record<Exclude<ActionName, 'dismiss'>, () => void>} ways What the actions do.
   */
  constructor(notices, ways) {
    this.#notices = notices;
    this.#ways = ways;
  }

  #notices;
  #ways;
  #refused = 0;
  #isAboveBitrate = false;

  /**
   * @param {string} subject
   * @param {unknown} error
   */
  show(subject, error) {
    const { reason = '', detail = String(error) } = /** @type {AudioStreamingError} */ (error);
    if (reason === 'aborted') return;
    const { title, text, actions } = adviceFor({ reason, detail });
    /** @type {Record<ActionName, { label: string, run: () => void }>} */
    const known = {
      retryMicrophone: { label: 'Try again', run: this.#ways.retryMicrophone },
      listenOnly: { label: 'Just listen', run: this.#ways.listenOnly },
      connect: { label: 'Connect', run: this.#ways.connect },
      stopWaiting: { label: 'Stop waiting', run: this.#ways.stopWaiting },
      dismiss: { label: 'Understood', run: () => this.#notices.clear(subject) },
    };
    this.#notices.show(subject, { title, text, actions: actions.map((action) => known[action]) });
  }

  /**
   * @param {boolean} blocked Whether the browser wants a click before it plays.
   * @param {() => void} play
   */
  playbackBlocked(blocked, play) {
    if (!blocked) {
      this.#notices.clear('playback');
      return;
    }
    this.#notices.show('playback', {
      title: 'Sound waits for you',
      text: 'The browser plays nothing before you click.',
      actions: [{ label: 'Listen to Stream', run: play }],
    });
  }

  /** @param {readonly string[]} what Does not work at the server. */
  degraded(what) {
    if (!what.includes('replicas')) {
      this.#notices.clear('replicas');
      return;
    }
    this.#notices.show('replicas', {
      title: 'Some people may be missing',
      text: 'Whoever is connected with another part of the server cannot be heard right now.',
      actions: [],
    });
  }

  /** @param {number} packets Of ours that the server has not taken, since we connected. */
  aboveBitrate(packets) {
    const before = this.#isAboveBitrate;
    this.#isAboveBitrate = packets > this.#refused;
    this.#refused = packets;
    if (!this.#isAboveBitrate) this.#notices.clear('bitrate');
    else if (!before) {
      this.#notices.show('bitrate', {
        title: 'You are heard with gaps',
        text: 'Your sound takes more bandwidth than this server allows, so it leaves out a part.',
        actions: [],
      });
    }
  }

  /**
   * @param {boolean} isTalking With the microphone off.
   * @param {() => void} switchOn
   */
  unheard(isTalking, switchOn) {
    this.#notices.clear('unheard');
    if (!isTalking) return;
    this.#notices.show('unheard', {
      title: 'Nobody hears you',
      text: 'You are talking, but your microphone is off. Press M, or hold Space while you talk.',
      actions: [{ label: 'Microphone on', run: switchOn }],
    });
  }
}

/**
 * @param {unknown} error Of starting to speak or to listen.
 * @returns {'microphone' | 'media'} What the trouble is about.
 */
export function subjectOf(error) {
  const { reason = '' } = /** @type {AudioStreamingError} */ (error);
  return isMicrophoneTrouble(reason) ? 'microphone' : 'media';
}
