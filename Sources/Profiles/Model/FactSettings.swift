/// What is taken down of the target beside what is always taken down.
package struct FactSettings: Sendable, Equatable {
    /// Serial numbers, MAC addresses and the SSID.
    package var identifiers = false
    /// Commands whose output is a fact, in the order of the file.
    package var own: [Own] = []

    package struct Own: Sendable, Equatable {
        package let name: String
        package let command: String
    }

    package init() {}
}
