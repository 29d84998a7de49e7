/// The POSIX shells of this machine that targets have as `sh`, as command lines.
package enum Shells {
    package static let all: [[String]] = {
        var shells = ["dash", "bash"].compactMap { Command.find($0) }.map { [$0] }
        if let busybox = Command.find("busybox") { shells.append([busybox, "ash"]) }
        return shells
    }()
}
