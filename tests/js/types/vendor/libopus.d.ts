// The server serves libopus-wasm's Emscripten module at ./vendor/; these are its types for `tsc`.
import type { Libopus } from '../../../../webrtc/static/client/playout/decoder.js';

export default function createLibopus(): Promise<Libopus>;
