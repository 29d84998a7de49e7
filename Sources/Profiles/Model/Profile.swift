package import YAML

/// What people write about one experiment: the target, what to run on it, and what to sample meanwhile.
///
/// Every value has been checked; `parse` reports all that is wrong in a file at once.
package struct Profile: Sendable {
    package var name: String
    package var description: String?
    package var connection: Connection
    /// In the order of the file, as are all lists here.
    package var parameters: [ParameterDeclaration]
    /// Names of actions that run at start and after a reboot of the target.
    package var setup: [String]
    /// Names of actions that run on complete and abort.
    package var finally: [String]
    package var actions: [Action]
    package var stages: [Stage]
    package var collectors: [Collector]
    package var rules: [Rule]
    package var facts: FactSettings
    package var transfers: TransferSettings
    /// The command of the controller that is told of events.
    package var notify: Notify?
    /// What is worth saying although the profile is valid.
    package var warnings: [Diagnostic]

    package func action(named name: String) -> Action? { actions.first { $0.name == name } }
    package func collector(named name: String) -> Collector? { collectors.first { $0.name == name } }
    package func stage(named name: String) -> Stage? { stages.first { $0.name == name } }
    package func parameter(named name: String) -> ParameterDeclaration? { parameters.first { $0.name == name } }
}

/// A named, ordered list of actions, by name.
package struct Stage: Sendable {
    package var name: String
    package var actions: [String]
}
