package import JSON
import LinuxSystem
import SSH

/// The host keys that a target shows to whoever asks, and what known_hosts says about them. Nobody logs in.
package struct HostKeyTrust: Sendable {
    /// One key, as people compare it.
    package struct Key: Sendable, Equatable {
        package let type: String
        package let fingerprint: String
        package var text: String { "\(type) \(fingerprint)" }

        package var json: JSON { ["type": .string(type), "fingerprint": .string(fingerprint)] }
    }

    private let reference: TargetReference
    private let options: SSHOptions
    private let hostKeys: [HostKey]
    private let knownHosts: KnownHosts

    /// Fetches the keys.
    package static func begin(_ reference: TargetReference, answer: QuestionAnswer?) async throws(ECRFailure)
        -> HostKeyTrust
    {
        let options = reference.options(answer: answer)
        do {
            let keys = try await HostKey.fetch(from: options)
            return HostKeyTrust(
                reference: reference, options: options, hostKeys: keys, knownHosts: KnownHosts(options))
        } catch { throw ECRFailure(error) }
    }

    /// Every key that the target shows, in the order in which ecr asks for them.
    package var keys: [Key] { hostKeys.map { Key(type: $0.type, fingerprint: $0.fingerprint) } }

    /// The file that is written.
    package var file: String { knownHosts.file }

    /// The key that is trusted already, and where it says so.
    /// - Throws: `.refused` where the target shows a key that is revoked, or none of those that are known: whatever a
    ///   person says, this is not to be passed over.
    package func trusted() throws(ECRFailure) -> (key: Key, place: String)? {
        if let pin = options.pinnedHostKey { return try pinned(pin) }
        var changed: [KnownHosts.Entry] = []
        for (hostKey, key) in zip(hostKeys, keys) {
            switch knownHosts.standing(of: hostKey) {
            case .known(let entry): return (key, entry.place)
            case .revoked(let entry):
                throw ECRFailure(
                    .refused, "the host key of \(options.address), \(key.text), is revoked by \(entry.place)")
            case .changed(let entries): changed = entries
            case .unknown: continue
            }
        }
        guard let first = changed.first else { return nil }
        let known = changed.map { "\($0.place), says \($0.key.type) \($0.key.fingerprint)" }
        throw ECRFailure(
            .refused,
            "the host key of \(options.address) has changed: it shows \(list); \(known.joined(separator: "; "))",
            hint: "somebody may stand in between. If the target was reinstalled, forget the old key: "
                + "ssh-keygen -f '\(first.file)' -R '\(knownHosts.name)'")
    }

    /// The key with a fingerprint.
    /// - Throws: `.refused` with both where the target shows another.
    package func key(with fingerprint: String) throws(ECRFailure) -> Key {
        if let key = keys.first(where: { $0.fingerprint == fingerprint }) { return key }
        throw ECRFailure(
            .refused, "\(options.address) does not show \(fingerprint): it shows \(list)",
            hint: "compare on the target: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    }

    /// Trusts a key from now on.
    package func add(_ key: Key) throws(ECRFailure) {
        guard let hostKey = hostKeys.first(where: { $0.fingerprint == key.fingerprint }) else { return }
        do { try knownHosts.add(hostKey) } catch { throw ECRFailure(.storage, error.description) }
    }

    /// Where nobody has vouched for a key and nobody can be asked.
    package var unknown: ECRFailure {
        let first = keys.first?.fingerprint ?? ""
        return ECRFailure(
            .refused, "the host key of \(options.address) is not known: it shows \(list)",
            hint: "compare the fingerprint on the target, then: ecr target trust \(reference.text) \(first)")
    }

    /// What a person is asked.
    package var question: Question {
        let others = keys.dropFirst().map { "\n(and \($0.text))" }.joined()
        return Question(
            kind: "host_key",
            text: """
                the host key of \(options.address) is not known. It shows
                \(keys.first?.text ?? "")\(others)
                Compare it with the target's own (there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub).
                Is it the same, to be written to \(file)? (yes, no, or the fingerprint):
                """,
            isEchoed: true)
    }

    private var list: String { keys.map(\.text).joined(separator: ", ") }

    private func pinned(_ pin: String) throws(ECRFailure) -> (key: Key, place: String) {
        if let key = keys.first(where: { $0.fingerprint == pin }) { return (key, "host_key: in \(reference.text)") }
        throw ECRFailure(
            .refused, "the profile pins \(pin), but \(options.address) shows \(list)",
            hint: "find out why before you connect; if the target was reinstalled, correct host_key: in the profile")
    }
}
