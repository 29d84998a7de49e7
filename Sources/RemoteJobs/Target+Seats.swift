import LinuxSystem
package import SSH

/// The temporary names of uploads, on record in the run's spool on the target before they are made: whoever ends the run
/// or removes its spool later removes what was left under them, and nothing else. See `JobProtocol`.
extension Target {
    /// Notes names that are about to be made; does nothing where the spool is gone.
    /// - Parameter seats: absolute; see `UploadSeat`.
    package func note(seats: [[UInt8]], in spool: String) async throws(SSHError) {
        let file = shellWord("\(spool)/seats")
        var list = CommandList(prelude: "[ -d \(shellWord(spool)) ] && exec 3>>\(file) || exit\n", end: " >&3\n")
        for seat in seats { list.add(Self.line(seat), to: Array(#"printf '%s\n'"#.utf8)) }
        for script in list.scripts {
            _ = try await dispatcher.run("( \(String(decoding: script, as: UTF8.self)) )")
        }
    }

    /// Removes what was left under the names that a spool has on record.
    /// - Throws: also where the target hangs over it.
    package func removeSeats(in spool: String) async throws(SSHError) {
        guard try await dispatcher.run("[ -s \(shellWord("\(spool)/seats")) ]").status == 0 else { return }
        let text = Array(Self.seatsRemoval(in: spool).utf8)
        do {
            // Not by the dispatcher, which a disk that hangs would keep from everything else.
            _ = try await transferLine(isBulk: false).runSoon(text)
        } catch let error as SSHError {
            throw error
        } catch {
            throw SSHError(
                .closed, "what uploads have left on the target cannot be removed: \(error)",
                hint: "see `seats` in \(spool) there")
        }
    }

    /// Shell text for that. A line that is no such name is passed over.
    private static func seatsRemoval(in spool: String) -> String {
        """
        ( exec <\(shellWord("\(spool)/seats")) || exit
        while IFS= read -r l; do f=$l; case $l in *\\\\*) f=$(printf '%bx' "$l"); f=${f%x};; esac
        case $f in /*) case ${f##*/} in .ecr-*) [ ! -e "$f" ] || rm -rf -- "$f";; esac;; esac; done )
        """
    }

    /// A name in a line, as `printf %b` reads it. Of one that is no UTF-8 everything but ASCII is told by its digits.
    private static func line(_ name: [UInt8]) -> [UInt8] {
        let isText = String(validating: name, as: UTF8.self) != nil
        return name.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "\\"): Array(#"\\"#.utf8)
            case UInt8(ascii: "\n"): Array(#"\n"#.utf8)
            case 0x80... where !isText: Array(#"\0\#(String(byte, radix: 8))"#.utf8)
            default: [byte]
            }
        }
    }
}
