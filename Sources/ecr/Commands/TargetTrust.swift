import ArgumentParser
import ECRCore
import JSON

struct TargetTrust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Trust a target's host key from now on.",
        discussion: """
            The key is fetched without logging in. With the fingerprint that the target itself shows \
            (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`, there), it is compared and written to known_hosts; \
            without one you are asked. A key that has changed is refused.

            Example:
              ecr target trust 192.168.1.100 SHA256:ealReu1H7Xm…
              ecr target trust board.yaml
            """)

    @Argument(help: "A host with or without :port, user@host, or a profile.") var target: String
    @Argument(help: "The fingerprint, SHA256:….") var fingerprint: String?
    @OptionGroup var profiles: ProfileOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard let fingerprint else { return }
        guard fingerprint.hasPrefix("SHA256:"), fingerprint.utf8.count == "SHA256:".utf8.count + 43 else {
            throw ValidationError(
                "'\(fingerprint)' is no fingerprint; write SHA256: and 43 characters, as `ssh-keygen -l` prints them")
        }
    }

    func run() async throws {
        let reference = try TargetReference(target, directory: profiles.profilesDir, takesHost: true)
        common.steps("fetching the host key of \(reference.address)")
        let trust = try await HostKeyTrust.begin(reference, answer: common.questioner)
        Terminal.clearStatus()
        let trusted = try trust.trusted()
        let wanted = try fingerprint.map { text in try trust.key(with: text) }
        if let trusted, wanted == nil || wanted == trusted.key {
            show(trusted.key, trust, isAdded: false)
            return Terminal.say("known already: \(trusted.key.text) (\(trusted.place))")
        }
        let key = try wanted ?? ask(trust)
        try trust.add(key)
        show(key, trust, isAdded: true)
        Terminal.say("\(key.text) is trusted from now on (\(trust.file))")
        Terminal.say(
            "next: ecr target check \(reference.profile == nil && !target.contains("@") ? "USER@" : "")\(target)")
    }

    private func ask(_ trust: HostKeyTrust) throws -> HostKeyTrust.Key {
        guard let answer = common.answerer(), let first = trust.keys.first else { throw trust.unknown }
        let reply = try (answer(trust.question) ?? "").filter { !$0.isWhitespace }
        if reply.hasPrefix("SHA256:") { return try trust.key(with: reply) }
        guard reply.lowercased() == "yes" else { throw trust.unknown }
        return first
    }

    private func show(_ key: HostKeyTrust.Key, _ trust: HostKeyTrust, isAdded: Bool) {
        guard output.json else { return }
        Terminal.result([
            "key": key.json, "added": .bool(isAdded), "known_hosts": .string(trust.file),
            "keys": .array(trust.keys.map(\.json)),
        ])
    }
}
