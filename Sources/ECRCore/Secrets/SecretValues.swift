import LinuxSystem
import Profiles

/// The values of a profile's secrets: the supervisor inherits the environment of the command that starts it.
struct SecretValues: Sendable {
    let byVariable: [String: String]
    /// What is worth saying although the run can start.
    let warnings: [String]

    /// - Throws: `.usage` with every variable that is missing or unfit.
    init(_ profile: Profile) throws(ECRFailure) {
        var values: [String: String] = [:]
        var problems: [String] = []
        var warnings: [String] = []
        let logins = profile.loginSecrets
        for secret in profile.secrets {
            let taken = "the profile takes '\(secret.use)' from $\(secret.variable)"
            guard let value = Host.environment(secret.variable) else {
                problems.append("\(taken), which is not set")
                continue
            }
            values[secret.variable] = value
            let isShort = value.utf8.count < SecretMask.shortest
            if logins.contains(secret) {
                if value.utf8.contains(0x0A) { problems.append("\(taken), which has several lines") }
                if isShort {
                    warnings.append(
                        "\(taken); it has less than \(SecretMask.shortest) characters, so it is not masked in the record"
                    )
                }
            } else if isShort {
                problems.append(
                    "\(taken), which has less than \(SecretMask.shortest) characters: masking it would shred the record"
                )
            }
        }
        guard problems.isEmpty else {
            let missing = profile.secrets.map(\.variable).first { values[$0] == nil }
            throw ECRFailure(
                .usage, problems.joined(separator: "\n"),
                hint: missing.map { "export \($0), then type the command again" })
        }
        byVariable = values
        self.warnings = warnings
    }

    subscript(secret: Secret?) -> String? { secret.flatMap { byVariable[$0.variable] } }
}
