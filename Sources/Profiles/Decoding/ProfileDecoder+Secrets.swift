import YAML

extension ProfileDecoder {
    /// A password, which only a secret can be.
    func password(_ key: String, _ fields: FieldReader) -> Secret? {
        guard let node = fields[key] else { return nil }
        guard case .mapping = node.content else {
            context.error(
                "a profile holds no password; write '\(key): {secret: env:NAME}' for one from the environment, use a key, "
                    + "or type it when asked", at: node.mark)
            return nil
        }
        return secret(node, "'\(key)'", use: "connection: \(key)")
    }

    /// `{secret: env:NAME}`
    /// - Parameter use: where the profile uses it, for messages.
    func secret(_ node: Node, _ what: String, use: String) -> Secret? {
        guard let fields = mapping(node, what, .secret),
            let source = fields.require("secret", example: "secret: env:NAME"),
            let text = context.string(source, "'secret'")
        else { return nil }
        let name = text.utf8.dropFirst("env:".utf8.count)
        guard text.hasPrefix("env:"), !name.isEmpty,
            name.enumerated().allSatisfy({ isNameByte($1, first: $0 == 0) })
        else {
            context.error(
                "'secret' cannot be '\(text)'; write env:NAME for the value of the variable NAME", at: source.mark)
            return nil
        }
        return Secret(variable: String(text.dropFirst("env:".count)), use: use)
    }
}
