package import SSH

/// The state of a target as it was taken down at one time.
package struct TargetBaseline: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package let key: String
        package let parts: [String]
        /// The first part.
        package var value: String { parts.first ?? "" }
    }

    package let entries: [Entry]
    /// Whether all of it came.
    package let isWhole: Bool

    init(reply: String) {
        var (entries, isWhole) = ([Entry](), false)
        for line in reply.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let parts = line[line.index(after: equals)...].split(
                separator: "\t", omittingEmptySubsequences: false
            ).map { part in String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
            if line[..<equals] == "end" {
                isWhole = true
            } else {
                entries.append(Entry(key: String(line[..<equals]), parts: parts))
            }
        }
        (self.entries, self.isWhole) = (entries, isWhole)
    }

    package func value(_ key: String) -> String? { entries.first { $0.key == key && !$0.value.isEmpty }?.value }

    package func all(_ key: String) -> [Entry] { entries.filter { $0.key == key } }
}

extension Target {
    /// Takes down the target's state, beside whatever else is done with it.
    /// - Parameters:
    ///   - spool: the run's spool directory, in which the text waits until it is whole.
    ///   - own: the user's facts, by name; each has ten seconds and 4096 bytes.
    ///   - identifiers: whether serial numbers, MAC addresses and SSIDs are taken down, too.
    ///   - seconds: after which what has come so far is taken.
    package func takeBaseline(
        in spool: String, own: [(name: String, command: String)], identifiers: Bool, within seconds: Int
    ) async throws(SSHError) -> TargetBaseline {
        let path = shellWord("\(spool)/facts")
        let script = BaselineScript.text(facts: own, identifiers: identifiers)
        // By a file: the text is longer than some shells like a line to be, and the dispatcher must not wait for it.
        _ = try await dispatcher.run(
            "sh -c \(shellWord(script)) >\(path) 2>/dev/null 7>&- & ecr_facts=$!")
        var waited = 0
        while true {
            let text = try await dispatcher.run(
                "[ -e \(path) ] || echo lost; while IFS= read -r ecr_x; do printf '%s\\n' \"$ecr_x\"; done <\(path)"
            )
            .text
            let baseline = TargetBaseline(reply: text)
            // Where the spool is gone, nothing will ever be there.
            let isLost = waited > 0 && text.hasPrefix("lost\n")
            if baseline.isWhole || isLost || waited >= seconds * 1000 || Task.isCancelled {
                _ = try await dispatcher.run("kill -KILL $ecr_facts; rm -f \(path)")
                return baseline
            }
            let pause = min(1000, max(100, waited / 2))
            waited += pause
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }
}
