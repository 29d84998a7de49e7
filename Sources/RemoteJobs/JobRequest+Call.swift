import LinuxSystem

extension JobRequest {
    /// The shell text that starts a job by one of the library's functions.
    ///
    /// All of it goes through a shell's stdin and stays in its variables: a password or the value of an environment
    /// variable never stands in a process's arguments or in a file. Under sudo the words are root's shell's.
    /// - Parameter tools: those of the target's facts.
    func call(_ function: String, tools: Set<String>) -> String {
        let limit = timeout.map { seconds in
            tools.contains("fractional-sleep") ? "\(seconds)" : "\(Int(seconds.rounded(.up)))"
        }
        let workdir = workdir ?? ""
        let work = environment.map { "\($0.name)=\($0.value)" } + ["--"] + commands
        let place = [spool, SpoolFolder.name(of: job), limit ?? ""]
        let silence = silence.map { String(Int($0.rounded(.up))) } ?? ""
        guard let root else {
            let words = (place + [workdir] + work).map(shellWord).joined(separator: " ")
            return "ecr_silence=\(silence); \(function) \(words)"
        }
        let rootCall =
            "ecr_d=\(shellWord(folder)); ecr_asroot " + ([workdir] + work).map(shellWord).joined(separator: " ")
        return """
            ecr_silence=\(silence) ecr_root=\(root.password == nil ? "-n" : "-S") ecr_pw=\(shellWord(root.password ?? "")) \
            ecr_call=\(shellWord(rootCall))
            \(function) \((place + ["", "--"]).map(shellWord).joined(separator: " ")); ecr_root= ecr_pw= ecr_call=
            """
    }
}
