#!/usr/bin/env python3
"""Makes the pickles beside it, as Python servers send them and as attackers would.

Run it once with numpy 1.x and once with numpy 2.x (each in its own virtual environment):
    python make.py
The arrays go to numpy1/ or numpy2/, what must be refused to refused/.
"""

import collections
import fractions
import os
import pickle
import pickletools
import struct
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
GENERATION = "numpy" + np.__version__.split(".")[0]


def picture(height, width):
    """Pixel (row, column) is B = row, G = column, R = 255 - row - column, modulo 256: the test knows this rule."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows, columns, 255 - rows - columns], axis=2).astype(np.uint8)


def save(folder, name, pickled):
    os.makedirs(os.path.join(HERE, folder), exist_ok=True)
    with open(os.path.join(HERE, folder, name + ".pkl"), "wb") as file:
        file.write(pickled)


def save_array(name, array, protocol):
    pickled = pickle.dumps(array, protocol)
    assert (pickle.loads(pickled) == array).all()
    save(GENERATION, f"{name}-protocol{protocol}", pickled)


class AsByteArray:
    """An array that is pickled as a call with a `bytearray`, which protocols under 5 write as a call too."""

    def __init__(self, array):
        self.array = array

    def __reduce__(self):
        numeric = np._core.numeric if GENERATION == "numpy2" else np.core.numeric
        data = bytearray(self.array.tobytes())
        return numeric._frombuffer, (data, self.array.dtype, self.array.shape, "C")


def arrays():
    small = picture(4, 3)
    assert small.flags.c_contiguous
    for protocol in (2, 3, 4, 5):
        save_array("contiguous", small, protocol)
        # Every other row and column of a larger one: numpy writes it out in C order.
        save_array("slice", np.repeat(np.repeat(small, 2, 0), 2, 1)[::2, ::2], protocol)
        # Sides over 255 are written as another opcode, and this many bytes as yet another.
        wide = picture(2, 300)
        save_array("wide", wide, protocol)
        optimised = pickletools.optimize(pickle.dumps(wide, protocol))
        save(GENERATION, f"optimised-wide-protocol{protocol}", optimised)
        save(GENERATION, f"python-pickler-protocol{protocol}", pickle._dumps(small, protocol))
        optimised = pickletools.optimize(pickle.dumps(small, protocol))
        save(GENERATION, f"optimised-protocol{protocol}", optimised)
        save(GENERATION, f"bytearray-protocol{protocol}", pickle.dumps(AsByteArray(small), protocol))
        fortran = np.asfortranarray(small)
        save(GENERATION, f"refused-fortran-protocol{protocol}", pickle.dumps(fortran, protocol))
    readonly = small.copy()
    readonly.flags.writeable = False
    save_array("readonly", readonly, 5)
    # Contiguous, but with its axes in another order: numpy 2.3 and later have a form of their own for it.
    turned = np.ascontiguousarray(small.transpose(1, 0, 2)).transpose(1, 0, 2)
    name = "refused-axes" if b"\x8c\x01K" in pickle.dumps(turned, 5) else "axes"
    save(GENERATION, f"{name}-protocol5", pickle.dumps(turned, 5))
    outside = pickle.dumps(small, 5, buffer_callback=lambda buffer: None)
    save(GENERATION, "refused-out-of-band-protocol5", outside)
    for protocol in (2, 5):
        save(GENERATION, f"refused-gray-protocol{protocol}", pickle.dumps(small[:, :, 0].copy(), protocol))
        save(GENERATION, f"refused-float-protocol{protocol}", pickle.dumps(small / np.float32(255), protocol))
        alpha = np.zeros((4, 3, 4), np.uint8)
        save(GENERATION, f"refused-four-channels-protocol{protocol}", pickle.dumps(alpha, protocol))
        encoded = np.frombuffer(b"\xff\xd8 a JPEG \xff\xd9", np.uint8).reshape(-1, 1).copy()
        save(GENERATION, f"refused-encoded-protocol{protocol}", pickle.dumps(encoded, protocol))
    save(GENERATION, "refused-objects-protocol4", pickle.dumps(np.array([[[1, 2, None]]], object), 4))
    save(GENERATION, "refused-scalar-protocol4", pickle.dumps(np.uint8(7), 4))
    save(GENERATION, "refused-empty-protocol4", pickle.dumps(np.zeros((0, 3, 3), np.uint8), 4))
    fields = np.zeros((2, 2, 3), [("a", "u1")])
    save(GENERATION, "refused-fields-protocol4", pickle.dumps(fields, 4))
    save(GENERATION, "refused-uint16-protocol4", pickle.dumps(small.astype(np.uint16), 4))


class Runs:
    """Pickles to a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def short_text(text):
    return b"\x8c" + bytes([len(text)]) + text


def refused():
    """What no camera sends. `touch` would leave a trace, so that a test sees whether it ran."""
    touch = "touch lancam-was-here"
    for protocol in (0, 1, 2, 3, 4, 5):
        save("refused", f"system-protocol{protocol}", pickle.dumps(Runs(os.system, touch), protocol))
    save("refused", "eval-protocol4", pickle.dumps(Runs(eval, "1+1"), 4))
    save("refused", "inst", b"\x80\x02(X\x02\x00\x00\x00idiposix\nsystem\n.")
    save("refused", "obj", b"\x80\x02(cposix\nsystem\nX\x02\x00\x00\x00ido.")
    save("refused", "obj-of-allowed", b"\x80\x02(cnumpy\ndtype\nX\x02\x00\x00\x00u1o.")
    save("refused", "newobj", b"\x80\x02csubprocess\nPopen\nX\x02\x00\x00\x00id\x85\x81.")
    save("refused", "newobj-of-allowed", b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00u1\x85\x81.")
    save("refused", "newobj-ex", b"\x80\x04" + short_text(b"numpy") + short_text(b"dtype") + b"\x93)N\x92.")
    # A dotted name reaches through an allowed module to anything that it imports.
    dotted = b"\x80\x04" + short_text(b"numpy") + short_text(b"f2py.os.system") + b"\x93"
    save("refused", "dotted-name", dotted + short_text(b"id") + b"\x85R.")
    save("refused", "reduce-of-text", b"\x80\x04" + short_text(b"os.system") + short_text(b"id") + b"\x85R.")
    save("refused", "stack-global-of-numbers", b"\x80\x04K\x01K\x02\x93.")
    save("refused", "build-of-tuple", b"\x80\x02))b.")
    save("refused", "dict", pickle.dumps({"frame": b"..."}, 4))
    save("refused", "list", pickle.dumps([1, 2, 3], 2))
    save("refused", "tuple", pickle.dumps((b"jpg", 95), 3))
    save("refused", "bytes", pickle.dumps(b"\xff\xd8 a JPEG \xff\xd9", 4))
    save("refused", "text", pickle.dumps("frame", 4))
    save("refused", "none", pickle.dumps(None, 4))
    save("refused", "fraction", pickle.dumps(fractions.Fraction(1, 3), 4))
    save("refused", "ordered-dict", pickle.dumps(collections.OrderedDict(a=1), 2))
    save("refused", "persistent-id", b"\x80\x02Pfile\n.")
    save("refused", "extension", b"\x80\x02\x82\x01.")
    save("refused", "future-protocol", b"\x80\x06N.")
    save("refused", "unknown-opcode", b"\x80\x04\xff.")
    save("refused", "empty", b"")
    save("refused", "only-protocol", b"\x80\x03")
    save("refused", "nothing-on-the-stack", b"\x80\x03.")
    # Lengths that claim what is not there.
    save("refused", "length-4-gib", b"\x80\x03B\xff\xff\xff\xff1234")
    save("refused", "length-16-eib", b"\x80\x04\x8e" + b"\xff" * 8 + b"1234")
    save("refused", "length-bytearray", b"\x80\x05\x96" + b"\xff" * 8 + b"1234")
    save("refused", "length-frame", b"\x80\x04\x95" + b"\xff" * 8 + b"N.")
    save("refused", "length-text", b"\x80\x04\x8d" + b"\x00" * 7 + b"\x80N.")
    # Bombs: small pickles that would make an unpickler take much memory or time.
    save("refused", "memo-index", b"\x80\x02Nr\xff\xff\xff\xff.")
    save("refused", "memo-of-nothing", b"\x80\x02j\xff\xff\xff\x7f.")
    save("refused", "memo-bomb", b"\x80\x04" + b"N" + b"\x94" * 5000 + b".")
    save("refused", "recursion", b"\x80\x02)" + b"\x85" * 5000 + b".")
    save("refused", "doubling", b"\x80\x04N" + b"\x94h\x00h\x00\x86" * 200 + b".")
    save("refused", "marks", b"\x80\x02" + b"(" * 5000 + b".")
    save("refused", "reduce-bomb", b"\x80\x02cnumpy\ndtype\n" + b"X\x02\x00\x00\x00u1\x85R" * 2000 + b".")
    dtypes = b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R0" * 500
    save("refused", "pop", b"\x80\x02" + dtypes + b".")
    # Arrays whose shape and bytes do not belong together, in the form that lancam writes itself.
    writes = {
        "shape-larger-than-bytes": (4, 3, 35),
        "shape-smaller-than-bytes": (4, 3, 37),
        "shape-huge": (0x7FFFFFFF, 0x7FFFFFFF, 36),
        "shape-negative": (-4, 3, 36),
        "shape-zero": (4, 0, 0),
    }
    for name, (height, width, length) in writes.items():
        save("refused", name, by_hand(height, width, bytes(length)))
    save("refused", "trailing", by_hand(1, 1, b"123") + b"more")
    save("refused", "array-twice", by_hand(1, 1, b"123")[:-1] + b"N.")


def by_hand(height, width, pixels):
    def number(value):
        return b"J" + struct.pack("<i", value)

    return (
        b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
        b"(K\x01" + number(height) + number(width) + b"K\x03\x87"
        b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R"
        b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"B" + struct.pack("<I", len(pixels)) + pixels + b"tb."
    )


if __name__ == "__main__":
    arrays()
    refused()
    print(f"numpy {np.__version__}, Python {sys.version.split()[0]}")
