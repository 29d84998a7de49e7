extension HostKey {
    /// Every key that a server has, fetched without logging in to it; to its jump hosts one logs in.
    ///
    /// A server shows one key a connection, of the first type that the client asks for: so each type costs a key
    /// exchange, about 20 ms on loopback.
    /// - Throws: the reason if there is no key at all.
    package static func fetch(from options: SSHOptions) async throws(SSHError) -> [HostKey] {
        let deadline = Deadline(seconds: options.timeout)
        var found: [HostKey] = []
        var failure: SSHError?
        for type in AlgorithmKind.hostKeyFamilies where !deadline.isOver {
            var options = options
            options.algorithms.hostKeys = type
            do throws(SSHError) { found.append(try await Route(options).hostKey()) } catch {
                // A server without such a key ends the key exchange: OpenSSH says why, dropbear just hangs up.
                guard [.noCommonAlgorithm(.hostKeys), .unreachable].contains(error.code) else { throw error }
                failure = failure ?? error
            }
        }
        if found.isEmpty, let failure { throw failure }
        return found
    }
}
