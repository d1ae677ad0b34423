"""Eight publishers at once: a vector of eight float32 as a value of compiled code.

The compiled kernels keep one publisher in each lane of such vectors, so that filters and envelopes,
which cannot be parallel along time, are parallel across publishers. Operations are exact in order
and rounding (`fused` rounds once, everything else as IEEE 754 says), and no lane sees another: what
comes out for a publisher does not depend on its lane, on its neighbours or on how many there are.

numba's cache sees no change in an imported file; `kernels.LANES` ties the two together.
"""

import operator
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _typed_intrinsic
from numba.extending import models, overload, register_model

WIDTH = 8

intrinsic: Any = _typed_intrinsic  # its types know nothing of the typing context

_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_INTS = ir.VectorType(ir.IntType(32), WIDTH)
# Without the instruction LLVM would call a function for each lane.
_HAS_FMA = llvm.get_host_cpu_features().get("fma", "x86" not in llvm.get_default_triple())


class LanesType(types.Type):
    """numba's type of eight float32."""


lanes = LanesType("lanes8")


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _FLOATS)  # type: ignore[no-untyped-call]


def _call(builder: Any, name: str, *args: Any) -> Any:
    kind = ir.FunctionType(_FLOATS, [_FLOATS] * len(args))
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDTH}f32")  # type: ignore[no-untyped-call]
    return builder.call(function, args)


def _constant(number: int) -> Any:
    return ir.Constant(_INTS, [number] * WIDTH)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [index])


@intrinsic
def load(typing, array, index):  # type: ignore[no-untyped-def]
    """Return eight values of a contiguous float32 array, from `index` on."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        place = _address(context, builder, signature.args[0], args[0], args[1])
        return builder.load(builder.bitcast(place, _FLOATS.as_pointer()), align=4)

    return lanes(array, types.intp), emit


@intrinsic
def store(typing, array, index, value):  # type: ignore[no-untyped-def]
    """Write eight values into a contiguous float32 array, from `index` on."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        place = _address(context, builder, signature.args[0], args[0], args[1])
        builder.store(args[2], builder.bitcast(place, _FLOATS.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), emit


@intrinsic
def splat(typing, number):  # type: ignore[no-untyped-def]
    """Return eight times the same float32."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        first = ir.Constant(ir.IntType(32), 0)
        one = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), args[0], first)
        return builder.shuffle_vector(one, one, _constant(0))

    return lanes(types.float32), emit


@intrinsic
def _add(typing, a, b):  # type: ignore[no-untyped-def]
    return lanes(lanes, lanes), lambda context, builder, signature, args: builder.fadd(*args)


@intrinsic
def _subtract(typing, a, b):  # type: ignore[no-untyped-def]
    return lanes(lanes, lanes), lambda context, builder, signature, args: builder.fsub(*args)


@intrinsic
def _multiply(typing, a, b):  # type: ignore[no-untyped-def]
    return lanes(lanes, lanes), lambda context, builder, signature, args: builder.fmul(*args)


@intrinsic
def _divide(typing, a, b):  # type: ignore[no-untyped-def]
    return lanes(lanes, lanes), lambda context, builder, signature, args: builder.fdiv(*args)


def _use(operation: Any, implementation: Any) -> None:
    """Make an operator of the language do `implementation` on lanes."""

    @overload(operation)
    def chosen(a, b):  # type: ignore[no-untyped-def]
        if isinstance(a, LanesType) and isinstance(b, LanesType):
            return lambda a, b: implementation(a, b)  # noqa: PLW0108  (numba compiles it)
        return None


_use(operator.add, _add)
_use(operator.sub, _subtract)
_use(operator.mul, _multiply)
_use(operator.truediv, _divide)


@intrinsic
def fused(typing, a, b, c):  # type: ignore[no-untyped-def]
    """Return a × b + c, rounded once where the processor can."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        if _HAS_FMA:
            return _call(builder, "fma", *args)
        return builder.fadd(builder.fmul(args[0], args[1]), args[2])

    return lanes(lanes, lanes, lanes), emit


@intrinsic
def choose(typing, a, b, x, y):  # type: ignore[no-untyped-def]
    """Return x where a ≥ b, else y."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.select(builder.fcmp_ordered(">=", args[0], args[1]), args[2], args[3])

    return lanes(lanes, lanes, lanes, lanes), emit


@intrinsic
def larger(typing, a, b):  # type: ignore[no-untyped-def]
    """Return the larger of two values."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.select(builder.fcmp_ordered(">", args[0], args[1]), args[0], args[1])

    return lanes(lanes, lanes), emit


@intrinsic
def smaller(typing, a, b):  # type: ignore[no-untyped-def]
    """Return the smaller of two values."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[0], args[1])

    return lanes(lanes, lanes), emit


@intrinsic
def magnitude(typing, a):  # type: ignore[no-untyped-def]
    """Return |a|."""
    return lanes(lanes), lambda context, builder, signature, args: _call(builder, "fabs", args[0])


@intrinsic
def exponent(typing, a):  # type: ignore[no-untyped-def]
    """Return e of a = m × 2**e with 1 ≤ m < 2, for normal positive a."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        bits = builder.lshr(builder.bitcast(args[0], _INTS), _constant(23))
        return builder.sitofp(builder.sub(bits, _constant(127)), _FLOATS)

    return lanes(lanes), emit


@intrinsic
def mantissa(typing, a):  # type: ignore[no-untyped-def]
    """Return m of a = m × 2**e with 1 ≤ m < 2, for normal positive a."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        bits = builder.and_(builder.bitcast(args[0], _INTS), _constant(0x7FFFFF))
        return builder.bitcast(builder.or_(bits, _constant(0x3F800000)), _FLOATS)

    return lanes(lanes), emit


@intrinsic
def whole(typing, a):  # type: ignore[no-untyped-def]
    """Return the largest whole number that is not above a."""
    return lanes(lanes), lambda context, builder, signature, args: _call(builder, "floor", args[0])


@intrinsic
def power_of_two(typing, a):  # type: ignore[no-untyped-def]
    """Return 2**a for whole a from −126 to 127."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        bits = builder.add(builder.fptosi(args[0], _INTS), _constant(127))
        return builder.bitcast(builder.shl(bits, _constant(23)), _FLOATS)

    return lanes(lanes), emit


@intrinsic
def turn(typing, source, begin, step, target, start, pitch):  # type: ignore[no-untyped-def]
    """Copy eight vectors, turned: the first values of all go into the first vector, and so on.

    They stand `step` apart in `source` from `begin` on, and `pitch` apart in `target` from `start`
    on; both are contiguous arrays of float32.
    """

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        def place(first, k):  # type: ignore[no-untyped-def]
            array, begin, apart = args[first : first + 3]
            index = builder.add(begin, builder.mul(apart, apart.type(k)))
            where = _address(context, builder, signature.args[first], array, index)
            return builder.bitcast(where, _FLOATS.as_pointer())

        values = [builder.load(place(0, k), align=4) for k in range(WIDTH)]  # type: ignore[no-untyped-call]
        for stride in (1, 2, 4):
            for k in range(WIDTH):
                if not k & stride:
                    pair = values[k], values[k + stride]
                    values[k] = builder.shuffle_vector(*pair, _half_of(stride, upper=False))
                    values[k + stride] = builder.shuffle_vector(*pair, _half_of(stride, upper=True))
        for k in range(WIDTH):
            builder.store(values[k], place(3, k), align=4)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    size = types.intp
    return types.void(source, size, size, target, size, size), emit


def _half_of(stride: int, *, upper: bool) -> Any:
    """Return which values of two vectors a step of turning puts into the one or the other."""
    mine = [k + stride if upper else k for k in range(WIDTH)]
    its = [WIDTH + (k if upper else k - stride) for k in range(WIDTH)]
    chosen = [its[k] if k & stride else mine[k] for k in range(WIDTH)]
    return ir.Constant(_INTS, chosen)
