/**
 * What a playout counts, from the moment it is made; samples at 48 kHz.
 */
export class Counters {
  received = 0;
  duplicates = 0;
  /** Frames that came after their turn. */
  late = 0;
  /** Frames that were missing at their turn; those that came late are counted again there. */
  lost = 0;
  reordered = 0;
  malformed = 0;
  /** Frames thrown away unplayed: backlog skipped, or a bound reached. */
  dropped = 0;
  resets = 0;
  /** Times that sound was needed and nothing was there, though it came later or nothing came on. */
  underruns = 0;
  fecSamples = 0;
  concealedSamples = 0;
  compressedSamples = 0;
  expandedSamples = 0;
  skippedSamples = 0;
  decodeErrors = 0;
  /** Of the output, while playing; at the context's rate. */
  playedSamples = 0;
}
