/// What can be said of an ssh-agent without logging in anywhere. Blocks.
package enum SSHAgent {
    /// How many keys the agent behind a socket holds.
    /// - Parameter timeout: seconds.
    package static func countKeys(socket path: String, timeout: Double) throws(SSHError) -> Int {
        try AgentClient(path: path, deadline: Deadline(seconds: timeout)).identities().count
    }
}
