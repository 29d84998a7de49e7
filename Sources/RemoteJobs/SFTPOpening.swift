import LinuxSystem
import SSH

/// What became of the SFTP server that a session was asked for.
enum SFTPStanding: Sendable {
    case served(SFTPClient)
    /// The server has none, or no channel for it.
    case refused
    /// It was started, and says nothing.
    case hangs

    var client: SFTPClient? { if case .served(let client) = self { client } else { nil } }

    var isHanging: Bool { if case .hangs = self { true } else { false } }
}

/// An SFTP channel that is being opened. A server that hangs before its greeting, as one does whose program lies on a disk
/// that is gone, is done without: files and output have other ways.
@SSHActor struct SFTPOpening {
    private let opening: Task<SFTPStanding, Never>

    /// Seconds. Origin: a busy board starts a program from its card in less.
    static let patience = 10.0

    /// - Parameter window: see `SSHSession.openSFTP`.
    init(on session: SSHSession, window: Int? = nil) {
        opening = Task {
            do throws(SSHError) { return .served(try await session.openSFTP(window: window)) } catch { return .refused }
        }
    }

    /// Waits for the greeting; what takes longer is given up.
    func end(within seconds: Double = patience) async -> SFTPStanding {
        if let standing = await opening.value(within: seconds) { return standing }
        giveUp()
        return .hangs
    }

    func giveUp() { opening.cancel() }
}
