import LinuxSystem
package import Profiles
import RemoteJobs
import SSH

/// Finds out what a target can tell of itself, and drafts a profile with what works there.
package struct ProfileProbe: Sendable {
    private let reference: TargetReference
    private let target: Target
    private let scratch: ScratchSpool
    private let progress: @Sendable (String) -> Void

    /// Connects, tries every candidate as a job of its own, and leaves nothing behind.
    /// - Parameter name: the new profile's.
    package static func draft(
        named name: String, from reference: TargetReference, answer: QuestionAnswer?,
        progress: @escaping @Sendable (String) -> Void
    ) async throws(ECRFailure) -> ProfileDraft {
        do {
            progress("connecting to \(reference.text)")
            let target = try await Target.connect(reference.options(answer: answer))
            do {
                let draft = try await draft(named: name, from: reference, on: target, progress)
                await target.close()
                return draft
            } catch {
                await target.close()
                throw error
            }
        } catch { throw ECRFailure(error) }
    }

    private static func draft(
        named name: String, from reference: TargetReference, on target: Target,
        _ progress: @escaping @Sendable (String) -> Void
    ) async throws -> ProfileDraft {
        guard let scratch = try await ScratchSpool.make(on: target, lifetime: 600) else {
            throw ECRFailure(
                .configuration, "nothing can be tried on \(reference.text): no directory there can be written",
                hint: "ecr target check \(reference.text)")
        }
        let probe = ProfileProbe(reference: reference, target: target, scratch: scratch, progress: progress)
        let draft = try await probe.draft(named: name)
        try await scratch.remove(from: target)
        return draft
    }

    private func draft(named name: String) async throws -> ProfileDraft {
        let facts = target.facts
        let connection = reference.connection
        var draft = ProfileDraft(
            name: name, host: connection.host, port: connection.port, user: connection.user ?? facts.user)
        let system = [facts.model, facts.os, facts.kernel].compactMap { $0 }
        draft.description = system.prefix(2).joined(separator: ", ")
        let day = Clock.iso8601(microseconds: Clock.wallMicroseconds()).prefix(10)
        draft.origin = [
            "Written by ecr \(ECRVersion.current) for \(reference.address) (\(facts.hostname)) on \(day):",
            system.joined(separator: ", "),
            "Everything that is sampled below was tried there, and only what gave output was written.",
        ]
        draft.hostKey = target.session.hostKeyFingerprint
        draft.keepsTimeouts = SampleTimeout(1, tools: facts.tools) != nil
        if await target.sftp == nil { draft.pullsFiles = try await canListFiles() }
        draft.spoolNote = try await spoolNote()
        draft.snapshots = try await snapshots()
        draft.samplers = try await samplers()
        return draft
    }

    private func canListFiles() async throws -> Bool {
        do { return try await target.transferLine(isBulk: false).tools.canList } catch is TransferFailure {
            return false
        }
    }

    private func spoolNote() async throws -> String? {
        let survey = try await target.survey()
        guard let place = try await target.spoolPlaces(root: nil).first(where: \.isWritable),
            survey.mounts.storage(of: place.physicalPath) == .memory
        else { return nil }
        return
            "\(place.path), where spools lie by default, is in RAM on this target: lost at a reboot. To have it elsewhere:"
    }

    private func snapshots() async throws -> [ProfileDraft.Snapshot] {
        let candidates = ProfileCandidates.snapshots
        var working: [ProfileDraft.Snapshot] = []
        for (index, candidate) in candidates.enumerated() where !working.contains(where: { $0.file == candidate.file })
        {
            progress("trying \(candidate.command)")
            if try await attempt(candidate.command, number: index) != nil { working.append(candidate) }
        }
        return working
    }

    private func samplers() async throws -> [ProfileDraft.Sampler] {
        let begun = ProfileCandidates.snapshots.count
        var working: [ProfileDraft.Sampler] = []
        for (index, candidate) in ProfileCandidates.samplers.enumerated() {
            progress("trying \(candidate.name)")
            let isStream = candidate.kind == .stream
            guard let result = try await attempt(candidate.command, number: begun + index, isStream: isStream) else {
                continue
            }
            var sampler = candidate
            let isSlow = !isStream && result.seconds >= Self.slow
            sampler.evidence = (isSlow ? "takes \(hundredths(result.seconds)) s there, " : "") + "there: \(result.line)"
            working.append(sampler)
        }
        return working
    }

    /// Seconds that one command may take. A stream needs them all.
    private static let limits = (command: 10.0, stream: 3.0)

    /// Seconds of a sample that are worth a word. Origin: /proc/uptime counts hundredths.
    private static let slow = 0.05

    /// Runs a command as a job.
    /// - Returns: its duration and a line of its output; nil where it failed or gave none.
    private func attempt(
        _ command: String, number: Int, isStream: Bool = false
    ) async throws -> (seconds: Double, line: String)? {
        let digits = String(ScratchSpool.firstJob + number)
        let limit = isStream ? Self.limits.stream : Self.limits.command
        // Without `setsid` a timeout reaches only the shell, which the stream then has to be.
        let request = JobRequest(
            job: String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "-try", spool: scratch.path,
            commands: [isStream ? "exec \(command)" : command], timeout: limit)
        guard try await target.launch(request) == .launched else { return nil }
        guard
            let exit = await target.dispatcher.announcedExit(of: request.job, within: Int((limit + 20) * 1000)),
            exit.status == 0 || isStream && exit.reason == .timeout
        else {
            try await target.cancel(job: request.job, in: scratch.path, signal: "KILL")
            return nil
        }
        let file = await SpoolFile("\(request.folder)/stdout", on: target)
        let bytes = try await file.read(at: 0, count: 4096)
        await file.close()
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }.filter { !$0.isEmpty }
        // The third, where there is one: tables have up to two lines of heading.
        return lines.isEmpty ? nil : (exit.duration, lines[min(2, lines.count - 1)])
    }

    private func hundredths(_ value: Double) -> String {
        let scaled = Int((value * 100).rounded())
        return "\(scaled / 100).\(scaled % 100 / 10)\(scaled % 10)"
    }
}
