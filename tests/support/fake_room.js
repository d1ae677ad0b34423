/**
 * A room full of people who are not there: `fakeRoom(count)` puts a stand-in for the client into the
 * page's desk, whose levels and meters move as the server's do. Runs in a page under test.
 */
(() => {
  const NAMES = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Margaret', 'Alan', 'Radia', 'Ken', 'Hedy'];
  const RIGHTS = ['subscribe', 'publish', 'edit_own_strip', 'edit_any_strip', 'choose_speakers', 'run_desk', 'set_roles'];
  const SETTINGS = { mode: 'mix', maxSpeakers: 6, automix: false, duckingDb: 0, targetLufs: null };
  const CHOOSING = { speakerHoldMs: 600, speakerHysteresisDb: 10 };

  class FakeDesk extends EventTarget {
    settings = { ...SETTINGS, ...CHOOSING };
    recording = null;

    broadcast = null;
    scenes = [];
    told = 0;
    wanted = new Map();

    get watched() {
      return [...new Set([...this.wanted.values()].flatMap(({ participantIds = [] }) => participantIds))];
    }

    get spectrum() {
      return [...this.wanted.values()].find(({ spectrum }) => spectrum)?.spectrum ?? null;
    }

    on(type, handler) {
      const listener = ({ detail }) => handler(detail);
      this.addEventListener(type, listener);
      return () => this.removeEventListener(type, listener);
    }

    emit(type, detail) {
      this.dispatchEvent(new CustomEvent(type, { detail }));
    }

    async watchMeters(wanted = {}, { holder = 'page' } = {}) {
      this.wanted.set(holder, wanted);
    }

    async setRoom(change) {
      this.settings = { ...this.settings, ...change };
      this.emit('roomchange', { settings: this.settings });
    }

    async setSpeaker() {}

    async setRole() {}
  }

  class FakeClient extends EventTarget {
    desk = new FakeDesk();
    tracks = [];
    playback = { output: null };
    state = 'joined';

    constructor(count, rights, settings) {
      super();
      this.people = new Map();
      for (let i = 0; i < count; i += 1) this.people.set(`p${i}`, person(i, rights, settings));
      this.room = { roomId: 'studio', rights, participantId: 'p0', resumeToken: 'ticket' };
    }

    on(type, handler) {
      const listener = ({ detail }) => handler(detail);
      this.addEventListener(type, listener);
      return () => this.removeEventListener(type, listener);
    }

    emit(type, detail) {
      this.dispatchEvent(new CustomEvent(type, { detail }));
    }

    get participants() {
      return [...this.people.values()];
    }

    participant(id) {
      return this.people.get(id) ?? null;
    }

    patch(id, change) {
      const participant = { ...this.people.get(id), ...change };
      this.people.set(id, participant);
      return participant;
    }

    update(id, change) {
      this.emit('participantupdated', { participant: this.patch(id, change) });
    }

    async setListenerMix({ participantId, ...change }) {
      this.update(participantId, { mix: { ...this.people.get(participantId).mix, ...change } });
    }

    /** What the server says to the next change of a strip, if it does not take it. */
    refusal = null;

    async setStrip(participantId, change) {
      if (this.refusal) throw this.refusal;
      this.update(participantId, { settings: { ...this.people.get(participantId).settings, ...change } });
    }

    leave(id) {
      const participant = this.people.get(id);
      this.people.delete(id);
      this.emit('participantleft', { participant });
    }
  }

  function person(index, rights, settings) {
    const isMe = index === 0;
    const again = Math.floor(index / NAMES.length);
    return {
      participantId: `p${index}`,
      name: `${NAMES[index % NAMES.length]}${again ? ` ${again + 1}` : ''}`,
      role: 'both',
      rights: isMe ? rights : ['subscribe', 'publish', 'edit_own_strip'],
      kind: 'webrtc',
      muted: false,
      deafened: false,
      priority: false,
      pinned: false,
      speaking: false,
      csrc: index + 1,
      joinedAt: index,
      tracks: [],
      settings: { fader: 0, pan: 0, ...settings, gateThreshold: index % 3 ? -60 : -45 },
      genre: null,
      profileChange: null,
      quality: null,
      isMe,
      levelDbov: -127,
      mix: { gainDb: 0, pan: 0, muted: false, solo: false },
    };
  }

  /** Loudness of somebody at a time: syllables in phrases, each in their own time. */
  function levelAt(index, s) {
    const phrase = Math.sin(s / (3 + (index % 5)) + index * 1.7);
    if (phrase < 0.1) return -90;
    return -18 - 10 * Math.abs(Math.sin(s * (4 + (index % 3)) + index)) - (index % 7);
  }

  /**
   * @param {number} count
   * @param {{ rights?: string[], settings?: Record<string, unknown> }} [options]
   */
  window.fakeRoom = (count, { rights = RIGHTS, settings = {} } = {}) => {
    const app = document.querySelector('ag-app');
    const room = document.querySelector('ag-room');
    const client = new FakeClient(count, rights, settings);
    Object.defineProperty(app.client, 'room', { get: () => client.room }); // the page draws what it asks
    app.dataset.view = 'room';
    for (const part of app.querySelectorAll('[data-view]')) {
      part.hidden = part.getAttribute('data-view') !== 'room';
    }
    room.attach(client);
    app.querySelector('ag-session').attach(client);
    room.showAll();
    client.desk.emit('roomchange', { settings: client.desk.settings });
    setInterval(() => {
      const s = performance.now() / 1000;
      const levels = client.participants.map(({ participantId, csrc }) => {
        const voice = { levelDbov: Math.round(levelAt(csrc, s)), speaking: levelAt(csrc, s) > -50 };
        client.patch(participantId, voice);
        return { participantId, ...voice };
      });
      client.emit('levels', { levels });
      const speakers = levels.filter(({ speaking }) => speaking);
      speakers.sort((a, b) => b.levelDbov - a.levelDbov);
      client.emit('activespeakers', { participantIds: speakers.map(({ participantId }) => participantId) });
    }, 100);
    setInterval(() => {
      const s = performance.now() / 1000;
      const meters = client.desk.watched.flatMap((participantId) => {
        const one = client.participant(participantId);
        if (!one) return [];
        const rms = levelAt(one.csrc, s);
        const isOpen = rms > -50;
        return [{
          participantId,
          inPeakDb: rms + 9,
          inRmsDb: rms,
          outPeakDb: rms + 8 + one.settings.fader,
          outRmsDb: rms + one.settings.fader,
          gateDb: isOpen ? 0 : -60,
          compDb: isOpen ? Math.min(0, (-20 - rms) / 2) : 0,
          limiterDb: 0,
          autoLevelDb: 0,
          balanceDb: 0,
          shortTermLufs: -20,
          voice: isOpen,
        }];
      });
      const whose = client.participant(client.desk.spectrum);
      const spectrum = whose && {
        participantId: whose.participantId,
        bandsDb: Array.from({ length: 120 }, (_, band) => levelAt(whose.csrc, s + band / 9) - band / 3),
        correlation: Math.sin(s),
        truePeakDb: levelAt(whose.csrc, s) + 9,
      };
      client.desk.told += 1;
      client.desk.emit('meters', { meters, spectrum, limiterDb: 0 });
    }, 40);
    return client;
  };
})();
