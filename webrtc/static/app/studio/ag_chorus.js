import { StageElement } from './stage.js';

/** The chorus: a second voice that wanders. */
export class AgChorus extends StageElement {
  /** @override */
  get heading() {
    return 'Chorus';
  }

  /** @override @returns {'chorus'} */
  get stage() {
    return 'chorus';
  }

  /** @override */
  body() {
    return [
      this.knobs([
        ['chorusMix', 'Mix'],
        ['chorusRate', 'Rate'],
        ['chorusDepth', 'Depth'],
      ]),
    ];
  }
}
