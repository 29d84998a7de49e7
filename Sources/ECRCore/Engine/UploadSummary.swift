import JSON
import RemoteJobs

/// What has come of an upload, in the same memory however many files it has: each of them is on record by itself.
struct UploadSummary: Sendable {
    private(set) var files = 0
    private(set) var bytes: Int64 = 0
    /// How many of the files were there already.
    private(set) var unchanged = 0
    /// How many of these got other permissions.
    private var withNewPermissions = 0
    private var withoutBits = Names()
    private var foldersWithoutBits = Names()
    private var replacedLinks = Names()

    /// The first of some names on the target, and how many there are.
    private struct Names {
        var first: [UInt8]?
        var count = 0

        mutating func add(_ name: [UInt8]) {
            first = first ?? name
            count += 1
        }

        static func += (names: inout Names, more: Names) {
            names.first = names.first ?? more.first
            names.count += more.count
        }

        /// - Parameter kind: of the others, if there are any.
        func warning(_ what: String, others kind: (one: String, more: String)) -> String? {
            guard let first else { return nil }
            let others = count - 1
            let rest = others > 0 ? ", and so for \(others) other \(others == 1 ? kind.one : kind.more)" : ""
            return "\(String(decoding: first, as: UTF8.self)) \(what)\(rest)"
        }
    }

    /// - Parameters:
    ///   - remote: where it is on the target.
    ///   - hasLostBits: setuid, setgid or sticky.
    mutating func add(
        _ file: LocalFile, at remote: [UInt8], isUnchanged: Bool, hasNewPermissions: Bool, hasLostBits: Bool,
        replacesLink: Bool
    ) {
        files += 1
        bytes += file.size
        if isUnchanged { unchanged += 1 }
        if hasNewPermissions { withNewPermissions += 1 }
        if hasLostBits { withoutBits.add(remote) }
        if replacesLink { replacedLinks.add(remote) }
    }

    /// - Parameter folder: where it is on the target.
    mutating func add(folderWithoutBits folder: [UInt8]) { foldersWithoutBits.add(folder) }

    static func += (summary: inout UploadSummary, more: UploadSummary) {
        summary.files += more.files
        summary.bytes += more.bytes
        summary.unchanged += more.unchanged
        summary.withNewPermissions += more.withNewPermissions
        summary.withoutBits += more.withoutBits
        summary.foldersWithoutBits += more.foldersWithoutBits
        summary.replacedLinks += more.replacedLinks
    }

    /// What an operator should know of it.
    var warnings: [String] {
        let files = (one: "file", more: "files")
        return [
            withoutBits.warning(
                "has no setuid, setgid or sticky bit there, where its owner is another one; chmod can give it",
                others: files),
            foldersWithoutBits.warning(
                "has not the setuid, setgid or sticky bit there that it has here; chmod can give it",
                others: (one: "directory", more: "directories")),
            replacedLinks.warning("was a link, and is the file itself now; what it led to is as it was", others: files),
        ].compactMap { $0 }
    }

    var json: JSON {
        [
            "files": JSON(files), "bytes": .int(bytes), "unchanged": JSON(unchanged),
            "permissions_set": JSON(withNewPermissions),
        ]
    }
}
