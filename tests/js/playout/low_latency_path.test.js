import assert from 'node:assert/strict';
import test from 'node:test';

import { Emitter } from '../../../webrtc/static/client/emitter.js';
import { LowLatencyPath } from '../../../webrtc/static/client/playout/low_latency_path.js';

/**
 * A receiver's frames, which go to whatever they were connected to last.
 * @extends {Emitter<{ rebound: {} }>}
 */
class FakeFeed extends Emitter {
  /** @type {unknown} */
  sink = null;
  /** @param {unknown} sink */
  connect(sink) {
    this.sink = sink;
  }
  /** Another worker takes over, which knows of no sink. */
  rebind() {
    this.sink = null;
    this.emit('rebound', {});
  }
}

class FakeNode {
  /** @type {any} */
  source = null;
  closed = false;
  connect() {}
  /** @param {unknown} source */
  takeFrames(source) {
    this.source = source;
  }
  close() {
    this.closed = true;
  }
}

function world() {
  const feed = new FakeFeed();
  const node = new FakeNode();
  const path = new LowLatencyPath(
    /** @type {any} */ ({
      createPlayoutNode: async () => node,
      isIsolated: true,
      setTimer: (/** @type {() => void} */ callback) => callback(),
    }),
    /** @type {any} */ ({ attach: () => feed }),
  );
  return { feed, node, path };
}

test('frames go on to the node that plays when another worker takes over', async () => {
  const { feed, node, path } = world();
  path.attach(/** @type {any} */ ({}));
  feed.rebind();
  assert.equal(feed.sink, null, 'nothing plays yet');
  await path.open(/** @type {any} */ ({}), /** @type {any} */ ({}));
  const before = node.source;
  assert.deepEqual(feed.sink, before);
  feed.rebind();
  assert.notEqual(node.source.ring, before.ring);
  assert.deepEqual(feed.sink, node.source);
  path.close();
  assert.deepEqual([feed.sink, node.closed], [null, true]);
});
