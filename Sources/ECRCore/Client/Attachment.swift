import EventLog
import Glibc
import Hashing
package import JSON
import LinuxSystem
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
    /// In the attachments' folder.
    let temporary: String

    /// Copies files; either all of them or none.
    /// - Throws: `.notFound` for a file that is missing or cannot be read, `.usage` for what is no file, `.storage`.
    package static func copies(of paths: [String], into run: RunDirectory) throws(ECRFailure) -> [Attachment] {
        var copies: [Attachment] = []
        for path in paths {
            do throws(ECRFailure) { copies.append(try Attachment(copying: path, into: run)) } catch {
                copies.forEach { $0.remove(from: run) }
                throw error
            }
        }
        return copies
    }

    private init(copying path: String, into run: RunDirectory) throws(ECRFailure) {
        let source = try Self.open(FileSystem.expandingTilde(path))
        name = Self.plainName(FileSystem.name(of: FileSystem.absolute(path)))
        // Such a name is neither exported nor taken for a file of the record.
        temporary = "attachment.tmp-\(getpid())-" + Host.randomHex(8)
        let place = "\(run.attachments)/\(temporary)"
        do throws(SystemError) {
            try FileSystem.makeDirectories(run.attachments)
            (size, sha256) = try Self.copy(source, to: place)
        } catch {
            unlink(place)
            throw ECRFailure(.storage, error.description)
        }
    }

    private static func open(_ path: String) throws(ECRFailure) -> File {
        do throws(SystemError) {
            // O_NONBLOCK: a FIFO is to be refused, not waited for.
            let file = try File(path: path, O_RDONLY | O_NONBLOCK)
            var status = stat()
            try check("examine", path: path) { fstat(file.descriptor, &status) }
            if status.st_mode & S_IFMT == S_IFREG { return file }
        } catch {
            guard error.code == ENOENT, path.unicodeScalars.contains("\u{FFFD}") else {
                let name = MissingName(RawPath(path).absolute)
                let remark = error.code == ENOENT ? name.remark : ""
                throw ECRFailure(.notFound, error.description + remark, hint: name.hint)
            }
            throw ECRFailure(
                .notFound, "\(path) cannot be attached: its name is not UTF-8", hint: "give it another name with mv")
        }
        throw ECRFailure(
            .usage, "\(path) is no regular file, so it cannot be attached",
            hint: FileSystem.isDirectory(path)
                ? "tar -czf folder.tar.gz \(shellWord(path)), then --attach folder.tar.gz"
                : "ls -ld \(shellWord(path))")
    }

    private static func copy(_ source: File, to place: String) throws(SystemError) -> (Int64, String) {
        let file = try File(path: place, O_WRONLY | O_CREAT | O_EXCL)
        var hash = SHA256()
        var offset: Int64 = 0
        while true {
            let bytes = try source.read(at: offset, count: 1 << 20)
            if bytes.isEmpty { break }
            try file.write(bytes, at: offset)
            hash.update(bytes)
            offset += Int64(bytes.count)
        }
        // Like what is fetched from a target, it is for nobody to write.
        try check("set the mode of", path: place) { fchmod(file.descriptor, 0o400) }
        try file.sync()
        return (offset, hash.hexDigest())
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
        Attachment(name: name, size: size, sha256: sha256, temporary: temporary)
    }

    private init(name: String, size: Int64, sha256: String, temporary: String) {
        self.name = name
        self.size = size
        self.sha256 = sha256
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
            "name": .string(name), "size": .int(size), "sha256": .string(sha256), "temporary": .string(temporary),
        ]
    }

    /// nil for what cannot have come from `copies`: a name must not lead out of the folder.
    package init?(json: JSON) {
        guard let name = json["name"]?.string, let size = json["size"]?.int, let sha256 = json["sha256"]?.string,
            let temporary = json["temporary"]?.string, FileSystem.isTemporary(temporary),
            !(name + temporary).contains("/"), !name.isEmpty
        else { return nil }
        self.init(name: name, size: size, sha256: sha256, temporary: temporary)
    }
}
