package import RunStore

/// What a check of a run's directory has found.
package struct Verification: Sendable, Equatable {
    /// Something that is missing or not as it was recorded.
    package struct Damage: Sendable, Equatable {
        /// Relative to the run's directory.
        package let file: String
        /// The line of the event stream that is meant, from 1, and the seq that it has to have.
        package var line: Int64?
        package var seq: Int64?
        package let message: String
    }

    /// A place in the stream and the hash of the line that stands there.
    package struct Head: Sendable, Equatable {
        package let seq: Int64
        package let hash: String
    }

    /// The directory's name.
    package let id: String
    /// "" where the record does not say it.
    package internal(set) var shortID = ""
    /// A supervisor lived: what it appended after the beginning of the check was not looked at.
    package internal(set) var isLive = false
    /// As far as the events could be read.
    package internal(set) var state = RunState()
    /// Lines that are events.
    package internal(set) var events: Int64 = 0
    /// The last event.
    package internal(set) var head: Head?
    /// The last event that `complete`, or a later `drain`, has written, while the hash that it printed was the head's.
    package internal(set) var completed: Head?
    /// Files that were compared with the record, and their bytes that were.
    package internal(set) var files = 0
    package internal(set) var bytes: Int64 = 0
    package internal(set) var damages: [Damage] = []
    /// What is worth a word and no damage.
    package internal(set) var remarks: [String] = []
    /// Files that no event names.
    package internal(set) var unnamed: [String] = []

    init(id: String) { self.id = id }

    package var isWhole: Bool { damages.isEmpty }
}
