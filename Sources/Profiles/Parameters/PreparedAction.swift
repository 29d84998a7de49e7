/// An action with its parameters in place.
package struct PreparedAction: Sendable {
    /// Shell text, ready to run.
    package let commands: [String]
    /// What the connection, the action and the parameters put into the environment; each name once.
    package let environment: [(name: String, value: String)]
    package let workdir: String?
    package let artifacts: [PreparedArtifact]
}

package struct PreparedArtifact: Sendable, Equatable {
    /// A glob pattern; a backslash takes the meaning of the character behind it.
    package let pattern: String
    package let allowOld: Bool
    package let required: Bool
}

/// A collector with its parameters in place.
package struct PreparedCollector: Sendable {
    /// Shell text, ready to run.
    package let command: String
    package let environment: [(name: String, value: String)]
}

extension Profile {
    /// - Parameter values: those of `parameters(for:given:standing:)` for this action.
    package func prepare(_ action: Action, with values: ParameterValues) -> PreparedAction {
        PreparedAction(
            commands: action.commands.map { shellText($0, values) }, environment: environment(action.env, values),
            workdir: action.workdir?.plainText(with: values),
            artifacts: action.artifacts.map {
                PreparedArtifact(
                    pattern: $0.path.globPattern(with: values), allowOld: $0.allowOld, required: $0.required)
            })
    }

    /// - Parameter values: those of `parameters(for:standing:)` for this collector.
    package func prepare(_ collector: Collector, with values: ParameterValues) -> PreparedCollector {
        PreparedCollector(
            command: shellText(collector.command, values), environment: environment(collector.env, values))
    }

    private func shellText(_ template: Template, _ values: ParameterValues) -> String {
        template.shellText(with: values) { name, value in
            let declaration = declaration(of: name)
            return declaration.type == .words ? declaration.words(of: value) : nil
        }
    }

    private func environment(
        _ entries: [EnvironmentEntry], _ values: ParameterValues
    ) -> [(name: String, value: String)] {
        var environment = connection.env
        for entry in entries {
            environment.removeAll { $0.name == entry.name }
            environment.append((entry.name, entry.value.plainText(with: values)))
        }
        return environment + values.all.map { (ParameterDeclaration.environmentName(of: $0.name), $0.value) }
    }
}
