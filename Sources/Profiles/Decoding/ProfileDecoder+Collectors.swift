import YAML

extension ProfileDecoder {
    private static let collectorAdvice = [
        "spool": "a collector's samples always go through a spool; remove it",
        "sudo": "only actions run under sudo; write `sudo -n` in the command, where the target asks for no password",
    ]

    mutating func collectors(_ fields: FieldReader) -> [Collector] {
        guard let node = fields["background_collectors"],
            let members = context.entries(node, "'background_collectors'")
        else { return [] }
        if members.isEmpty {
            context.error("'background_collectors' is empty; write a collector, or remove it", at: node.mark)
        }
        var collectors: [Collector] = []
        for member in members {
            checkName(member.name, "a collector's name", at: member.mark)
            if let collector = collector(member) { collectors.append(collector) }
        }
        return collectors
    }

    private mutating func collector(_ member: Node.Member) -> Collector? {
        let what = "collector '\(member.name)'"
        guard let fields = mapping(member.value, what, .collector, advice: Self.collectorAdvice) else { return nil }
        var format = fields["parse"].flatMap { sampleFormat($0) }
        let environment = environment(fields)
        let start = fields.choice("start", of: Collector.Start.self) ?? .auto
        let whilePaused = fields.bool("while_paused") ?? true
        guard let kind = fields.member("builtin").map({ builtin($0, fields) }) ?? kind(fields, at: member.mark) else {
            return nil
        }
        if case .builtin(let sampler, _) = kind { format = sampler.format }
        return Collector(
            name: member.name, description: fields.string("description"), kind: kind, start: start,
            whilePaused: whilePaused, env: environment, parse: format, maxSampleBytes: maxSampleBytes(fields))
    }

    /// `builtin: cpu`, with an interval of a second unless another one is written.
    private func builtin(_ builtin: Node.Member, _ fields: FieldReader) -> Collector.Kind? {
        for key in ["command", "stream", "parse", "timeout", "env"] {
            guard let member = fields.member(key) else { continue }
            context.error("a 'builtin' sampler takes no '\(key)'; remove it", at: member.mark)
        }
        let interval = fields.positiveDuration("interval") ?? 1
        guard let name = context.string(builtin.value, "'builtin'") else { return nil }
        if let sampler = BuiltinSampler.named(name) { return .builtin(sampler, interval: interval) }
        let hint = KnownNames(BuiltinSampler.all.map(\.name)).hint(for: name, label: "there are")
        context.error("there is no builtin sampler '\(name)'; \(hint ?? "")", at: builtin.value.mark)
        return nil
    }

    private mutating func kind(_ fields: FieldReader, at mark: Mark) -> Collector.Kind? {
        switch (fields["command"], fields["stream"]) {
        case (let command?, nil): return sampler(fields, command, at: mark)
        case (nil, let stream?):
            for key in ["interval", "timeout"] {
                guard let member = fields.member(key) else { continue }
                context.error("a 'stream' runs without end and takes no '\(key)'; remove it", at: member.mark)
            }
            return shellTemplate(stream, "'stream'").map { .stream($0) }
        case (nil, nil):
            context.error(
                "\(fields.what) has no command; write 'command' and 'interval', or 'stream', or 'builtin'", at: mark)
        case (.some, let stream?):
            context.error("\(fields.what) has 'command' and 'stream'; remove one of the two", at: stream.mark)
        }
        return nil
    }

    private mutating func sampler(_ fields: FieldReader, _ command: Node, at mark: Mark) -> Collector.Kind? {
        let template = shellTemplate(command, "'command'")
        let interval = fields.positiveDuration("interval")
        if fields["interval"] == nil {
            context.error("\(fields.what) has no 'interval'; write 'interval: 60s'", at: mark)
        }
        let timeout = fields.positiveDuration("timeout")
        guard let template, let interval else { return nil }
        return .command(template, interval: interval, timeout: timeout)
    }

    private func maxSampleBytes(_ fields: FieldReader) -> Int? {
        guard let node = fields["max_sample_bytes"] else { return Collector.defaultMaxSampleBytes }
        if node.scalar?.text == "none" { return nil }
        guard let bytes = context.int(node, "'max_sample_bytes'") else { return Collector.defaultMaxSampleBytes }
        // A sample is held in memory.
        guard (1...1 << 26).contains(bytes) else {
            context.error(
                "'max_sample_bytes' cannot be \(bytes); write a number of bytes from 1 to 67108864, or none",
                at: node.mark)
            return Collector.defaultMaxSampleBytes
        }
        return bytes
    }
}
