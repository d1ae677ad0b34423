/**
 * What passes between the three threads of our own playout path. Types only.
 *
 * ```
 * receiver transform's worker ──EncodedFrame──▶ ring or port ──▶ PlayoutProcessor (audio thread)
 * page ──PlayoutCommand──▶ node.port ──▶ PlayoutProcessor ──PlayoutReport──▶ node.port ──▶ page
 * ```
 *
 * The page makes the node with `PlayoutNode.create(context)` (`playout_node.js`), makes the way
 * between them, and hands one end to the worker and the other to `node.takeFrames`. The processor
 * holds the jitter buffer and the decoder; the worker sends each frame as it comes, in whatever
 * order, undecoded.
 */

/**
 * One end of the way from the worker to the processor: a ring in shared memory (`FrameRing`) where
 * the page is isolated from other origins, else a port. Either stands here, never both.
 *
 * @typedef {{ ring: SharedArrayBuffer, port?: undefined }
 *   | { ring?: undefined, port: MessagePort }} FramesSink
 */

/**
 * One RTP packet.
 *
 * @typedef {object} EncodedFrame
 * @property {number} sequence RTP sequence number, 16 bits.
 * @property {number} timestamp RTP timestamp, 32 bits, 48 kHz.
 * @property {ArrayBuffer} payload Opus packet (RFC 6716), not empty.
 * @property {number} arrivalMs When the worker got it: `performance.timeOrigin +
 *   performance.now()`. Only the jitter shown is measured by it; what is played when goes by the
 *   audio clock at which the frame reached the processor.
 * @property {number} handedMs When the worker handed it over, by `Date.now()`: the one clock that
 *   audio threads have too.
 */

/**
 * Frames come from `source` from now on; an earlier port is closed and the buffer starts afresh.
 *
 * @typedef {object} FramesCommand
 * @property {'frames'} type
 * @property {FramesSink} source
 */

/**
 * Fade the output to `gain` along a raised cosine, which sums to one with its mirror image. For
 * the browser's own path beside it, `fadeCurve` (`gain.js`) gives a `GainNode` the same shape.
 *
 * @typedef {object} GainCommand
 * @property {'gain'} type
 * @property {number} gain 0 to 1. A processor begins at 0.
 * @property {number} durationMs
 * @property {number} [atTime] Time of the `AudioContext` in s; at once without it.
 */

/**
 * End the processor; it takes no more commands and outputs silence.
 *
 * @typedef {object} CloseCommand
 * @property {'close'} type
 */

/** @typedef {FramesCommand | GainCommand | CloseCommand} PlayoutCommand */

/**
 * Counters since the processor was made, and the figures of the moment. Samples are at 48 kHz.
 *
 * @typedef {object} PlayoutStats
 * @property {'idle' | 'playing'} state `idle`: nothing to play, or waiting for the first deadline.
 * @property {number} received
 * @property {number} duplicates
 * @property {number} late Frames that came after their turn.
 * @property {number} lost Frames missing at their turn; those that came late are counted there too.
 * @property {number} reordered
 * @property {number} malformed
 * @property {number} dropped Frames thrown away unplayed: backlog skipped, or a bound reached.
 * @property {number} resets
 * @property {number} underruns Times that sound was needed and not there, though it came later, or
 *   nothing came any more. Frames that were lost count as `lost` only.
 * @property {number} fecSamples
 * @property {number} concealedSamples
 * @property {number} compressedSamples
 * @property {number} expandedSamples
 * @property {number} skippedSamples
 * @property {number} decodeErrors
 * @property {number} playedSamples Of the output, while playing; at the context's rate.
 * @property {number} depthMs Sound that waits, decoded or not.
 * @property {number} targetMs Delay aimed at, behind the fastest frame.
 * @property {number} wantedMs The same before it was held between 5 and 75 ms: above 75, the
 *   network asks for more than this path gives.
 * @property {number} delayMs Delay reached: from the moment that the worker hands a frame over to
 *   that at which its first sample is rendered, averaged over about 32 frames.
 * @property {number | null} playoutOffsetMs Time of the context at which frames are rendered, less the
 *   time at which they came to the worker, averaged alike; with `AudioContext.getOutputTimestamp`
 *   it gives the delay to the ear (`PlayoutNode.delayToEarMs`). `null` before the first frame.
 * @property {number} jitterMs Interarrival jitter (RFC 3550, section 6.4.1) at the worker.
 * @property {number} driftPpm How much faster than the context's clock the sender's runs.
 * @property {number} gain Of the output, 0 to 1.
 */

/**
 * @typedef {object} StatsReport
 * @property {'stats'} type Every 250 ms of audio time.
 * @property {PlayoutStats} stats
 */

/**
 * The decoder is there; frames may have come before.
 *
 * @typedef {object} ReadyReport
 * @property {'ready'} type
 */

/**
 * The processor cannot play, and never will.
 *
 * @typedef {object} FailedReport
 * @property {'failed'} type
 * @property {string} message
 */

/**
 * Frames have stopped coming without a word of the sender, who may simply have stopped.
 *
 * @typedef {object} StarvingReport
 * @property {'starving'} type
 */

/** @typedef {StatsReport | ReadyReport | FailedReport | StarvingReport} PlayoutReport */

export {};
