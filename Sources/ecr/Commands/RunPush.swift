import ArgumentParser
import ECRCore
import JSON
import LinuxSystem

struct RunPush: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Send files and directories to the target, recorded with their hashes.",
        discussion: """
            The last name is their place on the target, from the login folder on. With a slash at its end it is a \
            directory into which they go; so is what is one already, where files are sent. A directory without that \
            slash becomes the one that is named; DIR/. means what is in it. What is there already is left; \
            everything else goes to a temporary name, is compared, and takes its place by a rename. Interrupted, type \
            it again: it goes on where it was (an archive or scp begins anew); what is left of it then goes at the end of \
            the run. Several files need a place with a slash.

            Example:
              ecr run push model.onnx /opt/model/
              ecr run push build/infer /usr/local/bin/infer
              ecr run push --method exec configs logs /opt/app/
            """)

    @Argument(help: ArgumentHelp("Files and directories, then their place on the target.", valueName: "file|remote"))
    var files: [String]
    @OptionGroup var transfer: TransferOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func validate() throws {
        guard !files.contains("") else { throw ValidationError("a name is empty; an empty variable of the shell?") }
        guard files.count >= 2 else {
            throw ValidationError("give files and their place: `ecr run push model.onnx /opt/model/`")
        }
        if files.count > 2, files.last?.hasSuffix("/") == false {
            throw ValidationError("several files go into a directory: write '\(files[files.count - 1])/'")
        }
    }

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "send files")
        let typed = TypedWords.raw(files)
        let result = try HandTransfer(run: run, isJSON: output.json).perform(
            .object([
                "request": "push", "locals": .array(typed.dropLast().map(\.absolute.json)),
                "remote": typed[typed.count - 1].json, "method": transfer.method.map { .string($0.rawValue) },
            ]))
        let uploaded = result["uploaded"]?.array ?? []
        let unchanged = uploaded.filter { $0["method"]?.string == "unchanged" }
        let bytes = uploaded.reduce(0) { $0 + ($1["size"]?.int ?? 0) }
        let remark = unchanged.isEmpty ? "" : ", \(unchanged.count) of them there already"
        Terminal.say("\(Amount.count(Int64(uploaded.count), "file")) on the target, \(Amount.bytes(bytes))\(remark)")
        warn(
            of: uploaded.filter { $0["dropped_mode"] != nil },
            "has no setuid, setgid or sticky bit there, where its owner is another one; chmod can give it")
        warn(
            of: uploaded.filter { $0["replaced_link"]?.bool == true },
            "was a link, and is the file itself now; what it led to is as it was")
        if result["cancelled"]?.bool == true {
            let isClear = result["failed"]?.array?.contains { $0["outcome"] == "unknown" } == false
            Terminal.say(
                "stopped\(isClear ? ": nothing else has taken a place" : ""); typed again, it goes on from there")
        }
        try HandTransfer.end(result, of: "local")
    }
    /// - Parameter files: uploads to which the same has happened.
    private func warn(of files: [JSON], _ what: String) {
        guard let first = files.first else { return }
        let rest = files.count > 1 ? ", and so for \(Amount.count(Int64(files.count - 1), "other file"))" : ""
        Terminal.warn("\(RawName.text("remote", of: first)) \(what)\(rest)")
    }
}
