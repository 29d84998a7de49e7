import EventLog
package import JSON

/// What the events say of one note.
package struct NoteState: Sendable, Equatable {
    package let seq: Int64
    /// When it was appended.
    package let time: String
    /// When it was made, if somebody has said so.
    package let at: String?
    /// As it was last corrected; a long one is cut, and then ends with an ellipsis.
    package private(set) var text: String
    /// Files that belong to it, as in the event.
    package let attachments: [JSON]
    /// The seq of the last correction.
    package private(set) var edit: Int64?

    /// Characters that are kept: the manifest holds the text, and every command reads the manifest.
    private static let longestText = 1000

    init(_ event: Event) {
        seq = event.seq
        time = event.time
        at = event.data["at"]?.string
        text = NoteState.cut(event.data["text"]?.string ?? "")
        attachments = event.data["attachments"]?.array ?? []
    }

    mutating func correct(_ event: Event) {
        text = NoteState.cut(event.data["text"]?.string ?? "")
        edit = event.seq
    }

    private static func cut(_ text: String) -> String {
        text.unicodeScalars.count <= longestText
            ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(longestText))) + "…"
    }

    package var json: JSON {
        [
            "seq": .int(seq), "time": .string(time), "at": at.map { .string($0) }, "text": .string(text),
            "edit": edit.map { .int($0) }, "attachments": attachments.isEmpty ? nil : .array(attachments),
        ]
    }

    init?(json: JSON) {
        guard let seq = json["seq"]?.int, let time = json["time"]?.string, let text = json["text"]?.string else {
            return nil
        }
        self.seq = seq
        self.time = time
        self.text = text
        at = json["at"]?.string
        edit = json["edit"]?.int
        attachments = json["attachments"]?.array ?? []
    }
}
