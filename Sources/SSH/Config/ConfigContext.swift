import Glibc
import LinuxSystem

/// What an ssh_config file may refer to on this machine.
package struct ConfigContext: Sendable {
    package var home: String
    package var localUser: String
    package var localHost: String
    /// The file for all users of this machine; includes in it are relative to its folder.
    package var systemFile: String
    package var environment: @Sendable (String) -> String?

    package init(
        home: String = FileSystem.homeDirectory, localUser: String = Host.userName, localHost: String = Host.name,
        systemFile: String = "/etc/ssh/ssh_config",
        environment: @escaping @Sendable (String) -> String? = { Host.environment($0) }
    ) {
        self.home = home
        self.localUser = localUser
        self.localHost = localHost
        self.systemFile = systemFile
        self.environment = environment
    }

    /// A path with `~` and `~user` replaced; nil for a user who does not exist.
    func expandingTilde(_ path: String) -> String? {
        guard path.hasPrefix("~") else { return path }
        let name = path.dropFirst().prefix { $0 != "/" }
        let rest = path.dropFirst(1 + name.count)
        if name.isEmpty { return home + rest }
        guard let entry = getpwnam(String(name)) else { return nil }
        return String(cString: entry.pointee.pw_dir) + rest
    }
}
