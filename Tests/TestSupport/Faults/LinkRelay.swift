import Glibc
import LinuxSystem

/// The thread of a `FlakyLink`: accepts, connects on, and carries the bytes of all its connections.
final class LinkRelay: @unchecked Sendable {
    // @unchecked because after init only the link's own thread touches it.
    private let state: LinkState
    private let port: Int
    private let serverPort: Int
    private var listener: File?
    private var connections: [Connection] = []
    /// Bytes that may go now in each direction of a throttled link.
    private var allowance: [FlakyLink.Direction: Double] = [:]
    private var lastRound = ContinuousClock.now

    /// A client, and the server that it believes to talk to.
    private final class Connection {
        let flows: [Flow]
        var isCut = false

        init(client: File, server: File) {
            flows = [Flow(from: client, to: server, .toServer), Flow(from: server, to: client, .toClient)]
        }

        var isOver: Bool { flows.allSatisfy(\.isOver) }

        /// Closes both sockets so that their peers get a RST: nothing lingers (socket(7), SO_LINGER).
        func reset() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            for flow in flows {
                setsockopt(
                    flow.from.descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
            }
        }
    }

    /// One direction of a connection.
    private final class Flow {
        let from: File
        let to: File
        let direction: FlakyLink.Direction
        /// Bytes under way, each with the time at which it may arrive.
        var queue: [(due: ContinuousClock.Instant, bytes: [UInt8])] = []
        var hasEnded = false
        /// The end was passed on, or the receiver is gone.
        var isOver = false

        init(from: File, to: File, _ direction: FlakyLink.Direction) {
            self.from = from
            self.to = to
            self.direction = direction
        }

        /// Origin: some packets, as a router holds; more would hide the back-pressure of a slow link from the sender.
        var hasRoom: Bool { queue.reduce(0) { $0 + $1.bytes.count } < 65_536 }
    }

    init(_ state: LinkState, _ listener: File, from port: Int, to serverPort: Int) {
        self.state = state
        self.listener = listener
        self.port = port
        self.serverPort = serverPort
    }

    func run() {
        while true {
            let orders = state.takeOrders()
            if orders.isOver { return }
            obey(orders)
            wait(orders)
            if !orders.isStalled {
                accept()
                for connection in connections where !connection.isCut {
                    for flow in connection.flows { carry(flow, orders) }
                }
            }
            connections.removeAll { $0.isOver && !$0.isCut }
        }
    }

    private func obey(_ orders: LinkOrders) {
        for strike in orders.strikes {
            switch strike {
            case .cut: connections.forEach { $0.isCut = true }
            case .reset:
                connections.forEach { $0.reset() }
                connections = []
            case .stall: break
            }
        }
        if orders.isRefusing {
            listener = nil
        } else if listener == nil {
            listener = try? LoopbackSocket.listen(port: port)
        }
        let now = ContinuousClock.now
        let seconds = (now - lastRound) / .seconds(1)
        lastRound = now
        for direction in FlakyLink.Direction.allCases {
            guard let rate = orders.rate else {
                allowance[direction] = .infinity
                continue
            }
            // What was not used must not add up to a burst: at most a twentieth of a second's bytes.
            let most = max(1, Double(rate) / 20)
            let before = allowance[direction].flatMap { $0.isFinite ? $0 : nil } ?? 0
            allowance[direction] = min(most, before + seconds * Double(rate))
        }
    }

    /// Waits for the bell, a client, or bytes; a little only while bytes are held back.
    private func wait(_ orders: LinkOrders) {
        var requests = [pollfd(fd: state.bell.reader.descriptor, events: Int16(POLLIN), revents: 0)]
        var isHolding = false
        if !orders.isStalled {
            if let listener { requests.append(pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)) }
            for flow in connections.filter({ !$0.isCut }).flatMap(\.flows) {
                if !flow.hasEnded && flow.hasRoom {
                    requests.append(pollfd(fd: flow.from.descriptor, events: Int16(POLLIN), revents: 0))
                }
                if !flow.queue.isEmpty { isHolding = true }
            }
        }
        poll(&requests, nfds_t(requests.count), isHolding ? 1 : 1000)
        if requests[0].revents != 0 {
            var bytes = [UInt8](repeating: 0, count: 64)
            _ = read(state.bell.reader.descriptor, &bytes, bytes.count)
        }
    }

    private func accept() {
        guard let listener else { return }
        var request = pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, 0) == 1 else { return }
        let descriptor = Glibc.accept(listener.descriptor, nil, nil)
        guard descriptor >= 0 else { return }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let client = File(adopting: descriptor, path: "client")
        guard let server = try? LoopbackSocket.connect(port: serverPort) else { return }
        for socket in [client, server] {
            var yes: Int32 = 1
            setsockopt(socket.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        connections.append(Connection(client: client, server: server))
        state.countConnection()
    }

    private func carry(_ flow: Flow, _ orders: LinkOrders) {
        if !flow.hasEnded && flow.hasRoom { receive(flow, orders.delay) }
        while let first = flow.queue.first, first.due <= ContinuousClock.now {
            // Nothing goes behind an order that has been given meanwhile, or a trap that has sprung.
            guard !state.hasNewOrders, let count = send(first.bytes, flow), count > 0 else { break }
            let rest = Array(first.bytes.dropFirst(count))
            if rest.isEmpty { flow.queue.removeFirst() } else { flow.queue[0].bytes = rest }
            state.count(count, flow.direction)
        }
        if flow.hasEnded && flow.queue.isEmpty && !flow.isOver {
            shutdown(flow.to.descriptor, Int32(SHUT_WR))
            flow.isOver = true
        }
    }

    private func receive(_ flow: Flow, _ delay: Duration) {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = recv(flow.from.descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        if count > 0 {
            flow.queue.append((ContinuousClock.now + delay, Array(bytes.prefix(count))))
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            flow.hasEnded = true
        }
    }

    /// Sends what the throttle and the trap allow; nil when nothing could be sent.
    private func send(_ bytes: [UInt8], _ flow: Flow) -> Int? {
        var most = bytes.count
        if let trap = state.orders.trap, trap.direction == flow.direction { most = min(most, trap.bytesLeft) }
        most = Int(min(Double(most), allowance[flow.direction] ?? .infinity))
        guard most > 0 else { return nil }
        let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
        let count = Glibc.send(flow.to.descriptor, bytes, most, flags)
        if count < 0 && errno != EAGAIN && errno != EINTR {
            flow.queue = []
            flow.hasEnded = true
            flow.isOver = true
        }
        guard count > 0 else { return nil }
        allowance[flow.direction, default: 0] -= Double(count)
        return count
    }
}
