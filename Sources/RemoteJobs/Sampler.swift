import LinuxSystem

/// The shell text of a collector: a loop that runs on the target and goes on while the link is down, and the format in
/// which its samples stand in the spool.
///
/// Interval: `\n<token> B <tick> <uptime>\n`, the command's output (stdout and stderr), `\n<token> E <tick> <status> <uptime>\n`.
/// `\n<token> O <first tick> <last tick> <uptime>\n`: these ticks were skipped, because the one before still ran.
/// Stream: `<token> L <tick> <uptime> <line>\n` for each line of the command's output.
/// The token is random, so that no output can look like a mark. Ticks count from 0 and are those of the interval; they
/// never pile up. Every number comes as a sample or as skipped: one that comes as neither was lost.
package struct Sampler: Sendable {
    package let token: String
    package let commands: [String]

    package init(token: String, commands: [String]) {
        self.token = token
        self.commands = commands
    }

    /// A token for one job.
    package static func newToken() -> String { "#" + Host.randomBytes(8).map { String($0, radix: 36) }.joined() }

    /// Samples every `interval` seconds.
    ///
    /// A sample is cut by `head`, which ends the command by SIGPIPE; the status comes back beside the output. So a command
    /// that leaves something running which holds its output open has its sample end only with that, or with the timeout.
    /// - Parameters:
    ///   - timeout: seconds for one sample, as far as the target can keep them.
    ///   - limit: bytes of a sample; one byte more comes, so that a longer one can be told. Nil for any length.
    package static func interval(
        command: String, interval: Double, timeout: SampleTimeout?, limit: Int?, token: String, tools: Set<String>
    ) -> Sampler {
        let cut = limit.flatMap { tools.contains("head") ? "| head -c \($0 + 1) " : nil } ?? ""
        let sample: String
        if let timeout, timeout.keeper == .group {
            sample =
                "r=$( exec 2>/dev/null 3>&1; setsid sh -c \(shellWord(timeout.guarded)) COMMAND \(cut)>&4 )\n"
                + "set -- $r 137; r=$1"
        } else {
            let prefix = timeout.map { "timeout \($0.words) " } ?? ""
            // Measured: 3.8 ms a sample in place of 2.0 on a laptop's CPU, most of it the three processes more.
            sample =
                cut.isEmpty
                ? "\(prefix)sh -c COMMAND 2>&1 4>&-; r=$?"
                : "r=$( { { \(prefix)sh -c COMMAND 2>&1 3>&- 4>&-; echo $? >&3; } \(cut)>&4; } 3>&1 )"
        }
        let words = loopWords(interval, token, tools).merging(["SAMPLE": sample]) { $1 }
        return Sampler(token: token, commands: [fill("exec 4>&1\n" + loop, words, command)])
    }

    /// Samples every `interval` seconds within the sampler's own shell.
    /// - Parameter program: shell text that defines `e_sample`; its variables begin with `e_`.
    package static func builtin(
        program: String, interval: Double, token: String, tools: Set<String>
    ) -> Sampler {
        let words = loopWords(interval, token, tools).merging(["SAMPLE": "e_sample 2>&1; r=$?"]) { $1 }
        return Sampler(token: token, commands: [program + "\n" + fill(loop, words, nil)])
    }

    /// What is closest to an interval that the target can do.
    package static func possible(_ interval: Double, tools: Set<String>) -> Double {
        tools.contains("fractional-sleep") ? max(0.01, interval) : max(1, interval.rounded(.up))
    }

    private static func loopWords(_ interval: Double, _ token: String, _ tools: Set<String>) -> [String: String] {
        let step = max(1, Int((interval * 100).rounded()))
        let nap =
            tools.contains("fractional-sleep")
            ? #"f=$((100+w%100)); sleep "$((w/100)).${f#1}""# : #"sleep "$(((w+99)/100))""#
        return ["TOKEN": shellWord(token), "STEP": "\(step)", "NAP": nap]
    }

    // Uptimes as whole centiseconds: "12.34" without its dot. A board is up for more than a second by now, so there
    // is no leading zero to make it octal.
    private static let loop = #"""
        n=0; read -r u x </proc/uptime; t=${u%.*}${u#*.}
        while :; do
        read -r u x </proc/uptime; printf '\n%s B %s %s\n' TOKEN "$n" "$u"
        SAMPLE
        read -r u x </proc/uptime; printf '\n%s E %s %s %s\n' TOKEN "$n" "$r" "$u"
        n=$((n+1)); w=$((t+n*STEP-${u%.*}${u#*.}))
        if [ "$w" -lt 0 ]; then k=$(((-w+STEP-1)/STEP)); printf '\n%s O %s %s %s\n' TOKEN "$n" "$((n+k-1))" "$u"
        n=$((n+k)); w=$((w+k*STEP)); fi
        [ "$w" -eq 0 ] || { NAP; }
        done
        """#

    /// Stamps each line of a long-lived command, and ends with its status.
    ///
    /// A line without an end would grow in the shell without end, and no program that cuts lines writes each of them at
    /// once. So the shell that gathers them has little memory: where it is used up the command ends by SIGPIPE.
    /// - Parameters:
    ///   - limit: bytes of a line; one byte more comes, so that a longer one can be told. Nil for any length.
    ///   - memory: KiB of address space for that shell, beside some copies of the longest line.
    package static func stream(
        command: String, limit: Int?, token: String, memory: Int = lineMemory
    ) -> Sampler {
        let loop = #"""
            exec 4>&1
            r=$( exec 3>&1; { sh -c COMMAND 2>&1 3>&- 4>&-; echo $? >&3; } | {
            BOUND; n=0; while IFS= read -r l || [ -n "$l" ]; do read -r u x </proc/uptime
            printf '%s L %s %s %LIMITs\n' TOKEN "$n" "$u" "$l"; n=$((n+1)); done; } >&4 ); exit "${r:-137}"
            """#
        let bound = limit.map { "ulimit -v \(memory + $0 * 8 / 1024) 2>/dev/null" } ?? ":"
        return Sampler(
            token: token,
            commands: [
                fill(
                    loop,
                    ["TOKEN": shellWord(token), "LIMIT": limit.map { ".\($0 + 1)" } ?? "", "BOUND": bound], command)
            ])
    }

    /// Origin: dash has 3 MiB, bash with its locale 10.
    package static let lineMemory = 32 << 10

    /// The command goes in last, so that nothing in it is taken for one of our words.
    private static func fill(_ loop: String, _ words: [String: String], _ command: String?) -> String {
        var text = loop
        for (word, value) in words where word != "TOKEN" { text = replace(word, in: text, by: value) }
        let parts = text.split(separator: "COMMAND", maxSplits: 1).map(String.init)
        let filled = parts.map { replace("TOKEN", in: $0, by: words["TOKEN"] ?? "") }
        return filled.joined(separator: command.map(shellWord) ?? "")
    }

    private static func replace(_ word: String, in text: String, by value: String) -> String {
        text.split(separator: word, omittingEmptySubsequences: false).joined(separator: value)
    }
}

/// One sample as it was taken on the target.
package struct Sample: Sendable, Equatable {
    package let tick: Int64
    /// Seconds of the target's boottime clock when it was taken (begun).
    package let uptime: Double
    /// The command's status; nil for a line of a stream.
    package let status: Int64?
    package let text: [UInt8]
}

/// What a piece of a sampler's spool tells.
package struct SampleBatch: Sendable, Equatable {
    package var samples: [Sample] = []
    /// Ticks that the sampler skipped.
    package var skipped: [ClosedRange<Int64>] = []
    /// The bytes of the spool that all this covers.
    package var length = 0
}

/// Cuts a sampler's spool into samples. Bytes of an unfinished sample wait for their rest.
package struct SampleParser: Sendable {
    private let mark: [UInt8]
    private var buffer: [UInt8] = []
    /// Where in the buffer the first line begins that has not been looked at, and in front of what no end of it is. A
    /// sample may be long: none of its bytes is looked at twice.
    private var place = 0
    private var searched = 0
    /// The sample that has begun, and where in the buffer its text does.
    private var begun: (tick: Int64, uptime: Double, text: Int)?

    /// The sample that has begun, and of which the end has not come yet: its tick, and the uptime of its beginning.
    package var unfinishedTick: Int64? { begun?.tick }
    package var unfinishedSince: Double? { begun?.uptime }

    package init(token: String) { mark = Array("\(token) ".utf8) }

    /// Adds bytes; returns what is whole now.
    package mutating func take(_ bytes: [UInt8]) -> SampleBatch {
        buffer += bytes
        var batch = SampleBatch()
        while let newline = buffer[searched...].firstIndex(of: 0x0A) {
            let line = buffer[place..<newline]
            let lineStart = place
            (place, searched) = (newline + 1, newline + 1)
            guard line.starts(with: mark) else { continue }
            let words = line.dropFirst(mark.count).split(
                separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
            guard words.count >= 3, let tick = tick(words[1]) else { continue }
            switch text(words[0]) {
            case "B": begun = Double(text(words[2])).map { (tick, $0, place) }
            case "E":
                if let start = begun, start.tick == tick {
                    batch.samples.append(
                        Sample(
                            tick: tick, uptime: start.uptime, status: Int64(text(words[2])),
                            text: Array(buffer[start.text..<max(start.text, lineStart - 1)])))
                }
                begun = nil
                batch.length = place
            case "O":
                if let last = self.tick(words[2]), last >= tick { batch.skipped.append(tick...last) }
                begun = nil
                batch.length = place
            case "L":
                batch.samples.append(
                    Sample(
                        tick: tick, uptime: Double(text(words[2])) ?? 0, status: nil,
                        text: words.count > 3 ? Array(words[3]) : []))
                batch.length = place
            default: break
            }
        }
        searched = buffer.count
        forget(batch.length)
        return batch
    }

    private mutating func forget(_ count: Int) {
        buffer.removeFirst(count)
        (place, searched) = (place - count, searched - count)
        if let start = begun { begun = start.text < count ? nil : (start.tick, start.uptime, start.text - count) }
    }

    /// No number that later sums could overflow with.
    private func tick(_ bytes: ArraySlice<UInt8>) -> Int64? {
        Int64(text(bytes)).flatMap { (0..<1 << 53).contains($0) ? $0 : nil }
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
