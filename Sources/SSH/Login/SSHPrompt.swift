/// Something that only a person can answer, asked while a connection is made.
package struct SSHPrompt: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// Whether an unknown host key is the target's: answered by `yes`, or by the fingerprint itself.
        case hostKey = "host_key"
        /// Of an encrypted key file.
        case passphrase
        case password
        /// One prompt of RFC 4256; its words are the server's.
        case keyboardInteractive = "keyboard_interactive"
    }

    package let kind: Kind
    /// The whole question. It may hold words of the server: escape it before it reaches a terminal.
    package let text: String
    /// Whether what is typed may be seen.
    package let isEchoed: Bool

    package init(_ kind: Kind, _ text: String, isEchoed: Bool) {
        self.kind = kind
        self.text = text
        self.isEchoed = isEchoed
    }
}

/// Asks a person and waits for the answer; nil where nobody is there or the answer is refused.
///
/// Called on the worker thread that makes a connection, which it may block for as long as a person takes.
package typealias SSHAsk = @Sendable (SSHPrompt) -> String?
