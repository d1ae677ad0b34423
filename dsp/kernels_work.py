"""The work space of the compiled effects, and how samples get from rings into it and back.

What runs for each short piece of a line is copied to where it is called: its arguments would cost
as much as its work.
"""

from typing import Final

import numpy as np
from llvmlite import ir
from numba import njit, types

from dsp.effects import COEFFICIENTS
from dsp.kernels_basics import SILENT, TINY
from dsp.lanes import WIDTH, choose, fused, intrinsic, load, magnitude, splat, store
from dsp.reverb import LINES

BUILT_ON: Final = "abe7345a2534"
"""See `kernels_basics.py`."""

CHUNK = 128  # samples; no line is shorter, but for a short delay's
PITCH = CHUNK + 16  # so that rows do not meet in the same sets of the caches
# Work space of a call: rows of PITCH values, of which all is computed up to the next multiple of
# WIDTH behind the chunk's end, and what is behind that end ignored.
LEFT = 0  # the sound
RIGHT = PITCH
WEIGHTS = 2 * PITCH  # how far a change has come
SPARE = 3 * PITCH
FIRST = 4 * PITCH
SECOND = 5 * PITCH
TAPS = 6 * PITCH  # what leaves the lines, eight rows
CURVES = 14 * PITCH  # each coefficient on its way
TURNED = CURVES + COEFFICIENTS * PITCH  # eight samples of the lines, a line in each lane
TURNED_POLES = TURNED + WIDTH * LINES
SPACE = TURNED_POLES + WIDTH * LINES

# Added to what one-pole filters are fed: far below what is flushed, and it keeps them from falling
# asleep among denormals without a comparison at each sample.
BIAS = np.float32(1e-25)


@intrinsic
def pointer(typing, address):  # type: ignore[no-untyped-def]
    """Return an address as a pointer to float32."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], ir.FloatType().as_pointer())

    return types.CPointer(types.float32)(types.int64), emit  # type: ignore[no-untyped-call]


@intrinsic
def prefetch(typing, array, index):  # type: ignore[no-untyped-def]
    """Ask for the memory round `array[index]` without waiting for it."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        hint = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [place.type],
            ir.FunctionType(ir.VoidType(), [place.type, number, number, number]),
        )
        builder.call(hint, [place, number(1), number(2), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


def space_for(count: int) -> int:
    """Return how many values of work space `affect` needs for blocks of so many samples."""
    return SPACE + 2 * WIDTH * count


@njit(inline="always")
def move(source, start, target, begin, n):  # type: ignore[no-untyped-def]
    """Copy n samples. The vectors are explicit: so short a loop has no time for preparations."""
    whole = n - n % WIDTH
    for i in range(0, whole, WIDTH):
        store(target, begin + i, load(source, start + i))
    for i in range(whole, n):
        target[begin + i] = source[start + i]


@njit(inline="always")
def read(ring, start, work, begin, n):  # type: ignore[no-untyped-def]
    """Copy n samples of a ring from `start` on, and on from its beginning."""
    start = start if start >= 0 else start + len(ring)
    head = min(n, len(ring) - start)
    move(ring, start, work, begin, head)
    if head < n:
        move(ring, 0, work, begin + head, n - head)


@njit(inline="always")
def write(ring, start, work, begin, n):  # type: ignore[no-untyped-def]
    """Copy n samples into a ring from `start` on, and on from its beginning."""
    head = min(n, len(ring) - start)
    move(work, begin, ring, start, head)
    if head < n:
        move(work, begin + head, ring, 0, n - head)


@njit(inline="always")
def tap(ring, place, old, new, work, begin, n):  # type: ignore[no-untyped-def]
    """Read what went in `old` samples ago, on its way to what went in `new` samples ago.

    `place` is where the ring is written to next.
    """
    read(ring, place - np.int64(old), work, begin, n)
    if new != old:
        read(ring, place - np.int64(new), work, SPARE, n)
        for i in range(0, n, WIDTH):
            before = load(work, begin + i)
            change = load(work, SPARE + i) - before
            store(work, begin + i, fused(load(work, WEIGHTS + i), change, before))


@njit
def flushed(values):  # type: ignore[no-untyped-def]
    """Return zero for what nobody hears, lest it become denormal and slow."""
    return choose(magnitude(values), splat(TINY), values, splat(SILENT))


@njit
def blended(work, plain, effect, curve, i):  # type: ignore[no-untyped-def]
    """Return plain sound and effect by the shares that stand from `curve` on."""
    dry = load(work, curve + i)
    wet = load(work, curve + PITCH + i)
    return fused(wet, effect, dry * plain)
