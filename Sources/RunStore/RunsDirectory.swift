import EventLog
import Glibc
package import LinuxSystem

/// Why a run could not be named, found or made.
package struct RunStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        case noSuchRun
        case ambiguous
        case invalidName
        /// Somebody works on the run.
        case inUse
        case storage
    }
    package let code: Code
    package let message: String
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
    package var description: String { message }
}

/// The directory that holds the runs, and the names by which people call them.
package struct RunsDirectory: Sendable {
    package let path: String

    package init(path: String) { self.path = FileSystem.absolute(FileSystem.expandingTilde(path)) }

    private var currentFile: String { "\(path)/.current" }

    /// All runs, oldest first: their ids begin with the UTC second of their making, and within one second the events
    /// know the order.
    package func runs() -> [RunDirectory] {
        let names = (try? FileSystem.list(path)) ?? []
        let runs = names.filter { !$0.hasPrefix(".") && FileSystem.exists("\(path)/\($0)/events.jsonl") }.map {
            RunDirectory(path: "\(path)/\($0)")
        }
        let seconds = runs.map { $0.id.prefix(Self.stampLength) }
        guard zip(seconds, seconds.dropFirst()).contains(where: ==) else { return runs }
        return runs.map { (second: $0.id.prefix(Self.stampLength), made: $0.made, run: $0) }.sorted {
            ($0.second, $0.made, $0.run.id) < ($1.second, $1.made, $1.run.id)
        }.map(\.run)
    }

    /// The length of `2026-01-27_143052`.
    package static let stampLength = 17

    /// Finds a run by its id, a unique prefix, its short id, `latest` or `latest~N`.
    package func find(_ reference: String) throws(RunStoreError) -> RunDirectory {
        let runs = runs()
        if let exact = runs.first(where: { $0.id == reference }) { return exact }
        if reference == "latest" || reference.hasPrefix("latest~") { return try latest(reference, in: runs) }
        let matches = reference.isEmpty ? [] : runs.filter { $0.id.hasPrefix(reference) }
        if matches.count == 1 { return matches[0] }
        if matches.count > 1 {
            let list = matches.prefix(8).map { "  \($0.id)" }.joined(separator: "\n")
            throw RunStoreError(.ambiguous, "'\(reference)' could be any of these runs:\n\(list)")
        }
        if reference.utf8.count == 4, let short = runs.last(where: { (try? $0.state())?.shortID == reference }) {
            return short
        }
        throw RunStoreError(.noSuchRun, "no run '\(reference)' in \(path); `ecr run list` shows those that exist")
    }

    private func latest(_ reference: String, in runs: [RunDirectory]) throws(RunStoreError) -> RunDirectory {
        let back = reference == "latest" ? 0 : Int(reference.dropFirst("latest~".count)) ?? -1
        guard back >= 0 else { throw RunStoreError(.noSuchRun, "'\(reference)' is not `latest~N` with a number N") }
        guard back < runs.count else {
            throw RunStoreError(.noSuchRun, "there are \(runs.count) runs in \(path), so no '\(reference)'")
        }
        return runs[runs.count - 1 - back]
    }

    /// The run that `create`, `start` or `use` chose last, if it is still there.
    package func current() -> RunDirectory? {
        guard let bytes = try? FileSystem.read(currentFile) else { return nil }
        let id = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        guard !id.isEmpty, !id.contains("/"), FileSystem.exists("\(path)/\(id)/events.jsonl") else { return nil }
        return RunDirectory(path: "\(path)/\(id)")
    }

    package func setCurrent(_ run: RunDirectory?) throws(SystemError) {
        if let run {
            try FileSystem.replace(currentFile, with: Array("\(run.id)\n".utf8))
        } else {
            unlink(currentFile)
        }
    }

    /// Makes the directory of a new run; mkdir decides who gets a name, later ones get `_2`, `_3`. Its name is on the
    /// medium on return: what is recorded in it must not vanish with it in a power cut.
    package func makeRun(name: String) throws(SystemError) -> RunDirectory {
        try FileSystem.makeDirectories(path)
        let base = "\(path)/\(Clock.directoryStamp(microseconds: Clock.wallMicroseconds()))_\(name)"
        var attempt = 1
        while true {
            let run = RunDirectory(path: attempt == 1 ? base : "\(base)_\(attempt)")
            do { try FileSystem.makeDirectory(run.path) } catch  where error.code == EEXIST {
                attempt += 1
                continue
            }
            do {
                try FileSystem.syncDirectory(path)
                try run.makeLayout()
            } catch {
                try? FileSystem.removeTree(run.path)
                throw error
            }
            return run
        }
    }

    /// Whether a name may be given to a run, stage, action or collector (DESIGN: `[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`).
    package static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        func isWord(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard let first = bytes.first, isWord(first), bytes.count <= 64 else { return false }
        return bytes.allSatisfy {
            isWord($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
        }
    }
}

extension RunDirectory {
    /// When the run was made, as text that sorts; "" where that cannot be read.
    fileprivate var made: String {
        guard var reader = try? EventReader(path: events) else { return "" }
        return (try? reader.next())?.time ?? ""
    }
}
