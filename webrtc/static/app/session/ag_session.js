import { make, setText } from '../dom.js';
import * as service from './room_service.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('./room_service.js').Playback} Playback
 */

const LOOK_EVERY_MS = 1000;
/** @type {[string, string][]} */
const FORMATS = [
  ['flac', 'FLAC'],
  ['wav', 'WAV'],
  ['opus', 'Opus'],
];

/**
 * The red lights for everybody; for whoever may: recording, broadcasting, and files that are played
 * into the room.
 */
export class AgSession extends HTMLElement {
  /** @type {BaseClient | null} */
  #client = null;
  #timer = 0;
  #canRecord = false;
  #canBroadcast = false;
  /** @type {Map<string, { row: HTMLElement, show: (playback: Playback) => void }>} */
  #rows = new Map();

  #light = make('p', { class: 'red-light', attributes: { role: 'status' } });
  #listen = make('a', { text: 'Listen', attributes: { target: '_blank' } });
  #air = make('p', { class: 'red-light', attributes: { role: 'status', hidden: '' } }, [
    'This room is broadcast.',
    this.#listen,
  ]);
  #broadcast = this.#button('Broadcast', () => this.#setBroadcast());
  #said = make('p', { class: 'session-said', attributes: { role: 'alert', hidden: '' } });
  #record = this.#button('Record', () => this.#setRecording('recording'));
  #pause = this.#button('Pause', () => this.#setRecording('paused'));
  #stop = this.#button('Stop recording', () => this.#setRecording('stopped'));
  #mark = this.#button('Mark', () => this.#withVisitor((me) => service.markRecording(me, 'Mark')));
  #tracks = /** @type {HTMLInputElement} */ (
    make('input', { attributes: { type: 'checkbox', id: 'session-tracks' } })
  );
  #tracksLabel = make('label', { attributes: { for: 'session-tracks' } }, [
    this.#tracks,
    ' a track for each person',
  ]);
  #format = /** @type {HTMLSelectElement} */ (
    make(
      'select',
      { class: 'input', attributes: { 'aria-label': 'Format of recordings' } },
      FORMATS.map(([value, text]) => make('option', { text, attributes: { value } })),
    )
  );
  #list = make('ul', { class: 'session-list' });
  #recordings = make('details', { class: 'session-recordings' }, [
    make('summary', { text: 'Recordings' }),
    this.#list,
  ]);
  #file = /** @type {HTMLInputElement} */ (
    make('input', { attributes: { type: 'file', accept: 'audio/*,video/*', hidden: '' } })
  );
  #drop = make('div', { class: 'session-drop' }, [
    this.#button('Play a file', () => this.#file.click()),
    make('span', { text: 'or drop it here' }),
    this.#file,
  ]);
  #playing = make('ul', { class: 'session-list' });

  connectedCallback() {
    if (this.#light.isConnected) return;
    const buttons = make('div', { class: 'session-buttons' }, [
      this.#record,
      this.#pause,
      this.#stop,
      this.#mark,
      this.#broadcast,
      this.#format,
      this.#tracksLabel,
    ]);
    this.append(
      this.#light,
      this.#air,
      buttons,
      this.#drop,
      this.#playing,
      this.#recordings,
      this.#said,
    );
    this.#recordings.addEventListener('toggle', () => void this.#showRecordings());
    this.#file.addEventListener('change', () => {
      for (const file of this.#file.files ?? []) void this.#play(file);
      this.#file.value = '';
    });
    this.#drop.addEventListener('dragover', (event) => {
      event.preventDefault();
      this.#drop.classList.add('is-over');
    });
    for (const end of ['dragleave', 'drop']) {
      this.#drop.addEventListener(end, () => this.#drop.classList.remove('is-over'));
    }
    this.#drop.addEventListener('drop', (event) => {
      event.preventDefault();
      for (const file of event.dataTransfer?.files ?? []) void this.#play(file);
    });
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  /** @param {BaseClient} client */
  attach(client) {
    this.#client = client;
    // Also told when a seat is taken or given up: right after it the client knows the room.
    client.desk.on('recordingchange', () => setTimeout(() => void this.#look()));
    client.desk.on('broadcastchange', () => setTimeout(() => void this.#look()));
    client.on('rolechange', () => void this.#look());
    for (const event of /** @type {const} */ (['participantjoined', 'participantleft'])) {
      client.on(event, () => void this.#look());
    }
    clearInterval(this.#timer);
    this.#timer = window.setInterval(() => {
      if (this.#rows.size > 0 || client.desk.recording) void this.#look();
    }, LOOK_EVERY_MS);
  }

  /** @param {string} right */
  #may(right) {
    return this.#client?.room?.rights.includes(right) ?? false;
  }

  /** What the server says of the room, for those who may do something about it. */
  async #look() {
    const me = this.#client?.room;
    this.#canRecord = this.#canBroadcast = false;
    if (me && (this.#may('record') || this.#may('play_files'))) {
      try {
        const status = await service.recordingStatus(me);
        this.#canRecord = status.is_available;
        if (status.warning) this.#say(status.warning);
        if (this.#may('broadcast')) {
          this.#canBroadcast = (await service.broadcastStatus(me)).is_available;
        }
        if (this.#may('play_files')) this.#showPlaybacks(await service.playbacks(me));
      } catch {
        // The next look will tell.
      }
    }
    this.#draw();
  }

  #draw() {
    const recording = this.#client?.desk.recording ?? null;
    const state = recording?.state ?? null;
    const host = this.#may('record');
    this.#light.hidden = state === null;
    this.#light.classList.toggle('is-paused', state === 'paused');
    setText(
      this.#light,
      state === 'recording' ? 'This room is being recorded' : 'The recording is paused',
    );
    this.#record.hidden = !host || !this.#canRecord || state === 'recording';
    setText(this.#record, state === 'paused' ? 'Go on recording' : 'Record');
    this.#tracksLabel.hidden = this.#record.hidden || state === 'paused';
    this.#format.hidden = this.#tracksLabel.hidden;
    this.#pause.hidden = !host || state !== 'recording';
    this.#stop.hidden = !host || state === null;
    this.#mark.hidden = !host || state !== 'recording';
    const air = this.#client?.desk.broadcast ?? null;
    this.#air.hidden = air === null;
    if (air) this.#listen.setAttribute('href', air.url);
    this.#broadcast.hidden = !this.#may('broadcast') || (!this.#canBroadcast && air === null);
    setText(this.#broadcast, air ? 'Stop broadcast' : 'Broadcast');
    this.#recordings.hidden = !host || !this.#canRecord;
    this.#drop.hidden = !this.#may('play_files');
    const idle = state === null && air === null;
    this.hidden = !this.#client?.room || (idle && !host && !this.#may('play_files'));
  }

  /** @param {'recording' | 'paused' | 'stopped'} state */
  #setRecording(state) {
    const tracks = this.#tracks.checked ? ['dry', 'processed'] : [];
    const format = this.#format.value;
    return this.#withVisitor((me) => service.setRecording(me, state, { tracks, format }));
  }

  #setBroadcast() {
    const state = this.#client?.desk.broadcast ? 'stopped' : 'live';
    return this.#withVisitor((me) => service.setBroadcast(me, state));
  }

  /** @param {File} file */
  async #play(file) {
    this.#say(`Sending ${file.name} …`);
    await this.#withVisitor((me) => service.play(me, file));
    await this.#look();
  }

  /** @param {Playback[]} playbacks */
  #showPlaybacks(playbacks) {
    const here = new Set(playbacks.map(({ playback_id: id }) => id));
    for (const [id, { row }] of this.#rows) {
      if (!here.has(id)) {
        row.remove();
        this.#rows.delete(id);
      }
    }
    for (const playback of playbacks) {
      const id = playback.playback_id;
      let known = this.#rows.get(id);
      if (!known) {
        known = this.#makeRow(playback);
        this.#rows.set(id, known);
        this.#playing.append(known.row);
      }
      known.show(playback);
    }
  }

  /** @param {Playback} first */
  #makeRow({ playback_id: id, name, duration_s: duration }) {
    /** @param {Parameters<typeof service.changePlayback>[2]} change */
    const change = (change) => this.#withVisitor((me) => service.changePlayback(me, id, change));
    let { state, loop } = /** @type {Playback} */ ({ state: 'playing', loop: false });
    const pause = this.#button('Pause', () =>
      change({ state: state === 'playing' ? 'paused' : 'playing' }),
    );
    const again = this.#button('Loop', () => change({ loop: !loop }));
    const seek = /** @type {HTMLInputElement} */ (
      make('input', {
        attributes: {
          type: 'range',
          min: '0',
          max: String(duration ?? 0),
          step: '0.1',
          'aria-label': `Place in ${name}`,
        },
      })
    );
    seek.hidden = duration === null;
    seek.addEventListener('change', () => void change({ position_s: Number(seek.value) }));
    const stop = this.#button('Stop', () =>
      this.#withVisitor((me) => service.stopPlayback(me, id)).then(() => this.#look()),
    );
    const row = make('li', {}, [make('b', { text: name }), pause, again, seek, stop]);
    /** @param {Playback} playback */
    const show = (playback) => {
      ({ state, loop } = playback);
      setText(pause, state === 'playing' ? 'Pause' : 'Play');
      again.setAttribute('aria-pressed', String(loop));
      if (document.activeElement !== seek) seek.value = String(playback.position_s);
    };
    return { row, show };
  }

  async #showRecordings() {
    const me = this.#client?.room;
    if (!me || !(/** @type {HTMLDetailsElement} */ (this.#recordings).open)) return;
    const found = await this.#withVisitor((visitor) => service.recordings(visitor));
    this.#list.replaceChildren(...(found ?? []).map((one) => recordingRow(one)));
  }

  /**
   * @template T
   * @param {(visitor: import('./room_service.js').Visitor) => Promise<T>} step
   * @returns {Promise<T | null>} Null when it failed, which is said.
   */
  async #withVisitor(step) {
    const me = this.#client?.room;
    if (!me) return null;
    try {
      const result = await step(me);
      this.#say('');
      return result;
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  /** @param {string} text Empty says nothing any more. */
  #say(text) {
    this.#said.hidden = text === '';
    setText(this.#said, text);
  }

  /**
   * @param {string} text
   * @param {() => unknown} act
   */
  #button(text, act) {
    const button = make('button', { class: 'key', text, attributes: { type: 'button' } });
    button.addEventListener('click', () => void act());
    return button;
  }
}

/** @param {import('./room_service.js').Recorded} recording */
function recordingRow({ started_at: begun, duration_s: lasted, bytes, state, zip_url: zip, files }) {
  const when = new Date(begun * 1000).toLocaleString();
  const each = files.map(({ kind, participant, file, url }) => {
    const text = kind === 'mix' ? 'Mix' : `${participant || 'Somebody'}, ${kind}`;
    const attributes = { href: url, download: '', title: file };
    return make('li', {}, [make('a', { text, attributes })]);
  });
  return make('li', {}, [
    make('a', { text: when, attributes: { href: zip, download: '' } }),
    ` ${Math.round(lasted)} s, ${(bytes / 1e6).toFixed(1)} MB, ${state}`,
    make('details', { class: 'session-files' }, [
      make('summary', { text: `Files of ${when}` }),
      make('ul', { class: 'session-list' }, each),
    ]),
  ]);
}
