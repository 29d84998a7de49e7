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
        let uploaded = result["uploaded"]
        let unchanged = uploaded?["unchanged"]?.int ?? 0
        let changed = uploaded?["permissions_set"]?.int ?? 0
        let permissions = changed == 0 ? "" : "; permissions set: \(changed)"
        let remark = unchanged == 0 ? "" : ", \(unchanged) of them there already\(permissions)"
        let files = Amount.count(uploaded?["files"]?.int ?? 0, "file")
        Terminal.say("\(files) on the target, \(Amount.bytes(uploaded?["bytes"]?.int ?? 0))\(remark)")
        for warning in result["warnings"]?.array ?? [] { Terminal.warn(warning.string ?? "") }
        if result["cancelled"]?.bool == true {
            let isClear = result["failed"]?.array?.contains { $0["outcome"] == "unknown" } == false
            let next = result["resumable"]?.bool == true ? "goes on where it was" : "begins with what is not there"
            Terminal.say("stopped\(isClear ? ": nothing else has taken a place" : ""); typed again, it \(next)")
        }
        try HandTransfer.end(result, of: "local")
    }
}
