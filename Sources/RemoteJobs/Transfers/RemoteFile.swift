/// A regular file on the target that was asked for.
package struct RemoteFile: Sendable, Equatable {
    /// The raw absolute path.
    package let path: [UInt8]
    /// The raw path below the pattern's fixed folder.
    package let relative: [UInt8]
    package let size: UInt64
    /// Seconds since 1970 by the target's clock.
    package let modificationTime: UInt32
    package let permissions: UInt32
    /// Device, inode, and the times of the last change of content and status as exactly as the file system keeps them.
    /// nil where the target does not tell it.
    package let version: String?
    /// The boot of the target, where no other content can get the same version as long as it lasts: devices and the inodes
    /// of file systems in memory are counted anew in the next one. nil where a change may have been, or may still come,
    /// that does not show (see `ListingMoment`).
    package let boot: String?

    /// What this content has and no other, from this moment on.
    package var lastingVersion: String? {
        guard let boot, let version else { return nil }
        return "\(boot):\(version)"
    }

    /// Whether the kernel makes up its text at each reading, which can hang.
    package var isOfTheKernel: Bool {
        AskedTree.kernelFolders.contains {
            path.starts(with: $0) && path.dropFirst($0.count).first == UInt8(ascii: "/")
        }
    }

    /// As what was seen of a file earlier is told, so that the two can be compared.
    func seen(as earlier: RemoteFile) -> RemoteFile {
        RemoteFile(
            path: path, relative: earlier.relative, size: size, modificationTime: modificationTime,
            permissions: permissions, version: earlier.version == nil ? nil : version, boot: earlier.boot)
    }
}

/// Why a file was not pulled, or is not there to be pulled.
package struct PullProblem: Sendable, Equatable {
    package let path: [UInt8]
    package let reason: String

    /// Whether there may be content behind it that has not come: in a folder that may not be read, say. What is no file,
    /// or a link to somewhere else, has none.
    package var mayHoldContent: Bool { !reason.hasPrefix("a link") && reason != "not a regular file" }
}

/// What an artifact entry names at this moment.
package struct Expansion: Sendable, Equatable {
    package var files: [RemoteFile] = []
    package var problems: [PullProblem] = []
    /// How many problems there are beside those.
    private var unnamed = 0
    /// There are more files than were wanted: those that are named are not all.
    package var isCut = false
    /// Why nothing is named although something of that name is there; nil else.
    package var emptiness: Emptiness?

    /// How a directory can hold no file.
    package enum Emptiness: String, Sendable, Equatable {
        case nothing = "an empty directory"
        case folders = "a directory with nothing in it but empty directories"
    }

    /// Whether so much should not go over the session that output and samples come by.
    package var isMuch: Bool { files.count > 64 || bytes > Self.muchBytes }
    static let muchBytes: UInt64 = 1 << 20

    /// As many as there are at most where a target makes up sizes that come to more.
    package var bytes: UInt64 {
        files.reduce(0) { sum, file in
            let (more, isTooMuch) = sum.addingReportingOverflow(file.size)
            return isTooMuch ? .max : more
        }
    }

    /// Origin: each is an event and a line for somebody to read; a target may have, or make up, any number.
    private static let mostProblems = 10_000

    mutating func refuse(_ path: [UInt8], _ reason: String) {
        if problems.count < Self.mostProblems {
            problems.append(PullProblem(path: path, reason: reason))
        } else {
            unnamed += 1
        }
    }

    /// Sorts all of it and leaves each name once: fetched side by side, two of one name would write to one place.
    /// - Parameters:
    ///   - folder: what was asked for.
    ///   - remarks: what is wrong with it as a whole.
    mutating func settle(_ folder: [UInt8], remarks: [String] = []) {
        files = Self.sorted(files, by: \.path)
        problems = Self.sorted(problems, by: \.path)
        var remarks = remarks
        if unnamed > 0 { remarks.append("\(unnamed) more names in it cannot come") }
        if remarks.isEmpty { return }
        if let place = problems.firstIndex(where: { $0.path == folder }) {
            remarks.insert(problems.remove(at: place).reason, at: 0)
        }
        problems.append(PullProblem(path: folder, reason: remarks.joined(separator: "; ")))
    }

    private static func sorted<Element>(_ list: [Element], by path: (Element) -> [UInt8]) -> [Element] {
        var last: [UInt8]?
        return list.sorted { path($0).precedes(path($1)) }.filter { element in
            defer { last = path(element) }
            return path(element) != last
        }
    }
}
