"""A TCP proxy on loopback that holds everything back for a time: a link with a long way, and no other limit."""

import collections
import selectors
import socket
import threading
import time


class Delay:
    """Carries connections to a port of 127.0.0.1; each byte takes `seconds` in either direction."""

    def __init__(self, server_port, seconds):
        self.server_port = server_port
        self.seconds = seconds
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.server_port))
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client, server):
        # What has come, with the time at which it may go on; None for the end.
        queues = {client: collections.deque(), server: collections.deque()}
        other = {client: server, server: client}
        waiting = {client: 0, server: 0}
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(False)
        open_ends = {client, server}
        while open_ends or any(queues.values()):
            now = time.monotonic()
            for source, queue in queues.items():
                try:
                    while queue and queue[0][0] <= now:
                        due, data = queue.popleft()
                        if data is None:
                            other[source].shutdown(socket.SHUT_WR)
                            continue
                        sent = other[source].send(data)
                        waiting[source] -= sent
                        if sent < len(data):
                            queue.appendleft((due, data[sent:]))
                except BlockingIOError:
                    queue.appendleft((due, data))
                except OSError:
                    return client.close(), server.close()
            pause = 1.0
            with selectors.DefaultSelector() as selector:
                for source, queue in queues.items():
                    events = 0
                    # Origin: 64 MiB on the way are more than any window here lets through.
                    if source in open_ends and waiting[source] < 64 << 20:
                        events |= selectors.EVENT_READ
                    back = queues[other[source]]
                    if back:
                        if back[0][0] <= now:
                            events |= selectors.EVENT_WRITE
                        else:
                            pause = min(pause, back[0][0] - now)
                    if events:
                        selector.register(source, events)
                ready = selector.select(pause) if selector.get_map() else time.sleep(pause) or []
            for key, events in ready:
                if not events & selectors.EVENT_READ:
                    continue
                source = key.fileobj
                try:
                    data = source.recv(1 << 18)
                except BlockingIOError:
                    continue
                except OSError:
                    return client.close(), server.close()
                if not data:
                    open_ends.discard(source)
                waiting[source] += len(data)
                queues[source].append((time.monotonic() + self.seconds, data or None))
        client.close()
        server.close()
