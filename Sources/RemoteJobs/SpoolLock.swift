/// The lock file of a spool root: which controller uses it, and since when.
package struct SpoolLock: Sendable, Equatable {
    /// `ControllerIdentity.id`.
    package let controller: String
    /// `user@host`.
    package let name: String
    /// ISO 8601, UTC, by the controller's clock.
    package let since: String

    package init(controller: String, name: String, since: String) {
        self.controller = controller
        self.name = name
        self.since = since
    }

    /// Nil for a line that is not whole.
    package init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 6, words[0] == "lock", words[1] == "1", words[5] == "end" else { return nil }
        self.init(controller: String(words[2]), name: String(words[3]), since: String(words[4]))
    }

    /// `user@host since 2026-01-27 14:30:52 UTC`, for people.
    package var holder: String {
        "\(name) since \(since.prefix(19).split(separator: "T").joined(separator: " ")) UTC"
    }

    /// As it stands in the file (see `JobProtocol`).
    var line: String { "lock 1 \(controller) \(name) \(since) end" }
}
