import YAML

extension ProfileDecoder {
    mutating func actions(_ fields: FieldReader) -> [Action] {
        guard let node = fields["actions"], let members = context.entries(node, "'actions'") else { return [] }
        if members.isEmpty { context.error("'actions' is empty; write an action, or remove it", at: node.mark) }
        var actions: [Action] = []
        for member in members {
            checkName(member.name, "an action's name", at: member.mark)
            if let action = action(member) { actions.append(action) }
        }
        return actions
    }

    private mutating func action(_ member: Node.Member) -> Action? {
        guard let fields = mapping(member.value, "action '\(member.name)'", .action) else { return nil }
        let reasons = fields.list("retry_on")?.compactMap {
            context.choice($0, "each entry of 'retry_on'", of: RetryReason.self)
        }
        return Action(
            name: member.name, description: fields.string("description"), commands: commands(fields),
            workdir: fields["workdir"].flatMap { path($0, "'workdir'") }, env: environment(fields),
            sudo: fields.bool("sudo") ?? false, spool: fields.bool("spool") ?? true,
            stopIfUnreachable: silence(fields), upload: uploads(fields),
            artifacts: artifacts(fields), metrics: metrics(fields), timeout: fields.positiveDuration("timeout"),
            retries: retries(fields), retryOn: reasons ?? [.failed, .timeout])
    }

    /// Shorter than a link takes to be found lost would end actions that nobody has left.
    private func silence(_ fields: FieldReader) -> Double? {
        guard let seconds = fields.positiveDuration("stop_if_unreachable") else { return nil }
        if seconds < 5, let member = fields.member("stop_if_unreachable") {
            context.error(
                "'stop_if_unreachable' must be at least 5s; write 'stop_if_unreachable: 60s'", at: member.mark)
        }
        return seconds
    }

    private mutating func commands(_ fields: FieldReader) -> [Template] {
        guard let node = fields.require("commands", example: "commands: [\"uname -a\"]"),
            let items = context.list(node, "'commands'")
        else { return [] }
        if items.isEmpty {
            context.error("'commands' is empty; write at least one command, such as [\"uname -a\"]", at: node.mark)
        }
        var commands: [Template] = []
        for item in items {
            if let command = shellTemplate(item, "a command") { commands.append(command) }
        }
        return commands
    }

    private func retries(_ fields: FieldReader) -> Int {
        guard let node = fields["retries"] else {
            if let reasons = fields.member("retry_on") {
                context.warning("'retry_on' has no effect without 'retries'; write 'retries: 1'", at: reasons.mark)
            }
            return 0
        }
        guard let retries = context.int(node, "'retries'") else { return 0 }
        // More than a thousand attempts are a typing error or a job for a collector.
        guard (0...1000).contains(retries) else {
            context.error("'retries' cannot be \(retries); write a number from 0 to 1000", at: node.mark)
            return 0
        }
        return retries
    }

    // MARK: Files

    private mutating func uploads(_ fields: FieldReader) -> [Upload] {
        var uploads: [Upload] = []
        for item in fields.list("upload") ?? [] {
            guard let entry = mapping(item, "an upload", .upload) else { continue }
            let from = entry.require("from", example: "from: model.onnx").flatMap { path($0, "'from'") }
            let to = entry.require("to", example: "to: /opt/model/").flatMap { path($0, "'to'") }
            if let from, let to { uploads.append(Upload(from: from, to: to)) }
        }
        return uploads
    }

    private mutating func artifacts(_ fields: FieldReader) -> [ArtifactEntry] {
        var artifacts: [ArtifactEntry] = []
        for item in fields.list("artifacts") ?? [] {
            if let artifact = artifact(item) { artifacts.append(artifact) }
        }
        return artifacts
    }

    private mutating func artifactPath(_ node: Node, _ what: String) -> Template? {
        guard let text = filled(node, what) else { return nil }
        if text == "$ECR_OUT" || text.hasPrefix("$ECR_OUT/") {
            context.error(
                "all of $ECR_OUT is fetched anyway: leave it out; where a file of it must be there, let a command say so: "
                    + "test -e \"\(text)\"", at: node.mark)
            return nil
        }
        return plainTemplate(text, at: node)
    }

    private mutating func artifact(_ node: Node) -> ArtifactEntry? {
        guard case .mapping = node.content else {
            return artifactPath(node, "an artifact").map {
                ArtifactEntry(path: $0, allowOld: false, required: false, method: nil)
            }
        }
        guard let fields = mapping(node, "an artifact", .artifact),
            let path = fields.require("path", example: "path: /tmp/results.json").flatMap({
                artifactPath($0, "'path'")
            })
        else { return nil }
        return ArtifactEntry(
            path: path, allowOld: fields.bool("allow_old") ?? false, required: fields.bool("required") ?? false,
            method: fields.choice("method", of: TransferSettings.Method.self))
    }
}
