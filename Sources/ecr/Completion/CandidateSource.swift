import ArgumentParser
import ECRCore
import EventLog
import JSON
import LinuxSystem
import Profiles
import RunStore

/// Finds the values that exist, in files alone: no supervisor is asked and no target. What cannot be read has no
/// candidates.
struct CandidateSource {
    let line: PartialLine

    /// - Parameter typed: the value as far as it stands there.
    func values(of argument: CommandReference.Argument, typed: String) -> Candidates {
        if !argument.choices.isEmpty { return Candidates(words: argument.choices.map { Candidates.Word($0) }) }
        let kinds = ValueKind.kinds(of: argument.valueName)
        let given = line.given[argument.key]?.count ?? 0
        guard let alternatives = given < kinds.count ? kinds[given] : kinds.last else { return Candidates() }
        var all = Candidates()
        for kind in alternatives.compactMap(\.self) {
            let found = values(of: kind, typed: typed)
            all.words += found.words
            if found.files != .none { all.files = found.files }
        }
        return all
    }

    private func values(of kind: ValueKind, typed: String) -> Candidates {
        switch kind {
        case .run: Candidates(words: runs)
        case .job: Candidates(words: jobs)
        case .action: Candidates(words: actions)
        case .stage: Candidates(words: stages)
        case .collector: Candidates(words: collectors)
        case .profile: Candidates(words: profiles, files: .profiles)
        case .target: Candidates(words: profiles + addresses, files: .profiles)
        case .address: Candidates(words: addresses)
        case .tag: Candidates(words: tags)
        case .note: Candidates(words: notes)
        case .verdict: Candidates(words: Mark.Verdict.allCases.map { Candidates.Word($0.rawValue) })
        case .parameter: Candidates(words: parameters(typed: typed))
        case .eventType:
            Candidates(words: EventType.specification.map { Candidates.Word($0.type.rawValue, $0.meaning) })
        case .topic: Candidates(words: topics)
        case .file: Candidates(files: .files)
        case .directory: Candidates(files: .directories)
        case .name, .text, .reason, .command, .time, .seq, .lines, .number, .remote, .host, .fingerprint, .hash:
            Candidates()
        }
    }

    // MARK: Runs

    /// The options on the line, as the command itself would understand them.
    private var options: RunOptions? {
        let run = line.value("--run") ?? line.value("<run>")
        let given = [("--run", run), ("--runs-dir", line.value("--runs-dir"))]
        return try? RunOptions.parse(given.flatMap { name, value in value.map { ["\(name)=\($0)"] } ?? [] })
    }

    private var allRuns: [RunDirectory] { (try? options?.common.runs)?.runs().reversed() ?? [] }

    /// Whose states are read for an explanation: the newest, since each costs a fraction of a millisecond.
    private static let explainedRuns = 30

    private var runs: [Candidates.Word] {
        allRuns.enumerated().map { index, run in
            guard index < Self.explainedRuns, let state = try? run.state() else { return Candidates.Word(run.id) }
            let condition = RunCondition.word(state, hasSupervisor: run.hasSupervisor())
            return Candidates.Word(run.id, "\(state.shortID), \(condition)")
        }
    }

    private var tags: [Candidates.Word] {
        let states = allRuns.prefix(Self.explainedRuns).compactMap { try? $0.state() }
        return Set(states.flatMap(\.tags)).sorted().map { Candidates.Word($0) }
    }

    private var notes: [Candidates.Word] {
        let notes = (try? options?.directory().state().recentNotes) ?? []
        return notes.reversed().map { Candidates.Word(String($0.seq), $0.text) }
    }

    private var jobs: [Candidates.Word] {
        let jobs = (try? options?.directory().state().jobs) ?? []
        return jobs.filter { $0.kind != .collector }.reversed().map {
            Candidates.Word($0.id, $0.outcome.rawValue)
        }
    }

    /// The targets of the newest runs.
    private var addresses: [Candidates.Word] {
        let connections = allRuns.prefix(Self.explainedRuns).compactMap { try? $0.state().connection }
        let known = connections.filter { $0["host"] != nil }.map { StartReport.address(.object($0)) }
        return Set(known).sorted().map { Candidates.Word($0) }
    }

    // MARK: Profiles

    private var profiles: [Candidates.Word] {
        ((try? ProfileFile.names(directory: line.value("--profiles-dir"))) ?? []).map { Candidates.Word($0) }
    }

    /// The profile that the line names, else that of the run that it means.
    private var profile: Profile? {
        if let name = line.value("<profile>") {
            return (try? ProfileFile(name, directory: line.value("--profiles-dir")))?.profile
        }
        guard let run = try? options?.directory(), let bytes = try? FileSystem.read(run.profileSnapshot) else {
            return nil
        }
        return try? Profile.parse(bytes, file: run.profileSnapshot)
    }

    private var actions: [Candidates.Word] {
        (profile?.actions ?? []).map { action in
            Candidates.Word(action.name, action.description ?? action.commands.first?.text ?? "")
        }
    }

    private var stages: [Candidates.Word] {
        (profile?.stages ?? []).map { Candidates.Word($0.name, $0.actions.joined(separator: ", ")) }
    }

    private var collectors: [Candidates.Word] {
        (profile?.collectors ?? []).map { collector in
            Candidates.Word(collector.name, collector.description ?? collector.summary)
        }
    }

    /// Behind the equals sign the values that the declaration allows, before it the names.
    private func parameters(typed: String) -> [Candidates.Word] {
        guard let profile else { return [] }
        let action = line.value("<action>").flatMap { profile.action(named: $0) }
        let declarations = action.map { profile.parameters(of: $0) } ?? profile.allParameters
        guard let equals = typed.firstIndex(of: "=") else {
            return declarations.map { Candidates.Word("\($0.name)=", $0.summary) }
        }
        let name = typed[..<equals]
        return (declarations.first { $0.name == name }?.likelyValues ?? []).map {
            Candidates.Word("\(name)=\($0)")
        }
    }

    // MARK: Topics

    private var topics: [Candidates.Word] {
        let place = PartialLine(ECR.self, words: line.given["<topic>"] ?? [], current: "").place
        guard case .command(let commands) = place else { return [] }
        let isFirst = line.given["<topic>"] == nil
        return commands.map { Candidates.Word($0) }
            + (isFirst ? HelpTopic.allCases : []).map { Candidates.Word($0.rawValue, $0.abstract) }
    }
}

extension ParameterDeclaration {
    /// `int, 1 to 64, default 4: how much to hash`, as far as it is declared.
    fileprivate var summary: String {
        let limits: String? =
            switch (min, max) {
            case (let min?, let max?): "\(Self.text(min)) to \(Self.text(max))"
            case (let min?, nil): "at least \(Self.text(min))"
            case (nil, let max?): "at most \(Self.text(max))"
            case (nil, nil): nil
            }
        let facts = [
            type == .string ? nil : type.rawValue, limits, choices?.joined(separator: "|"),
            defaultValue.map { "default \($0)" },
        ]
        let list = facts.compactMap { $0 }.joined(separator: ", ")
        return [list, description ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
    }

    /// Whole numbers without their fraction.
    private static func text(_ number: Double) -> String { Int(exactly: number).map { String($0) } ?? String(number) }

    /// What somebody may want to type: all that is allowed where that is a list, else the default to start from.
    fileprivate var likelyValues: [String] {
        if let choices { return choices }
        if type == .bool { return ["true", "false"] }
        return defaultValue.map { [$0] } ?? []
    }
}
