/// What was tried to log in, for the message that says that none of it worked.
struct LoginReport {
    private var lines: [String] = []
    /// A key that the server did not take although we could have signed with it: it may be copied there.
    private(set) var refusedKey: String?
    /// A key that stayed locked, because nobody gave its passphrase.
    private(set) var lockedKey: String?
    /// A method that a person would have had to answer for.
    private(set) var unanswered: String?
    /// What the server has accepted: all of what let us in, or parts of a login with several factors.
    private(set) var accepted: [String] = []

    /// Whether keys of the agent were refused.
    private(set) var hasRefusedAgentKeys = false

    mutating func add(_ text: String) { lines.append(text) }

    mutating func add(_ what: String, _ outcome: String) { lines.append("\(what): \(outcome)") }

    mutating func refusedAgentKey(_ what: String) {
        hasRefusedAgentKeys = true
        add(what, "refused")
    }

    mutating func refused(key path: String, _ what: String) {
        if refusedKey == nil { refusedKey = path }
        add(what, "refused")
    }

    /// An algorithm that the server wants and that we would have to be allowed.
    private(set) var unusableAlgorithm: String?

    mutating func unusable(_ what: String, _ algorithm: String) {
        unusableAlgorithm = algorithm
        add(what, "the server wants \(algorithm) signatures, which are not used unasked")
    }

    mutating func locked(key path: String, _ reason: String) {
        if lockedKey == nil { lockedKey = path }
        add("key \(path)", "encrypted, needs its passphrase, and \(reason)")
    }

    mutating func unanswered(_ method: String, _ reason: String) {
        if unanswered == nil { unanswered = method }
        add(method, reason)
    }

    mutating func accepted(_ what: String) {
        accepted.append(what)
        add(what, "accepted, but the server wants more")
    }

    /// The last thing that the server wanted.
    mutating func letIn(by what: String) { accepted.append(what) }

    var text: String { lines.isEmpty ? "nothing" : lines.joined(separator: "; ") }
}
