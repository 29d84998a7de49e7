import Hashing
package import JSON

/// Artifacts that did not come, and have not come since.
///
/// One that fails again is the same one. What a job has left may come by another pull for that job, by another attempt, or
/// by hand; then it is what the last job has left. What was asked for by hand may come by any pull. A file of the same name
/// that another job has left is another one.
package struct MissingArtifacts: Sendable, Equatable {
    /// One of them.
    private struct Missing: Sendable, Equatable {
        /// The job for which it was asked, by its first attempt; empty for what was asked for by hand.
        let owner: String
        /// Of the first event that told of it.
        let seq: Int64
        /// The data of the last one; kept of few.
        var failure: JSON?

        var isRequired: Bool { failure?["required"]?.bool == true }
    }

    /// A pull of something that is missing: it has come once so many files have come, or have failed by themselves.
    private struct Found: Sendable, Equatable {
        let digest: String
        let owner: String
        var left: Int64
    }

    /// By digests of the names on the target.
    private var missing: [String: [Missing]] = [:]
    private var found: [Found] = []
    private var known: Int64 = 0
    private var named = 0
    /// Of these.
    private var namedRequired = 0
    /// How many there are of which it is not known which they are.
    private var others: Int64 = 0

    /// Origin: what a summary names; the stream holds all.
    private static let mostNamed = 10
    /// Origin: about a MiB.
    private static let mostKnown = 10_000
    /// Digits of a digest. Origin: so many are kept without memory of their own; two of `mostKnown` names have the same
    /// once in some ten thousand million runs.
    private static let digits = 15

    package init() {}

    package var count: Int64 { known + others }

    /// What the first of them tell, required ones before all others: the data of their last `artifact_pull_failed`.
    package var first: [JSON] {
        let all = sorted.map(\.1)
        return (all.filter(\.isRequired) + all.filter { !$0.isRequired }).compactMap(\.failure)
    }

    /// Whether nothing that comes can change anything.
    var isEmpty: Bool { known == 0 }

    private var sorted: [(String, Missing)] {
        missing.flatMap { digest, all in all.map { (digest, $0) } }.sorted { $0.1.seq < $1.1.seq }
    }

    // MARK: Events

    /// - Parameters:
    ///   - failure: the data of `artifact_pull_failed`.
    ///   - owner: whose pull it is, as in `Missing`.
    mutating func apply(failure: JSONObject, by owner: String, seq: Int64) {
        let digest = Self.digest(failure)
        found.removeAll { $0.digest == digest && $0.owner == owner }
        defer { countOne(of: owner) }
        if let place = missing[digest]?.firstIndex(where: { $0.owner == owner }) {
            if var one = missing[digest]?[place], one.failure != nil {
                namedRequired -= one.isRequired ? 1 : 0
                one.failure = .object(failure)
                namedRequired += one.isRequired ? 1 : 0
                missing[digest]?[place] = one
            }
            return
        }
        let isRequired = failure["required"]?.bool == true
        if isRequired && named >= Self.mostNamed && namedRequired < named { forgetOneThatIsNotRequired() }
        let isNamed = named < Self.mostNamed
        if known >= Self.mostKnown && !(isRequired && isNamed) { return others += 1 }
        add(digest, Missing(owner: owner, seq: seq, failure: isNamed ? .object(failure) : nil))
    }

    /// - Parameter data: of `artifact_pulled`.
    mutating func apply(pulled data: JSONObject, by owner: String) {
        settle(Self.digest(data), by: owner)
        countOne(of: owner)
    }

    /// - Parameter data: of `artifact_pull_started`.
    mutating func apply(started data: JSONObject, by owner: String) {
        let digest = Self.digest(["remote": data["entry"]])
        if missing[digest] == nil { return }
        found.removeAll { $0.digest == digest && $0.owner == owner }
        let files = data["files"]?.int ?? 0
        if files > 0 {
            found.append(Found(digest: digest, owner: owner, left: files))
        } else {
            settle(digest, by: owner)
        }
    }

    /// Makes room among those that are named, if there is one that matters less.
    private mutating func forgetOneThatIsNotRequired() {
        guard let (digest, last) = sorted.last(where: { $0.1.failure != nil && !$0.1.isRequired }),
            let place = missing[digest]?.firstIndex(of: last)
        else { return }
        missing[digest]?[place].failure = nil
        named -= 1
    }

    private mutating func add(_ digest: String, _ one: Missing) {
        missing[digest, default: []].append(one)
        known += 1
        if one.failure != nil { named += 1 }
        if one.isRequired { namedRequired += 1 }
    }

    /// A file of a pull is dealt with.
    private mutating func countOne(of owner: String) {
        if found.isEmpty { return }
        for place in found.indices where found[place].owner == owner { found[place].left -= 1 }
        for done in found where done.left <= 0 { settle(done.digest, by: owner) }
        found.removeAll { $0.left <= 0 }
    }

    private mutating func settle(_ digest: String, by owner: String) {
        guard let all = missing[digest] else { return }
        let job = owner.isEmpty ? all.last { !$0.owner.isEmpty }?.owner : owner
        let left = all.filter { !$0.owner.isEmpty && $0.owner != job }
        missing[digest] = left.isEmpty ? nil : left
        known -= Int64(all.count - left.count)
        named -= all.count { $0.failure != nil } - left.count { $0.failure != nil }
        namedRequired -= all.count(where: \.isRequired) - left.count(where: \.isRequired)
    }

    private static func digest(_ data: JSONObject) -> String {
        // No name has a zero byte, so that no text is taken for one in base64.
        let name = data["remote"]?.string ?? "\0\(data["remote_base64"]?.string ?? "")"
        return String(SHA256.hexDigest(of: name.utf8).prefix(digits))
    }

    // MARK: The manifest

    package var json: JSON {
        [
            "count": .int(count), "others": .int(others),
            "known": .array(
                sorted.map { digest, one in
                    [
                        "digest": .string(digest), "owner": .string(one.owner), "seq": .int(one.seq),
                        "failure": one.failure,
                    ]
                }),
            "found": .array(
                found.map { ["digest": .string($0.digest), "owner": .string($0.owner), "left": .int($0.left)] }),
        ]
    }

    /// - Returns: nil where a manifest does not have it.
    init?(json: JSON?) {
        guard let known = json?["known"]?.array, let found = json?["found"]?.array,
            let others = json?["others"]?.int
        else { return nil }
        self.others = others
        for one in known {
            let (owner, seq) = (one["owner"]?.string ?? "", one["seq"]?.int ?? 0)
            add(one["digest"]?.string ?? "", Missing(owner: owner, seq: seq, failure: one["failure"]))
        }
        self.found = found.map {
            Found(
                digest: $0["digest"]?.string ?? "", owner: $0["owner"]?.string ?? "", left: $0["left"]?.int ?? 0)
        }
    }
}
