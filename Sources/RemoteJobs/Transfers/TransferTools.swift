import LinuxSystem
import SSH

/// The programs on the target that files can be found, read and checked with; probed once per connection.
package struct TransferTools: Sendable, Equatable {
    /// How `stat` tells about a file.
    enum Status: Sendable, Equatable {
        /// With nanoseconds (GNU).
        case fine
        /// In whole seconds (BusyBox).
        case plain
        /// There is no `stat` with formats: `ls` and `date -r` must do.
        case missing
    }

    /// How the SHA-256 of files is taken; each prints the hash first and the name behind it.
    enum Hasher: String, Sendable, CaseIterable {
        /// The fastest where it is: some twice as fast as coreutils on boards and laptops alike.
        case openssl = "openssl dgst -sha256 -r"
        case sha256sum
        case busybox = "busybox sha256sum"
        case shasum = "shasum -a 256"
    }

    /// The login folder, on which relative names are based.
    package private(set) var home = "/"
    /// `find -print0` and `xargs -0`: names of any bytes can be listed.
    package private(set) var canList = false
    var status = Status.missing
    private(set) var hasher: Hasher?
    package private(set) var hasTar = false
    /// `head -c`: the hash of a part of a file can be taken.
    let hasHead: Bool
    package let reader: OffsetReader
    package private(set) var hasSCP = false
    /// Its processor has instructions for AES.
    private(set) var hasAES = false

    package var canHash: Bool { hasher != nil }

    /// - Parameter facts: the tools that are known of the target.
    init(reply: String, facts: Set<String>) {
        reader = OffsetReader(tools: facts)
        hasHead = facts.contains("head")
        var tools: Set<Substring> = []
        for line in reply.split(separator: "\n") {
            let words = line.split(separator: "=", maxSplits: 1)
            switch words.first {
            case "home" where words.count == 2: home = String(words[1])
            case "tool" where words.count == 2: tools.insert(words[1])
            case "hash" where words.count == 2: hasher = hasher ?? Hasher(rawValue: String(words[1]))
            default: break
            }
        }
        canList = tools.isSuperset(of: ["find0", "xargs0"])
        status = tools.contains("stat-fine") ? .fine : tools.contains("stat") ? .plain : .missing
        hasTar = tools.isSuperset(of: ["tar", "xargs0"])
        hasSCP = tools.contains("scp")
        hasAES = tools.contains("aes")
    }

    /// - Throws: `TransferFailure` where a program hangs, `SSHError`.
    static func probe(
        _ session: SSHSession, facts: Set<String>, _ patience: Patience = Patience()
    ) async throws -> TransferTools {
        let reply = Locked<[UInt8]>([])
        do {
            try await patience.whileWaiting { @SSHActor in
                let script = try await RemoteScript.start(Array(probe.utf8), on: session)
                defer { script.close() }
                script.endInput()
                while let bytes = try await script.read() {
                    patience.renew()
                    reply.withLock { $0 += bytes.prefix(max(0, mostOfReply - $0.count)) }
                }
            }
        } catch let failure as TransferFailure where failure.isStall {
            throw Self.failure(said: String(decoding: reply.withLock(\.self), as: UTF8.self))
        }
        return TransferTools(reply: String(decoding: reply.withLock(\.self), as: UTF8.self), facts: facts)
    }

    /// Origin: far beyond what the script prints; a target that prints without end must not fill our memory.
    private static let mostOfReply = 64 << 10

    /// - Parameter text: the reply so far.
    private static func failure(said text: String) -> TransferFailure {
        let last = text.split(separator: "\n").last { $0.hasPrefix("try=") }
        let program = last.map { String($0.dropFirst("try=".utf8.count)) } ?? "sh"
        var failure = TransferFailure("the target hangs over its `\(program)`, which files need", isStall: true)
        failure.hint = "ecr run exec --timeout 10 -- \(program) …"
        return failure
    }

    private static let probe = #"""
        exec 2>/dev/null; echo "home=$(pwd)"
        for ecr_x in scp tar; do if command -v $ecr_x >/dev/null; then echo "tool=$ecr_x"; fi; done
        echo try=find; if [ "$(find / -maxdepth 0 -print0 | tr '\000' x)" = /x ]; then echo tool=find0; fi
        echo try=xargs; if [ "$(printf 'a b\0c\0' | xargs -0 -n 1 echo | tr '\n' x)" = 'a bxcx' ]; then echo tool=xargs0; fi
        if grep -qw aes /proc/cpuinfo; then echo tool=aes; fi
        echo try=stat; case "$(stat -c '%.9Y %s' /)" in
        [0-9]*.?????????\ [0-9]*) echo tool=stat; echo tool=stat-fine;;
        *) case "$(stat -c '%Y %s' /)" in [0-9]*\ [0-9]*) echo tool=stat;; esac;;
        esac
        for ecr_x in \#(Hasher.allCases.map { "'\($0.rawValue)'" }.joined(separator: " ")); do
        echo "try=${ecr_x%% *}"; case "$(printf x | $ecr_x)" in 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881*)
        echo "hash=$ecr_x"; break;; esac
        done
        """#
}
