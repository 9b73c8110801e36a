#!/usr/bin/env python3
# Makes the reference files of this folder with the spandsp library (Debian:
# libspandsp2), an implementation of G.722 that shares no code with ours:
#   espeak-ng -s 150 --stdout "The quick brown fox jumps over the lazy dog" |
#     sox -t wav - -t raw -r 16000 -e signed -b 16 -c 1 speech.s16 trim 0.1 1.6 gain -n -3
#   ./reference.py
import ctypes, hashlib, struct

lib = ctypes.CDLL("libspandsp.so.2")
for name in "g722_encode_init", "g722_decode_init":
    getattr(lib, name).restype = ctypes.c_void_p
    getattr(lib, name).argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
for name in "g722_encode", "g722_decode":
    getattr(lib, name).argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]


def encode(samples):
    out = ctypes.create_string_buffer(len(samples) // 4 + 8)
    n = lib.g722_encode(lib.g722_encode_init(None, 64000, 0), out, samples, len(samples) // 2)
    return out.raw[:n]


def decode(payload):
    out = ctypes.create_string_buffer(4 * len(payload) + 8)
    n = lib.g722_decode(lib.g722_decode_init(None, 64000, 0), out, payload, len(payload))
    return out.raw[: 2 * n]


def noise(n, seed=1):
    """n bytes of a linear congruential generator, as in g722_test.go."""
    out = bytearray()
    for _ in range(n):
        seed = (seed * 1664525 + 1013904223) % 2**32
        out.append(seed >> 24)
    return bytes(out)


def loudness(raw, top):
    """16 bit samples, each second one bit louder, up to top bits."""
    s = struct.unpack("<%dh" % (len(raw) // 2), raw)
    return struct.pack("<%dh" % len(s), *(v >> (15 - i // 16000 % top) for i, v in enumerate(s)))


def damage(payload):
    """payload with a wrong bit in every 97th byte."""
    out = bytearray(payload)
    for i in range(0, len(out), 97):
        out[i] ^= 1 << i % 8
    return bytes(out)


speech = open("speech.s16", "rb").read()
coded = encode(speech)
open("speech.g722", "wb").write(coded)
print("speech decoded", hashlib.sha256(decode(coded)).hexdigest())
print("noise encoded", hashlib.sha256(encode(loudness(noise(2 * 16000 * 32), 16))).hexdigest())
# Not louder, because spandsp's output wraps around where clause 4.4 limits it.
print("damaged decoded", hashlib.sha256(decode(damage(encode(loudness(noise(2 * 16000 * 28), 14))))).hexdigest())
