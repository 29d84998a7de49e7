import JSON
import SSH

/// Asks the ssh-agent how many keys it holds.
enum AgentProbe {
    static func finding(socket path: String?) -> Finding {
        guard let path else {
            return Finding(
                "ssh-agent", .ok, "none (SSH_AUTH_SOCK is not set): keys are read from files", details: ["keys": .null])
        }
        do throws(SSHError) {
            // Origin: an agent answers this from memory.
            let keys = try SSHAgent.countKeys(socket: path, timeout: 2)
            let hint = keys == 0 ? "ssh-add, if your keys have a passphrase" : nil
            return Finding(
                "ssh-agent", .ok, "\(keys) key\(keys == 1 ? "" : "s")", hint: hint, details: ["keys": JSON(keys)])
        } catch {
            return Finding(
                "ssh-agent", .warning, "SSH_AUTH_SOCK is \(path), but no agent answers there: \(error.message)",
                hint: "eval \"$(ssh-agent)\" && ssh-add, or unset SSH_AUTH_SOCK", details: ["keys": .null])
        }
    }
}
