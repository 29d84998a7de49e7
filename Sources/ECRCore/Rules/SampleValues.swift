import Profiles

/// The numbers of one sample of a collector, or of one line of an action's output, as rules see them.
struct SampleValues: Sendable, Equatable {
    let owner: RuleCondition.Owner
    /// Microseconds since 1970, by the controller's clock: of a sample's taking, of a line's coming into the record.
    let time: Int64
    /// By the fields' names; those that are no numbers are left out.
    let fields: [String: Double]
    /// Whether fields that are left out are not known any more; else they keep their values.
    let isWhole: Bool
}
