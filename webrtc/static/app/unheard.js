/** Notices when somebody talks although their microphone is off. */

const LOOK_EVERY_MS = 100;
/** So many of the latest looks must find a voice. */
const LOOKS = 15;
const ENOUGH = 6;
/** A voice is so far above what is always there, and no quieter than this. */
const ABOVE_FLOOR_DB = 12;
const LEAST_DB = -50;
/** The floor follows upwards slowly, downwards at once. */
const FLOOR_RISE_DB = 0.5;

/** Tells a voice from a fan: by how far and how often it stands out. */
export class VoiceWatch {
  #floorDb = Infinity;
  /** @type {boolean[]} */
  #looks = [];

  /**
   * @param {number} rmsDb What the microphone hears, looked at every 100 ms.
   * @returns {boolean} Whether somebody talks.
   */
  look(rmsDb) {
    const heardDb = Math.max(rmsDb, -120);
    this.#floorDb = Math.min(heardDb, this.#floorDb + FLOOR_RISE_DB);
    this.#looks.push(heardDb > LEAST_DB && heardDb > this.#floorDb + ABOVE_FLOOR_DB);
    if (this.#looks.length > LOOKS) this.#looks.shift();
    return this.#looks.filter(Boolean).length >= ENOUGH;
  }
}

/**
 * Say so once each time the microphone was switched off.
 * @param {object} page
 * @param {() => boolean} page.isMuted Broadcasting, with the microphone off.
 * @param {() => { rmsDbfs: number }} page.level
 * @param {(isTalking: boolean) => void} page.tell
 */
export function watchUnheard({ isMuted, level, tell }) {
  /** @type {VoiceWatch | null} */
  let watch = null;
  let wasTold = false;
  window.setInterval(() => {
    if (!isMuted()) {
      if (wasTold) tell(false);
      watch = null;
      wasTold = false;
    } else if (!wasTold && document.visibilityState === 'visible') {
      watch ??= new VoiceWatch();
      wasTold = watch.look(level().rmsDbfs);
      if (wasTold) tell(true);
    }
  }, LOOK_EVERY_MS);
}
