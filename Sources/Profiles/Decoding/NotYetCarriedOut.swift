import YAML

/// Keys that a profile may hold although this version of ecr does not act on them.
enum Feature: String {
    case metrics
    case parse
    case upload
}

/// What is still missing, one row a feature: whoever carries a feature out removes its row.
///
/// An error where ignoring the key would run another experiment than the one written down, else a warning.
private let notYetCarriedOut: [(feature: Feature, severity: Diagnostic.Severity)] = [
    (.metrics, .warning),
    (.parse, .warning),
    (.upload, .error),
]

extension Feature {
    /// What becomes of a key that asks for the feature; nil once ecr carries it out.
    var remark: String? {
        switch notYetCarriedOut.first(where: { $0.feature == self })?.severity {
        case .warning: "recorded but not evaluated by this version of ecr"
        case .error: "refused by this version of ecr"
        case nil: nil
        }
    }
}

extension DecodingContext {
    /// Says so where a feature that the profile uses is not carried out.
    func note(_ feature: Feature, at mark: Mark) {
        guard let row = notYetCarriedOut.first(where: { $0.feature == feature }) else { return }
        let name = feature.rawValue
        switch row.severity {
        case .warning:
            warning("'\(name)' is recorded in the profile but not evaluated by this version of ecr", at: mark)
        case .error: error("'\(name)' is not carried out by this version of ecr; remove it", at: mark)
        }
    }
}
