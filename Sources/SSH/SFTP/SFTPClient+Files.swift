/// An open file of the server's.
package struct SFTPHandle: Sendable, Equatable {
    let bytes: [UInt8]
}

/// How a file is opened (draft-ietf-secsh-filexfer-02, section 6.3).
package struct SFTPOpenMode: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let read = SFTPOpenMode(rawValue: 0x1)
    package static let write = SFTPOpenMode(rawValue: 0x2)
    package static let append = SFTPOpenMode(rawValue: 0x4)
    package static let create = SFTPOpenMode(rawValue: 0x8)
    package static let truncate = SFTPOpenMode(rawValue: 0x10)
    /// Fail where the file exists; with `create`.
    package static let exclusive = SFTPOpenMode(rawValue: 0x20)
}

/// What a server says of a file that was read.
package struct SFTPLook: Sendable {
    /// What its name stands for; nil where the server does not tell.
    package let name: SFTPAttributes?
    /// The file itself, a moment later.
    package let own: SFTPAttributes?
    /// There is nothing of the name.
    package let isGone: Bool

    init(name: SFTPReply, own: SFTPReply) {
        self.name = Self.attributes(name)
        self.own = Self.attributes(own)
        if case .status(2, _) = name { isGone = true } else { isGone = false }
    }

    private static func attributes(_ reply: SFTPReply) -> SFTPAttributes? {
        if case .attributes(let attributes) = reply { attributes } else { nil }
    }
}

/// Every function throws `sftp(status)` for what the server refuses: 2 no such file, 3 permission denied, 4 failure;
/// `connectionLost` or `closed` when the answer never comes; `protocolViolation` for one that makes no sense.
extension SFTPClient {
    package typealias Attributes = SFTPAttributes
    package typealias Entry = SFTPEntry
    package typealias OpenMode = SFTPOpenMode

    /// - Parameter permissions: of a file that is made; the server's umask takes from them.
    package func open(
        _ path: [UInt8], _ mode: SFTPOpenMode = .read, permissions: UInt32 = 0o644
    ) async throws(SSHError) -> SFTPHandle {
        let attributes = SFTPAttributes(permissions: mode.contains(.create) ? permissions : nil)
        let reply = try await ask(.open(path: path, flags: mode.rawValue, attributes: attributes))
        return SFTPHandle(bytes: try handle(reply, "open", path))
    }

    /// One request: what the server gives at once, at most `count` and 32 KiB; empty at the end of the file.
    package func read(
        _ file: SFTPHandle, offset: UInt64, count: Int = SFTPLimits.block
    ) async throws(SSHError) -> [UInt8] {
        let length = UInt32(min(max(count, 0), SFTPLimits.block))
        return try content(of: await ask(.read(handle: file.bytes, offset: offset, count: length)), limit: length)
    }

    package func close(_ file: SFTPHandle) async throws(SSHError) {
        try confirm(await ask(.close(handle: file.bytes)), "close")
    }

    /// The same, with a look at the file and at its name first, for which the server's answers are not waited for one by one.
    package func close(_ file: SFTPHandle, lookingAt path: [UInt8]) async throws(SSHError) -> SFTPLook {
        let name = try await send(.stat(path: path))
        let own = try await send(.fstat(handle: file.bytes))
        let end = try await send(.close(handle: file.bytes))
        let look = SFTPLook(name: try await name.value(), own: try await own.value())
        try confirm(await end.value(), "close")
        return look
    }

    /// Follows symbolic links.
    package func stat(_ path: [UInt8]) async throws(SSHError) -> SFTPAttributes {
        try attributes(await ask(.stat(path: path)), "examine", path)
    }

    /// A directory's entries in the server's order, without `.` and `..`.
    /// - Parameter most: names that an honest server does not exceed. Origin: beyond it they take some hundred megabytes.
    /// - Throws: `protocolViolation` beyond them.
    package func list(_ path: [UInt8], most: Int = 1_000_000) async throws(SSHError) -> [SFTPEntry] {
        let directory = SFTPHandle(bytes: try handle(await ask(.openDirectory(path: path)), "list", path))
        var entries: [SFTPEntry] = []
        do throws(SSHError) {
            while let more = try entryBatch(await ask(.readDirectory(handle: directory.bytes)), path) {
                entries += more.filter { $0.name != [0x2E] && $0.name != [0x2E, 0x2E] }
                guard entries.count <= most else {
                    throw SSHError(
                        .protocolViolation,
                        "more than \(most) names in \(String(decoding: path, as: UTF8.self))")
                }
            }
        } catch {
            // The handle is lost with a broken channel only; the first error is the one to tell.
            try? await close(directory)
            throw error
        }
        try await close(directory)
        return entries
    }

    /// What a symbolic link says.
    package func readlink(_ path: [UInt8]) async throws(SSHError) -> [UInt8] {
        try singleName(await ask(.readLink(path: path)), "read", path)
    }

    /// The absolute path without links; of an empty path the working directory.
    package func realpath(_ path: [UInt8]) async throws(SSHError) -> [UInt8] {
        try singleName(await ask(.realPath(path: path)), "resolve", path)
    }
}
