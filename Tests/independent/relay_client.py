"""SPEC.md section 10: a device's side of a conversation with a relay, over the simplest WebSocket."""

import base64
import os
import socket
import struct

from reader import keys
from reader.chains import HEAD_LENGTH
from reader.codec import Reader, blob, u64, varint
from reader.names import log_id

CHALLENGE, WELCOME, ENTRIES, CAUGHT_UP, ACK, REFUSED = 1, 2, 3, 4, 5, 6
HELLO, FOUND, SUBSCRIBE, APPEND, PRESENCE = 16, 17, 18, 19, 32
PING, PONG = 33, 34
UNKNOWN_SPACE = 3


class RelayClient:
    def __init__(self, url, space, device):
        host, port = url[len("ws://"):].split(":")
        self.space = space
        self.device = device
        self.socket = socket.create_connection((host, int(port)), 20)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._exactly(1)
        if b" 101 " not in answer.split(b"\r\n")[0]:
            raise ConnectionError(answer)

    def close(self):
        self.socket.close()

    def send(self, kind, fields):
        data = bytes([kind]) + fields
        head = b"\x82"
        if len(data) < 126:
            head += bytes([0x80 | len(data)])
        elif len(data) < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(data))
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", len(data))
        # The mask is zero: it protects middleboxes, of which there is none.
        self.socket.sendall(head + bytes(4) + data)

    def receive(self):
        """The next frame's type and fields."""
        message = b""
        while True:
            first, second = self._exactly(2)
            length = second & 0x7F
            if length == 126:
                [length] = struct.unpack(">H", self._exactly(2))
            elif length == 127:
                [length] = struct.unpack(">Q", self._exactly(8))
            data = self._exactly(length)
            if first & 0x0F == 8:
                raise ConnectionError(f"the relay closed: {data!r}")
            if first & 0x0F < 8:
                message += data
            if first & 0x80 and message:
                break
        if message[0] == PING:
            self.send(PONG, message[1:])
            return self.receive()
        return message[0], Reader(message[1:])

    def expect(self, kind):
        got, reader = self.receive()
        if got != kind:
            raise ConnectionError(f"frame {got} instead of {kind}: {reader.rest()!r}")
        return reader

    def enter(self, invite=None, genesis=None):
        """Proves the device, and the invite if it comes by one. Brings the space if need be.

        Gives the access list and (log, device, incarnation, start, end) of each log.
        """
        challenge = self.expect(CHALLENGE)
        if challenge.varint() != 1:
            raise ConnectionError("another protocol")
        relay, nonce = challenge.bytes(32), challenge.bytes(32)
        challenge.end()
        public = self.device.signing.public
        message = b"sennit/auth/1\n" + relay + nonce + self.space + public
        signature = keys.sign(self.device.signing, message)
        admission = b"\0"
        if invite:
            word = b"sennit/admit/1\n" + self.space + public
            admission = b"\1" + invite.public + keys.sign(invite, word)
        self.send(HELLO, varint(1) + self.space + public + signature + admission)
        if genesis:
            kind, reader = self.receive()
            if kind == REFUSED and reader.varint() == UNKNOWN_SPACE:
                self.send(FOUND, genesis)
                kind, reader = self.receive()
            if kind != WELCOME:
                raise ConnectionError(f"frame {kind} instead of {WELCOME}: {reader.rest()!r}")
            welcome = reader
        else:
            welcome = self.expect(WELCOME)
        access = welcome.blob(1 << 20)
        logs = []
        for _ in range(welcome.varint(4096)):
            device, incarnation = welcome.bytes(32), welcome.bytes(16)
            start, _, end = welcome.u64(), welcome.bytes(32), welcome.u64()
            log = log_id(self.space, device, incarnation)
            logs.append((log, device, incarnation, start, end))
        welcome.end()
        return access, logs

    def subscribe(self, versions):
        fields = varint(len(versions))
        for log in sorted(versions):
            fields += log + u64(versions[log])
        self.send(SUBSCRIBE, fields)

    def read_all(self, replica):
        """Takes everything in until the relay says that it is caught up."""
        while True:
            kind, reader = self.receive()
            if kind == CAUGHT_UP:
                reader.end()
                return
            if kind != ENTRIES:
                raise ConnectionError(f"frame {kind}: {reader.rest()!r}")
            self._take(reader, replica)

    def append(self, log, first, entries, head):
        """What the relay answers: (True, end) for an ack, (False, code) for a refusal."""
        fields = log.device + log.incarnation + u64(first) + varint(len(entries))
        self.send(APPEND, fields + b"".join(blob(entry) for entry in entries) + head)
        while True:
            kind, reader = self.receive()
            if kind == ACK:
                reader.bytes(32)
                return True, reader.u64()
            if kind == REFUSED:
                return False, reader.varint()

    def _take(self, reader, replica):
        device, incarnation = reader.bytes(32), reader.bytes(16)
        first = reader.u64()
        entries = [reader.blob(1 << 21) for _ in range(reader.varint(256))]
        head = reader.bytes(HEAD_LENGTH)
        reader.end()
        log = log_id(self.space, device, incarnation)
        replica.receive(log, device, incarnation, first, entries, head)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionError("the relay hung up")
            data += more
        return data
