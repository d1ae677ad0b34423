/** The few messages of Socket.IO v5 that joining a room takes. */

export class Signaling {
  #socket;
  #number = 0;
  #waiting = new Map();

  /**
   * @param {string} origin `http://host:port`
   * @returns {Promise<Signaling>}
   */
  static async connect(origin) {
    const signaling = new Signaling();
    await signaling.#open(origin);
    return signaling;
  }

  /** Emit an event; its acknowledgement, or an error if it says so. */
  async call(event, ...values) {
    this.#number += 1;
    const number = this.#number;
    this.#socket.send(`42${number}${JSON.stringify([event, ...values])}`);
    const answer = await new Promise((resolve) => this.#waiting.set(number, resolve));
    if (!answer.ok) throw new Error(`${event}: ${JSON.stringify(answer.error)}`);
    return answer;
  }

  #open(origin) {
    const url = `${origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    this.#socket = new WebSocket(url);
    return new Promise((resolve, reject) => {
      this.#socket.onerror = () => reject(new Error('no websocket'));
      this.#socket.onmessage = ({ data }) => {
        if (data === '2') this.#socket.send('3');
        else if (data.startsWith('43')) this.#acknowledge(data.slice(2));
        else if (data.startsWith('40')) resolve();
        else if (data.startsWith('0')) this.#socket.send('40');
      };
    });
  }

  #acknowledge(text) {
    const bracket = text.indexOf('[');
    const number = Number(text.slice(0, bracket));
    this.#waiting.get(number)?.(JSON.parse(text.slice(bracket))[0]);
    this.#waiting.delete(number);
  }
}
