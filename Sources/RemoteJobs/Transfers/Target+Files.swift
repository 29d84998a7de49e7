import SSH

/// Finding files on the target.
extension TransferLine {
    /// Origin: a pattern like `**` of a whole system would else take the memory that the run needs.
    package nonisolated static var mostFiles: Int { 1_000_000 }

    /// What a pattern names now (see `GlobPattern`); a folder stands for all regular files in it.
    /// - Parameters:
    ///   - base: the folder of a relative pattern, from the login folder on. `~/` begins in that folder itself.
    ///   - most: beyond so many files the answer is cut.
    ///   - whenMuch: called once it is known that it will be much (see `Expansion.isMuch`).
    /// - Throws: `TransferFailure` where the target has no means or did not tell all, `SSHError` where the link fails.
    package func expand(
        _ pattern: String, base: String?, most: Int = mostFiles, whenMuch: () -> Void = {}
    ) async throws -> Expansion {
        let pattern = GlobPattern(pattern, base: absolute(base), home: tools.home)
        do {
            // The usual case: one small file, for which no program need be started.
            if let sftp, let path = pattern.literal {
                let status = try await sftp.stat(path)
                if status.isSmallFile { return try await SFTPListing.expand(pattern, over: sftp, most: most) }
                if status.isRegular, status.size ?? 0 > Expansion.muchBytes { whenMuch() }
            }
            if tools.canList {
                return try await ShellListing.expand(pattern, over: self, tools, most: most, whenMuch: whenMuch)
            }
            if let sftp { return try await SFTPListing.expand(pattern, over: sftp, most: most) }
        } catch let error as SSHError {
            guard case .sftp(let status) = error.code else { throw error }
            if status == 2 { return try await nothing(of: pattern) }
            throw TransferFailure(refused: error, pattern.literal)
        }
        throw TransferFailure(
            "the target \(isSFTPHanging ? "has an SFTP server that hangs" : "offers no SFTP") and has no `find -print0`"
        )
    }

    /// A name without a file behind it may be a link.
    private func nothing(of pattern: GlobPattern) async throws(SSHError) -> Expansion {
        var expansion = Expansion()
        if let sftp, let path = pattern.literal, let target = try await SFTPListing.target(of: path, over: sftp) {
            expansion.problems = [PullProblem(path: path, reason: AskedTree.deadReason(target))]
        }
        return expansion
    }

    /// A file as it is now; nil where there is none of that name.
    /// - Throws: as `expand`.
    package func current(_ file: RemoteFile) async throws -> RemoteFile? {
        let pattern = GlobPattern(literal: file.path)
        do {
            let expansion: Expansion
            if let sftp, file.version == nil {
                expansion = try await SFTPListing.expand(pattern, over: sftp, most: 1)
            } else {
                expansion = try await ShellListing.expand(pattern, over: self, tools, most: 1)
            }
            return expansion.files.first?.seen(as: file)
        } catch let error as SSHError {
            guard case .sftp = error.code else { throw error }
            return nil
        }
    }

    private nonisolated func absolute(_ base: String?) -> String {
        guard let base else { return tools.home }
        return base.hasPrefix("/") ? base : "\(tools.home)/\(base)"
    }
}

extension SFTPAttributes {
    /// Origin: beyond this it matters whether an unchanged file can be told from another, which SFTP does not show.
    fileprivate var isSmallFile: Bool { isRegular && size ?? .max <= 1 << 20 }
}
