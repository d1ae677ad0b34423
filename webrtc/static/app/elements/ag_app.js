import { AudioStreamingClient } from '../../webrtc_client.js';
import { Announcer } from '../announcer.js';
import { refs, setText } from '../dom.js';
import { Notices } from '../notices.js';
import { microphoneIsGranted, onMicrophoneGranted } from '../permission.js';
import { listenForShortcuts } from '../shortcuts.js';
import { playTestTone } from '../test_tone.js';
import { leaveVisit, readLikes, roomInAddress, roomLink, takeVisit, writeLikes } from '../visit.js';
import { adviceFor, isMicrophoneTrouble, roomClosedWords, statusWords } from '../words.js';

/**
 * @typedef {import('../../client/errors.js').AudioStreamingError} AudioStreamingError
 * @typedef {import('../../client/microphone.js').MicrophoneWishes} MicrophoneWishes
 * @typedef {import('../visit.js').Visit} Visit
 */

const STATS_EVERY_MS = 1000;
const CONNECT_AGAIN_MS = 3000;

/**
 * The page: ties the client to the elements, and knows what follows from a click. `client` is the
 * AudioStreamingClient of this page.
 */
export class AgApp extends HTMLElement {
  client = new AudioStreamingClient(window.location.origin);
  #likes = readLikes(() => window.localStorage);
  #joining = false;
  #openingMicrophone = false;
  /** @type {Visit | null} What a reload interrupted. */
  #pendingVisit = null;
  #connectTimer = 0;

  connectedCallback() {
    this.#refs = refs(this);
    this.#notices = new Notices(/** @type {HTMLElement} */ (this.#refs.notices));
    this.#announcer = new Announcer(/** @type {HTMLElement} */ (this.#refs.announcer));
    this.#parts = {
      status: /** @type {import('./ag_status.js').AgStatus} */ (this.querySelector('ag-status')),
      lobby: /** @type {import('./ag_lobby.js').AgLobby} */ (this.querySelector('ag-lobby')),
      room: /** @type {import('./ag_room.js').AgRoom} */ (this.querySelector('ag-room')),
      microphone: /** @type {import('./ag_microphone.js').AgMicrophone} */ (
        this.querySelector('ag-microphone')
      ),
      speaker: /** @type {import('./ag_speaker.js').AgSpeaker} */ (
        this.querySelector('ag-speaker')
      ),
      figures: /** @type {import('./ag_figures.js').AgFigures} */ (
        this.querySelector('ag-figures')
      ),
      dock: /** @type {import('./ag_dock.js').AgDock} */ (this.querySelector('ag-dock')),
    };
    this.#followClient();
    this.#followUser();
    this.#followPage();
    void this.#begin();
  }

  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {Notices} */
  #notices = /** @type {any} */ (null);
  /** @type {Announcer} */
  #announcer = /** @type {any} */ (null);
  /**
   * @type {{ status: import('./ag_status.js').AgStatus, lobby: import('./ag_lobby.js').AgLobby,
   *   room: import('./ag_room.js').AgRoom,
   *   microphone: import('./ag_microphone.js').AgMicrophone,
   *   speaker: import('./ag_speaker.js').AgSpeaker,
   *   figures: import('./ag_figures.js').AgFigures, dock: import('./ag_dock.js').AgDock }}
   */
  #parts = /** @type {any} */ (null);

  // ---- beginning -----------------------------------------------------------------------------

  async #begin() {
    const { lobby, microphone, speaker, room } = this.#parts;
    const { name, broadcast, listen, inputId, musicMode, processing } = this.#likes;
    const visit = takeVisit(() => window.sessionStorage);
    this.#pendingVisit = visit?.resumeToken ? visit : null;
    lobby.fill({
      roomId: visit?.roomId ?? roomInAddress(window.location),
      name: visit?.name ?? name,
      server: window.location.host,
    });
    microphone.attach(this.client);
    microphone.wanted = broadcast;
    microphone.fill({ deviceId: inputId, musicMode, processing });
    speaker.wanted = listen;
    room.attach(this.client);
    void this.client.setInputDevice({ deviceId: inputId, musicMode, processing });
    await this.#listDevices();
    this.#draw();
    await this.#connect();
    if (!this.#pendingVisit && (await microphoneIsGranted())) await this.#openMicrophone();
  }

  /** Connect, trying again by itself; then take up the visit that a reload interrupted. */
  async #connect() {
    window.clearTimeout(this.#connectTimer);
    try {
      await this.client.connect();
    } catch (error) {
      this.#trouble('server', error);
      const { reason } = /** @type {AudioStreamingError} */ (error);
      if (reason !== 'unreachable') return;
      this.#connectTimer = window.setTimeout(() => void this.#connect(), CONNECT_AGAIN_MS);
      return;
    }
    this.#notices.clear('server');
    const visit = this.#pendingVisit;
    this.#pendingVisit = null;
    if (visit) await this.#join(visit);
  }

  /**
   * @param {{ roomId: string, name: string } & Partial<Visit>} wish What the form says, or the
   *   visit before a reload.
   */
  async #join(wish) {
    if (this.#joining) return;
    this.#joining = true;
    this.#draw();
    const broadcast = wish.publishing ?? this.#parts.microphone.wanted;
    const listen = wish.subscribing ?? this.#parts.speaker.wanted;
    if (wish.publishing === undefined) this.#like({ name: wish.name, broadcast, listen });
    this.#pendingVisit = null;
    try {
      await this.client.connect(); // at once when it is; a quick hand comes before it is
      await Promise.all([
        this.client.setMuted(wish.muted ?? false),
        this.client.setDeafened(wish.deafened ?? false),
      ]);
      await this.client.joinRoom({
        roomId: wish.roomId,
        name: wish.name,
        role: broadcast || !listen ? 'both' : 'subscriber',
        ...(wish.resumeToken ? { resumeToken: wish.resumeToken } : {}),
        ...(wish.hostKey ? { hostKey: wish.hostKey } : {}),
      });
      this.#notices.clear('server');
      this.#entered();
      await Promise.all([listen ? this.#listen() : null, broadcast ? this.#broadcast() : null]);
    } catch (error) {
      this.#trouble('server', error);
    } finally {
      this.#joining = false;
      this.#draw();
    }
  }

  #entered() {
    const { room } = this.client;
    if (!room) return;
    this.#joining = false;
    window.history.replaceState(null, '', roomLink(window.location.href, room.roomId));
    if (this.#refs.roomName) setText(this.#refs.roomName, room.roomId);
    document.title = `${room.roomId} · AG06 Mixer`;
    this.#parts.room.clear();
    this.#parts.room.showAll();
    this.#parts.figures.show(null);
    this.#draw();
    window.scrollTo(0, 0);
    this.querySelector('main')?.focus({ preventScroll: true });
    this.#announcer.say(`You are in the room ${room.roomId}.`);
  }

  #left() {
    document.title = 'AG06 Mixer';
    this.client.microphone.close();
    for (const subject of ['microphone', 'playback', 'media']) this.#notices.clear(subject);
    this.#parts.room.clear();
    this.#draw();
    window.scrollTo(0, 0);
    this.#parts.lobby.focusRoom();
  }

  // ---- what the client tells -----------------------------------------------------------------

  #followClient() {
    const { client } = this;
    client.on('statechange', ({ state }) => this.#stateChanged(state === 'reconnecting'));
    client.on('mediastatechange', ({ state }) => {
      if (state === 'connected') this.#notices.clear('media');
      this.#stateChanged(state === 'interrupted' || state === 'retrying');
    });
    client.on('participantjoined', ({ participant }) =>
      this.#announcer.joined(nameOf(participant)),
    );
    client.on('participantleft', ({ participant }) => this.#announcer.left(nameOf(participant)));
    client.on('participantupdated', ({ participant }) => participant.isMe && this.#draw());
    client.on('playbackblocked', ({ blocked }) => this.#playbackBlocked(blocked));
    client.on('microphonechange', ({ track }) => {
      this.#notices.clear('microphone');
      if (client.room) this.#announcer.say(`Microphone: ${track.label || 'system default'}.`);
      void this.#listDevices();
      this.#draw();
    });
    client.on('microphonelost', ({ error }) => this.#trouble('microphone', error));
    client.on('reconnected', () => this.#announcer.say('Connected again.'));
    client.on('roomclosed', ({ reason }) => {
      this.#left();
      this.#notices.show('server', { ...roomClosedWords(reason), actions: [] });
    });
    client.on('draining', () => this.#announcer.say('The server restarts. You will be moved.'));
  }

  /** @param {boolean} worthSaying */
  #stateChanged(worthSaying) {
    const { text, hint } = statusWords(this.client.state, this.client.mediaState);
    if (worthSaying) this.#announcer.say(`${text}. ${hint}`);
    this.#draw();
  }

  /** @param {boolean} blocked */
  #playbackBlocked(blocked) {
    if (!blocked) {
      this.#notices.clear('playback');
      return;
    }
    this.#notices.show('playback', {
      title: 'Sound waits for you',
      text: 'The browser plays nothing before you click.',
      actions: [{ label: 'Listen to Stream', run: () => void this.client.resumePlayback() }],
    });
  }

  // ---- what the user does --------------------------------------------------------------------

  #followUser() {
    const { lobby, status, microphone, speaker, dock, room } = this.#parts;
    lobby.addEventListener('connect', () => void this.#connect());
    lobby.addEventListener('join', (event) => {
      void this.#join(/** @type {CustomEvent<{ roomId: string, name: string }>} */ (event).detail);
    });
    status.addEventListener('retry', () => this.client.retryNow());
    microphone.addEventListener('open', () => void this.#openMicrophone());
    microphone.addEventListener('toggle', () => void this.#toggleBroadcast());
    microphone.addEventListener('wish', (event) => {
      void this.#wish(/** @type {CustomEvent<Partial<MicrophoneWishes>>} */ (event).detail);
    });
    speaker.addEventListener('toggle', () => void this.#toggleListening());
    speaker.addEventListener('test', () => {
      playTestTone(this.#likes.outputId).catch((error) => this.#trouble('output', error));
    });
    speaker.addEventListener('output', (event) => {
      void this.#chooseOutput(
        /** @type {CustomEvent<{ deviceId: string }>} */ (event).detail.deviceId,
      );
    });
    room.addEventListener('trouble', (event) => {
      this.#trouble('mix', /** @type {CustomEvent<{ error: unknown }>} */ (event).detail.error);
    });
    dock.addEventListener('microphone', () => this.#microphoneKey());
    dock.addEventListener('speaker', () => this.#speakerKey());
    dock.addEventListener('leave', () => void this.#leave());
    this.#refs.copyLink?.addEventListener('click', () => void this.#copyLink());
    listenForShortcuts({
      m: () => this.client.room && this.#microphoneKey(),
      d: () => this.client.room && this.#speakerKey(),
    });
  }

  #microphoneKey() {
    if (!this.client.isPublishing && !this.#openingMicrophone) void this.#toggleBroadcast();
    else this.#attempt('server', this.client.setMuted(!this.client.isMuted));
  }

  #speakerKey() {
    if (!this.client.isSubscribing) void this.#toggleListening();
    else this.#attempt('server', this.client.setDeafened(!this.client.isDeafened));
  }

  async #toggleBroadcast() {
    if (this.client.isPublishing) {
      await this.client.stopPublishing();
      this.#draw();
      return;
    }
    if (this.client.room?.role === 'subscriber') await this.#rejoinToSpeak();
    else await this.#broadcast();
  }

  /** Who came to listen only has to ask for another seat. */
  async #rejoinToSpeak() {
    const { room, me, isSubscribing, isDeafened } = this.client;
    if (!room) return;
    await this.client.leaveRoom();
    await this.#join({
      roomId: room.roomId,
      name: me?.name ?? this.#likes.name,
      publishing: true,
      subscribing: isSubscribing,
      deafened: isDeafened,
    });
  }

  async #toggleListening() {
    if (this.client.isSubscribing) {
      await this.client.stopSubscribing();
      this.#draw();
    } else {
      await this.#listen();
    }
  }

  async #broadcast() {
    this.#openingMicrophone = true;
    this.#draw();
    try {
      await this.client.startPublishing();
    } catch (error) {
      this.#trouble(subjectOf(error), error);
    }
    this.#openingMicrophone = false;
    this.#draw();
  }

  async #listen() {
    try {
      if (this.#likes.outputId)
        await this.client.setOutputDevice(this.#likes.outputId).catch(() => {});
      await this.client.startSubscribing();
    } catch (error) {
      this.#trouble(subjectOf(error), error);
    }
    this.#draw();
  }

  async #openMicrophone() {
    try {
      await this.client.openMicrophone();
      this.#notices.clear('microphone');
    } catch (error) {
      this.#trouble('microphone', error);
    }
    this.#draw();
  }

  async #retryMicrophone() {
    if (this.client.room && !this.client.isPublishing) await this.#toggleBroadcast();
    else await this.#openMicrophone();
    if (this.client.microphone.track) this.#notices.clear('microphone');
  }

  /** @param {Partial<MicrophoneWishes>} wish */
  async #wish(wish) {
    const { deviceId: inputId, ...rest } = wish;
    this.#like({ ...rest, ...(inputId === undefined ? {} : { inputId }) });
    try {
      await this.client.setInputDevice(wish);
    } catch (error) {
      this.#trouble('microphone', error);
    }
    this.#draw();
  }

  /** @param {string} outputId */
  async #chooseOutput(outputId) {
    this.#like({ outputId });
    this.#attempt('output', this.client.setOutputDevice(outputId));
  }

  async #leave() {
    await this.client.leaveRoom();
    this.#left();
    this.#announcer.say('You left the room.');
  }

  async #copyLink() {
    const button = /** @type {HTMLElement} */ (this.#refs.copyLink);
    const text = /** @type {HTMLElement} */ (button.querySelector('span'));
    try {
      await navigator.clipboard.writeText(window.location.href);
      setText(text, 'Link copied');
      this.#announcer.say('Link copied.');
    } catch {
      setText(text, 'Copy it from the address bar');
    }
    window.setTimeout(() => setText(text, 'Copy link'), 3000);
  }

  // ---- page ----------------------------------------------------------------------------------

  #followPage() {
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#devicesChanged());
    void onMicrophoneGranted(() => this.#microphoneGranted());
    document.addEventListener('visibilitychange', () => {
      void this.client.setVisible(document.visibilityState === 'visible').catch(() => {});
    });
    window.addEventListener('pagehide', () =>
      leaveVisit(() => window.sessionStorage, this.#visit()),
    );
    window.setInterval(() => void this.#readStats(), STATS_EVERY_MS);
  }

  /** @returns {Visit | null} */
  #visit() {
    const { room, me } = this.client;
    if (!room) return null;
    return {
      roomId: room.roomId,
      name: me?.name ?? this.#likes.name,
      resumeToken: room.resumeToken,
      ...(room.hostKey ? { hostKey: room.hostKey } : {}),
      publishing: this.client.isPublishing,
      subscribing: this.client.isSubscribing,
      muted: this.client.isMuted,
      deafened: this.client.isDeafened,
    };
  }

  async #readStats() {
    if (!this.client.room || document.visibilityState !== 'visible') return;
    try {
      this.#parts.figures.show(await this.client.getAudioStats());
    } catch {
      this.#parts.figures.show(null);
    }
  }

  /** The user allowed the microphone in the browser's own surface: go on where it was refused. */
  #microphoneGranted() {
    if (this.#notices.has('microphone')) void this.#retryMicrophone();
  }

  async #devicesChanged() {
    await this.#listDevices();
    const { client } = this;
    if (client.isPublishing && !client.microphone.track) await this.#openMicrophone();
  }

  async #listDevices() {
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    const { microphone, speaker } = this.#parts;
    microphone.list(
      devices.filter(({ kind }) => kind === 'audioinput'),
      this.#likes.inputId,
    );
    speaker.list(
      devices.filter(({ kind }) => kind === 'audiooutput'),
      this.#likes.outputId,
      this.client.playback.canChooseOutput,
    );
  }

  /** @param {Partial<import('../visit.js').Likes>} change */
  #like(change) {
    this.#likes = { ...this.#likes, ...change };
    writeLikes(() => window.localStorage, this.#likes);
  }

  // ---- showing -------------------------------------------------------------------------------

  #draw() {
    const { client } = this;
    const inRoom = client.room !== null;
    this.dataset.view = inRoom ? 'room' : 'lobby';
    for (const element of this.querySelectorAll('[data-view]')) {
      /** @type {HTMLElement} */ (element).hidden =
        element.getAttribute('data-view') !== this.dataset.view;
    }
    const { isPublishing: publishing, isMuted: muted, isSubscribing: subscribing } = client;
    const open = client.microphone.track !== null;
    this.#parts.status.show(client.state, client.mediaState);
    this.#parts.lobby.show(client.state, this.#joining);
    this.#parts.microphone.show({ open, publishing, muted });
    this.#parts.speaker.show({ subscribing });
    this.#parts.dock.show({
      publishing,
      opening: this.#openingMicrophone,
      muted,
      subscribing,
      deafened: client.isDeafened,
    });
  }

  /**
   * @param {string} subject
   * @param {Promise<unknown>} promise
   */
  #attempt(subject, promise) {
    promise.catch((error) => this.#trouble(subject, error)).finally(() => this.#draw());
  }

  /**
   * @param {string} subject
   * @param {unknown} error
   */
  #trouble(subject, error) {
    const { reason = '', detail = String(error) } = /** @type {AudioStreamingError} */ (error);
    if (reason === 'aborted') return;
    const { title, text, actions } = adviceFor({ reason, detail });
    /** @type {Record<import('../words.js').ActionName, { label: string, run: () => void }>} */
    const known = {
      retryMicrophone: { label: 'Try again', run: () => void this.#retryMicrophone() },
      listenOnly: { label: 'Just listen', run: () => this.#listenOnly() },
      connect: { label: 'Connect', run: () => void this.#connect() },
      dismiss: { label: 'Understood', run: () => this.#notices.clear(subject) },
    };
    this.#notices.show(subject, { title, text, actions: actions.map((action) => known[action]) });
    this.#draw();
  }

  #listenOnly() {
    this.#notices.clear('microphone');
    if (!this.client.room) this.#parts.microphone.wanted = false;
  }
}

/** @param {{ name: string }} participant */
const nameOf = ({ name }) => name || 'Guest';

/** @param {unknown} error */
function subjectOf(error) {
  const { reason = '' } = /** @type {AudioStreamingError} */ (error);
  return isMicrophoneTrouble(reason) ? 'microphone' : 'media';
}
