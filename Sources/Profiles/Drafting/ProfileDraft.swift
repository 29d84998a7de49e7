import YAML

/// A new profile as commented text, for a person to go on from.
package struct ProfileDraft: Sendable {
    /// A collector that works, or should work, on the target.
    package struct Sampler: Sendable {
        package enum Kind: Sendable, Equatable {
            /// As a profile writes it: `5s`.
            case interval(String)
            case stream
        }

        package var name: String
        package var command: String
        package var kind: Kind
        /// What is sampled, in a few words.
        package var purpose: String
        /// How long one sample took there, and what it was.
        package var evidence: String?
        /// Only when an operator asks for it.
        package var isManual: Bool

        package init(
            _ name: String, _ command: String, _ kind: Kind, _ purpose: String, evidence: String? = nil,
            isManual: Bool = false
        ) {
            self.name = name
            self.command = command
            self.kind = kind
            self.purpose = purpose
            self.evidence = evidence
            self.isManual = isManual
        }
    }

    /// A command whose output tells what the target is, and the file that keeps it.
    package struct Snapshot: Sendable {
        package var file: String
        package var command: String

        package init(_ file: String, _ command: String) {
            self.file = file
            self.command = command
        }
    }

    package var name: String
    package var description: String
    /// Lines for the head of the file.
    package var origin: [String]
    package var host: String
    package var port: Int?
    package var user: String
    /// The fingerprint that the target showed.
    package var hostKey: String?
    /// Why the spool may have to lie elsewhere.
    package var spoolNote: String?
    /// Whether `timeout:` of a collector is kept there.
    package var keepsTimeouts: Bool
    /// Whether files can be pulled from there.
    package var pullsFiles: Bool
    package var snapshots: [Snapshot]
    package var samplers: [Sampler]

    package init(name: String, host: String, port: Int?, user: String) {
        self.name = name
        self.host = host
        self.port = port
        self.user = user
        description = "A Linux target: load, memory and disk while your commands run"
        origin = ["A starting point: put your target below, and replace the actions by your own."]
        keepsTimeouts = true
        pullsFiles = true
        snapshots = [
            Snapshot("cpuinfo.txt", "cat /proc/cpuinfo"), Snapshot("meminfo.txt", "cat /proc/meminfo"),
            Snapshot("disks.txt", "df -k"), Snapshot("processes.txt", "ps"),
        ]
        samplers = [
            Sampler("load", "cat /proc/loadavg", .interval("5s"), "runnable processes over 1, 5 and 15 minutes"),
            Sampler("memory", "cat /proc/meminfo", .interval("30s"), "free and used memory"),
            Sampler("disk", "df -k", .interval("5m"), "free space of every file system"),
        ]
    }

    /// YAML that is a valid profile.
    package var text: String {
        [head, connection, parameters, "setup: [snapshot]\n", actions, collectors].joined(separator: "\n")
    }

    // MARK: Parts

    private var head: String {
        let lines =
            origin + [
                "`ecr profile validate FILE` checks this file after a change; `ecr help profile` lists what it may hold.",
                "", "  ecr run start \(name).yaml",
                "  ecr action measure -p command_line=/opt/app/benchmark -p repeat=5",
                "  ecr run complete",
            ]
        return lines.map { $0.isEmpty ? "#" : "# " + Self.comment($0, limit: 400) }.joined(separator: "\n") + """


            name: \(ScalarText.inline(name))
            description: \(ScalarText.inline(Self.comment(description, limit: 200)))

            """
    }

    private var connection: String {
        var lines = ["connection:", "  host: \(ScalarText.inline(host))"]
        lines.append(port.map { "  port: \($0)" } ?? "  # port: 22")
        lines.append("  user: \(ScalarText.inline(user))")
        lines.append(
            "  # key_file: \"~/.ssh/id_ed25519\"   # only this key; without it: the agent and the default keys")
        lines.append(
            hostKey.map { "  # host_key: \"\($0)\"   # pins the key that it showed; without it known_hosts decides" }
                ?? "  # host_key: \"SHA256:...\"          # for machines without a known_hosts file, such as CI machines"
        )
        if let spoolNote {
            lines.append("  # \(Self.comment(spoolNote, limit: 300))")
            lines.append("  # spool_dir: \"/data/ecr\"")
        }
        lines.append("  timeout: 30")
        return lines.joined(separator: "\n") + "\n"
    }

    private var parameters: String {
        """
        # {name} in a command is replaced by the value as one literal word, whatever the value holds.
        parameters:
          command_line: {type: path, default: /bin/true, description: "The program that 'measure' runs"}
          repeat: {type: int, default: 1, min: 1, max: 1000, description: "How often 'measure' runs it"}

        """
    }

    private var actions: String {
        let described = snapshots.map { snapshot in
            let command = pullsFiles ? "\(snapshot.command) > \"$ECR_OUT/\(snapshot.file)\"" : snapshot.command
            return "      - \(ScalarText.inline(command))"
        }
        let output =
            pullsFiles
            ? "# Every file in $ECR_OUT, a fresh folder of each job, is pulled when the job has ended."
            : "# No files can be pulled from the target, which has neither SFTP nor `find -print0`: what is printed is kept."
        return """
            actions:
              \(output)
              snapshot:
                description: "Record what the target is"
                commands:
                  - uname -a
            \(described.joined(separator: "\n"))
                timeout: 60s

              measure:
                description: "Run a program several times and keep its output"
                commands:
                  # Several lines are one script; every command of this list runs in a fresh sh.
                  - |
                    n=0
                    while [ "$n" -lt {repeat} ]; do
                      n=$((n + 1))
                      echo "run $n of {repeat}"
                      {command_line} || exit
                    done
                timeout: 10m      # kept by the target, also while the link is down

            """
    }

    private var collectors: String {
        if samplers.isEmpty {
            return "# No sampler that was tried gave any output; see `ecr help profile` for background_collectors.\n"
        }
        let lines = samplers.flatMap { sampler in
            let words = [sampler.purpose, sampler.evidence].compactMap { $0 }.joined(separator: "; ")
            return ["  # \(Self.comment(words, limit: 160))", "  \(sampler.name): {\(flow(sampler))}"]
        }
        return """
            # Sampled from start to complete. The samples: logs/collectors/<name>.csv and .log of the run.
            background_collectors:
            \(lines.joined(separator: "\n"))

            """
    }

    private func flow(_ sampler: Sampler) -> String {
        var parts: [String] = []
        switch sampler.kind {
        case .interval(let interval):
            parts = ["command: \(Self.quoted(sampler.command))", "interval: \(interval)"]
            if keepsTimeouts { parts.append("timeout: 10") }
        case .stream: parts = ["stream: \(Self.quoted(sampler.command))"]
        }
        if sampler.isManual { parts.append("start: manual") }
        return parts.joined(separator: ", ")
    }

    /// In a flow mapping a comma or a brace would end a plain scalar.
    private static func quoted(_ text: String) -> String {
        let inline = ScalarText.inline(text)
        return inline.hasPrefix("\"") ? inline : "\"\(inline)\""
    }

    /// One line of printable characters, so that no text of a target can become more than a comment.
    private static func comment(_ text: String, limit: Int) -> String {
        let clean = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .surrogate, .unassigned, .lineSeparator, .paragraphSeparator: " "
                    default: scalar
                    }
                }))
        return clean.count <= limit ? clean : clean.prefix(limit) + "…"
    }
}
