"""The compiled loops of the loudness meter. One file, since numba's cache sees no imports.

Double precision: the corner of the weighting's low cut, 38 Hz, is too low for a direct form in
single precision. Every sample is processed alike, so that nothing depends on how sound is cut.
"""

from dsp.jit import compiled

PART = 4800  # samples of a part, 100 ms: what blocks of 400 ms with 75 % overlap are made of
PARTS = 30  # parts that are kept: 3 s
TINY = 1e-30  # a filter's state below this is zero, lest it become denormal and slow

# ITU-R BS.1770-4, annex 1, tables 1 and 2, for 48 kHz: the head's shelf, then the low cut.
B0, B1, B2 = 1.53512485958697, -2.69169618940638, 1.19839281085285
A1, A2 = -1.69065929318241, 0.73248077421585
C1, C2 = -1.99004745483398, 0.99007225036621


@compiled()
def weigh(arena, first, count, rows, filters, parts, rings, passed, powers, fresh):  # type: ignore[no-untyped-def]
    """Measure the weighted power of `count` samples, at most PART, from `first` of some rows.

    Args:
        arena: float32 (rows, samples, 2).
        first: First sample.
        count: Samples.
        rows: int32 (k,), the rows to be measured.
        filters: float64 (rows, 2, 4), state of both filters for each channel; updated.
        parts: float64 (rows, 2), energy of the part that has begun, and its samples; updated.
        rings: float64 (rows, PARTS), mean squares of the latest parts, channels added; updated.
        passed: int64 (rows,), how many parts there were; updated.
        powers: float64 (k,), written: mean square of the block, both channels added.
        fresh: bool (k,), written: whether a part was completed.
    """
    for i in range(len(rows)):
        row = rows[i]
        block = arena[row]
        s0, s1, l0, l1 = filters[row, 0]
        t0, t1, m0, m1 = filters[row, 1]
        energy, samples = parts[row]
        total = 0.0
        fresh[i] = False
        for n in range(first, first + count):
            left = block[n, 0] if abs(block[n, 0]) < 1e3 else 0.0  # what is no number is silence
            right = block[n, 1] if abs(block[n, 1]) < 1e3 else 0.0
            y = B0 * left + s0
            s0 = B1 * left - A1 * y + s1
            s1 = B2 * left - A2 * y
            left = y + l0
            l0 = l1 - 2.0 * y - C1 * left
            l1 = y - C2 * left
            y = B0 * right + t0
            t0 = B1 * right - A1 * y + t1
            t1 = B2 * right - A2 * y
            right = y + m0
            m0 = m1 - 2.0 * y - C1 * right
            m1 = y - C2 * right
            power = left * left + right * right
            total += power
            energy += power
            samples += 1.0
            if samples == PART:
                rings[row, passed[row] % PARTS] = energy / PART
                passed[row] += 1
                energy = 0.0
                samples = 0.0
                fresh[i] = True
        powers[i] = total / max(count, 1)
        parts[row, 0] = energy
        parts[row, 1] = samples
        filters[row, 0] = s0, s1, l0, l1
        filters[row, 1] = t0, t1, m0, m1
        for channel in range(2):
            for k in range(4):
                if abs(filters[row, channel, k]) < TINY:
                    filters[row, channel, k] = 0.0


@compiled()
def wait(count, rows, parts, rings, passed):  # type: ignore[no-untyped-def]
    """Let `count` samples of silence, at most PART, go by for some rows."""
    for row in rows:
        parts[row, 1] += count
        if parts[row, 1] >= PART:
            rings[row, passed[row] % PARTS] = parts[row, 0] / PART
            passed[row] += 1
            parts[row, 0] = 0.0
            parts[row, 1] -= PART
