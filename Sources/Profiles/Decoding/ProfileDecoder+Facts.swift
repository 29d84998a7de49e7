import YAML

extension ProfileDecoder {
    /// `facts: {identifiers: false, firmware: "cat /etc/fw_version"}`.
    func facts(_ node: Node) -> FactSettings {
        var settings = FactSettings()
        for member in context.entries(node, "'facts'") ?? [] {
            if member.name == "identifiers" {
                settings.identifiers = context.bool(member.value, "'identifiers'") ?? false
                continue
            }
            checkName(member.name, "a fact's name", at: member.mark)
            guard let command = filled(member.value, "'\(member.name)'") else { continue }
            settings.own.append(FactSettings.Own(name: member.name, command: command))
        }
        return settings
    }
}
