extension CommonOptions {
    /// Tells of the steps of a command that connects by itself: one line that is drawn over on a terminal, and a line
    /// each with --debug.
    var steps: @Sendable (String) -> Void {
        let isExplained = debug
        return { step in
            if isExplained { Terminal.say("debug: \(step)") } else { Terminal.showStatus(step) }
        }
    }
}
