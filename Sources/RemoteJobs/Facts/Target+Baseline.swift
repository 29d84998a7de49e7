import LinuxSystem
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
    /// Whether nothing more will come.
    let isOver: Bool

    init(reply: String) {
        var (entries, isWhole, isOver) = ([Entry](), false, false)
        for line in reply.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let parts = line[line.index(after: equals)...].split(
                separator: "\t", omittingEmptySubsequences: false
            ).map { part in String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
            switch line[..<equals] {
            case "end": isWhole = true
            case "over": isOver = true
            case let key: entries.append(Entry(key: String(key), parts: parts))
            }
        }
        (self.entries, self.isWhole, self.isOver) = (entries, isWhole, isOver || isWhole)
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
        let begun = try await dispatcher.run(
            "true >\(path) && { sh -c \(shellWord(script)) >\(path) 2>/dev/null 7>&- & ecr_facts=$!; }")
        // Where the spool is gone, or cannot be written, nothing will ever be there.
        guard begun.status == 0 else { return TargetBaseline(reply: "over=") }
        var waited = 0
        while true {
            // Whether the script has ended is asked first: then nothing follows what is read. On a full disk its last
            // line never comes. The state is the field behind the name in parentheses (proc(5)).
            let text = try await dispatcher.run(
                """
                ecr_x=; { read -r ecr_x <"/proc/$ecr_facts/stat"; } 2>/dev/null
                case ${ecr_x##*) } in ''|[ZX]*) echo over= ;; esac
                while IFS= read -r ecr_x; do printf '%s\\n' "$ecr_x"; done <\(path)
                """
            ).text
            let baseline = TargetBaseline(reply: text)
            if baseline.isOver || waited >= seconds * 1000 || Task.isCancelled {
                _ = try await dispatcher.run("kill -KILL $ecr_facts; rm -f \(path)")
                return baseline
            }
            let pause = min(1000, max(100, waited / 2))
            waited += pause
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }
}
