import ArgumentParser
import Datasets
import ECRCore
import JSON
import LinuxSystem
import RunStore

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that a run's record is whole and unchanged.",
        discussion: """
            Reads every event and every file that the events name: numbers, hash chain, output, samples, artifacts, profile, \
            manifest, and of an unpacked dataset SHA256SUMS. Nothing is changed. Exits 76 where something is missing or not \
            as it was recorded; a last line that a crash has cut is only mentioned, since it was never acknowledged. So is what \
            never came to be recorded, such as files that are still on the target: a warning names it, and the exit status \
            does not count it.

            A chain does not show that its end was cut off, or that all of it was written anew. The head hash does: compare \
            it with the one that `ecr run complete` printed, or give that with --head.

            Example:
              ecr verify latest
              unzip -q dataset.zip -d copy && ecr verify copy/*
            """)

    @Argument(
        help: ArgumentHelp(
            "The run, or any run's directory (default: --run, $ECR_RUN, else the current run).", valueName: "run|dir"))
    var name: String?
    @Option(
        help: ArgumentHelp(
            "The head hash that `complete` printed, or its first 8 digits or more: an event must have it.",
            valueName: "hash"))
    var head: String?
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func validate() throws {
        guard let head else { return }
        let isHash = head.allSatisfy { $0.isHexDigit && $0.isASCII }
        if !isHash || !(8...64).contains(head.utf8.count) {
            throw ValidationError("--head takes 8 to 64 hexadecimal digits")
        }
    }

    func run() throws {
        let run = try directory()
        let found: Verification
        do {
            found = try RecordCheck.verify(run, head: head?.lowercased()) { fraction in
                Terminal.showStatus("checking \(Int(fraction * 100)) %")
            }
        } catch { throw ECRFailure(error) }
        Terminal.clearStatus()
        let report = VerifyReport(found, run)
        if output.json { Terminal.result(report.json) } else { Terminal.result(report.text) }
        report.missing.warn(isHere: FileSystem.parent(of: run.path) == (try? options.common.runs.path))
        guard !found.isWhole else { return }
        Terminal.complain(report.verdict, hint: "fetch what is damaged from another copy; here nothing was changed")
        throw Exit(code: ECRCore.ExitCode.damaged.rawValue)
    }

    /// A run of the runs directory goes before a directory that happens to have its name.
    private func directory() throws(ECRFailure) -> RunDirectory {
        guard let name else { return try options.directory() }
        if name.contains("/") || name == "." || name == ".." { return try directory(at: name) }
        do { return try options.directory(name) } catch {
            guard FileSystem.exists(name) else { throw error }
            return try directory(at: name)
        }
    }

    private func directory(at path: String) throws(ECRFailure) -> RunDirectory {
        var path = FileSystem.expandingTilde(path)
        while path.hasSuffix("/") && path.utf8.count > 1 { path.removeLast() }
        guard FileSystem.exists(path) else { throw ECRFailure(.notFound, "there is no \(path)") }
        guard FileSystem.isDirectory(path) else {
            throw ECRFailure(
                .usage, "\(path) is a file; a run is a directory",
                hint: "unzip -q \(path) -d DIR, then ecr verify DIR/RUN")
        }
        let run = RunDirectory(path: path)
        guard FileSystem.exists(run.events) else {
            let inside = RunsDirectory(path: path).runs().last.map { "ecr verify \(path)/\($0.id)" }
            throw ECRFailure(.notFound, "\(path) is no run's directory: it has no events.jsonl", hint: inside)
        }
        return run
    }
}

private struct VerifyReport {
    private let found: Verification
    private let path: String
    let missing: MissingReport

    init(_ found: Verification, _ run: RunDirectory) {
        self.found = found
        path = run.path
        missing = MissingReport(found.state, run)
    }

    var verdict: String {
        found.isWhole
            ? "whole"
            : "the record of run \(found.id) is damaged in \(Amount.count(Int64(found.damages.count), "place"))"
    }

    var text: String {
        var table = Table()
        table.add(["run", found.shortID.isEmpty ? found.id : "\(found.id) (\(found.shortID))"])
        table.add(["events", "\(found.events)" + (found.isLive ? ", up to the beginning of this check" : "")])
        table.add(["files", "\(found.files) compared, \(Amount.bytes(found.bytes)) read"])
        for damage in found.damages { table.add(["damaged", sentence(damage)]) }
        for remark in found.remarks { table.add(["remark", remark]) }
        for file in found.unnamed { table.add(["unnamed", "\(file) (no event names it)"]) }
        if let head = found.head { table.add(["head hash", "\(head.hash) (seq \(head.seq))"]) }
        if let end = found.completed {
            table.add(["completed", "\(end.hash) (seq \(end.seq)): compare it with the one that `complete` printed"])
        }
        let lack = missing.phrase.map { "; \($0)" } ?? ""
        table.add(["verdict", (found.isWhole ? "whole" : "damaged") + lack])
        return table.text()
    }

    private func sentence(_ damage: Verification.Damage) -> String {
        let line = damage.line.map { " line \($0)" } ?? ""
        let seq = damage.seq.map { " (seq \($0))" } ?? ""
        return "\(damage.file)\(line)\(seq): \(damage.message)"
    }

    var json: JSON {
        var all = members
        all.merge(missing.json)
        return .object(all)
    }

    private var members: JSONObject {
        [
            "run": .string(found.id), "short_id": .string(found.shortID), "path": .string(path),
            "whole": .bool(found.isWhole), "live": .bool(found.isLive), "events": .int(found.events),
            "files": JSON(found.files), "bytes_read": .int(found.bytes), "head": json(found.head),
            "completed": json(found.completed), "damages": .array(found.damages.map(json)),
            "remarks": JSON(strings: found.remarks), "unnamed": JSON(strings: found.unnamed),
        ]
    }

    private func json(_ head: Verification.Head?) -> JSON {
        guard let head else { return .null }
        return ["seq": .int(head.seq), "head_hash": .string(head.hash)]
    }

    private func json(_ damage: Verification.Damage) -> JSON {
        [
            "file": .string(damage.file), "line": damage.line.map { .int($0) }, "seq": damage.seq.map { .int($0) },
            "message": .string(damage.message),
        ]
    }
}
