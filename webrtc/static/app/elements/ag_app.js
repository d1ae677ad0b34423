import { AudioStreamingClient } from '../../webrtc_client.js';
import { Announcer } from '../announcer.js';
import { Devices } from '../devices.js';
import { showArchive } from '../archive_light.js';
import { copyLinkBy } from '../copy_link.js';
import { refs, setText } from '../dom.js';
import { takeEntryToken } from '../entry_token.js';
import { AtTheDoor } from '../host/at_the_door.js';
import { showKnocks } from '../host/knocks.js';
import { keepVisit } from '../keep_visit.js';
import { KeptLikes } from '../kept_likes.js';
import { Notices } from '../notices.js';
import { microphoneIsGranted, onMicrophoneGranted } from '../permission.js';
import { listenForHeldKey, listenForShortcuts } from '../shortcuts.js';
import { Troubles, subjectOf } from '../troubles.js';
import { roomInAddress, roomLink, takeVisit } from '../visit.js';
import { watchUnheard } from '../unheard.js';
import { isWorthSaying, playoutWords, roleWords, roomClosedWords, statusWords } from '../words.js';
import { partsOf } from './app_parts.js';

/**
 * @typedef {import('../../client/errors.js').AudioStreamingError} AudioStreamingError
 * @typedef {import('../visit.js').Visit} Visit
 */

const STATS_EVERY_MS = 1000;
const CONNECT_AGAIN_MS = 3000;

/**
 * The page: ties the client to the elements, and knows what follows from a click. `client` is the
 * AudioStreamingClient of this page.
 */
export class AgApp extends HTMLElement {
  #likes = new KeptLikes();
  client = new AudioStreamingClient(window.location.origin, {
    playout: this.#likes.all.playout,
    token: takeEntryToken({ location, history, storage: () => window.sessionStorage }),
  });
  #atTheDoor = new AtTheDoor(this.client, {
    enter: (wish) => void this.#join(wish),
    refused: (error) => this.#trouble('server', error),
  });
  #joining = false;
  #openingMicrophone = false;
  /** @type {Visit | null} What a reload interrupted. */
  #pendingVisit = null;
  /** Whether push-to-talk is held. */
  #talks = false;
  #connectTimer = 0;

  connectedCallback() {
    this.#refs = refs(this);
    this.#notices = new Notices(/** @type {HTMLElement} */ (this.#refs.notices));
    this.#announcer = new Announcer(/** @type {HTMLElement} */ (this.#refs.announcer));
    this.#parts = partsOf(this);
    this.#troubles = new Troubles(this.#notices, {
      retryMicrophone: () => void this.#retryMicrophone(),
      listenOnly: () => this.#listenOnly(),
      connect: () => void this.#connect(),
      stopWaiting: () => this.#stopWaiting(),
    });
    this.#devices = new Devices({
      client: this.client,
      microphone: this.#parts.microphone,
      speaker: this.#parts.speaker,
      likes: this.#likes,
      trouble: (subject, error) => this.#trouble(subject, error),
    });
    this.#followClient();
    this.#followUser();
    this.#followPage();
    void this.#begin();
  }

  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {Notices} */
  #notices = /** @type {any} */ (null);
  /** @type {Troubles} */
  #troubles = /** @type {any} */ (null);
  /** @type {Devices} */
  #devices = /** @type {any} */ (null);
  /** @type {Announcer} */
  #announcer = /** @type {any} */ (null);
  /** @type {ReturnType<typeof partsOf>} */
  #parts = /** @type {any} */ (null);

  // ---- beginning -----------------------------------------------------------------------------

  async #begin() {
    const { lobby, room } = this.#parts;
    const visit = takeVisit(() => window.sessionStorage);
    this.#pendingVisit = visit?.resumeToken ? /** @type {Visit} */ (visit) : null;
    lobby.fill({
      roomId: this.#pendingVisit?.roomId || roomInAddress(window.location) || (visit?.roomId ?? ''),
      name: visit?.name ?? this.#likes.all.name,
      server: window.location.host,
    });
    this.#devices.fill();
    room.attach(this.client);
    this.#parts.scenes.attach(this.client);
    this.#parts.network.attach(this.client);
    this.#parts.door.attach(this.client);
    const light = this.#refs.archiveLight;
    if (light) this.client.desk.on('roomchange', ({ settings }) => showArchive(light, settings));
    this.#parts.session.attach(this.client);
    void this.#parts.surface.attach(room);
    await this.#devices.list();
    this.#draw();
    if (!navigator.mediaDevices) this.#trouble('microphone', { reason: 'insecure_origin' });
    await this.#connect();
    if (this.#pendingVisit || !(await microphoneIsGranted())) return;
    if (!this.#joining && !this.client.room) await this.#openMicrophone(); // else the wish decided
  }

  /** Connect, trying again by itself; then take up the visit that a reload interrupted. */
  async #connect() {
    window.clearTimeout(this.#connectTimer);
    // What was said of the connection before is over; what a quick hand was told is not.
    if (this.client.state === 'disconnected' && !this.#joining) this.#notices.clear('server');
    try {
      await this.client.connect();
    } catch (error) {
      this.#unconnected(error);
      return;
    }
    this.#notices.clear('connection');
    const visit = this.#pendingVisit;
    this.#pendingVisit = null;
    if (visit) await this.#join(visit);
  }

  /**
   * Say why there is no connection, and try again where that may help.
   * @param {unknown} error
   */
  #unconnected(error) {
    this.#trouble('connection', error);
    const { reason } = /** @type {AudioStreamingError} */ (error);
    if (reason !== 'unreachable') return;
    window.clearTimeout(this.#connectTimer);
    this.#connectTimer = window.setTimeout(() => void this.#connect(), CONNECT_AGAIN_MS);
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
    if (wish.publishing === undefined) this.#likes.change({ name: wish.name, broadcast, listen });
    this.#pendingVisit = null;
    if (!broadcast) this.client.microphone.close(); // one that is open should have a reason
    this.#notices.clear('server');
    try {
      await this.client.connect(); // at once when it is; a quick hand comes before it is
    } catch (error) {
      this.#joining = false;
      this.#atTheDoor.leave();
      this.#unconnected(error);
      return;
    }
    try {
      this.#notices.clear('connection');
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
      this.#entered();
      if (wish.desk) this.#parts.room.restore(wish.desk);
      // The seat may have been left in mid-word, with push-to-talk held.
      if (wish.muted && !this.client.isMuted) await this.client.setMuted(true);
      // A token may let in with less than was asked for.
      const role = this.client.room?.role;
      await Promise.all([
        listen && role !== 'publisher' ? this.#listen() : null,
        broadcast && role !== 'subscriber' ? this.#broadcast() : null,
      ]);
    } catch (error) {
      this.#atTheDoor.refused(wish, error);
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
    this.#atTheDoor.leave();
    window.history.replaceState(null, '', roomLink(window.location.href, room.roomId));
    if (this.#refs.roomName) setText(this.#refs.roomName, room.roomId);
    document.title = `${room.roomId} · AG06 Mixer`;
    this.#parts.room.clear();
    this.#parts.room.showAll();
    this.#parts.scenes.show();
    this.#parts.network.show();
    this.#parts.door.show();
    this.#parts.figures.show(null);
    this.#draw();
    window.scrollTo(0, 0);
    this.querySelector('main')?.focus({ preventScroll: true });
    this.#announcer.say(`You are in the room ${room.roomId}.`);
  }

  /** Go away from the door: the server takes a guest for gone who is not connected. */
  #stopWaiting() {
    this.#atTheDoor.leave();
    this.#notices.clear('server');
    void this.client.disconnect().then(() => this.#connect());
  }

  #left() {
    document.title = 'AG06 Mixer';
    this.client.microphone.close();
    for (const subject of ['microphone', 'playback', 'media', 'replicas', 'door']) this.#notices.clear(subject);
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
    client.on('rolechange', (now) => this.#announcer.say(roleWords(now)));
    client.on('playbackblocked', ({ blocked }) =>
      this.#troubles.playbackBlocked(blocked, () => void client.resumePlayback()),
    );
    client.on('playout-changed', (playout) => this.#playoutChanged(playout));
    client.on('microphonechange', ({ track }) => {
      this.#notices.clear('microphone');
      if (client.room) this.#announcer.say(`Microphone: ${track.label || 'system default'}.`);
      void this.#devices.list();
      this.#draw();
    });
    client.on('microphonelost', ({ error }) => this.#trouble('microphone', error));
    client.on('reconnected', () => this.#announcer.say('Connected again.'));
    client.on('roomclosed', ({ reason }) => {
      this.#left();
      this.#notices.show('server', { ...roomClosedWords(reason), actions: [] });
    });
    client.on('degraded', ({ what }) => this.#troubles.degraded(what));
    client.on('reconnected', () => this.#notices.clear('replicas'));
    showKnocks(client.host, this.#notices, (error) => this.#trouble('desk', error));
    client.on('draining', () => this.#announcer.say('The server restarts. You will be moved.'));
  }

  /** @param {boolean} worthSaying */
  #stateChanged(worthSaying) {
    const { text, hint } = statusWords(this.client.state, this.client.mediaState);
    if (worthSaying) this.#announcer.say(`${text}. ${hint}`);
    this.#draw();
  }

  /** @param {import('../../client/playout_paths.js').PlayoutEvents['change']} playout */
  #playoutChanged(playout) {
    const { isSubscribing } = this.client;
    if (isSubscribing && isWorthSaying(playout.reason)) this.#announcer.say(playoutWords(playout));
    this.#draw();
  }

  // ---- what the user does --------------------------------------------------------------------

  #followUser() {
    const { lobby, status, microphone, speaker, dock, room, scenes, network, door } = this.#parts;
    lobby.addEventListener('connect', () => void this.#connect());
    lobby.addEventListener('join', (event) => {
      const { detail } = /** @type {CustomEvent<{ roomId: string, name: string }>} */ (event);
      this.#likes.change({ name: detail.name });
      void this.#join(detail);
    });
    status.addEventListener('retry', () => this.client.retryNow());
    microphone.addEventListener('open', () => void this.#openMicrophone());
    microphone.addEventListener('toggle', () => void this.#toggleBroadcast());
    speaker.addEventListener('toggle', () => void this.#toggleListening());
    room.addEventListener('trouble', (event) => {
      this.#trouble('mix', /** @type {CustomEvent<{ error: unknown }>} */ (event).detail.error);
    });
    for (const part of [scenes, network, door]) {
      part.addEventListener('trouble', (event) => {
        this.#trouble('desk', /** @type {CustomEvent<{ error: unknown }>} */ (event).detail.error);
      });
      part.addEventListener('done', (event) => {
        this.#notices.clear('desk');
        this.#announcer.say(/** @type {CustomEvent<{ text: string }>} */ (event).detail.text);
      });
    }
    dock.addEventListener('microphone', () => this.#microphoneKey());
    dock.addEventListener('speaker', () => this.#speakerKey());
    dock.addEventListener('leave', () => void this.#leave());
    if (this.#refs.copyLink) copyLinkBy(this.#refs.copyLink, (text) => this.#announcer.say(text));
    listenForShortcuts({
      m: () => this.client.room && this.#microphoneKey(),
      d: () => this.client.room && this.#speakerKey(),
    });
    watchUnheard({
      isMuted: () => this.client.isPublishing && this.client.isMuted,
      level: () => this.client.microphone.level(),
      tell: (isTalking) => this.#troubles.unheard(isTalking, () => this.#microphoneKey()),
    });
    listenForHeldKey(' ', {
      isWanted: () => this.client.room !== null && this.client.isPublishing && this.client.isMuted,
      press: () => this.#talk(true),
      release: () => this.#talk(false),
    });
  }

  /** @param {boolean} talks Push-to-talk: for as long as a key is held. */
  #talk(talks) {
    this.#talks = talks;
    this.#attempt('server', this.client.setMuted(!talks));
  }

  #microphoneKey() {
    const { isPublishing, microphone } = this.client;
    if (isPublishing && !microphone.track) void this.#retryMicrophone();
    else if (!isPublishing && !this.#openingMicrophone) void this.#toggleBroadcast();
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
      name: me?.name ?? this.#likes.all.name,
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
      await this.#devices.useOutput();
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

  async #leave() {
    await this.client.leaveRoom();
    this.#left();
    this.#announcer.say('You left the room.');
  }

  // ---- page ----------------------------------------------------------------------------------

  #followPage() {
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#devicesChanged());
    void onMicrophoneGranted(() => this.#microphoneGranted());
    document.addEventListener('visibilitychange', () => {
      void this.client.setVisible(document.visibilityState === 'visible').catch(() => {});
    });
    keepVisit({
      client: this.client,
      parts: this.#parts,
      likes: this.#likes,
      isTalking: () => this.#talks,
    });
    window.setInterval(() => void this.#readStats(), STATS_EVERY_MS);
  }

  async #readStats() {
    if (!this.client.room || document.visibilityState !== 'visible') return;
    try {
      const stats = await this.client.getAudioStats();
      this.#parts.figures.show(stats);
      this.#troubles.aboveBitrate(stats.server?.packets_refused ?? 0);
    } catch {
      this.#parts.figures.show(null);
    }
  }

  /** The user allowed the microphone in the browser's own surface: go on where it was refused. */
  #microphoneGranted() {
    if (this.#notices.has('microphone')) void this.#retryMicrophone();
  }

  async #devicesChanged() {
    await this.#devices.list();
    const { client } = this;
    if (client.isPublishing && !client.microphone.track) await this.#openMicrophone();
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
    this.#parts.speaker.show({ subscribing, playout: client.playout });
    this.#parts.dock.show({
      publishing,
      open,
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
    this.#troubles.show(subject, error);
    this.#draw();
  }

  #listenOnly() {
    this.#notices.clear('microphone');
    if (!this.client.room) this.#parts.microphone.wanted = false;
  }
}

/** @param {{ name: string }} participant */
const nameOf = ({ name }) => name || 'Guest';
