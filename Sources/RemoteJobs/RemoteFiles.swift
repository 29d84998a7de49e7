import Glibc
package import SSH

/// A regular file on the target that an artifact entry named.
package struct RemoteFile: Sendable, Equatable {
    /// The raw absolute path.
    package let path: [UInt8]
    /// The raw path below the pattern's fixed folder.
    package let relative: [UInt8]
    package let size: UInt64
    /// Seconds since 1970 by the target's clock.
    package let modificationTime: UInt32
    package let permissions: UInt32
}

/// Why a file was not pulled, or is not there to be pulled.
package struct PullProblem: Sendable, Equatable {
    package let path: [UInt8]
    package let reason: String
}

/// What an artifact entry names at this moment.
package struct Expansion: Sendable {
    package var files: [RemoteFile] = []
    package var problems: [PullProblem] = []
}

/// Finds files by name over SFTP, without a shell, so that no name can be misread. Runs on the SSH loop.
@SSHActor package struct RemoteFiles {
    private let sftp: SFTPClient
    private static let deepest = 32

    package init(_ sftp: SFTPClient) { self.sftp = sftp }

    /// Expands a pattern: `*`, `?`, `[…]` within a component, `\` before a literal character, a leading dot only by name
    /// (glob(7)). A directory stands for all regular files in it. A relative pattern begins at `base`.
    package func expand(_ pattern: String, base: String) async throws(SSHError) -> Expansion {
        let absolute = pattern.hasPrefix("/") ? pattern : "\(base)/\(pattern)"
        let components = absolute.split(separator: "/").map { Array($0.utf8) }
        let fixed = components.prefix { !Self.isGlob($0) }
        var expansion = Expansion()
        if fixed.count == components.count {
            let path = Self.join(components.map(Self.unescaped))
            let attributes = try await sftp.stat(path)
            let folder = attributes.isDirectory ? path.count + 1 : (path.lastIndex(of: 0x2F) ?? 0) + 1
            try await add(path, attributes, folder, 0, &expansion)
        } else {
            let start = Self.join(fixed.map(Self.unescaped))
            try await match(start, components.dropFirst(fixed.count), start.count + 1, &expansion)
        }
        return expansion
    }

    /// Every regular file below a directory.
    package func all(below directory: String) async throws(SSHError) -> Expansion {
        var expansion = Expansion()
        try await addContents(of: Array(directory.utf8), directory.utf8.count + 1, 0, &expansion)
        return expansion
    }

    private func match(
        _ directory: [UInt8], _ components: ArraySlice<[UInt8]>, _ folder: Int, _ expansion: inout Expansion
    ) async throws(SSHError) {
        guard let component = components.first else { return }
        let entries: [SFTPEntry]
        do throws(SSHError) { entries = try await sftp.list(directory.isEmpty ? [0x2F] : directory) } catch {
            guard case .sftp = error.code else { throw error }
            return
        }
        for entry in entries.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            guard Self.isPlainName(entry.name), Self.matches(entry.name, component) else { continue }
            let path = directory + [0x2F] + entry.name
            if components.count > 1 {
                try await match(path, components.dropFirst(), folder, &expansion)
            } else if let attributes = try? await sftp.stat(path) {
                try await add(path, attributes, folder, 0, &expansion)
            }
        }
    }

    private func add(
        _ path: [UInt8], _ attributes: SFTPAttributes, _ folder: Int, _ depth: Int, _ expansion: inout Expansion
    ) async throws(SSHError) {
        if attributes.isRegular {
            expansion.files.append(
                RemoteFile(
                    path: path, relative: Array(path.dropFirst(folder)), size: attributes.size ?? 0,
                    modificationTime: attributes.modificationTime ?? 0, permissions: attributes.permissions ?? 0))
        } else if attributes.isDirectory && depth < Self.deepest {
            try await addContents(of: path, folder, depth, &expansion)
        } else {
            expansion.problems.append(PullProblem(path: path, reason: "not a regular file"))
        }
    }

    /// Links inside a directory are not followed: they could lead out of it, or in circles.
    private func addContents(
        of directory: [UInt8], _ folder: Int, _ depth: Int, _ expansion: inout Expansion
    ) async throws(SSHError) {
        for entry in try await sftp.list(directory).sorted(by: { $0.name.lexicographicallyPrecedes($1.name) })
        where entry.name != [0x2E] && entry.name != [0x2E, 0x2E] {
            guard Self.isPlainName(entry.name) else {
                expansion.problems.append(PullProblem(path: directory, reason: "the server named an impossible file"))
                continue
            }
            try await add(directory + [0x2F] + entry.name, entry.attributes, folder, depth + 1, &expansion)
        }
    }

    private static func join(_ components: some Sequence<[UInt8]>) -> [UInt8] {
        components.reduce(into: []) { $0 += [0x2F] + $1 }
    }

    /// What readdir(3) can return: a server that says otherwise is lying.
    nonisolated static func isPlainName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && !name.contains(0x2F) && !name.contains(0) && name != [0x2E] && name != [0x2E, 0x2E]
    }

    nonisolated static func isGlob(_ component: [UInt8]) -> Bool {
        var isEscaped = false
        for byte in component {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")].contains(byte) {
                return true
            }
        }
        return false
    }

    nonisolated static func unescaped(_ component: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var isEscaped = false
        for byte in component {
            if !isEscaped && byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                isEscaped = false
                result.append(byte)
            }
        }
        return result
    }

    nonisolated static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        let name = name.map { CChar(bitPattern: $0) } + [0]
        let pattern = pattern.map { CChar(bitPattern: $0) } + [0]
        return fnmatch(pattern, name, FNM_PERIOD) == 0
    }
}
