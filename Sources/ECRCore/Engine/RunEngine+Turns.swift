import LinuxSystem
import RemoteJobs
import RunStore

/// Actions run one after the other, and none begins while the run is paused.
extension RunEngine {
    /// Tells a body of the departure of the client that asked for something.
    typealias Departure = @Sendable (@escaping @Sendable () -> Void) -> Void

    /// Something that waits until the action before it has ended.
    struct Turn {
        let number: Int
        let name: String
        /// True when it may begin, false when it will not any more.
        let begin: CheckedContinuation<Bool, Never>
    }

    /// Waits until no other action runs.
    /// - Throws: `.busy` when waiting is not wanted, `.interrupted` when the client left meanwhile.
    func takeTurn(for name: String, wait: Bool, _ whenGone: Departure?, _ listener: Listener) async throws {
        guard let holder = turnHolder else {
            turnHolder = name
            return
        }
        let other = live.first { $0.value.invocation != .exec }
        let running = other?.key ?? holder
        guard wait else {
            let phase = other?.value.transfer.phase ?? .running
            throw ECRFailure(
                .busy, phase.sentence(about: running), hint: "without --no-wait \(name) waits for its turn")
        }
        listener("", .progress("\(name) waits for \(running) to end"))
        lastTurn += 1
        let number = lastTurn
        whenGone? { Task { await self.withdraw(number) } }
        let mayBegin = await withCheckedContinuation { turns.append(Turn(number: number, name: name, begin: $0)) }
        if mayBegin { return }
        if isEnding { throw ECRFailure(.usage, "the run is ending: \(name) was not begun", hint: "ecr run status") }
        throw ECRFailure(.interrupted, "\(name) was withdrawn before it began")
    }

    func giveTurn() {
        guard !turns.isEmpty else {
            turnHolder = nil
            return
        }
        let next = turns.removeFirst()
        turnHolder = next.name
        next.begin.resume(returning: true)
    }

    private func withdraw(_ number: Int) {
        guard let index = turns.firstIndex(where: { $0.number == number }) else { return }
        turns.remove(at: index).begin.resume(returning: false)
    }

    /// Waits as long as the run is paused, the link is lost, or the target is made ready after a reboot.
    /// - Returns: the target under whose boot the next job may be launched.
    func passGate(_ name: String, _ listener: Listener) async throws -> Target {
        lastTurn += 1
        let number = lastTurn
        defer { heldUp[number] = nil }
        while !isEnding {
            heldUp[number] = obstacle != nil || holding != nil ? name : nil
            if let obstacle {
                listener("", .progress("\(obstacle); \(name) waits"))
                await withCheckedContinuation { gate.append($0) }
                continue
            }
            if let holding {
                listener("", .holding("\(holding); \(name) waits\(Self.wayOutOfHold)"))
                await withCheckedContinuation { gate.append($0) }
                continue
            }
            let target = try await link.target()
            if obstacle == nil && holding == nil { return target }
        }
        throw ECRFailure(.usage, "the run is ending: \(name) was not begun", hint: "ecr run status")
    }

    /// Waits as long as a rule holds what a client has asked for.
    /// - Throws: `.interrupted` when the client left meanwhile.
    func passHolds(_ name: String, _ whenGone: Departure?, _ listener: Listener) async throws {
        guard holding != nil else { return }
        lastTurn += 1
        let number = lastTurn
        whenGone? { Task { await self.leaveHold(number) } }
        heldUp[number] = name
        defer {
            departed.remove(number)
            heldUp[number] = nil
        }
        while let holding, !isEnding {
            listener("", .holding("\(holding); \(name) waits\(Self.wayOutOfHold)"))
            await withCheckedContinuation { gate.append($0) }
            if departed.contains(number) {
                throw ECRFailure(.interrupted, "\(name) was withdrawn before it began")
            }
        }
        listener("", .progress("nothing holds \(name) any more"))
    }

    private static let wayOutOfHold = " (ecr run release \"why\" lets it begin)"

    private func leaveHold(_ number: Int) {
        departed.insert(number)
        openGate()
    }

    private var obstacle: String? {
        journal.state.status == .paused ? "the run is paused" : hold?.reason
    }

    func openGate() {
        let waiting = gate
        gate = []
        waiting.forEach { $0.resume() }
    }

    /// From now on nothing new starts; what waits for its turn is told so.
    func begin(_ kind: EndUnderWay.Kind) {
        ending = EndUnderWay(kind, since: Clock.iso8601(microseconds: Clock.wallMicroseconds()))
        let waiting = turns
        turns = []
        waiting.forEach { $0.begin.resume(returning: false) }
        openGate()
    }
}
