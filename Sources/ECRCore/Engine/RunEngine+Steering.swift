import EventLog
package import JSON
import Profiles
package import RunStore
import SSH

/// What the operator does to a run that goes on: pause, resume, cancel, set parameters, reconnect.
extension RunEngine {
    /// Nothing new starts from now on; what runs goes on.
    func pause(reason: String?) async throws -> JSON {
        try requireRunning()
        let sleepers = sleepers.union(profile.collectors.filter { !$0.whilePaused && runs($0.name) }.map(\.name))
        try await journal.append(
            .runPaused,
            [
                "reason": reason.map { .string($0) }, "running": JSON(strings: live.keys.sorted()),
                "collectors": sleepers.isEmpty ? nil : JSON(strings: sleepers.sorted()),
            ])
        putToSleep(sleepers)
        await journal.saveManifest()
        return ["state": "paused", "running": JSON(strings: live.keys.sorted())]
    }

    /// Ends a pause.
    func resumePaused() async throws -> JSON {
        try requireActive()
        if case .failed = hold {
            try await repeatRecovery()
        } else if journal.state.status != .paused {
            throw ECRFailure(.usage, "the run is not paused", hint: "ecr run status")
        }
        if journal.state.status == .paused {
            try await journal.append(.runResumed, ["from": "paused", "state": "running"])
            wakeCollectors()
            await journal.saveManifest()
        }
        openGate()
        return ["state": "running", "waiting": JSON(strings: turns.map(\.name))]
    }

    /// Cancels a job and waits for its end.
    /// - Parameter name: a job's id, or the name of an action that runs; nil for the one thing that runs.
    func cancelJob(_ name: String?) async throws -> JSON {
        let job = try cancellable(name)
        guard let running = live[job] else { throw ECRFailure(.usage, "job \(job) has ended") }
        try await cancel(job, until: running.end)
        return try await running.end.value.json
    }

    private func cancellable(_ name: String?) throws(ECRFailure) -> String {
        guard !live.isEmpty else { throw ECRFailure(.usage, "nothing runs", hint: "ecr run status") }
        if let name {
            if live[name] != nil { return name }
            let named = live.filter { $0.value.name == name }.keys.sorted()
            if named.count == 1 { return named[0] }
        } else if live.count == 1, let only = live.keys.first {
            return only
        }
        let list = live.keys.sorted().map { "  \($0)" }.joined(separator: "\n")
        let problem = name.map { "no running job '\($0)'" } ?? "several jobs run, so name the one that is meant"
        throw ECRFailure(.usage, "\(problem); these run:\n\(list)", hint: "ecr run cancel \(live.keys.sorted()[0])")
    }

    /// A value that counts from the next action on.
    func setParameters(_ given: [(String, String)]) async throws -> JSON {
        try requireActive()
        try profile.checkStanding(given)
        try refuseSecrets(in: given)
        for (name, value) in given {
            try await journal.append(.parameterSet, journal.state.change(of: name, to: value))
        }
        return ["parameters": .object(journal.state.parameters)]
    }

    /// Connects now.
    /// - Parameter host: another address of the same target.
    func reconnect(host: MovedHost?) async throws -> JSON {
        let wasConnected = await link.isConnected
        do { try await link.reconnect(host: host) } catch let error as SSHError { throw ECRFailure(error) }
        return [
            "connected": true, "was_connected": .bool(wasConnected && host == nil),
            "target": .object(journal.state.connection),
        ]
    }
}

extension RunState {
    /// The data of a `parameter_set` event.
    package func change(of name: String, to value: String) -> JSONObject {
        ["name": .string(name), "value": .string(value), "previous": parameters[name]]
    }
}
