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
    private var unverified = FirstName()
    private var unsynced = FirstName()
    private var withoutBits = FirstName()
    private var foldersWithoutBits = FirstName()
    private var replacedLinks = FirstName()

    /// What is remarkable about a file that has its place.
    enum Remark: Sendable {
        case unchanged
        case hasNewPermissions
        /// The target could not tell what it has.
        case unverified
        /// It may not be on the target's disk.
        case unsynced
        /// setuid, setgid or sticky.
        case hasLostBits
        case replacesLink
    }

    /// - Parameter remote: where it is on the target.
    mutating func add(_ file: LocalFile, at remote: [UInt8], _ remarks: Set<Remark>) {
        files += 1
        bytes += file.size
        if remarks.isEmpty { return }
        let name = String(decoding: remote, as: UTF8.self)
        if remarks.contains(.unchanged) { unchanged += 1 }
        if remarks.contains(.hasNewPermissions) { withNewPermissions += 1 }
        if remarks.contains(.unverified) { unverified.add(name) }
        if remarks.contains(.unsynced) { unsynced.add(name) }
        if remarks.contains(.hasLostBits) { withoutBits.add(name) }
        if remarks.contains(.replacesLink) { replacedLinks.add(name) }
    }

    /// - Parameter folder: where it is on the target.
    mutating func add(folderWithoutBits folder: [UInt8]) {
        foldersWithoutBits.add(String(decoding: folder, as: UTF8.self))
    }

    static func += (summary: inout UploadSummary, more: UploadSummary) {
        summary.files += more.files
        summary.bytes += more.bytes
        summary.unchanged += more.unchanged
        summary.withNewPermissions += more.withNewPermissions
        summary.unverified += more.unverified
        summary.unsynced += more.unsynced
        summary.withoutBits += more.withoutBits
        summary.foldersWithoutBits += more.foldersWithoutBits
        summary.replacedLinks += more.replacedLinks
    }

    /// What an operator should know of it.
    var warnings: [String] {
        [
            unverified.warning("is not verified: the target has no program that tells its SHA-256"),
            unsynced.warning(
                "may not be on the target's disk yet, since its `sync` failed: a power cut may take it away"),
            withoutBits.warning(
                "has no setuid, setgid or sticky bit there, where its owner is another one; chmod can give it"),
            foldersWithoutBits.warning(
                "has not the setuid, setgid or sticky bit there that it has here; chmod can give it",
                others: (one: "directory", more: "directories")),
            replacedLinks.warning("was a link, and is the file itself now; what it led to is as it was"),
        ].compactMap { $0 }
    }

    var json: JSON {
        [
            "files": JSON(files), "bytes": .int(bytes), "unchanged": JSON(unchanged),
            "permissions_set": JSON(withNewPermissions),
        ]
    }
}
