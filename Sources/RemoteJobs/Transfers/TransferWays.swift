/// The ways that files can go between the target and the run: the one place in which one is chosen.
///
/// The best first: SFTP; an archive, for many small files; a program that reads or writes from an offset on, so that what
/// was cut goes on; the protocol of `scp`, which begins at the beginning but tells the length and what goes wrong; `cat`,
/// which every target has.
package struct TransferWays: Sendable {
    let hasSFTP: Bool
    /// It is served, but gives no answer.
    var isSFTPHanging = false
    let tools: TransferTools

    /// For a file by itself from the target.
    /// - Parameter wanted: what was asked for, and was found to be there; nil chooses.
    package func pulling(_ wanted: TransferMethod?) -> TransferMethod { single(wanted, tools.reader.hasOffsets) }

    /// For a file by itself to the target; `tail` writes nothing.
    package func pushing(_ wanted: TransferMethod?) -> TransferMethod { single(wanted, tools.reader == .dd) }

    private func single(_ wanted: TransferMethod?, _ hasOffsets: Bool) -> TransferMethod {
        // What no archive can bring to this machine goes alone.
        if let wanted, wanted != .tar { return wanted }
        if hasSFTP { return .sftp }
        return hasOffsets || !tools.hasSCP ? .exec : .scp
    }

    /// Refuses a way that the target does not have, and says which it has.
    package func require(_ method: TransferMethod?) throws(TransferFailure) {
        guard let method, !all.contains(method) else { return }
        let reason =
            switch method {
            case .sftp where isSFTPHanging: "the target's SFTP server hangs"
            case .sftp: "the target's SSH server offers no SFTP"
            case .tar: "the target has no tar, or no `xargs -0` to go with it"
            case .exec, .scp: "the target has no \(method.rawValue)"
            }
        var failure = TransferFailure("\(reason); it has \(all.map(\.rawValue).joined(separator: ", "))")
        failure.hint = "--method auto, or `method: auto` in the profile"
        throw failure
    }

    private var all: [TransferMethod] {
        TransferMethod.allCases.filter { method in
            switch method {
            case .sftp: hasSFTP
            case .tar: tools.hasTar
            case .exec: true
            case .scp: tools.hasSCP
            }
        }
    }
}

extension TransferLine {
    package nonisolated var ways: TransferWays {
        TransferWays(hasSFTP: sftp != nil, isSFTPHanging: isSFTPHanging, tools: tools)
    }
}
