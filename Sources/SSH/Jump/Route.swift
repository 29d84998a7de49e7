/// The way to a server: directly, or through jump hosts, each of which is logged in to and asked for a connection to
/// the next. One deadline bounds it all.
@SSHActor struct Route {
    private let options: SSHOptions
    /// The jump hosts; who may be asked about the server may be asked about these.
    private let hops: [SSHOptions]
    private let deadline: Deadline

    nonisolated init(_ options: SSHOptions) {
        self.options = options
        hops = options.jumps.map { hop in
            var hop = hop
            hop.ask = hop.ask ?? options.ask
            return hop
        }
        deadline = Deadline(seconds: options.timeout)
    }

    func connect() async throws(SSHError) -> SSHSession {
        let tunnel = try await openTunnel()
        return try await session(options, through: tunnel)
    }

    /// The key that the server shows.
    func hostKey() async throws(SSHError) -> HostKey {
        let tunnel = try await openTunnel()
        do throws(SSHError) {
            return try await Handshake.hostKey(options, over: tunnel?.path ?? .network, deadline)
        } catch {
            throw tunnel?.failure ?? error
        }
    }

    /// A tunnel from the last jump host to the server, nil where there is none on the way.
    private func openTunnel() async throws(SSHError) -> Tunnel? {
        var tunnel: Tunnel?
        for (index, hop) in hops.enumerated() {
            let session = try await session(hop, through: tunnel)
            let next = index + 1 < hops.count ? hops[index + 1] : options
            tunnel = try await Tunnel.open(on: session, from: hop, to: next, deadline)
        }
        return tunnel
    }

    private func session(_ options: SSHOptions, through tunnel: Tunnel?) async throws(SSHError) -> SSHSession {
        do throws(SSHError) {
            let outcome = try await Handshake.logIn(options, over: tunnel?.path ?? .network, deadline)
            let session = SSHSession(outcome, options)
            tunnel?.carry(session)
            return session
        } catch {
            // A descriptor that the handshake has closed ends the tunnel, and that the jump host's session.
            throw tunnel?.failure ?? error
        }
    }
}
