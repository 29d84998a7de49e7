/// A value that stands in no file: it is taken from the environment of the command that starts the run.
package struct Secret: Sendable, Hashable {
    /// The name of the variable, on the controller.
    package let variable: String
    /// Where the profile uses it, as messages say it: `connection: password`.
    package let use: String

    /// As the profile writes it.
    var source: String { "env:\(variable)" }
}

extension Profile {
    /// Every secret of the profile, each use of it once.
    package var secrets: [Secret] { loginSecrets + environmentSecrets }

    /// Passwords: they may be short, but are masked only if they are long enough.
    package var loginSecrets: [Secret] { [connection.password, connection.sudoPassword].compactMap { $0 } }

    /// Values of environment variables on the target.
    package var environmentSecrets: [Secret] {
        let entries = connection.env + actions.flatMap(\.env) + collectors.flatMap(\.env)
        var secrets: [Secret] = []
        for case .secret(let secret) in entries.map(\.value) where !secrets.contains(secret) { secrets.append(secret) }
        return secrets
    }
}
