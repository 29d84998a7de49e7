import CLibSSH

/// Whether a key exchange was the strict one, which no man in the middle can shorten (Terrapin, CVE-2023-48795).
///
/// libssh 0.10 tells it in its log only (kex.c: `Server supports strict kex, enabling.`). Its log settings are the
/// thread's own, and the exchange runs on a thread of its own.
enum StrictKeyExchange {
    /// Runs an exchange.
    /// - Returns: what it returns, and whether the server has agreed to be strict.
    static func observe<Value>(_ exchange: () throws(SSHError) -> Value) throws(SSHError) -> (Value, isStrict: Bool) {
        let seen = UnsafeMutablePointer<Bool>.allocate(capacity: 1)
        seen.initialize(to: false)
        ssh_set_log_userdata(seen)
        ssh_set_log_callback { _, _, line, user in
            guard let line, let user, String(cString: line).contains("Server supports strict kex") else { return }
            user.assumingMemoryBound(to: Bool.self).pointee = true
        }
        ssh_set_log_level(SSH_LOG_DEBUG)
        defer {
            ssh_set_log_level(SSH_LOG_NONE)
            ssh_set_log_callback { _, _, _, _ in }
            ssh_set_log_userdata(nil)
            seen.deallocate()
        }
        return (try exchange(), seen.pointee)
    }
}
