#!/usr/bin/env python3
"""Watches a lancam camera by its native protocol, docs/PROTOCOL.md: --frames N without a window, --save FILE the newest JPEG."""
import argparse, importlib.util, math, pathlib, socket, struct, sys, time

HELLO, ACK, PING, PONG, WELCOME, STREAM, FRAME, STATUS, GOODBYE = 1, 2, 4, 5, 64, 65, 66, 67, 68
HEADER = struct.Struct("<4sBBHI")  # magic, version, kind, flags, length of the payload
MAX_PAYLOAD = 16 << 20
now = lambda: time.monotonic_ns() // 1000  # microseconds, as everywhere in the protocol

def message(kind, layout, *fields):
    return HEADER.pack(b"LCAM", 1, kind, 0, struct.calcsize(layout)) + struct.pack(layout, *fields)

def messages(stream):  # each message's kind and payload, until the camera closes
    while header := stream.read(HEADER.size):
        magic, version, kind, flags, length = HEADER.unpack(header)
        if magic != b"LCAM" or length > MAX_PAYLOAD:
            raise ValueError(f"this is no lancam: {header}")
        payload = stream.read(length)
        if len(payload) < length or kind in (PING, PONG, STREAM, FRAME, STATUS) and (version, flags) != (1, 0):
            raise ValueError(f"a message is cut off, or of another version: {header}")
        yield kind, payload  # unknown kinds too, which are to be passed over

def frames(camera):  # each JPEG with its number, its age and how wrong that may be, in milliseconds
    clock = math.inf, 0, now()  # the camera's minus ours: how wrong it may be, what it is, as of when
    camera.sendall(message(HELLO, "<BBBxHHIB3xH16s", 1, 1, 1, 0, 0, 0, 0, 16, b"native_viewer.py"))  # credit 1, no wishes
    for kind, payload in messages(camera.makefile("rb")):
        arrived = now()
        if kind == FRAME:
            sequence, captured_at, width, height, codec = struct.unpack_from("<QQHHB3x", payload)
            if codec != 1:
                raise ValueError(f"codec {codec} is no JPEG")
            # Acknowledge first: the next frame travels while this one is worked on. No other data delays a ping sent here.
            camera.sendall(message(PING, "<Q", arrived) + message(ACK, "<Q", sequence))
            yield sequence, (arrived + clock[1] - captured_at) / 1000, clock[0] / 1000, payload[24:]
        elif kind == PONG:  # to our ping, whose token says when it was sent
            sent, there, back = struct.unpack_from("<QQQ", payload)
            new = ((arrived - sent) - (back - there)) / 2, ((there - sent) + (back - arrived)) / 2
            old = clock[0] + (arrived - clock[2]) / 10_000, clock[1]  # clocks may drift by 100 µs a second
            clock = *min(new, old), arrived
        elif kind == PING:
            camera.sendall(message(PONG, "<QQQ", *struct.unpack_from("<Q", payload), arrived, now()))
        elif kind in (WELCOME, STATUS, GOODBYE):  # 4 bytes for programs, then the length of a text for people
            print(payload[6:6 + struct.unpack_from("<H", payload, 4)[0]].decode(errors="replace"), flush=True)

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("host"), options.add_argument("--port", type=int, default=9999)
options.add_argument("--frames", type=int), options.add_argument("--save", type=pathlib.Path)
options = options.parse_args()
if has_window := not options.frames and importlib.util.find_spec("cv2"):
    import cv2, numpy  # only for showing: all else is in Python's own library
with socket.create_connection((options.host, options.port), 10) as camera:  # and no longer than 10 s without a word
    camera.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for count, (sequence, age, uncertainty, jpeg) in enumerate(frames(camera), 1):
        print(f"frame {sequence}: {len(jpeg)} bytes, {age:.1f} ms old, give or take {uncertainty:.1f} ms", flush=True)
        options.save and options.save.write_bytes(jpeg)
        if has_window:
            cv2.imshow(options.host, cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR))
        if count == options.frames or has_window and cv2.waitKey(1) in (27, ord("q")):
            sys.exit()
sys.exit("the camera has closed the connection")
