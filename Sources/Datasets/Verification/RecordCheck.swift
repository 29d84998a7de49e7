import EventLog
import Glibc
import JSON
import LinuxSystem
package import RunStore

/// One check of a run's directory, from its first event to its last file. Nothing is changed, and a file is read piece by
/// piece, so that its size does not matter. Used by one thread.
package struct RecordCheck {
    let run: RunDirectory
    let files: CheckedFiles
    private let steps: ReadSteps
    var result: Verification
    /// As far as the lines could be read.
    private(set) var state = RunState()
    private var manifest: ManifestCheck
    /// The first digits of a hash that an event must have.
    private let head: String?
    private var isHeadFound = false
    /// Lines of the stream that are not what they have to be.
    private(set) var badLines = 0
    var logs: [FileName: RecordedLog] = [:]
    var samplesWithoutHash = 0
    var artifacts: [FileName: (size: Int64, sha256: String)] = [:]
    /// What recoveries of the stream have put aside.
    var torn: [FileName: Int64] = [:]
    /// Of the profile and of how it was understood; nil where the record has none.
    var profileHashes: (snapshot: String?, resolved: String?)
    /// Files that have a place in a run.
    var known: Set<FileName>
    var compared: Set<FileName> = []

    /// Origin: enough to see a pattern; in a file that is no event stream every line is bad.
    private static let mostBadLines = 10

    /// - Parameters:
    ///   - head: the first digits of a hash that an event of the run must have.
    ///   - progress: called now and then with a fraction from 0 to 1.
    /// - Throws: `SystemError` where there are no events to read.
    package static func verify(
        _ run: RunDirectory, head: String? = nil, progress: @escaping (Double) -> Void = { _ in }
    ) throws -> Verification {
        var check = RecordCheck(run, head: head, progress: progress)
        return try check.verify()
    }

    private init(_ run: RunDirectory, head: String?, progress: @escaping (Double) -> Void) {
        self.run = run
        self.head = head
        let steps = ReadSteps(progress)
        self.steps = steps
        files = CheckedFiles(run.path) { steps.add($0) }
        result = Verification(id: run.id)
        // First of all, so that the stream is at least as far as the manifest.
        manifest = ManifestCheck(run)
        let ours = [
            run.events, run.manifest, run.supervisorLog, run.reserve, run.profileSnapshot, run.profileResolved,
        ]
        known = Set(ours.map { FileName(run.relative($0)) } + [FileName(ChecksumList.name)])
    }

    private mutating func verify() throws -> Verification {
        let stream = try File(path: run.events, O_RDONLY)
        result.isLive = run.hasSupervisor()
        // Whoever appends at this moment may have written a part of a line.
        let isBeingWritten = try result.isLive || stream.isLocked(byte: EventWriter.appendByte)
        let end = try stream.size()
        let tree = try RunTree(run.path)
        let sums = readSums()
        steps.total = tree.files.reduce(0) { $0 + $1.size } * (sums == nil ? 1 : 2)

        try checkStream(upTo: end, isBeingWritten: isBeingWritten)
        checkLogs()
        checkFiles()
        if let sums { check(sums, tree) }
        if !result.isLive { nameOthers(tree) }
        result.shortID = state.shortID
        result.state = state
        result.files = compared.count
        result.bytes = steps.done
        return result
    }

    mutating func damage(_ file: String, _ message: String, line: Int64? = nil, seq: Int64? = nil) {
        result.damages.append(.init(file: file, line: line, seq: seq, message: message))
    }

    private var stream: String { run.relative(run.events) }

    private mutating func checkStream(upTo end: Int64, isBeingWritten: Bool) throws {
        var inspector = try EventInspector(path: run.events, upTo: end)
        var place = inspector.checkpoint
        manifest.pass(place, state)
        while let step = try inspector.next() {
            if let damage = step.damage { take(damage) }
            if let event = step.event { take(event, step.line, inspector.checkpoint.hash) }
            manifest.pass(inspector.checkpoint, badLines == 0 ? state : nil)
            steps.add(inspector.checkpoint.byteOffset - place.byteOffset)
            place = inspector.checkpoint
        }
        manifest.end(at: place)
        if badLines > Self.mostBadLines { damage(stream, "has \(badLines - Self.mostBadLines) more such lines") }
        if result.events == 0 { damage(stream, "holds no event") }
        if inspector.torn > 0 && !isBeingWritten {
            result.remarks.append(
                "\(stream): the last line is cut (\(inspector.torn) bytes): it was never acknowledged, and the next append "
                    + "puts it aside")
        }
        if let head, !isHeadFound {
            damage(stream, "has no event with the hash \(head): it was rewritten, lost its end, or is another run's")
        }
        let name = run.relative(run.manifest)
        for message in manifest.damages { damage(name, message) }
        result.remarks += manifest.remarks.map { "\(name): \($0)" }
    }

    private mutating func take(_ found: EventInspector.Damage) {
        badLines += 1
        guard badLines <= Self.mostBadLines else { return }
        damage(stream, found.message, line: found.line, seq: found.seq)
    }

    private mutating func take(_ event: Event, _ line: Int64, _ hash: String) {
        if result.events == 0 && badLines == 0 && event.type != .runCreated {
            damage(stream, "the first event is no \(EventType.runCreated.rawValue)", line: line, seq: 0)
        }
        result.events += 1
        state.apply(event)
        let head = Verification.Head(seq: event.seq, hash: hash)
        result.head = head
        let isEnd = event.type == .runCompleted || event.type == .ledger && state.status == .completed
        if isEnd { result.completed = head }
        if let wanted = self.head, hash.hasPrefix(wanted) { isHeadFound = true }
        // Behind a line that could not be read, a contradiction would only say it again.
        if let problem = look(at: event), badLines == 0 { damage(stream, problem, line: line, seq: event.seq) }
    }
}

/// Counts what a check has read, and tells how far it is.
private final class ReadSteps {
    /// What there is to read, about: files may grow.
    var total: Int64 = 0
    private(set) var done: Int64 = 0
    private var told: Int64 = 0
    private let progress: (Double) -> Void

    init(_ progress: @escaping (Double) -> Void) { self.progress = progress }

    func add(_ bytes: Int64) {
        done += bytes
        guard done - told > 1 << 22 else { return }
        told = done
        progress(min(1, Double(done) / Double(max(1, total))))
    }
}
