import CLibSSH
import Glibc
import LinuxSystem

/// Logs in with public keys: the one key file that is named, else the agent's keys and then the usual files.
///
/// The order is made here, since `ssh_userauth_publickey_auto` writes missing `.pub` files (auth.c).
struct Authentication {
    let handshake: Handshake
    private var options: SSHOptions { handshake.options }
    private var raw: ssh_session { handshake.raw }

    func logIn() throws(SSHError) {
        var tried: [String] = []
        if let path = options.keyFile {
            let key = try PrivateKey(path: path)
            if try offer(key) { return }
            tried.append(path)
        } else {
            if try logInByAgent(&tried) { return }
            for path in Authentication.usualFiles where FileSystem.exists(path) {
                do {
                    if try offer(try PrivateKey(path: path)) { return }
                    tried.append(path)
                } catch  where error.code == .keyUnusable {
                    tried.append(error.message)
                }
            }
        }
        throw refused(tried)
    }

    /// Origin: the order of ssh(1), without the types that need hardware or are no longer offered.
    private static var usualFiles: [String] {
        ["id_ed25519", "id_ecdsa", "id_rsa"].map { FileSystem.expandingTilde("~/.ssh/\($0)") }
    }

    private func logInByAgent(_ tried: inout [String]) throws(SSHError) -> Bool {
        guard let socket = options.agentSocket ?? Host.environment("SSH_AUTH_SOCK"), !socket.isEmpty else {
            tried.append("no ssh-agent (SSH_AUTH_SOCK is not set)")
            return false
        }
        tried.append("the keys of the ssh-agent at \(socket)")
        return try judge(handshake.complete(again: SSH_AUTH_AGAIN.rawValue) { ssh_userauth_agent(raw, nil) })
    }

    private func offer(_ key: PrivateKey) throws(SSHError) -> Bool {
        try judge(
            handshake.complete(again: SSH_AUTH_AGAIN.rawValue) { ssh_userauth_publickey(raw, nil, key.pointer) })
    }

    /// Whether we are in. A broken connection ends the attempts; a refusal does not.
    private func judge(_ result: Int32) throws(SSHError) -> Bool {
        switch result {
        case SSH_AUTH_SUCCESS.rawValue: return true
        case SSH_AUTH_DENIED.rawValue, SSH_AUTH_PARTIAL.rawValue: return false
        default:
            let reason = lastError(raw)
            throw SSHError(
                ssh_is_connected(raw) == 0 ? .unreachable : .authenticationFailed,
                "cannot log in to \(options.place) as \(options.user): \(reason)")
        }
    }

    private func refused(_ tried: [String]) -> SSHError {
        let key = options.keyFile ?? "~/.ssh/id_ed25519"
        return SSHError(
            .authenticationFailed,
            "\(options.place) does not let \(options.user) in; tried: \(tried.joined(separator: "; "))",
            hint: "ssh-copy-id -i \(key).pub -p \(options.port) \(options.user)@\(options.host)")
    }
}
