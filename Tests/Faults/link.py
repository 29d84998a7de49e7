"""A link that can fail: a TCP proxy on loopback in a thread of its own, like Tests/TestSupport/Faults/FlakyLink.swift."""

import selectors
import socket
import struct
import threading

TO_SERVER, TO_CLIENT = 0, 1


class Link:
    """Carries connections to a port of 127.0.0.1.

    Faults: `cut` (the connections of this moment carry nothing any more, nobody is told), `stall` (nothing moves and
    nobody comes through until `restore`), `reset` (both ends are told).
    """

    def __init__(self, server_port):
        self.server_port = server_port
        self.lock = threading.Lock()
        self.stalled = False
        self.over = False
        self.trap = None  # [fault, direction, bytes left]
        self.strikes = []
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.listener.setblocking(False)
        self.bell, self.rope = socket.socketpair()
        self.bell.setblocking(False)
        threading.Thread(target=self._run, daemon=True).start()

    def fail(self, fault, after=0, direction=TO_SERVER):
        """Fails at once, or when exactly `after` more bytes have gone in a direction."""
        with self.lock:
            if after > 0:
                self.trap = [fault, direction, after]
            else:
                self._add(fault)
        self.rope.send(b".")

    def restore(self):
        """Ends a stall and the waiting for a byte. What was cut stays cut."""
        with self.lock:
            self.stalled, self.trap = False, None
        self.rope.send(b".")

    def armed(self):
        with self.lock:
            return self.trap is not None

    def close(self):
        with self.lock:
            self.over = True
        self.rope.send(b".")

    def _add(self, fault):
        if fault == "stall":
            self.stalled = True
        else:
            self.strikes.append(fault)

    def _run(self):
        while True:
            with self.lock:
                strikes, self.strikes = self.strikes, []
                stalled, over = self.stalled, self.over
            if over:
                for connection in self.connections:
                    connection.close()
                self.listener.close()
                return
            for strike in strikes:
                for connection in self.connections:
                    connection.cut = True
                    if strike == "reset":
                        connection.reset()
                if strike == "reset":
                    self.connections = [c for c in self.connections if not c.closed]
            self._wait(stalled)
            if not stalled:
                self._accept()
                for connection in self.connections:
                    if not connection.cut:
                        connection.carry(self)

    def _wait(self, stalled):
        with selectors.DefaultSelector() as selector:
            selector.register(self.bell, selectors.EVENT_READ)
            if not stalled:
                selector.register(self.listener, selectors.EVENT_READ)
                for connection in self.connections:
                    if not connection.cut:
                        connection.register(selector)
            selector.select(1)
        try:
            self.bell.recv(64)
        except BlockingIOError:
            pass

    def _accept(self):
        try:
            client, _ = self.listener.accept()
        except BlockingIOError:
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.server_port))
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(False)
        self.connections.append(_Connection(client, server))

    def allowance(self, direction, count):
        """How many bytes may go; 0 once something has been ordered that the thread has not obeyed yet."""
        with self.lock:
            if self.stalled or self.strikes:
                return 0
            if self.trap and self.trap[1] == direction:
                return min(count, self.trap[2])
            return count

    def count(self, direction, count):
        with self.lock:
            if self.trap and self.trap[1] == direction:
                self.trap[2] -= count
                if self.trap[2] <= 0:
                    fault, self.trap = self.trap[0], None
                    self._add(fault)


class _Connection:
    def __init__(self, client, server):
        self.ends = [(client, server), (server, client)]
        self.waiting = [b"", b""]
        self.ended = [False, False]
        self.passed = [False, False]
        self.cut = False
        self.closed = False

    def register(self, selector):
        for direction, (source, drain) in enumerate(self.ends):
            events = 0
            if not self.ended[direction] and not self.waiting[direction]:
                events |= selectors.EVENT_READ
            if self.waiting[1 - direction]:
                events |= selectors.EVENT_WRITE
            if events:
                selector.register(source, events)

    def carry(self, link):
        for direction, (source, drain) in enumerate(self.ends):
            try:
                if not self.waiting[direction] and not self.ended[direction]:
                    received = source.recv(65536)
                    self.waiting[direction] = received
                    self.ended[direction] = not received
            except BlockingIOError:
                pass
            except OSError:
                self.ended[direction] = True
            try:
                while self.waiting[direction]:
                    most = link.allowance(direction, len(self.waiting[direction]))
                    if most == 0:
                        return
                    sent = drain.send(self.waiting[direction][:most])
                    self.waiting[direction] = self.waiting[direction][sent:]
                    link.count(direction, sent)
            except BlockingIOError:
                pass
            except OSError:
                self.waiting[direction], self.ended[direction] = b"", True
            if self.ended[direction] and not self.waiting[direction] and not self.passed[direction]:
                self.passed[direction] = True
                try:
                    drain.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
        if all(self.passed):
            self.close()
            link.connections.remove(self)

    def reset(self):
        for source, _ in self.ends:
            source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.closed = True
        for source, _ in self.ends:
            source.close()
