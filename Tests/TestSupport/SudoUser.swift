import Glibc
import LinuxSystem

/// A login user of this machine with a password and a rule in sudoers(5), removed with its last reference.
///
/// Making one needs root: see `isAvailable`.
package final class SudoUser: Sendable {
    package enum Rule: Sendable {
        case password
        case noPassword
        /// Not in sudoers at all.
        case none
    }

    package let name: String
    package let password: String
    package let home: String
    package let uid: UInt32

    /// Whether this machine can make one: root, with sudo and the tools that make users.
    package static let isAvailable: Bool =
        TestUser.isAvailable && ["sudo", "setpriv"].allSatisfy { Command.find($0) != nil }

    /// - Parameter defaults: settings of sudo for this user alone, such as `requiretty`.
    package init(_ rule: Rule = .password, defaults: [String] = []) async throws {
        name = "ecrtest" + Host.randomBytes(4).map { String($0 % 10) }.joined()
        // Blanks, quotes and a backslash: what a shell could misread. Long enough to be masked.
        password = #"it's a "pass\nword" $HOME "# + Host.randomBytes(6).map { String($0, radix: 16) }.joined()
        home = "/home/\(name)"
        try await TestUser.run("useradd", ["--create-home", "--home-dir", home, "--shell", "/bin/sh", name])
        // getpwnam(3) is not for threads.
        let id = try await Command.runSuccessfully("/usr/bin/id", ["-u", name]).outputText
        uid = UInt32(id.dropLast()) ?? 0
        try await setPassword(password)
        try write(rule, defaults)
    }

    deinit { remove() }

    package func setPassword(_ password: String) async throws {
        try await TestUser.run("chpasswd", [], input: "\(name):\(password)\n")
    }

    private var rules: String { "/etc/sudoers.d/\(name)" }

    private func write(_ rule: Rule, _ defaults: [String]) throws {
        var lines = defaults.map { "Defaults:\(name) \($0)" }
        switch rule {
        case .password: lines.append("\(name) ALL=(ALL:ALL) ALL")
        case .noPassword: lines.append("\(name) ALL=(ALL:ALL) NOPASSWD: ALL")
        case .none: break
        }
        let file = try File(path: rules, O_WRONLY | O_CREAT | O_EXCL, mode: 0o440)
        try file.write(Array((lines.joined(separator: "\n") + "\n").utf8), at: 0)
    }

    /// Gives a file or folder to the user.
    package func own(_ path: String) throws {
        try check("give away", path: path) { chown(path, uid, uid) }
    }

    /// A command line that runs as this user, in a session without a terminal.
    package func command(_ words: [String]) -> [String] {
        [
            "/usr/bin/setpriv", "--reuid=\(name)", "--regid=\(name)", "--init-groups", "/usr/bin/env", "-i",
            "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=\(home)", "USER=\(name)", "/usr/bin/setsid", "--wait",
        ] + words
    }

    /// Removes the user before its last reference is gone; processes of its own must have ended.
    package func remove() {
        unlink(rules)
        unlink("/run/sudo/ts/\(name)")
        unlink("/var/lib/sudo/lectured/\(name)")
        // It gives up at once when somebody else holds the password file.
        let script = """
            for i in 1 2 3 4 5 6 7 8 9; do
            userdel --remove --force "$0" 2>&1 | grep -q lock || break; sleep 0.2
            done
            """
        let words = ["/bin/sh", "-c", script, name]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var pid: pid_t = 0
        if posix_spawn(&pid, words[0], nil, nil, &arguments, environ) == 0 { waitpid(pid, nil, 0) }
    }
}
