import EventLog
import Glibc
package import JSON
import LinuxSystem
import Profiles
import RemoteJobs
package import RunStore

/// A file that belongs to a note: copied into the run under a temporary name, whole and synced, before anything is
/// recorded. It gets its place, `artifacts/attachments/<seq>-<name>`, when the note's number is settled and before its line
/// is written: what is on record is there, and what a crash leaves in between is a file that no event names.
package struct Attachment: Sendable, Equatable {
    /// What the file was called, as it can be called in any run.
    package let name: String
    package let size: Int64
    package let sha256: String
    /// The file was written to while it was copied.
    package let isChanged: Bool
    /// In the attachments' folder.
    let temporary: String

    /// Copies files; either all of them or none.
    /// - Parameters:
    ///   - interrupt: ends the copying; nil leaves the signals to their defaults.
    ///   - tell: called as it goes on, where it takes long.
    /// - Throws: `.notFound` for a file that is missing or cannot be read, `.usage` for what is no file, `.storage`, also
    ///   where the run's profile wants more room to be left, `ControlClient.Interrupted`.
    package static func copies(
        of paths: [String], into run: RunDirectory, interrupt: InterruptSignal? = nil,
        tell: @escaping @Sendable (TransferNews) -> Void = { _ in }
    ) throws -> [Attachment] {
        if paths.isEmpty { return [] }
        let sources = try paths.map { (path) throws(ECRFailure) in try AttachedFile(path) }
        try requireRoom(for: sources, in: run)
        let feed = JobFeed()
        _ = feed.add { news in if case .transferring(let news) = news { tell(news) } }
        let progress = TransferProgress(sources, feed)
        var copies: [Attachment] = []
        do {
            for source in sources { copies.append(try Attachment(copying: source, into: run, interrupt, progress)) }
        } catch {
            copies.forEach { $0.remove(from: run) }
            throw error
        }
        return copies
    }

    /// Holes stay holes, and need none.
    private static func requireRoom(for sources: [AttachedFile], in run: RunDirectory) throws(ECRFailure) {
        let profile = try? ProfileFile(snapshotOf: run).profile
        let policy = PullPolicy(
            profile?.transfers ?? TransferSettings(), run, (try? run.state())?.profileFile ?? "")
        let free: Int64
        do throws(SystemError) { free = try FileSystem.freeBytes(run.path) } catch {
            throw ECRFailure(.storage, error.description)
        }
        let needed = sources.reduce(0) { $0 + $1.dataSize }
        do throws(TransferFailure) { try policy.requireRoom(for: needed, free: free) } catch {
            throw ECRFailure(.storage, "cannot attach it: \(error.reason)", hint: error.hint)
        }
    }

    private init(
        copying source: AttachedFile, into run: RunDirectory, _ interrupt: InterruptSignal?,
        _ progress: TransferProgress
    ) throws {
        name = Self.plainName(FileSystem.name(of: FileSystem.absolute(source.path)))
        // Such a name is neither exported nor taken for a file of the record.
        temporary = "attachment.tmp-\(getpid())-" + Host.randomHex(8)
        let place = "\(run.attachments)/\(temporary)"
        do {
            try FileSystem.makeDirectories(run.attachments)
            (size, sha256, isChanged) = try source.copy(to: place, interrupt, progress)
            // Equal content is there once.
            let store = ContentStore(runsDirectory: FileSystem.parent(of: run.path))
            try store.place(place, at: place, size: size, sha256: sha256, isExecutable: false)
        } catch {
            unlink(place)
            guard let error = error as? SystemError else { throw error }
            throw ECRFailure(.storage, error.description)
        }
        progress.finish(source, name, size: size, method: "copy")
    }

    /// Bytes of a name that leave room for the number before it. Origin: NAME_MAX is 255.
    private static let longestName = 230

    /// The last component, encoded like an artifact's and cut before its suffix.
    private static func plainName(_ name: String) -> String {
        let name = ArtifactName.local(for: Array(name.utf8))
        guard name.utf8.count > longestName else { return name }
        let dot = name.lastIndex(of: ".") ?? name.endIndex
        let suffix = name[dot...].utf8.count < 20 ? name[dot...] : ""
        var stem = suffix.isEmpty ? name[...] : name[..<dot]
        while stem.utf8.count + suffix.utf8.count > longestName { stem.removeLast() }
        return String(stem + suffix)
    }

    /// The same file under another name.
    func renamed(_ name: String) -> Attachment {
        Attachment(name: name, size: size, sha256: sha256, isChanged: isChanged, temporary: temporary)
    }

    private init(name: String, size: Int64, sha256: String, isChanged: Bool, temporary: String) {
        self.name = name
        self.size = size
        self.sha256 = sha256
        self.isChanged = isChanged
        self.temporary = temporary
    }

    /// Removes the copy of a note that was not recorded.
    package func remove(from run: RunDirectory) { unlink("\(run.attachments)/\(temporary)") }

    // MARK: The record

    /// Gives attachments their places, once their note has its number.
    static func completion(_ attachments: [Attachment], in run: RunDirectory) -> EventWriter.Completion? {
        if attachments.isEmpty { return nil }
        return { (seq, data) throws(SystemError) in
            var names: Set<String> = []
            var list: [JSON] = []
            for attachment in attachments {
                var name = attachment.name
                var number = 1
                while !names.insert(name.lowercased()).inserted {
                    number += 1
                    name = ArtifactName.numbered(attachment.name, number)
                }
                let path = "\(run.attachments)/\(seq)-\(name)"
                try check("place the attachment", path: path) {
                    Glibc.rename("\(run.attachments)/\(attachment.temporary)", path)
                }
                list.append([
                    "path": .string(run.relative(path)), "name": .string(attachment.name),
                    "size": .int(attachment.size), "sha256": .string(attachment.sha256),
                    "changed": attachment.isChanged ? true : nil,
                ])
            }
            try FileSystem.syncDirectories(from: run.attachments, to: run.path)
            var data = data
            data["attachments"] = .array(list)
            return data
        }
    }
}

extension Attachment {
    /// As in the control protocol.
    package var json: JSON {
        [
            "name": .string(name), "size": .int(size), "sha256": .string(sha256),
            "changed": isChanged ? true : nil, "temporary": .string(temporary),
        ]
    }

    /// nil for what cannot have come from `copies`: a name must not lead out of the folder.
    package init?(json: JSON) {
        guard let name = json["name"]?.string, let size = json["size"]?.int, let sha256 = json["sha256"]?.string,
            let temporary = json["temporary"]?.string, FileSystem.isTemporary(temporary),
            !(name + temporary).contains("/"), !name.isEmpty
        else { return nil }
        self.init(
            name: name, size: size, sha256: sha256, isChanged: json["changed"]?.bool ?? false, temporary: temporary)
    }
}
