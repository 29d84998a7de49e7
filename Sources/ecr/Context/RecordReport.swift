import JSON

/// What is said of an event that was recorded: its seq on stdout for a script, a sentence for a person. On a terminal
/// the sentence alone, which has the number in it.
struct RecordReport {
    /// - Parameter details: what JSON has beside the seq.
    static func show(_ seq: Int64, _ sentence: String, asJSON: Bool, details: JSONObject = [:]) {
        if asJSON {
            var result: JSONObject = ["seq": .int(seq)]
            result.merge(details)
            Terminal.result(.object(result))
        } else if !(Terminal.outputIsTerminal && Terminal.errorIsTerminal) {
            Terminal.result(String(seq))
        }
        Terminal.say(sentence)
    }
}
