/// The numbers of one sample of a collector, as rules see them.
struct SampleValues: Sendable, Equatable {
    let collector: String
    /// Microseconds since 1970, by the controller's clock, of its taking.
    let time: Int64
    /// By the fields' names; those that are no numbers are left out.
    let fields: [String: Double]
}
