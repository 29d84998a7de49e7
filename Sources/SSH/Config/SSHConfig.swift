/// The ssh_config files of a user, read for one host at a time.
///
/// Our own parser: libssh's (0.10) lets the files win over what was set explicitly, fails on `Match localnetwork`,
/// never matches `originalhost`, and lacks IdentitiesOnly, CertificateFile and HostKeyAlias. What is carried out is
/// listed in `ConfigKeyword`; it does what `ssh -G` says, except that `~` is `$HOME`.
package struct SSHConfig: Sendable {
    /// Which files are read.
    package enum Files: Sendable, Equatable {
        /// `~/.ssh/config`, then `/etc/ssh/ssh_config`, as far as they exist.
        case standard
        /// One file, as `ssh -F` reads it; it must exist.
        case only(String)
        case none
    }

    private let files: Files
    private let context: ConfigContext

    package init(_ files: Files, _ context: ConfigContext = ConfigContext()) {
        self.files = files
        self.context = context
    }

    /// Everything that applies to a host.
    /// - Parameters:
    ///   - host: the host as a person named it.
    ///   - user: a user that was given elsewhere, for `Match user` and `%r`.
    ///   - port: the same for `%p`.
    /// - Throws: `configuration` with file and line for what ssh(1) would not read either.
    package func settings(
        for host: String, user: String? = nil, port: Int? = nil
    ) throws(SSHError) -> HostSettings {
        var reading = ConfigReading(host: host, user: user, port: port, context: context)
        try read(into: &reading)
        if reading.wantsFinalPass {
            try reading.beginFinalPass()
            try read(into: &reading)
        }
        return try reading.finish()
    }

    private func read(into reading: inout ConfigReading) throws(SSHError) {
        switch files {
        case .none: break
        case .only(let path): try reading.read(path, as: .user, mustExist: true, checksOwner: false)
        case .standard:
            try reading.read("\(context.home)/.ssh/config", as: .user, mustExist: false, checksOwner: true)
            try reading.read(context.systemFile, as: .system, mustExist: false, checksOwner: false)
        }
    }
}
