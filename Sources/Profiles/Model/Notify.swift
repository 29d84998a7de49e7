package import JSON

/// A command of the controller that is told of events.
package struct Notify: Sendable, Equatable {
    /// The types of the events, in the order of the file.
    package var on: [String]
    /// Shell text; it runs in the folder of the file in which it stands.
    package var run: String

    package var resolved: JSON { ["on": JSON(strings: on), "run": .string(run)] }
}
