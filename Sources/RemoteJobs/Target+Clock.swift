import LinuxSystem
package import SSH

/// Exchanges that compare the target's clocks with the controller's.
///
/// The finest wall clock that a target's shell reaches is GNU date's `%N`. BusyBox's date tells whole seconds, and so do
/// mtimes over SFTP (version 3 of the protocol); there the moment of the second's change is looked for by halving, without
/// ever holding up the target's shell.
extension Target {
    /// Compares the clocks by three exchanges, in three round trips.
    package func readClock() async throws(SSHError) -> ClockReading {
        var comparison = ClockComparison()
        for _ in 0..<3 { try await exchange(&comparison) }
        return try reading(comparison)
    }

    /// Compares the clocks as well as the link allows: in half a second, or where the target tells whole seconds in up to
    /// ten.
    package func compareClocks() async throws(SSHError) -> ClockReading {
        var comparison = ClockComparison()
        for number in 0..<Self.mostExchanges {
            if number >= Self.fewestExchanges && comparison.isAsGoodAsTheLink { break }
            if let wait = comparison.pause(now: Clock.boottimeNanoseconds()) {
                try? await Task.sleep(for: .nanoseconds(wait))
                if Task.isCancelled { break }
            }
            try await exchange(&comparison)
        }
        return try reading(comparison)
    }

    /// Origin: of eight exchanges on a network one is as fast as any.
    private static let fewestExchanges = 8
    /// Origin: a second halved eleven times is less than a millisecond.
    private static let mostExchanges = 14

    private func exchange(_ comparison: inout ClockComparison) async throws(SSHError) {
        let sent = Clock.boottimeNanoseconds()
        let reply = try await dispatcher.run(#"ecr_up; echo "$ecr_u"; date +%s.%N"#).text
        comparison.add(reply, sent: sent, received: Clock.boottimeNanoseconds())
    }

    private func reading(_ comparison: ClockComparison) throws(SSHError) -> ClockReading {
        let wallZero = Clock.wallMicroseconds() * 1000 - Clock.boottimeNanoseconds()
        guard let reading = comparison.reading(wallZero: wallZero) else {
            throw SSHError(.protocolViolation, "the target's /proc/uptime could not be read")
        }
        return reading
    }
}

/// What the exchanges of one comparison tell so far.
struct ClockComparison: Sendable {
    private var uptime: ClockBounds?
    private var wall: ClockBounds?
    /// Nanoseconds: in what steps the target's date goes.
    private var wallStep: Int64 = 0
    private var shortest = Int64.max
    private var lastUptime: Int64 = 0

    /// /proc/uptime has two decimals (proc(5)).
    private static let uptimeStep: Int64 = 10_000_000

    /// - Parameter reply: an uptime, and below it seconds since 1970.
    mutating func add(_ reply: String, sent: Int64, received: Int64) {
        let lines = reply.split(separator: "\n")
        guard let first = lines.first, let (up, _) = Self.nanoseconds(first) else { return }
        shortest = min(shortest, received - sent)
        lastUptime = up
        let bounds = ClockBounds(reading: up, step: Self.uptimeStep, sent: sent, received: received)
        if uptime?.narrow(by: bounds) == nil { uptime = bounds }
        guard lines.count > 1, let (time, step) = Self.nanoseconds(lines[1]) else { return }
        wallStep = step
        let lag = isCoarse ? Self.tick : 0
        let wallBounds = ClockBounds(reading: time, step: step + lag, sent: sent, received: received)
        if wall?.narrow(by: wallBounds) == nil { wall = wallBounds }
    }

    /// The digits before and behind the dot, and the step that the last one stands for. BusyBox prints "%N" as it is, or
    /// nothing: whole seconds then.
    static func nanoseconds(_ text: Substring) -> (value: Int64, step: Int64)? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        // Three hundred years: what a broken target says must not overflow.
        guard let whole = parts.first, let seconds = Int64(whole), (0..<9_000_000_000).contains(seconds) else {
            return nil
        }
        var (value, step) = (seconds * 1_000_000_000, Int64(1_000_000_000))
        guard parts.count > 1, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return (value, step) }
        for digit in parts[1].utf8.prefix(9) {
            step /= 10
            value += Int64(digit - 0x30) * step
        }
        return (value, step)
    }

    /// Nanoseconds. time(2) tells the second of the last tick of the kernel's timer (CLOCK_REALTIME_COARSE), of which there
    /// are 100 a second at least: it shows a new second too late by so much. Measured: 2.3 ms at 250 a second.
    private static let tick: Int64 = 10_000_000

    private var isCoarse: Bool { wallStep > Self.uptimeStep }

    /// Origin of 1.2: halving goes on for ever, with less and less to gain.
    var isAsGoodAsTheLink: Bool {
        guard isCoarse, let wall else { return true }
        return Double(wall.high - wall.low) < Double(shortest) * 1.2 + Double(Self.tick) + 1e6
    }

    /// How long to wait with the next exchange; nil before the first one.
    func pause(now: Int64) -> Int64? {
        guard let wall, isCoarse else { return uptime == nil ? nil : Self.restlessPause }
        return wall.nextQuestion(step: wallStep, now: now, trip: shortest) - now
    }

    /// Nanoseconds. Origin: prime to the ten milliseconds of /proc/uptime, so that the exchanges come at all its phases.
    private static let restlessPause: Int64 = 23_700_000

    /// - Parameter wallZero: the controller's wall clock at its boottime zero, in nanoseconds.
    func reading(wallZero: Int64) -> ClockReading? {
        guard let uptime else { return nil }
        return ClockReading(
            offset: wall.map { Double($0.middle - wallZero) / 1e9 },
            uncertainty: Double(wall?.uncertainty ?? uptime.uncertainty) / 1e9, roundTrip: Double(shortest) / 1e9,
            boottimeZero: (wallZero - uptime.middle) / 1000, zeroUncertainty: Double(uptime.uncertainty) / 1e9,
            targetUptime: Double(lastUptime) / 1e9, resolution: wall == nil ? nil : Double(wallStep) / 1e9)
    }
}
