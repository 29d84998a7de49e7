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
    /// Device, inode, and the times of the last change of content and status in nanoseconds: as long as all of it stays
    /// the same, so has the content. nil where the target does not tell it so exactly.
    package let version: String?

    func renamed(_ relative: [UInt8]) -> RemoteFile {
        RemoteFile(
            path: path, relative: relative, size: size, modificationTime: modificationTime, permissions: permissions,
            version: version)
    }
}

/// Why a file was not pulled, or is not there to be pulled.
package struct PullProblem: Sendable, Equatable {
    package let path: [UInt8]
    package let reason: String
}

/// What an artifact entry names at this moment.
package struct Expansion: Sendable, Equatable {
    package var files: [RemoteFile] = []
    package var problems: [PullProblem] = []
    /// There are more files than were wanted: those that are named are not all.
    package var isCut = false

    package var bytes: UInt64 { files.reduce(0) { $0 &+ $1.size } }
}
