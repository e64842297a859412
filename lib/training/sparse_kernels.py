"""The loops of sparse products, compiled by numba once for a machine; what they are for stands in `sparse_products`.

Numbers are of one type, float32 or float64. A row's sum has a fixed order. A forked process runs them without threads: GNU's
OpenMP, which divides the rows, ends children of a process that has used it.
"""

import functools
import os

import numba
import numpy
from numba import njit, prange
from numba.core import config

plain = functools.partial(njit, nogil=True, fastmath={"contract", "reassoc", "nsz"})
compiled = functools.partial(plain, parallel=True, cache=True)

AT_ONCE = 64  # images, so that they stay in a processor's cache


def use_threads(count: int) -> None:
    """Divide rows among so many threads, or as many as the process was started with."""
    numba.set_num_threads(min(count, config.NUMBA_NUM_THREADS))  # pyright: ignore[reportAttributeAccessIssue]


@compiled()
def rows_times(pointers, places, order, values, constants, inputs, outputs):
    """outputs[row] = constants[row] + Σ values[order[k]] inputs[places[k]] over the row's k, for vectors of examples."""
    size = inputs.shape[1]
    for row in prange(len(pointers) - 1):
        output, constant, k, end = outputs[row], constants[row], pointers[row], pointers[row + 1]
        for b in range(size):
            output[b] = constant
        while k + 4 <= end:
            w0, w1, w2, w3 = values[order[k]], values[order[k + 1]], values[order[k + 2]], values[order[k + 3]]
            x0, x1, x2, x3 = inputs[places[k]], inputs[places[k + 1]], inputs[places[k + 2]], inputs[places[k + 3]]
            for b in range(size):
                output[b] += w0 * x0[b] + w1 * x1[b] + w2 * x2[b] + w3 * x3[b]
            k += 4
        while k < end:
            weight, one = values[order[k]], inputs[places[k]]
            for b in range(size):
                output[b] += weight * one[b]
            k += 1


@compiled()
def rows_meet(pointers, places, gradients, inputs, of_values, of_constants):
    """of_values[k] = gradients[row] · inputs[places[k]] over the row's k, of_constants[row] = Σ gradients[row]."""
    size, zero = inputs.shape[1], gradients.dtype.type(0)
    for row in prange(len(pointers) - 1):
        gradient, k, end = gradients[row], pointers[row], pointers[row + 1]
        total = zero
        for b in range(size):
            total += gradient[b]
        of_constants[row] = total
        while k + 4 <= end:
            x0, x1, x2, x3 = inputs[places[k]], inputs[places[k + 1]], inputs[places[k + 2]], inputs[places[k + 3]]
            s0 = s1 = s2 = s3 = zero
            for b in range(size):
                s0 += gradient[b] * x0[b]
                s1 += gradient[b] * x1[b]
                s2 += gradient[b] * x2[b]
                s3 += gradient[b] * x3[b]
            of_values[k], of_values[k + 1], of_values[k + 2], of_values[k + 3] = s0, s1, s2, s3
            k += 4
        while k < end:
            one = inputs[places[k]]
            total = zero
            for b in range(size):
                total += gradient[b] * one[b]
            of_values[k] = total
            k += 1


@compiled()
def read_pixels(images, chosen, places, channels, table, outputs):
    """outputs[r, p, b] = table[channels[r, p], images[chosen[r, b], places[r, p]]], some whole images at a time."""
    replicates, batch = chosen.shape
    values_of_image, blocks = images.shape[1], (batch + AT_ONCE - 1) // AT_ONCE
    for task in prange(replicates * blocks):
        r, first = task // blocks, AT_ONCE * (task % blocks)
        count = min(batch - first, AT_ONCE)
        near = numpy.empty((AT_ONCE, values_of_image), numpy.uint8)
        for b in range(count):
            image = images[chosen[r, first + b]]
            for p in range(values_of_image):
                near[b, p] = image[p]
        for p in range(places.shape[1]):
            place, values, output = places[r, p], table[channels[r, p]], outputs[r, p]
            for b in range(count):
                output[first + b] = values[near[b, place]]


def without_threads() -> None:
    """Compile the loops anew, for one thread."""
    for name in ("rows_times", "rows_meet", "read_pixels"):
        globals()[name] = plain(globals()[name].py_func)
    globals()["use_threads"] = lambda _: None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=without_threads)
