/// A failed operation on a session, a channel or a file of a target: what happened, where, and the next step.
package struct SSHError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was; match on this, never on the text.
    package enum Code: Sendable, Equatable {
        /// No connection, or nothing there that speaks SSH.
        case unreachable
        /// The server's key is in no known_hosts file.
        case hostKeyUnknown
        /// The server's key is not the one that is known or pinned.
        case hostKeyChanged
        /// The server's key is marked `@revoked`.
        case hostKeyRevoked
        /// The server took nothing of what was offered.
        case authenticationFailed
        /// The named key file is missing, unreadable, or readable by others.
        case keyUnusable
        /// The server knows no algorithm of a kind that we may use.
        case noCommonAlgorithm(AlgorithmKind)
        /// The options, or the ssh_config file that they come from, make no sense.
        case configuration
        /// The server refused a channel, a command or a subsystem; the session lives on.
        case channelRefused
        /// The session died: the peer closed it, or nothing came any more.
        case connectionLost
        /// The operation came after `close()` or after the channel's end.
        case closed
        /// A status reply of the SFTP server (draft-ietf-secsh-filexfer-02, section 7): 2 no such file, 3 permission
        /// denied, 4 failure, 8 unsupported.
        case sftp(UInt32)
        /// The peer sent what the protocol does not allow.
        case protocolViolation
    }

    package let code: Code
    package let message: String
    /// The next command to type or thing to do.
    package let hint: String?

    package init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String {
        if let hint { "\(message)\n\(hint)" } else { message }
    }
}
