import Glibc
import LinuxSystem
import Synchronization

/// A link that can fail: a TCP proxy in this process before a server on loopback.
///
/// It fails as cables, radios and routers do, at any byte, and needs no privileges. It ends with its last reference.
package final class FlakyLink: Sendable {
    package enum Direction: Sendable, CaseIterable { case toServer, toClient }

    /// How a link fails.
    package enum Fault: String, Sendable, CaseIterable {
        /// The connections of this moment carry nothing any more, and nobody is told; new ones work.
        case cut
        /// Nothing moves and no new connection comes through until `restore`; then everything goes on.
        case stall
        /// Both ends of every connection are told of its end (RST); new ones work.
        case reset
    }

    /// Where clients connect to, on 127.0.0.1.
    package let port: Int
    private let state: LinkState

    /// - Parameter port: the server's, on 127.0.0.1.
    package init(to port: Int) throws {
        let listener = try LoopbackSocket.listen(port: 0)
        self.port = try LoopbackSocket.port(of: listener)
        let state = try LinkState()
        self.state = state
        let relay = LinkRelay(state, listener, from: self.port, to: port)
        startThread { relay.run() }
    }

    deinit { state.order { $0.isOver = true } }

    /// Fails at once. Several faults add up: a stalled link whose connections are cut, too, carries only new ones later.
    package func fail(_ fault: Fault) { state.order { $0.add(fault) } }

    /// Fails when exactly so many more bytes have gone in a direction.
    package func fail(_ fault: Fault, after bytes: Int, _ direction: Direction) {
        if bytes <= 0 { return fail(fault) }
        state.order { $0.trap = LinkOrders.Trap(fault: fault, direction: direction, bytesLeft: bytes) }
    }

    /// Nobody listens any more: clients are told so at once.
    package func refuse() { state.order { $0.isRefusing = true } }

    /// Ends a stall, a refusal and the waiting for a byte. What was cut stays cut.
    package func restore() {
        state.order {
            $0.isStalled = false
            $0.isRefusing = false
            $0.trap = nil
        }
    }

    /// Holds every byte back for so long, each way.
    package func delay(_ delay: Duration) { state.order { $0.delay = delay } }

    /// Lets through so many bytes a second, each way; nil for all that come.
    package func throttle(_ bytesPerSecond: Int?) { state.order { $0.rate = bytesPerSecond } }

    /// Whether a fault still waits for its byte.
    package var isArmed: Bool { state.orders.trap != nil }

    /// Bytes that went through so far.
    package func carried(_ direction: Direction) -> Int { state.tally.carried[direction] ?? 0 }

    /// Connections that came through so far.
    package var connections: Int { state.tally.connections }
}

/// What the relay shall do.
struct LinkOrders: Sendable {
    struct Trap: Sendable {
        let fault: FlakyLink.Fault
        let direction: FlakyLink.Direction
        var bytesLeft: Int
    }

    var isStalled = false
    var isRefusing = false
    var isOver = false
    var delay: Duration = .zero
    var rate: Int?
    var trap: Trap?
    /// Cuts and resets that are still to be carried out.
    var strikes: [FlakyLink.Fault] = []

    mutating func add(_ fault: FlakyLink.Fault) {
        if fault == .stall { isStalled = true } else { strikes.append(fault) }
    }
}

/// What has gone through a link.
struct LinkTally: Sendable {
    var carried: [FlakyLink.Direction: Int] = [:]
    var connections = 0
}

/// What a link and its relay's thread share.
final class LinkState: Sendable {
    private let guarded = Mutex((orders: LinkOrders(), tally: LinkTally()))
    /// A byte in it wakes the relay out of its poll.
    let bell: (reader: File, writer: File)

    init() throws {
        var ends: [Int32] = [-1, -1]
        try check("make a pipe") { pipe(&ends) }
        for end in ends { try check("configure a pipe") { fcntl(end, F_SETFD, FD_CLOEXEC) } }
        bell = (File(adopting: ends[0], path: "bell"), File(adopting: ends[1], path: "bell"))
    }

    var orders: LinkOrders { guarded.withLock { $0.orders } }
    var tally: LinkTally { guarded.withLock { $0.tally } }

    func order(_ change: (inout LinkOrders) -> Void) {
        guarded.withLock { change(&$0.orders) }
        try? bell.writer.write([0])
    }

    /// The orders of this moment; its strikes are the relay's from now on.
    func takeOrders() -> LinkOrders {
        guarded.withLock { guarded in
            defer { guarded.orders.strikes = [] }
            return guarded.orders
        }
    }

    /// Whether bytes that go now would go against orders that the relay has not taken yet.
    var hasNewOrders: Bool { guarded.withLock { $0.orders.isStalled || !$0.orders.strikes.isEmpty } }

    func countConnection() { guarded.withLock { $0.tally.connections += 1 } }

    /// Counts bytes that went through, and springs the trap that waited for the last of them.
    func count(_ bytes: Int, _ direction: FlakyLink.Direction) {
        guarded.withLock {
            $0.tally.carried[direction, default: 0] += bytes
            guard var trap = $0.orders.trap, trap.direction == direction else { return }
            trap.bytesLeft -= bytes
            $0.orders.trap = trap.bytesLeft > 0 ? trap : nil
            if trap.bytesLeft <= 0 { $0.orders.add(trap.fault) }
        }
    }
}
