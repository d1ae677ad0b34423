import { StageElement } from './stage.js';

/** The reverb: a room round the voice. */
export class AgReverb extends StageElement {
  /** @override */
  get heading() {
    return 'Reverb';
  }

  /** @override @returns {'reverb'} */
  get stage() {
    return 'reverb';
  }

  /** @override */
  body() {
    return [
      this.knobs([
        ['reverbMix', 'Mix'],
        ['reverbSize', 'Size'],
        ['reverbDecay', 'Decay'],
        ['reverbDamping', 'Damping'],
        ['reverbPreDelay', 'Pre-delay'],
      ]),
    ];
  }
}
