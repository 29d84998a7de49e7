import YAML

extension ProfileDecoder {
    /// `transfers: {method: auto, max_bytes: 10GB, max_files: 100000, min_free_disk: 1GB}`.
    func transfers(_ node: Node) -> TransferSettings {
        var settings = TransferSettings()
        guard let fields = mapping(node, "'transfers'", .transfers) else { return settings }
        settings.method = fields.choice("method", of: TransferSettings.Method.self) ?? settings.method
        settings.mostBytes = fields.size("max_bytes").map { Int64($0) }
        if let node = fields["max_files"], let count = context.int(node, "'max_files'") {
            if count < 1 { context.error("'max_files' must be at least 1", at: node.mark) }
            settings.mostFiles = count
        }
        settings.minFreeDisk = fields.size("min_free_disk").map { Int64($0) } ?? settings.minFreeDisk
        return settings
    }
}
