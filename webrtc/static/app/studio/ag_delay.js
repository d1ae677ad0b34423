import { StageElement } from './stage.js';

/** The delay: echoes, each duller than the last. */
export class AgDelay extends StageElement {
  /** @override */
  get heading() {
    return 'Delay';
  }

  /** @override @returns {'delay'} */
  get stage() {
    return 'delay';
  }

  /** @override */
  body() {
    return [
      this.knobs([
        ['delayMix', 'Mix'],
        ['delayTime', 'Time'],
        ['delayFeedback', 'Feedback'],
        ['delayDamping', 'Damping'],
      ]),
    ];
  }
}
