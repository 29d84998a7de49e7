import ECRCore

extension CommonOptions {
    /// Asks before something that cannot be undone.
    /// - Parameter flag: what the command takes in place of an answer.
    /// - Throws: `.usage` where nobody can be asked; the end of the command after any answer but yes.
    func confirm(_ question: String, unless flag: String) throws {
        guard let answer = answerer() else {
            throw ECRFailure(.usage, "nobody can be asked: \(question)", hint: flag)
        }
        let reply = try answer(Question(kind: "confirmation", text: "\(question) [y/N]", isEchoed: true)) ?? ""
        guard ["y", "yes"].contains(reply.lowercased()) else {
            Terminal.say("nothing was changed")
            throw Exit(code: ECRCore.ExitCode.interrupted.rawValue)
        }
    }
}
