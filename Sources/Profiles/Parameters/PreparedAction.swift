/// An action with its parameters in place.
package struct PreparedAction: Sendable {
    /// Shell text, ready to run.
    package let commands: [String]
    /// What the connection, the action and the parameters put into the environment; each name once.
    package let environment: [(name: String, value: String)]
    package let workdir: String?
    package let uploads: [PreparedUpload]
    /// Those of the profile, and the files that its metrics are taken from.
    package let artifacts: [PreparedArtifact]
    package let metrics: [PreparedMetric]
}

package struct PreparedUpload: Sendable, Equatable {
    /// A file or directory of this machine; relative to the profile's folder.
    package let from: String
    /// Its place on the target.
    package let to: String

    package init(from: String, to: String) {
        self.from = from
        self.to = to
    }
}

package struct PreparedArtifact: Sendable, Equatable {
    /// A glob pattern; a backslash takes the meaning of the character behind it.
    package let pattern: String
    package let allowOld: Bool
    package let required: Bool
    /// The way for these files; nil for the profile's.
    package var method: TransferSettings.Method?

    package init(pattern: String, allowOld: Bool, required: Bool, method: TransferSettings.Method? = nil) {
        self.pattern = pattern
        self.allowOld = allowOld
        self.required = required
        self.method = method
    }
}

/// A collector with its parameters in place.
package struct PreparedCollector: Sendable {
    /// Shell text, ready to run; of a sampler that ecr brings along only its name.
    package let command: String
    package let environment: [(name: String, value: String)]
}

extension Profile {
    /// - Parameters:
    ///   - values: those of `parameters(for:given:standing:)` for this action.
    ///   - secrets: the values of all secrets of the profile, by their variables.
    package func prepare(
        _ action: Action, with values: ParameterValues, secrets: [String: String] = [:]
    ) -> PreparedAction {
        let workdir = action.workdir?.plainText(with: values)
        let metrics = action.metrics.map { PreparedMetric($0, values) }
        var artifacts = action.artifacts.map {
            PreparedArtifact(
                pattern: $0.path.globPattern(with: values), allowOld: $0.allowOld, required: $0.required,
                method: $0.method)
        }
        for metric in metrics {
            if let artifact = metric.artifact(beside: artifacts, workdir: workdir) { artifacts.append(artifact) }
        }
        return PreparedAction(
            commands: action.commands.map { shellText($0, values) },
            environment: environment(action.env, values, secrets), workdir: workdir,
            uploads: action.upload.map {
                PreparedUpload(from: $0.from.plainText(with: values), to: $0.to.plainText(with: values))
            }, artifacts: artifacts, metrics: metrics)
    }

    /// - Parameters:
    ///   - values: those of `parameters(for:standing:)` for this collector.
    ///   - secrets: the values of all secrets of the profile, by their variables.
    package func prepare(
        _ collector: Collector, with values: ParameterValues, secrets: [String: String] = [:]
    ) -> PreparedCollector {
        PreparedCollector(
            command: collector.command.map { shellText($0, values) } ?? collector.summary,
            environment: environment(collector.env, values, secrets))
    }

    /// The environment of a command that is in no profile.
    /// - Parameter secrets: the values of all secrets of the profile, by their variables.
    package func environmentOfExec(secrets: [String: String]) -> [(name: String, value: String)] {
        environment([], ParameterValues(), secrets)
    }

    private func shellText(_ template: Template, _ values: ParameterValues) -> String {
        template.shellText(with: values) { name, value in
            let declaration = declaration(of: name)
            return declaration.type == .words ? declaration.words(of: value) : nil
        }
    }

    private func environment(
        _ entries: [EnvironmentEntry], _ values: ParameterValues, _ secrets: [String: String]
    ) -> [(name: String, value: String)] {
        var environment: [(name: String, value: String)] = []
        for entry in connection.env + entries {
            environment.removeAll { $0.name == entry.name }
            environment.append((entry.name, text(of: entry.value, values, secrets)))
        }
        return environment + values.all.map { (ParameterDeclaration.environmentName(of: $0.name), $0.value) }
    }

    private func text(
        of value: EnvironmentEntry.Value, _ values: ParameterValues, _ secrets: [String: String]
    ) -> String {
        switch value {
        case .text(let template): return template.plainText(with: values)
        case .secret(let secret):
            guard let text = secrets[secret.variable] else {
                preconditionFailure("no value for the secret of \(secret.use): it is checked before a run starts")
            }
            return text
        }
    }
}
