/**
 * AudioStreamingClient for any web page:
 *
 *   import { AudioStreamingClient } from 'https://server:8080/webrtc_client.js';
 *
 * All imports are relative, so that the module also works from another origin. docs/client.md
 * describes the interface.
 */

import { io } from './vendor/socket.io.esm.min.js';
import { BaseClient } from './client/client.js';
import { browserPlatform } from './client/platform.js';

export { AudioStreamingError } from './client/errors.js';

export class AudioStreamingClient extends BaseClient {
  /**
   * @param {string | string[]} [serverUrl] Default: where this module came from.
   * @param {import('./client/types.js').ClientOptions} [options]
   */
  constructor(serverUrl = new URL('.', import.meta.url).href, options = {}) {
    super(serverUrl, options, browserPlatform(io));
  }
}

Object.assign(globalThis, { AudioStreamingClient });
